"""Which role's limits a person works under. The matrix of rights comes with the shop's day."""

from __future__ import annotations

from app.domain.programme import Role
from db import people


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
