"""Ask the matrix before an act: the one door between use-cases and app/domain/rights.py."""

from __future__ import annotations

from functools import partial
from typing import Any

from app.approvals import Ask, Fact
from app.context import Context, Session
from app.domain.errors import Refusal, Refused
from app.domain.programme import Role
from app.domain.rights import Grant, Right, StaffRole, may_approve, rule
from app.queries.readers import place_of, staff_role
from db import head_office, people, staff_rows
from db.connection import Connection


def role_of(staff: staff_rows.StaffRow | None) -> Role:
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
    of: bytes | None = None,
    note: str = "",
    facts: tuple[Fact, ...] = (),
    alone: bool = True,
    goes_on: bool = False,
    person: staff_rows.StaffRow | None = None,
) -> dict[str, Any] | None:
    """Let the act pass, alone or with a second person who said yes to exactly this request.

    `alone` False asks for the second person even of a role that the matrix lets pass: it is above
    that role's own limit in the programme. `goes_on`: it is the last step of a command that asked this
    at its first; everything is looked at again but how old the yes is. `person`: who acts, where this
    transaction has read their row already.

    Returns what the event keeps of the second person (`doc["approval"]`), None when alone. Raises
    Refused: NOT_ALLOWED; REASON_NEEDED; APPROVAL_NEEDED with the Ask as `offer`; APPROVAL_EXPIRED.
    """
    role = place_of(person or staff_rows.staff_by_id(conn, session.staff_id))
    cell = rule(role, right)
    if cell.grant in (Grant.NO, Grant.READ):
        raise Refused(Refusal.NOT_ALLOWED, {"right": right.value})
    if cell.reason and not reason:
        raise Refused(Refusal.REASON_NEEDED)
    if cell.grant is Grant.ALONE and alone:
        return None
    ask = Ask(command_id, right, session.staff_id, member_id, amount, reason, of, note, facts)
    approver = ctx.approvals.of(ask, goes_on=goes_on)
    if approver is None or not _still_approves(conn, approver, role, right):
        raise Refused(Refusal.APPROVAL_NEEDED, {"right": right.value, "amount": amount}, offer=ask)
    return {"by": approver.hex(), "right": right.value}


def require_somebody_else(
    conn: Connection, session: Session, right: Right, member_id: bytes | None, refusal: Refusal
) -> None:
    """Raises Refused(`refusal`) where nobody else works here who could agree to this for this account: no
    sheet asks for somebody who doesn't exist (docs/decisions/the-shops-day.md)."""
    role = staff_role(conn, session.staff_id)
    if not any(
        each.id != session.staff_id
        and _still_approves(conn, each.id, role, right)
        and not owns_account(conn, each, member_id)
        for each in staff_rows.all_staff(conn)
    ):
        raise Refused(refusal)


def _still_approves(conn: Connection, approver: bytes, asker: StaffRole, right: Right) -> bool:
    """They may have been disabled, or lost their role, since they agreed."""
    try:
        return may_approve(staff_role(conn, approver), asker, right)
    except Refused:
        return False


def require_above(
    ctx: Context,
    conn: Connection,
    session: Session,
    rights: tuple[Right, Right],
    *,
    limit: int | None,
    command_id: bytes,
    member_id: bytes | None,
    amount: int,
    reason: str = "",
    of: bytes | None = None,
    facts: tuple[Fact, ...] = (),
    written_off: int = 0,
) -> dict[str, Any] | None:
    """`require` for an act with a limit (domain.md, programme limits; None: without one).

    `rights` is the act up to the limit and above it. The member's account being the person's own
    comes first: it takes a second person whatever the amount, and that yes is for the whole request.
    Where points are `written_off` that yes is a manager's (domain.md section 3, "Return, points already
    spent"), and serves for the rest too.
    """
    person = staff_rows.staff_by_id(conn, session.staff_id)
    ask = partial(
        require, ctx, conn, session, command_id=command_id, member_id=member_id, amount=amount,
        reason=reason, of=of, facts=facts, person=person,
    )  # fmt: skip
    ask(rights[0])
    own = owns_account(conn, person, member_id)
    above = limit is not None and amount > limit
    if written_off:
        return ask(
            Right.WRITE_OFF,
            facts=(*facts, ("written_off", written_off)),
            alone=not (own or above),
        )
    if own:
        return ask(Right.OWN_CARD)
    return ask(rights[1], alone=False) if above else None


def is_own_card(conn: Connection, staff_id: bytes, member_id: bytes | None) -> bool:
    """`owns_account` of somebody whose row was not read yet."""
    return owns_account(conn, staff_rows.staff_by_id(conn, staff_id), member_id)


def owns_account(
    conn: Connection, staff: staff_rows.StaffRow | None, member_id: bytes | None
) -> bool:
    """Whether the account is the person's own or of their household (security.md section 4, F1).

    That is the account that they are linked to, and every one with its phone or with theirs.
    """
    if staff is None or member_id is None:
        return False
    if staff.phone is None and staff.member_id is None:
        return False
    own_id = head_office.survivor(conn, staff.member_id) if staff.member_id else None
    if member_id in (staff.member_id, own_id):
        return True
    profile = people.profile(conn, member_id)
    if profile is None or profile.phone is None:
        return False
    own = people.profile(conn, own_id) if own_id else None
    return profile.phone in (staff.phone, own.phone if own else None)
