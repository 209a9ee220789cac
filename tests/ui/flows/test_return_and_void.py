"""Returns and voids (flows 9 to 11), by real keys on a real store."""

from __future__ import annotations

from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from app.domain.errors import Outage, Unavailable
from app.numbers import receipt_number
from tests.ui.conftest import Rig
from tests.ui.flows.steps import charge, one_back, open_return, sell_tea
from tests.ui.keys import focus, press, write
from tests.ui.shop import COFFEE, TEA
from ui.desk import Desk
from ui.dialogs.find_action import FindAction
from ui.dialogs.return_goods import FindReceipt, ReturnSheet
from ui.dialogs.void_sale import VoidSale


class TestReturnAndVoid:
    def test_flow_9_scan_quantity_reason_return(self, rig: Rig) -> None:
        sheet = one_back(rig, sell_tea(rig))
        assert sheet._refund.text() == "−¥83.60"
        press(Qt.Key.Key_Return)
        assert sheet.reason.code == ""
        press(Qt.Key.Key_Right)
        assert sheet.reason.code == "changed_mind"
        press(Qt.Key.Key_Return)
        rig.hear("已退 ¥83.60")
        assert rig.top is None

    def test_points_that_do_not_move_are_not_said(self, rig: Rig) -> None:
        sheet = one_back(rig, sell_tea(rig))
        rig.until(lambda: "退 " in sheet._points.text())
        assert sheet._points.text().startswith("退 现金 ¥83.60，收回 ")
        assert "退还" not in sheet._points.text()

    def test_f12_goes_from_the_quantity_to_the_reasons_and_then_gives_back(self, rig: Rig) -> None:
        sheet = one_back(rig, sell_tea(rig))
        press(Qt.Key.Key_F12)
        assert sheet.reason.isAncestorOf(focus())
        assert sheet.reason.code == ""
        press(Qt.Key.Key_Down)
        press(Qt.Key.Key_F12)
        rig.hear("已退 ¥83.60")
        assert rig.top is None

    def test_a_receipt_with_nothing_left_says_so(self, rig: Rig) -> None:
        receipt = sell_tea(rig)
        one_back(rig, receipt)
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Right)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        rig.scan(receipt)
        rig.until(lambda: "已全部退完" in rig.shell.strip.text or "全部退" in rig.shell.strip.text)
        assert rig.top is None

    def test_f12_without_a_quantity_says_that_there_is_none(self, rig: Rig) -> None:
        sheet = open_return(rig, sell_tea(rig))
        write("0")
        rig.settle()
        press(Qt.Key.Key_F12)
        assert sheet.problem.text() == "还没有选商品。请在行上输入数量。"
        assert sheet.fields[0].hasFocus()

    def test_a_return_without_a_reason_is_refused(self, rig: Rig) -> None:
        sheet = one_back(rig, sell_tea(rig))
        sheet.submit()
        assert "请选原因" in sheet.problem.text()

    def test_enter_before_the_preview_gives_nothing_back_and_says_nothing_wrong(
        self, rig: Rig
    ) -> None:
        sheet = open_return(rig, sell_tea(rig))
        sheet.reason.choose("faulty")
        with rig.busy_store():
            write("1")
            sheet.submit()
            assert sheet.problem.text() == ""
        rig.until(lambda: sheet.quote is not None)
        assert rig.top is sheet

    def test_enter_after_a_preview_that_failed_asks_for_it_again(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sheet = open_return(rig, sell_tea(rig))
        with monkeypatch.context() as busy:
            busy.setattr(Desk, "preview_return", store_busy)
            write("1")
            rig.until(lambda: sheet.problem.text() != "" and not sheet._quoting.waiting)
        sheet.reason.setFocus()
        press(Qt.Key.Key_Return)
        rig.until(lambda: sheet.quote is not None)
        assert rig.top is sheet

    def test_a_receipt_scanned_into_an_open_sale_says_why_not(self, rig: Rig) -> None:
        receipt = sell_tea(rig)
        rig.amount("5")
        rig.scan(receipt)
        assert rig.top is None
        assert "有未结的单" in rig.shell.strip.text
        assert rig.counter.sale.amount.text() == "5"

    def test_flow_10s_first_step_lists_the_members_purchases(self, rig: Rig) -> None:
        sell_tea(rig)
        rig.attach()
        press(Qt.Key.Key_F8)
        sheet = rig.top
        assert isinstance(sheet, FindReceipt)
        rig.until(lambda: sheet.rows.rowCount() > 0)
        press(Qt.Key.Key_Down)
        press(Qt.Key.Key_Return)
        rig.until(lambda: isinstance(rig.top, ReturnSheet))

    def test_an_action_that_nobody_knows_is_said_to_be_none(self, rig: Rig) -> None:
        press(Qt.Key.Key_F11)
        sheet = rig.top
        assert isinstance(sheet, FindAction)
        assert not sheet.said.isVisible()
        write("qqq")
        assert sheet.said.isVisible()
        assert sheet.said.text() == "没有这样的操作。少输几个字母试试。"

    def test_the_lines_of_a_return_are_named_in_the_language_of_the_screen(self, rig: Rig) -> None:
        rig.scan(sell_tea(rig))
        rig.until(lambda: isinstance(rig.top, ReturnSheet))
        said = {label.text() for label in rig.shell.sheets.findChildren(QLabel)}
        assert "铁观音 250 克" in said
        rig.window.switch_language("en")
        said = {label.text() for label in rig.shell.sheets.findChildren(QLabel)}
        assert "Tieguanyin 250 g" in said
        assert "铁观音 250 克" not in said

    def test_flow_10_four_digits_list_the_members_sales_and_enter_returns(self, rig: Rig) -> None:
        receipt = sell_tea(rig)
        press(Qt.Key.Key_F8)
        sheet = rig.top
        assert isinstance(sheet, FindReceipt)
        assert sheet.table.isHidden()
        write("6621")
        press(Qt.Key.Key_Return)
        rig.until(sheet.table.hasFocus)
        newest = sheet.rows.record(0)
        assert newest is not None
        assert newest.receipt_no == receipt
        press(Qt.Key.Key_Return)
        rig.until(lambda: isinstance(rig.top, ReturnSheet))

    def test_flow_10_digits_of_nobody_say_so_and_stay(self, rig: Rig) -> None:
        press(Qt.Key.Key_F8)
        sheet = rig.top
        assert isinstance(sheet, FindReceipt)
        write("9999")
        press(Qt.Key.Key_Return)
        rig.until(lambda: "没有这个小票号" in sheet.problem.text())
        assert sheet.number.text() == "9999"

    def test_the_slip_of_a_return_is_named_and_opens_its_sale(self, rig: Rig) -> None:
        charge(rig, "12", "100")
        rig.amount("12+34")
        rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        assert rig.counter.charging.last_sale is not None
        sale_no = rig.counter.charging.last_sale.receipt_no
        one_back(rig, sale_no)
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Right)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        rig.scan(newest_receipt(rig))
        sheet = rig.sheet(ReturnSheet)
        assert sheet._sale.receipt_no == sale_no
        assert sheet._sale.kept == (0, 1)
        assert rig.shell.strip.text == f"这是退货小票。原单是 {sale_no}。"

    def test_the_slip_of_a_void_says_that_its_sale_is_void(self, rig: Rig) -> None:
        sell_tea(rig)
        rig.act("zf")
        sheet = rig.sheet(VoidSale)
        rig.until(lambda: sheet.quote is not None)
        press(Qt.Key.Key_Right)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        rig.scan(newest_receipt(rig))
        rig.until(lambda: "作废" in rig.shell.strip.text and "没有" not in rig.shell.strip.text)
        assert rig.top is None

    def test_flow_10_offers_ninety_days_and_no_more(self, rig: Rig) -> None:
        sell_tea(rig)
        desk = rig.window.desk
        assert desk is not None
        member = desk.search("6621").hits[0].member_id
        assert len(desk.returnable((member,))) == 5
        rig.shop.clock.now += timedelta(days=88)
        assert len(desk.returnable((member,))) == 1, "those of three days before are too old"


def store_busy(*asked: object) -> None:
    raise Unavailable(Outage.STORE_BUSY)


def newest_receipt(rig: Rig) -> str:
    """The number on the slip of the shift's last document."""
    found: list[str] = []
    desk = rig.window.desk
    assert desk is not None
    rig.window.lanes.run(
        rig.window, "db", lambda: desk.documents_of_shift()[0].receipt_no,
        ok=found.append, failed=lambda error: None,
    )  # fmt: skip
    rig.until(lambda: found)
    return found[0]


def void(rig: Rig, row: int) -> None:
    """Void a document of the shift, the newest is row 0."""
    rig.act("zf")
    sheet = rig.sheet(VoidSale)
    sheet.table.selectRow(row)
    rig.until(lambda: sheet.quote is not None)
    sheet.reason.setFocus()
    press(Qt.Key.Key_Right)
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.top is None)
    rig.settle()


class TestLastSaleCard:
    def test_keeps_the_change_when_an_older_sale_is_voided(self, rig: Rig) -> None:
        charge(rig, "20", "20")
        charge(rig, "50", "100")
        void(rig, 1)
        card = rig.counter.sale.last_sale
        assert card.isVisible()
        assert card._change.text() == "¥50.00"

    def test_goes_when_its_own_sale_is_voided(self, rig: Rig) -> None:
        charge(rig, "20", "20")
        charge(rig, "50", "100")
        void(rig, 0)
        assert rig.counter.sale.last_sale.isHidden()
        assert rig.counter.charging.last_sale is None

    def test_promises_no_slip_by_f10_once_a_void_or_return_came_after_it(self, rig: Rig) -> None:
        charge(rig, "20", "20")
        receipt = sell_tea(rig)
        card = rig.counter.sale.last_sale
        assert [label.isVisible() for label in card._again] == [True, True]
        void(rig, 1)
        assert [label.isVisible() for label in card._again] == [False, False]
        charge(rig, "30", "30")
        assert [label.isVisible() for label in card._again] == [True, True]
        one_back(rig, receipt)
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Right)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        assert [label.isVisible() for label in card._again] == [False, False]
        assert card.isVisible()


class TestScansWhileReturning:
    def test_goods_scanned_are_one_more_piece_that_comes_back(self, rig: Rig) -> None:
        sheet = open_return(rig, sell_tea(rig))
        rig.scan(TEA)
        rig.until(lambda: sheet.quote is not None)
        assert [field.value() for field in sheet.fields] == [1]
        assert sheet._refund.text() == "−¥83.60"
        assert rig.counter.cart.lines == ()

    def test_more_pieces_than_were_sold_are_refused_in_words(self, rig: Rig) -> None:
        sheet = open_return(rig, sell_tea(rig))
        rig.scan(TEA)
        rig.scan(TEA)
        assert [field.value() for field in sheet.fields] == [1]
        assert sheet.problem.text() == "这张小票上没有更多这种商品可退了。"
        assert rig.counter.cart.lines == ()

    @pytest.mark.parametrize("code", [COFFEE, "6999999999999"])
    def test_goods_that_are_not_on_the_receipt_are_refused_in_words(
        self, rig: Rig, code: str
    ) -> None:
        sheet = open_return(rig, sell_tea(rig))
        rig.scan(code)
        assert sheet.problem.text() == "小票上没有这件商品。"
        assert rig.counter.cart.lines == ()
        assert rig.top is sheet

    @pytest.mark.parametrize("code", [TEA, "6999999999999"])
    def test_goods_scanned_before_the_receipt_are_refused_in_words(
        self, rig: Rig, code: str
    ) -> None:
        press(Qt.Key.Key_F8)
        sheet = rig.top
        assert isinstance(sheet, FindReceipt)
        rig.scan(code)
        assert sheet.problem.text() == "这不是小票。请先扫小票。"
        assert rig.counter.cart.lines == ()

    def test_a_misread_receipt_is_no_item(self, rig: Rig) -> None:
        receipt = sell_tea(rig)
        rig.scan(receipt[:-1] + ("0" if receipt[-1] != "0" else "1"))
        assert "小票号没读准" in rig.shell.strip.text
        assert rig.counter.cart.lines == ()

    def test_a_receipt_of_another_till_is_said_to_be_one(self, rig: Rig) -> None:
        rig.scan(receipt_number("27", 5, bytes(16)))
        assert "27 号机的单在这里看不到" in rig.shell.strip.text
        assert rig.counter.cart.lines == ()
