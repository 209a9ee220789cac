"""The hybrid logical clock: 48 bits of milliseconds and 16 bits of counter in one integer (sync.md section 2).

It orders edits of profile fields and nothing else: balances never depend on a clock.
"""

from __future__ import annotations

from typing import Final

_COUNTER_BITS: Final = 16
AHEAD_MOST_MS: Final = 5 * 60_000
"""Head office believes a stamp that is so far ahead of its own clock, and clamps one that is further."""
STAMP_MOST: Final = (1 << 63) - 1
"""Every store keeps a stamp as a signed integer of 64 bits."""
HOUR_MS: Final = 3_600_000


def stamp(last: int, now_ms: int) -> int:
    """The next stamp of a till whose last one was `last`: later than it, and not before its clock."""
    return max(last + 1, now_ms << _COUNTER_BITS)


def heard(last: int, other_ms: int) -> int:
    """The last stamp after head office named its time: what is stamped from now on is later than that."""
    return max(last, other_ms << _COUNTER_BITS)


def ms_of(hlc: int) -> int:
    """The milliseconds in a stamp."""
    return hlc >> _COUNTER_BITS


def clamped(hlc: int, now_ms: int) -> int:
    """The stamp that decides: its own, or now where it lies more than AHEAD_MOST_MS ahead of `now_ms`."""
    return hlc if ms_of(hlc) <= now_ms + AHEAD_MOST_MS else now_ms << _COUNTER_BITS


def later(hlc: int, by_ms: int) -> int:
    """The stamp moved by milliseconds."""
    return hlc + (by_ms << _COUNTER_BITS)
