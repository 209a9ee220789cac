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


@dataclass(frozen=True, slots=True)
class AdjustedToday:
    """Points changed by hand on a business date before: let through by the approver and asked for by the
    asker, both directions added up; and what the member has more or less by it, so that a mistake can
    be taken back the same day."""

    approved: int = 0
    asked: int = 0
    member: int = 0


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
    today: AdjustedToday,
    limits: GuardLimits,
) -> Stop | None:
    """F5: an adjustment of points, up or down, after those of `today`."""
    if not reason:
        return Stop("F5", "no_reason", 0, 1, "never")
    if note_chars < limits.adjust_note_chars:
        return Stop("F5", "short_note", note_chars, limits.adjust_note_chars, "never")
    if not approver or approver == staff:
        return Stop("F5", "own_approval", 0, 1)
    total, most = today.approved + abs(points), limits.adjust_points_per_day
    if most and total > most:
        return Stop("F5", "per_day", total, most, "never")
    return adjusted_enough(points, today, limits)


def adjusted_enough(points: int, today: AdjustedToday, limits: GuardLimits) -> Stop | None:
    """F5 as far as it is known before anybody agrees: too much for one asker or one member in a day."""
    most = limits.adjust_points_per_day
    asked, member = today.asked + abs(points), abs(today.member + points)
    if most and asked > most:
        return Stop("F5", "asker_per_day", asked, most, "never")
    if most and member > most:
        return Stop("F5", "member_per_day", member, most, "never")
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
