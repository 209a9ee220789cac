"""Python's cycle collector, kept in the GUI thread.

CPython collects in whatever thread happens to allocate, so a lane could end a QObject of the GUI thread, its
timers and connections with it: Qt forbids that ("Timers cannot be stopped from another thread"), and once in a
while it takes the process down. PySide moves only the ends of widgets to the main thread, not those of plain
QObjects.
"""

from __future__ import annotations

import gc
from typing import ClassVar, Final

from PySide6.QtCore import QObject, QTimer

_LOOK_MS: Final = 200
"""Often, so that no look takes longer than a frame."""
_YOUNG: Final = 700
_YOUNG_ROUNDS: Final = 10
"""CPython's own thresholds: objects made since the last look, and looks until the next generation's."""
_MOST_MIDDLE_ROUNDS: Final = 150
"""A till that is never left alone for twenty seconds has its old objects looked through all the same."""


class GuiGarbage(QObject):
    """Collects young cycles while the event loop runs; `all` is for when nobody is typing. Until
    the last one in the process was stopped nothing else collects."""

    _working: ClassVar[set[int]] = set()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._working.add(id(self))
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Collect what is young, if there is enough of it."""
        young, young_rounds, middle_rounds = gc.get_count()
        if middle_rounds >= _MOST_MIDDLE_ROUNDS:
            self.all()
        elif young >= _YOUNG:
            gc.collect(1 if young_rounds >= _YOUNG_ROUNDS else 0)

    def all(self) -> None:
        """Look through every object: some tens of milliseconds."""
        gc.collect()

    def stop(self) -> None:
        """The lanes have ended: leave it to CPython again, unless another window is open."""
        self._timer.stop()
        self._working.discard(id(self))
        if not self._working:
            gc.enable()
