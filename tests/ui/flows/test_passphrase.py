"""The passphrase at the sign-in: a wrong one is waited out, second by second, and the right one opens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.build import open_till
from app.commands.demo_data import no_keystore
from app.settings import load
from tests.flows.test_wrong_passphrase import wait_is_over
from tests.ui.conftest import make_kit
from tests.ui.keys import press, write
from tests.ui.shop import PASSPHRASE, Shop
from ui.desk import Desk
from ui.dialogs.staff import ForgottenPin
from ui.main_window import MainWindow


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, shop: Shop) -> Iterator[MainWindow]:
    """A window that asks for the passphrase: no key store answers."""

    def open_desk(typed: str | None, told: Callable[[int], None]) -> Desk:
        return Desk(
            open_till(
                shop.folder, passphrase=typed, find_keystore=no_keystore, clock=shop.clock,
                offset_min=lambda: 480,
            )
        )  # fmt: skip

    window = MainWindow(make_kit(qapp, language="en"), load(shop.folder), open_desk)
    window.resize(1366, 768)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(window.sign_in.passphrase.isVisible, timeout=30_000)
    # Its seconds are counted by the tests: a slow computer would skip what they look at.
    window.sign_in._second.setInterval(3_600_000)
    yield window
    window.close()
    window.deleteLater()


def says(window: MainWindow, sentence: str) -> bool:
    return window.sign_in._said.text() == sentence


def test_a_wrong_passphrase_counts_down_and_the_right_one_opens(
    window: MainWindow, qtbot: QtBot, shop: Shop
) -> None:
    for wait_s in (1, 2):
        write("not the passphrase at all")
        press(Qt.Key.Key_Return)
        for left_s in range(wait_s, 0, -1):
            wrong = f"Wrong passphrase. Try again in {left_s} s."
            qtbot.waitUntil(partial(says, window, wrong), timeout=30_000)
            window.sign_in._count_down()
        assert says(window, "You can try again now.")
        wait_is_over(shop.folder)
    window.sign_in.passphrase.setText(PASSPHRASE)
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.desk is not None, timeout=30_000)


def test_enter_is_not_taken_before_the_wait_is_over(
    window: MainWindow, qtbot: QtBot, shop: Shop
) -> None:
    write("not the passphrase at all")
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(partial(says, window, "Wrong passphrase. Try again in 1 s."), timeout=30_000)
    given: list[str] = []
    window.sign_in.passphrase_given.connect(given.append)
    window.sign_in.passphrase.setText(PASSPHRASE)
    press(Qt.Key.Key_Return)
    assert given == []
    window.sign_in._count_down()
    assert says(window, "You can try again now.")
    wait_is_over(shop.folder)
    press(Qt.Key.Key_Return)
    assert given == [PASSPHRASE]
    qtbot.waitUntil(lambda: window.desk is not None, timeout=30_000)


def test_enter_twice_opens_the_till_once(window: MainWindow, qtbot: QtBot) -> None:
    """A second opening would find the store in use by the first, and shut the page."""
    given: list[str] = []
    window.sign_in.passphrase_given.connect(given.append)
    window.sign_in.passphrase.setText(PASSPHRASE)
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(window.sign_in.who.isVisible, timeout=30_000)
    assert given == [PASSPHRASE]


def test_a_forgotten_pin_is_helped_only_once_the_till_is_open(
    window: MainWindow, qtbot: QtBot
) -> None:
    page = window.sign_in
    press(Qt.Key.Key_F11)
    assert page.sheets.top is None
    assert not page.forgot.isVisible()
    page.passphrase.setText(PASSPHRASE)
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(page.forgot.isVisible, timeout=30_000)
    press(Qt.Key.Key_F11)
    assert isinstance(page.sheets.top, ForgottenPin)
