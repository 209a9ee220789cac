"""Voids (flow 11), by real keys on a real store."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from app.domain.programme import SpentPolicy
from tests.ui.conftest import Rig
from tests.ui.flows.steps import charge, one_back, sell_tea, use_points
from tests.ui.keys import press, write
from tests.ui.shop import TEA
from ui.desk_records import Scan
from ui.dialogs.void_sale import VoidSale


class TestVoid:
    def test_flow_11_void_by_initials(self, rig: Rig) -> None:
        sell_tea(rig)
        rig.act("zf")
        sheet = rig.sheet(VoidSale)
        rig.until(lambda: sheet.quote is not None)
        press(Qt.Key.Key_Right)
        press(Qt.Key.Key_Return)
        rig.hear("已作废")
        assert rig.top is None

    def test_the_entries_that_a_void_makes_are_listed_with_their_lots(self, rig: Rig) -> None:
        use_points(rig, 2000)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        rig.act("zf")
        sheet = rig.sheet(VoidSale)
        rig.until(lambda: sheet.quote is not None)
        assert sheet._entries.text().split("\n") == [
            "+2,000 分，退还：2027-11-30 到期批次 +2,000 分。",
            "−329 分，收回：2027-11-30 到期批次 −329 分。",
        ]

    @pytest.mark.parametrize(
        ("qr", "said"),
        [
            (False, "向顾客收回现金 ¥83.60。"),
            (True, "向顾客收回 扫码 ¥83.60。 先在支付端重新收取扫码和银行卡款，再作废。"),
        ],
    )
    def test_voiding_a_return_says_what_the_customer_pays_again(
        self, rig: Rig, qr: bool, said: str
    ) -> None:
        rig.attach()
        rig.scan(TEA)
        pay = rig.open_pay()
        if qr:
            pay.tender.choose("qr")
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        assert rig.counter.charging.last_sale is not None
        one_back(rig, rig.counter.charging.last_sale.receipt_no)
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Right)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        rig.act("zf")
        sheet = rig.sheet(VoidSale)
        rig.until(lambda: sheet.quote is not None)
        assert sheet._points.text().startswith(said)

    def test_the_largest_figure_of_a_void_is_what_is_given_back(self, rig: Rig) -> None:
        settle_spent_points(rig, "deduct")
        charge_member(rig, "6608", "300")
        charge_member(rig, "6608", "100", points="300")
        rig.act("zf")
        sheet = rig.sheet(VoidSale)
        rig.until(lambda: sheet.quote is not None)
        sheet.table.selectRow(1)
        rig.until(lambda: "积分已用掉，扣下" in sheet._points.text())
        assert sheet.quote is not None
        kept = sheet.quote.settlement.charged_minor
        assert kept > 0
        said = rig.window._kit.formats.money
        assert sheet._money.text() == said(kept - 30000)
        assert f"积分已用掉，扣下 {said(kept)}。" in sheet._points.text()

    def test_a_document_of_this_shift_is_found_by_its_number_or_a_scan_of_its_receipt(
        self, rig: Rig
    ) -> None:
        numbers = []
        for amount in ("12", "34", "56"):
            charge(rig, amount, "100")
            assert rig.counter.charging.last_sale is not None
            numbers.append(rig.counter.charging.last_sale.receipt_no)
        rig.act("zf")
        sheet = rig.sheet(VoidSale)
        rig.until(lambda: sheet._money.text() == "−¥56.00")
        sheet.number.setFocus()
        write(str(int(numbers[0].split("-")[1])))
        press(Qt.Key.Key_Return)
        rig.until(lambda: sheet._money.text() == "−¥12.00")
        assert sheet.reason.hasFocus()
        rig.scan(numbers[1])
        rig.until(lambda: sheet._money.text() == "−¥34.00")

    def test_a_number_of_an_earlier_day_is_told_to_be_of_another_shift(self, rig: Rig) -> None:
        charge(rig, "12", "100")
        rig.act("zf")
        sheet = rig.sheet(VoidSale)
        rig.until(lambda: sheet.quote is not None)
        sheet.number.setFocus()
        write("1")
        press(Qt.Key.Key_Return)
        rig.until(lambda: "班" in sheet.problem.text())
        assert sheet._money.text() == ""
        sheet.number.setFocus()
        write("999")
        press(Qt.Key.Key_Return)
        rig.until(lambda: "小票" in sheet.problem.text())

    def test_no_other_document_is_voided_than_the_number_that_stands_there(self, rig: Rig) -> None:
        charge(rig, "12", "100")
        rig.act("zf")
        sheet = rig.sheet(VoidSale)
        rig.until(lambda: sheet.quote is not None)
        sheet.number.setFocus()
        write("999")
        sheet.reason.setFocus()
        press(Qt.Key.Key_Down)
        press(Qt.Key.Key_Return)
        rig.until(lambda: "没有这个小票号" in sheet.problem.text())
        assert rig.top is sheet
        sheet.number.clear()
        sheet.reason.setFocus()
        press(Qt.Key.Key_Return)
        rig.hear("已作废")

    def test_a_row_that_is_chosen_by_hand_takes_the_place_of_a_number(self, rig: Rig) -> None:
        for amount in ("12", "34"):
            charge(rig, amount, "100")
        rig.act("zf")
        sheet = rig.sheet(VoidSale)
        rig.until(lambda: sheet.quote is not None)
        sheet.number.setFocus()
        write("999")
        press(Qt.Key.Key_Down)
        assert sheet.table.hasFocus()
        press(Qt.Key.Key_Down)
        assert sheet.number.text() == ""
        rig.until(lambda: sheet._money.text() == "−¥12.00")

    def test_a_number_that_is_typed_over_does_not_come_back_with_its_answer(self, rig: Rig) -> None:
        sheet, (older, _) = voiding(rig, "12", "34")
        sheet.number.setFocus()
        with rig.busy_store():
            write(older)
            press(Qt.Key.Key_Return)
            sheet.number.selectAll()
            write("99")
        rig.settle()
        assert sheet.number.hasFocus()
        assert sheet.number.text() == "99"
        assert sheet._money.text() == "−¥34.00"

    def test_a_number_that_nobody_has_marks_no_other_one_wrong(self, rig: Rig) -> None:
        sheet, _ = voiding(rig, "12")
        sheet.number.setFocus()
        with rig.busy_store():
            write("999")
            press(Qt.Key.Key_Return)
            press(Qt.Key.Key_Backspace)
        rig.settle()
        assert sheet.problem.text() == ""
        assert sheet.number.property("state") != "wrong"

    def test_a_row_chosen_by_hand_is_not_left_for_a_number_that_is_found_late(
        self, rig: Rig
    ) -> None:
        sheet, (oldest, _, _) = voiding(rig, "12", "34", "56")
        sheet.number.setFocus()
        with rig.busy_store():
            write(oldest)
            press(Qt.Key.Key_Return)
            press(Qt.Key.Key_Down)
            press(Qt.Key.Key_Down)
            press(Qt.Key.Key_Return)
            assert sheet.reason.hasFocus()
        rig.settle()
        assert sheet._money.text() == "−¥34.00"

    def test_a_scanned_receipt_takes_the_place_of_a_typed_number(self, rig: Rig) -> None:
        sheet, _ = voiding(rig, "12")
        sheet.number.setFocus()
        write("9")
        with rig.busy_store():
            assert sheet.takes_scan(Scan("999", "receipt", event_id=bytes(16)))
            assert sheet.number.text() == ""
        rig.until(lambda: "没有这个小票号" in sheet.problem.text())
        assert sheet.number.text() == ""

    def test_nothing_is_voided_while_a_scanned_receipt_is_looked_for(self, rig: Rig) -> None:
        sheet, (older, _) = voiding(rig, "12", "34")
        press(Qt.Key.Key_Right)
        with rig.busy_store():
            assert sheet.takes_scan(Scan(older, "receipt", event_id=bytes(16)))
            press(Qt.Key.Key_Return)
        rig.until(lambda: sheet._money.text() == "−¥12.00")
        rig.settle()
        assert rig.top is sheet

    def test_enter_on_the_row_that_was_current_leaves_an_unknown_number(self, rig: Rig) -> None:
        sheet, _ = voiding(rig, "12")
        sheet.number.setFocus()
        write("999")
        press(Qt.Key.Key_Return)
        rig.until(lambda: "没有这个小票号" in sheet.problem.text())
        press(Qt.Key.Key_Down)
        press(Qt.Key.Key_Return)
        assert sheet.reason.hasFocus()
        assert sheet.number.text() == ""
        assert sheet.number.property("state") != "wrong"
        rig.until(lambda: sheet.quote is not None and sheet.problem.text() == "")
        press(Qt.Key.Key_Right)
        press(Qt.Key.Key_Return)
        rig.hear("已作废")

    def test_the_list_goes_on_where_it_is_gone_down(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.queries.counter.VOIDABLE_SHOWN", 2)
        for amount in ("12", "34", "56"):
            charge(rig, amount, "100")
        rig.act("zf")
        sheet = rig.sheet(VoidSale)
        assert sheet.rows.rowCount() == 2
        sheet.table.setFocus()
        press(Qt.Key.Key_Down)
        rig.until(lambda: sheet.rows.rowCount() == 3)
        press(Qt.Key.Key_Down)
        rig.until(lambda: sheet._money.text() == "−¥12.00")

    def test_a_void_without_a_member_lists_no_entries(self, rig: Rig) -> None:
        rig.amount("12")
        rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        rig.act("zf")
        sheet = rig.sheet(VoidSale)
        rig.until(lambda: sheet.quote is not None)
        assert sheet._entries.isHidden()

    def test_nothing_to_void_is_said_without_a_red_box_or_a_button(self, rig: Rig) -> None:
        rig.act("zf")
        sheet = rig.sheet(VoidSale)
        assert sheet.problem.isVisible()
        assert not sheet.commit.isVisible()
        assert not sheet._money.isVisible()
        press(Qt.Key.Key_Escape)
        assert rig.top is None


def voiding(rig: Rig, *amounts: str) -> tuple[VoidSale, list[str]]:
    """Sales to nobody, and the sheet that voids one, the newest quoted; with each sale's number as typed."""
    numbers = []
    for amount in amounts:
        charge(rig, amount, "100")
        assert rig.counter.charging.last_sale is not None
        numbers.append(str(int(rig.counter.charging.last_sale.receipt_no.split("-")[1])))
    rig.act("zf")
    sheet = rig.sheet(VoidSale)
    rig.until(lambda: sheet.quote is not None)
    return sheet, numbers


def settle_spent_points(rig: Rig, policy: SpentPolicy) -> None:
    """The shop's programme settles points that are spent already in this way."""
    assert rig.window.desk is not None
    ctx = rig.window.desk.context
    with ctx.read() as conn:
        published = ctx.programmes(conn)
    ctx._programmes = tuple(
        replace(each, returns=replace(each.returns, spent_policy=policy)) for each in published
    )


def charge_member(rig: Rig, who: str, amount: str, *, points: str = "") -> None:
    """A sale of an amount to a member, who pays a part of it by points."""
    rig.attach(who)
    rig.amount(amount)
    if points:
        press(Qt.Key.Key_F6)
        write(points)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.counter.cart.redeem_points == int(points))
    rig.open_pay()
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.top is None)
