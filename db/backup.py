"""A whole copy of the store while it is being written to: made, opened again, and put on the disk for good.

`copy_into` is VACUUM INTO on a connection of its own: the writer goes on, and the copy has the store's key and
salt (storage.md section 9). A copy counts only once `check_copy` has opened it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal, TypeAlias

from sqlcipher3 import dbapi2

from db import rows
from db.connection import Connection, Key, connect, meaning_of, require_writable
from db.errors import AlreadyExists, Damaged, Interrupted

CACHE_KIB: Final = 8192
_LOOK_EVERY: Final = 1_000
"""Steps of SQLite's machine between two looks at a copy: some hundred rows, which a sale waits for."""
_SYNC_EVERY: Final = 256 << 10
"""Bytes of a copy that may wait for the disk: a sale that syncs meanwhile waits behind no more."""
_FORGET_FROM: Final = 2 << 30
"""Bytes of a copy from which on it would take the store's own pages out of the system's memory."""
_FORGET_EVERY_S: Final = 2
"""While a copy is read: oftener, and what the system has read ahead would go before it is used."""
Head: TypeAlias = tuple[int, bytes]
"""(sequence, hash) of an event."""
NOTHING: Final[Head] = (0, bytes(32))
"""The head of an empty journal."""
Share: TypeAlias = Callable[[int, int], None]
"""Told (done, whole) while it runs."""
_LEAST_STEPS: Final = 100


def _quiet(done: int, whole: int) -> None:
    del done, whole


def _go_on() -> None:
    """Nobody is given way to."""


class Stop:
    """Calls a copy off from another thread, before it begins or while it runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._raw: Connection | None = None
        self.wanted = False

    def __call__(self) -> None:
        """Stop what runs now, and whatever would begin."""
        with self._lock:
            self.wanted = True
            if self._raw is not None:
                self._raw.interrupt()

    @contextlib.contextmanager
    def over(self, raw: Connection) -> Iterator[None]:
        """While `raw` works. Raises Interrupted when it is to stop already."""
        with self._lock:
            if self.wanted:
                raise Interrupted(None, "called off")
            self._raw = raw
        try:
            yield
        finally:
            with self._lock:
                self._raw = None


def copy_into(
    path: Path,
    key: Key,
    target: Path,
    stop: Stop | None = None,
    copied: Callable[[int, int], None] | None = None,
    give_way: Callable[[], None] = _go_on,
) -> Head:
    """Write a whole copy of the store at `path` to `target`, which must not exist, and sync it.

    Returns the store's last event just before: the copy has it, and perhaps later ones. What was written of
    a copy that failed is removed. `copied` hears now and then how many bytes of how many there are.
    `give_way` is called many times a second and may wait for a moment. Raises AlreadyExists, DiskFull,
    ReadOnlyFolder, IoFailed, Damaged, Interrupted.
    """
    require_writable(target.parent)
    if os.path.lexists(target):
        raise AlreadyExists(target)
    # A reading connection may not VACUUM; this one writes nothing into the store either.
    raw = connect(path, key, cache_kib=CACHE_KIB, writer=True)
    growth = _Growth(path, target, copied or _quiet, give_way)
    try:
        with (stop or Stop()).over(raw):
            head = rows.head(raw) or NOTHING
            raw.set_progress_handler(growth.look, _LOOK_EVERY)
            raw.execute("VACUUM INTO ?", (str(target),))
        _sync(target)
        if copied is not None:
            copied(1, 1)
    except BaseException as error:
        target.unlink(missing_ok=True)
        if growth.problem is not None:
            raise growth.problem from error  # SQLite knows only that it was stopped
        if isinstance(error, dbapi2.Error):
            raise (meaning_of(error, target) or error) from error
        raise
    finally:
        raw.close()
    return head


def check_copy(
    target: Path,
    key: Key,
    had: Head,
    look: Callable[[Connection], None] = lambda copy: None,
    stop: Stop | None = None,
    progress: Share = _quiet,
) -> Head:
    """Open a copy with the key, walk its whole structure, look for the event that it must have, let
    `look` read in it, and answer its last event. Every page is read, so every page's seal is checked.
    `progress` is told the pages that were walked; the rows in them are checked after, which it doesn't show.

    Raises Damaged when it is not sound, WrongKey, Interrupted, and whatever `look` raises.
    """
    raw = connect(target, key, cache_kib=CACHE_KIB, writer=False)
    try:
        with (stop or Stop()).over(raw):
            pages = int(raw.execute("PRAGMA page_count").fetchone()[0])
            steps = max(_LEAST_STEPS, pages // 100)
            _watch(raw, target, steps, _counter(steps, pages, progress))
            found = raw.execute("PRAGMA quick_check(1)").fetchone()
            raw.set_progress_handler(None, 0)
            if found is None or found[0] != "ok":
                raise Damaged(target, "the copy is not sound")
            event = rows.event_by_seq(raw, had[0]) if had[0] else None
            if had[0] and (event is None or event.hash != had[1]):
                raise Damaged(target, f"the copy has another event {had[0]}, or none")
            head = rows.head(raw) or NOTHING
            look(raw)
    except dbapi2.Error as error:
        raise (meaning_of(error, target) or error) from error
    finally:
        raw.close()
    return head


class _Growth:
    """Looks at a copy while SQLite writes it, and lets the disk keep up: gigabytes that wait to be written
    would hold up the sync of every sale. `problem` is what the disk said where it failed."""

    def __init__(
        self, path: Path, target: Path, copied: Share, give_way: Callable[[], None]
    ) -> None:
        self._path, self._target = path, target
        self._copied, self._give_way = copied, give_way
        self._synced = 0
        self.problem: OSError | None = None

    def look(self) -> Literal[0, 1]:
        """SQLite's own call; 0 lets it go on."""
        self._give_way()
        try:
            self._keep_up()
        except OSError as error:
            self.problem = error
            return 1
        return 0

    def _keep_up(self) -> None:
        size = self._target.stat().st_size if self._target.exists() else 0
        if size - self._synced >= _SYNC_EVERY:
            _sync(self._target)
            _forget_pages(self._target)
            self._synced = size
            self._copied(size, self._path.stat().st_size)


def _forget_pages(path: Path) -> None:
    """The system need not keep a large copy in its memory, where the store's own pages are wanted by whoever
    sells. Elsewhere than on Linux it is left to the system."""
    if sys.platform == "linux" and path.stat().st_size >= _FORGET_FROM:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _watch(raw: Connection, target: Path, steps: int, look: Callable[[], None]) -> None:
    """Call `look` from time to time while a statement reads a copy, of which little is kept in memory."""
    forgotten = time.monotonic()

    def go_on() -> int:
        nonlocal forgotten
        look()
        if time.monotonic() - forgotten >= _FORGET_EVERY_S:
            _forget_pages(target)
            forgotten = time.monotonic()
        return 0

    raw.set_progress_handler(go_on, steps)


def _counter(steps: int, whole: int, progress: Share) -> Callable[[], None]:
    """`quick_check` calls once for so many pages while it walks the structure, and it walks that first."""
    calls = itertools.count(1)
    return lambda: progress(min(next(calls) * steps, whole), whole)


def _sync(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())
