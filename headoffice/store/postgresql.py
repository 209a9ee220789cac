"""The store on PostgreSQL: for a chain, for a standby, for more than one head office process.

A transaction sees its own tenant's rows alone (row-level security, by app.tenant). A writing one first locks
the tenant's row: a tenant has one writer at a time, whichever process it is in, and tenants don't wait for
each other. Many rows travel in one statement each way, keys as arrays and rows as JSON.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any, Final

import msgspec
import psycopg

from app.protocol.wire import Request
from headoffice.store.distribution import dist_key
from headoffice.store.errors import StoreBusy, StoreError, StoreGone
from headoffice.store.postgresql_opening import CHANNEL, LOCK_WAIT_MS, Connection
from headoffice.store.records import Records
from headoffice.store.row_records import Row
from headoffice.store.statements import Ask, Query, Table

_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_OF_TENANT: Final = "SELECT set_config('app.tenant', %s, true)"
_WAIT: Final = "SELECT set_config('lock_timeout', %s, true)"
_CHANGED: Final = (
    "UPDATE register SET version = version + 1 "
    "WHERE tenant_id = %s AND dist_key = %s RETURNING version"
)
_TOLD: Final = f"NOTIFY {CHANNEL}"
TELL_S: Final = 0.25
"""No connection tells more often than that: whoever listens polls as often anyway."""
_LOCK: Final = "SELECT 1 FROM tenant WHERE tenant_id = %s FOR NO KEY UPDATE"
_json: Final = msgspec.json.Encoder(enc_hook=int)


class PostgresStore(Records):
    """Implements app.protocol.store.Store for one tenant on a connection (postgresql_opening.py)."""

    def __init__(self, raw: Connection, tenant: bytes, *, lock_wait_ms: int = LOCK_WAIT_MS) -> None:
        self._raw = raw
        self._lock_wait_ms = lock_wait_ms
        super().__init__(PostgresRows(raw, tenant), tenant)

    @contextmanager
    def writing(
        self, requests: Iterable[Request] = (), *, wait_ms: int | None = None
    ) -> Iterator[None]:
        with (
            self._begun("BEGIN", lock=True, wait_ms=wait_ms),
            self._transaction("writing", requests),
        ):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._begun(_SNAPSHOT, lock=False), self._transaction("reading"):
            yield

    @contextmanager
    def _begun(self, begin: str, *, lock: bool, wait_ms: int | None = None) -> Iterator[None]:
        raw, own = self._raw, (self._tenant, dist_key(self._tenant))
        raw.tenant, raw.wrote, version = self._tenant, False, None
        try:
            with raw.pipeline():
                raw.execute(begin)
                raw.execute(_OF_TENANT, (self._tenant.hex(),))
                if wait_ms is not None:
                    raw.execute(_WAIT, (str(wait_ms),))
                if lock:
                    raw.execute(_LOCK, (self._tenant,))
            yield
            if raw.wrote and raw.info.transaction_status == _IN_TRANSACTION:
                version = raw.execute(_CHANGED, own).fetchone()
                if time.monotonic() - raw.told_s >= TELL_S:
                    raw.told_s = time.monotonic()
                    raw.execute(_TOLD)
            # A transaction that failed and was not left by an error answers COMMIT with ROLLBACK.
            if raw.execute("COMMIT").statusmessage != "COMMIT":
                raise StoreError("the transaction had failed before its end")
            # With another's commit before it there is something to hear, of which this one is no news.
            if version is not None and raw.versions.get(self._tenant) == version[0] - 1:
                raw.versions[self._tenant] = version[0]
        except psycopg.errors.LockNotAvailable as error:
            raise StoreBusy(self._lock_wait_ms if wait_ms is None else wait_ms) from error
        except psycopg.OperationalError as error:
            if raw.broken:
                raise StoreGone(str(error)) from error
            raise
        finally:
            if not raw.closed and raw.info.transaction_status != _IDLE:
                raw.execute("ROLLBACK")


_IDLE: Final = psycopg.pq.TransactionStatus.IDLE
_IN_TRANSACTION: Final = psycopg.pq.TransactionStatus.INTRANS


class PostgresRows:
    """Implements headoffice.store.rows.Rows."""

    def __init__(self, raw: Connection, tenant: bytes) -> None:
        self._raw = raw
        self._own = (tenant, dist_key(tenant))

    def find(self, query: Query, keys: Sequence[Row]) -> list[Row]:
        if not keys:
            return []
        return self._fetch(select(query), self._keyed(query, keys))

    def last(self, query: Query, keys: Sequence[Row]) -> list[Row]:
        return self._fetch(highest(query), self._keyed(query, keys)) if keys else []

    def ask(self, ask: Ask, *values: object) -> list[Row]:
        return self._fetch(question(ask), (*self._own, *values))

    def together(self) -> AbstractContextManager[object]:
        return self._raw.pipeline()

    def write(self, table: Table, rows: Sequence[Row]) -> None:
        if rows:
            shape = _shape(table)
            objects = _json.encode([shape(*row) for row in rows])
            own = self._own if table.own else ()
            self._raw.wrote = True
            self._raw.execute(insert(table), (*own, objects.decode()))

    def drop(self, query: Query, keys: Sequence[Row]) -> None:
        if keys:
            self._raw.wrote = True
            self._raw.execute(delete(query), self._keyed(query, keys))

    def _fetch(self, text: str, values: Sequence[Any]) -> list[Row]:
        return self._raw.execute(text, values, binary=True).fetchall()

    def _keyed(self, query: Query, keys: Sequence[Row]) -> tuple[Any, ...]:
        own = self._own if query.table.own else ()
        return (*(list(column) for column in zip(*keys, strict=True)), *own)


# Each key is looked up by itself, all its columns equal: of an array the planner would, for want of statistics,
# rather read all of the tenant's rows and compare them.


@cache
def select(query: Query) -> str:
    """The rows of many keys, given as an array for each of their columns."""
    order = f" ORDER BY {query.order}" if query.order else ""
    names = ", ".join(query.table.names)
    rows = f"{_rows(query, names)} OFFSET 0"
    return f"SELECT found.* FROM {_keys(query)} CROSS JOIN LATERAL ({rows}) AS found{order}"


@cache
def highest(query: Query) -> str:
    """The highest number under each of many keys of one column."""
    rows = _rows(query, "max(number) AS number", query.table.heads)
    return (
        f"SELECT key.{query.by[0]}, found.number FROM {_keys(query)} "
        f"CROSS JOIN LATERAL ({rows}) AS found WHERE found.number IS NOT NULL"
    )


@cache
def delete(query: Query) -> str:
    """The rows of many keys, away."""
    return f"DELETE FROM {query.table.name} AS kept USING {_keys(query)} WHERE {_condition(query)}"


def _keys(query: Query) -> str:
    types = dict(query.table.columns)
    arrays = ", ".join(f"%s::{types[name]}[]" for name in query.by)
    return f"unnest({arrays}) AS key ({', '.join(query.by)})"


def _rows(query: Query, columns: str, table: str = "") -> str:
    return f"SELECT {columns} FROM {table or query.table.name} AS kept WHERE {_condition(query)}"


def _condition(query: Query) -> str:
    own = [f"kept.{name} = %s" for name in query.table.own]
    named = [f"kept.{name} = key.{name}" for name in query.by]
    return " AND ".join([*own, *named, *([f"({query.where})"] if query.where else [])])


@cache
def question(ask: Ask) -> str:
    """The text with the driver's marks."""
    return ask.text.replace("?", "%s")


@cache
def _shape(table: Table) -> type[Any]:
    """A table's rows as objects that are written faster than dicts."""
    return msgspec.defstruct(table.name, table.names, frozen=True, gc=False)


@cache
def insert(table: Table) -> str:
    """Many rows, each of which replaces that of its key unless rows are written once. Bytes come as base64."""
    names = ", ".join((*table.own, *table.names))
    own = "".join(f"{mark}, " for mark in _OWN_MARKS[: len(table.own)])
    values = ", ".join(
        f"decode({name}, 'base64')" if kind == "bytea" else name for name, kind in table.columns
    )
    given = ", ".join(
        f"{name} {'text' if kind == 'bytea' else kind}" for name, kind in table.columns
    )
    text = (
        f"INSERT INTO {table.name} ({names}) SELECT {own}{values} "
        f"FROM json_to_recordset(%s::json) AS given ({given})"
    )
    if table.once:
        return text
    key = ", ".join((*table.own, *table.names[: table.keys]))
    changed = ", ".join(f"{name} = excluded.{name}" for name in table.replaced)
    return f"{text} ON CONFLICT ({key}) DO UPDATE SET {changed}"


_OWN_MARKS: Final = ("%s::bytea", "%s::integer")
