"""A head office in each database and tills that sell to it, for tests of the store alone."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import psycopg

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.ids import Uuid7
from app.protocol import facts
from app.protocol.facts import Facts, Posting
from app.protocol.limits import Limits
from app.protocol.server import Server
from app.protocol.store import Tenant
from app.protocol.wire import Reply, SyncReply
from headoffice.store import statements
from headoffice.store.opening import open_database
from headoffice.store.postgresql import PostgresStore
from headoffice.store.postgresql_opening import connect
from headoffice.store.records import Records
from headoffice.store.sqlite import SqliteStore
from tests.sim.machine import Machine, machine

NOW: Final = 20_000 * 86_400_000
TODAY: Final = BusinessDate(20_000)
TENANT: Final = Tenant(b"T" * 16, NOW, 1000, NOW)
BUCKET: Final = "north"
LIMITS: Final = Limits(
    grant_most=50, cap=20, lease_ms=86_400_000, grace_days=1, rebases_a_day=3, page_rows=50, frame_rows=10
)  # fmt: skip
TABLES: Final = tuple(
    {each.name: None for each in vars(statements).values() if isinstance(each, statements.Table)}
)
WAIT_MS: Final = 5_000


class AsItIs:
    """No fault is planted."""


class Database(ABC):
    """Where a head office's stores are, and what tests look at behind the port."""

    kind: Literal["sqlite", "postgresql"]
    refusals: tuple[type[Exception], ...]
    """What a constraint raises."""

    @abstractmethod
    def store(
        self, *, tenant: Tenant = TENANT, wait_ms: int = WAIT_MS, planted: type = AsItIs
    ) -> AbstractContextManager[Records]:
        """A store on a connection of its own; `planted` overrides some of its methods. The tenant may not be
        there yet."""

    @property
    @abstractmethod
    def place(self) -> tuple[str, ...]:
        """What another process opens the same by."""

    @abstractmethod
    def check(self) -> None:
        """Raises AssertionError where what is stored is not sound in itself."""

    @abstractmethod
    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """All rows of a table, of every tenant."""

    @abstractmethod
    def change(self, statement: str) -> int:
        """Run a statement as who owns the tables; returns how many rows it changed."""

    @abstractmethod
    def damage(self, statement: str) -> int:
        """Change rows, whatever forbids it; returns how many."""

    @contextmanager
    def opened(
        self, *, tenant: Tenant = TENANT, wait_ms: int = WAIT_MS, planted: type = AsItIs
    ) -> Iterator[Records]:
        """The store, with its tenant."""
        with self.store(tenant=tenant, wait_ms=wait_ms, planted=planted) as store:
            _put_tenant(store, tenant)
            yield store

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row."""
        return {table: sorted(self.rows(table), key=repr) for table in TABLES}


def lay_new_store(path: Path) -> None:
    """The file that opening a new store makes, without making its twenty steps each time."""
    if not path.exists():
        path.write_bytes(_new_store())


@cache
def _new_store() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "office.db"
        open_database(path).close()
        return path.read_bytes()


class OnSqlite(Database):
    """A file."""

    kind = "sqlite"
    refusals = (sqlite3.IntegrityError,)

    def __init__(self, path: Path) -> None:
        self.path = path
        lay_new_store(path)

    @contextmanager
    def store(
        self, *, tenant: Tenant = TENANT, wait_ms: int = WAIT_MS, planted: type = AsItIs
    ) -> Iterator[Records]:
        with connected(self.path, wait_ms=wait_ms) as raw:
            kind: Callable[..., Records] = type("Planted", (planted, SqliteStore), {})
            yield kind(raw, tenant.id, wait_ms=wait_ms)

    @property
    def place(self) -> tuple[str, ...]:
        return (str(self.path),)

    def check(self) -> None:
        with connected(self.path) as raw:
            assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert raw.execute("PRAGMA foreign_key_check").fetchall() == []

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        with connected(self.path) as raw:
            return raw.execute(f"SELECT * FROM {table}").fetchall()

    def change(self, statement: str) -> int:
        with connected(self.path) as raw:
            return raw.execute(statement).rowcount

    def damage(self, statement: str) -> int:
        raw = sqlite3.connect(self.path)
        for (trigger,) in raw.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            raw.execute(f"DROP TRIGGER {trigger}")
        changed = raw.execute(statement).rowcount
        raw.commit()
        raw.close()
        return changed


class OnPostgres(Database):
    """The tests' own cluster, as head office and as who sees all."""

    kind = "postgresql"
    refusals = (psycopg.IntegrityError,)

    def __init__(self, app: str, superuser: str) -> None:
        self.app, self.superuser = app, superuser

    @contextmanager
    def store(
        self, *, tenant: Tenant = TENANT, wait_ms: int = WAIT_MS, planted: type = AsItIs
    ) -> Iterator[Records]:
        raw = connect(self.app, lock_wait_ms=wait_ms)
        try:
            kind: Callable[..., Records] = type("Planted", (planted, PostgresStore), {})
            yield kind(raw, tenant.id, lock_wait_ms=wait_ms)
        finally:
            raw.close()

    @property
    def place(self) -> tuple[str, ...]:
        return (self.app, self.superuser)

    def check(self) -> None:
        """PostgreSQL checks references and constraints itself, and has nothing to ask afterwards."""

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.superuser) as raw:
            return raw.execute(f"SELECT * FROM {table}").fetchall()

    def change(self, statement: str) -> int:
        with psycopg.connect(self.superuser) as raw:
            return raw.execute(statement).rowcount

    def damage(self, statement: str) -> int:
        with psycopg.connect(self.superuser) as raw:
            raw.execute("SET session_replication_role = replica")
            return raw.execute(statement).rowcount


@contextmanager
def opened(path: Path, *, tenant: Tenant = TENANT, wait_ms: int = WAIT_MS) -> Iterator[Records]:
    """The SQLite store at a path; the tenant is put if it isn't there."""
    with OnSqlite(path).opened(tenant=tenant, wait_ms=wait_ms) as store:
        yield store


@contextmanager
def connected(path: Path, *, wait_ms: int = WAIT_MS) -> Iterator[sqlite3.Connection]:
    """The raw database."""
    raw = open_database(path, wait_ms=wait_ms)
    try:
        yield raw
    finally:
        raw.close()


def _put_tenant(store: Records, tenant: Tenant) -> None:
    with store.reading():
        try:
            store.tenant()
        except AssertionError:
            pass
        else:
            return
    with store.writing():
        store.put_tenant(tenant)


def server(store: Records) -> Server:
    """Head office's half on this store."""
    return Server(store, LIMITS)


class Shop:
    """A till whose customers buy; every sale earns."""

    def __init__(self, seed: int, members: int = 5, *, bucket: str = BUCKET) -> None:
        self.rng = random.Random(seed)
        self.members = [self.rng.randbytes(16) for _ in range(members)]
        # As tills make them: rows of one time lie together in a store.
        self._next_id = Uuid7(lambda: NOW * 1000, self.rng.randbytes)
        self.at: Machine = machine("till", bucket, TENANT.id, NOW, (bucket,), self.rng)

    def enrol(self, store: Records) -> None:
        """Head office lets the till in."""
        with store.writing():
            server(store).enrol(self.at.device, self.at.home)

    def sell(self, sales: int = 3, amount: int = 7) -> None:
        """Sales of a member each, in the till's journal."""
        for _ in range(sales):
            event, member = self._next_id(), self.rng.choice(self.members)
            earn = Entry(EntryId(event, 0), POINTS, "earn", amount, TODAY, TODAY, TODAY.plus(300))
            made = Facts(event, "sale", member, TODAY, (Posting(earn),), sold=((0, 1),))
            self.at.commit(made, facts.write(made))

    def ask(self, store: Records) -> Reply:
        """One exchange, kept by head office and taken by the till."""
        request = self.at.till.request(self.rng, written=len(self.at.file))
        with store.writing([request]):
            reply = server(store).handle(request, NOW, self.rng)
        self.at.till.receive(reply, NOW, TODAY, self.rng)
        self.at.write_file()
        return reply

    def sync(self, store: Records) -> SyncReply:
        """`ask` until the answer is rows: a till may ask for a snapshot first, and there is none."""
        for _ in range(3):
            reply = self.ask(store)
            if isinstance(reply, SyncReply):
                return reply
        raise AssertionError(reply)
