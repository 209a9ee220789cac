"""A till that is lost, and brought back on another computer."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import posting, restore
from app.backup import Backup, make
from app.build import Till, open_till
from app.journal import Record
from app.restore import Place, Restored
from app.usecases.back_up import NoteBackup, note_backup
from app.usecases.verify import verify
from db import rows
from tests.app.kiosk import OFFSET_MIN, PASSPHRASE, Kiosk, events_of
from tests.keys.conftest import FakeKeystore


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeKeystore:
    """Another computer: its own installation, an empty key store."""
    monkeypatch.setenv("REGULARS_MACHINE", str(tmp_path / "another machine"))
    return FakeKeystore()


def backed_up(kiosk: Kiosk) -> Backup:
    kiosk.busy_morning()
    made = make(kiosk.ctx)
    return note_backup(kiosk.ctx, NoteBackup(kiosk.ctx.ids(), made)).result


def brought_back(
    kiosk: Kiosk,
    keystore: FakeKeystore,
    source: Path,
    *,
    journal: Path | None = None,
    to: str = "back",
) -> tuple[Restored, Path]:
    target = kiosk.folder.with_name(to)
    found = restore.restore(
        Place(source, target, journal), PASSPHRASE,
        find_keystore=keystore, clock=kiosk.clock, offset_min=lambda: OFFSET_MIN,
    )  # fmt: skip
    return found, target


def opened(kiosk: Kiosk, keystore: FakeKeystore, folder: Path) -> Till:
    return open_till(
        folder, find_keystore=keystore, clock=kiosk.clock, offset_min=lambda: OFFSET_MIN
    )


def assert_has(kiosk: Kiosk, keystore: FakeKeystore, folder: Path, events: list[Record]) -> None:
    """The till opens unattended, has these events and one `restored`, and proves sound."""
    till = opened(kiosk, keystore, folder)
    try:
        found = events_of(till.context)
        assert found[:-1] == events
        assert till.findings.found == []
        with till.context.read() as conn:
            last = rows.event_by_seq(conn, found[-1].seq)
        assert last is not None
        assert last.kind == posting.RESTORED
        report = verify(till.context)
        assert report.findings == []
    finally:
        till.close()
