"""Profile fields that two sides may write: who wins, in whatever order they come (sync.md 2, class P)."""

from __future__ import annotations

from typing import Final

from app.protocol.hlc import HOUR_MS, clamped, later
from app.protocol.wire import Cell

CONSENT: Final = "consent:"
"""Prefix of consent fields, "consent:<purpose>:<channel>"; a value below starts with what was decided."""
WITHDRAWN: Final = "withdrawn"
GIVEN: Final = "given"
NOT_GIVEN: Final = "not_given"
"""Asked, and the answer was no: nothing was withdrawn."""
WITHDRAWAL_WINS_MS: Final = 24 * HOUR_MS


def rank(cell: Cell) -> tuple[int, bytes, int, str]:
    """The cell with the highest rank wins: the later stamp, then the device.

    A withdrawal of consent counts as 24 hours later than it was: so it beats a grant of the day after it, and
    the rule stays one order over all cells, which no order of arrival can change.
    """
    withdrawn = cell.field.startswith(CONSENT) and (cell.value or "").startswith(WITHDRAWN)
    stamp = later(cell.hlc, WITHDRAWAL_WINS_MS) if withdrawn else cell.hlc
    return (stamp, cell.device, cell.hlc, cell.value or "")


def winner(one: Cell | None, other: Cell) -> Cell:
    """Which of two cells of a field stands."""
    return other if one is None or rank(other) > rank(one) else one


def settled(cell: Cell, now_ms: int) -> Cell:
    """The cell as head office counts it: with a stamp that is not far ahead of its clock."""
    return cell._replace(hlc=clamped(cell.hlc, now_ms))


def conflict(stood: Cell | None, cell: Cell) -> bool:
    """Whether somebody's value was lost unseen: the writer of `cell` did not know the one that stood."""
    return stood is not None and stood.hlc != cell.over and stood.value != cell.value
