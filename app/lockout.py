"""How long a person has still to wait after wrong PINs: by the monotonic clock, kept as seconds in the store.

The wall clock decides nothing here, so setting it frees nobody. A restart counts from what the store has, which
is never less than what was left. Used on the db lane alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class Lockout:
    """The waits of this run of the program."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._began = monotonic()
        self._since: dict[bytes, float] = {}

    def left_s(self, staff_id: bytes, stored_s: int) -> int:
        """Seconds still to wait of the `stored_s` that the store has, rounded up."""
        passed = self._monotonic() - self._since.get(staff_id, self._began)
        return max(math.ceil(stored_s - passed), 0)

    def stored(self, staff_id: bytes) -> None:
        """The seconds in the store count from now."""
        self._since[staff_id] = self._monotonic()
