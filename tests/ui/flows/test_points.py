"""Points that pay, and looking into a member's points (flow 7), by real keys on a real store."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt

from tests.ui.conftest import Rig
from tests.ui.flows.steps import shows
from tests.ui.keys import press, write
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
