"""The exception report for those who may see it, and what they say about a case: seen, or explained.

There is no third thing to say: a case can't be muted, closed or taken away, and nobody explains what they did
or agreed to themselves. An auditor reads and says nothing (Right.CASE).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from app import posting
from app.context import Changes, Context, Session
from app.domain.business_day import BusinessDate
from app.domain.errors import Refusal, Refused
from app.domain.fraud.facts import Case
from app.domain.rights import Right
from app.protocol.events import Event
from app.queries import exceptions as report
from app.queries.audit import AuditLine, is_within_reach, lines_of
from app.queries.exceptions import Exceptions, Walk
from app.queries.readers import require_look, shift_day, staff_role
from app.usecases.done import Done
from app.usecases.rights import require
from db import rows
from db.connection import Connection

REASONS: Final = ("checked", "training", "bad_batch", "campaign", "customer_asked", "device_fault")
"""Why a case is no fraud, or that it was followed up ("checked"); free text may not enter an event."""


@dataclass(frozen=True, slots=True)
class SayOfCase:
    """Somebody has looked at a case, or explains it with a reason of REASONS ("" with "seen")."""

    command_id: bytes
    session: Session
    key: str
    state: Literal["seen", "explained"]
    reason: str = ""


def exceptions_of(
    ctx: Context,
    session: Session,
    since: BusinessDate,
    until: BusinessDate,
    walked: Walk = report.walk_here,
) -> Exceptions:
    """The report of a period. A supervisor sees the open business date only (security.md section 3:
    own shift). `walked` reads the journal elsewhere (app/apart.py) where somebody sells meanwhile.
    Raises Refused(NOT_ALLOWED) and what `walked` raises."""
    with ctx.read() as conn:
        role = require_look(conn, session, Right.AUDIT)
        if role == "supervisor":
            since = until = shift_day(ctx, conn)
    found = report.exceptions(ctx, since, until, role, walked)
    ctx.found_cases = ctx.found_cases | {line.case.key: line.case for line in found.cases}
    return found


def journal_of_case(ctx: Context, session: Session, case: Case) -> tuple[AuditLine, ...]:
    """The events behind a case, oldest first. Raises Refused(NOT_ALLOWED)."""
    return lines_of(ctx, session, [seq for _, seq in case.seqs])


def say_of_case(ctx: Context, command: SayOfCase) -> Done[None]:
    """Write down that a case was seen or explained, and by whom.

    Raises Refused: NOT_ALLOWED (also of whoever acted or agreed in the case), REASON_NEEDED,
    DOCUMENT_UNKNOWN (no report that was read since the start has this case).
    """
    if command.state == "explained" and command.reason not in REASONS:
        raise Refused(Refusal.REASON_NEEDED)
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(None, again=True)
        require(ctx, tx.conn, command.session, Right.CASE, command_id=command.command_id)
        role = staff_role(tx.conn, command.session.staff_id)
        case = ctx.found_cases.get(command.key)
        if case is None:
            raise Refused(Refusal.DOCUMENT_UNKNOWN)
        events = _events_of(tx.conn, case)
        own = any(_had_a_hand(event, command.session.staff_id) for event in events)
        if own or not is_within_reach(ctx, tx.conn, role, events[0]):
            raise Refused(Refusal.NOT_ALLOWED, {"right": Right.CASE.value})
        tx.record(
            posting.CASE,
            event_id=ctx.ids(),
            session=command.session,
            business_date=ctx.business_date(),
            doc={
                "rule": case.rule,
                "case": command.key,
                "state": command.state,
                "reason": command.reason if command.state == "explained" else "",
            },
        )
    return Done(None, Changes(kinds=frozenset({"case"})), warning=ctx.warning())


def _events_of(conn: Connection, case: Case) -> list[Event]:
    """The event that opened the case, then those that it names."""
    seqs = (report.opening_seq(case.key), *(seq for _, seq in case.seqs))
    found = [rows.event_by_seq(conn, seq) for seq in seqs]
    return [posting.event_of(row) for row in found if row is not None]


def _had_a_hand(event: Event, staff_id: bytes) -> bool:
    """Whether the person acted, or let it pass as the second one."""
    seconds = (event.doc.get("approval"), event.doc.get("guard"))
    return event.staff_id == staff_id or any(
        second is not None and second["by"] == staff_id.hex() for second in seconds
    )
