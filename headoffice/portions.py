"""How long work that nobody waits for goes on in one transaction (nights.py, recounting.py)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

SHORT_MS: Final = 10
"""So long at least, whoever waits: else it would never be done."""
LONG_MS: Final = 50
"""So long at most: what is not committed yet is done anew after a kill, and other processes wait for it."""
WAIT_MS: Final = 250
"""So long a portion waits for another process's writing of the chain: the other chains wait meanwhile."""
AGAIN_MS: Final = 1_000
"""After so long it is tried again. Nothing has failed: what was killed may still be in the database."""


def somebody() -> bool:
    """Somebody waits for the writer."""
    return True


class Portion:
    """One transaction's time, from now on: `least_ms` (SHORT_MS unless told), and up to LONG_MS while nobody
    waits, for each commit is synced to the disk and takes as long as much of this work. As soon as somebody
    `waits` it is over."""

    def __init__(self, waits: Callable[[], bool], least_ms: int | None = None) -> None:
        self._begun_s = time.monotonic()
        self._waits = waits
        self._least_ms = SHORT_MS if least_ms is None else least_ms

    @property
    def over(self) -> bool:
        """Whether it is time to commit."""
        ms = (time.monotonic() - self._begun_s) * 1000
        return ms >= self._least_ms and (ms >= LONG_MS or self._waits())
