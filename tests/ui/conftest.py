"""Real widgets on Qt's offscreen platform; nothing here ships."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from app.formats import YUAN, Formats
from app.i18n import Words
from app.settings import load
from tests.ui.keys import focus, press, write
from tests.ui.shop import PIN, Shop, copied, make_shop
from ui.dialogs.find_action import FindAction
from ui.dialogs.pay import Pay
from ui.dialogs.shift import OpenShift
from ui.garbage import GuiGarbage
from ui.kit import Kit
from ui.main_window import MainWindow
from ui.screens.counter import Counter
from ui.shell import Shell
from ui.theme import Look, load_fonts
from ui.tokens import theme_of
from ui.tour.looks import faults
from ui.widgets.sheet import Sheet

_THE_TESTS: Final = 0
"""Stands for a window that is never closed: no object has this id."""
_MIDDLE_ROUNDS: Final = 25


@pytest.fixture(scope="session", autouse=True)
def _fonts(qapp: QApplication) -> None:
    load_fonts()


@pytest.fixture(autouse=True)
def _cycles_end_in_the_gui_thread() -> Iterator[None]:
    """As in the window (ui.garbage), also where a test has lanes and no window, after its window was closed,
    and between two tests: a worker hears its controller in a thread of its own, which would end what is left
    of a window. tests/conftest.py lets Python collect again for the tests that follow these."""
    gc.disable()
    GuiGarbage._working.add(_THE_TESTS)
    yield
    GuiGarbage._working.discard(_THE_TESTS)
    gc.disable()
    gc.collect(2 if gc.get_count()[2] >= _MIDDLE_ROUNDS else 1)


@pytest.fixture(autouse=True)
def _bare(request: pytest.FixtureRequest, qapp: QApplication) -> None:
    """Who asks for no kit has no sheet of the test before, which the kits hand on: putting one on and off for
    each test took a tenth of the time of them all."""
    if "kit" not in request.fixturenames and qapp.styleSheet():
        qapp.setStyleSheet("")


@pytest.fixture(autouse=True)
def _qt_is_quiet(request: pytest.FixtureRequest) -> Iterator[None]:
    """A warning that Qt prints (an unknown style rule, a painter left open) fails the test."""
    log = request.getfixturevalue("qtlog")
    yield
    assert [
        record.message for record in log.records if "propagateSizeHints" not in record.message
    ] == []


def make_kit(
    qapp: QApplication,
    *,
    language: str = "zh_CN",
    theme: str = "light",
    scale_percent: int = 100,
    compact: bool = True,
) -> Kit:
    words = Words(language)
    look = Look(theme_of(theme), scale_percent=scale_percent, compact=compact)
    if qapp.styleSheet() != look.sheet() or qapp.palette() != look.palette():
        look.wear(qapp, look.theme)
    return Kit(look, words, Formats(words, YUAN, ZoneInfo("Asia/Shanghai")))


@pytest.fixture
def kit(qapp: QApplication) -> Kit:
    return make_kit(qapp)


Show = Callable[..., QWidget]


@pytest.fixture
def show(qtbot: QtBot) -> Iterator[Show]:
    """Show widgets in one active window that lives as long as the test."""
    windows: list[QWidget] = []

    def show(*widgets: QWidget) -> QWidget:
        window = QWidget()
        layout = QVBoxLayout(window)
        for widget in widgets:
            layout.addWidget(widget)
        window.resize(700, 500)
        window.show()
        qtbot.waitExposed(window)
        window.activateWindow()
        windows.append(window)
        return window

    yield show
    for window in windows:
        window.close()
        window.deleteLater()


@pytest.fixture(scope="session")
def shop_template(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A real encrypted store, made once; every test gets a copy."""
    return make_shop(tmp_path_factory.mktemp("shop") / "store")


@pytest.fixture
def shop(shop_template: Shop, tmp_path: Path) -> Shop:
    return copied(shop_template, tmp_path / "store")


class SteppedClock:
    """Seconds that pass with every look: a tenth, as between the keys of a person, or `step_s`."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.step_s = 0.12

    def __call__(self) -> float:
        self.now += self.step_s
        return self.now


OneSheet = TypeVar("OneSheet", bound=Sheet)
OnePage = TypeVar("OnePage", bound=QWidget)


@dataclass
class Rig:
    """A window on a real store, driven by real keys."""

    window: MainWindow
    shop: Shop
    qtbot: QtBot
    clock: SteppedClock
    asked: int = 0
    """How often a lane was asked for something."""

    def __post_init__(self) -> None:
        run = self.window.lanes.run

        def counted(*question: Any, **answers: Any) -> Any:
            self.asked += 1
            return run(*question, **answers)

        self.window.lanes.run = counted  # type: ignore[method-assign]  # to know when all is quiet

    @property
    def shell(self) -> Shell:
        assert self.window.shell is not None
        return self.window.shell

    @property
    def counter(self) -> Counter:
        return self.shell.counter

    @property
    def top(self) -> Sheet | None:
        return self.shell.sheets.top

    def sheet(self, kind: type[OneSheet]) -> OneSheet:
        """Wait for a sheet of this kind to lie on top."""
        self.until(lambda: isinstance(self.top, kind))
        assert isinstance(self.top, kind)
        return self.top

    def page(self, kind: type[OnePage]) -> OnePage:
        """Wait for this page of the rail."""
        self.until(lambda: isinstance(self.shell.pages.currentWidget(), kind))
        page = self.shell.pages.currentWidget()
        assert isinstance(page, kind)
        return page

    def act(self, initials: str) -> None:
        """F11, the initials of an action, Enter."""
        press(Qt.Key.Key_F11)
        self.sheet(FindAction)
        write(initials)
        press(Qt.Key.Key_Return)

    def until(self, condition: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=30_000)

    @contextlib.contextmanager
    def busy_store(self) -> Iterator[None]:
        """The db lane does nothing else, as on a slow disk, until the block ends."""
        go_on = threading.Event()
        self.window.lanes.run(
            self.window, "db", lambda: go_on.wait(60), ok=lambda _: None, failed=lambda _: None
        )
        try:
            yield
        finally:
            go_on.set()

    def hear(self, words: str) -> None:
        """Wait for words in the strip, at once after the key: good news fades while something else is
        waited for."""
        self.until(lambda: words in self.shell.strip.text)

    def faults(self) -> list[str]:
        """What is cut off or overlaps, once the window has laid itself out: it does so a moment later."""
        with contextlib.suppress(self.qtbot.TimeoutError):
            self.qtbot.waitUntil(lambda: not faults(self.window), timeout=30_000)
        return faults(self.window)

    def settle(self) -> None:
        """Wait until every lane has answered, and nothing more was asked because of the answers."""
        lanes = ("search", "db")
        asked = -1
        while asked != self.asked:
            asked = self.asked + len(lanes)
            for lane in lanes:
                done = list[int]()
                self.window.lanes.run(
                    self.window, lane, lambda: 1, ok=done.append, failed=lambda error: None
                )
                self.until(partial(bool, done))

    def sign_in(self, who: str = "lx", pin: str = PIN) -> None:
        self.until(lambda: self.window.desk is not None)
        write(who)
        press(Qt.Key.Key_Return)
        self.until(lambda: not self.window.sign_in.pin.isHidden())
        write(pin)
        press(Qt.Key.Key_Return)
        self.until(lambda: self.window.pages.currentWidget() is self.window.shell)

    def open_shift(self, float_text: str = "500") -> None:
        self.until(lambda: isinstance(self.top, OpenShift))
        write(float_text)
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Return)
        self.until(lambda: self.top is None and self.shell.till.shift is not None)

    def attach(self, text: str = "6621") -> None:
        """Flow 1: type, Enter, the member is there."""
        press(Qt.Key.Key_F2)
        write(text)
        self.until(lambda: self.counter.finder.rows.rowCount() > 0)
        press(Qt.Key.Key_Return)
        self.until(lambda: self.counter.attached is not None)

    def amount(self, text: str) -> None:
        """Type an amount and wait for its quote."""
        if not self.counter.sale.amount.hasFocus():
            press(Qt.Key.Key_F5)
        write(text)
        self.until(lambda: self.counter.charging.fresh)

    def open_pay(self) -> Pay:
        press(Qt.Key.Key_F12)
        self.until(lambda: isinstance(self.top, Pay))
        pay = self.top
        assert isinstance(pay, Pay)
        self.until(lambda: pay._painted)
        return pay

    def scan(self, code: str) -> None:
        """A burst as a scanner types it, wherever the focus is, its Enter included; and all its answers."""
        self.burst(code)
        self.settle()

    def burst(self, code: str) -> None:
        """The same, and nothing is waited for."""
        self.clock.now += 1
        self.clock.step_s = 0.005
        for character in code:
            QTest.keyClicks(focus(), character)
        QTest.keyClick(focus(), Qt.Key.Key_Return)
        self.clock.step_s = 0.12

    def documents(self) -> int:
        """How many documents the open shift has, asked of the store itself."""
        desk = self.window.desk
        assert desk is not None
        found: list[int] = []
        self.window.lanes.run(
            self.window,
            "db",
            lambda: len(desk.documents_of_shift()),
            ok=found.append,
            failed=lambda error: None,
        )
        self.until(lambda: bool(found))
        return found[0]


def build_rig(
    qtbot: QtBot, qapp: QApplication, shop: Shop, *, kit: Kit, size: tuple[int, int] = (1366, 768)
) -> Rig:
    clock = SteppedClock()
    window = MainWindow(kit, load(shop.folder), shop.open_desk, clock=clock)
    window.resize(*size)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    return Rig(window, shop, qtbot, clock)


@pytest.fixture
def fresh(qtbot: QtBot, qapp: QApplication, shop: Shop, kit: Kit) -> Iterator[Rig]:
    """A window that nobody signed in to yet."""
    rig = build_rig(qtbot, qapp, shop, kit=kit)
    yield rig
    rig.window.close()
    rig.window.deleteLater()


@pytest.fixture
def rig(fresh: Rig) -> Rig:
    """Signed in, shift open, focus in search, cart empty."""
    fresh.sign_in()
    fresh.open_shift()
    fresh.until(fresh.counter.finder.box.hasFocus)
    return fresh


@pytest.fixture
def manager(fresh: Rig) -> Rig:
    """The manager is at the till, a shift open."""
    fresh.sign_in("wm")
    fresh.open_shift()
    return fresh
