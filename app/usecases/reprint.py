"""Print a slip again, marked 补打/COPY n. The receipt number never changes; the drawer never opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app import posting
from app.context import Changes, Context, Session
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right
from app.slips import slip_of
from app.usecases.done import Done
from app.usecases.rights import require
from app.usecases.z_files import save_statement
from db import rows, staff_rows, till

REASONS: Final = ("customer", "lost", "unreadable", "other")


@dataclass(frozen=True, slots=True)
class Reprint:
    """Another copy of the slip of an event, and why."""

    command_id: bytes
    session: Session
    event_id: bytes
    reason: str


def reprint(ctx: Context, command: Reprint) -> Done[int]:
    """Queue the next copy; its number is the result. Raises Refused: REASON_NEEDED, NOT_ALLOWED,
    DOCUMENT_UNKNOWN."""
    if command.reason and command.reason not in REASONS:
        raise Refused(Refusal.REASON_NEEDED)
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(int(tx.known.doc["copy_no"]), again=True)
        require(
            ctx, tx.conn, command.session, Right.REPRINT, command_id=command.command_id,
            reason=command.reason,
        )  # fmt: skip
        row = rows.event_by_id(tx.conn, command.event_id)
        if row is None or row.kind not in (*posting.DOCUMENTS, posting.DAY_CLOSE):
            raise Refused(Refusal.DOCUMENT_UNKNOWN)
        copy_no = till.next_copy(tx.conn, row.seq)
        staff = staff_rows.staff_by_id(tx.conn, command.session.staff_id)
        original = posting.event_of(row)
        slip = slip_of(
            ctx,
            tx.conn,
            original,
            copy_no=copy_no,
            copied_by=staff.initials.upper() if staff else "",
        )
        if slip is None:
            raise Refused(Refusal.DOCUMENT_UNKNOWN)
        tx.record(
            posting.REPRINT,
            event_id=ctx.ids(),
            session=command.session,
            business_date=ctx.business_date(),
            member_id=original.member_id,
            doc={"of": original.id.hex(), "copy_no": copy_no, "reason": command.reason},
        )
        tx.print(original, original.kind, slip, copy_no=copy_no)
    if original.kind == posting.DAY_CLOSE:
        save_statement(ctx, original)
    return Done(copy_no, Changes(kinds=frozenset({"print"})), warning=ctx.warning())
