"""What the counter tells the guard: who was looked at without a sale, and who came while Pay was open."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import posting
from app.settings import load
from db import rows
from tests.ui.conftest import Rig, SteppedClock, make_kit
from tests.ui.keys import press
from tests.ui.shop import PIN, Shop
from ui.main_window import MainWindow


def facts(rig: Rig, kind: str) -> list[dict[str, Any]]:
    """The facts of every event of a kind, asked on the lane that writes them."""
    desk = rig.window.desk
    assert desk is not None

    def read() -> list[dict[str, Any]]:
        with desk.context.read() as conn:
            events = [posting.event_of(row) for row in rows.events_after(conn, 0)]
        return [event.doc for event in events if event.kind == kind]

    found: list[list[dict[str, Any]]] = []
    rig.window.lanes.run(rig.window, "db", read, ok=found.append, failed=lambda error: None)
    rig.until(lambda: bool(found))
    return found[0]


def test_an_account_that_is_left_without_a_sale_is_noted_once(rig: Rig) -> None:
    rig.attach("6608")
    assert facts(rig, "look") == []
    rig.counter.detach()
    rig.until(lambda: facts(rig, "look") == [{"what": "profile", "reason": ""}])


def test_an_account_that_is_sold_to_is_not_noted(rig: Rig) -> None:
    rig.attach("6608")
    rig.amount("12")
    rig.open_pay()
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.documents() == 1)
    rig.settle()
    assert facts(rig, "look") == []
    assert "attached" not in facts(rig, "sale")[-1]


def test_a_member_who_comes_while_pay_is_open_comes_late(rig: Rig) -> None:
    rig.amount("12")
    rig.open_pay()
    desk = rig.window.desk
    assert desk is not None
    member = desk.search("6608").hits[0]
    rig.counter.attach(member.member_id, found_by="card")
    rig.until(lambda: rig.counter.charging.fresh)
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.documents() == 1)
    rig.settle()
    assert facts(rig, "sale")[-1]["attached"] == "after"


def test_the_first_sign_in_after_training_says_so(
    qtbot: QtBot, qapp: QApplication, shop: Shop
) -> None:
    clock = SteppedClock()
    window = MainWindow(
        make_kit(qapp), load(shop.folder), shop.open_desk, clock=clock, after_training=True
    )
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    rig = Rig(window, shop, qtbot, clock)
    rig.sign_in("lx", PIN)
    assert not window.is_training
    assert facts(rig, "sign_in")[-1]["after_training"] == 1
    rig.open_shift()
    press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    rig.until(lambda: rig.window.pages.currentWidget() is rig.window.sign_in)
    rig.sign_in("lx", PIN)
    assert "after_training" not in facts(rig, "sign_in")[-1]
    window.close()
    window.deleteLater()
    qapp.setStyleSheet("")
