"""Bring a store to this version's schema: numbered SQL files, forward only, each all or nothing.

A file is `db/migrations/NNNN_name.sql`, numbered from 1 without gaps, never edited once released
(its checksum is recorded and compared). Native ALTERs only; how to rebuild a table that others
refer to is in docs/decisions/migrations.md. Nothing here knows what the tables mean.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from sqlcipher3 import dbapi2

from db.connection import Connection
from db.engine import Store
from db.errors import MigrationChanged, NewerSchema, NotAStore

FOLDER: Final = Path(__file__).parent / "migrations"

# Called once before the first statement, with the schema found and the one to come.
BeforeMigrating = Callable[[int, int], None]

Stepped = Callable[[int, int], None]

_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_RECORD: Final = """
CREATE TABLE schema_step (
    number INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    name TEXT NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32)
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step. `sha256` is over the file's bytes with line ends as LF."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.sql.encode()).digest()


@cache
def shipped(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """The migrations of this version in order. A gap or a strange name is a mistake of ours."""
    steps = []
    for path in sorted(folder.glob("*.sql")):
        parts = _NAME.fullmatch(path.name)
        assert parts, f"{path.name} is not NNNN_name.sql"
        # Universal newlines: a checkout with CRLF must not look like an edited migration.
        steps.append(Migration(int(parts[1]), parts[2], path.read_text(encoding="utf-8")))
    numbers = [step.number for step in steps]
    assert numbers == list(range(1, len(steps) + 1)), f"migrations have a gap or a twin: {numbers}"
    return tuple(steps)


def schema_version(raw: Connection) -> int:
    """The number of the last migration that this store has had; 0 for a new store."""
    if not _has_record(raw):
        return 0
    return int(raw.execute("SELECT coalesce(max(number), 0) FROM schema_step").fetchone()[0])


def migrate(
    store: Store,
    *,
    before: BeforeMigrating,
    steps: tuple[Migration, ...] | None = None,
    stepped: Stepped = lambda done, total: None,
) -> tuple[int, ...]:
    """Apply what is missing, one transaction a step, and answer the numbers applied.

    `before(found, wanted)` runs once if anything is to be done to a store that has a schema: it
    makes the backup, and if it raises nothing is changed; `stepped` then hears how many statements of
    how many are done. A new store has neither. Raises NewerSchema or MigrationChanged
    without touching the store; a step that fails is rolled back whole and earlier ones stand.
    """
    steps = shipped() if steps is None else steps
    with store.read() as raw:
        found = _compare(store, raw, steps)
    due = steps[found:]
    if due and found:
        before(found, due[-1].number)
    scripts = [tuple(statements(step.sql)) for step in due]
    total, done = sum(map(len, scripts)), 0
    for step, script in zip(due, scripts, strict=True):
        with store.write() as raw:
            for each in _applied(raw, step, script):
                done += each
                if found:
                    stepped(done, total)
    return tuple(step.number for step in due)


def _compare(store: Store, raw: Connection, steps: tuple[Migration, ...]) -> int:
    """How many steps the store has had; each must be the one shipped under its number."""
    if not _has_record(raw):
        strangers = raw.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if strangers:
            raise NotAStore(store.path, "tables without a record of migrations")
        return 0
    had = raw.execute("SELECT number, sha256 FROM schema_step ORDER BY number").fetchall()
    if len(had) > len(steps):
        raise NewerSchema(store.path, found=len(had), known=len(steps))
    for (number, sha256), step in zip(had, steps, strict=False):
        if number != step.number or sha256 != step.sha256:
            raise MigrationChanged(store.path, f"{number} differs from the shipped file")
    return len(had)


def _applied(raw: Connection, step: Migration, script: tuple[str, ...]) -> Iterator[int]:
    """Run a step's statements; yields 1 after each, the record of the step comes at the end."""
    if not _has_record(raw):
        raw.execute(_RECORD)
    for statement in script:
        raw.execute(statement)
        yield 1
    broken = raw.execute("PRAGMA foreign_key_check").fetchone()
    assert broken is None, f"migration {step.number} leaves a broken reference in {broken[0]}"
    raw.execute(
        "INSERT INTO schema_step (number, name, sha256) VALUES (?, ?, ?)",
        (step.number, step.name, step.sha256),
    )


def statements(sql: str) -> Iterator[str]:
    """Split a script into statements as SQLite itself would, triggers with their bodies whole.

    `executescript` would do it too, but it commits the open transaction first.
    """
    begun = 0
    for end in (found.end() for found in re.finditer(";", sql)):
        part = sql[begun:end]
        if dbapi2.complete_statement(part):
            yield part.strip()
            begun = end
    rest = re.sub(r"--[^\n]*|/\*.*?\*/", "", sql[begun:], flags=re.DOTALL).strip()
    if rest:
        raise ValueError(f"the script ends inside a statement: {rest[:40]!r}")


def _has_record(raw: Connection) -> bool:
    row = raw.execute(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_step'"
    ).fetchone()
    return bool(row[0])
