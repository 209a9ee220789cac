"""Print the X report of the open shift. It is kept as an export: who took these figures, and when."""

from __future__ import annotations

from dataclasses import dataclass

from app import posting
from app.context import Changes, Context, Session
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right
from app.queries.drawer import x_of, x_plain
from app.slips import slip_of
from app.usecases.done import Done
from app.usecases.rights import require
from db import till


@dataclass(frozen=True, slots=True)
class PrintX:
    """The X report on paper, as it stands when this is done."""

    command_id: bytes
    session: Session


def print_x(ctx: Context, command: PrintX) -> Done[bytes]:
    """Queue the X report; the event's id is the result. Raises Refused(SHIFT_NEEDED | NOT_ALLOWED)."""
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(tx.known.id, again=True)
        shift = till.open_shift(tx.conn)
        if shift is None:
            raise Refused(Refusal.SHIFT_NEEDED)
        require(ctx, tx.conn, command.session, Right.SHIFT, command_id=command.command_id)
        report = x_of(ctx, tx.conn)
        event = tx.record(
            posting.EXPORT,
            event_id=ctx.ids(),
            session=Session(command.session.staff_id, shift.id),
            business_date=report.business_date,
            doc={
                "what": "x",
                "form": "print",
                "rows": 0,
                "x": x_plain(report, shift.staff_id),
            },
        )
        slip = slip_of(ctx, tx.conn, event)
        assert slip is not None, "an X report has a slip"
        tx.print(event, posting.EXPORT, slip)
    return Done(event.id, Changes(kinds=frozenset({"print"})), warning=ctx.warning())
