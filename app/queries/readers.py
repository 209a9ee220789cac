"""Who may read what: the one door between reads and app/domain/rights.py."""

from __future__ import annotations

from app.context import Session
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right, StaffRole, may_look
from db import people
from db.connection import Connection


def staff_role(conn: Connection, staff_id: bytes) -> StaffRole:
    """A person's place in the matrix. Raises Refused(NOT_ALLOWED) for nobody or someone disabled."""
    staff = people.staff_by_id(conn, staff_id)
    if staff is None or not staff.active:
        raise Refused(Refusal.NOT_ALLOWED)
    role: StaffRole = staff.role  # type: ignore[assignment]  # the column's CHECK names these five
    return role


def require_look(conn: Connection, session: Session, right: Right) -> StaffRole:
    """The role of somebody who may read what `right` is about. Raises Refused(NOT_ALLOWED)."""
    role = staff_role(conn, session.staff_id)
    if not may_look(role, right):
        raise Refused(Refusal.NOT_ALLOWED, {"right": right.value})
    return role
