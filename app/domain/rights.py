"""Who may do what at a till: the matrix of security.md section 3 as data.

Use-cases ask it, widgets never decide by it (they may hide what it forbids). Limits in money and points are the
programme's (`programme.Limits`); the matrix says what happens on each side of a limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

StaffRole = Literal["cashier", "supervisor", "manager", "head_office", "auditor"]
"""The five kinds of person. `programme.Role`, for limits, knows the three that sell."""

ROLES: Final[tuple[StaffRole, ...]] = (
    "cashier",
    "supervisor",
    "manager",
    "head_office",
    "auditor",
)
RANK: Final[Mapping[StaffRole, int]] = {
    "auditor": 0,
    "cashier": 0,
    "supervisor": 1,
    "manager": 2,
    "head_office": 3,
}
"""Nobody gives a right above their own rank; nobody approves for someone above them."""


class Right(StrEnum):
    """One sensitive act. The text is stored in events, so it never changes its meaning."""

    FIND = "find"
    ENROL = "enrol"
    SELL = "sell"
    OWN_CARD = "own_card"
    GUARD = "guard"
    REDEEM = "redeem"
    REDEEM_ABOVE = "redeem_above"
    RETURN = "return"
    RETURN_ABOVE = "return_above"
    VOID = "void"
    VOID_ABOVE = "void_above"
    WRITE_OFF = "write_off"
    ADJUST = "adjust"
    UNMASK = "unmask"
    REPRINT = "reprint"
    REPLACE_CARD = "replace_card"
    DRAWER = "drawer"
    CASH_MOVE = "cash_move"
    CASH_MOVE_ABOVE = "cash_move_above"
    SHIFT = "shift"
    CASH_DIFFERENCE = "cash_difference"
    CLOSE_DAY = "close_day"
    CLOSE_OVER_OPEN = "close_over_open"
    DATE_AHEAD = "date_ahead"
    CONSENT = "consent"
    EXPORT_MEMBER = "export_member"
    ERASE = "erase"
    BULK_EXPORT = "bulk_export"
    RULES = "rules"
    CATALOGUE = "catalogue"
    STAFF = "staff"
    REPORTS = "reports"
    AUDIT = "audit"
    CASE = "case"
    BACKUP = "backup"
    RESTORE = "restore"
    SETTINGS = "settings"


class Grant(StrEnum):
    """What a role may do: nothing, look, act alone, or act with a second person."""

    NO = "no"
    READ = "read"
    ALONE = "alone"
    SECOND = "second"


@dataclass(frozen=True, slots=True)
class Rule:
    """One cell of the matrix; `reason` when a reason code has to go with the act."""

    grant: Grant
    reason: bool = False


def _row(cells: str) -> Mapping[StaffRole, Rule]:
    """A row as security.md writes it: ✓ alone, 2 second person, R read, - no; r needs a reason."""
    signs = {"✓": Grant.ALONE, "2": Grant.SECOND, "R": Grant.READ, "-": Grant.NO}
    rules = [Rule(signs[cell[0]], cell.endswith("r")) for cell in cells.split()]
    return dict(zip(ROLES, rules, strict=True))


MATRIX: Final[Mapping[Right, Mapping[StaffRole, Rule]]] = {
    #                          cashier supervisor manager head-office auditor
    Right.FIND: _row("          ✓       ✓         ✓       R           R"),
    Right.ENROL: _row("         ✓       ✓         ✓       R           R"),
    Right.SELL: _row("          ✓       ✓         ✓       R           R"),
    Right.OWN_CARD: _row("      2       2         2       2           -"),
    Right.GUARD: _row("         2       2         2       -           -"),
    Right.REDEEM: _row("        ✓       ✓         ✓       -           -"),
    Right.REDEEM_ABOVE: _row("  2       ✓         ✓       -           -"),
    Right.RETURN: _row("        ✓r      ✓r        ✓r      R           R"),
    Right.RETURN_ABOVE: _row("  2r      ✓r        ✓r      R           R"),
    Right.VOID: _row("          ✓r      ✓r        ✓r      R           R"),
    Right.VOID_ABOVE: _row("    2r      ✓r        ✓r      R           R"),
    Right.WRITE_OFF: _row("     2r      2r        ✓r      -           R"),
    Right.ADJUST: _row("        -       2r        2r      2r          R"),
    Right.UNMASK: _row("        ✓r      ✓r        ✓r      ✓r          -"),
    Right.REPRINT: _row("       ✓r      ✓r        ✓       -           -"),
    Right.REPLACE_CARD: _row("  2       ✓         ✓       -           -"),
    Right.DRAWER: _row("        ✓r      ✓r        ✓r      -           R"),
    Right.CASH_MOVE: _row("     ✓r      ✓r        ✓r      -           R"),
    Right.CASH_MOVE_ABOVE: _row("2r     ✓r        ✓r      -           R"),
    Right.SHIFT: _row("         ✓       ✓         ✓       -           R"),
    Right.CASH_DIFFERENCE: _row("2r     2r        ✓r      -           R"),
    Right.CLOSE_DAY: _row("     ✓       ✓         ✓       -           R"),
    Right.CLOSE_OVER_OPEN: _row("2r     2r        ✓r      -           R"),
    Right.DATE_AHEAD: _row("    2       ✓         ✓       -           -"),
    Right.CONSENT: _row("       ✓       ✓         ✓       ✓           -"),
    Right.EXPORT_MEMBER: _row(" -       -         ✓r      ✓r          -"),
    Right.ERASE: _row("         -       -         2r      2r          -"),
    Right.BULK_EXPORT: _row("   -       -         -       2r          -"),
    Right.RULES: _row("         -       -         R       2           R"),
    Right.CATALOGUE: _row("     -       -         ✓       2           R"),
    Right.STAFF: _row("         -       -         ✓       ✓           R"),
    Right.REPORTS: _row("       -       ✓         ✓       ✓           ✓"),
    Right.AUDIT: _row("         -       R         R       R           R"),
    Right.CASE: _row("          -       ✓         ✓       ✓           R"),
    Right.BACKUP: _row("        -       ✓         ✓       -           R"),
    Right.RESTORE: _row("       -       -         ✓       2           R"),
    Right.SETTINGS: _row("      -       ✓         ✓       -           R"),
}
"""Rows that security.md doesn't name are ours: docs/decisions/the-shops-day.md says which and why."""


_ALONE_ONLY: Final = frozenset({Right.WRITE_OFF, Right.CLOSE_OVER_OPEN})
"""Acts to which only somebody says yes who might do them alone."""


def rule(role: StaffRole, right: Right) -> Rule:
    """The cell of a role and an act."""
    return MATRIX[right][role]


def may_look(role: str, right: Right) -> bool:
    """Whether somebody of this role, as a row has it, may read what the act is about."""
    return any(known == role and rule(known, right).grant is not Grant.NO for known in ROLES)


def asks_reason(role: str, right: Right) -> bool:
    """Whether the act of somebody of this role, as a row has it, goes with a reason."""
    return any(known == role and rule(known, right).reason for known in ROLES)


def may_approve(approver: StaffRole, asker: StaffRole, right: Right) -> bool:
    """Whether the second person's own role carries the act: alone, or as one of two, never below the asker.

    A cashier never approves. Two people of the same rank may where the matrix asks two of everybody, but
    what is a manager's own (`_ALONE_ONLY`) two of a lower rank don't decide.
    """
    if approver == "cashier" or RANK[approver] < RANK[asker]:
        return False
    grant = rule(approver, right).grant
    return grant is Grant.ALONE or (grant is Grant.SECOND and right not in _ALONE_ONLY)


def least_approver(asker: StaffRole, right: Right) -> StaffRole:
    """The lowest role that may approve it: whom to fetch."""
    able = [role for role in ROLES if may_approve(role, asker, right)]
    return min(able, key=RANK.__getitem__, default="head_office")
