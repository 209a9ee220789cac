"""At start a journal file that is behind, damaged or missing is mended from the database, and told."""

from __future__ import annotations

import shutil

import pytest

from app.build import JOURNAL
from app.journal import JournalFile
from app.usecases.enrol import ProfileInput
from db import people
from tests.app.kiosk import (
    Kiosk,
)
from tests.app.mending import assert_sound, codes, flip, lose_log, record_starts, sell_for_days

# Nothing wrong ------------------------------------------------------------------------------------


def test_a_store_that_was_closed_in_order_needs_no_mending(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    kiosk.reopen()
    assert kiosk.till.findings.found == []
    assert_sound(kiosk)


def test_a_store_that_crashed_between_sales_needs_no_mending(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    events = kiosk.events()
    kiosk.crash()
    kiosk.open()
    assert kiosk.till.findings.found == []
    assert kiosk.events() == events


# The file is behind -------------------------------------------------------------------------------


def test_events_that_the_file_lacks_are_appended_from_the_database(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The crash came between commit and append."""
    with monkeypatch.context() as patch:
        patch.setattr(JournalFile, "append", lambda self, records, *, day: None)
        kiosk.quote_and_sell()
        kiosk.quote_and_sell()
    events = kiosk.events()
    kiosk.crash()
    kiosk.open()
    assert kiosk.till.findings.found == [("journal_backfilled", {"count": 2})]
    assert list(kiosk.ctx.journal.scan().records) == events
    assert_sound(kiosk)


def test_a_member_whose_enrolment_was_back_filled_keeps_the_name_when_the_log_goes_next(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first crash came before the personal values were in the profile file."""

    def die(seq: int, cell: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(kiosk.ctx.profiles, "append", die)
    with pytest.raises(KeyboardInterrupt):
        kiosk.enrol(ProfileInput("单雅文", "13900004321", note="allergic to walnuts"))
    kiosk.crash()
    kiosk.open()
    lose_log(kiosk)
    kiosk.open()
    assert codes(kiosk) == ["events_replayed"]
    with kiosk.ctx.read() as conn:
        (member_id,) = people.members_of_phone(conn, "+8613900004321")
        profile = people.profile(conn, member_id)
        assert profile is not None
        assert (profile.name, profile.note) == ("单雅文", "allergic to walnuts")
        assert people.member_key(conn, member_id) is not None
        assert len(people.credentials_of(conn, member_id, "card")) == 1


def test_all_journal_files_gone_are_written_anew_and_reported(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    events = kiosk.events()
    kiosk.crash()
    shutil.rmtree(kiosk.folder / JOURNAL)
    kiosk.open()
    assert kiosk.till.findings.found == [("journal_missing", {"count": len(events)})]
    assert list(kiosk.ctx.journal.scan().records) == events
    kiosk.reopen()
    assert kiosk.till.findings.found == []


# The file is damaged ------------------------------------------------------------------------------


def test_a_torn_tail_is_cut_off_and_the_next_sale_follows_it(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    sound = kiosk.journal_files()[0].read_bytes()
    kiosk.crash()
    kiosk.journal_files()[0].write_bytes(sound + b"\x1eRJ1\x01half a record")
    kiosk.open()
    name = kiosk.journal_files()[0].name
    assert kiosk.till.findings.found == [("journal_tail_cut", {"file": name, "offset": len(sound)})]
    assert kiosk.journal_files()[0].read_bytes() == sound
    kiosk.quote_and_sell()
    assert_sound(kiosk)


def test_a_flipped_byte_in_the_middle_sets_the_file_aside_and_writes_it_equal_to_before(
    kiosk: Kiosk,
) -> None:
    kiosk.busy_morning()
    path = kiosk.journal_files()[0]
    before = kiosk.ctx.journal.read(path)
    starts = record_starts(kiosk, path, 1)
    kiosk.crash()
    flip(path, starts[4] + 40)
    damaged = path.read_bytes()
    kiosk.open()
    assert kiosk.till.findings.found == [("journal_damaged", {"file": path.name, "places": 1})]
    assert kiosk.ctx.journal.read(path) == before
    assert path.with_name(f"{path.name}.damaged-1").read_bytes() == damaged
    kiosk.quote_and_sell()
    kiosk.reopen()
    assert kiosk.till.findings.found == []
    assert_sound(kiosk)


def test_a_damaged_file_is_kept_beside_the_one_that_was_damaged_before(kiosk: Kiosk) -> None:
    path = kiosk.journal_files()[0]
    for _ in range(2):
        kiosk.close()
        flip(path, 30)
        kiosk.open()
        assert codes(kiosk) == ["journal_damaged"]
    assert sorted(p.name for p in path.parent.iterdir()) == [
        path.name, f"{path.name}.damaged-1", f"{path.name}.damaged-2",
    ]  # fmt: skip


def test_two_missing_files_in_a_row_leave_no_gap(kiosk: Kiosk) -> None:
    sell_for_days(kiosk, 4)
    events = kiosk.events()
    kiosk.crash()
    for path in kiosk.journal_files()[:2]:
        path.unlink()
    kiosk.open()
    assert codes(kiosk) == ["journal_file_missing", "journal_file_missing"]
    assert list(kiosk.ctx.journal.scan().records) == events
    kiosk.reopen()
    assert kiosk.till.findings.found == []


def test_the_newest_file_missing_is_back_filled(kiosk: Kiosk) -> None:
    sell_for_days(kiosk, 2)
    events = kiosk.events()
    kiosk.crash()
    kiosk.journal_files()[-1].unlink()
    kiosk.open()
    assert kiosk.till.findings.found == [("journal_backfilled", {"count": 2})]
    assert list(kiosk.ctx.journal.scan().records) == events


def test_a_file_that_the_crash_met_at_its_header_is_begun_again(kiosk: Kiosk) -> None:
    sell_for_days(kiosk, 1)
    kiosk.crash()
    path = kiosk.folder / JOURNAL / "000002-2026-11-22.rjl"
    for content in (b"", b"\x1eRJ1\x02" + bytes(30)):
        path.write_bytes(content)
        kiosk.open()
        assert kiosk.till.findings.found == [("journal_tail_cut", {"file": path.name, "offset": 0})]
        kiosk.crash()
    kiosk.open()
    kiosk.quote_and_sell()
    kiosk.reopen()
    assert kiosk.till.findings.found == []
    assert_sound(kiosk)
