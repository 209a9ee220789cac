"""Opens the file of a head office store in SQLite: its settings and its schema, step by step, forward only.

A step (steps.py) is recorded with its SHA-256. Nothing here knows what the tables mean.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from headoffice.store.errors import NotAStore, StoreBusy
from headoffice.store.steps import SQLITE, Step, compared, shipped

WAIT_MS: Final = 5_000
"""So long a writer waits for another one before it is refused."""
CACHE_KIB: Final = 64 * 1024
"""Pages that a connection may keep in memory."""
STATEMENTS: Final = 512
"""So many a connection keeps prepared: reads by keys have one for each power of two of them, for which the
driver's 128 were too few."""
LOG_PAGES: Final = 8_000
"""So long the write-ahead log grows, 32 MiB, before its pages go into the file: one that many groups changed
goes once."""

_RECORD: Final = """
CREATE TABLE schema_step (
    number INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    name TEXT NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32)
) STRICT
"""


def open_database(
    path: Path, *, wait_ms: int = WAIT_MS, steps: tuple[Step, ...] | None = None
) -> sqlite3.Connection:
    """A connection for one thread, with the schema of this version; a missing file is a new store.

    Raises NotAStore, NewerSchema, MigrationChanged or StoreBusy; the file is then as it was.
    """
    raw = sqlite3.connect(
        path, timeout=wait_ms / 1000, isolation_level=None, cached_statements=STATEMENTS
    )
    try:
        _migrate(raw, path, shipped(SQLITE) if steps is None else steps, wait_ms)
        _settings(raw)
    except BaseException:
        raw.close()
        raise
    return raw


def _settings(raw: sqlite3.Connection) -> None:
    mode = raw.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    assert mode == "wal", f"the file system gives no write-ahead log: {mode}"
    raw.execute("PRAGMA synchronous = FULL")
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA trusted_schema = OFF")
    # Erased persons' values must not stay in free pages.
    raw.execute("PRAGMA secure_delete = ON")
    # Ids are random, so a group touches pages all over the file: the usual 2 MiB don't hold one group's.
    raw.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    raw.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")


@contextmanager
def waiting(raw: sqlite3.Connection, wait_ms: int | None) -> Iterator[None]:
    """Wait so long for another writer inside; None: as long as usual."""
    if wait_ms is None:
        yield
        return
    (usual_ms,) = raw.execute("PRAGMA busy_timeout").fetchone()
    raw.execute(f"PRAGMA busy_timeout = {wait_ms}")
    try:
        yield
    finally:
        raw.execute(f"PRAGMA busy_timeout = {usual_ms}")


@contextmanager
def transaction(raw: sqlite3.Connection, wait_ms: int) -> Iterator[None]:
    """One write transaction: all of it, or nothing. Raises StoreBusy when another one doesn't end."""
    try:
        raw.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise StoreBusy(wait_ms) from error
        raise
    try:
        yield
        raw.execute("COMMIT")
    except BaseException:
        # SQLite itself has rolled back after some errors, a full disk among them.
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        raise


def _migrate(raw: sqlite3.Connection, path: Path, steps: tuple[Step, ...], wait_ms: int) -> None:
    try:
        found = _compared(raw, path, steps)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise NotAStore(path, "no SQLite file") from error
        raise
    for step in steps[found:]:
        with transaction(raw, wait_ms):
            if _compared(raw, path, steps) < step.number:
                _apply(raw, step)


def _compared(raw: sqlite3.Connection, path: Path, steps: tuple[Step, ...]) -> int:
    """How many steps the file has had; each must be the one shipped under its number."""
    names = {name for (name,) in raw.execute("SELECT name FROM sqlite_master")}
    if not names:
        return 0
    if "schema_step" not in names:
        raise NotAStore(path, "tables without a record of migrations")
    had = raw.execute("SELECT number, sha256 FROM schema_step ORDER BY number").fetchall()
    return compared(had, steps, path)


def _apply(raw: sqlite3.Connection, step: Step) -> None:
    if step.number == 1:
        raw.execute(_RECORD)
    for statement in _statements(step.sql):
        raw.execute(statement)
    broken = raw.execute("PRAGMA foreign_key_check").fetchone()
    assert broken is None, f"step {step.number} leaves a broken reference in {broken[0]}"
    raw.execute(
        "INSERT INTO schema_step (number, name, sha256) VALUES (?, ?, ?)",
        (step.number, step.name, step.sha256),
    )


def _statements(sql: str) -> Iterator[str]:
    """The statements of a script, triggers whole. `executescript` would commit the transaction first."""
    begun = 0
    for end in (found.end() for found in re.finditer(";", sql)):
        if sqlite3.complete_statement(sql[begun:end]):
            yield sql[begun:end]
            begun = end
    rest = re.sub(r"--[^\n]*", "", sql[begun:]).strip()
    assert not rest, f"the script ends inside a statement: {rest[:40]!r}"
