"""Money in minor units, rounding by name, and splitting without losing a unit.

No float, no Decimal, no user-visible formatting: amounts are ints of the currency's smallest unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

Rounding = Literal["floor", "half_up", "half_even", "ceiling"]
ROUNDINGS: Final[tuple[Rounding, ...]] = get_args(Rounding)

BASIS: Final = 10_000
"""Basis points in one whole: a rate of 500 is 5 %, a factor of 20_000 is 2x."""


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency by its ISO 4217 code and exponent (JPY 0, CNY 2, KWD 3)."""

    code: str
    exponent: int

    @property
    def minor_per_major(self) -> int:
        """How many minor units make one major unit: 1, 100 or 1000."""
        return int(10**self.exponent)


def round_ratio(numerator: int, denominator: int, mode: Rounding) -> int:
    """`numerator / denominator` as an integer; both at least 0 and the denominator above 0."""
    whole, rest = divmod(numerator, denominator)
    if mode == "floor" or rest == 0:
        return whole
    if mode == "ceiling":
        return whole + 1
    twice = rest * 2
    if twice == denominator and mode == "half_even":
        return whole + (whole & 1)
    return whole + (1 if twice >= denominator else 0)


def split_by_weight(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split `total` (>= 0) by weight: largest remainder, ties by position (domain.md section 3).

    The parts sum to `total` exactly; a weight of 0 gets 0. While `total` is at most the sum of the
    weights no part exceeds its weight. With no weight at all there is nobody to give to: the total
    must then be 0.
    """
    if len(weights) == 1 and weights[0] > 0:
        return (total,)
    whole = sum(weights)
    if whole == 0:
        assert total == 0, "an amount cannot be split over lines that weigh nothing"
        return (0,) * len(weights)
    parts = []
    remainders = []
    for weight in weights:
        part, remainder = divmod(total * weight, whole)
        parts.append(part)
        remainders.append(remainder)
    short = total - sum(parts)
    if short:
        by_remainder = sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)
        for position in by_remainder[:short]:
            parts[position] += 1
    return tuple(parts)


def kept_share(amount: int, kept: int, sold: int) -> int:
    """What a stored amount of a line counts for while `kept` of `sold` units are kept.

    Floor, so that any sequence of partial returns telescopes to the whole amount
    (domain.md section 3, "Return, earned part").
    """
    return amount if kept == sold else amount * kept // sold
