"""Older journal files are read again when idle, a bounded part at a time; what rots is told and mended."""

from __future__ import annotations

import logging

import pytest

from app import file_check
from app.file_check import damaged_files, look, note
from db import rows
from tests.app.kiosk import Kiosk
from tests.app.mending import assert_sound, codes, flip, record_starts, sell_for_days


def whole_round(kiosk: Kiosk) -> list[str]:
    """Look until the first file comes again; the names of the files found damaged."""
    found = []
    for _ in range(500):
        looked = look(kiosk.ctx)
        assert looked is not None
        if note(kiosk.ctx, looked):
            found.append(looked.damaged)
        if looked.number >= len(kiosk.journal_files()):
            return found
    pytest.fail("the check never comes to the end")


def incidents(kiosk: Kiosk) -> list[str]:
    with kiosk.ctx.read() as conn:
        return [code for _, code, _ in rows.incidents(conn)]


@pytest.fixture
def days(kiosk: Kiosk) -> Kiosk:
    sell_for_days(kiosk, 5)
    return kiosk


def test_sound_files_are_read_round_and_round_without_a_word(days: Kiosk) -> None:
    assert whole_round(days) == []
    assert whole_round(days) == []
    assert incidents(days) == []


def test_a_till_of_one_file_has_nothing_to_read(kiosk: Kiosk) -> None:
    assert len(kiosk.journal_files()) == 1
    assert look(kiosk.ctx) is None


def test_a_part_is_bounded_and_the_next_goes_on_where_it_ended(
    days: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_check, "PART_BYTES", 100)
    first = days.journal_files()[0]
    starts = record_starts(days, first, 1)
    found = []
    for _ in starts:
        looked = look(days.ctx)
        assert looked is not None
        note(days.ctx, looked)
        found.append((looked.number, looked.offset))
    assert found[-1] == (2, 0)
    assert {offset for _, offset in found[:-1]} < {*starts}
    assert len(found) > 2


@pytest.mark.parametrize("part", [100, 2 * 1024 * 1024])
@pytest.mark.parametrize("record", [0, 1, -1])
def test_a_flipped_byte_in_an_older_file_is_told_once(
    days: Kiosk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    part: int, record: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(file_check, "PART_BYTES", part)
    path = days.journal_files()[1]
    flip(path, record_starts(days, path, 2)[record] + 40)
    with caplog.at_level(logging.CRITICAL, "regulars"):
        assert whole_round(days) == [path.name]
        assert whole_round(days) == []
    assert incidents(days) == ["journal_file_damaged"]


def test_a_shortened_older_file_is_told(days: Kiosk) -> None:
    path = days.journal_files()[1]
    start = record_starts(days, path, 2)[-1]
    path.write_bytes(path.read_bytes()[:start])
    assert whole_round(days) == [path.name]


def test_the_next_start_writes_it_anew_and_forgets_it(days: Kiosk) -> None:
    path = days.journal_files()[1]
    before = days.ctx.journal.read(path)
    flip(path, record_starts(days, path, 2)[1] + 40)
    days.reopen()
    assert codes(days) == [], "a start reads the newest files only"
    assert whole_round(days) == [path.name]
    days.reopen()
    assert codes(days) == ["journal_damaged"]
    assert days.ctx.journal.read(path) == before
    with days.ctx.read() as conn:
        assert damaged_files(conn) == ()
    assert whole_round(days) == []
    assert_sound(days)
