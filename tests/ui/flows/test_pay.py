"""What happens to the money typed in Pay, by real keys on a real store."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from app.domain.errors import Outage, Unavailable
from app.usecases.sell import Sold
from tests.ui.conftest import Rig
from tests.ui.flows.steps import use_points
from tests.ui.flows.test_guard_facts import facts
from tests.ui.keys import press, write
from tests.ui.shop import TEA
from ui.dialogs.find_action import FindAction


class TestTooMuchCash:
    @pytest.mark.parametrize("typed", ["999999999.99", "30000000", "50100.01"])
    def test_is_refused_in_words_and_nothing_is_sold(self, rig: Rig, typed: str) -> None:
        before = rig.documents()
        rig.amount("100")
        pay = rig.open_pay()
        write(typed)
        press(Qt.Key.Key_Return)
        rig.until(lambda: "超过本机上限" in pay.problem.text())
        assert rig.top is pay
        assert not pay.busy
        assert rig.documents() == before

    def test_leaves_pay_ready_for_the_right_amount(self, rig: Rig) -> None:
        rig.amount("100")
        pay = rig.open_pay()
        write("30000000")
        press(Qt.Key.Key_Return)
        rig.until(lambda: "超过本机上限" in pay.problem.text())
        pay.received.selectAll()
        write("200")
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        sold = rig.counter.charging.last_sale
        assert sold is not None
        assert (sold.given_minor, sold.change_minor) == (20000, 10000)

    def test_a_large_but_possible_sum_is_booked_to_the_last_cent(self, rig: Rig) -> None:
        rig.amount("49999.99")
        rig.open_pay()
        write("99999.98")
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        sold = rig.counter.charging.last_sale
        assert sold is not None
        assert sold.given_minor == 9999998


class TestABillPaidByPoints:
    def test_takes_no_cash_and_promises_no_change(self, rig: Rig) -> None:
        assert rig.window.desk is not None
        ctx = rig.window.desk.context
        with ctx.read() as conn:
            programmes = ctx.programmes(conn)
        rules = programmes[0].redemption
        assert rules is not None
        whole = replace(rules, max_share_bp=10000)
        ctx._programmes = tuple(replace(each, redemption=whole) for each in programmes)
        pay = use_points(rig, 1900, "20")
        assert pay._to_pay.text() == "¥0.00"
        write("50")
        assert pay.received.text() == "0.00"
        assert "没有要收的款" in pay.problem.text()
        assert pay._change.text() == "¥0.00"
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        sold = rig.counter.charging.last_sale
        assert sold is not None
        assert (sold.given_minor, sold.change_minor) == (0, 0)


class TestAnotherTenderAndBack:
    def test_cash_that_was_typed_is_back_and_the_next_digit_replaces_it(self, rig: Rig) -> None:
        rig.amount("100")
        pay = rig.open_pay()
        write("150")
        press(Qt.Key.Key_Down)
        press(Qt.Key.Key_Down)
        assert (pay.tender.code, pay.received.text()) == ("card", "100.00")
        press(Qt.Key.Key_Down)
        assert (pay.tender.code, pay.received.text(), pay.change_minor) == ("cash", "150", 5000)
        write("2")
        assert pay.received.text() == "2"

    def test_an_untouched_field_shows_what_is_to_pay(self, rig: Rig) -> None:
        rig.amount("100")
        pay = rig.open_pay()
        press(Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
        press(Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
        assert pay.received.selectedText() == "100.00"


class TestAMemberComesWhilePayIsOpen:
    @pytest.fixture
    def card(self, rig: Rig) -> str:
        """The card of a member who has 5 % off; nobody is attached."""
        rig.attach()
        member = rig.counter.attached
        assert member is not None
        rig.counter.clear_sale()
        rig.settle()
        return member.card_no or ""

    def test_cash_that_was_typed_stays_and_the_change_is_that_of_the_new_price(
        self, rig: Rig, card: str
    ) -> None:
        rig.amount("100")
        pay = rig.open_pay()
        write("200")
        rig.scan(card)
        assert pay.received.text() == "200"
        assert pay._change.text() == "¥105.00"
        assert pay.problem.text() == "现在应收 ¥95.00。"
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        sold = rig.counter.charging.last_sale
        assert sold is not None
        assert (sold.to_pay_minor, sold.given_minor) == (9500, 20000)

    def test_an_untouched_field_shows_the_new_price_and_it_is_said(
        self, rig: Rig, card: str
    ) -> None:
        rig.amount("100")
        pay = rig.open_pay()
        rig.scan(card)
        assert pay.received.text() == "95.00"
        assert pay.received.selectedText() == "95.00"
        assert pay.problem.text() == "现在应收 ¥95.00。"

    @pytest.mark.parametrize("over", [Qt.Key.Key_F1, Qt.Key.Key_F11])
    def test_also_with_help_or_the_actions_over_it_the_new_price_is_taken_and_they_came_late(
        self, rig: Rig, card: str, over: Qt.Key
    ) -> None:
        rig.amount("100")
        pay = rig.open_pay()
        press(over)
        assert rig.top is not pay
        rig.scan(card)
        press(Qt.Key.Key_Escape)
        assert rig.top is pay
        assert pay.received.text() == "95.00"
        assert pay.problem.text() == "现在应收 ¥95.00。"
        rig.until(lambda: pay._painted)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        rig.settle()
        sold = rig.counter.charging.last_sale
        assert sold is not None
        assert (sold.to_pay_minor, sold.given_minor) == (9500, 9500)
        assert facts(rig, "sale")[-1]["attached"] == "after"

    def test_a_qr_payment_takes_exactly_the_new_price(self, rig: Rig, card: str) -> None:
        rig.amount("100")
        pay = rig.open_pay()
        write("200")
        press(Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
        rig.scan(card)
        assert (pay.received.text(), pay.given_minor) == ("95.00", 9500)
        press(Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
        assert (pay.received.text(), pay.change_minor) == ("200", 10500)


def test_goods_scanned_with_the_actions_over_pay_leave_pay_which_costs_another_sum(
    rig: Rig,
) -> None:
    rig.amount("100")
    pay = rig.open_pay()
    press(Qt.Key.Key_F11)
    rig.scan(TEA)
    press(Qt.Key.Key_Escape)
    assert rig.top is None
    assert rig.open_pay() is not pay


def test_the_actions_over_pay_offer_its_tenders_and_nothing_that_pay_is_in_the_way_of(
    rig: Rig,
) -> None:
    rig.amount("100")
    pay = rig.open_pay()
    press(Qt.Key.Key_F11)
    assert rig.shell.refusals.pay() == ""
    assert rig.shell.refusals.sheet() != ""
    write("sm")
    press(Qt.Key.Key_Return)
    assert rig.top is pay
    assert pay.tender.code == "qr"
    press(Qt.Key.Key_Escape)
    press(Qt.Key.Key_F11)
    assert rig.shell.refusals.pay() != ""
    assert rig.shell.refusals.sheet() == ""


def test_a_fault_on_the_way_to_the_sale_leaves_no_pay_that_waits_for_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault() -> None:
        raise RuntimeError("a bug")

    rig.amount("100")
    pay = rig.open_pay()
    monkeypatch.setattr(rig.counter, "keep_pending", fault)
    with rig.qtbot.capture_exceptions() as caught:
        press(Qt.Key.Key_Return)
    assert len(caught) == 1
    assert not pay.busy
    press(Qt.Key.Key_Escape)
    assert rig.top is None


def test_a_refusal_leaves_the_keyboard_with_what_lies_over_pay(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> Sold:
        raise Unavailable(Outage.STORE_BUSY)

    assert rig.window.desk is not None
    monkeypatch.setattr(rig.window.desk, "sell", busy)
    rig.amount("368")
    pay = rig.open_pay()
    with rig.busy_store():
        press(Qt.Key.Key_Return)
        assert pay.busy
        press(Qt.Key.Key_F11)
        actions = rig.sheet(FindAction)
    rig.until(lambda: not pay.busy)
    assert actions.field.hasFocus()
    press(Qt.Key.Key_Escape)
    assert pay.received.hasFocus()
    assert pay.problem.text() != ""


@pytest.mark.parametrize("over", [Qt.Key.Key_F1, Qt.Key.Key_F11])
def test_f12_over_what_covers_pay_shows_it_first_and_takes_money_then(
    rig: Rig, over: Qt.Key
) -> None:
    rig.amount("368")
    pay = rig.open_pay()
    press(over)
    press(Qt.Key.Key_F12)
    assert rig.top is pay
    assert not pay.busy
    rig.until(lambda: pay._painted)
    press(Qt.Key.Key_F12)
    rig.until(lambda: rig.top is None)
    assert rig.documents() == 1
