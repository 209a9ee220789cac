"""The second person at the counter (counter-flows.md flow 18): badge or initials, own PIN, one request."""

from __future__ import annotations

from dataclasses import dataclass

from app import posting
from app.approvals import Ask
from app.context import Context, Session
from app.domain.errors import Refusal, Refused
from app.domain.rights import may_approve
from app.queries.readers import staff_role
from app.queries.records import StaffView
from app.usecases.done import Done
from app.usecases.rights import owns_account
from app.usecases.sign_in import check_pin


@dataclass(frozen=True, slots=True)
class Approve:
    """`who` (initials or badge) agrees to `ask` with their own PIN. They are not signed in by it."""

    ask: Ask
    who: str
    pin: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Nobody agreed: the sheet was closed. `who` is known only where somebody had typed a PIN."""

    command_id: bytes
    session: Session
    ask: Ask


def approve(ctx: Context, command: Approve) -> Done[StaffView]:
    """Keep the approver's yes for sixty seconds, for exactly this request.

    Raises Refused: PIN_WRONG, PIN_LOCKED, PIN_BLOCKED, APPROVAL_RANK, APPROVAL_OWN (their own
    request, or what concerns their own account).
    """
    row = check_pin(ctx, command.who, command.pin)
    with ctx.read() as conn:
        asker = staff_role(conn, command.ask.staff_id)
        approver = staff_role(conn, row.id)
        own = owns_account(conn, row, command.ask.member_id)
    if own or row.id == command.ask.staff_id:
        raise Refused(Refusal.APPROVAL_OWN)
    if not may_approve(approver, asker, command.ask.right):
        raise Refused(Refusal.APPROVAL_RANK)
    ctx.approvals.give(command.ask, row.id)
    return Done(StaffView(row.id, row.initials, row.name, row.role))


def refuse(ctx: Context, command: Refuse) -> Done[None]:
    """Record that a request was not approved; what was said for it is void."""
    ask = command.ask
    ctx.approvals.forget(ask.command_id)
    with ctx.write(command.command_id) as tx:
        if tx.known is None:
            tx.record(
                posting.NOT_APPROVED,
                event_id=ctx.ids(),
                session=command.session,
                business_date=ctx.business_date(),
                member_id=ask.member_id,
                doc={"right": ask.right.value, "amount": ask.amount, "reason": ask.reason},
            )
    return Done(None, warning=ctx.warning())
