"""Which backups go with time, and that nothing of one stays half."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app import backup
from app.backup import listed, thin_out
from app.settings import BackupSettings
from tests.app.kiosk import Kiosk
from tests.app.test_backup import note, noted
from tests.fakes import make_shop

OURS, THEIRS = b"our till's own id", b"another till's id"


def lay(
    folder: Path, till: str, device: bytes | None, at: datetime, seq: int, *, restores: int = 0
) -> Path:
    """A backup as far as its name and manifest tell; `device` None: the manifest is gone."""
    path = folder / f"{till}-{at:%Y%m%dT%H%M%SZ}-{seq:09d}"
    path.mkdir()
    if device is not None:
        plain = {
            "tenant": "", "device": device.hex(), "epoch": 0, "store": "S1", "till": till,
            "made_at_us": 0, "schema": 1, "seq": seq, "head": "", "files": {},
        }  # fmt: skip
        if restores:
            plain["restores"] = restores
        sealed = json.dumps({"manifest": plain, "seal": ""})
        (path / backup.MANIFEST).write_text(sealed, encoding="utf-8")
    return path


def test_old_backups_go_but_for_24_newest_14_days_and_8_weeks(tmp_path: Path) -> None:
    newest = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    for hours in range(24 * 80):
        lay(tmp_path, "01", OURS, newest - timedelta(hours=hours), 9000 - hours)
    (tmp_path / "somebody's photos").mkdir()
    thin_out(tmp_path, OURS)
    left = [backup.made_at(path) for path in listed(tmp_path)]
    assert left[:24] == [newest - timedelta(hours=h) for h in range(24)]
    assert len({at.date() for at in left if newest - at < timedelta(days=14)}) == 14
    assert len({at.isocalendar()[:2] for at in left}) == 8
    assert len(left) == 24 + 12 + 5
    assert (tmp_path / "somebody's photos").exists()


def test_a_clock_that_was_ahead_for_weeks_makes_no_backup_go_that_was_made_since(
    tmp_path: Path,
) -> None:
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    ahead = now + timedelta(days=365)
    for days in range(70):
        lay(tmp_path, "01", OURS, ahead + timedelta(days=days), 100 + days)
    fresh = [lay(tmp_path, "01", OURS, now + timedelta(hours=h), 1000 + h) for h in range(30)]
    thin_out(tmp_path, OURS)
    assert all(path.exists() for path in fresh[-24:])


def test_a_till_that_went_back_to_an_older_state_keeps_what_it_made_since(tmp_path: Path) -> None:
    """It counts its events on from there: those that it had given up have higher numbers."""
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    for hours in range(40):
        lay(tmp_path, "01", OURS, now + timedelta(hours=hours), 9000 + hours)
    later = now + timedelta(hours=41)
    fresh = [
        lay(tmp_path, "01", OURS, later + timedelta(hours=h), 500 + h, restores=1)
        for h in range(30)
    ]
    thin_out(tmp_path, OURS)
    assert all(path.exists() for path in fresh[-24:])


def test_a_thinning_out_that_is_killed_leaves_no_half_backup_and_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    for hours in range(26):
        lay(tmp_path, "01", OURS, newest - timedelta(hours=hours), 9000 - hours)

    def killed(path: Path) -> None:
        (path / backup.MANIFEST).unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            thin_out(tmp_path, OURS)
    left = listed(tmp_path)
    assert len(left) >= 24
    assert all(backup.read_manifest(path).device == OURS.hex() for path in left)
    thin_out(tmp_path, OURS)
    assert sorted(tmp_path.iterdir()) == sorted(listed(tmp_path))


def test_the_backup_that_was_just_made_stays_whatever_the_others_say(kiosk: Kiosk) -> None:
    for days in range(60):
        at = kiosk.clock.now + timedelta(days=days)
        kiosk.folder.joinpath("backups").mkdir(exist_ok=True)
        lay(kiosk.folder / "backups", "01", kiosk.ctx.till.device, at, 9000 + days, restores=1)
    assert noted(kiosk).path.exists()


def test_a_till_leaves_the_backups_of_others_and_of_nobody_known(tmp_path: Path) -> None:
    newest = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    long_ago = newest - timedelta(days=100)
    others = [lay(tmp_path, "02", THEIRS, long_ago + timedelta(hours=h), h) for h in range(30)]
    same_code = lay(tmp_path, "01", THEIRS, long_ago, 7)
    nobodys = lay(tmp_path, "01", None, long_ago, 8)
    torn = lay(tmp_path, "01", OURS, long_ago, 9)
    (torn / backup.MANIFEST).write_text("{")
    ours = [lay(tmp_path, "01", OURS, newest - timedelta(hours=h), 9000 - h) for h in range(30)]
    gone = thin_out(tmp_path, OURS)
    assert gone
    assert set(gone) <= {path.name for path in ours[24:]}
    assert all(path.exists() for path in [*others, same_code, nobodys, torn])


def test_two_tills_of_one_folder_leave_each_others_backups(kiosk: Kiosk, tmp_path: Path) -> None:
    shop, stick = make_shop(tmp_path / "other"), tmp_path / "stick"
    stick.mkdir()
    for ctx in (kiosk.ctx, shop.till.context):
        ctx.keep_settings(replace(ctx.settings, backup=BackupSettings(str(stick))))
    theirs = note(shop.till.context).path
    being_made = stick / f".partial-01-{shop.till.context.till.device.hex()}"
    being_made.mkdir()
    for _ in range(40):
        kiosk.clock.now += timedelta(days=3)
        lay(stick, "01", kiosk.ctx.till.device, kiosk.clock.now, 1)
    noted(kiosk)
    shop.till.close()
    assert theirs.exists()
    assert being_made.exists()
    assert len(listed(stick)) == 1 + 24
