"""Moves what SQLite's write-ahead log holds into the file, beside the writer.

SQLite itself does it within the commit that finds the log long: all who wait then wait for thousands of pages
and a sync. Here another connection moves most of it while the writer goes on, and the writer moves the few
pages that came meanwhile: only then does the log begin anew.
"""

from __future__ import annotations

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

from headoffice.store.opening import LOG_PAGES

ROWS: Final = 8_000
"""After so many changed rows the log is moved: some 2,000 holds, or a few hundred sales."""
LOG_MOST_PAGES: Final = 4 * LOG_PAGES
"""A log of so many pages is moved by the writer's commit after all: the other thread can't keep up."""
_MOVE: Final = "PRAGMA wal_checkpoint(PASSIVE)"


class LogMoving:
    """Of the connection that writes; all of it is called in its thread."""

    def __init__(self, path: Path, raw: sqlite3.Connection) -> None:
        self._path = path
        self._raw = raw
        self._from = raw.total_changes
        self._threads: ThreadPoolExecutor | None = None
        self._moving: Future[None] | None = None

    def look(self) -> None:
        """Between two transactions. Raises what moving raised."""
        if self._moving is not None:
            if not self._moving.done():
                return
            moved, self._moving = self._moving, None
            moved.result()
            self._raw.execute(_MOVE)
        elif self._raw.total_changes - self._from >= ROWS:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(1, "log")
                self._raw.execute(f"PRAGMA wal_autocheckpoint = {LOG_MOST_PAGES}")
            self._from = self._raw.total_changes
            self._moving = self._threads.submit(self._move)

    def close(self) -> None:
        """Wait for what is under way."""
        if self._threads is not None:
            self._threads.shutdown()

    def _move(self) -> None:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as beside:
            beside.execute(_MOVE)
