"""What a database does for the records: many rows by their keys, and many rows written at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from headoffice.store.row_records import Row
from headoffice.store.statements import Ask, Query, Table


class Rows(Protocol):
    """One tenant's rows, inside a transaction. Keys and rows have no tenant in them: it is the database's."""

    def find(self, query: Query, keys: Sequence[Row]) -> list[Row]:
        """The rows of all these keys; those of one key in the query's order."""

    def last(self, query: Query, keys: Sequence[Row]) -> list[Row]:
        """Of each of the keys that has rows: the key's column and the highest `number`."""

    def ask(self, ask: Ask, *values: object) -> list[Row]:
        """The answer to a single question."""

    def together(self) -> AbstractContextManager[object]:
        """Writes inside may travel together; the last one's error comes at its end at the latest."""

    def write(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows; one whose key is there replaces it, or is an error where rows are written once."""

    def drop(self, query: Query, keys: Sequence[Row]) -> None:
        """Delete the rows of all these keys."""
