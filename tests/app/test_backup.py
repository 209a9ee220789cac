"""Backups of a real store: whole, opened before they count; and what they make superfluous."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app import backup, posting
from app.backup import (
    Backup,
    BadBackup,
    check_files,
    check_seal,
    folder_of,
    listed,
    make,
    read_manifest,
)
from app.context import Context
from app.domain.errors import Outage, Unavailable
from app.keyslots.document import decode
from app.percent import Percent
from app.queries.attention import needs
from app.settings import BackupSettings
from app.usecases.back_up import NoteBackup, backup_age, backup_alarm, backup_due, note_backup
from app.usecases.enrol import ProfileInput
from db import rows
from db.backup import Stop, check_copy, copy_into
from db.connection import Key, connect
from tests.app.kiosk import Kiosk
from tests.app.mending import flip


def noted(kiosk: Kiosk) -> Backup:
    return note(kiosk.ctx)


def note(ctx: Context) -> Backup:
    return note_backup(ctx, NoteBackup(ctx.ids(), make(ctx))).result


def names(path: Path) -> list[str]:
    return sorted(str(each.relative_to(path)) for each in path.rglob("*") if each.is_file())


# Making -------------------------------------------------------------------------------------------


def test_a_backup_holds_the_store_its_journal_its_slots_and_its_settings(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    head = kiosk.events()[-1]
    made = make(kiosk.ctx)
    assert (made.seq, made.head) == (head.seq, head.hash)
    assert made.path.parent == kiosk.folder / "backups"
    journal = f"journal/{kiosk.journal_files()[-1].name}"
    assert names(made.path) == [
        journal, "keyslots.json", "manifest.json", "regulars.db", "settings.toml",
    ]  # fmt: skip
    manifest = check_seal(made.path, kiosk.ctx.data_key)
    check_files(made.path, manifest)
    assert (manifest.seq, manifest.head) == (head.seq, head.hash.hex())
    copy = connect(made.path / "regulars.db", kiosk.ctx.store.key, cache_kib=1024, writer=False)
    try:
        assert rows.head(copy) == (head.seq, head.hash)
    finally:
        copy.close()


def test_the_slots_of_a_backup_are_of_use_only_to_who_has_the_passphrase(kiosk: Kiosk) -> None:
    assert decode((kiosk.folder / "keyslots.json").read_bytes()).os is not None
    made = make(kiosk.ctx)
    assert decode((made.path / "keyslots.json").read_bytes()).os is None


def test_nothing_in_a_backup_can_be_read_without_the_key(kiosk: Kiosk) -> None:
    kiosk.enrol(ProfileInput("Xenia Quartz", "13912345678"))
    made = make(kiosk.ctx)
    blobs = [(made.path / name).read_bytes() for name in names(made.path)]
    for text in (b"Xenia", b"13912345678", kiosk.ctx.data_key, kiosk.ctx.data_key.hex().encode()):
        assert not any(text in blob for blob in blobs)


def test_the_counter_sells_while_a_backup_is_made(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold: list[int] = []
    real = check_copy

    def sell_first(*args: object, **more: object) -> tuple[int, bytes]:
        sold.append(kiosk.quote_and_sell().result.seq)
        return real(*args, **more)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr("app.backup.check_copy", sell_first)
    made: list[Backup] = []
    thread = threading.Thread(target=lambda: made.append(make(kiosk.ctx)))
    thread.start()
    thread.join()
    assert made[0].seq == sold[0] - 1


def test_a_copy_that_cannot_be_opened_does_not_count(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = copy_into

    def spoilt(path: Path, key: Key, target: Path, *rest: Any) -> tuple[int, bytes]:
        head = real(path, key, target, *rest)
        flip(target, 4096 * 3 + 100)
        return head

    monkeypatch.setattr("app.backup.copy_into", spoilt)
    with pytest.raises(Unavailable) as caught:
        make(kiosk.ctx)
    assert caught.value.code is Outage.BACKUP_FAILED
    assert list((kiosk.folder / "backups").iterdir()) == []


def test_a_copy_with_a_wrong_balance_does_not_count(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    with kiosk.ctx.write_rows() as conn:
        conn.execute("UPDATE member_state SET points = points + 1")
    with pytest.raises(Unavailable) as caught:
        make(kiosk.ctx)
    assert "not the fold" in str(caught.value.facts["why"])


def test_a_stick_that_was_pulled_is_named_and_no_folder_is_made_in_its_place(
    kiosk: Kiosk, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    kiosk.ctx.keep_settings(replace(kiosk.ctx.settings, backup=BackupSettings(str(stick))))
    with pytest.raises(Unavailable) as caught:
        make(kiosk.ctx)
    assert caught.value.code is Outage.BACKUP_FOLDER_GONE
    assert not stick.exists()
    stick.mkdir()
    assert make(kiosk.ctx).path.parent == stick


def test_a_copy_on_the_stores_own_disk_leaves_the_room_that_the_counter_sells_with(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.quote_and_sell()
    usage = shutil.disk_usage(kiosk.folder)
    needed = kiosk.database.stat().st_size + kiosk.log.stat().st_size
    room = needed + backup.ROOM_LEFT
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage._replace(free=room - 1))
    with pytest.raises(Unavailable) as caught:
        make(kiosk.ctx)
    assert caught.value.code is Outage.BACKUP_FAILED
    assert not listed(folder_of(kiosk.ctx))
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage._replace(free=room))
    assert make(kiosk.ctx).path.exists()


def test_a_backup_that_is_called_off_leaves_nothing(kiosk: Kiosk) -> None:
    stop = Stop()
    stop()
    with pytest.raises(Unavailable):
        make(kiosk.ctx, stop)
    assert list((kiosk.folder / "backups").iterdir()) == []


def test_what_a_crash_left_half_made_is_no_backup_and_goes_with_the_next(kiosk: Kiosk) -> None:
    half = kiosk.folder / "backups" / f".partial-01-{kiosk.ctx.till.device.hex()}"
    half.mkdir(parents=True)
    (half / "regulars.db").write_bytes(b"half")
    assert listed(half.parent) == ()
    made = make(kiosk.ctx)
    assert listed(half.parent) == (made.path,)
    assert not half.exists()


# Proving ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["regulars.db", "keyslots.json", "settings.toml"])
def test_a_flipped_byte_in_any_file_is_found(kiosk: Kiosk, name: str) -> None:
    made = make(kiosk.ctx)
    flip(made.path / name, 20)
    with pytest.raises(BadBackup, match=name):
        check_files(made.path, read_manifest(made.path))


def test_a_manifest_written_by_somebody_else_is_refused(kiosk: Kiosk) -> None:
    made = make(kiosk.ctx)
    path = made.path / "manifest.json"
    plain = json.loads(path.read_bytes())
    plain["manifest"]["seq"] += 1
    path.write_text(json.dumps(plain))
    with pytest.raises(BadBackup, match="not sealed by this till"):
        check_seal(made.path, kiosk.ctx.data_key)


# What it means ------------------------------------------------------------------------------------


def test_a_backup_is_an_event_with_its_name_and_digest(kiosk: Kiosk) -> None:
    made = noted(kiosk)
    with kiosk.ctx.read() as conn:
        row = rows.last_backup(conn)
    assert row is not None
    assert posting.event_of(row).doc == {
        "name": made.name, "sha256": made.sha256.hex(), "events": made.seq,
        "head": made.head.hex(), "opened": 1,
    }  # fmt: skip


def test_the_profile_file_keeps_only_what_the_backup_does_not_have(kiosk: Kiosk) -> None:
    kiosk.enrol(ProfileInput("Ada Byron", "13900001234"))
    assert kiosk.ctx.profiles.cells()
    made = make(kiosk.ctx)
    later = kiosk.enrol(ProfileInput("Bob Lee", "13900001235")).result
    note_backup(kiosk.ctx, NoteBackup(kiosk.ctx.ids(), made))
    cells = [json.loads(cell) for _, cell in kiosk.ctx.profiles.cells()]
    assert {cell["member_id"] for cell in cells} == {later.member_id.hex()}


def test_the_profile_file_stays_while_a_reader_keeps_the_log_from_the_file(kiosk: Kiosk) -> None:
    """Its cells are then the only copy beside a log that can be lost."""
    with kiosk.ctx.read() as conn:
        conn.execute("SELECT count(*) FROM event").fetchone()
        done = threading.Thread(target=lambda: _enrol_and_note(kiosk))
        done.start()
        done.join()
    assert kiosk.ctx.profiles.cells()
    noted(kiosk)
    assert kiosk.ctx.profiles.cells() == []


def _enrol_and_note(kiosk: Kiosk) -> None:
    made = make(kiosk.ctx)
    with kiosk.ctx.write_rows() as conn:
        rows.set_meta(conn, "x", "y")
    note_backup(kiosk.ctx, NoteBackup(kiosk.ctx.ids(), made))


def test_no_backup_or_one_older_than_a_day_is_an_alarm(kiosk: Kiosk) -> None:
    assert backup_age(kiosk.ctx) is None
    assert backup_alarm(kiosk.ctx) == "backup_none"
    noted(kiosk)
    assert backup_alarm(kiosk.ctx) == ""
    kiosk.clock.now += timedelta(hours=24, minutes=1)
    assert backup_alarm(kiosk.ctx) == "backup_stale"


def test_the_next_one_is_due_after_an_hour_and_only_when_something_happened(kiosk: Kiosk) -> None:
    assert backup_due(kiosk.ctx)
    noted(kiosk)
    kiosk.clock.now += timedelta(hours=2)
    assert not backup_due(kiosk.ctx)
    kiosk.quote_and_sell()
    assert backup_due(kiosk.ctx)
    noted(kiosk)
    kiosk.quote_and_sell()
    assert not backup_due(kiosk.ctx)


def test_a_backup_of_a_clock_that_was_ahead_silences_neither_the_next_nor_the_alarm(
    kiosk: Kiosk,
) -> None:
    kiosk.clock.now += timedelta(days=400)
    noted(kiosk)
    kiosk.clock.now -= timedelta(days=400)
    kiosk.quote_and_sell()
    assert backup_due(kiosk.ctx)
    assert backup_alarm(kiosk.ctx) == "backup_stale"
    assert "backup" in [need.kind for need in needs(kiosk.ctx)]
    noted(kiosk)
    kiosk.quote_and_sell()
    assert not backup_due(kiosk.ctx)
    assert backup_alarm(kiosk.ctx) == ""


def test_a_clock_that_is_put_right_by_minutes_raises_no_alarm(kiosk: Kiosk) -> None:
    noted(kiosk)
    kiosk.clock.now -= timedelta(minutes=20)
    assert backup_alarm(kiosk.ctx) == ""


def kinds(kiosk: Kiosk) -> list[tuple[str, str]]:
    return [(need.kind, need.code) for need in needs(kiosk.ctx)]


def test_a_backup_that_grew_old_needs_a_hand(kiosk: Kiosk) -> None:
    noted(kiosk)
    assert kinds(kiosk) == []
    kiosk.clock.now += timedelta(hours=24, minutes=1)
    assert ("backup", "backup_stale") in kinds(kiosk)


def test_a_day_after_set_up_backups_on_the_tills_own_disk_need_a_hand(
    kiosk: Kiosk, tmp_path: Path
) -> None:
    kiosk.clock.now += timedelta(hours=24, minutes=1)
    noted(kiosk)
    assert kinds(kiosk) == [("beside", "")]
    settings = kiosk.ctx.settings
    kiosk.ctx.settings = replace(settings, backup=replace(settings.backup, folder=str(tmp_path)))
    assert kinds(kiosk) == []


@pytest.mark.parametrize("unreal", ["demo", "training"])
def test_a_store_to_play_in_needs_no_other_disk(kiosk: Kiosk, unreal: str) -> None:
    kiosk.clock.now += timedelta(hours=24, minutes=1)
    noted(kiosk)
    with kiosk.ctx.write_rows() as conn:
        rows.set_meta(conn, unreal, "1")
    assert kinds(kiosk) == []


def test_a_backup_tells_how_far_it_is_upwards_to_a_hundred(kiosk: Kiosk) -> None:
    told: list[int] = []
    make(kiosk.ctx, progress=Percent(told.append))
    assert told == sorted(set(told))
    assert told[-1] == 100
    assert len(told) > 2, "the copy and the walk are told on their way"


def test_two_backups_within_a_second_have_two_names(kiosk: Kiosk) -> None:
    first, second = make(kiosk.ctx), make(kiosk.ctx)
    assert first.seq == second.seq
    assert first.path != second.path
    assert {path.name for path in listed(first.path.parent)} == {first.name, second.name}


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> int:
    """A copy of a small store goes to the disk in many parts; the bytes of one."""
    most = 64 << 10
    monkeypatch.setattr("db.backup._SYNC_EVERY", most)
    monkeypatch.setattr("db.backup._LOOK_EVERY", 20)
    monkeypatch.setattr("db.backup.CACHE_KIB", 64)
    return most


def test_a_copy_goes_to_the_disk_bit_by_bit(
    kiosk: Kiosk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_steps: int
) -> None:
    kiosk.busy_morning()
    sizes = [0]
    sync = os.fsync

    def told(handle: int) -> None:
        sync(handle)
        sizes.append(os.fstat(handle).st_size)

    monkeypatch.setattr(os, "fsync", told)
    copy_into(kiosk.database, kiosk.ctx.store.key, tmp_path / "copy.db")
    steps = [after - before for before, after in itertools.pairwise(sizes)]
    assert len(steps) > 4
    assert max(steps) < 3 * small_steps


@pytest.mark.usefixtures("small_steps")
def test_a_disk_that_fails_amid_a_copy_is_named(
    kiosk: Kiosk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.busy_morning()

    def failing(handle: int) -> None:
        raise OSError(errno.EIO, "the stick was pulled")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="the stick was pulled"):
        copy_into(kiosk.database, kiosk.ctx.store.key, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.usefixtures("small_steps")
def test_a_copy_stands_still_while_a_command_is_under_way(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two files that are synced on one disk at once take both as long."""
    monkeypatch.setattr("app.context._GIVE_WAY_S", 30)
    kiosk.busy_morning()
    copying = threading.Thread(target=backup.make, args=[kiosk.ctx])
    with kiosk.ctx.write(kiosk.ctx.ids()):
        copying.start()
        copying.join(0.5)
        assert copying.is_alive()
    copying.join()
    assert len(listed(backup.folder_of(kiosk.ctx))) == 1
