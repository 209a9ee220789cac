"""The blind count of a drawer (counter-flows.md flow 17): one try, by denomination, then the difference.

What the drawer should hold is worked out here and nowhere else, in the transaction that keeps the count.
Queries and slips read it from the count's event, so nobody can see it before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlcipher3.dbapi2 import Connection

from app import posting
from app.context import Changes, Context, Session, Tx
from app.domain.business_day import BusinessDate
from app.domain.drawer import DrawerSums, counted_total
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right
from app.protocol.events import Event
from app.queries.drawer import voided_return
from app.slips import slip_of
from app.usecases.done import Done
from app.usecases.rights import require
from db import drawer, rows, till


@dataclass(frozen=True, slots=True)
class CountDrawer:
    """What was counted in the drawer of a shift: (face value in minor units, pieces)."""

    command_id: bytes
    session: Session
    shift_id: bytes
    counted: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """The count as committed. `difference_minor` below zero: cash is missing."""

    event_id: bytes
    shift_id: bytes
    total_minor: int
    sums: DrawerSums
    difference_minor: int


def count_drawer(ctx: Context, command: CountDrawer) -> Done[Counted]:
    """Keep the count of the open shift; from now on it only closes.

    Raises Refused: SHIFT_NEEDED (it isn't the open one), SHIFT_COUNTED (by another command: there
    is no second try), COUNT_INVALID, NOT_ALLOWED.
    """
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(counted_of(tx.known), again=True)
        event = _commit(ctx, tx, command)
    changes = Changes(kinds=frozenset({"shift", "print"}))
    return Done(counted_of(event), changes, warning=ctx.warning())


def _commit(ctx: Context, tx: Tx, command: CountDrawer) -> Event:
    shift = tx.shift()
    if shift.id != command.shift_id:
        raise Refused(Refusal.SHIFT_NEEDED)
    require(ctx, tx.conn, command.session, Right.SHIFT, command_id=command.command_id)
    total = counted_total(command.counted, ctx.till.currency.code)
    sums = shift_sums(tx.conn, shift.id)
    event = tx.record(
        posting.COUNT,
        event_id=ctx.ids(),
        session=Session(command.session.staff_id, shift.id),
        business_date=BusinessDate(shift.business_date),
        doc=count_facts(command.counted, total, sums),
    )
    slip = slip_of(ctx, tx.conn, event)
    assert slip is not None, "a count has a slip"
    tx.print(event, posting.COUNT, slip)
    return event


def count_facts(
    counted: Iterable[tuple[int, int]], total_minor: int, sums: DrawerSums
) -> dict[str, Any]:
    """What a count event holds."""
    return {
        "counted": [[value, pieces] for value, pieces in counted if pieces],
        "total": total_minor,
        "sums": asdict(sums),
        "expected": sums.expected_minor,
        "difference": total_minor - sums.expected_minor,
        "attempt": 1,
    }


def counted_of(event: Event) -> Counted:
    """The outcome of a count, from its event alone."""
    doc: dict[str, Any] = event.doc
    assert event.shift_id is not None, "a count belongs to a shift"
    return Counted(
        event.id, event.shift_id, doc["total"], DrawerSums(**doc["sums"]), doc["difference"]
    )


def count_of(conn: Connection, shift: till.ShiftRow) -> Counted | None:
    """The count of a shift, None before it."""
    if shift.counted_seq is None:
        return None
    row = rows.event_by_seq(conn, shift.counted_seq)
    assert row is not None, "a counted shift has its count"
    return counted_of(posting.event_of(row))


def shift_sums(conn: Connection, shift_id: bytes) -> DrawerSums:
    """The cash of a shift up to now, from its events. Only for a transaction that ends the shift."""
    sums = DrawerSums()
    for row in drawer.cash_events(conn, shift_id):
        sums = sums_after(conn, sums, posting.event_of(row))
    return sums


def sums_after(conn: Connection, sums: DrawerSums, event: Event) -> DrawerSums:
    """The sums with one more event of the shift."""
    return sums.after(event.kind, event.doc, voided_return(conn, event))
