"""How many points may pay for a bill, and why not more (domain.md section 3, "Redemption")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.domain.errors import Refusal, Refused
from app.domain.money import BASIS
from app.domain.programme import RedeemRules

LimitReason = Literal["off", "no_member", "balance", "share", "excluded", "minimum", "bill"]
"""What keeps the maximum from being higher: redemption is off, there is no member, the points, the
share of the bill, excluded goods, the minimum, or simply the bill itself."""


@dataclass(frozen=True, slots=True)
class MostRedeemable:
    """The most that may be redeemed, a multiple of the unit, its value and what limits it."""

    points: int
    value_minor: int
    reason: LimitReason


def value_of(rules: RedeemRules, points: int) -> int:
    """What points are worth at the counter, in minor units, rounded down."""
    return points * rules.unit_value_minor // rules.unit_points


def most_redeemable(
    rules: RedeemRules, available: int, bill_minor: int, redeemable_minor: int
) -> MostRedeemable:
    """The maximum of F6: whole units within points, share of the bill, and redeemable goods."""
    share_minor = bill_minor * rules.max_share_bp // BASIS
    money_minor = min(share_minor, redeemable_minor)
    money_units = money_minor // rules.unit_value_minor
    point_units = max(available, 0) // rules.unit_points
    units = min(money_units, point_units)
    reason: LimitReason
    if point_units < money_units:
        reason = "balance"
    elif redeemable_minor < share_minor:
        reason = "excluded"
    else:
        reason = "share" if rules.max_share_bp < BASIS else "bill"
    points = units * rules.unit_points
    if points < rules.minimum_points:
        return MostRedeemable(0, 0, "minimum" if units else reason)
    return MostRedeemable(points, units * rules.unit_value_minor, reason)


def _off_step(rules: RedeemRules, points: int, most: int) -> Refused:
    """With the unit, and the allowed numbers of points next to what was asked: `below` and `above` where both
    are allowed, `only` where one is."""
    unit = rules.unit_points
    least = -(-rules.minimum_points // unit) * unit or unit
    below = points - points % unit
    allowed = [p for p in (below, max(below + unit, least)) if least <= p <= most]
    names = ("below", "above") if len(allowed) == 2 else ("only",)
    facts = {"points": points, "unit_points": unit, **dict(zip(names, allowed, strict=False))}
    return Refused(Refusal.REDEEM_NOT_MULTIPLE, facts)


def check_redemption(
    rules: RedeemRules | None, points: int, available: int, most: MostRedeemable
) -> None:
    """Refuse what isn't a whole, allowed number of units. Asking for none is always right.

    What is above the most in whole units is refused for that, with the most as `offer`, before
    anything is said about units: a multiple next to it would not help.
    """
    if points == 0:
        return
    if rules is None:
        raise Refused(Refusal.REDEEM_OFF)
    if points < 0:
        raise _off_step(rules, points, most.points)
    whole = points - points % rules.unit_points
    if whole > available:
        raise Refused(
            Refusal.REDEEM_ABOVE_AVAILABLE, {"points": points, "available": available}, offer=most
        )
    if whole > most.points or not most.points:
        raise Refused(
            Refusal.REDEEM_ABOVE_SHARE,
            {"points": points, "most": most.points, "reason": most.reason},
            offer=most,
        )
    if points % rules.unit_points:
        raise _off_step(rules, points, most.points)
    if points < rules.minimum_points:
        raise Refused(
            Refusal.REDEEM_BELOW_MINIMUM, {"points": points, "minimum": rules.minimum_points}
        )
