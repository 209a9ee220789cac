"""What a Z owes to the disk of the backups is written before the next backup, and keeps none back."""

from __future__ import annotations

import errno
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app import backup, statement
from app.domain.errors import Unavailable
from app.settings import BackupSettings
from app.usecases.back_up import make_backup
from app.usecases.close_unattended import close_all
from tests.app.kiosk import Kiosk


@pytest.fixture
def closed(kiosk: Kiosk) -> Kiosk:
    """A till whose day was closed by itself, with a backup."""
    kiosk.quote_and_sell()
    kiosk.clock.now += timedelta(days=1)
    assert len(close_all(kiosk.ctx).closed) == 1
    return kiosk


def test_the_next_backup_writes_the_statement_and_the_tail_that_are_not_there(
    closed: Kiosk,
) -> None:
    folder = backup.folder_of(closed.ctx)
    (file,), (named,) = folder.glob("*-Z*.json"), backup.listed(folder)
    file.unlink()
    shutil.rmtree(named / backup.AFTER)
    closed.clock.now += timedelta(hours=1)
    make_backup(closed.ctx)
    assert statement.check(file.read_bytes()).facts["number"] == 1
    assert backup.has_tail(named)


def test_where_the_disk_of_the_backups_is_away_the_statement_lies_beside_the_store(
    closed: Kiosk, tmp_path: Path
) -> None:
    ctx = closed.ctx
    (file,) = backup.folder_of(ctx).glob("*-Z*.json")
    file.unlink()
    ctx.settings = replace(ctx.settings, backup=BackupSettings(str(tmp_path / "away")))
    with pytest.raises(Unavailable):
        make_backup(ctx)
    assert file.exists()


def test_a_disk_that_fails_keeps_no_backup_back(
    closed: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = backup.folder_of(closed.ctx)
    (named,) = backup.listed(folder)
    is_dir = Path.is_dir

    def failing(path: Path) -> bool:
        if path == named:
            raise OSError(errno.EIO, "input/output error")
        return is_dir(path)

    closed.clock.now += timedelta(hours=1)
    monkeypatch.setattr(Path, "is_dir", failing)
    made = make_backup(closed.ctx)
    assert made.path != named
