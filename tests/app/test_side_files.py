"""What lies beside the database fails: the act stands, somebody hears of it, nothing is lost once it heals."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

import pytest

from app import backup
from app.domain.errors import Outage, Refusal, Refused, Unavailable
from app.usecases.enrol import ProfileInput
from app.usecases.verify import verify
from tests.app.closing import closed, next_day
from tests.app.kiosk import Kiosk

FULL = OSError(errno.ENOSPC, "No space left on device")


def fails(*given: object) -> None:
    raise FULL


# The profile file -----------------------------------------------------------------------------------


def test_an_enrolment_stands_and_warns_when_its_cells_cannot_be_written(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(kiosk.ctx.profiles, "append", fails)
        done = kiosk.enrol(ProfileInput("Ada Byron", "13900001234"))
        assert done.warning == Outage.JOURNAL_FILE_FAILED.value
        with pytest.raises(Unavailable) as caught:
            kiosk.quote_and_sell()
        assert caught.value.code is Outage.JOURNAL_FILE_FAILED
    assert done.result.member_id not in cells_of(kiosk)
    sold = kiosk.quote_and_sell()
    assert (sold.warning, done.result.member_id in cells_of(kiosk)) == ("", True)


def cells_of(kiosk: Kiosk) -> set[bytes]:
    """The members whose values the profile file has."""
    text = b"".join(cell for _, cell in kiosk.ctx.profiles.cells()).decode()
    with kiosk.ctx.read() as conn:
        members = [row[0] for row in conn.execute("SELECT id FROM member")]
    return {member for member in members if member.hex() in text}


def test_cells_come_before_their_event_so_that_no_event_is_without_them(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(kiosk.ctx.journal.scan().records)
    with monkeypatch.context() as broken:
        broken.setattr(kiosk.ctx.profiles, "append", fails)
        kiosk.enrol(ProfileInput("Ada Byron", "13900001234"))
    assert len(kiosk.ctx.journal.scan().records) == before


def test_a_backup_stands_when_the_profile_file_cannot_be_emptied(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kiosk.enrol(ProfileInput("Ada Byron", "13900001234"))
    kept = kiosk.ctx.profiles.cells()
    monkeypatch.setattr(kiosk.ctx.profiles, "rewrite", fails)
    with caplog.at_level(logging.WARNING, "regulars"):
        closed(kiosk)
    assert "profile file not emptied" in caplog.text
    assert kiosk.ctx.profiles.cells()[: len(kept)] == kept


# The side file of the last close ----------------------------------------------------------------------


def test_a_close_stands_when_its_side_file_cannot_be_written(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as broken, caplog.at_level(logging.WARNING, "regulars"):
        broken.setattr(kiosk.ctx.witness, "keep", fails)
        first = closed(kiosk)
    assert "side file not written" in caplog.text
    before = kiosk.ctx.witness.read()
    assert before is not None
    assert before.seq == 1, "as the set-up left it"
    assert kiosk.ctx.warning() == ""
    next_day(kiosk)
    second = closed(kiosk)
    found = kiosk.ctx.witness.read()
    assert (first.number, second.number) == (1, 2)
    assert found is not None
    assert found.close == 2
    assert verify(kiosk.ctx).findings == []


def test_a_side_file_that_is_not_this_tills_stays_for_the_auditor(kiosk: Kiosk) -> None:
    kiosk.ctx.witness.path.write_bytes(b"somebody was here")
    closed(kiosk)
    assert kiosk.ctx.witness.path.read_bytes() == b"somebody was here"


def test_a_side_file_is_whole_though_the_system_takes_one_byte_at_a_time(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = os.write
    with monkeypatch.context() as slow:
        slow.setattr(os, "write", lambda fd, blob: sound(fd, bytes(blob)[:1]))
        kiosk.ctx.witness.path.unlink()
        kiosk.ctx.witness.keep(7, bytes(32), 3, lambda seq, head: True)
    found = kiosk.ctx.witness.read()
    assert found is not None
    assert (found.seq, found.close) == (7, 3)


# Backups ----------------------------------------------------------------------------------------------


def test_every_file_of_a_backup_is_on_the_disk_before_it_gets_its_name(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.busy_morning()
    synced: list[int] = []
    sound, rename = os.fsync, os.rename
    before_name: list[set[int]] = []

    def fsync(fd: int) -> None:
        sound(fd)
        synced.append(os.fstat(fd).st_ino)

    def named(old: Path, new: Path) -> None:
        before_name.append(set(synced))
        rename(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", named)
    made = backup.make(kiosk.ctx)
    parts = [made.path, *made.path.rglob("*")]
    assert [each.name for each in parts if each.stat().st_ino not in before_name[-1]] == []
    assert made.path.parent.stat().st_ino in set(synced), "the name itself"


# Returns of what was voided -----------------------------------------------------------------------------


def test_a_sale_that_was_voided_is_not_returned(kiosk: Kiosk) -> None:
    sale = kiosk.quote_and_sell(5000, quantity=2).result
    kiosk.undo(sale.event_id)
    events = kiosk.events()
    with pytest.raises(Refused) as refused:
        kiosk.take_back(sale.event_id)
    assert refused.value.code is Refusal.VOID_ALREADY
    assert kiosk.events() == events
    assert verify(kiosk.ctx).findings == []
