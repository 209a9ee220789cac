"""The store on SQLite: the store of a head office that nobody had to install a database for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any, Final

from app.protocol.wire import Request
from headoffice.store.distribution import dist_key
from headoffice.store.errors import StoreMoved
from headoffice.store.opening import WAIT_MS, transaction, waiting
from headoffice.store.records import Records
from headoffice.store.row_records import Row
from headoffice.store.statements import Ask, Query, Table

_MOVING: Final = "SELECT 1 FROM move WHERE tenant_id = ? AND dist_key = ?"
KEYS_MOST: Final = 256
"""So many keys are asked for in one statement; a power of two."""


class SqliteStore(Records):
    """Implements app.protocol.store.Store for one tenant of an open database (opening.py)."""

    def __init__(self, raw: sqlite3.Connection, tenant: bytes, *, wait_ms: int = WAIT_MS) -> None:
        self._raw = raw
        self._wait_ms = wait_ms
        super().__init__(SqliteRows(raw, tenant), tenant)

    @contextmanager
    def writing(
        self, requests: Iterable[Request] = (), *, wait_ms: int | None = None
    ) -> Iterator[None]:
        with (
            waiting(self._raw, wait_ms),
            transaction(self._raw, self._wait_ms if wait_ms is None else wait_ms),
        ):
            # With the lock held: who marks the chain waits for the writer before, and stops the next one.
            if self._raw.execute(_MOVING, (self._tenant, dist_key(self._tenant))).fetchone():
                raise StoreMoved
            with self._transaction("writing", requests):
                yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        self._raw.execute("BEGIN")
        try:
            with self._transaction("reading"):
                yield
        finally:
            self._raw.execute("ROLLBACK")


class SqliteRows:
    """Implements headoffice.store.rows.Rows."""

    def __init__(self, raw: sqlite3.Connection, tenant: bytes) -> None:
        self._raw = raw
        self._own = (tenant, dist_key(tenant))

    def find(self, query: Query, keys: Sequence[Row]) -> list[Row]:
        own, execute = self._of(query.table), self._raw.execute
        if len(query.by) > 1:
            text = select(query)
            return [row for key in keys for row in execute(text, own + key)]
        found = list[Row]()
        for values in _portions([value for (value,) in keys]):
            found += execute(select(query, len(values)), (*own, *values))
        return found

    def last(self, query: Query, keys: Sequence[Row]) -> list[Row]:
        found = list[Row]()
        for values in _portions([value for (value,) in keys]):
            found += self._raw.execute(highest(query, len(values)), (*self._own, *values))
        return [row for row in found if row[1] is not None]

    def ask(self, ask: Ask, *values: object) -> list[Row]:
        return self._raw.execute(ask.text, (*self._own, *values)).fetchall()

    def together(self) -> AbstractContextManager[object]:
        return nullcontext()

    def write(self, table: Table, rows: Sequence[Row]) -> None:
        if rows:
            own = self._of(table)
            self._raw.executemany(insert(table), [own + tuple(row) for row in rows])

    def drop(self, query: Query, keys: Sequence[Row]) -> None:
        if keys:
            self._raw.executemany(delete(query), [self._of(query.table) + key for key in keys])

    def _of(self, table: Table) -> Row:
        return self._own if table.own else ()


def _portions(values: list[Any]) -> Iterator[list[Any]]:
    """In portions of few sizes, so that there are few statements: the last value fills one up."""
    for begin in range(0, len(values), KEYS_MOST):
        portion = values[begin : begin + KEYS_MOST]
        size = 1 << (len(portion) - 1).bit_length()
        yield portion + portion[-1:] * (size - len(portion))


@cache
def select(query: Query, keys: int = 1) -> str:
    """The rows of so many keys; of one where a key has several columns."""
    hint = f" INDEXED BY {query.hint}" if query.hint else ""
    order = f" ORDER BY {query.order}" if query.order else ""
    names = ", ".join(query.table.names)
    return f"SELECT {names} FROM {query.table.name}{hint} WHERE {_condition(query, keys)}{order}"


@cache
def highest(query: Query, keys: int = 1) -> str:
    """The highest number under each of so many keys of one column, each looked up by itself."""
    (by,) = query.by
    named = " AND ".join([*(f"{name} = ?" for name in query.table.own), f"{by} = asked.column1"])
    wanted = ", ".join(["(?)"] * keys)
    most = f"SELECT max(number) FROM {query.table.name} WHERE {named}"
    return f"SELECT asked.column1, ({most}) FROM (VALUES {wanted}) AS asked"


@cache
def delete(query: Query) -> str:
    """The rows of one key, away."""
    return f"DELETE FROM {query.table.name} WHERE {_condition(query)}"


def _condition(query: Query, keys: int = 1) -> str:
    named = [f"{name} = ?" for name in (*query.table.own, *query.by)]
    if keys > 1:
        named[-1] = f"{query.by[-1]} IN ({', '.join('?' * keys)})"
    return " AND ".join([*named, f"({query.where})"] if query.where else named)


@cache
def insert(table: Table) -> str:
    """One row, which replaces that of its key unless rows are written once."""
    names = (*table.own, *table.names)
    marks = ", ".join("?" * len(names))
    text = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"
    if table.once:
        return text
    key = ", ".join((*table.own, *table.names[: table.keys]))
    changed = ", ".join(f"{name} = excluded.{name}" for name in table.replaced)
    return f"{text} ON CONFLICT ({key}) DO UPDATE SET {changed}"
