"""Ask the matrix before an act: the one door between use-cases and app/domain/rights.py."""

from __future__ import annotations

from typing import Any

from app.approvals import Ask
from app.context import Context, Session
from app.domain.errors import Refusal, Refused
from app.domain.programme import Role
from app.domain.rights import Grant, Right, StaffRole, rule
from db import people
from db.connection import Connection


def role_of(staff: people.StaffRow | None) -> Role:
    """The role whose limits hold; anybody that the programme has no limits for counts as cashier."""
    if staff is None:
        return "cashier"
    match staff.role:
        case "supervisor":
            return "supervisor"
        case "manager":
            return "manager"
        case _:
            return "cashier"


def staff_role(conn: Connection, staff_id: bytes) -> StaffRole:
    """A person's place in the matrix. Raises Refused(NOT_ALLOWED) for nobody or someone disabled."""
    staff = people.staff_by_id(conn, staff_id)
    if staff is None or not staff.active:
        raise Refused(Refusal.NOT_ALLOWED)
    role: StaffRole = staff.role  # type: ignore[assignment]  # the column's CHECK names these five
    return role


def require(
    ctx: Context,
    conn: Connection,
    session: Session,
    right: Right,
    *,
    command_id: bytes,
    member_id: bytes | None = None,
    amount: int = 0,
    reason: str = "",
) -> dict[str, Any] | None:
    """Let the act pass, alone or with a second person who said yes to exactly this request.

    Returns what the event keeps of the second person (`doc["approval"]`), None when alone. Raises
    Refused: NOT_ALLOWED; REASON_NEEDED; APPROVAL_NEEDED with the Ask as `offer`; APPROVAL_EXPIRED.
    """
    cell = rule(staff_role(conn, session.staff_id), right)
    if cell.grant in (Grant.NO, Grant.READ):
        raise Refused(Refusal.NOT_ALLOWED, {"right": right.value})
    if cell.reason and not reason:
        raise Refused(Refusal.REASON_NEEDED)
    if cell.grant is Grant.ALONE:
        return None
    ask = Ask(command_id, right, session.staff_id, member_id, amount, reason)
    approver = ctx.approvals.of(ask)
    if approver is None:
        raise Refused(Refusal.APPROVAL_NEEDED, {"right": right.value, "amount": amount}, offer=ask)
    return {"by": approver.hex(), "right": right.value}
