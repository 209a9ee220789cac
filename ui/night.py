"""What a till does by itself when nobody touches it: hourly backups, the close of a date that is over; and
old slips go.

Once a minute it asks what is due. A date is closed only after half an hour without a key: a shift keeps its
date over midnight and cut-off while somebody sells. Backups run on their own lane and wait for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QWidget

from ui.day_run import DayRun
from ui.follow_up import FollowUp
from ui.lanes import Lanes

if TYPE_CHECKING:
    from app.backup import Backup
    from app.domain.business_day import BusinessDate
    from app.usecases.close_day import Closed
    from ui.desk_day import DayDesk

EVERY_MS: Final = 60_000
QUIET_S: Final = 30 * 60
RETRY_S: Final = 10 * 60
"""What failed is tried again after so long: a disk that is away or full is not asked each minute, and no backup
made each minute for a close that fails behind it."""
_TOUCHES: Final = frozenset(
    {QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.TouchBegin}
)


class Night(QObject):
    """Signals:
    backed_up(): a backup was made and opened.
    failed(error): a backup or a close could not be made.
    closed(closed): a date was closed with nobody there.
    followed(): its reports are made and a share of the members is folded anew.

    Attributes:
        busy: it looks what is due, or does it. closing: it closes a date; nobody else does meanwhile.
    """

    backed_up = Signal()
    failed = Signal(object)
    closed = Signal(object)
    followed = Signal()

    def __init__(
        self,
        widget: QWidget,
        lanes: Lanes,
        day: DayDesk,
        *,
        taken: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        """`taken` says whether somebody closes the day just now."""
        super().__init__(widget)
        self._widget, self._lanes, self._day = widget, lanes, day
        self._taken, self._clock = taken, clock
        self._touched_s = clock()
        self._failed_s: float | None = None
        self.busy = self.closing = False
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        application = QApplication.instance()
        assert application is not None, "a window needs its application"
        application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _TOUCHES:
            self._touched_s = self._clock()
        return False

    def look(self) -> None:
        """What is due? One thing at a time, and nothing soon after something failed."""
        failed = self._failed_s is not None and self._clock() - self._failed_s < RETRY_S
        if self.busy or self._taken() or failed:
            return
        self.busy = True
        quiet = self._clock() - self._touched_s >= QUIET_S
        self._lanes.run(
            self._widget, "db", lambda: self._due(quiet), ok=self._found, failed=self._give_up
        )

    def _due(self, quiet: bool) -> tuple[BusinessDate | None, bool]:
        """(the date to close, whether a backup is due)."""
        self._day.purge_slips()
        on = self._day.date_over() if quiet else None
        return on, on is None and self._day.backup_due()

    def _found(self, due: tuple[BusinessDate | None, bool]) -> None:
        on, backup = due
        if on is not None:
            self.closing = True
            self._lanes.run(
                self._widget, "db", lambda: self._day.begin_alone(on),
                ok=self._run().start, failed=self._give_up,
            )  # fmt: skip
        elif backup:
            self._lanes.run(
                self._widget, "backup", self._day.back_up, ok=self._note, failed=self._give_up
            )
        else:
            self.busy = False

    def _run(self) -> DayRun:
        return DayRun(
            self._widget, self._lanes, self._day,
            told=lambda step: None, percent=lambda step, percent: None, done=self._closed, failed=self._give_up,
        )  # fmt: skip

    def _note(self, made: Backup) -> None:
        self._lanes.run(
            self._widget, "db", lambda: self._day.note(made), ok=self._noted, failed=self._give_up
        )

    def _noted(self, made: Backup) -> None:
        del made
        self.busy = False
        self.backed_up.emit()

    def _closed(self, closed: Closed) -> None:
        self.closed.emit(closed)
        FollowUp(
            self._widget, self._lanes, self._day, closed.on,
            done=self._followed, failed=self._give_up,
        ).start()  # fmt: skip

    def _followed(self) -> None:
        self.busy = self.closing = False
        self.followed.emit()
        self.look()  # the next missed date

    def _give_up(self, error: Exception) -> None:
        self.busy = self.closing = False
        self._failed_s = self._clock()
        self.failed.emit(error)
