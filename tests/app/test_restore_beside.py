"""A till brought back from less than lies beside: what is newer is told, and no number is given twice."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.backup import Backup, make
from app.found_backups import find_backups
from app.journal import JournalFile, number_of
from app.numbers import parse_receipt_number
from app.queries.attention import needs
from app.settings import BackupSettings
from app.statement import FORMAT, new_seed, public_of, sign, to_file
from app.usecases.audit import evidence_at_hand, look_for_alterations
from app.usecases.back_up import NoteBackup, note_backup
from app.usecases.close_day import date_to_close
from app.usecases.close_unattended import close_all
from app.usecases.sell import next_running, sell
from app.usecases.verify_audit import Finding, Return, Verdict
from db import rows
from tests.app.bringing_back import assert_has, backed_up, brought_back, elsewhere, opened
from tests.app.closing import closed, next_day
from tests.app.kiosk import Kiosk, sale_command
from tests.keys.conftest import FakeKeystore

__all__ = ["elsewhere"]


@pytest.fixture
def went_on(kiosk: Kiosk) -> Backup:
    """The first backup of a till that closed that day and the next."""
    first = backed_up(kiosk)
    closed(kiosk)
    next_day(kiosk)
    kiosk.quote_and_sell()
    closed(kiosk)
    return first


def test_an_older_backup_is_measured_against_the_closes_and_backups_beside_it(
    kiosk: Kiosk, elsewhere: FakeKeystore, went_on: Backup
) -> None:
    last = len(kiosk.events())
    found, _ = brought_back(kiosk, elsewhere, went_on.path)
    assert found.missing == (went_on.seq + 1, last)
    assert [name for name in found.newer if "-Z" in name] == [
        "01-Z000001-2026-11-21.json", "01-Z000002-2026-11-22.json",
    ]  # fmt: skip
    assert len(found.newer) == 4


def test_a_newer_backup_that_stands_alone_is_told_of_too(
    kiosk: Kiosk, elsewhere: FakeKeystore
) -> None:
    first = backed_up(kiosk)
    kiosk.quote_and_sell()
    newer = make(kiosk.ctx)
    found, _ = brought_back(kiosk, elsewhere, first.path)
    assert (found.newer, found.missing) == ((newer.name,), (first.seq + 1, newer.seq))


def test_a_close_of_another_till_beside_it_says_nothing(
    kiosk: Kiosk, elsewhere: FakeKeystore, tmp_path: Path
) -> None:
    made = backed_up(kiosk)
    facts = {
        "format": FORMAT, "tenant": kiosk.ctx.till.tenant.hex(),
        "device": kiosk.ctx.till.device.hex(), "number": 9, "proof": {"events": 5000},
    }  # fmt: skip
    seed = new_seed()
    facts["key"] = public_of(seed).hex()
    (made.path.parent / "01-Z000009-2026-12-01.json").write_bytes(to_file(facts, sign(seed, facts)))
    (made.path.parent / "01-Z000010-2026-12-02.json").write_bytes(b"no close at all")
    found, _ = brought_back(kiosk, elsewhere, made.path)
    assert (found.newer, found.missing) == ((), None)


def test_numbers_of_closes_and_slips_go_on_above_those_that_are_known(
    kiosk: Kiosk, elsewhere: FakeKeystore, went_on: Backup
) -> None:
    with kiosk.ctx.read() as conn:
        given_out = parse_receipt_number(rows.last_receipt(conn) or "")
    assert given_out is not None
    _, target = brought_back(kiosk, elsewhere, went_on.path)
    kiosk.close()
    till = opened(kiosk, elsewhere, target)
    with till.context.read() as conn:
        assert next_running(conn) > given_out[1]
    kiosk.clock.now += timedelta(days=1)
    night = close_all(till.context)
    till.close()
    assert [each.number for each in night.closed] == [3]


def test_a_restore_that_lost_events_is_an_alarm_of_the_audit_and_on_the_list(
    kiosk: Kiosk, elsewhere: FakeKeystore, went_on: Backup
) -> None:
    found, target = brought_back(kiosk, elsewhere, went_on.path)
    till = opened(kiosk, elsewhere, target)
    ctx = till.context
    audit = look_for_alterations(ctx, evidence_at_hand(ctx))
    assert "restored_in_part" in {each.code for each in needs(ctx)}
    till.close()
    at = found.last_seq + 1
    assert audit.findings == [Finding(Verdict.TRUNCATED, at, "restored")]
    assert audit.returns == [Return(at, went_on.name, went_on.seq, found.missing)]


def test_a_restore_that_lost_nothing_is_told_without_an_alarm(
    kiosk: Kiosk, elsewhere: FakeKeystore
) -> None:
    made = backed_up(kiosk)
    found, target = brought_back(kiosk, elsewhere, made.path, journal=kiosk.folder / "journal")
    till = opened(kiosk, elsewhere, target)
    ctx = till.context
    audit = look_for_alterations(ctx, evidence_at_hand(ctx))
    assert "restored" in {each.code for each in needs(ctx)}
    till.close()
    assert audit.findings == []
    assert audit.returns == [Return(found.last_seq + 1, made.name, made.seq, None)]


def test_the_backup_of_a_day_close_brings_the_close_itself_back(
    kiosk: Kiosk, elsewhere: FakeKeystore
) -> None:
    kiosk.busy_morning()
    closed(kiosk)
    events = kiosk.events()
    found, target = brought_back(kiosk, elsewhere, kiosk.folder / "backups")
    assert (found.last_seq, found.missing) == (len(events), None)
    assert found.close is not None
    assert found.close[0] == 1
    assert_has(kiosk, elsewhere, target, events)
    till = opened(kiosk, elsewhere, target)
    assert date_to_close(till.context) is None, "the date is not closed a second time"
    till.close()


def test_a_journal_that_was_cut_before_the_close_takes_it_from_the_backup(
    kiosk: Kiosk, elsewhere: FakeKeystore
) -> None:
    kiosk.busy_morning()
    closed(kiosk)
    events = kiosk.events()
    path = kiosk.journal_files()[-1]
    records = kiosk.ctx.journal.read(path)
    kiosk.ctx.journal.rewrite(path, records[:-1], previous=None, head=bytes(32))
    found, target = brought_back(
        kiosk, elsewhere, kiosk.folder / "backups", journal=kiosk.folder / "journal"
    )
    assert (found.last_seq, found.missing) == (len(events), None)
    assert found.close is not None
    assert_has(kiosk, elsewhere, target, events)


def test_a_journal_whose_newest_file_is_still_empty_takes_no_event_a_second_time(
    kiosk: Kiosk, elsewhere: FakeKeystore, tmp_path: Path
) -> None:
    """The computer went off between the beginning of a day's file and its first event."""
    kiosk.busy_morning()
    closed(kiosk)
    events = kiosk.events()
    newer = Path(shutil.copytree(kiosk.folder / "journal", tmp_path / "newer"))
    journal = JournalFile(newer, data_key=kiosk.ctx.data_key, owner=kiosk.ctx.owner)
    last = journal.files()[-1]
    begun = newer / f"{number_of(last) + 1:06d}-2026-11-22.rjl"
    journal.rewrite(begun, [], previous=last, head=events[-1].hash)
    found, target = brought_back(kiosk, elsewhere, kiosk.folder / "backups", journal=newer)
    assert (found.last_seq, found.missing) == (len(events), None)
    back = JournalFile(target / "journal", data_key=kiosk.ctx.data_key, owner=kiosk.ctx.owner)
    numbers = [record.seq for record in back.scan().records]
    assert numbers == sorted(set(numbers))
    assert_has(kiosk, elsewhere, target, events)


def test_a_folder_without_journal_files_takes_no_close_away(
    kiosk: Kiosk, elsewhere: FakeKeystore, tmp_path: Path
) -> None:
    kiosk.busy_morning()
    closed(kiosk)
    events = kiosk.events()
    (tmp_path / "not the journal").mkdir()
    found, target = brought_back(
        kiosk, elsewhere, kiosk.folder / "backups", journal=tmp_path / "not the journal"
    )
    assert (found.last_seq, found.missing) == (len(events), None)
    assert found.close is not None
    assert found.close[0] == 1
    assert not found.had_journal, "there was none in it: what came later isn't known"
    assert_has(kiosk, elsewhere, target, events)


def test_what_was_given_up_by_a_restore_is_neither_proposed_again_nor_silent(
    kiosk: Kiosk, elsewhere: FakeKeystore
) -> None:
    """The till came back from an older backup, and counts its events on from there."""
    folder = kiosk.folder / "backups"
    first = backed_up(kiosk)
    for _ in range(6):
        kiosk.quote_and_sell(member=False)
    closed(kiosk)
    given_up = make(kiosk.ctx)
    kiosk.close()
    kiosk.clock.now += timedelta(hours=1)
    _, target = brought_back(kiosk, elsewhere, first.path)
    till = opened(kiosk, elsewhere, target)
    till.context.keep_settings(replace(till.context.settings, backup=BackupSettings(str(folder))))
    fresh = make(till.context)
    till.close()
    assert fresh.seq < given_up.seq
    kiosk.clock.now += timedelta(hours=1)
    (proposed,) = [each for each in find_backups(folder) if each.proposed]
    assert proposed.path == fresh.path
    again, _ = brought_back(kiosk, elsewhere, folder, to="once more")
    assert (again.backup, again.newer, again.missing) == (fresh.name, (), None)
    wrong, _ = brought_back(kiosk, elsewhere, given_up.path, to="the wrong one")
    assert wrong.newer == (fresh.name,), "its events are fewer, but later"


def test_two_lines_that_went_on_from_one_backup_are_told_apart(
    kiosk: Kiosk, elsewhere: FakeKeystore
) -> None:
    """The till comes back a second time from the same old backup: what it makes then is later than what the
    first time back had made in many days, though its events are fewer."""
    folder = kiosk.folder / "backups"
    first = backed_up(kiosk)
    kiosk.close()
    _, target = brought_back(kiosk, elsewhere, first.path)
    till = opened(kiosk, elsewhere, target)
    till.context.keep_settings(replace(till.context.settings, backup=BackupSettings(str(folder))))
    for _ in range(6):
        sell(till.context, sale_command(till.context, kiosk.session, kiosk.member_id, 1000))
    given_up = make(till.context)
    till.close()
    for _ in range(60):
        kiosk.clock.now += timedelta(days=1)
        day_of_it = folder / f"01-{kiosk.clock.now:%Y%m%dT%H%M%SZ}-{given_up.seq:09d}"
        day_of_it.mkdir()
        shutil.copyfile(given_up.path / "manifest.json", day_of_it / "manifest.json")
    _, target = brought_back(kiosk, elsewhere, first.path, to="once more")
    till = opened(kiosk, elsewhere, target)
    ctx = till.context
    ctx.keep_settings(replace(ctx.settings, backup=BackupSettings(str(folder))))
    fresh = []
    for _ in range(2):
        kiosk.clock.now += timedelta(hours=1)
        fresh.append(note_backup(ctx, NoteBackup(ctx.ids(), make(ctx))).result)
    till.close()
    assert fresh[-1].seq < given_up.seq
    assert all(each.path.exists() for each in fresh)
    (proposed,) = [each for each in find_backups(folder) if each.proposed]
    assert proposed.path == fresh[-1].path
