"""Points by hand, by real keys on a real store: the supervisor types, the manager agrees."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.context import Session
from app.usecases.staff import AddStaff, add_staff
from db import staff_rows
from tests.ui.conftest import Rig, build_rig, make_kit
from tests.ui.flows.test_approval import agree
from tests.ui.keys import press, write
from tests.ui.shop import PIN, Shop
from ui.dialogs.adjust import AdjustSheet
from ui.dialogs.approval import Approval
from ui.dialogs.points import WhyPoints

NOTE = "顾客说上周三没给积分，小票看过"


@pytest.fixture
def rig(qtbot: QtBot, qapp: QApplication, shop: Shop) -> Iterator[Rig]:
    """A supervisor is at the till."""
    till = shop.open()
    ctx = till.context
    with ctx.read() as conn:
        manager = staff_rows.staff_by_initials(conn, "wm")
    assert manager is not None
    add_staff(ctx, AddStaff(ctx.ids(), Session(manager.id, None), "zs", "周珊", "supervisor", PIN))
    till.close()
    made = build_rig(qtbot, qapp, shop, kit=make_kit(qapp))
    made.sign_in("zs")
    made.open_shift()
    yield made
    made.window.close()
    made.window.deleteLater()
    qapp.setStyleSheet("")


def opened(rig: Rig, member: str = "6621") -> AdjustSheet:
    rig.attach(member)
    rig.act("tz")
    return rig.sheet(AdjustSheet)


def typed(rig: Rig, sheet: AdjustSheet, points: str = "300") -> None:
    """By keys alone, up to the reason."""
    assert sheet.points.hasFocus()
    write(points)
    rig.settle()
    press(Qt.Key.Key_Return)
    assert sheet.note.hasFocus()
    sheet.note.insert(NOTE)  # As an input method commits it.
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Down)


def available(rig: Rig) -> int:
    member = rig.counter.attached
    assert member is not None
    return member.points_available


def test_points_are_given_by_keys_alone_and_the_panel_shows_them(rig: Rig) -> None:
    sheet = opened(rig)
    before = available(rig)
    typed(rig, sheet)
    assert "有效期至 2" in sheet.preview.text()
    press(Qt.Key.Key_Return)
    asked = rig.sheet(Approval)
    assert "+300" in asked._asked()
    assert NOTE in [label.text() for label in asked.findChildren(type(sheet.preview))]
    agree(rig, asked)
    rig.hear("+300 分")
    rig.until(lambda: available(rig) == before + 300)
    assert rig.top is None
    press(Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    why = rig.sheet(WhyPoints)
    assert any(NOTE in label.text() for label in why.findChildren(type(sheet.preview)))


def test_taking_more_than_there_is_says_what_is_owed(rig: Rig) -> None:
    sheet = opened(rig, "6608")
    sheet.direction.choose("take")
    write(str(available(rig) + 50))
    rig.until(lambda: "欠 50 分" in sheet.preview.text())


def test_more_than_a_day_carries_is_said_as_it_is_typed(rig: Rig) -> None:
    sheet = opened(rig)
    write("999999")
    rig.until(lambda: "2,000" in sheet.problem.text())


def test_what_is_missing_is_said_at_its_field_and_nothing_typed_is_lost(rig: Rig) -> None:
    sheet = opened(rig)
    press(Qt.Key.Key_Return)
    assert sheet.problem.text()
    assert sheet.points.hasFocus()
    write("300")
    press(Qt.Key.Key_Return)
    sheet.note.insert("短")
    press(Qt.Key.Key_Return)
    assert "10 个字" in sheet.problem.text()
    assert sheet.note.hasFocus()
    assert sheet.points.text() == "300"


def test_a_no_leaves_everything_as_it_was(rig: Rig) -> None:
    sheet = opened(rig)
    before = available(rig)
    typed(rig, sheet)
    press(Qt.Key.Key_Return)
    rig.sheet(Approval)
    press(Qt.Key.Key_Escape)
    rig.until(lambda: rig.top is sheet)
    assert "未获批准" in sheet.problem.text()
    assert sheet.points.text() == "300"
    assert available(rig) == before


def test_a_cashier_is_told_before_typing(rig: Rig) -> None:
    rig.window.lock()
    rig.sign_in("lx")
    rig.attach()
    rig.act("tz")
    rig.until(lambda: rig.shell.strip.text != "")
    assert rig.top is None
