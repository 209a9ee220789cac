"""Open the drawer without a sale, for a reason that is kept. The pulse itself is app.spool's `kick`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app import posting
from app.context import Changes, Context, Session
from app.domain.business_day import BusinessDate
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right
from app.usecases.done import Done
from app.usecases.rights import require

REASONS: Final = ("give_change", "check", "mistake", "other")


@dataclass(frozen=True, slots=True)
class OpenDrawer:
    """The person at the till wants the drawer open."""

    command_id: bytes
    session: Session
    reason: str


def open_drawer(ctx: Context, command: OpenDrawer) -> Done[bytes]:
    """Record the opening, before anything moves; the event's id is the result.

    Raises Refused: REASON_NEEDED, SHIFT_NEEDED, SHIFT_COUNTED, NOT_ALLOWED.
    """
    if command.reason not in REASONS:
        raise Refused(Refusal.REASON_NEEDED)
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(tx.known.id, again=True)
        shift = tx.shift()
        require(
            ctx, tx.conn, command.session, Right.DRAWER,
            command_id=command.command_id, reason=command.reason,
        )  # fmt: skip
        event = tx.record(
            posting.DRAWER,
            event_id=ctx.ids(),
            session=Session(command.session.staff_id, shift.id),
            business_date=BusinessDate(shift.business_date),
            doc={"reason": command.reason},
        )
    return Done(event.id, Changes(kinds=frozenset({"drawer"})), warning=ctx.warning())
