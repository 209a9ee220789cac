"""A store that is filled with members while nobody can sell: indexes that are cheaper made once, of all rows.

Phones and the events behind lots come in no order, so each commit would write most pages of both indexes: a
third of what a member costs at a million. While they are missing everything is found, only later; no shift is
opened before they are there again (app/usecases/open_shift.py), and the end of a snapshot makes them in its own
transaction (app/sync/exchange.py). Which are missing is what the schema says, so a till that is killed goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from db import bulk, people, search
from db.connection import Connection

_LATER: Final = {
    "profile_phone": "profile (phone) WHERE phone IS NOT NULL",
    "lot_since": "lot (available_from, origin_event) WHERE asset = 'points'",
}
"""As the migrations make them."""
_COUNTING: Final = ("tier_sum_joined", "lot_sum_opened")
_OF_CARDS: Final = "credential_member"


def begin(conn: Connection, coming: int) -> bool:
    """Make ready for so many members, where they are more than there are: True where that is so."""
    if is_begun(conn):
        return True
    if search.newest(conn) >= coming:
        return False  # to make the indexes anew would take longer
    for name in _LATER:
        conn.execute(f"DROP INDEX {name}")
    search.gather(conn, much=True)
    return True


def is_begun(conn: Connection) -> bool:
    """Whether indexes are missing."""
    marks = ",".join("?" * len(_LATER))
    (there,) = conn.execute(
        f"SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name IN ({marks})",
        tuple(_LATER),
    ).fetchone()
    return int(there) < len(_LATER)


@contextmanager
def sums_aside(conn: Connection) -> Iterator[bool]:
    """In the block no trigger counts accounts and lots that are added, if True comes: whoever adds them does
    it, many at once. Nothing else is written in it."""
    if not is_begun(conn):
        yield False
        return
    marks = ",".join("?" * len(_COUNTING))
    triggers = conn.execute(
        f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name IN ({marks})",
        _COUNTING,
    ).fetchall()
    for name, _ in triggers:
        conn.execute(f"DROP TRIGGER {name}")
    yield True
    # Not after an error: the transaction is rolled back with all that was done in it.
    for _, as_it_was in triggers:
        conn.execute(as_it_was)


def end(conn: Connection) -> None:
    """Make what is missing, if anything is: some 8 s of processor where a million members have come."""
    if not is_begun(conn):
        return
    bulk.usual_cache(conn)  # what is sorted lies in memory: a file would have phones in it
    # Sorted by their numbers, cards come in no order of their members.
    conn.execute(f"DROP INDEX {_OF_CARDS}")
    people.take_cards_in(conn)
    conn.execute(f"CREATE INDEX {_OF_CARDS} ON credential (member_id, kind)")
    for name, columns in _LATER.items():
        conn.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {columns}")
    search.gather(conn, much=False)
    search.forget_words(conn)  # which merges the index's pieces, a portion at a time
