"""What stands now and no measure gives: members counted once, tiers, lots by age; and the events behind each.

Counts and points come from sums that are kept (report_sums_kept.py), lists from an index, newest first: neither
looks at every member.
"""

from __future__ import annotations

from heapq import merge
from itertools import islice
from typing import Final, NamedTuple

from db import filling
from db.connection import Connection
from db.report_sums import HAS_MONEY, OF_SALE, ONE_SALE, Where, narrow, rows_of
from db.rows import LedgerRow, ledger_of_asset

_LAST_TIER: Final = (
    "coalesce((SELECT max(l.seq) FROM ledger l INDEXED BY ledger_member"
    " WHERE l.member_id = m.id AND l.asset = 'tier'),"
    # An enrolment always records its consents: the oldest one is its event.
    " (SELECT min(c.seq) FROM consent c WHERE c.member_id = m.id))"
)


def active_members(conn: Connection, where: Where) -> list[int]:
    """For each member with a sale that stands: the first event of theirs in the period."""
    _, condition, values = rows_of(where, ("sales",))
    found = conn.execute(
        f"SELECT min(f.seq) FROM event_figures f WHERE {condition} AND f.member_id IS NOT NULL"
        f" AND {OF_SALE} GROUP BY f.member_id HAVING sum({ONE_SALE}) > 0 ORDER BY 1 DESC",
        values,
    )
    return [seq for (seq,) in found]


# Tiers ------------------------------------------------------------------------------------------


def tier_events(conn: Connection, where: Where) -> list[tuple[bytes, int]]:
    """(member, sequence number) of the changes of tier in a period, by member."""
    bounds = conn.execute(
        "SELECT min(seq), max(seq) FROM event_figures WHERE business_date BETWEEN ? AND ?",
        (where.first, where.last),
    ).fetchone()
    # Among all changes of tier between the first and the last event of the period, not among all its events.
    conditions, values = (
        ["s.seq BETWEEN ? AND ?", "+f.business_date BETWEEN ? AND ?"],
        list[object](),
    )
    values += [*bounds, where.first, where.last]
    narrow(where, conditions, values)
    found = conn.execute(
        "SELECT DISTINCT f.member_id, f.seq FROM event_share s INDEXED BY event_share_tier"
        " CROSS JOIN event_figures f ON f.seq = s.seq"
        f" WHERE s.part = 'tier' AND {' AND '.join(conditions)} ORDER BY 1, 2",
        values,
    )
    return [(member_id, seq) for member_id, seq in found]


def tier_entries(conn: Connection, member_id: bytes) -> list[LedgerRow]:
    """A member's entries of tier, oldest first."""
    return ledger_of_asset(conn, member_id, "tier")


def members_by_tier(conn: Connection) -> dict[str, int]:
    """How many members have each tier now, by its code."""
    return dict(
        conn.execute(
            "SELECT tier, sum(members) FROM tier_sum GROUP BY tier ORDER BY tier"
        ).fetchall()
    )


def members_of_tier(conn: Connection, tier: str, limit: int) -> list[int]:
    """The events that brought members their tier, newest first; as many as there are below no limit."""
    changed = conn.execute(
        "SELECT DISTINCT s.seq FROM event_share s INDEXED BY event_share_tier"
        " CROSS JOIN event_figures f ON f.seq = s.seq CROSS JOIN member m ON m.id = f.member_id"
        " WHERE s.part = 'tier' AND m.tier = ? AND s.seq = (SELECT max(l.seq) FROM ledger l"
        " INDEXED BY ledger_member WHERE l.member_id = m.id AND l.asset = 'tier')"
        " ORDER BY s.seq DESC LIMIT ?",
        (tier, limit),
    )
    enrolled = conn.execute(
        "SELECT f.seq FROM event_figures f INDEXED BY event_figures_enrol"
        " CROSS JOIN member m ON m.id = f.member_id WHERE f.kind = 'enrol' AND m.tier = ?"
        " AND NOT EXISTS (SELECT 1 FROM ledger l INDEXED BY ledger_member"
        " WHERE l.member_id = m.id AND l.asset = 'tier') ORDER BY f.seq DESC LIMIT ?",
        # Above the lowest tier nobody stands without a change: there is nothing to walk through.
        (tier, limit if _any_unchanged(conn, tier) else 0),
    )
    found = merge((seq for (seq,) in changed), (seq for (seq,) in enrolled), reverse=True)
    return list(islice(found, None if limit < 0 else limit))


def _any_unchanged(conn: Connection, tier: str) -> bool:
    """Whether any member has a tier without a change of it that stands."""
    row = conn.execute(
        "SELECT members FROM tier_sum WHERE tier = ? AND until = 0", (tier,)
    ).fetchone()
    return row is not None and row[0] > 0


def expiring_tier_count(conn: Connection, base: str, first: int, last: int) -> int:
    """How many tiers above `base` are kept until a date from first to last."""
    row = conn.execute(
        "SELECT coalesce(sum(members), 0) FROM tier_sum WHERE tier != ? AND until BETWEEN ? AND ?",
        (base, first, last),
    ).fetchone()
    return int(row[0])


def expiring_tiers(conn: Connection, base: str, first: int, last: int, limit: int) -> list[int]:
    """The events that brought those tiers, newest first."""
    found = conn.execute(
        f"SELECT {_LAST_TIER} AS seq FROM member_state t JOIN member m ON m.id = t.member_id"
        " WHERE t.tier_until BETWEEN ? AND ? AND m.tier != ? ORDER BY seq DESC LIMIT ?",
        (first, last, base, limit),
    )
    return [seq for (seq,) in found]


# Lots -------------------------------------------------------------------------------------------

_YOUNG: Final = {
    "30": (None, 30),
    "90": (31, 90),
    "180": (91, 180),
    "365": (181, 365),
    "older": (366, None),
}
LOT_AGES: Final = (*_YOUNG, "lapsed")
"""Lots by days since they could be spent: up to 30 (and those not yet), 90, 180, 365, older; and past their
expiry, not booked."""
_AGE: Final = (
    "CASE WHEN expires < :today THEN 'lapsed' WHEN :today - available_from < 31 THEN '30'"
    " WHEN :today - available_from < 91 THEN '90' WHEN :today - available_from < 181 THEN '180'"
    " WHEN :today - available_from < 366 THEN '365' ELSE 'older' END"
)
_HIDDEN_EVENTS: Final = (
    "f.business_date >= (SELECT s.business_date FROM shift s WHERE s.id = :hidden)"
    f" AND f.shift_id = :hidden AND {HAS_MONEY}"
)
LOT_TOLD: Final = (
    "(:hidden IS NULL OR l.origin_event NOT IN"
    f" (SELECT f.event_id FROM event_figures f WHERE {_HIDDEN_EVENTS}))"
)
"""Whether a lot is told: those of the sales of the shift `:hidden` are what the shift gave for its takings."""


class LotsOfAge(NamedTuple):
    """Points left in the lots of an age, and how many lots that are."""

    points: int
    lots: int


def lots_by_age(conn: Connection, today: int, hidden: bytes | None) -> dict[str, LotsOfAge]:
    """What is left in lots by LOT_AGES, as they are now, without those for the money of a shift."""
    values = {"today": today, "hidden": hidden}
    found = conn.execute(
        f"SELECT {_AGE}, sum(points), sum(lots) FROM lot_sum GROUP BY 1 ORDER BY 1", values
    )
    ages = {age: LotsOfAge(points, lots) for age, points, lots in found}
    if hidden is not None:
        # An entry belongs to the member of its event, and so does the lot that it opens.
        untold = conn.execute(
            f"SELECT {_AGE}, sum(l.remaining), count(*) FROM event_figures f"
            " CROSS JOIN lot l ON l.member_id = f.member_id AND l.origin_event = f.event_id"
            f" WHERE {_HIDDEN_EVENTS} AND l.asset = 'points' GROUP BY 1 ORDER BY 1",
            values,
        )
        for age, points, lots in untold:
            had = ages.get(age, LotsOfAge(0, 0))
            ages[age] = LotsOfAge(had.points - points, had.lots - lots)
    return ages


def lots_of_age(
    conn: Connection, today: int, age: str, hidden: bytes | None, limit: int
) -> list[tuple[int, int]]:
    """(event that opened it, points left) of the youngest lots of an age, newest event first, lots of an event
    together."""
    condition, values = _of_age(today, age)
    found = conn.execute(
        "SELECT e.seq, (SELECT sum(l.remaining) FROM lot l WHERE l.member_id = y.member_id"
        f" AND l.origin_event = y.origin_event AND l.asset = 'points' AND {condition})"
        " FROM (SELECT DISTINCT member_id, origin_event FROM (SELECT l.member_id, l.origin_event"
        f" FROM lot l {_by_index(conn, age)} WHERE l.asset = 'points' AND {condition}"
        f" AND {LOT_TOLD} GROUP BY l.available_from, l.origin_event, l.member_id"
        " ORDER BY l.available_from DESC, l.origin_event DESC, l.member_id DESC LIMIT :most)) y"
        " JOIN event e ON e.id = y.origin_event ORDER BY e.seq DESC",
        {**values, "hidden": hidden, "most": limit},
    )
    return [(seq, amount) for seq, amount in found]


def _by_index(conn: Connection, age: str) -> str:
    """While a till begins with a chain's members one of the two indexes is missing (db/filling.py)."""
    if age == "lapsed":
        return "INDEXED BY lot_due"
    return "" if filling.is_begun(conn) else "INDEXED BY lot_since"


_EVER: Final = 1 << 62


def _of_age(today: int, age: str) -> tuple[str, dict[str, int]]:
    """Which lots `l` have an age, as ranges that an index answers, and the values."""
    if age == "lapsed":
        return "l.expires < :today", {"today": today}
    least, most = _YOUNG[age]
    first = -_EVER if most is None else today - most
    last = _EVER if least is None else today - least
    return (
        "l.available_from BETWEEN :first AND :last AND l.expires >= :today",
        {"today": today, "first": first, "last": last},
    )


def owed(conn: Connection) -> list[tuple[int, int]]:
    """(event that made it, points) of what members owe, newest first."""
    found = conn.execute(
        "SELECT e.seq, sum(d.amount) FROM debt d JOIN event e ON e.id = d.debit_event"
        " WHERE d.asset = 'points' GROUP BY e.seq ORDER BY e.seq DESC"
    )
    return [(seq, amount) for seq, amount in found]
