"""The seconds that are left, as a ring that runs down with the number inside."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ui.kit import Kit

_SIZE: Final = 72
_WIDE: Final = 6
_LOOK_MS: Final = 250
_TURN: Final = 360 * 16
"""Qt counts angles in sixteenths of a degree."""


class Ring(QWidget):
    """Runs from the moment it is made.

    Signals:
        over(): no seconds are left.
    """

    over = Signal()

    def __init__(
        self, kit: Kit, seconds: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._kit, self._seconds, self._clock = kit, seconds, clock
        self._began = clock()
        self.setFixedSize(kit.look.px(_SIZE), kit.look.px(_SIZE))
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    @property
    def left(self) -> int:
        """Whole seconds that are left, rounded up."""
        return max(ceil(self._seconds - (self._clock() - self._began)), 0)

    def stop(self) -> None:
        """Somebody answered."""
        self._timer.stop()

    def retranslate(self) -> None:
        left = self.left
        self.setAccessibleName(
            self._kit.words.count("One second left", "{count} seconds left", left, count=left)
        )

    def sizeHint(self) -> QSize:
        return QSize(self._kit.look.px(_SIZE), self._kit.look.px(_SIZE))

    def _look(self) -> None:
        self.retranslate()
        self.update()
        if not self.left:
            self._timer.stop()
            self.over.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        look, left = self._kit.look, self.left
        edge = look.px(_WIDE)
        room = QRectF(self.rect()).adjusted(edge / 2, edge / 2, -edge / 2, -edge / 2)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for tone, span in (("border", _TURN), ("accent", _TURN * left // self._seconds)):
            painter.setPen(QPen(look.colour(tone), edge))
            painter.drawArc(room, 90 * 16, span)
        painter.setPen(look.colour("text"))
        painter.setFont(look.font(20, bold=True))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, str(left))
        painter.end()
