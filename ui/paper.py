"""Keeps slips moving: claim on the db lane, deliver on the print lane, settle on the db lane.

One job at a time, in order. A dead printer is asked again after a while; no sale waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget

from app.queries.records import PrintStatus
from ui.lanes import Lanes

if TYPE_CHECKING:
    from app.spool import Delivery, Job
    from ui.desk import Desk

RETRY_MS: Final = 5_000


class Paper(QWidget):
    """Signals:
    changed(status): what waits, and what is wrong.

    A widget only so that lanes drop its work when the window dies; it is never shown.
    """

    changed = Signal(object)

    def __init__(self, parent: QWidget, lanes: Lanes, desk: Desk) -> None:
        super().__init__(parent)
        self._lanes, self._desk = lanes, desk
        self._running = False
        self._again = False
        self._retry = QTimer(self)
        self._retry.setSingleShot(True)
        self._retry.setInterval(RETRY_MS)
        self._retry.timeout.connect(self.print_waiting)
        self.hide()

    def start(self) -> None:
        """After the till opened: what was being sent is uncertain, the rest goes on."""
        self._lanes.run(
            self,
            "db",
            self._desk.slips.recover,
            ok=lambda _: self.print_waiting(),
            failed=self._stop,
        )

    def print_waiting(self) -> None:
        """Send what waits; also while something is being sent."""
        if self._running:
            self._again = True
            return
        self._running, self._again = True, False
        self._lanes.run(self, "db", self._desk.slips.claim, ok=self._claimed, failed=self._stop)

    def _claimed(self, job: Job | None) -> None:
        if job is None:
            self._stop(None)
            return
        self._lanes.run(
            self,
            "print",
            lambda: self._desk.slips.deliver(job),
            ok=self._delivered,
            failed=self._stop,
        )

    def _delivered(self, delivery: Delivery) -> None:
        good = delivery.outcome != "queued"
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.slips.settle(delivery),
            ok=lambda _: self._settled(good=good),
            failed=self._stop,
        )

    def _settled(self, *, good: bool) -> None:
        self._running = False
        if good:
            self.print_waiting()
        else:
            self._retry.start()
        self._tell()

    def _stop(self, error: Exception | None) -> None:
        self._running = False
        if self._again:
            self.print_waiting()
        elif error is not None:
            self._retry.start()
        self._tell()

    def _tell(self) -> None:
        def told(status: PrintStatus) -> None:
            self.changed.emit(status)

        self._lanes.run(self, "db", self._desk.slips.status, ok=told, failed=lambda error: None)
