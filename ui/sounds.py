"""Sounds of the counter: one beep is done, two are a no, three a code that nobody knows.

They are the system's own beep: the shipped Qt has no player. Each has a twin that is seen, and one
setting turns them off.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

GAP_MS: Final = 160
DONE, REFUSED, UNKNOWN = 1, 2, 3


class Sounds(QObject):
    """`wanted` tells at each sound whether the shop has them on."""

    def __init__(
        self,
        parent: QObject,
        wanted: Callable[[], bool],
        *,
        beep: Callable[[], None] = QApplication.beep,
    ) -> None:
        super().__init__(parent)
        self._wanted, self._beep = wanted, beep
        self._left = 0
        self._timer = QTimer(self)
        self._timer.setInterval(GAP_MS)
        self._timer.timeout.connect(self._next)

    def play(self, beeps: int) -> None:
        """Begin anew: what sounds now matters more than what sounded before."""
        if not self._wanted():
            return
        self._left = beeps
        self._timer.start()
        self._next()

    def _next(self) -> None:
        if self._left > 0:
            self._left -= 1
            self._beep()
        if self._left == 0:
            self._timer.stop()
