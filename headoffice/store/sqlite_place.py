"""The file of a head office, for who writes and for who reads beside them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from headoffice.store.errors import StoreError
from headoffice.store.log_moving import LogMoving
from headoffice.store.opening import open_database
from headoffice.store.plain import ANY, News, Plain, Spelt, Text
from headoffice.store.sqlite import SqliteRows, SqliteStore

READER_WAIT_S: Final = 5


class SqlitePlain:
    """Implements headoffice.store.plain.Opened on an open file."""

    def __init__(self, raw: sqlite3.Connection, log: LogMoving | None = None) -> None:
        self.raw = raw
        self._heard = -1
        self._log = log

    def rows(self, text: Text, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self.raw.execute(_spelt(text), tuple(values)).fetchall()

    def run(self, text: Text, values: Sequence[object] = ()) -> int:
        return self.raw.execute(_spelt(text), tuple(values)).rowcount

    def run_many(self, text: Text, values: Sequence[Sequence[object]]) -> None:
        self.raw.executemany(_spelt(text), values)

    def many(self, tenant: bytes) -> SqliteRows:
        return SqliteRows(self.raw, tenant)

    def tenants(self) -> list[bytes]:
        return [tenant for (tenant,) in self.rows("SELECT tenant_id FROM chain ORDER BY tenant_id")]

    @contextmanager
    def of(self, _tenant: bytes) -> Iterator[None]:
        if self.raw.in_transaction:
            yield
            return
        self.raw.execute("BEGIN")
        try:
            yield
        finally:
            self.raw.execute("ROLLBACK")

    @contextmanager
    def of_half(self, half: str) -> Iterator[None]:
        with self.of(half.encode()):
            yield

    def store(self, tenant: bytes) -> SqliteStore:
        return SqliteStore(self.raw, tenant)

    def news(self) -> Mapping[bytes, News]:
        version = self.raw.execute("PRAGMA data_version").fetchone()[0]
        return {} if version == self._heard else {ANY: News(version, kept=True)}

    def heard(self, news: Mapping[bytes, News]) -> None:
        for each in news.values():
            self._heard = each.version

    def make_months(self) -> int:
        return 0  # A file has all rows of a table together.

    def undated(self) -> int:
        return 0

    def moving(self) -> frozenset[bytes]:
        return frozenset(tenant for (tenant,) in self.rows("SELECT tenant_id FROM move"))

    def tidy(self) -> None:
        if self._log is not None:
            try:
                self._log.look()
            except sqlite3.Error as error:
                raise StoreError(str(error)) from error

    @property
    def alive(self) -> bool:
        return True

    def close(self) -> None:
        if self._log is not None:
            self._log.close()
        self.raw.close()


class SqlitePlace:
    """Implements headoffice.store.plain.Place for a file; a missing one is made by `open`."""

    def __init__(
        self, path: Path, connect: Callable[[Path], sqlite3.Connection] = open_database
    ) -> None:
        self.path = path
        self._connect = connect

    def open(self) -> SqlitePlain:
        raw = self._connect(self.path)
        return SqlitePlain(raw, LogMoving(self.path, raw))

    @contextmanager
    def reading(self, _tenant: bytes) -> Iterator[Plain]:
        raw = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=ro", uri=True, timeout=READER_WAIT_S,
            isolation_level=None,
        )  # fmt: skip
        try:
            raw.execute("PRAGMA query_only = ON")
            raw.execute("PRAGMA trusted_schema = OFF")
            raw.execute("BEGIN")
            yield SqlitePlain(raw)
        finally:
            raw.close()

    @contextmanager
    def hearing(self, _told: Callable[[], None]) -> Iterator[None]:
        yield  # A file tells nobody.

    def close(self) -> None:
        """Nothing is kept."""


def _spelt(text: Text) -> str:
    return text.sqlite if isinstance(text, Spelt) else text
