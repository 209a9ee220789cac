"""The store: one writer and a few readers on one encrypted file, and who may hold them when.

Here: opening and creating, transactions, checkpoints, calling a query off. Not here: the schema
(db/migrate.py), keys at rest (app/keyslots.py), the lock against a second program (db/lock.py).
"""

from __future__ import annotations

import enum
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Self

from sqlcipher3 import dbapi2

from db.connection import (
    APPLICATION_ID,
    PAGE_BYTES,
    WRITER_CACHE_KIB,
    Connection,
    Key,
    StoreKey,
    connect,
    meaning_of,
    require_library,
    require_writable,
)
from db.counted_lock import CountedLock
from db.errors import AlreadyExists, Busy, Damaged, IoFailed, NotAStore, StoreMissing

HELD_TIMEOUT_S: Final = 5.0
CALL_OFF_EVERY_S: Final = 0.05
"""A reader that is called off may ask its next question before it hears of it."""


class Reader(enum.Enum):
    """What a reading connection is for. Each has its own connection, page cache and snapshot."""

    COUNTER = "counter"
    SEARCH = "search"
    REPORT = "report"


MOVER_CACHE_KIB: Final = 64
# storage.md section 3. Caches fill only with what is read, so the search's 64 MB is a ceiling.
READER_CACHE_KIB: Final = {Reader.COUNTER: 8192, Reader.SEARCH: 65536, Reader.REPORT: 8192}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint did: pages found in the write-ahead log, pages moved, and `blocked` when
    a reader or writer kept it from finishing. Pages that stay wait for the next one."""

    log_pages: int
    moved_pages: int
    blocked: bool


class Store:
    """An open store. Make one by `open` or `create`; `close` it when the till closes.

    `write` and `read` hand out the DB-API connection inside a transaction. One thread holds one
    transaction at a time; a second one in the same thread is a mistake and asserts.
    """

    def __init__(self, path: Path, key: Key) -> None:
        self.path = path
        self.key: Final = key
        self._writer: Final = _Line(path, key, cache_kib=WRITER_CACHE_KIB, writing=True)
        # Moving the log keeps nobody from writing, unless it is the writer's own connection that does it.
        self._mover: Final = _Line(path, key, cache_kib=MOVER_CACHE_KIB, writing=True)
        self._readers: Final = {
            reader: _Line(path, key, cache_kib=cache_kib, writing=False)
            for reader, cache_kib in READER_CACHE_KIB.items()
        }
        self._thread: Final = threading.local()
        self._running: Final[dict[Reader, Connection]] = {}
        self._running_lock: Final = threading.Lock()

    @classmethod
    def open(cls, path: Path, key: Key) -> Self:
        """Open the store at `path`. Never creates, replaces or mends anything.

        Raises StoreMissing, NotAStore, WrongKey, Damaged (ForeignLog), ReadOnlyFolder, DiskFull,
        Busy, IoFailed.
        """
        require_library()
        if not path.exists():
            raise StoreMissing(path, "no file")
        if path.stat().st_size < PAGE_BYTES:
            raise NotAStore(path, "less than one page")
        require_writable(path.parent)
        store = cls(path, key)
        try:
            with store._held(store._writer) as raw:
                found = raw.execute("PRAGMA application_id").fetchone()[0]
        except BaseException:
            store.let_go()
            raise
        if found != APPLICATION_ID:
            store.let_go()
            raise NotAStore(path, "a sound database of another program")
        return store

    @classmethod
    def create(cls, path: Path, key: Key) -> Self:
        """Make an empty store where nothing is yet, and open it. The schema comes by migration.

        The file is made whole under a temporary name and synced before it takes its own, so a
        crash leaves no half store at `path`. Raises AlreadyExists (also for a left-over log of a
        store that is gone), ReadOnlyFolder, DiskFull, IoFailed.
        """
        require_library()
        require_writable(path.parent)
        _refuse_existing(path)
        fresh = path.with_name(f".{path.name}.new")
        _remove_all(fresh)  # of a crash in this very place; nothing was ever stored in it
        raw = connect(fresh, key, cache_kib=WRITER_CACHE_KIB, writer=True, create=True)
        try:
            raw.execute(f"PRAGMA application_id={APPLICATION_ID}")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except dbapi2.Error as error:
            raise (meaning_of(error, fresh) or error) from error
        finally:
            raw.close()
        _sync(fresh)
        _refuse_existing(path)
        fresh.rename(path)
        _sync(path.parent)
        return cls.open(path, key)

    def write(self) -> AbstractContextManager[Connection]:
        """One BEGIN IMMEDIATE … COMMIT around the block; any exception rolls all of it back.

        The lock is taken at once, because a deferred transaction that reads first and writes
        later fails with BUSY at once if another one committed in between (storage.md section 3).
        Once the block is left without an error, the commit is synced to the disk.
        """
        return self._transaction(self._writer, "BEGIN IMMEDIATE")

    @property
    def awaited(self) -> bool:
        """Whether another thread waits to write."""
        return self._writer.awaited

    @contextmanager
    def read(self, reader: Reader = Reader.COUNTER) -> Iterator[Connection]:
        """One snapshot for the whole block. Raises Interrupted if it was called off.

        The connection is query_only: a stray write fails.
        """
        with self._transaction(self._readers[reader], "BEGIN") as raw:
            with self._running_lock:
                self._running[reader] = raw
            try:
                yield raw
            finally:
                with self._running_lock:
                    del self._running[reader]

    def interrupt(self, reader: Reader) -> None:
        """Call off what this reader is doing now, from any thread; no effect when it is idle."""
        with self._running_lock:
            raw = self._running.get(reader)
            if raw is not None:
                raw.interrupt()

    def checkpoint_passive(self) -> Checkpoint:
        """Move what it can from log to file: it waits for nobody, and who writes or reads doesn't wait for it.
        Beside it the disk has more to do: call it when idle."""
        return self._checkpoint("PASSIVE", self._mover)

    def checkpoint_truncate(self) -> Checkpoint:
        """Move everything and empty the log; waits for readers up to the busy time-out."""
        return self._checkpoint("TRUNCATE", self._writer)

    def log_pages(self) -> int:
        """How many pages of the log are still to be moved to the file."""
        with self._held(self._mover) as raw:
            _, pages, moved = raw.execute("PRAGMA wal_checkpoint(NOOP)").fetchone()
        return int(pages) - int(moved)

    def close(self) -> None:
        """Empty the log and close every connection. What readers are doing is called off: a lane may have begun
        something of its own when the window closes."""
        for reader, line in self._readers.items():
            line.shut(partial(self.interrupt, reader))
        self._mover.shut()
        try:
            self.checkpoint_truncate()
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Close every connection and leave the log as it is: for whoever only read."""
        for line in (self._writer, self._mover, *self._readers.values()):
            line.shut()

    def _checkpoint(self, mode: str, line: _Line) -> Checkpoint:
        with self._held(line) as raw:
            blocked, log_pages, moved_pages = raw.execute(
                f"PRAGMA wal_checkpoint({mode})"
            ).fetchone()
        return Checkpoint(log_pages, moved_pages, bool(blocked))

    @contextmanager
    def _transaction(self, line: _Line, begin: str) -> Iterator[Connection]:
        with self._held(line) as raw:
            raw.execute(begin)
            try:
                yield raw
                assert raw.in_transaction, "the block ended the transaction that it was given"
                raw.execute("COMMIT")
            except BaseException:
                if raw.in_transaction:  # some failures (FULL, IOERR) have rolled back already
                    raw.execute("ROLLBACK")
                raise

    @contextmanager
    def _held(self, line: _Line) -> Iterator[Connection]:
        """A line's connection, for the block; SQLite's errors leave it as the store's."""
        assert not getattr(self._thread, "holds", False), "a transaction inside a transaction"
        raw = line.take()
        self._thread.holds = True
        try:
            yield raw
        except dbapi2.Error as error:
            meaning = meaning_of(error, self.path)
            if isinstance(meaning, Damaged | IoFailed):
                line.close()  # after CORRUPT every later query on it fails too
            if meaning is None:
                raise
            raise meaning from error
        finally:
            self._thread.holds = False
            line.give_back()


class _Line:
    """One connection for one purpose: opened when it is first taken, held by one thread at a time."""

    def __init__(self, path: Path, key: Key, *, cache_kib: int, writing: bool) -> None:
        self._path = path
        self._key = key
        self._cache_kib = cache_kib
        self._writing = writing
        self._raw: Connection | None = None
        self._free = CountedLock()

    def take(self) -> Connection:
        """Hold the connection. Raises Busy when another thread keeps it, and what opening raises."""
        if not self._free.acquire(timeout_s=HELD_TIMEOUT_S):
            raise Busy(self._path, "another thread holds the connection")
        if self._raw is not None:
            return self._raw
        try:
            self._raw = connect(
                self._path, self._key, cache_kib=self._cache_kib, writer=self._writing
            )
        except BaseException:
            self._free.release()
            raise
        return self._raw

    @property
    def awaited(self) -> bool:
        """Whether another thread waits for it."""
        return self._free.awaited

    def give_back(self) -> None:
        """Let the next thread have it."""
        self._free.release()

    def shut(self, call_off: Callable[[], None] = lambda: None) -> None:
        """Close the connection once nobody holds it: one that is closed while another thread reads on it takes
        the process down. `call_off` stops what is done on it now. Raises Busy."""
        until_s = time.monotonic() + HELD_TIMEOUT_S
        while not self._free.acquire(timeout_s=CALL_OFF_EVERY_S):
            if time.monotonic() > until_s:
                raise Busy(self._path, "another thread holds the connection")
            call_off()
        self.close()
        self._free.release()

    def close(self) -> None:
        """Drop the connection, which the caller holds; the next `take` opens another."""
        raw, self._raw = self._raw, None
        if raw is not None:
            with suppress(dbapi2.Error):  # of a damaged one nothing is to be saved
                raw.close()


def _refuse_existing(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-journal"):
        if os.path.lexists(path.with_name(name)):
            raise AlreadyExists(path.with_name(name))


def _remove_all(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """fsync a file, or a folder so that a rename in it is durable (folders can't be on Windows)."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


__all__ = ["Checkpoint", "Connection", "Reader", "Store", "StoreKey"]
