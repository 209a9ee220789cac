"""The questions that the counter asks before it commits, and the fold asks afterwards: one answer for both.

Each answer is a `Stop` (ask a second person, or refuse where there is no second person's right) or None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.domain.fraud.facts import RuleCode
from app.domain.fraud.limits import GuardLimits

HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Stop:
    """Why an act waits: the rule, what of it, what was counted and its limit.

    `answer` "second" is for another person to let pass, "never" for nobody at the counter.
    """

    rule: RuleCode
    what: str
    counted: int
    limit: int
    answer: Literal["second", "never"] = "second"


def own_card(member: str, phone: str, own: str, own_phone: str) -> Stop | None:
    """F1: the member is the acting person's own account, or has the phone of it."""
    if member and member == own:
        return Stop("F1", "own_card", 1, 0)
    if phone and phone == own_phone:
        return Stop("F1", "same_phone", 1, 0)
    return None


def repeat_earn(earlier: Sequence[int], now_s: int, limits: GuardLimits) -> Stop | None:
    """F2: another earning sale of a member; `earlier` are the instants of today's standing ones."""
    if not earlier:
        return None
    count = len(earlier) + 1
    if limits.earn_block_per_day and count >= limits.earn_block_per_day:
        return Stop("F2", "per_day", count, limits.earn_block_per_day)
    minutes = max(0, now_s - max(earlier)) // 60
    if limits.earn_block_minutes and minutes < limits.earn_block_minutes:
        return Stop("F2", "minutes", minutes, limits.earn_block_minutes)
    return None


def claim(earlier_in_shift: int, limits: GuardLimits) -> Stop | None:
    """F3: another claim of receipts for one member in a shift."""
    count = earlier_in_shift + 1
    if limits.claims_per_shift and count > limits.claims_per_shift:
        return Stop("F3", "per_shift", count, limits.claims_per_shift)
    return None


def adjustment(
    reason: str,
    note_chars: int,
    staff: str,
    approver: str,
    points: int,
    approved_today: int,
    limits: GuardLimits,
) -> Stop | None:
    """F5: an adjustment of points, up or down. `approved_today` is what this approver has let through."""
    if not reason:
        return Stop("F5", "no_reason", 0, 1, "never")
    if note_chars < limits.adjust_note_chars:
        return Stop("F5", "short_note", note_chars, limits.adjust_note_chars, "never")
    if not approver or approver == staff:
        return Stop("F5", "own_approval", 0, 1)
    total, most = approved_today + abs(points), limits.adjust_points_per_day
    if most and total > most:
        return Stop("F5", "per_day", total, most, "never")
    return None


def redeem_after_change(changed_s: int | None, now_s: int, limits: GuardLimits) -> Stop | None:
    """F7: points are used soon after the phone or card changed, or accounts were merged."""
    if changed_s is None:
        return None
    hours = max(0, now_s - changed_s) // HOUR_S
    if hours < limits.redeem_wait_hours:
        return Stop("F7", "after_change", hours, limits.redeem_wait_hours)
    return None


def top_up(principal_minor: int, tendered_minor: int) -> Stop | None:
    """F11: stored value is loaded for exactly what was tendered, or not at all."""
    if principal_minor == tendered_minor and principal_minor > 0:
        return None
    return Stop("F11", "no_tender", tendered_minor, principal_minor, "never")
