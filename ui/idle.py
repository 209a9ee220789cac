"""How long nobody has touched the till, and what is due when: back to the search, lock, log-out.

It only tells; what a lock or a log-out does is the window's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

BACK_TO_SEARCH_S: Final = 20
LOG_OUT_S: Final = 15 * 60
"""After so long nothing but the open cart is kept for who was here (security.md section 3)."""
_LOOK_MS: Final = 1_000


class Idle(QObject):
    """Signals, each once until the till is touched again:
    quiet(): twenty seconds.
    lock_due(): the seconds of the settings; never later than the log-out.
    log_out_due(): a quarter of an hour.

    Attributes:
        lock_s: when the lock is due.
    """

    quiet = Signal()
    lock_due = Signal()
    log_out_due = Signal()

    def __init__(self, parent: QObject, clock: Callable[[], float], *, lock_s: int) -> None:
        super().__init__(parent)
        self._clock, self.lock_s = clock, lock_s
        self._touched_at = clock()
        self._told = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def touch(self) -> None:
        """A key, a click or a sign-in."""
        self._touched_at, self._told = self._clock(), 0

    def look(self) -> None:
        """Tell what became due since the last look, in its order."""
        quiet_s = self._clock() - self._touched_at
        due = sorted(
            (
                (BACK_TO_SEARCH_S, self.quiet),
                (min(self.lock_s, LOG_OUT_S), self.lock_due),
                (LOG_OUT_S, self.log_out_due),
            ),
            key=lambda pair: pair[0],
        )
        reached = [signal for after_s, signal in due if quiet_s >= after_s]
        fresh, self._told = reached[self._told :], max(self._told, len(reached))
        for signal in fresh:
            signal.emit()
