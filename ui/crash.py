"""Bugs: one notice for each traceback, a log entry without a person in it, and the cart stays.

Python's hooks for slots, paint events and threads end here; lanes report through Lanes.crashed.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QObject, Signal, Slot

from app.log import bug_code, bug_places, log_bug


class CrashNotice(QObject):
    """Tells of each distinct bug once.

    Signals:
        noticed(code): a bug that was not told before, in the GUI thread.
    """

    noticed = Signal(str)
    _came = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._told: set[str] = set()
        self._came.connect(self._tell)

    def install(self) -> Callable[[], None]:
        """Catch what nobody caught; returns what puts the old hooks back."""
        old_hook, old_thread_hook = sys.excepthook, threading.excepthook

        def hook(
            kind: type[BaseException], error: BaseException, trace: TracebackType | None
        ) -> None:
            del kind, trace
            self.report(error)

        def thread_hook(arguments: threading.ExceptHookArgs) -> None:
            if arguments.exc_value is not None:
                self.report(arguments.exc_value)

        def put_back() -> None:
            sys.excepthook, threading.excepthook = old_hook, old_thread_hook

        sys.excepthook, threading.excepthook = hook, thread_hook
        return put_back

    def report(self, error: BaseException) -> None:
        """Take a bug from any thread."""
        self._came.emit(error)

    @Slot(object)
    def _tell(self, error: BaseException) -> None:
        where = bug_places(error)
        if where not in self._told:
            self._told.add(where)
            log_bug(error)
            self.noticed.emit(bug_code(error))
