"""A person against the others: share, multiple of the median, z-score. Integers throughout.

A share is acts per million of what they are measured against (sales, or shifts): enough digits to compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isqrt
from typing import Final

MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """How one person stands. `times_tenths` is the multiple of the median of all in tenths (21 is
    2.1 times), None where the median is 0 or there is nobody to compare with; `z_hundredths` the
    distance from the mean in hundredths of the standard deviation, None as well."""

    count: int
    base: int
    times_tenths: int | None
    z_hundredths: int | None


def share(count: int, base: int) -> int:
    """Acts per million; something out of nothing counts as everything."""
    return count * MILLION // base if base > 0 else (MILLION if count else 0)


def median(values: Iterable[int]) -> int:
    """The middle value; of two middle ones the mean, rounded down. 0 of nothing."""
    ordered = sorted(values)
    half = len(ordered) // 2
    if not ordered:
        return 0
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) // 2


def standings(counted: Mapping[str, tuple[int, int]]) -> dict[str, Standing]:
    """Each person's standing among all; `counted` is (acts, base) of each.

    Only people with a base are compared: who sold nothing is nobody's peer.
    """
    shares = {who: share(count, base) for who, (count, base) in counted.items() if base > 0}
    middle = median(list(shares.values()))
    mean = sum(shares.values()) // len(shares) if shares else 0
    deviation = isqrt(sum((each - mean) ** 2 for each in shares.values()) // (len(shares) or 1))
    found = {}
    for who, (count, base) in counted.items():
        compared = who in shares and len(shares) > 1
        mine = shares.get(who, 0)
        times = mine * 10 // middle if compared and middle else None
        z = (mine - mean) * 100 // deviation if compared and deviation else None
        found[who] = Standing(count, base, times, z)
    return found
