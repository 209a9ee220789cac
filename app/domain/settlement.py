"""Points that a return or void takes back but the member has already spent: policies (a), (b), (c).

domain.md section 3, "Return, points already spent": the take-back is posted in full; what money or
a write-off settles is an `adjust` credit beside it that names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import Refusal, Refused
from app.domain.programme import Programme, RedeemRules, SpentPolicy
from app.domain.redemption import value_of

Refund = tuple[str, int]
"""(tender kind, minor units)."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """How `spent` points are settled: owed + charged + written_off = spent."""

    spent: int
    owed: int
    charged: int
    written_off: int
    charged_minor: int
    refunds: tuple[Refund, ...]
    """What is left to give back after the charge."""


def settle(
    spent: int,
    debt_after: int,
    refunds: Sequence[Refund],
    programme: Programme,
    *,
    policy: SpentPolicy | None = None,
    manager: bool = False,
) -> Settlement:
    """Settle `spent` points by the programme's policy, or by another one that was chosen.

    `debt_after` is what the member owes once everything is taken back. Under `negative` what passes
    the limit is deducted; what the refund can't cover stays owed. Refused(WRITE_OFF_NEEDS_MANAGER).
    """
    chosen = programme.returns.spent_policy if policy is None else policy
    if chosen == "write_off":
        if policy is not None and not manager and spent:
            raise Refused(Refusal.WRITE_OFF_NEEDS_MANAGER, {"points": spent})
        return Settlement(spent, 0, 0, spent, 0, tuple(refunds))
    to_charge = spent
    if chosen == "negative":
        limit = programme.returns.negative_limit_points
        to_charge = 0 if limit is None else min(spent, max(debt_after - limit, 0))
    charged, minor = _charge(programme.redemption, to_charge, sum(part for _, part in refunds))
    return Settlement(spent, spent - charged, charged, 0, minor, less(refunds, minor))


def _charge(rules: RedeemRules | None, points: int, refund_minor: int) -> tuple[int, int]:
    """Of so many points how many the refund pays for, and the money; rounded for the customer."""
    if rules is None or points == 0:
        return 0, 0
    if value_of(rules, points) > refund_minor:
        points = refund_minor * rules.unit_points // rules.unit_value_minor
    return points, value_of(rules, points)


def less(refunds: Sequence[Refund], minor: int) -> tuple[Refund, ...]:
    """The refunds with an amount kept back, from the last tender first."""
    left = []
    for kind, amount in reversed(refunds):
        kept = min(amount, minor)
        minor -= kept
        left.append((kind, amount - kept))
    return tuple(reversed(left))
