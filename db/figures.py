"""What events add to the shop's figures: their rows, and the sums and lists that reports ask for.

Every figure is the sum of one expression over these rows under one condition, and its list is the same rows
one by one: so a figure and what it opens into can't differ. Nothing here knows what a row means to a shop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from db.connection import Connection
from db.rows import LAST


class FiguresRow(NamedTuple):
    """One event's sums; amounts are signed. `undoes` is the kind that a void undoes, `minute` the local
    minute of the day."""

    seq: int
    event_id: bytes
    kind: str
    undoes: str | None
    business_date: int
    minute: int
    staff_id: bytes | None
    shift_id: bytes | None
    member_id: bytes | None
    tier_rank: int | None
    reason: str | None
    gross_minor: int
    discount_minor: int
    points_value_minor: int
    paid_minor: int
    points_issued: int
    points_redeemed: int
    points_expired: int


class ShareRow(NamedTuple):
    """A part of an event's money by tender, category or tax rate, or a change of tier."""

    seq: int
    n: int
    part: str
    key: str
    amount: int
    extra: int


_ROW = ", ".join(FiguresRow._fields)
_SHARE = ", ".join(ShareRow._fields)
_INSERT_ROW = (
    f"INSERT INTO event_figures ({_ROW}) VALUES ({','.join('?' * len(FiguresRow._fields))})"
)
_INSERT_SHARE = f"INSERT INTO event_share ({_SHARE}) VALUES (?,?,?,?,?,?)"


def insert(conn: Connection, row: FiguresRow, shares: Iterable[ShareRow]) -> None:
    """Append what one event adds."""
    conn.execute(_INSERT_ROW, row)
    conn.executemany(_INSERT_SHARE, shares)


def all_rows(conn: Connection, after: int = 0, upto: int = LAST) -> Iterator[FiguresRow]:
    """Every event's sums in the journal's order, of the events above `after` up to `upto`."""
    found = conn.execute(
        f"SELECT {_ROW} FROM event_figures WHERE seq > ? AND seq <= ? ORDER BY seq", (after, upto)
    )
    return map(FiguresRow._make, found)


def all_shares(conn: Connection, after: int = 0, upto: int = LAST) -> Iterator[ShareRow]:
    """Every share in the journal's order, of the events above `after` up to `upto`."""
    found = conn.execute(
        f"SELECT {_SHARE} FROM event_share WHERE seq > ? AND seq <= ? ORDER BY seq, n",
        (after, upto),
    )
    return map(ShareRow._make, found)
