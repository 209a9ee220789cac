"""Who may read what: the one door between reads and app/domain/rights.py."""

from __future__ import annotations

from app.context import Context, Session
from app.domain.business_day import BusinessDate
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right, StaffRole, may_look
from db import people, staff_rows, till
from db.connection import Connection


def staff_role(conn: Connection, staff_id: bytes) -> StaffRole:
    """A person's place in the matrix. Raises Refused(NOT_ALLOWED) for nobody or someone disabled."""
    return place_of(staff_rows.staff_by_id(conn, staff_id))


def place_of(staff: staff_rows.StaffRow | None) -> StaffRole:
    """`staff_role` of somebody whose row was read already."""
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


def shift_day(ctx: Context, conn: Connection) -> BusinessDate:
    """The business date of the open shift, today's without one: as far as a supervisor's own shift goes
    (security.md section 3, "Audit log, exception report"). What the counter sells by: selling_date.py."""
    shift = till.open_shift(conn)
    return BusinessDate(shift.business_date) if shift is not None else ctx.business_date()


def member_shown(conn: Connection, member_id: bytes | None, role: StaffRole) -> str:
    """The name, or the first signs of the random id: for an auditor, and where the profile is gone."""
    if member_id is None:
        return ""
    profile = people.profile(conn, member_id) if role != "auditor" else None
    return profile.name if profile is not None and profile.name else f"#{member_id.hex()[-8:]}"
