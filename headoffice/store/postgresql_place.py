"""A head office's database in PostgreSQL, for who writes and for who reads beside them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import psycopg
from psycopg.types.numeric import IntLoader

from headoffice.store.errors import MonthsNotMade, StoreError, StoreGone
from headoffice.store.plain import News, Plain, Spelt, Text
from headoffice.store.postgresql import PostgresRows, PostgresStore
from headoffice.store.postgresql_opening import CHANNEL, Connection, connect

READERS_KEPT: Final = 4
"""So many connections stay open for the next readers."""
HEAR_S: Final = 0.1
"""So long a listener may take to hear that it is to end."""
PAUSE_S: Final = 2.0
"""Between a listener's tries to come back."""
_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_OF_TENANT: Final = "SELECT set_config('app.tenant', ?, true)"
_OF_HALF: Final = "SELECT set_config('app.half', ?, true)"
_TENANTS: Final = "SELECT tenant_id FROM register ORDER BY tenant_id"
_VERSION: Final = "SELECT count(*), coalesce(CAST(sum(version) AS bigint), 0) FROM register"
_VERSIONS: Final = "SELECT tenant_id, version, kept FROM register ORDER BY tenant_id"
_IDLE: Final = psycopg.pq.TransactionStatus.IDLE


class PostgresPlain:
    """Implements headoffice.store.plain.Opened on a connection."""

    def __init__(self, raw: Connection) -> None:
        self.raw = raw

    def rows(self, text: Text, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._execute(text, values).fetchall()

    def run(self, text: Text, values: Sequence[object] = ()) -> int:
        self.raw.wrote = True
        return self._execute(text, values).rowcount

    def run_many(self, text: Text, values: Sequence[Sequence[object]]) -> None:
        self.raw.wrote = True
        with self.raw.cursor() as cursor:
            cursor.executemany(_marked(text), values)

    def many(self, tenant: bytes) -> PostgresRows:
        return PostgresRows(self.raw, tenant)

    def tenants(self) -> list[bytes]:
        return [tenant for (tenant,) in self.rows(_TENANTS)]

    @contextmanager
    def of(self, tenant: bytes) -> Iterator[None]:
        if self.raw.info.transaction_status != _IDLE:
            assert self.raw.tenant == tenant, "one transaction sees one chain"
            yield
            return
        self.raw.tenant = tenant
        with self._snapshot(_OF_TENANT, tenant.hex()):
            yield

    @contextmanager
    def of_half(self, half: str) -> Iterator[None]:
        with self._snapshot(_OF_HALF, half):
            yield

    def store(self, tenant: bytes) -> PostgresStore:
        return PostgresStore(self.raw, tenant)

    def news(self) -> Mapping[bytes, News]:
        known = self.raw.versions
        if self.rows(_VERSION)[0] == (len(known), sum(known.values())):
            return {}
        return {
            tenant: News(version, kept > known.get(tenant, -1))
            for tenant, version, kept in self.rows(_VERSIONS)
            if version != known.get(tenant)
        }

    def heard(self, news: Mapping[bytes, News]) -> None:
        self.raw.versions.update({tenant: each.version for tenant, each in news.items()})

    def make_months(self) -> int:
        try:
            return int(self.rows("SELECT make_months()")[0][0])
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            raise MonthsNotMade from error

    def undated(self) -> int:
        return int(self.rows("SELECT undated()")[0][0])

    def moving(self) -> frozenset[bytes]:
        return frozenset()

    def tidy(self) -> None:
        """The server does that."""

    @property
    def alive(self) -> bool:
        return not self.raw.closed

    def close(self) -> None:
        self.raw.close()

    @contextmanager
    def _snapshot(self, setting: str, value: str) -> Iterator[None]:
        raw = self.raw
        self._execute(_SNAPSHOT, ())
        try:
            self._execute(setting, (value,))
            yield
        finally:
            if not raw.closed:
                raw.execute("ROLLBACK")

    def _execute(self, text: Text, values: Sequence[object]) -> psycopg.Cursor[tuple[Any, ...]]:
        raw = self.raw
        try:
            return raw.execute(_marked(text), values)
        except psycopg.OperationalError as error:
            if raw.closed:
                raise StoreGone(str(error)) from error
            raise


class PostgresPlace:
    """Implements headoffice.store.plain.Place for a connection string of the application's role."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._lock = threading.Lock()
        self._idle: list[PostgresPlain] = []
        self._closed = False
        self._own = set[int]()

    def open(self) -> PostgresPlain:
        raw = connect(self._dsn)
        self._own.add(raw.info.backend_pid)
        # Sums come as `numeric`; whoever asks for one means a whole number.
        raw.adapters.register_loader("numeric", IntLoader)
        return PostgresPlain(raw)

    @contextmanager
    def reading(self, tenant: bytes) -> Iterator[Plain]:
        reader = self._reader()
        try:
            with reader.of(tenant):
                yield reader
        finally:
            with self._lock:
                kept = reader.alive and not self._closed and len(self._idle) < READERS_KEPT
                if kept:
                    self._idle.append(reader)
            if not kept:
                reader.close()

    def _reader(self) -> PostgresPlain:
        """One that was kept and still answers, else a new one."""
        while True:
            with self._lock:
                found = self._idle.pop() if self._idle else None
            if found is None:
                return self.open()
            try:
                found.rows("SELECT 1")
            except StoreGone:
                found.close()
            else:
                return found

    @contextmanager
    def hearing(self, told: Callable[[], None]) -> Iterator[None]:
        ending = threading.Event()
        listener = threading.Thread(target=self._hear, args=(told, ending), name="listener")
        listener.start()
        try:
            yield
        finally:
            ending.set()
            listener.join()

    def _hear(self, told: Callable[[], None], ending: threading.Event) -> None:
        """Until the end, over every connection that is lost."""
        while not ending.is_set():
            try:
                with connect(self._dsn) as raw:
                    raw.execute(f"LISTEN {CHANNEL}")
                    told()
                    while not ending.is_set():
                        heard = [note.pid for note in raw.notifies(timeout=HEAR_S, stop_after=1)]
                        if set(heard) - self._own:
                            told()
            except (psycopg.Error, StoreError):
                # Whoever writes finds out and says so; this one only comes back.
                ending.wait(PAUSE_S)

    def close(self) -> None:
        with self._lock:
            self._closed, idle = True, self._idle
            self._idle = []
        for reader in idle:
            reader.close()


@cache
def _marked(text: Text) -> str:
    """The text with the driver's marks."""
    spelt = text.postgresql if isinstance(text, Spelt) else text
    return spelt.replace("%", "%%").replace("?", "%s")
