"""How far long work has come, in whole percent: parts of one work, and who is told.

Work says `(done, whole)` in whatever it counts, known before it begins. Callable from any thread; what crosses
to a window's thread is the lanes' business.
"""

from __future__ import annotations

from collections.abc import Callable

Share = Callable[[int, int], None]
"""(done, whole) of a work or of a part of it."""


def quiet(done: int, whole: int) -> None:
    """Nobody watches."""
    del done, whole


def unheard(percent: int) -> None:
    """Nobody watches."""
    del percent


class Percent:
    """Tells each whole percent once, upwards only; work that has nothing to do is at 100."""

    def __init__(self, told: Callable[[int], None]) -> None:
        self._told = told
        self._last = -1

    def __call__(self, done: int, whole: int) -> None:
        now = min(100, done * 100 // whole) if whole > 0 else 100
        if now > self._last:
            self._last = now
            self._told(now)


def part(of: Share, first: int, last: int) -> Share:
    """The part of a work from `first` to `last` percent of it."""

    def share(done: int, whole: int) -> None:
        if whole > 0:
            of(first * whole + (last - first) * min(done, whole), 100 * whole)
        else:
            of(last, 100)

    return share
