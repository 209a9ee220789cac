"""What is due at the close of a business date: lapsed lots, tiers past their end, pending sales that count now.

Each question is answered from an index, some rows at a time, in an order that goes on after the last row given:
a close never looks at every member. What "due" means for a member is the domain's; here are candidates.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from db.connection import Connection


class Due(NamedTuple):
    """A candidate and its place: `on` is the expiry, the tier's end, or the date that counts."""

    on: int
    member_id: bytes


FIRST: Final = Due(-(1 << 62), b"")
"""The place before every candidate."""


def lapsed_lots(conn: Connection, on: int, *, after: Due, limit: int) -> list[Due]:
    """Members with points whose last good date is `on` or earlier, earliest expiry first."""
    return _due(
        conn,
        "SELECT DISTINCT expires, member_id FROM lot INDEXED BY lot_due"
        " WHERE asset = 'points' AND expires <= ?1 AND (expires, member_id) > (?2, ?3)"
        " ORDER BY expires, member_id LIMIT ?4",
        (on, *after, limit),
    )


def tiers_past_end(conn: Connection, on: int, *, lowest: str, after: Due, limit: int) -> list[Due]:
    """Members above the `lowest` tier whose tier was kept until a date before `on`."""
    return _due(
        conn,
        "SELECT s.tier_until, s.member_id FROM member_state s INDEXED BY member_state_tier"
        " JOIN member m ON m.id = s.member_id"
        " WHERE s.tier_until < ?1 AND (s.tier_until, s.member_id) > (?2, ?3) AND m.tier <> ?5"
        " ORDER BY s.tier_until, s.member_id LIMIT ?4",
        (on, *after, limit, lowest),
    )


def pending_counting(conn: Connection, since: int, on: int, *, after: Due, limit: int) -> list[Due]:
    """Members with sales that count for the tier from a later date than their own, and that date lies
    after `since` and not after `on`."""
    return _due(
        conn,
        "SELECT DISTINCT counts_from, member_id FROM member_day INDEXED BY member_day_pending"
        " WHERE counts_from > business_date AND counts_from > ?5 AND counts_from <= ?1"
        " AND (counts_from, member_id) > (?2, ?3) ORDER BY counts_from, member_id LIMIT ?4",
        (on, *after, limit, since),
    )


def lapsed_sum(conn: Connection, on: int) -> tuple[int, int]:
    """(members, points) that are due to be booked as expired at the close of a date."""
    row = conn.execute(
        "SELECT count(DISTINCT member_id), coalesce(sum(remaining), 0) FROM lot INDEXED BY lot_due"
        " WHERE asset = 'points' AND expires <= ?",
        (on,),
    ).fetchone()
    return int(row[0]), int(row[1])


def count(conn: Connection, since: int, on: int, *, lowest: str) -> int:
    """How many candidates the three questions have together, before any is posted."""
    row = conn.execute(
        "SELECT (SELECT count(*) FROM (SELECT DISTINCT expires, member_id FROM lot INDEXED BY lot_due"
        " WHERE asset = 'points' AND expires <= ?1))"
        " + (SELECT count(*) FROM member_state s INDEXED BY member_state_tier"
        " JOIN member m ON m.id = s.member_id WHERE s.tier_until < ?1 AND m.tier <> ?3)"
        " + (SELECT count(*) FROM (SELECT DISTINCT counts_from, member_id FROM member_day"
        " INDEXED BY member_day_pending"
        " WHERE counts_from > business_date AND counts_from > ?2 AND counts_from <= ?1))",
        (on, since, lowest),
    ).fetchone()
    return int(row[0])


def _due(conn: Connection, sql: str, values: tuple[object, ...]) -> list[Due]:
    return [Due(*row) for row in conn.execute(sql, values)]
