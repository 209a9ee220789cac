"""A phone or birthday in full at the counter, by real keys on a real store."""

from __future__ import annotations

from PySide6.QtCore import Qt

from tests.ui.conftest import Rig
from tests.ui.keys import press
from ui.dialogs.unmask import ShowInFull


def ask(rig: Rig) -> ShowInFull:
    rig.attach()
    rig.act("xs")
    return rig.sheet(ShowInFull)


def test_the_phone_is_shown_for_a_reason_and_goes_by_itself(rig: Rig) -> None:
    ask(rig)
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Right)
    press(Qt.Key.Key_Return)
    whole, panel = rig.counter.member._whole, rig.counter.member
    rig.until(lambda: rig.top is None and whole.isVisible())
    assert whole.text() == "手机 138 1234 6621（稍后自动隐藏）"
    assert panel.masking.isActive()
    assert panel.masking.interval() == 30_000
    panel.masking.timeout.emit()
    assert not whole.isVisible()
    assert whole.text() == ""


def test_the_birthday_is_shown_and_another_member_hides_it(rig: Rig) -> None:
    ask(rig)
    press(Qt.Key.Key_Right)
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Right)
    press(Qt.Key.Key_Return)
    whole = rig.counter.member._whole
    rig.until(lambda: rig.top is None and whole.isVisible())
    assert whole.text() == "生日 1990-05-21（稍后自动隐藏）"
    rig.act("bh")
    assert whole.text() == ""


def test_a_lock_hides_it(rig: Rig) -> None:
    ask(rig)
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Right)
    press(Qt.Key.Key_Return)
    whole = rig.counter.member._whole
    rig.until(lambda: rig.top is None and whole.isVisible())
    press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert whole.text() == ""


def test_a_reason_has_to_be_chosen(rig: Rig) -> None:
    sheet = ask(rig)
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Return)
    assert sheet.problem.text()
    assert rig.top is sheet
