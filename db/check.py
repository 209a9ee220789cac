"""Is the file sound: every page's check, the structure, and the references between rows.

Each reads everything of its kind and can be called off by `store.interrupt(Reader.REPORT)`. What
the rows mean (balances, the chain) is `regulars verify`'s question, not this module's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from db.connection import failing_page_numbers
from db.engine import Reader, Store
from db.errors import Busy, Damaged

MESSAGES_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class BrokenReference:
    """A row of `table` that refers to a row of `parent` which is not there. `row` is its number,
    None in a table without row numbers."""

    table: str
    row: int | None
    parent: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What is wrong; all empty when the file is sound.

    `pages`: numbers, from 1, whose check fails. `structure`: SQLite's own words, 100 at most.
    """

    pages: tuple[int, ...]
    structure: tuple[str, ...]
    references: tuple[BrokenReference, ...]

    @property
    def sound(self) -> bool:
        return not (self.pages or self.structure or self.references)


def check(store: Store) -> CheckReport:
    """All three. About 10 s per GB for pages and structure (storage.md section 9): at night, on a
    backup, or when something is suspected. Raises Busy while a reader keeps the log from emptying.

    Damage found on the way is in the report; only what keeps a check from running raises.
    """
    # Each check stands on the one before: a look-up over a broken page fails by itself.
    pages = check_pages(store)
    structure = () if pages else check_structure(store)
    references = () if pages or structure else check_references(store)
    return CheckReport(pages, structure, references)


def check_pages(store: Store) -> tuple[int, ...]:
    """The numbers of the pages of the main file that fail their check.

    The log is emptied first: while it is pending the check may name pages that the log heals.
    """
    if store.checkpoint_truncate().blocked:
        raise Busy(store.path, "a reader keeps the log from being emptied")
    with store.read(Reader.REPORT) as raw:
        return failing_page_numbers(raw)


def check_structure(store: Store) -> tuple[str, ...]:
    """What `quick_check` says: B-trees, records and constraints, without comparing indexes."""
    try:
        with store.read(Reader.REPORT) as raw:
            rows = raw.execute(f"PRAGMA quick_check({MESSAGES_MOST})").fetchall()
    except Damaged as error:  # so broken that the check itself can't walk it
        return (error.reason,)
    return tuple(re.sub(r"\s+", " ", text) for (text,) in rows if text != "ok")


def check_references(store: Store) -> tuple[BrokenReference, ...]:
    """Rows whose foreign key leads nowhere, 100 at most."""
    with store.read(Reader.REPORT) as raw:
        rows = raw.execute("PRAGMA foreign_key_check").fetchmany(MESSAGES_MOST)
    return tuple(BrokenReference(table, row, parent) for table, row, parent, _ in rows)
