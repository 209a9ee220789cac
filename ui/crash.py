"""Bugs: one notice for each traceback, a log entry without a person in it, and the cart stays.

Python's hooks for slots, paint events and threads end here; lanes report through Lanes.crashed.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QObject, Signal, Slot

from app.log import log
from ui.errors import crash_code


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
        code = crash_code(error)
        # Only code places and the kind of error: its message may hold a name or a phone number.
        places = traceback.extract_tb(error.__traceback__)
        where = " < ".join(f"{p.filename.rsplit('/', 1)[-1]}:{p.lineno}" for p in reversed(places))
        if where not in self._told:
            self._told.add(where)
            log.error("bug %s %s at %s", code, type(error).__name__, where)
            self.noticed.emit(code)
