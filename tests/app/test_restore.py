"""The restore drill: a till back in an empty folder, to the last event or to a word about what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from app import posting, restore
from app.backup import make
from app.domain.errors import Outage, Unavailable
from app.restore import Place
from app.settings import load
from app.usecases.enrol import ProfileInput
from app.usecases.sell import sell
from app.usecases.verify import verify
from db import people, rows
from tests.app.bringing_back import assert_has, backed_up, brought_back, elsewhere, opened
from tests.app.kiosk import OFFSET_MIN, PASSPHRASE, Kiosk, sale_command
from tests.app.mending import flip
from tests.keys.conftest import FakeKeystore

__all__ = ["elsewhere"]


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


# What a killed one left ----------------------------------------------------------------------------


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
