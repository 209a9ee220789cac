"""A lock that tells its holder whether somebody waits for it."""

from __future__ import annotations

import threading


class CountedLock:
    """Held by one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting = set[int]()

    @property
    def awaited(self) -> bool:
        """Whether a thread waits now: whoever holds it may come to an end sooner."""
        return bool(self._waiting)

    def acquire(self, *, timeout_s: float) -> bool:
        """Hold it; False where it could not be had in time."""
        if self._lock.acquire(blocking=False):
            return True
        thread = threading.get_ident()
        self._waiting.add(thread)
        try:
            return self._lock.acquire(timeout=timeout_s)
        finally:
            self._waiting.discard(thread)

    def release(self) -> None:
        """Let the next thread have it."""
        self._lock.release()
