"""A passphrase typed wrong costs seconds, in the same program or in the next one, and never the store."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.build import open_till
from app.commands import run
from app.commands.demo_data import no_keystore
from app.domain.errors import Outage, Unavailable
from app.keyslots.envelope import ATTEMPTS_NAME
from tests.fakes import PASSPHRASE, make_shop

WRONG = "not the passphrase at all"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store that is shut, on a computer whose key store answers nobody."""
    make_shop(tmp_path / "store").till.close()
    return tmp_path / "store"


@pytest.fixture
def long_wait(folder: Path) -> Path:
    """The same after five wrong ones long ago: the next is waited for half a minute, longer than a test."""
    (folder / ATTEMPTS_NAME).write_text("5 0", encoding="ascii")
    return folder


def wait_is_over(folder: Path) -> None:
    """As if the computer had run on: the last wrong one lies as far back as its start."""
    path = folder / ATTEMPTS_NAME
    path.write_text(f"{path.read_text('ascii').split()[0]} 0", encoding="ascii")


def tried(folder: Path, passphrase: str) -> Outage | None:
    try:
        open_till(folder, passphrase=passphrase, find_keystore=no_keystore).close()
    except Unavailable as error:
        return error.code
    return None


def command(folder: Path, passphrase: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ui", "verify", "--store", str(folder)],
        env={**os.environ, "REGULARS_PASSPHRASE": passphrase},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_the_right_passphrase_opens_once_the_wait_is_over(long_wait: Path) -> None:
    assert tried(long_wait, WRONG) is Outage.PASSPHRASE_WRONG
    assert tried(long_wait, PASSPHRASE) is Outage.PASSPHRASE_WAIT
    wait_is_over(long_wait)
    assert tried(long_wait, PASSPHRASE) is None
    assert not (long_wait / ATTEMPTS_NAME).exists()


def test_the_command_line_waits_by_itself_and_opens(folder: Path) -> None:
    first, second, third = (command(folder, given) for given in (WRONG, WRONG, PASSPHRASE))
    assert (first.returncode, second.returncode) == (4, 4)
    assert third.returncode == 0, third.stderr
    assert not (folder / ATTEMPTS_NAME).exists()


def test_the_command_line_says_that_it_waits(
    long_wait: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waited: list[int] = []

    def sleep(wait_s: int) -> None:
        waited.append(wait_s)
        wait_is_over(long_wait)

    monkeypatch.setenv("REGULARS_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr("app.commands.opening.time", SimpleNamespace(sleep=sleep))
    tried(long_wait, WRONG)
    assert run(["--language", "en", "verify", "--store", str(long_wait)]) == 0
    (wait_s,) = waited
    assert 0 < wait_s <= 32
    assert f"Waiting {wait_s} s" in capsys.readouterr().err
