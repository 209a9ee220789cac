"""Statements that are written once for SQLite and PostgreSQL: what the directory, the console's reads and its
staff are built on. The exchange's own bulk statements are statements.py's.

Texts have question marks, upserts by ON CONFLICT, columns that are named; no PRAGMA, no rowid, no function that
one of the two lacks. A null that is not a column's own value is cast, and so are sums of numbers:
`CAST(sum(amount) AS bigint)`. Where the two must differ, a text is Spelt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from headoffice.store.records import Records
from headoffice.store.rows import Rows


class Spelt(NamedTuple):
    """A text that each database needs in its own words; the values are the same ones in the same order."""

    sqlite: str
    postgresql: str


Text: TypeAlias = str | Spelt
ANY: Final = b""
"""In the place of a chain: nobody knows which."""


class News(NamedTuple):
    """Of a chain: how often it was written, and whether more than members, documents and rights were changed:
    what a process keeps in memory."""

    version: int
    kept: bool


class Plain(Protocol):
    """An open database, for one thread. Statements name their tenant, and are inside a transaction of its store
    (Records.reading, Records.writing) or inside `of`: else PostgreSQL shows and takes no row of it."""

    def rows(self, text: Text, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows that a question finds."""

    def run(self, text: Text, values: Sequence[object] = ()) -> int:
        """Write; returns how many rows it changed. Inside Records.writing alone."""

    def run_many(self, text: Text, values: Sequence[Sequence[object]]) -> None:
        """Write the same with each of these, together. Inside Records.writing alone."""

    def many(self, tenant: bytes) -> Rows:
        """The exchange's own reads of a chain (statements.py)."""

    def tenants(self) -> list[bytes]:
        """All chains, by id. Outside any transaction."""

    def of(self, tenant: bytes) -> AbstractContextManager[None]:
        """One snapshot of a chain's rows, to be read. Inside a transaction of the same chain: that one."""

    def of_half(self, half: str) -> AbstractContextManager[None]:
        """One snapshot of the enrolment codes with this first half, whichever chain's they are."""


class Opened(Plain, Protocol):
    """The connection of who writes."""

    def store(self, tenant: bytes) -> Records:
        """The store of a chain on this connection."""

    def news(self) -> Mapping[bytes, News]:
        """What other connections have committed since what was last `heard`, by chain; under ANY: by any chain.
        Outside any transaction."""

    def heard(self, news: Mapping[bytes, News]) -> None:
        """All of this is known now."""

    def make_months(self) -> int:
        """Make room for the months that come, where rows lie by months; how many of them were missing.
        Outside any transaction. Raises what says busy where somebody is in the way: the next time will do; and
        MonthsNotMade."""

    def undated(self) -> int:
        """How many events of the chain under way lie in no month, for a clock was wrong by far."""

    def tidy(self) -> None:
        """Now and then, outside any transaction: what the database would else do while somebody waits."""

    def moving(self) -> frozenset[bytes]:
        """The chains of which nothing is written here any more: another database has them, or soon will."""

    @property
    def alive(self) -> bool:
        """Whether the database can be reached by it. Once lost it stays so: open another one."""

    def close(self) -> None:
        """Give it back."""


class Place(Protocol):
    """Where a head office's store is. May be used by any thread."""

    def open(self) -> Opened:
        """A connection of its own for one thread. Raises StoreError or what its driver raises."""

    def reading(self, tenant: bytes) -> AbstractContextManager[Plain]:
        """One snapshot of a chain on a connection that can't write, beside the writer."""

    def hearing(self, told: Callable[[], None]) -> AbstractContextManager[None]:
        """Inside, `told` is called in some thread soon after another process has committed. A hint: it may come
        for nothing, or not at all; what counts is Opened.news."""

    def close(self) -> None:
        """Give back what is kept open between readings."""
