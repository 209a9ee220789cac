"""Open a shift with its float (counter-flows.md flow 15). A sale needs an open shift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlcipher3.dbapi2 import Connection

from app import posting
from app.context import Changes, Context, Session
from app.domain.business_day import BusinessDate
from app.domain.clock import check_business_date, check_clock
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right
from app.protocol.events import instant_of
from app.queries.selling_date import next_date
from app.shut import require_trade
from app.usecases.close_day import LastClose, last_close
from app.usecases.done import Done
from app.usecases.rights import require
from db import filling, rows, till

MOST_APART: Final = timedelta(minutes=10)
"""How far this clock may be from head office's."""


@dataclass(frozen=True, slots=True)
class OpenShift:
    """The cashier's spell begins with `float_minor` in the drawer."""

    command_id: bytes
    session: Session
    float_minor: int


def open_shift(ctx: Context, command: OpenShift) -> Done[Session]:
    """Open a shift on today's business date, or on the later one that this till works for already.

    Raises Refused: SHIFT_OPEN (somebody's shift of the same business date is open), SHIFT_UNCLOSED
    (one of an earlier date: it is counted and closed first, counter-flows.md S47), CLOCK_BEHIND
    (clock earlier than the last event: domain.md section 3, "Clock"), and APPROVAL_NEEDED when the
    date is more than one day past the last close (Right.DATE_AHEAD).
    """
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(Session(command.session.staff_id, tx.known.shift_id), again=True)
        require_trade(tx.conn)
        closed = last_close(tx.conn)
        today = next_date(ctx, tx.conn)
        _check_clock(ctx, tx.conn)
        approval = _check_ahead(ctx, tx.conn, command, today, closed)
        current = till.open_shift(tx.conn)
        if current is not None:
            same_day = current.business_date == today
            raise Refused(Refusal.SHIFT_OPEN if same_day else Refusal.SHIFT_UNCLOSED)
        filling.end(tx.conn)  # from now on phones are asked for
        shift_id = ctx.ids()
        session = Session(command.session.staff_id, shift_id)
        tx.record(
            posting.SHIFT_OPEN,
            event_id=ctx.ids(),
            session=session,
            business_date=today,
            doc={"float": command.float_minor, "approval": approval},
        )
    return Done(session, Changes(kinds=frozenset({"shift"})), warning=ctx.warning())


def _check_ahead(
    ctx: Context,
    conn: Connection,
    command: OpenShift,
    today: BusinessDate,
    closed: LastClose | None,
) -> dict[str, Any] | None:
    """Past the day after the last close a supervisor agrees: the date may be a wrong clock's."""
    if closed is None:
        return None
    last = BusinessDate(closed.on)
    try:
        check_business_date(today, last, last, None, supervisor=False)
    except Refused as refused:
        if refused.code is not Refusal.BUSINESS_DATE_AHEAD:
            raise
    else:
        return None
    return require(
        ctx, conn, command.session, Right.DATE_AHEAD,
        command_id=command.command_id, amount=today - last,
        facts=(("date", int(today)), ("last_close", int(last))),
    )  # fmt: skip


def _check_clock(ctx: Context, conn: Connection) -> None:
    """By the till's own journal: there is no head office to compare with yet."""
    head = rows.head(conn)
    last = rows.event_by_seq(conn, head[0]) if head else None
    last_at = instant_of(posting.event_of(last).at_us) if last else None
    check_clock(ctx.clock(), last_at, None, most_apart=MOST_APART)
