"""The restore drill: a till back in an empty folder, to the last event or to a word about what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app import posting, restore
from app.backup import Backup, make
from app.build import Till, open_till
from app.domain.errors import Outage, Unavailable
from app.found_backups import find_backups
from app.journal import JournalFile, Record, number_of
from app.numbers import parse_receipt_number
from app.queries.attention import needs
from app.restore import Place, Restored
from app.settings import BackupSettings, load
from app.statement import FORMAT, new_seed, public_of, sign, to_file
from app.usecases.audit import evidence_at_hand, look_for_alterations
from app.usecases.back_up import NoteBackup, note_backup
from app.usecases.close_day import date_to_close
from app.usecases.close_unattended import close_all
from app.usecases.enrol import ProfileInput
from app.usecases.sell import next_running, sell
from app.usecases.verify import verify
from app.usecases.verify_audit import Finding, Return, Verdict
from db import people, rows
from tests.app.closing import closed, next_day
from tests.app.kiosk import OFFSET_MIN, PASSPHRASE, Kiosk, events_of, sale_command
from tests.app.mending import flip
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


# Whole ------------------------------------------------------------------------------------------


def test_a_till_comes_back_from_a_backup_alone(kiosk: Kiosk, elsewhere: FakeKeystore) -> None:
    made = backed_up(kiosk)
    events = kiosk.events()[: made.seq]
    kiosk.quote_and_sell()
    found, target = brought_back(kiosk, elsewhere, made.path)
    assert (found.backup, found.backup_seq, found.last_seq) == (made.name, made.seq, made.seq)
    assert (found.missing, found.unplaced, found.had_journal) == (None, 0, False)
    assert_has(kiosk, elsewhere, target, events)
    assert beside(kiosk) == [], "no lock and no work is left"


def test_a_backup_and_the_newer_journal_bring_everything_back(
    kiosk: Kiosk, elsewhere: FakeKeystore
) -> None:
    made = backed_up(kiosk)
    typed = ProfileInput("解晓东", "13900007777", email="xie@example.cn")
    enrolled = kiosk.enrol(typed).result
    kiosk.clock.now += timedelta(days=1)
    kiosk.quote_and_sell()
    kiosk.quote_and_sell(redeem=200)
    events = kiosk.events()
    found, target = brought_back(kiosk, elsewhere, made.path, journal=kiosk.folder / "journal")
    assert found.replayed == len(events) - made.seq
    assert (found.missing, found.nameless) == (None, 0)
    assert_has(kiosk, elsewhere, target, events)
    till = opened(kiosk, elsewhere, target)
    with till.context.read() as conn:
        profile = people.profile(conn, enrolled.member_id)
    till.close()
    assert profile is not None
    assert profile.name == "解晓东"


def test_the_newest_whole_backup_of_a_folder_is_taken_and_the_rest_comes_from_the_journal(
    kiosk: Kiosk, elsewhere: FakeKeystore
) -> None:
    made = backed_up(kiosk)
    kiosk.clock.now += timedelta(hours=1)
    kiosk.quote_and_sell()
    newest = make(kiosk.ctx)
    kiosk.quote_and_sell()
    events = kiosk.events()
    flip(newest.path / "regulars.db", 5000)
    found, target = brought_back(
        kiosk, elsewhere, newest.path.parent, journal=kiosk.folder / "journal"
    )
    assert found.passed_over == ((newest.name, "regulars.db is not what was backed up"),)
    assert (found.backup, found.last_seq) == (made.name, len(events))
    assert_has(kiosk, elsewhere, target, events)


def test_the_restored_till_starts_without_the_passphrase_and_goes_on_selling(
    kiosk: Kiosk, elsewhere: FakeKeystore
) -> None:
    made = backed_up(kiosk)
    _, target = brought_back(kiosk, elsewhere, made.path)

    till = opened(kiosk, elsewhere, target)
    sell(till.context, sale_command(till.context, kiosk.session, kiosk.member_id, 1000))
    assert verify(till.context).findings == []
    till.close()


def test_the_old_tills_journal_folder_is_left_alone(kiosk: Kiosk, tmp_path: Path) -> None:
    """Its settings may name a second disk, where the old journal still lies."""
    kiosk.close()
    shutil.move(kiosk.folder / "journal", tmp_path / "second disk")
    settings = kiosk.folder / "settings.toml"
    settings.write_text(settings.read_text().replace(
        'journal_folder = ""', f'journal_folder = "{tmp_path / "second disk"}"'
    ))  # fmt: skip
    kiosk.open()
    made = backed_up(kiosk)
    before = {p.name: p.read_bytes() for p in (tmp_path / "second disk").iterdir()}
    _, target = brought_back(kiosk, kiosk.template.keystore, made.path)
    assert {p.name: p.read_bytes() for p in (tmp_path / "second disk").iterdir()} == before
    assert load(target).journal_folder == ""
    assert list((target / "journal").glob("*.rjl"))


# What is missing is said --------------------------------------------------------------------------


def test_a_gap_in_the_journal_is_named_and_what_lies_behind_it_is_kept_aside(
    kiosk: Kiosk, elsewhere: FakeKeystore
) -> None:
    made = backed_up(kiosk)
    kiosk.clock.now += timedelta(days=1)
    kiosk.quote_and_sell()
    joined = len(kiosk.events())
    kiosk.clock.now += timedelta(days=1)
    lost = [kiosk.quote_and_sell().result.seq for _ in range(3)]
    kiosk.clock.now += timedelta(days=1)
    behind = [kiosk.quote_and_sell().result.seq for _ in range(2)]
    events = kiosk.events()[:joined]
    kiosk.close()
    newer = Path(shutil.copytree(kiosk.folder / "journal", kiosk.folder.with_name("newer")))
    sorted(newer.glob("*.rjl"))[-2].unlink()
    found, target = brought_back(kiosk, elsewhere, made.path, journal=newer)
    assert (found.last_seq, found.missing) == (joined, (lost[0], lost[-1]))
    assert found.unplaced == len(behind)
    assert len(list((target / "journal").glob("*.unplaced"))) == 1
    assert_has(kiosk, elsewhere, target, events)


def test_the_event_of_a_restore_says_from_what_and_what_is_missing(
    kiosk: Kiosk, elsewhere: FakeKeystore
) -> None:
    made = backed_up(kiosk)
    found, target = brought_back(kiosk, elsewhere, made.path)
    till = opened(kiosk, elsewhere, target)
    with till.context.read() as conn:
        row = rows.event_by_seq(conn, found.last_seq + 1)
    till.close()
    assert row is not None
    assert posting.event_of(row).doc == {
        "from": {"name": made.name, "events": made.seq, "head": made.head.hex()},
        "replayed": 0, "missing": None, "unplaced": 0, "close": 0, "receipt": 11, "restores": 1,
    }  # fmt: skip


def test_members_whose_names_were_in_a_profile_file_that_is_lost_are_counted(
    kiosk: Kiosk, elsewhere: FakeKeystore, tmp_path: Path
) -> None:
    made = backed_up(kiosk)
    kiosk.enrol(ProfileInput("Bob Lee", "13900001235"))
    newer = Path(shutil.copytree(kiosk.folder / "journal", tmp_path / "only" / "journal"))
    found, _ = brought_back(kiosk, elsewhere, made.path, journal=newer)
    assert found.nameless == 1


# Older than what lies beside ------------------------------------------------------------------------


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


def test_what_a_killed_restore_left_is_removed_but_not_under_somebodys_hands(
    kiosk: Kiosk, elsewhere: FakeKeystore
) -> None:
    made = backed_up(kiosk)
    prepared = restore.prepare(
        Place(made.path, kiosk.folder.with_name("back")), PASSPHRASE,
        find_keystore=elsewhere, clock=kiosk.clock, offset_min=lambda: OFFSET_MIN,
    )  # fmt: skip
    theirs = kiosk.folder.with_name(".theirs.restoring")
    theirs.mkdir()
    restore.sweep_beside(kiosk.folder)
    assert prepared.work.exists(), "somebody reads what it would bring back"
    with pytest.raises(Unavailable) as second:
        restore.prepare(Place(made.path, prepared.target), PASSPHRASE, find_keystore=elsewhere)
    assert second.value.code is Outage.STORE_IN_USE
    prepared.lock.release()  # as the system does when the process is killed
    restore.sweep_beside(kiosk.folder)
    assert not prepared.work.exists()
    assert theirs.exists()
    assert beside(kiosk) == [".theirs.restoring"]


def test_a_lock_that_a_killed_restore_left_alone_is_removed(kiosk: Kiosk) -> None:
    """It died between its lock and its first file."""
    left = kiosk.folder.with_name(".back.restoring.lock")
    left.touch()
    restore.sweep_beside(kiosk.folder)
    assert not left.exists()


def beside(kiosk: Kiosk) -> list[str]:
    """What is hidden beside the store."""
    return sorted(path.name for path in kiosk.folder.parent.glob(".*"))


# What is refused ------------------------------------------------------------------------------------


def test_nothing_is_restored_over_a_store(kiosk: Kiosk, elsewhere: FakeKeystore) -> None:
    made = backed_up(kiosk)
    place = Place(made.path, kiosk.folder)
    with pytest.raises(Unavailable) as caught:
        restore.restore(place, PASSPHRASE, find_keystore=elsewhere)
    assert caught.value.code is Outage.STORE_EXISTS


@pytest.mark.parametrize("name", ["regulars.db", "keyslots.json", "manifest.json"])
def test_a_backup_that_is_not_whole_leaves_the_folder_empty(
    kiosk: Kiosk, elsewhere: FakeKeystore, name: str
) -> None:
    made = backed_up(kiosk)
    flip(made.path / name, 30)
    with pytest.raises(Unavailable) as caught:
        brought_back(kiosk, elsewhere, made.path)
    assert caught.value.code is Outage.BACKUP_UNSOUND
    assert not kiosk.folder.with_name("back").exists()
    assert beside(kiosk) == []


def test_a_wrong_passphrase_leaves_nothing(kiosk: Kiosk, elsewhere: FakeKeystore) -> None:
    made = backed_up(kiosk)
    target = kiosk.folder.with_name("back")
    with pytest.raises(Unavailable) as caught:
        restore.restore(Place(made.path, target), "not the one at all", find_keystore=elsewhere)
    assert caught.value.code is Outage.PASSPHRASE_WRONG
    assert not target.exists()


def test_the_journal_of_a_till_that_went_on_elsewhere_is_refused(
    kiosk: Kiosk, tmp_path: Path
) -> None:
    kiosk.close()
    twin = Kiosk(
        Path(shutil.copytree(kiosk.folder, tmp_path / "twin")), kiosk.template, kiosk.clock
    )
    twin.quote_and_sell(100)
    twin.close()
    kiosk.open()
    kiosk.quote_and_sell(200)
    later = make(kiosk.ctx)
    with pytest.raises(Unavailable) as caught:
        brought_back(kiosk, kiosk.template.keystore, later.path, journal=twin.folder / "journal")
    assert caught.value.code is Outage.JOURNAL_CONFLICT


# As programs ----------------------------------------------------------------------------------------


def program(kiosk: Kiosk, *arguments: str) -> subprocess.CompletedProcess[str]:
    kiosk.close()
    return subprocess.run(
        [sys.executable, "-m", "ui", "--language", "en", *arguments],
        check=False, capture_output=True, text=True, timeout=120,
        env={**os.environ, "REGULARS_PASSPHRASE": PASSPHRASE, "DBUS_SESSION_BUS_ADDRESS": ""},
    )  # fmt: skip


def test_the_programs_back_up_and_restore_a_till(kiosk: Kiosk, tmp_path: Path) -> None:
    kiosk.busy_morning()
    stick = tmp_path / "stick"
    stick.mkdir()
    events = len(kiosk.events())
    done = program(kiosk, "backup", "--store", str(kiosk.folder), "--to", str(stick))
    assert done.returncode == 0, done.stderr
    assert f"Opened and checked: {events} events." in done.stdout
    done = program(kiosk, "restore", "--from", str(stick))
    assert done.returncode == 0, done.stderr
    (made,) = stick.iterdir()
    assert done.stdout.splitlines()[0] == f"Backups in {stick}, newest first:"
    line = done.stdout.splitlines()[1]
    assert line.startswith(f"*  {made.name}  ")
    assert line.endswith("  proposed")
    back = str(tmp_path / "back")
    done = program(
        kiosk, "restore", "--from", str(stick), "--to", back,
        "--journal", str(kiosk.folder / "journal"),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert line in done.stdout, "the same list before it goes on"
    assert f"events 1 to {events}" in done.stdout
    assert f"From the journal: events {events + 1} to {events + 1}" in done.stdout
    done = program(kiosk, "verify", "--store", back)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_journal_that_is_not_there_is_not_passed_over(kiosk: Kiosk, tmp_path: Path) -> None:
    """Without its journal the newest sales would be left out in silence."""
    kiosk.busy_morning()
    make(kiosk.ctx)
    done = program(
        kiosk, "restore", "--from", str(kiosk.folder / "backups"), "--to", str(tmp_path / "back"),
        "--journal", str(tmp_path / "typo"),
    )  # fmt: skip
    assert done.returncode == 4
    assert str(tmp_path / "typo") in done.stderr
    assert not (tmp_path / "back").exists()


def test_the_program_says_what_is_in_the_way(kiosk: Kiosk, tmp_path: Path) -> None:
    done = program(kiosk, "restore", "--from", str(tmp_path), "--to", str(tmp_path / "back"))
    assert done.returncode == 4
    assert "backup_unsound" in done.stderr
    away = str(tmp_path / "no stick")
    done = program(kiosk, "restore", "--from", away, "--to", str(tmp_path / "back"))
    assert done.returncode == 4
    assert "backup_folder_gone" in done.stderr
