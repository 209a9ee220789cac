"""A store's folder that takes no file is told as what it is, at the till and on the command line."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.build import DATABASE, open_till
from app.commands import run
from app.domain.errors import Outage, Unavailable
from tests.conftest import MadeStore


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own: rights do not bind root, a read-only or full volume does."""
    folder = tmp_path / "volume"
    folder.mkdir()
    options = "size=32m,nr_inodes=64"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def folder(volume: Path, made_store: MadeStore) -> Path:
    """A shut store on that volume, as a restore leaves it: nobody locked it yet."""
    shutil.copytree(made_store.folder, volume / "store")
    (volume / "store" / f"{DATABASE}.lock").unlink()
    return volume / "store"


def why_not(folder: Path) -> Outage:
    with pytest.raises(Unavailable) as caught:
        open_till(folder)
    return caught.value.code


def test_a_read_only_folder_is_told(
    folder: Path, volume: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(volume)], check=True)
    assert why_not(folder) is Outage.STORE_READ_ONLY
    assert run(["verify", "--store", str(folder)]) == 4
    assert Outage.STORE_READ_ONLY.value in capsys.readouterr().err


def test_a_folder_without_room_for_the_lock_is_told(
    folder: Path, volume: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.suppress(OSError):
        for n in range(100):
            (volume / f"filler-{n}").touch()
    assert why_not(folder) is Outage.STORE_FULL
    assert run(["verify", "--store", str(folder)]) == 4
    assert Outage.STORE_FULL.value in capsys.readouterr().err
