"""What a folder of backups tells without the passphrase, and which one is proposed."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.backup import has_name, make
from app.domain.errors import Outage, Unavailable
from app.found_backups import find_backups, of_one_till, without
from tests.app.kiosk import Kiosk


@pytest.fixture
def two(kiosk: Kiosk) -> tuple[Path, Path]:
    """A backup and a newer one, in the store's own folder of backups."""
    kiosk.busy_morning()
    first = make(kiosk.ctx)
    kiosk.clock.now += timedelta(hours=1)
    kiosk.quote_and_sell()
    return first.path, make(kiosk.ctx).path


def another_till(backup: Path, *, till: str, name: str) -> Path:
    """The same backup as another till's."""
    copy = Path(shutil.copytree(backup, backup.with_name(name)))
    plain = json.loads((copy / "manifest.json").read_text())
    plain["manifest"]["till"], plain["manifest"]["device"] = till, "ab" * 16
    (copy / "manifest.json").write_text(json.dumps(plain))
    return copy


def test_a_backup_says_when_whose_how_far_and_how_large(
    kiosk: Kiosk, two: tuple[Path, Path]
) -> None:
    newest = find_backups(two[1].parent)[0]
    assert newest.path == two[1]
    assert newest.made_at == kiosk.clock.now.replace(microsecond=0)
    assert newest.reach == (0, len(kiosk.events()))
    assert newest.shop[2] == kiosk.ctx.till.store
    assert (newest.till, newest.device) == (kiosk.ctx.till.till, kiosk.ctx.till.device.hex())
    files = [each for each in two[1].rglob("*") if each.is_file()]
    assert newest.size_bytes == sum(os.path.getsize(each) for each in files)


def test_the_newest_comes_first_and_is_proposed(two: tuple[Path, Path]) -> None:
    found = find_backups(two[0].parent)
    assert [each.path for each in found] == [two[1], two[0]]
    assert [each.proposed for each in found] == [True, False]


@pytest.mark.parametrize("lost", ["manifest.json", "keyslots.json", "regulars.db"])
def test_one_that_lacks_a_file_is_listed_but_the_next_is_proposed(
    two: tuple[Path, Path], lost: str
) -> None:
    (two[1] / lost).unlink()
    found = find_backups(two[0].parent)
    assert [(each.path, each.whole, each.proposed) for each in found] == [
        (two[1], False, False), (two[0], True, True),
    ]  # fmt: skip


def test_a_copy_that_was_cut_short_is_seen(two: tuple[Path, Path]) -> None:
    os.truncate(two[1] / "regulars.db", 4096)
    assert [each.whole for each in find_backups(two[0].parent)] == [False, True]


def test_where_none_is_whole_none_is_proposed(two: tuple[Path, Path]) -> None:
    for each in two:
        (each / "regulars.db").unlink()
    assert not any(each.proposed for each in find_backups(two[0].parent))


def test_one_that_proved_damaged_makes_way_for_the_next(two: tuple[Path, Path]) -> None:
    found = without(find_backups(two[0].parent), two[1])
    assert [(each.whole, each.proposed) for each in found] == [(False, False), (True, True)]


def test_a_clock_that_went_back_does_not_make_an_older_state_the_proposed_one(
    kiosk: Kiosk, two: tuple[Path, Path]
) -> None:
    kiosk.clock.now -= timedelta(days=2)
    later = make(kiosk.ctx)
    found = find_backups(two[0].parent)
    assert found[-1].path == later.path, "the list goes by the time"
    assert [each.path for each in found if each.proposed] == [two[1]]
    kiosk.quote_and_sell()
    furthest = make(kiosk.ctx)
    found = find_backups(two[0].parent)
    assert [each.path for each in found if each.proposed] == [furthest.path]


def test_another_tills_backup_never_stands_in_for_a_damaged_one(two: tuple[Path, Path]) -> None:
    older = two[0].name.split("-", 1)[1]
    theirs = another_till(two[0], till="02", name=f"02-{older}")
    damaged = two[1] / "manifest.json"
    damaged.write_text("{")
    found = find_backups(two[0].parent)
    assert {each.path for each in found} == {two[0], two[1], theirs}
    mine = [replace(each, proposed=each.path == two[0]) for each in found]
    assert of_one_till(mine) == (two[1], two[0]), "the unreadable one by its name, theirs not"


def test_one_backup_is_a_list_of_one_under_whatever_name(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    renamed = Path(shutil.copytree(two[0], tmp_path / "the good one"))
    for path in (two[0], renamed):
        assert [(each.path, each.proposed) for each in find_backups(path)] == [(path, True)]


def test_backups_one_folder_down_are_found_and_shut_folders_passed_over(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(two[0].parent, tmp_path / "stick" / "regulars")
    (tmp_path / "stick" / "lost+found").mkdir()
    iterdir = Path.iterdir

    def shut(path: Path) -> object:
        if path.name == "lost+found":
            raise PermissionError
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", shut)
    found = find_backups(tmp_path / "stick")
    assert [each.path.name for each in found] == [two[1].name, two[0].name]


def test_a_backup_amid_its_making_is_none(two: tuple[Path, Path]) -> None:
    shutil.copytree(two[0], two[0].with_name(".partial-01"))
    assert len(find_backups(two[0].parent)) == 2


def test_a_folder_that_is_not_there_is_not_an_empty_one(tmp_path: Path) -> None:
    assert find_backups(tmp_path) == ()
    with pytest.raises(Unavailable) as caught:
        find_backups(tmp_path / "stick")
    assert caught.value.code is Outage.BACKUP_FOLDER_GONE


def test_settings_with_a_mistake_take_the_shops_name_only(two: tuple[Path, Path]) -> None:
    (two[1] / "settings.toml").write_text("scale_percent = 7\n")
    newest = find_backups(two[1].parent)[0]
    assert newest.shop[:2] == ("", "")
    assert newest.shop[2]


def test_a_folder_with_a_name_of_no_day_is_no_backup(two: tuple[Path, Path]) -> None:
    odd = two[0].with_name("01-20269999T999999Z-000000001")
    odd.mkdir()
    assert not has_name(odd)
    assert {each.path for each in find_backups(two[0].parent)} == set(two)
