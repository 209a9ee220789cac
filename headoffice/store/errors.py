"""What opening or writing a store may say no with. Facts in English, for the operator's log."""

from __future__ import annotations

import sqlite3
from typing import Final

import psycopg


class StoreError(Exception):
    """The store can't be used as asked; nothing of the request was kept."""


class StoreBusy(StoreError):
    """Another connection was writing this tenant's rows for longer than this one waits."""

    def __init__(self, wait_ms: int) -> None:
        super().__init__(
            f"another writer of this tenant was not done after {wait_ms} ms: nothing was kept, try again"
        )


class StoreMoved(StoreError):
    """The chain is on its way to another database, or there already: here nothing of it is written any more."""

    def __init__(self) -> None:
        super().__init__("the chain moves, or has moved, to another database")


class StoreGone(StoreError):
    """The database can't be reached any more. Of a commit that was under way nobody knows: till and head
    office find out together when the till sends again."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the connection to the database is lost: {why}")


class MonthsNotMade(StoreError):
    """The database refused to make room for the months that come; its log has why. Until then their rows lie
    where rows of no month do."""

    def __init__(self) -> None:
        super().__init__("the database made no room for the months that come")


class RoleTooMighty(StoreError):
    """The role that head office works as could read other tenants' rows, or change what is insert-only."""

    def __init__(self, role: str, why: str) -> None:
        super().__init__(f"head office may not work as {role}: {why}")


class NotMigrated(StoreError):
    """The database has not the schema of this version; its owner brings it there."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            f"the database has schema {found} of {known}: run the migration as its owner"
        )


class NotAStore(StoreError):
    """The file or database is no store of head office."""

    def __init__(self, place: object, why: str) -> None:
        super().__init__(f"{place} is not a head office store: {why}")


class NewerSchema(StoreError):
    """A later version of this program has changed the schema."""

    def __init__(self, place: object, found: int, known: int) -> None:
        super().__init__(f"{place} has schema {found}, this version knows {known}: upgrade first")


class MigrationChanged(StoreError):
    """A recorded step is not the one that this version ships."""

    def __init__(self, place: object, number: int) -> None:
        super().__init__(f"{place}: step {number} differs from the shipped file")


BUSY_ERRORS: Final = (StoreError, sqlite3.OperationalError, psycopg.OperationalError)
"""The store can't be used now: locked, full, its disk fails, its database is away. It may be later."""
REFUSED_ERRORS: Final = (sqlite3.IntegrityError, psycopg.IntegrityError, psycopg.DataError)
"""A value that the store's own checks refuse."""
