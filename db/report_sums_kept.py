"""The sums that migration 0009 keeps beside the rows: points by date, person and tier, points in lots by their
dates, members by tier. Triggers keep them; here is how they are added up anew and written as a whole.

Reading them for a report is report_sums_points.py's and report_sums_standing.py's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from db import people
from db.connection import Connection
from db.figures import FiguresRow


class PointsKey(NamedTuple):
    """Whose events: `staff_id` b"" is nobody's, `tier_rank` -1 an event without one."""

    business_date: int
    staff_id: bytes
    tier_rank: int


class PointsSum(NamedTuple):
    """Points of these events, how many events have some of each, the first and the last of them."""

    issued: int
    redeemed: int
    expired: int
    issues: int
    redemptions: int
    expiries: int
    changes: int
    first_seq: int
    last_seq: int


LotKey = tuple[int, int]
"""Since when they may be spent, last good date."""
LotSum = tuple[int, int]
"""Lots, points left in them."""
TierKey = tuple[str, int]
"""Code of the tier, until when it is kept (0 where no change of tier stands)."""


class Sums(NamedTuple):
    """All of them. Sums of nothing are left out."""

    points: dict[PointsKey, PointsSum]
    lots: dict[LotKey, LotSum]
    tiers: dict[TierKey, int]


Told = Callable[[int, int], None]
"""(done, whole)."""

_EVENTS_AT_ONCE: Final = 50_000
_MEMBERS_AT_ONCE: Final = 20_000
_END: Final = b"\xff" * 17
"""Behind every member."""
_MOVED: Final = "(points_issued != 0 OR points_redeemed != 0 OR points_expired != 0)"


def points_of(row: FiguresRow) -> tuple[PointsKey, PointsSum] | None:
    """What one event's sums add, None where it moves no points."""
    issued, redeemed, expired = row.points_issued, row.points_redeemed, row.points_expired
    if not (issued or redeemed or expired):
        return None
    key = PointsKey(
        row.business_date, row.staff_id or b"", -1 if row.tier_rank is None else row.tier_rank
    )
    changed = issued - redeemed - expired != 0
    return key, PointsSum(
        issued, redeemed, expired, int(issued != 0), int(redeemed != 0), int(expired != 0),
        int(changed), row.seq, row.seq,
    )  # fmt: skip


def add_points(
    sums: dict[PointsKey, PointsSum], added: Iterable[tuple[PointsKey, PointsSum]]
) -> None:
    """Put some sums to those that there are."""
    for key, more in added:
        had = sums.get(key)
        if had is None:
            sums[key] = more
        else:
            both = (one + other for one, other in zip(had, more, strict=True))
            sums[key] = PointsSum(*both)._replace(
                first_seq=min(had.first_seq, more.first_seq),
                last_seq=max(had.last_seq, more.last_seq),
            )


def kept_points(conn: Connection) -> dict[PointsKey, PointsSum]:
    """Points as the triggers have kept them."""
    found = conn.execute(
        "SELECT business_date, staff_id, tier_rank, issued, redeemed, expired, issues, redemptions,"
        " expiries, changes, first_seq, last_seq FROM points_sum"
        " ORDER BY business_date, staff_id, tier_rank"
    )
    return {PointsKey(*row[:3]): PointsSum(*row[3:]) for row in found}


def kept_lots(conn: Connection) -> dict[LotKey, LotSum]:
    """Lots as the triggers have kept them."""
    found = conn.execute(
        "SELECT available_from, expires, lots, points FROM lot_sum"
        " WHERE lots != 0 OR points != 0 ORDER BY available_from, expires"
    )
    return {(since, expires): (count, left) for since, expires, count, left in found}


def kept_tiers(conn: Connection) -> dict[TierKey, int]:
    """Members by tier as the triggers have kept them."""
    found = conn.execute(
        "SELECT tier, until, members FROM tier_sum WHERE members != 0 ORDER BY tier, until"
    )
    return {(tier, until): members for tier, until, members in found}


def added_up(conn: Connection, told: Told) -> Sums:
    """The sums of the rows that there are. `told` hears how many events and members of all are done."""
    last = int(conn.execute("SELECT coalesce(max(seq), 0) FROM event_figures").fetchone()[0])
    whole = last + people.member_count(conn)
    points: dict[PointsKey, PointsSum] = {}
    for first in range(0, last, _EVENTS_AT_ONCE):
        told(first, whole)
        add_points(points, _points_between(conn, first, first + _EVENTS_AT_ONCE))
    lots, tiers = standing(conn, lambda done, _: told(last + done, whole))
    return Sums(points, lots, tiers)


def standing(conn: Connection, told: Told) -> tuple[dict[LotKey, LotSum], dict[TierKey, int]]:
    """The sums of all lots, and of all members by tier: some thousand members at a time, in key order, so
    that neither memory nor the order of reading depends on how many there are."""
    whole = people.member_count(conn)
    lots: dict[LotKey, LotSum] = {}
    tiers: dict[TierKey, int] = {}
    done, after = 0, b""
    while True:
        told(done, whole)
        until = _member_after(conn, after, _MEMBERS_AT_ONCE)
        for since, expires, count, left in _lots_between(conn, after, until or _END):
            had = lots.get((since, expires), (0, 0))
            lots[since, expires] = had[0] + count, had[1] + left
        for tier, kept_until, members in _tiers_between(conn, after, until or _END):
            tiers[tier, kept_until] = tiers.get((tier, kept_until), 0) + members
        if until is None:
            return lots, tiers
        done, after = done + _MEMBERS_AT_ONCE, until


def write(conn: Connection, sums: Sums) -> None:
    """Put these in the place of all that are kept."""
    for table in ("points_sum", "lot_sum", "tier_sum"):
        conn.execute(f"DELETE FROM {table}")
    conn.executemany(
        "INSERT INTO points_sum (business_date, staff_id, tier_rank, issued, redeemed, expired,"
        " issues, redemptions, expiries, changes, first_seq, last_seq)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        ((*key, *amounts) for key, amounts in sums.points.items()),
    )
    conn.executemany(
        "INSERT INTO lot_sum (available_from, expires, lots, points) VALUES (?,?,?,?)",
        ((*key, *amounts) for key, amounts in sums.lots.items()),
    )
    conn.executemany(
        "INSERT INTO tier_sum (tier, until, members) VALUES (?,?,?)",
        ((*key, members) for key, members in sums.tiers.items()),
    )


def _points_between(
    conn: Connection, after: int, until: int
) -> Iterable[tuple[PointsKey, PointsSum]]:
    found = conn.execute(
        "SELECT business_date, coalesce(staff_id, x''), coalesce(tier_rank, -1),"
        " sum(points_issued), sum(points_redeemed), sum(points_expired), sum(points_issued != 0),"
        " sum(points_redeemed != 0), sum(points_expired != 0),"
        " sum(points_issued - points_redeemed - points_expired != 0), min(seq), max(seq)"
        f" FROM event_figures WHERE seq > ? AND seq <= ? AND {_MOVED} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        (after, until),
    )
    return ((PointsKey(*row[:3]), PointsSum(*row[3:])) for row in found)


def _member_after(conn: Connection, after: bytes, count: int) -> bytes | None:
    """The member so many places behind another in key order, None past the last."""
    row = conn.execute(
        "SELECT id FROM member WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?", (after, count - 1)
    ).fetchone()
    return None if row is None else bytes(row[0])


def _lots_between(conn: Connection, after: bytes, until: bytes) -> list[tuple[int, int, int, int]]:
    # The table's own order, by member: an index on dates would lead all over it.
    return conn.execute(
        "SELECT available_from, expires, count(*), sum(remaining) FROM lot NOT INDEXED"
        " WHERE member_id > ? AND member_id <= ? AND asset = 'points' GROUP BY 1, 2 ORDER BY 1, 2",
        (after, until),
    ).fetchall()


def _tiers_between(conn: Connection, after: bytes, until: bytes) -> list[tuple[str, int, int]]:
    return conn.execute(
        "SELECT m.tier, coalesce(s.tier_until, 0), count(*)"
        " FROM member m LEFT JOIN member_state s ON s.member_id = m.id"
        " WHERE m.id > ? AND m.id <= ? GROUP BY 1, 2 ORDER BY 1, 2",
        (after, until),
    ).fetchall()
