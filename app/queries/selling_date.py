"""Which business date the till sells on, and which one its next shift gets (domain.md section 3)."""

from __future__ import annotations

from app import posting
from app.context import Context
from app.domain.business_day import BusinessDate
from db import rows, till
from db.connection import Connection


def selling_date(ctx: Context, conn: Connection) -> BusinessDate:
    """The business date of the open shift; without one that of the next."""
    shift = till.open_shift(conn)
    return next_date(ctx, conn) if shift is None else BusinessDate(shift.business_date)


def next_date(ctx: Context, conn: Connection) -> BusinessDate:
    """The business date that a shift gets now: today's by the clock, or the later one that this till works
    for already. What is sold after the Z belongs to the next date, and a date never goes back."""
    known = [int(ctx.business_date())]
    closed = rows.last_day_close(conn)
    if closed is not None:
        known.append(posting.event_of(closed).doc["date"] + 1)
    shift = till.last_shift(conn)
    if shift is not None:
        known.append(shift.business_date)
    return BusinessDate(max(known))
