"""A passphrase typed wrong costs seconds, in the same program or in the next one, and never the store."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

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


def test_the_right_passphrase_opens_once_the_wait_is_over(folder: Path) -> None:
    assert tried(folder, WRONG) is Outage.PASSPHRASE_WRONG
    assert tried(folder, PASSPHRASE) is Outage.PASSPHRASE_WAIT
    time.sleep(1.1)
    assert tried(folder, PASSPHRASE) is None
    assert not (folder / ATTEMPTS_NAME).exists()


def test_the_command_line_waits_by_itself_and_opens(folder: Path) -> None:
    first, second, third = (command(folder, given) for given in (WRONG, WRONG, PASSPHRASE))
    assert (first.returncode, second.returncode) == (4, 4)
    assert third.returncode == 0, third.stderr
    assert not (folder / ATTEMPTS_NAME).exists()


def test_the_command_line_says_that_it_waits(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGULARS_PASSPHRASE", PASSPHRASE)
    tried(folder, WRONG)
    time.sleep(1.1)
    tried(folder, WRONG)
    assert run(["--language", "en", "verify", "--store", str(folder)]) == 0
    assert "Waiting 2 s" in capsys.readouterr().err
