"""A lock that goes to whoever has waited longest, and tells its holder whether somebody waits for it."""

from __future__ import annotations

import threading
from collections import deque


class CountedLock:
    """Held by one thread at a time.

    A thread that lets it go and wants it back at once comes after those that wait: Python's own lock it would
    have again before any of them has woken.
    """

    def __init__(self) -> None:
        self._own = threading.Lock()
        self._held = False
        self._waiting = deque[threading.Lock]()

    @property
    def awaited(self) -> bool:
        """Whether a thread waits now: whoever holds it may come to an end sooner."""
        return bool(self._waiting)

    def acquire(self, *, timeout_s: float) -> bool:
        """Hold it; False where it could not be had in time."""
        with self._own:
            if not self._held:
                self._held = True
                return True
            gate = threading.Lock()
            gate.acquire()
            self._waiting.append(gate)
        if gate.acquire(timeout=timeout_s):
            return True
        with self._own:
            if gate in self._waiting:
                self._waiting.remove(gate)
                return False
        return True  # it was given just now

    def release(self) -> None:
        """Give it to the thread that has waited longest."""
        with self._own:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False
