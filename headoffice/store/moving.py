"""Copies one chain from SQLite to PostgreSQL, and proves that both have the same.

While a chain is marked in SQLite's `move`, nothing of it is written there (sqlite.py). All rows are put into
PostgreSQL in one transaction, read back in it and compared one by one; then it is committed. So the target has
the whole chain or nothing of it. The target's connection is the owner's, who alone may gather statistics;
row-level security is forced on the owner, too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final, Literal, NamedTuple

import psycopg

from headoffice.store.distribution import dist_key
from headoffice.store.errors import StoreError, StoreGone
from headoffice.store.opening import WAIT_MS, transaction
from headoffice.store.postgresql_opening import check_schema

Target = psycopg.Connection[tuple[Any, ...]]
Standing = Literal["here", "moving", "moved"]
ROWS_AT_ONCE: Final = 2_000
_NOT_COPIED: Final = ("register", "ledger_head")
"""Written by the target itself, when the chain comes."""
_TABLES: Final = """
SELECT c.relname::text,
    array_agg(a.attname::text ORDER BY a.attnum),
    (SELECT array_agg(k.attname::text ORDER BY array_position(i.indkey::int[], k.attnum::int))
        FROM pg_index i JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = ANY (i.indkey)
        WHERE i.indrelid = c.oid AND i.indisprimary),
    (SELECT coalesce(array_agg(DISTINCT f.relname::text), '{}') FROM pg_class f
        LEFT JOIN pg_constraint r ON r.confrelid = f.oid AND r.conrelid = c.oid AND r.contype = 'f'
        LEFT JOIN pg_trigger g ON g.tgname = f.relname || '_is_there' AND g.tgrelid = c.oid
        WHERE f.oid <> c.oid AND f.relnamespace = c.relnamespace AND coalesce(r.oid, g.oid) IS NOT NULL)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attgenerated = ''
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace
    AND EXISTS (SELECT 1 FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id')
GROUP BY c.oid, c.relname ORDER BY c.relname
"""
_MONTHS: Final = """
SELECT month::date, id_at(month AT TIME ZONE 'UTC'), id_at((month + interval '1 month') AT TIME ZONE 'UTC')
FROM generate_series(timestamp '2020-01-01', now() AT TIME ZONE 'UTC', interval '1 month') AS month
"""
_IN_MONTH: Final = """
SELECT 1 FROM event WHERE tenant_id = ? AND dist_key = ? AND event_id >= ? AND event_id < ? LIMIT 1
"""
_UNDER_WAY: Final = "SET LOCAL lock_timeout = '5s'"
_PROBE: Final = "INSERT INTO tenant VALUES (%s, 1, 0, 0, 0, 0, 0, 0, 0)"
_SUMS: Final = {
    "points and stored value of each member": (
        "SELECT member_id, asset, CAST(sum(amount) AS bigint), count(*) FROM ledger "
        "WHERE tenant_id = ? AND dist_key = ? GROUP BY member_id, asset ORDER BY member_id, asset"
    ),
    "sums by asset and kind": (
        "SELECT asset, kind, CAST(sum(amount) AS bigint), count(*) FROM ledger "
        "WHERE tenant_id = ? AND dist_key = ? GROUP BY asset, kind ORDER BY asset, kind"
    ),
    "places and chain hashes of devices": (
        "SELECT device_id, epoch, seq, chain FROM device "
        "WHERE tenant_id = ? AND dist_key = ? ORDER BY device_id"
    ),
    "heads of feeds": (
        "SELECT bucket, head, floor FROM feed_head WHERE tenant_id = ? AND dist_key = ? ORDER BY bucket"
    ),
}
"""What is computed on both sides by the databases themselves, beside the comparison of every row."""


class Different(StoreError):
    """Source and target do not have the same; nothing was kept."""

    def __init__(self, what: str) -> None:
        super().__init__(f"after copying, the two differ: {what}")


class TargetHasChain(StoreError):
    """The target has such a chain, and it is not a copy of this one."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the target has this chain already, and {why}")


class CommitUnknown(StoreGone):
    """The connection was lost at the commit. The chain stays marked; the same command finds out what is."""


class StillMoving(StoreError):
    """A transaction that brings the chain is under way in the target: who began it may be dead, and it may
    still be kept. Nobody knows before it is over."""

    def __init__(self) -> None:
        super().__init__("the target is still at another move of this chain: try again")


@dataclass(frozen=True, slots=True)
class MovedTable:
    """A table that both databases have: its columns, those of its primary key, the tables that it refers to."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    after: tuple[str, ...]


class Copied(NamedTuple):
    """Rows of each table, and how many ledger sums and heads were compared."""

    rows: Mapping[str, int]
    compared: int


# The source --------------------------------------------------------------------------------------


def standing(source: sqlite3.Connection, tenant: bytes) -> Standing:
    """Whether a chain is served from here."""
    found = source.execute(
        "SELECT standing FROM move WHERE tenant_id = ? AND dist_key = ?", _own(tenant)
    ).fetchone()
    return found[0] if found else "here"


def mark(
    source: sqlite3.Connection,
    tenant: bytes,
    to: Standing,
    noting: Callable[[], None] = lambda: None,
) -> None:
    """Stop writing a chain here, for a while or for ever, or go on: after the writer that is at it now.
    `noting` writes down, in the same transaction, that it was done."""
    with transaction(source, WAIT_MS):
        noting()
        if to == "here":
            source.execute(
                "DELETE FROM move WHERE tenant_id = ? AND dist_key = ? AND standing = 'moving'",
                _own(tenant),
            )
            return
        source.execute(
            "INSERT INTO move (tenant_id, dist_key, standing) VALUES (?, ?, ?) "
            "ON CONFLICT (tenant_id, dist_key) DO UPDATE SET standing = excluded.standing",
            (*_own(tenant), to),
        )


@contextmanager
def _snapshot(source: sqlite3.Connection) -> Iterator[None]:
    source.execute("BEGIN")
    try:
        yield
    finally:
        source.execute("ROLLBACK")


# The target --------------------------------------------------------------------------------------


def open_target(dsn: str) -> Target:
    """The target as its tables' owner. Raises NotMigrated, NewerSchema or MigrationChanged."""
    target = psycopg.connect(dsn, autocommit=True)
    try:
        check_schema(target)
    except BaseException:
        target.close()
        raise
    return target


def has_chain(target: Target, tenant: bytes) -> bool:
    """Whether the target has the chain. A move whose client died within COMMIT may still be kept: it has put
    the chain's row there, and whoever puts the same one waits until that is decided. Raises StillMoving."""
    try:
        with target.transaction(force_rollback=True):
            _see(target, tenant)
            target.execute(_UNDER_WAY)
            target.execute(_PROBE, (tenant,))
    except psycopg.errors.UniqueViolation:
        return True
    except psycopg.errors.LockNotAvailable as error:
        raise StillMoving from error
    return False


def names(target: Target) -> set[str]:
    """Of all chains of the target."""
    found = set[str]()
    for (tenant,) in target.execute("SELECT tenant_id FROM register").fetchall():
        with target.transaction():
            _see(target, tenant)
            found.add(_one(target, "SELECT name FROM chain WHERE tenant_id = %s", (tenant,)))
    return found


def copy(source: sqlite3.Connection, target: Target, tenant: bytes) -> Copied:
    """Put a whole chain into the target and compare, in a transaction that is left open for `commit`. Raises
    Different, or what a database says; nothing is kept then."""
    tables = moved_tables(source, target)
    with _snapshot(source):
        _make_months(source, target, tenant)
        target.execute("BEGIN")
        try:
            _see(target, tenant)
            for table in tables:
                _put(target, table, _rows(source, table, tenant))
            target.execute("SET CONSTRAINTS ALL IMMEDIATE")
            copied = _compare(source, target, tenant, tables)
            target.execute("UPDATE register SET version = version + 1")
        except BaseException:
            if not target.closed:
                target.execute("ROLLBACK")
            raise
    return copied


def commit(target: Target) -> None:
    """Keep what `copy` has put there. Raises CommitUnknown; whatever else comes out of here, an interrupt
    too, says as little of what the target has."""
    try:
        target.execute("COMMIT")
    except psycopg.Error as error:
        raise CommitUnknown(str(error)) from error


def compare(source: sqlite3.Connection, target: Target, tenant: bytes) -> Copied:
    """Whether the target has a chain exactly as the source has it. Raises Different."""
    tables = moved_tables(source, target)
    with _snapshot(source), target.transaction():
        _see(target, tenant)
        return _compare(source, target, tenant, tables)


def analyze(source: sqlite3.Connection, target: Target) -> None:
    """Gather statistics of what came."""
    for table in moved_tables(source, target):
        target.execute(f"ANALYZE {table.name}")


def moved_tables(source: sqlite3.Connection, target: Target) -> list[MovedTable]:
    """The tables of a chain, each behind those that it refers to. Raises StoreError where the two differ."""
    found = {
        name: MovedTable(name, tuple(columns), tuple(key), tuple(after))
        for name, columns, key, after in target.execute(_TABLES).fetchall()
        if name not in _NOT_COPIED
    }
    for table in found.values():
        there = {row[1] for row in source.execute(f"PRAGMA table_info({table.name})")}
        if there != set(table.columns):
            raise StoreError(f"the table {table.name} has other columns in the two databases")
    ordered = list[MovedTable]()
    while len(ordered) < len(found):
        placed = {table.name for table in ordered}
        ready = [
            table
            for table in found.values()
            if table.name not in placed and placed >= set(table.after)
        ]
        assert ready, "tables refer to each other in a ring"
        ordered += ready
    return ordered


# Rows --------------------------------------------------------------------------------------------


def _rows(source: sqlite3.Connection, table: MovedTable, tenant: bytes) -> sqlite3.Cursor:
    return source.execute(_select(table, "?"), (tenant,))


def _select(table: MovedTable, at: str) -> str:
    columns, order = ", ".join(table.columns), ", ".join(table.key)
    return f"SELECT {columns} FROM {table.name} WHERE tenant_id = {at} ORDER BY {order}"


def _make_months(source: sqlite3.Connection, target: Target, tenant: bytes) -> None:
    """Those that the chain has events of. Each by itself and before the copy: making one shuts others out."""
    for month, first, after in target.execute(_MONTHS).fetchall():
        if source.execute(_IN_MONTH, (*_own(tenant), first, after)).fetchone():
            target.execute("SELECT make_month(%s)", (month,))


def _put(target: Target, table: MovedTable, rows: Iterable[Sequence[Any]]) -> None:
    """All rows by one statement, so that rows may refer to rows behind them. COPY itself does not go where
    row-level security does."""
    columns = ", ".join(table.columns)
    target.execute(f"CREATE TEMPORARY TABLE coming (LIKE {table.name}) ON COMMIT DROP")
    with target.cursor() as cursor, cursor.copy(f"COPY coming ({columns}) FROM STDIN") as into:
        for row in rows:
            into.write_row(row)
    target.execute(f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM coming")
    target.execute("DROP TABLE coming")


def _compare(
    source: sqlite3.Connection, target: Target, tenant: bytes, tables: Sequence[MovedTable]
) -> Copied:
    numbers = {table.name: _same_rows(source, target, tenant, table) for table in tables}
    compared = 0
    for what, text in _SUMS.items():
        ours = source.execute(text, _own(tenant)).fetchall()
        theirs = target.execute(text.replace("?", "%s"), _own(tenant)).fetchall()
        if ours != theirs:
            raise Different(what)
        compared += len(ours)
    return Copied(numbers, compared)


def _same_rows(source: sqlite3.Connection, target: Target, tenant: bytes, table: MovedTable) -> int:
    """How many rows a table has, each of them equal on both sides."""
    with target.cursor(name="coming_back") as theirs:
        theirs.itersize = ROWS_AT_ONCE
        theirs.execute(_select(table, "%s"), (tenant,))
        ours, number = _rows(source, table, tenant), 0
        # Iterated, a named cursor fetches many rows at once; asked for one it fetches one.
        for one, other in zip_longest(ours, theirs):
            if one is None or other is None:
                raise Different(f"{table.name} has not as many rows")
            number += 1
            if tuple(one) != tuple(other):
                raise Different(f"{table.name}, row {number} by its key")
    return number


def _see(target: Target, tenant: bytes) -> None:
    target.execute("SELECT set_config('app.tenant', %s, true)", (tenant.hex(),))


def _one(target: Target, text: str, values: Sequence[object]) -> Any:
    found = target.execute(text, values).fetchone()
    assert found is not None
    return found[0]


def _own(tenant: bytes) -> tuple[bytes, int]:
    return tenant, dist_key(tenant)
