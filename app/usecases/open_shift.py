"""Open a shift with its float (counter-flows.md flow 15). A sale needs an open shift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlcipher3.dbapi2 import Connection

from app import posting
from app.context import Changes, Context, Session
from app.domain.business_day import BusinessDate
from app.domain.clock import check_business_date, check_clock
from app.domain.errors import Refusal, Refused
from app.protocol.events import instant_of
from app.usecases.done import Done
from db import rows, till

MOST_APART: Final = timedelta(minutes=10)
"""How far this clock may be from head office's."""


@dataclass(frozen=True, slots=True)
class OpenShift:
    """The cashier's spell begins with `float_minor` in the drawer."""

    command_id: bytes
    session: Session
    float_minor: int


def open_shift(ctx: Context, command: OpenShift) -> Done[Session]:
    """Open a shift on today's business date.

    Raises Refused: SHIFT_OPEN (somebody's shift of the same business date is open), SHIFT_UNCLOSED
    (one of an earlier date: it is counted and closed first, counter-flows.md S47), CLOCK_BEHIND
    (clock earlier than the last event: domain.md section 3, "Clock"), BUSINESS_DATE_BACK.
    """
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(Session(command.session.staff_id, tx.known.shift_id), again=True)
        today = ctx.business_date()
        _check_clock(ctx, tx.conn, today)
        current = till.open_shift(tx.conn)
        if current is not None:
            same_day = current.business_date == today
            raise Refused(Refusal.SHIFT_OPEN if same_day else Refusal.SHIFT_UNCLOSED)
        shift_id = ctx.ids()
        session = Session(command.session.staff_id, shift_id)
        tx.record(
            posting.SHIFT_OPEN,
            event_id=ctx.ids(),
            session=session,
            business_date=today,
            doc={"float": command.float_minor},
        )
    return Done(session, Changes(kinds=frozenset({"shift"})), warning=ctx.warning())


def _check_clock(ctx: Context, conn: Connection, today: BusinessDate) -> None:
    """By the till's own journal: there is no head office and no day close to compare with yet."""
    head = rows.head(conn)
    last = rows.event_by_seq(conn, head[0]) if head else None
    last_at = instant_of(posting.event_of(last).at_us) if last else None
    check_clock(ctx.clock(), last_at, None, most_apart=MOST_APART)
    shift = till.last_shift(conn)
    last_date = BusinessDate(shift.business_date) if shift else None
    check_business_date(today, last_date, None, None, supervisor=False)
