"""The first start (issue 3 section 1): five steps from nothing to the open counter, by real keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.build import open_till
from app.commands.set_up import Answers, set_up
from app.settings import Settings, load
from tests.keys.conftest import FakeKeystore
from tests.ui.conftest import Rig, SteppedClock, make_kit
from tests.ui.flows.test_close_day import keep_picture
from tests.ui.keys import press, write
from tests.ui.shop import Clock, Shop
from ui.desk import Desk
from ui.dialogs.shift import OpenShift
from ui.dialogs.start_key import StartKeySheet
from ui.main_window import MainWindow
from ui.screens.first_start import FirstStart

PASSPHRASE = "seven green kettles on a tuesday"
PIN = "730186"


@dataclass
class NewShop:
    """An empty folder, and the window that finds nothing there."""

    rig: Rig
    folder: Path
    keystore: FakeKeystore

    @property
    def page(self) -> FirstStart:
        page = self.rig.window.pages.currentWidget()
        assert isinstance(page, FirstStart)
        return page

    def made(self) -> None:
        """Making a store derives keys: seconds where others use the machine."""
        window = self.rig.window
        self.rig.qtbot.waitUntil(
            lambda: window.shell is not None and window.pages.currentWidget() is window.shell,
            timeout=30_000,
        )

    def enter(self, *texts: str) -> None:
        for text in texts:
            if text:
                write(text)
            press(Qt.Key.Key_Return)


@pytest.fixture
def nothing_yet(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[NewShop]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    folder, keystore, clock = tmp_path / "store", FakeKeystore(), Clock()
    shop = Shop(folder, keystore, clock)

    def make(answers: Answers) -> Desk:
        return Desk(set_up(answers, find_keystore=keystore, clock=clock, offset_min=lambda: 480))

    stepped = SteppedClock()
    window = MainWindow(
        make_kit(qapp), Settings(), shop.open_desk, set_up=(folder, make), clock=stepped
    )
    window.resize(1366, 768)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    rig = Rig(window, shop, qtbot, stepped)
    rig.until(lambda: isinstance(window.pages.currentWidget(), FirstStart))
    yield NewShop(rig, folder, keystore)
    window.close()
    window.deleteLater()
    qapp.setStyleSheet("")


def to_the_owner(new: NewShop) -> None:
    new.enter("")
    new.enter("Harbour Tea", "", "7")
    new.enter("", "")
    new.enter(PASSPHRASE, PASSPHRASE)


def test_five_steps_end_in_the_open_counter(nothing_yet: NewShop) -> None:
    new = nothing_yet
    assert new.page.language.isVisible()
    to_the_owner(new)
    new.enter("WM", "Wang Min", PIN, PIN)
    new.made()
    sheet = new.rig.sheet(StartKeySheet)
    write(sheet.lines[-1])
    press(Qt.Key.Key_Return)
    new.rig.until(lambda: isinstance(new.rig.top, OpenShift))
    new.rig.open_shift("300")
    shell = new.rig.shell
    assert shell.staff is not None
    assert (shell.staff.initials, shell.staff.role) == ("wm", "manager")
    assert (shell.till.store, shell.till.till, shell.till.demo) == ("Harbour Tea", "07", False)
    new.rig.amount("12.5")
    new.rig.open_pay()
    press(Qt.Key.Key_Return)
    new.rig.until(lambda: new.rig.counter.charging.last_sale is not None)


def test_the_language_is_spoken_at_once_and_kept(nothing_yet: NewShop) -> None:
    new = nothing_yet
    press(Qt.Key.Key_Right)
    new.rig.until(lambda: new.page._title.text() == "Welcome")
    to_the_owner(new)
    new.enter("wm", "Wang Min", PIN, PIN)
    new.made()
    assert load(new.folder).language == "en"


def test_escape_goes_a_step_back_and_keeps_what_was_typed(nothing_yet: NewShop) -> None:
    new = nothing_yet
    new.enter("", "Harbour Tea", "", "")
    assert new.page.steps.currentIndex() == 2
    press(Qt.Key.Key_Escape)
    assert new.page.shop.hasFocus()
    assert new.page.shop.text() == "Harbour Tea"


def test_a_weak_or_mistyped_passphrase_goes_no_further(nothing_yet: NewShop) -> None:
    new = nothing_yet
    new.enter("", "Harbour Tea", "", "", "", "")
    for first, second, said in (
        ("short", "short", "至少 12 个字符"),
        ("passwordpassword", "passwordpassword", "容易猜到"),
        (PASSPHRASE, PASSPHRASE + "s", "两次口令不同"),
    ):
        new.page.passphrase.setText(first)
        new.page.passphrase_again.setText(second)
        new.page.step_on()
        assert said in new.page.problem.text()
        assert new.page.steps.currentIndex() == 3


def test_a_pin_that_is_easy_to_guess_makes_no_store(nothing_yet: NewShop) -> None:
    new = nothing_yet
    to_the_owner(new)
    new.enter("wm", "Wang Min", "123456", "123456")
    new.rig.until(lambda: "太容易" in new.page.problem.text() or "猜" in new.page.problem.text())
    assert not new.folder.exists()
    new.page.pin.setText(PIN)
    new.page.pin_again.setText(PIN)
    new.page.step_on()
    new.made()


def test_the_store_opens_again_by_key_store_and_by_passphrase(nothing_yet: NewShop) -> None:
    new = nothing_yet
    to_the_owner(new)
    new.enter("wm", "Wang Min", PIN, PIN)
    new.made()
    new.rig.settle()
    new.rig.window.close()
    open_till(new.folder, find_keystore=new.keystore).close()
    open_till(new.folder, passphrase=PASSPHRASE, find_keystore=new.keystore).close()


def test_the_key_for_the_safe_is_shown_once_at_the_end_and_may_wait(nothing_yet: NewShop) -> None:
    new = nothing_yet
    to_the_owner(new)
    new.enter("wm", "Wang Min", PIN, PIN)
    new.made()
    new.rig.sheet(StartKeySheet)
    assert new.rig.faults() == []
    keep_picture(new.rig, "start_key")
    press(Qt.Key.Key_Escape)
    new.rig.until(lambda: isinstance(new.rig.top, OpenShift))
    new.rig.open_shift("300")
    new.rig.window.lock()
    new.rig.sign_in("wm", PIN)
    new.rig.settle()
    assert new.rig.top is None, "a later sign-in doesn't bring it up"
    new.rig.act("my")
    new.rig.sheet(StartKeySheet)
