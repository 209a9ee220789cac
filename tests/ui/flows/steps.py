"""Steps that several flows begin with."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.context import Context
from app.usecases.close_day import (
    BeginClose,
    CloseDay,
    begin,
    close_day,
    date_to_close,
    end_shift_unattended,
    prove,
)
from tests.ui.conftest import Rig
from tests.ui.keys import press, write
from tests.ui.shop import TEA
from ui.dialogs.pay import Pay
from ui.dialogs.return_goods import ReturnSheet
from ui.widgets.sheet import Sheet


def shows(rig: Rig, kind: type[Sheet]) -> bool:
    return isinstance(rig.top, kind)


def charge_tea(rig: Rig) -> None:
    """One tin of tea to the first member, and Enter in Pay."""
    rig.attach()
    rig.counter.sale.amount.setFocus()
    rig.scan(TEA)
    rig.settle()
    rig.open_pay()
    press(Qt.Key.Key_Return)


def use_points(rig: Rig, points: int, amount: str = "368") -> Pay:
    """The first member pays an amount with so many points; Pay is open."""
    rig.attach()
    rig.amount(amount)
    press(Qt.Key.Key_F6)
    write(str(points))
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.counter.cart.redeem_points == points)
    return rig.open_pay()


def sell_tea(rig: Rig) -> str:
    """A sale of one tin of tea to the first member; returns its receipt number."""
    charge_tea(rig)
    rig.until(lambda: rig.top is None)
    assert rig.counter.charging.last_sale is not None
    return rig.counter.charging.last_sale.receipt_no


def open_return(rig: Rig, receipt_no: str) -> ReturnSheet:
    """Flow 9: the receipt is scanned."""
    rig.scan(receipt_no)
    return rig.sheet(ReturnSheet)


def one_back(rig: Rig, receipt_no: str) -> ReturnSheet:
    """One piece of the first line, quoted; no reason yet."""
    sheet = open_return(rig, receipt_no)
    write("1")
    rig.until(lambda: sheet.quote is not None)
    return sheet


def close_every_date(rig: Rig) -> Context:
    """The till closes what is open, today's date too, as if it were night; nobody has a shift now."""
    assert rig.window.desk is not None
    ctx = rig.window.desk.context

    def close() -> int:
        number = 0
        while (on := date_to_close(ctx)) is not None:
            end_shift_unattended(ctx, on)
            closing = begin(ctx, BeginClose(ctx.ids(), None, on))
            number = close_day(ctx, CloseDay(closing, prove(ctx), None, None)).result.number
        return number

    done: list[object] = []
    rig.window.lanes.run(rig.window, "db", close, ok=done.append, failed=done.append)
    rig.until(lambda: done)
    assert done == [2], done
    return ctx


def charge(rig: Rig, amount: str, given: str) -> None:
    """A sale of an amount to nobody, paid in cash."""
    rig.amount(amount)
    rig.open_pay()
    write(given)
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.top is None)
    rig.settle()
