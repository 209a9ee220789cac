"""A phone or birthday in full at the counter, by real keys on a real store."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.usecases.unmask import Unmasked
from tests.ui.conftest import Rig
from tests.ui.keys import press
from ui.dialogs.notes import Notes
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


def card_of(rig: Rig, text: str) -> str:
    rig.attach(text)
    assert rig.counter.attached is not None
    card_no = rig.counter.attached.card_no
    assert card_no is not None
    rig.counter.detach()
    rig.counter.finder.clear_text()
    return card_no


def test_the_card_of_another_member_closes_the_question_about_the_first(rig: Rig) -> None:
    other = card_of(rig, "6605")
    ask(rig)
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Right)
    rig.scan(other)
    assert rig.counter.attached is not None
    assert rig.counter.attached.name == "陈思琪"
    assert rig.top is None
    assert rig.counter.sale.amount.hasFocus()


def test_a_phone_that_comes_late_is_not_shown_beside_another_name(rig: Rig) -> None:
    other = card_of(rig, "6605")
    sheet = ask(rig)
    member = rig.counter.attached
    assert member is not None
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Right)
    with rig.busy_store():
        press(Qt.Key.Key_Return)
        assert sheet.busy
        rig.burst(other)
    rig.settle()
    rig.until(lambda: rig.top is None)
    whole = rig.counter.member._whole
    assert whole.text() == ""
    rig.shell.errands._show_in_full(member.member_id, Unmasked("phone", "+8613812346621"))
    assert whole.text() == ""


def test_notes_go_with_the_member_whom_they_are_about(rig: Rig) -> None:
    other = card_of(rig, "6605")
    rig.attach()
    press(Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    rig.sheet(Notes)
    rig.scan(other)
    assert rig.top is None


def test_notes_go_also_from_below_the_list_of_actions(rig: Rig) -> None:
    other = card_of(rig, "6605")
    rig.attach()
    press(Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    rig.sheet(Notes)
    press(Qt.Key.Key_F11)
    assert not isinstance(rig.top, Notes)
    rig.scan(other)
    assert rig.shell.sheets.lying(Notes) is None
