"""The restore drill at the window, by keys alone: from a first start, and from a till that stays shut."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from app import restore
from app.backup import Backup, make
from app.build import open_till
from app.commands.set_up import default_store, free_folder
from app.domain.errors import Outage
from app.restore import Place, Prepared
from app.settings import Settings
from app.usecases.back_up import NoteBackup, note_backup
from app.usecases.verify import verify
from db import rows
from tests.app.mending import flip
from tests.ui.conftest import Rig, SteppedClock, make_kit
from tests.ui.flows.test_close_day import keep_picture
from tests.ui.keys import focus, press, write
from tests.ui.shop import PASSPHRASE, Clock, Shop, charge, sign_in_and_open
from ui.main_window import MainWindow
from ui.screens.first_start import FirstStart
from ui.screens.restore_page import RestorePage
from ui.tour.looks import faults
from ui.window import OneWindow


@dataclass
class Lost:
    """A till whose disk broke: a backup, newer sales in the journal, and where it shall come back."""

    shop: Shop
    backup: Backup
    last_seq: int
    last_slip: str
    target: Path
    window: MainWindow
    rig: Rig
    restored: list[Path]

    @property
    def page(self) -> RestorePage:
        page = self.window.pages.currentWidget()
        assert isinstance(page, RestorePage)
        return page

    def enter(self, *texts: str) -> None:
        """Into the fields one after another; what is there already goes."""
        for text in texts:
            here = focus()
            if text.isascii():
                write(text)
            else:
                assert isinstance(here, QLineEdit)
                here.setText(text)  # as an input method would
            press(Qt.Key.Key_Return)

    def choose(self, folder: Path) -> None:
        """Name the folder, and take the backup that is proposed."""
        self.enter(str(folder))
        self.rig.until(lambda: self.page.choice.has_list)
        assert focus() is self.page.choice.table
        press(Qt.Key.Key_Return)
        assert focus() is self.page.passphrase

    def looked(self) -> None:
        self.rig.until(lambda: not self.page.busy and self.page.facts.isVisible())

    def open_back(self) -> int:
        """The number of the last event of what came back, which verify finds whole."""
        till = open_till(self.target, find_keystore=self.shop.keystore, clock=Clock())
        try:
            assert verify(till.context).findings == []
            with till.context.read() as conn:
                head = rows.head(conn)
        finally:
            till.close()
        assert head is not None
        return head[0]


Make = Callable[[bool], Lost]


@pytest.fixture
def lost(
    qtbot: QtBot, qapp: QApplication, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    """`lost(True)`: the window finds nothing; `lost(False)`: it finds a damaged store."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    windows: list[MainWindow] = []

    def build(nothing_there: bool) -> Lost:
        till = shop.open()
        made = note_backup(till.context, NoteBackup(bytes(16), make(till.context))).result
        session = sign_in_and_open(till)
        charge(till, session, None, 12300)
        charge(till, session, None, 4500)
        with till.context.read() as conn:
            head, slip = rows.head(conn), rows.last_receipt(conn)
        assert head is not None
        assert slip is not None
        till.close()
        away = Path(shutil.copytree(shop.folder / "backups", tmp_path / "stick"))
        shutil.copytree(shop.folder / "journal", tmp_path / "old journal")
        folder = tmp_path / "empty" if nothing_there else shop.folder
        if not nothing_there:
            for at in range(0, (folder / "regulars.db").stat().st_size, 4096):
                flip(folder / "regulars.db", at + 100)
            shutil.rmtree(folder / "journal")
        target = free_folder(folder)

        def prepare(place: Place, passphrase: str, told: Callable[[int], None]) -> Prepared:
            return restore.prepare(
                place, passphrase, find_keystore=shop.keystore, clock=shop.clock,
                offset_min=lambda: 480, progress=lambda done, whole: told(done * 100 // whole),
            )  # fmt: skip

        def no_set_up(answers: object) -> object:
            raise AssertionError("nobody sets a new till up")

        stepped = SteppedClock()
        window = MainWindow(
            make_kit(qapp), Settings(),
            Shop(folder, shop.keystore, shop.clock).open_desk,
            set_up=(folder, no_set_up) if nothing_there else None,  # type: ignore[arg-type]  # raises
            restore=(target, prepare), clock=stepped,
        )  # fmt: skip
        windows.append(window)
        window.resize(1366, 768)
        window.show()
        qtbot.waitExposed(window)
        window.activateWindow()
        found: list[Path] = []
        window.restored.connect(found.append)
        del away
        rig = Rig(window, shop, qtbot, stepped)
        return Lost(shop, made, head[0], slip, target, window, rig, found)

    yield build
    for window in windows:
        window.close()
        window.deleteLater()
    qapp.setStyleSheet("")


def from_first_start(lost: Make) -> Lost:
    """A first start; Tab to "bring a till back", Enter."""
    new = lost(True)
    new.rig.until(lambda: isinstance(new.window.pages.currentWidget(), FirstStart))
    first = new.window.pages.currentWidget()
    assert isinstance(first, FirstStart)
    while focus() is not first.restore:
        press(Qt.Key.Key_Tab)
    press(Qt.Key.Key_Return)
    new.rig.until(lambda: isinstance(new.window.pages.currentWidget(), RestorePage))
    return new


def with_an_older_one(new: Lost, tmp_path: Path) -> str:
    """A backup of the day before beside the newest, sound as it is; its name."""
    newest = tmp_path / "stick" / new.backup.name
    till, at, seq = newest.name.rsplit("-", 2)
    made = datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) - timedelta(days=1)
    older = newest.with_name(f"{till}-{made:%Y%m%dT%H%M%SZ}-{int(seq) - 1:09d}")
    shutil.copytree(newest, older)
    manifest = older / "manifest.json"
    plain = json.loads(manifest.read_text())
    plain["manifest"]["seq"] -= 1
    plain["manifest"]["made_at_us"] = int(made.timestamp()) * 1_000_000
    manifest.write_text(json.dumps(plain))
    return older.name


def test_from_a_first_start_everything_comes_back_by_the_keyboard_alone(
    lost: Make, tmp_path: Path
) -> None:
    new = from_first_start(lost)
    assert faults(new.window) == []
    new.enter(str(tmp_path / "stick"))
    new.rig.until(lambda: new.page.choice.has_list)
    assert faults(new.window) == []
    keep_picture(new.rig, "restore_list")
    press(Qt.Key.Key_Return)
    new.enter(PASSPHRASE, str(tmp_path / "old journal"))
    assert faults(new.window) == []
    keep_picture(new.rig, "restore_ask")
    new.enter("")
    new.looked()
    said = new.page.facts.text()
    assert new.last_slip in said
    assert "南山海岸店 · 1 号柜" in said
    assert "UTC" not in said
    assert new.page.problem.property("tone") == "warn"
    assert not new.target.exists(), "nothing has taken its place yet"
    new.rig.until(lambda: faults(new.window) == [])  # once the new sentences are laid out
    keep_picture(new.rig, "restore_facts")
    press(Qt.Key.Key_Return)
    new.rig.until(new.target.exists)
    new.rig.until(lambda: not new.page.busy)
    assert faults(new.window) == []
    keep_picture(new.rig, "restore_done")
    press(Qt.Key.Key_Return)
    assert new.restored == [new.target]
    assert list(tmp_path.glob(".*restoring*")) == []
    assert new.open_back() >= new.last_seq + 1, "the restore is an event of its own"


def test_a_till_that_stays_shut_comes_back_beside_what_is_left_of_it(
    lost: Make, tmp_path: Path
) -> None:
    new = lost(False)
    sign_in = new.window.sign_in
    new.rig.until(sign_in.restore.isVisible)
    before = sorted(p.name for p in new.shop.folder.iterdir())
    assert faults(new.window) == []
    keep_picture(new.rig, "shut_with_restore")
    while focus() is not sign_in.restore:
        press(Qt.Key.Key_Tab)
    press(Qt.Key.Key_Return)
    new.rig.until(lambda: isinstance(new.window.pages.currentWidget(), RestorePage))
    new.choose(tmp_path / "stick")
    new.enter(PASSPHRASE, "", "")
    new.looked()
    assert new.last_slip not in new.page.facts.text(), "the newer sales were in the journal"
    press(Qt.Key.Key_Return)
    new.rig.until(new.target.exists)
    assert new.target != new.shop.folder
    assert sorted(p.name for p in new.shop.folder.iterdir()) == before


def test_a_place_where_something_lies_is_never_written_over(lost: Make, tmp_path: Path) -> None:
    new = from_first_start(lost)
    new.target.mkdir()
    theirs = new.target / "theirs.txt"
    theirs.write_text("not ours")
    new.choose(tmp_path / "stick")
    new.enter(PASSPHRASE, "", "")
    new.rig.until(lambda: new.page.problem.text() and not new.page.busy)
    assert theirs.read_text() == "not ours"
    assert list(new.target.iterdir()) == [theirs]
    assert new.page.fields.isVisible()


def test_what_comes_there_after_the_look_is_not_written_over_either(
    lost: Make, tmp_path: Path
) -> None:
    new = from_first_start(lost)
    new.choose(tmp_path / "stick")
    new.enter(PASSPHRASE, "", "")
    new.looked()
    new.target.mkdir()
    (new.target / "theirs.txt").write_text("not ours")
    press(Qt.Key.Key_Return)
    new.rig.until(lambda: not new.page.busy)
    assert [p.name for p in new.target.iterdir()] == ["theirs.txt"]
    assert new.restored == []


def test_a_wrong_passphrase_says_so_and_leaves_nothing(lost: Make, tmp_path: Path) -> None:
    new = from_first_start(lost)
    new.choose(tmp_path / "stick")
    new.enter("not the passphrase at all", "", "")
    new.rig.until(lambda: "口令" in new.page.problem.text())
    assert not new.target.exists()
    assert list(tmp_path.glob(".*restoring*")) == []
    assert focus() is new.page.passphrase


def test_escape_gives_up_and_leaves_nothing(lost: Make, tmp_path: Path) -> None:
    new = from_first_start(lost)
    new.choose(tmp_path / "stick")
    new.enter(PASSPHRASE, "", "")
    new.looked()
    press(Qt.Key.Key_Escape)
    new.rig.until(lambda: not new.page.busy and new.page.fields.isVisible())
    assert list(tmp_path.glob(".*restoring*")) == []
    press(Qt.Key.Key_Escape)
    assert focus() is new.page.choice.table, "one step back: the list is still there"
    press(Qt.Key.Key_Escape)
    new.rig.until(lambda: isinstance(new.window.pages.currentWidget(), FirstStart))


def test_something_newer_beside_the_chosen_backup_is_told_in_red(
    lost: Make, tmp_path: Path
) -> None:
    new = from_first_start(lost)
    prepare = new.page._prepare

    def with_a_close(place: Place, passphrase: str, told: Callable[[int], None]) -> Prepared:
        made = prepare(place, passphrase, told)
        later = ("A1-Z000132-2026-11-21.json",)
        return replace(made, found=replace(made.found, newer=later, missing=(1904, 1911)))

    new.page._prepare = with_a_close
    new.choose(tmp_path / "stick")
    new.enter(PASSPHRASE, "", "")
    new.looked()
    assert "A1-Z000132-2026-11-21.json" in new.page.facts.text()
    assert new.page.problem.property("tone") == "danger"
    new.rig.until(lambda: faults(new.window) == [])  # once the new sentences are laid out


def test_a_window_that_is_closed_after_the_look_leaves_nothing(lost: Make, tmp_path: Path) -> None:
    new = from_first_start(lost)
    new.choose(tmp_path / "stick")
    new.enter(PASSPHRASE, "", "")
    new.looked()
    assert list(tmp_path.glob(".*restoring")) != []
    new.window.close()
    assert list(tmp_path.glob(".*restoring*")) == []


def test_a_window_that_is_closed_amid_the_look_leaves_nothing(lost: Make, tmp_path: Path) -> None:
    new = from_first_start(lost)
    new.choose(tmp_path / "stick")
    new.enter(PASSPHRASE, "", "")
    assert new.page.busy
    new.window.close()
    assert list(tmp_path.glob(".*restoring*")) == []


def test_a_folder_that_is_not_there_is_said_at_its_field(lost: Make, tmp_path: Path) -> None:
    new = from_first_start(lost)
    new.enter(str(tmp_path / "no such folder"))
    new.rig.until(lambda: "没有这个文件夹" in new.page.problem.text())
    assert focus() is new.page.choice.source
    assert not new.page.choice.table.isVisible()


def test_a_folder_without_a_backup_is_said_at_its_field(lost: Make, tmp_path: Path) -> None:
    new = from_first_start(lost)
    new.enter(str(tmp_path / "old journal"))
    new.rig.until(lambda: "没有备份" in new.page.problem.text())
    assert focus() is new.page.choice.source


def test_a_journal_that_is_not_there_is_said_at_its_field(lost: Make, tmp_path: Path) -> None:
    new = from_first_start(lost)
    new.choose(tmp_path / "stick")
    new.enter(PASSPHRASE, str(tmp_path / "no journal"), "")
    new.rig.until(lambda: not new.page.busy)
    assert "没有这个文件夹" in new.page.problem.text()
    assert focus() is new.page.journal
    assert list(tmp_path.glob(".*restoring*")) == []


def test_the_list_says_when_whose_and_how_large_and_proposes_the_newest(
    lost: Make, tmp_path: Path
) -> None:
    new = from_first_start(lost)
    with_an_older_one(new, tmp_path)
    new.enter(str(tmp_path / "stick"))
    new.rig.until(lambda: new.page.choice.has_list)
    listed = new.page.choice.rows
    newest, older = (listed.record(n) for n in (0, 1))
    assert newest is not None
    assert older is not None
    assert listed.rowCount() == 2
    assert newest.made_at > older.made_at
    made = f"{newest.made_at:%Y-%m-%d %H:%M}"
    size = listed.cells(newest)[2]
    assert listed.cells(newest) == (made, "南山海岸店 · 1 号柜", size, "建议用这份")
    assert size.endswith(("KB", "MB"))
    assert listed.cells(older)[3] == ""
    assert new.page.choice.table.currentIndex().row() == 0
    assert faults(new.window) == []


def test_down_and_enter_take_an_older_one(lost: Make, tmp_path: Path) -> None:
    new = from_first_start(lost)
    older = with_an_older_one(new, tmp_path)
    new.enter(str(tmp_path / "stick"))
    new.rig.until(lambda: new.page.choice.has_list)
    press(Qt.Key.Key_Down)
    press(Qt.Key.Key_Return)
    assert new.page._taken is not None
    assert new.page._taken.path.name == older
    assert "南山海岸店 · 1 号柜" in new.page.which.text()


def test_one_that_proves_not_to_be_whole_is_marked_and_the_next_one_proposed(
    lost: Make, tmp_path: Path
) -> None:
    new = from_first_start(lost)
    older = with_an_older_one(new, tmp_path)
    flip(tmp_path / "stick" / new.backup.name / "regulars.db", 5000)
    new.choose(tmp_path / "stick")
    new.enter(PASSPHRASE, "", "")
    new.rig.until(lambda: not new.page.busy)
    assert focus() is new.page.choice.table
    row = new.page.choice.rows.record(new.page.choice.table.currentIndex().row())
    assert row is not None
    assert (row.path.name, row.proposed) == (older, True)
    assert "不完整" in new.page.problem.text()
    press(Qt.Key.Key_Up)
    press(Qt.Key.Key_Return)
    assert new.page.choice.isVisible(), "what isn't whole can't be taken"


def test_another_folder_is_typed_and_the_old_list_goes(lost: Make, tmp_path: Path) -> None:
    new = from_first_start(lost)
    new.enter(str(tmp_path / "stick"))
    new.rig.until(lambda: new.page.choice.has_list)
    new.page.choice.source.setFocus()
    write("/")
    assert not new.page.choice.has_list
    assert not new.page.choice.table.isVisible()


def test_the_folder_is_not_looked_into_by_the_windows_thread(
    lost: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share that hangs would hang the window."""
    new = from_first_start(lost)
    looked: set[str] = set()
    is_dir = Path.is_dir

    def heard(path: Path) -> bool:
        if tmp_path in path.parents:
            looked.add(threading.current_thread().name)
        return is_dir(path)

    monkeypatch.setattr(Path, "is_dir", heard)
    new.choose(tmp_path / "stick")
    new.enter(PASSPHRASE, str(tmp_path / "old journal"), "")
    new.looked()
    assert looked
    assert threading.main_thread().name not in looked


def test_what_is_missing_is_said_with_its_numbers_before_anything_is_done(
    lost: Make, tmp_path: Path
) -> None:
    new = from_first_start(lost)
    prepare = new.page._prepare

    def with_a_gap(place: Place, passphrase: str, told: Callable[[int], None]) -> Prepared:
        made = prepare(place, passphrase, told)
        return replace(made, found=replace(made.found, missing=(1904, 1911), unplaced=6))

    new.page._prepare = with_a_gap
    new.choose(tmp_path / "stick")
    new.enter(PASSPHRASE, "", "")
    new.looked()
    assert "8 笔" in new.page.facts.text()
    assert "找不回来" in new.page.problem.text()
    assert new.page.problem.property("tone") == "danger"
    assert not new.target.exists()


def test_the_percents_go_upwards(lost: Make, tmp_path: Path) -> None:
    new = from_first_start(lost)
    heard: list[int] = []
    show = new.page._percent

    def hear(percent: int) -> None:
        heard.append(percent)
        show(percent)

    new.page._percent = hear  # type: ignore[method-assign]  # to hear what is shown
    new.choose(tmp_path / "stick")
    new.enter(PASSPHRASE, "", "")
    new.looked()
    assert heard == sorted(heard)
    assert heard[-1] == 100
    assert len(heard) > 3


def test_the_window_goes_on_with_the_till_that_came_back(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    one = OneWindow(qapp, tmp_path / "gone")
    shown: list[Path | None] = []
    monkeypatch.setattr(one, "show", lambda folder=None, passphrase=None: shown.append(one._live))
    one._use_restored(tmp_path / "back")
    assert shown == [tmp_path / "back"]
    assert default_store() == tmp_path / "back", "and at the next start too"


def test_every_outage_that_offers_a_restore_is_one_that_a_backup_mends() -> None:
    from ui.main_window import _MENDED_BY_BACKUP

    assert Outage.STORE_IN_USE not in _MENDED_BY_BACKUP
    assert Outage.STORE_FULL not in _MENDED_BY_BACKUP
    assert Outage.STORE_DAMAGED in _MENDED_BY_BACKUP
