"""The store: one writer and a few readers on one encrypted file, and who may hold them when.

Here: opening and creating, transactions, checkpoints, calling a query off. Not here: the schema
(db/migrate.py), keys at rest (app/keyslots.py), the lock against a second program (db/lock.py).
It imports SQLAlchemy, so the window imports it after its first paint, on the db lane.
"""

from __future__ import annotations

import enum
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, cast

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection as CoreConnection
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection, QueuePool
from sqlcipher3 import dbapi2

from db.connection import (
    APPLICATION_ID,
    PAGE_BYTES,
    Connection,
    Key,
    StoreKey,
    connect,
    meaning_of,
    require_library,
    require_writable,
)
from db.errors import AlreadyExists, Busy, Damaged, IoFailed, NotAStore, StoreMissing

CHECKOUT_TIMEOUT_S: Final = 5.0
WRITER_CACHE_KIB: Final = 16384


class Reader(enum.Enum):
    """What a reading connection is for. Each has its own connection, page cache and snapshot."""

    COUNTER = "counter"
    SEARCH = "search"
    REPORT = "report"


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
    transaction at a time; a second one in the same thread is a mistake and asserts. `writer` and
    `reader(...)` are the SQLAlchemy engines over the same connections, for Core statements away
    from the counter's hot path; their transactions begin the same way.
    """

    def __init__(self, path: Path, key: Key) -> None:
        self.path = path
        self.writer: Final = _engine(path, key, cache_kib=WRITER_CACHE_KIB, writing=True)
        self._readers: Final = {
            reader: _engine(path, key, cache_kib=cache_kib, writing=False)
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
            with store._held(store.writer) as raw:
                found = raw.execute("PRAGMA application_id").fetchone()[0]
        except BaseException:
            store._dispose()
            raise
        if found != APPLICATION_ID:
            store._dispose()
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

    def reader(self, reader: Reader) -> Engine:
        """The SQLAlchemy engine of a reading connection (query_only: a stray write fails)."""
        return self._readers[reader]

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One BEGIN IMMEDIATE … COMMIT around the block; any exception rolls all of it back.

        The lock is taken at once, because a deferred transaction that reads first and writes
        later fails with BUSY at once if another one committed in between (storage.md section 3).
        Once the block is left without an error, the commit is synced to the disk.
        """
        with self._transaction(self.writer, "BEGIN IMMEDIATE") as raw:
            yield raw

    @contextmanager
    def read(self, reader: Reader = Reader.COUNTER) -> Iterator[Connection]:
        """One snapshot for the whole block. Raises Interrupted if it was called off."""
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
        """Move what it can from log to file without waiting for anybody. Call it when idle."""
        return self._checkpoint("PASSIVE")

    def checkpoint_truncate(self) -> Checkpoint:
        """Move everything and empty the log; waits for readers up to the busy time-out."""
        return self._checkpoint("TRUNCATE")

    def close(self) -> None:
        """Empty the log and close every connection. The store must be idle."""
        assert not self._running, "close() while a reader runs"
        for engine in self._readers.values():
            engine.dispose()
        try:
            self.checkpoint_truncate()
        finally:
            self._dispose()

    def _checkpoint(self, mode: str) -> Checkpoint:
        with self._held(self.writer) as raw:
            blocked, log_pages, moved_pages = raw.execute(
                f"PRAGMA wal_checkpoint({mode})"
            ).fetchone()
        return Checkpoint(log_pages, moved_pages, bool(blocked))

    @contextmanager
    def _transaction(self, engine: Engine, begin: str) -> Iterator[Connection]:
        with self._held(engine) as raw:
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
    def _held(self, engine: Engine) -> Iterator[Connection]:
        """The one connection of a pool, for the block; SQLite's errors leave it as the store's."""
        assert not getattr(self._thread, "holds", False), "a transaction inside a transaction"
        proxied = self._checked_out(engine)
        self._thread.holds = True
        try:
            yield cast(Connection, proxied.dbapi_connection)
        except dbapi2.Error as error:
            meaning = meaning_of(error, self.path)
            if isinstance(meaning, Damaged | IoFailed):
                proxied.invalidate()  # after CORRUPT every later query on it fails too
            if meaning is None:
                raise
            raise meaning from error
        finally:
            self._thread.holds = False
            proxied.close()

    def _checked_out(self, engine: Engine) -> PoolProxiedConnection:
        try:
            return engine.raw_connection()
        except PoolTimeout as error:
            raise Busy(self.path, "another thread holds the connection") from error

    def _dispose(self) -> None:
        self.writer.dispose()
        for engine in self._readers.values():
            engine.dispose()


def _engine(path: Path, key: Key, *, cache_kib: int, writing: bool) -> Engine:
    """A pool of one connection. The path and the key never pass through SQLAlchemy: its exception
    texts hold statements and URLs (security.md section 2.1)."""
    engine = create_engine(
        "sqlite://",
        module=dbapi2,
        creator=lambda: connect(path, key, cache_kib=cache_kib, writer=writing),
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=CHECKOUT_TIMEOUT_S,
        pool_reset_on_return=None,  # whoever began a transaction ends it: Store or SQLAlchemy
        hide_parameters=True,
    )

    @event.listens_for(engine, "begin")
    def _begin(core: CoreConnection) -> None:
        # The driver begins nothing by itself (isolation_level None). AUTOCOMMIT fires this too.
        if core.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            core.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


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
