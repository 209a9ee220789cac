"""Training by the window: one's own PIN, the red frame, the word in every title, and back again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.build import open_till
from app.commands.demo_data import no_keystore
from app.settings import load
from tests.ui.conftest import Rig, SteppedClock, make_kit
from tests.ui.keys import press, write
from tests.ui.shop import PIN, Shop
from ui.desk import Desk
from ui.dialogs.shift import BeginTraining, OpenShift
from ui.main_window import FRAME, MainWindow


def begun(rig: Rig) -> tuple[Path, str]:
    """F11 lx, the PIN: the store to practise in."""
    found: list[tuple[Path, str]] = []
    rig.window.store_wanted.connect(lambda folder, passphrase: found.append((folder, passphrase)))
    rig.act("lx")
    rig.until(lambda: isinstance(rig.top, BeginTraining))
    write(PIN)
    press(Qt.Key.Key_Return)
    rig.qtbot.waitUntil(lambda: bool(found), timeout=30_000)
    return found[0]


@pytest.fixture
def practice(rig: Rig, qtbot: QtBot, qapp: QApplication) -> Iterator[Rig]:
    """The window on the store to practise in, signed in."""
    folder, passphrase = begun(rig)
    shop: Shop = rig.shop
    clock = SteppedClock()
    rig.window.close()  # As ui.window.OneWindow does: the live store is let go.

    def open_desk(typed: str | None, told: Callable[[int], None]) -> Desk:
        return Desk(
            open_till(
                folder, passphrase=typed or passphrase, find_keystore=no_keystore,
                clock=shop.clock, offset_min=lambda: 480,
            )
        )  # fmt: skip

    window = MainWindow(make_kit(qapp), load(folder), open_desk, clock=clock)
    window.resize(1366, 768)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    there = Rig(window, shop, qtbot, clock)
    qtbot.waitUntil(lambda: window.desk is not None, timeout=30_000)
    there.sign_in()
    yield there
    window.close()
    window.deleteLater()


def test_training_shows_it_in_frame_chip_and_every_title(practice: Rig) -> None:
    practice.until(lambda: isinstance(practice.top, OpenShift))
    assert practice.top is not None
    assert "练习" in practice.top._title.text()
    practice.open_shift("1")
    bar = practice.shell.top_bar
    assert bar._training.isVisible()
    assert bar._training.text() == "练习模式：不算真账。"
    assert "练习" in bar._title.text()
    assert "TRAINING" in practice.window.windowTitle()
    picture = practice.window.grab().toImage()
    red = practice.window._kit.look.colour("danger")
    ratio = picture.devicePixelRatio()
    assert ratio == 1
    middle = picture.height() // 2
    assert all(picture.pixelColor(x, middle) == red for x in range(FRAME))
    assert picture.pixelColor(FRAME, middle) != red


def test_the_drawer_stays_shut_in_training(practice: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.desk_cash.kick", lambda receipt, asked_s: True)
    assert practice.window.desk is not None
    assert not practice.window.desk.cash.kick(0.0)


def test_f11_ends_it_again(practice: Rig) -> None:
    practice.until(lambda: isinstance(practice.top, OpenShift))
    practice.open_shift("1")
    wanted: list[object] = []
    practice.window.store_wanted.connect(lambda *store: wanted.append(store))
    practice.shell.training()
    assert wanted == [(None, None)]


def test_a_wrong_pin_begins_nothing(rig: Rig) -> None:
    rig.shell.training()
    sheet = rig.sheet(BeginTraining)
    write("111222")
    press(Qt.Key.Key_Return)
    rig.until(lambda: "还可试" in sheet.problem.text())
    assert not (rig.shop.folder / "training").exists()


def test_the_live_window_has_no_frame(rig: Rig) -> None:
    assert not rig.shell.top_bar._training.isVisible()
    assert rig.window.contentsMargins().left() == 0
    assert "TRAINING" not in rig.window.windowTitle()
