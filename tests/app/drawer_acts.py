"""What tests of the drawer do with it: sell, give back, undo, move cash, count, close; and what they read."""

from __future__ import annotations

from typing import Literal

import pytest

from app.context import Session
from app.domain.documents import LineRequest, ReturnedLine, SaleRequest
from app.domain.errors import Refusal, Refused
from app.queries import counter
from app.usecases.cash_move import MoveCash, move_cash
from app.usecases.close_shift import CloseShift
from app.usecases.count import CountDrawer
from app.usecases.return_goods import ReturnGoods, preview_return, return_goods
from app.usecases.sell import Payment, Sell, Sold, sell
from app.usecases.void import Void, preview_void, void
from tests.fakes import Shop

FLOAT = 50_000


def sale(
    shop: Shop,
    session: Session,
    minor: int,
    tender: str = "cash",
    given: int = 0,
    member: bytes | None = None,
) -> Sold:
    """A sale of one amount."""
    ctx = shop.till.context
    request = SaleRequest((LineRequest(minor),))
    quote = counter.quote(ctx, member, request)
    payment = Payment(tender, given or quote.draft.to_pay_minor)
    return sell(ctx, Sell(ctx.ids(), session, member, request, payment, quote.key)).result


def give_back(shop: Shop, session: Session, sale_id: bytes) -> bytes:
    """The whole first line of a sale comes back."""
    ctx = shop.till.context
    lines = (ReturnedLine(0, 1),)
    shown = preview_return(ctx, sale_id, lines)
    command = ReturnGoods(
        ctx.ids(), session, sale_id, lines, "faulty", shown.refund_minor, shown.balance_after
    )
    return return_goods(ctx, command).result.event_id


def undo(shop: Shop, session: Session, event_id: bytes) -> None:
    ctx = shop.till.context
    shown = preview_void(ctx, event_id)[0]
    void(ctx, Void(ctx.ids(), session, event_id, "test", shown.balance_after))


def move(shop: Shop, session: Session, direction: str, minor: int, reason: str = "other") -> None:
    ctx = shop.till.context
    way: Literal["in", "out"] = "in" if direction == "in" else "out"
    move_cash(ctx, MoveCash(ctx.ids(), session, way, minor, reason))


def pieces(minor: int) -> tuple[tuple[int, int], ...]:
    """An amount in the fewest notes and coins of China."""
    found = []
    for value in (10000, 5000, 2000, 1000, 500, 100, 50, 10):
        count, minor = divmod(minor, value)
        found.append((value, count))
    assert minor == 0
    return tuple(found)


def counting(shop: Shop, session: Session, minor: int) -> CountDrawer:
    assert session.shift_id is not None
    return CountDrawer(shop.till.context.ids(), session, session.shift_id, pieces(minor))


def closing(shop: Shop, session: Session, reason: str = "") -> CloseShift:
    assert session.shift_id is not None
    return CloseShift(shop.till.context.ids(), session, session.shift_id, reason)


def slips(shop: Shop, kind: str) -> list[str]:
    """The documents of the print jobs of a kind, oldest first."""
    with shop.till.context.read() as conn:
        jobs = conn.execute("SELECT document FROM print_job WHERE kind = ? ORDER BY id", (kind,))
        return [row[0] for row in jobs]


def refusal(call: object, *arguments: object) -> Refusal:
    with pytest.raises(Refused) as refused:
        call(*arguments)  # type: ignore[operator]  # a use-case
    return refused.value.code
