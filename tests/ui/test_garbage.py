"""Cycles of Qt's objects end in the GUI thread, whatever thread makes Python look for them."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.settings import load
from tests.ui.conftest import make_kit
from tests.ui.shop import Shop
from ui.desk import Desk
from ui.garbage import GuiGarbage
from ui.main_window import MainWindow


class Ring(QObject):
    """A QObject in a cycle of its own: only the collector ends it."""

    def __init__(self, told: Callable[[int], None]) -> None:
        super().__init__()
        self.me = self
        self.end = End(told)


class End:
    def __init__(self, told: Callable[[int], None]) -> None:
        self.told = told

    def __del__(self) -> None:
        self.told(threading.get_ident())


def allocate() -> None:
    """What a lane does all day: more objects than CPython's thresholds."""
    kept = [[number] for number in range(200_000)]
    assert kept


def in_a_lane(work: Callable[[], None]) -> None:
    lane = threading.Thread(target=work)
    lane.start()
    lane.join()


def test_a_lane_ends_no_object_of_the_gui_thread(qtbot: QtBot) -> None:
    room = QWidget()
    qtbot.addWidget(room)
    garbage = GuiGarbage(room)
    ended: list[int] = []
    gc.collect()
    Ring(ended.append)
    in_a_lane(allocate)
    assert ended == []
    allocate_in_gui = [[number] for number in range(5_000)]
    garbage.look()
    assert ended == [threading.get_ident()], len(allocate_in_gui)
    garbage.stop()


def test_without_it_the_lane_would_have(qtbot: QtBot) -> None:
    gc.collect()
    gc.enable()
    ended: list[int] = []
    Ring(ended.append)
    in_a_lane(allocate)
    assert ended
    assert ended != [threading.get_ident()]


def test_it_looks_by_itself_while_the_event_loop_runs(qtbot: QtBot) -> None:
    room = QWidget()
    qtbot.addWidget(room)
    garbage = GuiGarbage(room)
    ended: list[int] = []
    Ring(ended.append)
    kept = [[number] for number in range(5_000)]
    qtbot.waitUntil(lambda: bool(ended))
    assert ended == [threading.get_ident()], len(kept)
    garbage.stop()


def test_a_busy_till_has_its_old_objects_looked_through_too(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = QWidget()
    qtbot.addWidget(room)
    garbage = GuiGarbage(room)
    monkeypatch.setattr("ui.garbage._MOST_MIDDLE_ROUNDS", 2)
    ended: list[int] = []
    ring = Ring(ended.append)
    gc.collect()
    del ring
    kept = []
    looks = 0
    while not ended and looks < 100:
        kept.append([[number] for number in range(1_000)])
        garbage.look()
        looks += 1
    assert ended == [threading.get_ident()]
    assert looks > 2 * 10, "only after two rounds of the middle generation"
    garbage.stop()


def test_the_window_collects_until_the_last_one_is_closed(
    qapp: QApplication, qtbot: QtBot, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(typed: str | None, told: Callable[[int], None]) -> Desk:
        raise AssertionError("not opened here")

    monkeypatch.setattr(GuiGarbage, "_working", set())
    gc.enable()
    first, second = (MainWindow(make_kit(qapp), load(shop.folder), never) for _ in range(2))
    assert not gc.isenabled()
    first.close()
    assert not gc.isenabled()
    second.close()
    assert gc.isenabled()
    for window in (first, second):
        window.deleteLater()


def test_after_a_test_has_closed_its_window_nothing_is_collected_by_another_thread(
    qapp: QApplication,
) -> None:
    room = QWidget()
    GuiGarbage(room).stop()
    ended: list[int] = []
    Ring(ended.append)
    in_a_lane(allocate)
    assert ended == []
