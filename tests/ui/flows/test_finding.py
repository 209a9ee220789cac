"""Finding and attaching a member (flows 1 to 3), by real keys on a real store."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtWidgets import QApplication

from tests.ui.conftest import Rig
from tests.ui.keys import press, write
from ui.dialogs.enrol import EnrolSheet


class TestFinding:
    def test_flow_1_four_digits_and_enter_attach_with_the_focus_in_amount(self, rig: Rig) -> None:
        write("6621")
        rig.until(lambda: rig.counter.finder.rows.rowCount() == 1)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.counter.attached is not None)
        assert rig.counter.attached is not None
        assert rig.counter.attached.name == "陈思远"
        assert rig.counter.sale.amount.hasFocus()
        assert rig.counter.finder.box.text() == "6621"
        assert rig.counter.finder.box.property("state") == "used"

    @pytest.mark.parametrize(
        "text", ["csy", "chensiyuan", "c6621", "6621c", "陈思远", "13812346621"]
    )
    def test_flow_2_every_way_of_naming_a_member_finds_them(self, rig: Rig, text: str) -> None:
        rig.counter.finder.box.setText(text)
        rig.until(lambda: rig.counter.finder.rows.rowCount() > 0)
        first = rig.counter.finder.rows.hit(0)
        assert first is not None
        assert first.name == "陈思远"

    def test_letters_still_in_composition_find(self, rig: Rig, qapp: QApplication) -> None:
        qapp.sendEvent(rig.counter.finder.box, QInputMethodEvent("csy", []))
        rig.until(lambda: rig.counter.finder.rows.rowCount() == 1)

    def test_typing_alone_attaches_nobody(self, rig: Rig) -> None:
        write("6621")
        rig.settle()
        assert rig.counter.attached is None

    def test_enter_before_the_answer_waits_for_its_own_answer(self, rig: Rig) -> None:
        write("13")
        rig.until(lambda: rig.counter.finder.rows.rowCount() > 1)
        rig.counter.finder.box.setText("6608")
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.counter.attached is not None)
        assert rig.counter.attached is not None
        assert rig.counter.attached.name == "李敏"

    def test_an_answer_that_comes_too_late_is_not_taken_for_the_enter(self, rig: Rig) -> None:
        finder = rig.counter.finder
        finder.box.setText("6608")
        finder._enter_at = rig.clock.now - 1
        rig.until(lambda: finder.rows.rowCount() == 1)
        rig.settle()
        assert rig.counter.attached is None

    def test_nobody_found_says_what_to_do(self, rig: Rig) -> None:
        write("9999")
        rig.until(lambda: "尾号 9999" in rig.counter.finder._status.text())

    def test_rows_carry_no_balance(self, rig: Rig) -> None:
        write("138")
        rig.until(lambda: rig.counter.finder.rows.rowCount() > 0)
        rows = rig.counter.finder.rows
        said = [
            str(rows.data(rows.index(n), int(Qt.ItemDataRole.AccessibleTextRole)))
            for n in range(rows.rowCount())
        ]
        assert all("分" not in line and "¥" not in line for line in said)
        assert said[0].startswith("陈思远, 138 **** 6621, 金卡")

    def test_flow_3_a_card_attaches_from_any_focus(self, rig: Rig) -> None:
        rig.attach()
        card = rig.counter.attached
        assert card is not None
        assert card.card_no is not None
        rig.counter.detach()
        rig.counter.sale.amount.setFocus()
        rig.scan(card.card_no)
        rig.until(lambda: rig.counter.attached is not None)
        assert rig.counter.sale.amount.text() == ""

    def test_another_members_card_on_an_open_sale_asks_first(self, rig: Rig) -> None:
        rig.attach("6608")
        other = rig.counter.attached
        assert other is not None
        assert other.card_no is not None
        rig.counter.clear_sale()
        rig.attach("6621")
        rig.amount("100")
        rig.scan(other.card_no)
        assert "本单是陈思远的。再刷一次换成李敏" in rig.shell.strip.text
        assert rig.counter.attached is not None
        assert rig.counter.attached.name == "陈思远"
        rig.scan(other.card_no)
        rig.until(lambda: rig.counter.attached is not None and rig.counter.attached.name == "李敏")

    def test_another_member_found_for_an_open_sale_is_asked_about_first(self, rig: Rig) -> None:
        rig.attach("6621")
        rig.amount("100")
        find_li_min(rig)
        press(Qt.Key.Key_Return)
        rig.settle()
        assert "本单是陈思远的。再按 Enter 换成李敏" in rig.shell.strip.text
        assert rig.counter.attached is not None
        assert rig.counter.attached.name == "陈思远"
        assert rig.counter.finder.box.property("state") != "used"
        rig.clock.now += 1
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.counter.attached is not None and rig.counter.attached.name == "李敏")
        assert rig.counter.cart.typed == (10000,)
        assert rig.shell.strip.text == ""

    def test_a_bouncing_enter_takes_no_other_member(self, rig: Rig) -> None:
        rig.attach("6621")
        rig.amount("100")
        find_li_min(rig)
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Return)
        rig.settle()
        assert rig.counter.attached is not None
        assert rig.counter.attached.name == "陈思远"

    def test_another_member_is_asked_about_anew_once_the_sentence_was_closed(
        self, rig: Rig
    ) -> None:
        rig.attach("6621")
        rig.amount("100")
        find_li_min(rig)
        press(Qt.Key.Key_Return)
        rig.shell.strip.hide()
        rig.clock.now += 1
        press(Qt.Key.Key_Return)
        rig.settle()
        assert "再按 Enter 换成李敏" in rig.shell.strip.text
        assert rig.counter.attached is not None
        assert rig.counter.attached.name == "陈思远"

    def test_f11_hm_gives_the_sale_to_the_member_found_last(self, rig: Rig) -> None:
        rig.attach("6621")
        rig.amount("100")
        find_li_min(rig)
        press(Qt.Key.Key_Return)
        rig.settle()
        assert rig.counter.attached is not None
        assert rig.counter.attached.name == "陈思远"
        rig.act("hm")
        rig.until(lambda: rig.counter.attached is not None and rig.counter.attached.name == "李敏")
        assert rig.counter.cart.typed == (10000,)
        assert rig.shell.strip.text == ""

    def test_f11_hm_switches_nothing_before_another_member_was_found(self, rig: Rig) -> None:
        rig.attach("6621")
        rig.amount("100")
        rig.act("hm")
        rig.settle()
        assert "请先找到另一位会员" in rig.shell.strip.text
        assert rig.counter.attached is not None
        assert rig.counter.attached.name == "陈思远"

    def test_a_member_enrolled_during_anothers_sale_is_asked_about_first(self, rig: Rig) -> None:
        rig.attach("6621")
        rig.amount("100")
        enrol(rig, "单晓雯", "13900006699")
        assert "本单是陈思远的。再按 Enter 换成单晓雯" in rig.shell.strip.text
        assert rig.counter.attached is not None
        assert rig.counter.attached.name == "陈思远"
        rig.until(lambda: rig.counter.finder.rows.rowCount() == 1)
        rig.clock.now += 1
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.counter.attached and rig.counter.attached.name == "单晓雯")
        assert rig.counter.cart.typed == (10000,)

    def test_what_is_typed_while_a_new_member_is_indexed_stays(self, rig: Rig) -> None:
        rig.attach("6621")
        rig.amount("100")
        enrol(rig, "单晓雯", "13900006699", then_type="6608")
        assert rig.counter.finder.box.text() == "6608"

    def test_a_member_enrolled_during_a_sale_of_nobody_gets_it(self, rig: Rig) -> None:
        rig.amount("100")
        enrol(rig, "单晓雯", "13900006699")
        rig.hear("已办卡")
        rig.until(lambda: rig.counter.attached and rig.counter.attached.name == "单晓雯")
        assert rig.counter.cart.typed == (10000,)


def enrol(rig: Rig, name: str, phone: str, *, then_type: str = "") -> None:
    """F3, and what it needs; `then_type` goes into the search as soon as the sheet is gone."""
    press(Qt.Key.Key_F3)
    sheet = rig.sheet(EnrolSheet)
    sheet.phone.setText(phone)
    sheet.name.setText(name)
    sheet.service.setChecked(True)
    if then_type:
        sheet.enrolled.connect(lambda: rig.counter.finder.box.setText(then_type))
    sheet.submit()
    rig.until(lambda: rig.top is None)
    rig.settle()


def find_li_min(rig: Rig) -> None:
    """Li Min is the only row; nobody pressed Enter."""
    press(Qt.Key.Key_F2)
    write("6608")
    rows = rig.counter.finder.rows
    rig.until(lambda: [hit.name for hit in [rows.hit(0)] if hit] == ["李敏"])
