"""Whatever lies in a store's folder, its backups or its journal is its user's alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app import backup, settings
from app.build import DATABASE
from tests.app.kiosk import PASSPHRASE, Kiosk, Template

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")


def open_to_others(folder: Path) -> dict[str, str]:
    """Each file and folder from here on that anybody but its user may open, by its mode."""
    paths = [folder, *folder.rglob("*")]
    modes = {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in paths}
    return {name: oct(mode) for name, mode in modes.items() if mode & 0o077}


@pytest.fixture
def loose() -> Iterator[None]:
    """A user whose new files anybody may read, as most systems have it."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def command(*words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "ui", *words],
        env={**os.environ, "REGULARS_PASSPHRASE": PASSPHRASE},
        check=True, capture_output=True, timeout=120, umask=0o022,
    )  # fmt: skip


def test_a_store_that_a_command_makes_is_shut_to_others(tmp_path: Path) -> None:
    command("demo-data", "--members", "5", "--store", str(tmp_path / "store"))
    assert open_to_others(tmp_path / "store") == {}
    names = {path.name for path in (tmp_path / "store").iterdir()}
    assert {DATABASE, f"{DATABASE}.lock", "keyslots.json", "keyslots-b.json", "journal"} <= names


def test_a_backup_that_a_command_makes_is_shut_to_others(
    template: Template, tmp_path: Path
) -> None:
    folder = template.copy_to(tmp_path / "store")
    (tmp_path / "stick").mkdir(mode=0o700)
    command("backup", "--store", str(folder), "--to", str(tmp_path / "stick"))
    assert open_to_others(tmp_path / "stick") == {}
    assert list((tmp_path / "stick").rglob(DATABASE))


def test_a_till_at_work_leaves_nothing_open(kiosk: Kiosk, loose: None) -> None:
    kiosk.busy_morning()
    assert (kiosk.folder.stat().st_mode & 0o777, kiosk.log.stat().st_mode & 0o777) == (0o700, 0o600)
    for path in (kiosk.database, kiosk.profiles, *kiosk.journal_files()):
        assert path.stat().st_mode & 0o777 == 0o600, path.name


def test_what_an_earlier_version_left_open_is_shut_on_opening(kiosk: Kiosk) -> None:
    kiosk.close()
    kiosk.folder.chmod(0o755)
    for path in kiosk.folder.iterdir():
        if path.is_file():
            path.chmod(0o644)
    kiosk.open()
    assert kiosk.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in kiosk.folder.iterdir() if path.is_file()} == {
        0o600
    }


def test_a_journal_elsewhere_and_a_backup_have_folders_of_their_own(
    kiosk: Kiosk, tmp_path: Path, loose: None
) -> None:
    kiosk.close()
    chosen = replace(settings.load(kiosk.folder), journal_folder=str(tmp_path / "second disk"))
    settings.save(kiosk.folder, chosen)
    kiosk.open()
    made = backup.make(kiosk.ctx)
    assert (tmp_path / "second disk").stat().st_mode & 0o777 == 0o700
    assert made.path.stat().st_mode & 0o777 == 0o700


def test_a_till_that_crashes_leaves_no_memory_behind() -> None:
    """Its keys and members would lie in the dump."""
    started = "\n".join(
        [
            "import contextlib, resource",
            "from ui.__main__ import main",
            "most = resource.getrlimit(resource.RLIMIT_CORE)[1]",
            "resource.setrlimit(resource.RLIMIT_CORE, (most, most))",
            "with contextlib.suppress(SystemExit):",
            "    main(['--help'])",
            "print(resource.getrlimit(resource.RLIMIT_CORE))",
        ]
    )
    told = subprocess.run(
        [sys.executable, "-c", started], capture_output=True, check=True, text=True, timeout=120
    )
    assert told.stdout.splitlines()[-1] == "(0, 0)"
