"""Steps of a return of another till's sale, for tests."""

from __future__ import annotations

from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.documents import ForeignSale, ReturnedLine
from app.queries.selling_date import selling_date
from app.sync.returns import Returns
from app.usecases.done import Done
from app.usecases.return_goods import Returned, ReturnGoods, preview_foreign, return_goods
from db import rows
from tests.app.kiosk import Kiosk

ONE = (ReturnedLine(0, 1),)


def number_of(ctx: Context, event_id: bytes) -> str:
    """The receipt number of a document of this till."""
    with ctx.read() as conn:
        row = rows.document_by_event(conn, event_id)
    assert row is not None
    assert row.receipt_no is not None
    return row.receipt_no


def on_of(at: Kiosk) -> BusinessDate:
    """The business date that the till works on."""
    with at.ctx.read() as conn:
        return selling_date(at.ctx, conn)


def command(
    at: Kiosk, sale: ForeignSale, lines: tuple[ReturnedLine, ...], hold: bytes | None
) -> ReturnGoods:
    """The return as the sheet sends it."""
    quote, _ = preview_foreign(at.ctx, sale, lines)
    return ReturnGoods(
        at.ctx.ids(), at.session, sale.event_id, lines, "faulty", quote.refund_minor,
        quote.balance_after, sale, hold,
    )  # fmt: skip


def take_back(
    at: Kiosk, asking: Returns, number: str, lines: tuple[ReturnedLine, ...] = ONE
) -> Done[Returned]:
    """Find another till's sale, have the lines kept, return them."""
    sale = asking.find(number)
    hold = asking.reserve(sale, lines, on_of(at))
    return return_goods(at.ctx, command(at, sale, lines, hold))
