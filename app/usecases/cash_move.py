"""Cash into or out of the drawer beside sales: change fetched, takings to the bank, a supplier paid.

Nothing is compared with what the drawer should hold: a refusal would tell it before the count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from app import posting
from app.context import Changes, Context, Session
from app.domain.business_day import BusinessDate
from app.domain.drawer import above_limit
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right
from app.protocol.events import Event
from app.slips import slip_of
from app.usecases.done import Done
from app.usecases.rights import require, role_of
from db import drawer, staff_rows
from db.connection import Connection

IN_REASONS: Final = ("change_fetched", "float_added", "other")
OUT_REASONS: Final = ("bank", "supplier", "expense", "other")
MOST_MINOR: Final = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class MoveCash:
    """Put `amount_minor` (above zero) into the drawer or take it out, for a reason code."""

    command_id: bytes
    session: Session
    direction: Literal["in", "out"]
    amount_minor: int
    reason: str


@dataclass(frozen=True, slots=True)
class CashMoved:
    """The move as committed."""

    event_id: bytes
    direction: Literal["in", "out"]
    amount_minor: int


def move_cash(ctx: Context, command: MoveCash) -> Done[CashMoved]:
    """Record a pay-in or pay-out with its slip. Raises Refused: REASON_NEEDED, CASH_AMOUNT_NEEDED,
    SHIFT_NEEDED, SHIFT_COUNTED, and what `require` refuses; where the person's moves of this direction in the
    shift, this one with them, come to more than the programme's `cash_move_minor`, a second person is
    asked (docs/decisions/the-shops-day.md, Rights)."""
    if command.reason not in (IN_REASONS if command.direction == "in" else OUT_REASONS):
        raise Refused(Refusal.REASON_NEEDED)
    if not 0 < command.amount_minor <= MOST_MINOR:
        raise Refused(Refusal.CASH_AMOUNT_NEEDED)
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(_moved(tx.known), again=True)
        shift = tx.shift()
        on = BusinessDate(shift.business_date)
        limits = ctx.programme_on(tx.conn, on).limits
        role = role_of(staff_rows.staff_by_id(tx.conn, command.session.staff_id))
        moved = _moved_before(tx.conn, shift.id, command) + command.amount_minor
        above = above_limit(limits.cash_move_minor, role, moved)
        approval = require(
            ctx,
            tx.conn,
            command.session,
            Right.CASH_MOVE_ABOVE if above else Right.CASH_MOVE,
            command_id=command.command_id,
            amount=command.amount_minor,
            reason=command.reason,
            facts=(("act", command.direction),),
        )
        event = tx.record(
            posting.CASH,
            event_id=ctx.ids(),
            session=Session(command.session.staff_id, shift.id),
            business_date=on,
            doc={
                "direction": command.direction,
                "amount": command.amount_minor,
                "reason": command.reason,
                "approval": approval,
            },
        )
        slip = slip_of(ctx, tx.conn, event)
        assert slip is not None, "a cash move has a slip"
        tx.print(event, posting.CASH, slip)
    changes = Changes(kinds=frozenset({"drawer", "print"}))
    return Done(_moved(event), changes, warning=ctx.warning())


def _moved_before(conn: Connection, shift_id: bytes, command: MoveCash) -> int:
    """What the person moved this way in the shift before: a limit of one move would be none at all."""
    sign = 1 if command.direction == "in" else -1
    return sum(
        abs(use.amount_minor)
        for use in drawer.uses_of_shift(conn, shift_id)
        if use.staff_id == command.session.staff_id and use.amount_minor * sign > 0
    )


def _moved(event: Event) -> CashMoved:
    return CashMoved(event.id, event.doc["direction"], event.doc["amount"])
