"""The flows of counter-flows.md section 1 by real keys on a real store."""

from __future__ import annotations

from functools import partial

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtWidgets import QApplication

from app.numbers import card_number
from tests.ui.conftest import Rig
from tests.ui.keys import focus, keypad, press, write
from tests.ui.shop import BADGE, PIN, TEA
from ui.dialogs.enrol import EditSheet, EnrolSheet
from ui.dialogs.find_action import FindAction, Help
from ui.dialogs.pay import Pay
from ui.dialogs.pick_item import PickItem
from ui.dialogs.points import Ledger, Lots, WhyPoints
from ui.dialogs.return_goods import FindReceipt, ReturnSheet
from ui.dialogs.shift import OpenShift, SwitchPerson
from ui.dialogs.slip import SlipSheet
from ui.dialogs.void_sale import VoidSale
from ui.screens.settings_page import SettingsPage
from ui.widgets.sheet import Sheet


def shows(rig: Rig, kind: type[Sheet]) -> bool:
    return isinstance(rig.top, kind)


class TestSignIn:
    def test_the_first_field_has_the_focus_and_takes_text_before_the_till_is_open(
        self, fresh: Rig
    ) -> None:
        write("lx")
        press(Qt.Key.Key_Return)
        fresh.until(lambda: not fresh.window.sign_in.pin.isHidden())
        assert fresh.window.sign_in.pin.hasFocus()

    def test_a_wrong_pin_says_how_many_tries_are_left_and_keeps_asking(self, fresh: Rig) -> None:
        fresh.until(lambda: fresh.window.desk is not None)
        write("lx")
        press(Qt.Key.Key_Return)
        fresh.until(lambda: not fresh.window.sign_in.pin.isHidden())
        write("111222")
        press(Qt.Key.Key_Return)
        fresh.until(lambda: "还可试" in fresh.window.sign_in._said.text())
        assert fresh.window.sign_in.pin.hasFocus()

    def test_unknown_initials_are_said_at_the_field(self, fresh: Rig) -> None:
        fresh.until(lambda: fresh.window.desk is not None)
        write("zz")
        press(Qt.Key.Key_Return)
        fresh.until(lambda: "没有这位同事" in fresh.window.sign_in._said.text())
        assert fresh.window.sign_in.who.selectedText() == "zz"

    def test_a_badge_names_its_owner(self, fresh: Rig) -> None:
        fresh.until(lambda: fresh.window.desk is not None)
        fresh.scan(BADGE)
        fresh.until(lambda: not fresh.window.sign_in.pin.isHidden())
        assert fresh.window.sign_in.who.text() == ""

    def test_an_old_shift_is_ended_by_opening_today(self, fresh: Rig) -> None:
        fresh.sign_in()
        fresh.until(lambda: isinstance(fresh.top, OpenShift))
        fresh.open_shift("500")
        assert fresh.shell.till.shift is not None
        assert fresh.shell.till.shift.float_minor == 50000
        assert fresh.shell.till.today.iso() == "2026-11-21"

    def test_the_float_is_not_prefilled_and_needed(self, fresh: Rig) -> None:
        fresh.sign_in()
        fresh.until(lambda: isinstance(fresh.top, OpenShift))
        sheet = fresh.top
        assert isinstance(sheet, OpenShift)
        assert sheet.float.text() == ""
        press(Qt.Key.Key_Return)
        assert "备用金" in sheet.problem.text()


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
        assert "本单是陈思远的" in rig.shell.strip.text
        assert rig.counter.attached is not None
        assert rig.counter.attached.name == "陈思远"
        rig.scan(other.card_no)
        rig.until(lambda: rig.counter.attached is not None and rig.counter.attached.name == "李敏")


class TestSale:
    def test_flow_5_amount_enter_enter_is_a_sale(self, rig: Rig) -> None:
        before = rig.documents()
        rig.attach()
        rig.amount("368")
        press(Qt.Key.Key_Return)
        rig.until(lambda: isinstance(rig.top, Pay))
        rig.until(lambda: rig.top is not None and getattr(rig.top, "_painted", False))
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        assert rig.documents() == before + 1
        assert rig.counter.cart.is_empty
        assert rig.counter.finder.box.hasFocus()
        sold = rig.counter.last_sale
        assert sold is not None
        assert (sold.to_pay_minor, sold.document.points_earned) == (34960, 349)

    def test_enter_right_after_the_last_digit_pays_what_was_typed(self, rig: Rig) -> None:
        rig.amount("36")
        write("8")
        press(Qt.Key.Key_Return)
        rig.until(lambda: isinstance(rig.top, Pay))
        pay = rig.top
        assert isinstance(pay, Pay)
        assert pay.quote.draft.to_pay_minor == 36800

    def test_a_sale_without_a_member(self, rig: Rig) -> None:
        rig.amount("12.5")
        rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        assert rig.counter.last_sale is not None
        assert rig.counter.last_sale.to_pay_minor == 1250

    def test_two_amounts_make_two_lines(self, rig: Rig) -> None:
        rig.amount("38")
        keypad(rig.counter.sale.amount, Qt.Key.Key_Plus, "+")
        write("12.5")
        rig.until(lambda: rig.counter.quote and len(rig.counter.quote.draft.lines) == 2)
        assert rig.counter.sale.line_rows.rowCount() == 2

    def test_change_is_shown_live_and_stays_readable(self, rig: Rig) -> None:
        rig.amount("329.60")
        pay = rig.open_pay()
        write("400")
        assert pay.change_minor == 7040
        assert pay._change.text() == "¥70.40"
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        assert rig.counter.sale.last_sale._change.text() == "¥70.40"
        write("1")
        assert rig.counter.sale.last_sale.isVisible()

    def test_too_little_cash_is_said_and_nothing_is_taken(self, rig: Rig) -> None:
        before = rig.documents()
        rig.amount("309.60")
        pay = rig.open_pay()
        write("300")
        press(Qt.Key.Key_Return)
        assert "还差 ¥9.60" in pay.problem.text()
        assert rig.documents() == before

    def test_the_next_tender_is_numpad_star_and_takes_exactly(self, rig: Rig) -> None:
        rig.amount("100")
        pay = rig.open_pay()
        keypad(pay.received, Qt.Key.Key_Asterisk, "*")
        assert (pay.tender.code, pay.given_minor, pay.change_minor) == ("qr", 10000, 0)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        assert rig.counter.last_sale is not None
        assert rig.counter.last_sale.document.tenders[0].kind == "qr"

    def test_choosing_a_tender_commits_nothing(self, rig: Rig) -> None:
        before = rig.documents()
        rig.amount("100")
        rig.open_pay()
        for key in (Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_1):
            press(key, Qt.KeyboardModifier.ControlModifier)
        assert rig.documents() == before
        assert isinstance(rig.top, Pay)

    def test_escape_leaves_pay_and_keeps_the_sale(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("100")
        rig.open_pay()
        press(Qt.Key.Key_Escape)
        assert rig.top is None
        assert rig.counter.sale.amount.text() == "100"
        assert rig.counter.attached is not None

    def test_nothing_to_charge_says_so(self, rig: Rig) -> None:
        press(Qt.Key.Key_F12)
        assert "请输入金额或扫商品" in rig.counter.sale.problem.text()
        assert rig.top is None

    def test_an_amount_over_the_limit_is_refused_in_pay_and_kept(self, rig: Rig) -> None:
        rig.amount("690123")
        pay = rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: "上限" in pay.problem.text())
        assert rig.counter.sale.amount.text() == "690123"

    def test_flow_6_items_by_scan_and_by_initials(self, rig: Rig) -> None:
        rig.scan(TEA)
        press(Qt.Key.Key_F5)
        press(Qt.Key.Key_F5)
        assert isinstance(rig.top, PickItem)
        write("nslh")
        rig.settle()
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Escape)
        rig.settle()
        assert [line.request.name for line in rig.counter.cart.lines] == [
            "铁观音 250 克",
            "南山礼盒",
        ]
        assert rig.counter.quote is not None
        assert rig.counter.quote.draft.to_pay_minor == 25600

    def test_three_star_and_a_scan_are_three_pieces(self, rig: Rig) -> None:
        press(Qt.Key.Key_F5)
        write("3")
        keypad(rig.counter.sale.amount, Qt.Key.Key_Asterisk, "*")
        rig.scan(TEA)
        assert rig.counter.cart.lines[0].request.quantity == 3

    def test_the_same_item_again_at_once_is_one_scan(self, rig: Rig) -> None:
        rig.scan(TEA)
        item = rig.counter._desk.items("tgy")[0]
        rig.counter._last_item = (item.code, rig.clock.now)
        rig.counter.add_item(item)
        assert rig.counter.cart.lines[0].request.quantity == 1
        assert "重复扫描" in rig.shell.strip.text

    def test_an_unknown_code_is_a_red_line_and_scanning_goes_on(self, rig: Rig) -> None:
        rig.scan("6999999999999")
        rig.scan(TEA)
        assert [line.unknown for line in rig.counter.cart.lines] == [True, False]
        press(Qt.Key.Key_F12)
        assert rig.top is None
        assert "没认出" in rig.counter.sale.problem.text()
        assert rig.counter.sale.lines.hasFocus()
        press(Qt.Key.Key_Delete)
        assert [line.unknown for line in rig.counter.cart.lines] == [False]

    def test_a_removed_line_comes_back(self, rig: Rig) -> None:
        rig.scan(TEA)
        rig.counter.sale.lines.setFocus()
        rig.counter.sale.lines.setCurrentIndex(rig.counter.sale.line_rows.index(0))
        press(Qt.Key.Key_Delete)
        assert rig.counter.cart.lines == ()
        press(Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
        assert len(rig.counter.cart.lines) == 1

    def test_a_cleared_sale_can_be_had_back(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("38")
        press(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
        assert rig.counter.cart.is_empty
        rig.shell.strip._button.click()
        rig.settle()
        assert rig.counter.sale.amount.text() == "38"
        assert rig.counter.attached is not None


class TestPoints:
    def test_flow_7_the_most_by_f6_enter(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("100")
        press(Qt.Key.Key_F6)
        rig.settle()
        assert rig.counter.sale.redeem.field.text() == "4700"
        press(Qt.Key.Key_Return)
        rig.settle()
        assert rig.counter.quote is not None
        assert rig.counter.quote.draft.to_pay_minor == 4800
        assert not rig.counter.sale.redeem.isVisible()

    def test_some_points_live_and_zero_takes_them_off(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("368")
        press(Qt.Key.Key_F6)
        write("2000")
        rig.until(lambda: "−¥20.00" in rig.counter.sale.redeem._worth.text())
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.counter.cart.redeem_points == 2000)
        rig.settle()
        press(Qt.Key.Key_F6)
        write("0")
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.counter.cart.redeem_points == 0)

    def test_a_wrong_step_is_said_and_not_rounded(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("368")
        press(Qt.Key.Key_F6)
        write("1950")
        rig.until(lambda: "100 分一档" in rig.counter.sale.redeem._limit.text())
        press(Qt.Key.Key_Return)
        rig.settle()
        assert rig.counter.cart.redeem_points == 0
        assert rig.counter.sale.redeem.isVisible()

    def test_points_without_a_member_say_why_not(self, rig: Rig) -> None:
        press(Qt.Key.Key_F6)
        assert "先找会员" in rig.shell.strip.text

    def test_why_lots_and_ledger_open_by_keys(self, rig: Rig) -> None:
        rig.attach()
        press(Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
        rig.until(lambda: isinstance(rig.top, WhyPoints))
        press(Qt.Key.Key_Escape)
        for initials, sheet in (("pc", Lots), ("ls", Ledger)):
            press(Qt.Key.Key_F11)
            write(initials)
            press(Qt.Key.Key_Return)
            rig.until(partial(shows, rig, sheet))
            press(Qt.Key.Key_Escape)


class TestEnrol:
    def test_flow_4_an_unknown_phone_becomes_a_member_by_keyboard(self, rig: Rig) -> None:
        write("13900006699")
        rig.until(lambda: "还不是会员" in rig.counter.finder._status.text())
        press(Qt.Key.Key_Return)
        sheet = rig.top
        assert isinstance(sheet, EnrolSheet)
        assert sheet.phone.text() == "13900006699"
        assert sheet.name.hasFocus()
        sheet.name.setText("单晓雯")
        rig.until(lambda: "shan xiao wen" in sheet.name_said.text())
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Return)
        assert sheet.service.hasFocus()
        assert not sheet.service.isChecked()
        press(Qt.Key.Key_Space)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None and rig.counter.attached is not None)
        assert rig.counter.attached is not None
        assert rig.counter.attached.name == "单晓雯"
        assert rig.counter.sale.amount.hasFocus()

    def test_marketing_is_off_and_consent_is_needed(self, rig: Rig) -> None:
        press(Qt.Key.Key_F3)
        sheet = rig.top
        assert isinstance(sheet, EnrolSheet)
        sheet.name.setText("王一")
        assert not sheet.marketing.isChecked()
        sheet.submit()
        assert "服务条款" in sheet.problem.text()
        assert sheet.service.hasFocus()

    def test_a_phone_in_use_is_said_while_typing(self, rig: Rig) -> None:
        press(Qt.Key.Key_F3)
        sheet = rig.top
        assert isinstance(sheet, EnrolSheet)
        write("138123")
        rig.until(lambda: "已输 6 位，共 11 位" in sheet.phone_said.text())
        write("46621")
        rig.until(lambda: "已有 1 位会员" in sheet.phone_said.text())

    def test_enter_on_a_phone_in_use_shows_its_members_and_f3_enrols_anyway(self, rig: Rig) -> None:
        for key in (Qt.Key.Key_F3, Qt.Key.Key_Return):
            press(Qt.Key.Key_F3)
            rig.until(lambda: isinstance(rig.top, EnrolSheet))
            sheet = rig.top
            assert isinstance(sheet, EnrolSheet)
            write("13812346621")
            rig.until(lambda at=sheet: at.others > 0)  # type: ignore[misc]  # a bound default
            press(key)
            if key == Qt.Key.Key_F3:
                assert focus() is sheet.name
                press(Qt.Key.Key_Escape)
                rig.until(lambda: rig.top is None)
        rig.until(lambda: rig.counter.finder.rows.rowCount() > 0)
        assert rig.top is None
        assert rig.counter.finder.box.text() == "13812346621"

    def test_another_reading_by_the_down_key(self, rig: Rig) -> None:
        press(Qt.Key.Key_F3)
        sheet = rig.top
        assert isinstance(sheet, EnrolSheet)
        sheet.name.setFocus()
        sheet.name.setText("单晓")
        rig.until(lambda: "shan xiao" in sheet.name_said.text())
        press(Qt.Key.Key_Down)
        assert "dan xiao" in sheet.name_said.text()

    def test_a_new_card_is_scanned_into_its_field(self, rig: Rig) -> None:
        press(Qt.Key.Key_F3)
        sheet = rig.top
        assert isinstance(sheet, EnrolSheet)
        write("139")
        card = card_number("8800", 99_999)
        rig.scan(card)
        assert (sheet.card.text(), sheet.phone.text(), sheet.name.text()) == (card, "139", "")

    def test_the_cart_survives_an_enrolment(self, rig: Rig) -> None:
        rig.amount("38")
        press(Qt.Key.Key_F3)
        assert isinstance(rig.top, EnrolSheet)
        press(Qt.Key.Key_Escape)
        assert rig.counter.sale.amount.text() == "38"

    def test_an_edited_profile_is_saved_and_shown(self, rig: Rig) -> None:
        rig.attach()
        press(Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
        rig.until(lambda: isinstance(rig.top, EditSheet))
        sheet = rig.top
        assert isinstance(sheet, EditSheet)
        sheet.alert.setText("花生过敏")
        sheet.submit()
        rig.until(lambda: rig.top is None)
        rig.until(lambda: rig.counter.attached and rig.counter.attached.alert == "花生过敏")


class TestReturnAndVoid:
    def sell(self, rig: Rig) -> str:
        rig.attach()
        rig.counter.sale.amount.setFocus()
        rig.scan(TEA)
        rig.settle()
        rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        assert rig.counter.last_sale is not None
        return rig.counter.last_sale.receipt_no

    def test_flow_9_scan_quantity_reason_return(self, rig: Rig) -> None:
        receipt = self.sell(rig)
        rig.scan(receipt)
        rig.until(lambda: isinstance(rig.top, ReturnSheet))
        sheet = rig.top
        assert isinstance(sheet, ReturnSheet)
        write("1")
        rig.until(lambda: sheet.quote is not None)
        assert sheet._refund.text() == "−¥83.60"
        press(Qt.Key.Key_Return)
        assert sheet.reason.code == ""
        press(Qt.Key.Key_Right)
        assert sheet.reason.code == "changed_mind"
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        assert "已退 ¥83.60" in rig.shell.strip.text

    def test_f12_goes_from_the_quantity_to_the_reasons_and_then_gives_back(self, rig: Rig) -> None:
        receipt = self.sell(rig)
        rig.scan(receipt)
        rig.until(lambda: isinstance(rig.top, ReturnSheet))
        sheet = rig.top
        assert isinstance(sheet, ReturnSheet)
        write("1")
        rig.until(lambda: sheet.quote is not None)
        press(Qt.Key.Key_F12)
        assert sheet.reason.isAncestorOf(focus())
        assert sheet.reason.code == ""
        press(Qt.Key.Key_Down)
        press(Qt.Key.Key_F12)
        rig.until(lambda: rig.top is None)
        assert "已退 ¥83.60" in rig.shell.strip.text

    def test_a_receipt_with_nothing_left_says_so(self, rig: Rig) -> None:
        receipt = self.sell(rig)
        rig.scan(receipt)
        rig.until(lambda: isinstance(rig.top, ReturnSheet))
        sheet = rig.top
        assert isinstance(sheet, ReturnSheet)
        write("1")
        rig.until(lambda: sheet.quote is not None)
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Right)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        rig.scan(receipt)
        rig.until(lambda: "已全部退完" in rig.shell.strip.text or "全部退" in rig.shell.strip.text)
        assert rig.top is None

    def test_a_return_without_a_reason_is_refused(self, rig: Rig) -> None:
        receipt = self.sell(rig)
        rig.scan(receipt)
        rig.until(lambda: isinstance(rig.top, ReturnSheet))
        sheet = rig.top
        assert isinstance(sheet, ReturnSheet)
        write("1")
        rig.until(lambda: sheet.quote is not None)
        sheet.submit()
        assert "请选原因" in sheet.problem.text()

    def test_a_receipt_scanned_into_an_open_sale_says_why_not(self, rig: Rig) -> None:
        receipt = self.sell(rig)
        rig.amount("5")
        rig.scan(receipt)
        assert rig.top is None
        assert "有未结的单" in rig.shell.strip.text
        assert rig.counter.sale.amount.text() == "5"

    def test_flow_10s_first_step_lists_the_members_purchases(self, rig: Rig) -> None:
        self.sell(rig)
        rig.attach()
        press(Qt.Key.Key_F8)
        sheet = rig.top
        assert isinstance(sheet, FindReceipt)
        rig.until(lambda: sheet.rows.rowCount() > 0)
        press(Qt.Key.Key_Down)
        press(Qt.Key.Key_Return)
        rig.until(lambda: isinstance(rig.top, ReturnSheet))

    def test_flow_11_void_by_initials(self, rig: Rig) -> None:
        self.sell(rig)
        press(Qt.Key.Key_F11)
        assert isinstance(rig.top, FindAction)
        write("zf")
        press(Qt.Key.Key_Return)
        rig.until(lambda: isinstance(rig.top, VoidSale))
        sheet = rig.top
        assert isinstance(sheet, VoidSale)
        rig.until(lambda: sheet.quote is not None)
        press(Qt.Key.Key_Right)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        assert "已作废" in rig.shell.strip.text


class TestPeople:
    def test_flow_16_a_badge_switches_with_the_cart_kept(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("38")
        rig.scan("9100002")
        rig.until(lambda: isinstance(rig.top, SwitchPerson))
        write(PIN)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        rig.until(lambda: rig.shell.staff and rig.shell.staff.initials == "wm")
        assert rig.counter.sale.amount.text() == "38"
        assert rig.counter.attached is not None

    def test_a_lock_keeps_cart_member_and_typed_amount(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("38")
        press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
        assert "本单还在" in rig.window.sign_in._kept.text()
        rig.sign_in("wm")
        assert rig.counter.sale.amount.text() == "38"
        assert rig.counter.attached is not None

    def test_an_idle_till_locks(self, rig: Rig) -> None:
        rig.window._idle.setInterval(20)
        rig.window._restart_timers()
        rig.until(lambda: rig.window.pages.currentWidget() is rig.window.sign_in)


class TestEverywhere:
    def test_f1_shows_every_key_and_f2_comes_back(self, rig: Rig) -> None:
        press(Qt.Key.Key_F1)
        assert isinstance(rig.top, Help)
        press(Qt.Key.Key_F2)
        assert focus() is rig.counter.finder.box

    def test_every_chord_is_in_f11_and_every_entry_needs_none(self, rig: Rig) -> None:
        actions = rig.shell.actions_
        for action in actions.everything():
            assert action in actions.matching(action.initials)
            assert action in actions.matching(action.title.split()[0])

    def test_no_two_actions_share_initials(self, rig: Rig) -> None:
        initials = [action.initials for action in rig.shell.actions_.everything()]
        assert len(initials) == len(set(initials))

    def test_an_impossible_action_says_why(self, rig: Rig) -> None:
        press(Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
        assert "请先找会员" in rig.shell.strip.text

    def test_settings_are_saved_and_change_language_and_theme_at_once(self, rig: Rig) -> None:
        press(Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
        page = rig.shell.pages.currentWidget()
        assert isinstance(page, SettingsPage)
        page.language.choose("en")
        page.theme.choose("dark")
        page.shop_name.setText("Harbour Tea")
        page.submit()
        rig.until(lambda: rig.shell.top_bar._title.text() == "Settings")
        assert rig.window._kit.look.theme == "dark"
        rig.settle()
        assert 'name = "Harbour Tea"' in (rig.shop.folder / "settings.toml").read_text("utf-8")

    def test_f10_prints_a_marked_copy_of_the_last_slip(self, rig: Rig) -> None:
        rig.amount("5")
        rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        press(Qt.Key.Key_F10)
        rig.until(lambda: "补打第 1 份" in rig.shell.strip.text)
        press(Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
        rig.until(lambda: "补打第 2 份" in rig.shell.strip.text)

    def test_f10_prints_the_last_slip_of_the_shift_also_after_a_return(self, rig: Rig) -> None:
        helper = TestReturnAndVoid()
        receipt = helper.sell(rig)
        rig.scan(receipt)
        rig.until(lambda: isinstance(rig.top, ReturnSheet))
        sheet = rig.top
        assert isinstance(sheet, ReturnSheet)
        write("1")
        rig.until(lambda: sheet.quote is not None)
        press(Qt.Key.Key_F12)
        press(Qt.Key.Key_Down)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        press(Qt.Key.Key_F10)
        rig.until(lambda: "补打第 1 份" in rig.shell.strip.text)
        desk = rig.window.desk
        assert desk is not None
        newest = desk.documents_of_shift()[0]
        assert newest.kind == "return"
        assert desk.newest_slip() == newest.event_id

    def test_the_last_slip_is_shown_as_the_printer_lays_it_out(self, rig: Rig) -> None:
        rig.amount("5")
        rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        press(Qt.Key.Key_F11)
        write("xp")
        press(Qt.Key.Key_Return)
        rig.until(partial(shows, rig, SlipSheet))
        sheet = rig.top
        assert isinstance(sheet, SlipSheet)
        assert rig.counter.last_sale is not None
        said = sheet.preview.accessibleDescription()
        assert rig.counter.last_sale.receipt_no in said
        assert "¥5.00" in said or "￥5.00" in said

    def test_the_member_card_is_saved_as_a_file(self, rig: Rig) -> None:
        rig.attach()
        press(Qt.Key.Key_F11)
        write("dk")
        press(Qt.Key.Key_Return)
        rig.until(lambda: "卡片已存" in rig.shell.strip.text)
        assert [p.suffix for p in (rig.shop.folder / "cards").iterdir()] == [".pdf"]

    def test_a_journal_file_that_fails_is_said_and_stops_the_next_sale(self, rig: Rig) -> None:
        desk = rig.window.desk
        assert desk is not None

        def fails(*arguments: object, **named: object) -> None:
            raise OSError(5, "Input/output error")

        desk._ctx.journal.append = fails  # type: ignore[method-assign]
        rig.amount("5")
        rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: "副本写不了" in rig.shell.strip.text)
        before = rig.documents()
        rig.amount("6")
        pay = rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: "副本写不了" in pay.problem.text())
        assert rig.documents() == before
        assert rig.counter.sale.amount.text() == "6"

    def test_focus_goes_to_search_after_every_sheet(self, rig: Rig) -> None:
        for key in (Qt.Key.Key_F1, Qt.Key.Key_F3, Qt.Key.Key_F11):
            press(key)
            assert rig.top is not None
            press(Qt.Key.Key_Escape)
            assert focus() is rig.counter.finder.box
