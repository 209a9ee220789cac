"""UUIDv7 ids made at the till, as 16 bytes (RFC 9562 section 5.7).

Time-ordered within a process even when the clock stands still or goes back, so that rows keyed by an id
stay close together in the store. Nothing is ever ordered by them: order is the journal's sequence.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

_RAND_A_BITS = 12


class Uuid7:
    """Makes ids. `clock_us` gives microseconds of UTC; `random_bytes(n)` gives n random bytes."""

    def __init__(
        self, clock_us: Callable[[], int], random_bytes: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._clock_us = clock_us
        self._random_bytes = random_bytes
        self._last = 0
        self._lock = threading.Lock()

    def __call__(self) -> bytes:
        stamp = (self._clock_us() << _RAND_A_BITS) // 1000
        with self._lock:
            # 48 bits of milliseconds and 12 bits of their fraction, never the same twice.
            stamp = self._last = max(stamp, self._last + 1)
        millis, fraction = stamp >> _RAND_A_BITS, stamp & 0xFFF
        tail = int.from_bytes(self._random_bytes(8), "big") & ((1 << 62) - 1)
        value = (millis & ((1 << 48) - 1)) << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | tail
        return value.to_bytes(16, "big")
