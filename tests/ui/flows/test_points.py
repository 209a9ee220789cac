"""Points that pay, and looking into a member's points (flow 7), by real keys on a real store."""

from __future__ import annotations

from functools import partial

import pytest
from PySide6.QtCore import Qt

from app import posting
from app.queries.records import MemberPanel
from db import people, rows
from tests.ui.conftest import Rig
from tests.ui.flows.steps import shows
from tests.ui.keys import press, write
from tests.ui.shop import TEA
from ui.dialogs.confirm_person import ConfirmPerson
from ui.dialogs.pay import Pay
from ui.dialogs.points import Ledger, Lots, WhyPoints


class TestPoints:
    def test_flow_7_the_most_by_f6_enter(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("100")
        press(Qt.Key.Key_F6)
        rig.settle()
        assert rig.counter.sale.redeem.field.text() == "4700"
        press(Qt.Key.Key_Return)
        rig.settle()
        assert rig.counter.charging.quote is not None
        assert rig.counter.charging.quote.draft.to_pay_minor == 4800
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
        rig.until(
            lambda: (
                rig.counter.sale.redeem._limit.text() == "按 100 分一档。请输入 1,900 或 2,000。"
            )
        )
        press(Qt.Key.Key_Return)
        rig.settle()
        assert rig.counter.cart.redeem_points == 0
        assert rig.counter.sale.redeem.isVisible()

    def test_too_many_points_say_the_most_in_red(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("100")
        press(Qt.Key.Key_F6)
        rig.settle()
        limit = rig.counter.sale.redeem._limit
        assert limit.property("tone") == ""
        write("99999")
        rig.settle()
        assert limit.text().startswith("最多可抵 4,700 分（¥47.00）")
        assert limit.property("tone") == "danger"
        rig.counter.sale.redeem.field.selectAll()
        write("2000")
        rig.settle()
        assert limit.property("tone") == ""

    def test_the_most_is_said_in_points_and_money(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("100")
        press(Qt.Key.Key_F6)
        rig.settle()
        said = rig.counter.sale.redeem._limit.text()
        assert said.startswith("最多可抵 4,700 分（¥47.00）")

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


def silence(rig: Rig, text: str = "6621") -> None:
    """The member was here last four hundred days ago."""
    desk = rig.window.desk
    assert desk is not None
    member_id = desk.search(text).hits[0].member_id
    with desk.context.write_rows() as conn:
        people.visited(conn, member_id, int(desk.context.business_date()) - 400)


def accepted(rig: Rig, amount: str = "368", points: str = "2000") -> None:
    """A sale of an amount, and points accepted for it; the focus is in the amount again."""
    rig.attach()
    rig.amount(amount)
    press(Qt.Key.Key_F6)
    write(points)
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.counter.cart.redeem_points == int(points))
    rig.settle()


def corrected(rig: Rig, to: str = "", *, back: int = 1) -> None:
    """The last digits are taken back and typed anew, each key with its answer."""
    press(Qt.Key.Key_End)
    for _ in range(back):
        press(Qt.Key.Key_Backspace)
        rig.settle()
    for digit in to:
        write(digit)
        rig.settle()


class TestLedger:
    def test_goes_on_where_it_is_gone_down_with_the_balances_going_on_too(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.queries.members.LEDGER_SHOWN", 3)
        rig.attach()
        rig.act("ls")
        sheet = rig.sheet(Ledger)
        assert sheet._rows.rowCount() == 3
        for _ in range(2):
            press(Qt.Key.Key_Down)
        rig.until(lambda: sheet._rows.rowCount() == 4)
        assert sheet.table.currentIndex().row() == 2
        lines = [sheet._rows.record(row) for row in range(4)]
        balances = [line.balance_after for line in lines if line is not None]
        amounts = [line.amount for line in lines if line is not None]
        assert balances == [sum(amounts[at:]) for at in range(4)]
        press(Qt.Key.Key_Down)
        rig.settle()
        assert sheet._rows.rowCount() == 4


class TestAcceptedPoints:
    def test_stay_while_the_amount_is_corrected(self, rig: Rig) -> None:
        accepted(rig)
        corrected(rig, "86", back=2)
        assert rig.counter.sale.amount.text() == "386"
        assert rig.counter.sale.to_pay.text() == "¥346.70"
        assert rig.counter.sale.problem.isHidden()
        assert rig.open_pay().quote.draft.points_spent == 2000

    def test_that_do_not_fit_are_said_with_the_most_that_does(self, rig: Rig) -> None:
        accepted(rig)
        corrected(rig)
        said = rig.counter.sale.problem.text()
        assert said.startswith("2,000 分这一单用不了。按 F6 更改。最多可抵 1,700 分（¥17.00）")
        assert rig.counter.cart.redeem_points == 2000
        assert rig.counter.sale.to_pay.text() == "¥34.20", "the price without them"

    def test_that_do_not_fit_keep_pay_shut(self, rig: Rig) -> None:
        accepted(rig)
        corrected(rig)
        for key in (Qt.Key.Key_F12, Qt.Key.Key_Return):
            press(key)
            rig.settle()
            assert rig.top is None
            assert "用不了" in rig.counter.sale.problem.text()
            assert rig.counter.sale.amount.hasFocus()

    def test_that_do_not_fit_are_changed_by_f6_enter(self, rig: Rig) -> None:
        accepted(rig)
        corrected(rig)
        assert "用不了" in rig.counter.sale.problem.text()
        press(Qt.Key.Key_F6)
        rig.settle()
        most = rig.counter.sale.redeem.points
        assert most == 1700
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.counter.cart.redeem_points == most)
        rig.settle()
        assert rig.counter.sale.problem.isHidden()
        assert rig.open_pay().quote.draft.points_spent == most

    def test_go_when_the_cart_is_emptied(self, rig: Rig) -> None:
        accepted(rig)
        press(Qt.Key.Key_Escape)
        rig.settle()
        assert rig.counter.cart.is_empty
        rig.scan(TEA)
        assert rig.counter.cart.redeem_points == 0
        assert rig.counter.sale.to_pay.text() == "¥83.60"

    def test_come_back_with_the_amount_that_undo_brings_back(self, rig: Rig) -> None:
        accepted(rig)
        press(Qt.Key.Key_Escape)
        rig.settle()
        rig.shell.strip._button.click()
        rig.settle()
        assert rig.counter.cart.redeem_points == 2000
        assert rig.counter.sale.to_pay.text() == "¥329.60"


class TestSilentPhone:
    def test_f6_asks_for_the_name_before_points_go_out(self, rig: Rig) -> None:
        silence(rig)
        rig.attach()
        rig.amount("100")
        press(Qt.Key.Key_F6)
        sheet = rig.top
        assert isinstance(sheet, ConfirmPerson)
        assert rig.counter.sale.redeem.isHidden()
        press(Qt.Key.Key_Return)
        assert shows(rig, ConfirmPerson), "the habit of F6 Enter confirms nobody"
        press(Qt.Key.Key_Space)
        rig.until(rig.counter.sale.redeem.field.hasFocus)
        assert rig.counter.sale.redeem.points == 4700

    def test_the_sale_says_how_the_member_was_made_sure_of(self, rig: Rig) -> None:
        silence(rig)
        rig.attach()
        rig.amount("100")
        press(Qt.Key.Key_F6)
        press(Qt.Key.Key_Space)
        rig.until(rig.counter.sale.redeem.field.hasFocus)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.counter.cart.redeem_points == 4700)
        assert sold_doc(rig)["verified"] == "name"

    def test_the_members_own_card_is_proof_too(self, rig: Rig) -> None:
        silence(rig)
        rig.attach()
        member = rig.counter.attached
        assert member is not None
        rig.amount("100")
        press(Qt.Key.Key_F6)
        rig.scan(member.card_no or "")
        rig.until(rig.counter.sale.redeem.field.hasFocus)
        assert rig.counter.cart.verified == "card"

    def test_another_members_card_is_none(self, rig: Rig) -> None:
        other = asked_beside_another(rig)
        rig.scan(other.card_no or "")
        assert rig.counter.cart.verified == ""
        assert rig.counter.sale.redeem.isHidden()

    def test_the_question_goes_with_the_member_whom_it_is_about(self, rig: Rig) -> None:
        other = asked_beside_another(rig)
        assert shows(rig, ConfirmPerson)
        rig.scan(other.card_no or "")
        rig.clock.now += 2
        rig.scan(other.card_no or "")
        assert rig.counter.cart.member_id == other.member_id
        assert rig.top is None
        assert rig.counter.cart.verified == "card"

    def test_escape_leaves_the_points_and_keeps_the_sale(self, rig: Rig) -> None:
        silence(rig)
        rig.attach()
        rig.amount("100")
        press(Qt.Key.Key_F6)
        press(Qt.Key.Key_Escape)
        rig.settle()
        assert rig.top is None
        assert rig.counter.cart.redeem_points == 0
        assert "verified" not in sold_doc(rig)

    def test_an_edit_of_the_profile_is_no_proof(self, rig: Rig) -> None:
        silence(rig)
        rig.attach()
        rig.amount("100")
        rig.counter.refresh_member()
        rig.settle()
        press(Qt.Key.Key_F6)
        assert shows(rig, ConfirmPerson)

    def test_points_of_a_kept_sale_are_asked_about_again_before_pay(self, rig: Rig) -> None:
        silence(rig)
        rig.attach()
        rig.amount("100")
        kept = rig.counter.cart.with_points(1000)
        rig.counter.clear_sale()
        rig.counter.restore(kept)
        press(Qt.Key.Key_F12)
        rig.until(lambda: isinstance(rig.top, ConfirmPerson))
        press(Qt.Key.Key_Space)
        rig.until(lambda: isinstance(rig.top, Pay))

    def test_a_refused_sale_asks_for_the_name_and_leads_back_to_pay(self, rig: Rig) -> None:
        rig.attach()  # Shown before the phone turned silent: the panel asks nothing.
        rig.amount("100")
        press(Qt.Key.Key_F6)
        rig.settle()
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.counter.cart.redeem_points == 4700)
        silence(rig)
        rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: isinstance(rig.top, ConfirmPerson))
        press(Qt.Key.Key_Space)
        rig.until(lambda: isinstance(rig.top, Pay))

    def test_who_was_found_by_card_or_came_lately_is_not_asked(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("100")
        press(Qt.Key.Key_F6)
        assert rig.top is None
        assert not rig.counter.sale.redeem.isHidden()


def sold_doc(rig: Rig) -> dict[str, object]:
    """Charge what stands there; the facts of the sale's event."""
    rig.open_pay()
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.top is None)
    sold, desk = rig.counter.charging.last_sale, rig.window.desk
    assert sold is not None
    assert desk is not None
    with desk.context.read() as conn:
        row = rows.event_by_id(conn, sold.event_id)
    assert row is not None
    return posting.event_of(row).doc


def asked_beside_another(rig: Rig) -> MemberPanel:
    """Who is asked to prove themselves is attached; another member, whose card is at hand."""
    silence(rig)
    rig.attach("6608")
    other = rig.counter.attached
    assert other is not None
    rig.counter.clear_sale()
    rig.attach()
    rig.amount("100")
    press(Qt.Key.Key_F6)
    return other
