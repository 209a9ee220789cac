"""The sums that reports ask for, and the events that each sum is made of.

A measure is one SQL expression over a row of `event_figures` (or of `event_share`); a sum and its list
are the same expression over the same rows, so a figure and what it opens into can't differ. SQLite adds
up without holding the interpreter, so the counter doesn't wait for it. Words are not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from db.connection import Connection
from db.rows import LedgerRow, ledger_of_member

Key: TypeAlias = int | str | bytes | None
"""What a line of a report is about: a date, an hour, a tender, a person …"""

_OF_SALE: Final = "(f.kind = 'sale' OR f.undoes = 'sale')"
_OF_RETURN: Final = "(f.kind = 'return' OR f.undoes = 'return')"
_ONE_SALE: Final = "CASE WHEN f.kind = 'sale' THEN 1 WHEN f.undoes = 'sale' THEN -1 ELSE 0 END"

MEASURES: Final = {
    "sales": _ONE_SALE,
    "member_sales": f"CASE WHEN f.member_id IS NULL THEN 0 ELSE {_ONE_SALE} END",
    "redeemed_sales": f"CASE WHEN f.points_value_minor = 0 THEN 0 ELSE {_ONE_SALE} END",
    "gross": f"CASE WHEN {_OF_SALE} THEN f.gross_minor ELSE 0 END",
    "discount": f"CASE WHEN {_OF_SALE} THEN f.discount_minor ELSE 0 END",
    "points_value": f"CASE WHEN {_OF_SALE} THEN f.points_value_minor ELSE 0 END",
    "sold": f"CASE WHEN {_OF_SALE} THEN f.paid_minor ELSE 0 END",
    "member_sold": f"CASE WHEN {_OF_SALE} AND f.member_id IS NOT NULL THEN f.paid_minor ELSE 0 END",
    "returns": "CASE WHEN f.kind = 'return' THEN 1 WHEN f.undoes = 'return' THEN -1 ELSE 0 END",
    "refunded": f"CASE WHEN {_OF_RETURN} THEN -f.paid_minor ELSE 0 END",
    "takings": "f.paid_minor",
    "voids": "CASE WHEN f.kind = 'void' THEN 1 ELSE 0 END",
    "voided": "CASE WHEN f.undoes = 'sale' THEN -f.paid_minor ELSE 0 END",
    "enrolled": "CASE WHEN f.kind = 'enrol' THEN 1 ELSE 0 END",
    "issued": "f.points_issued",
    "redeemed": "f.points_redeemed",
    "expired": "f.points_expired",
    "points_change": "f.points_issued - f.points_redeemed - f.points_expired",
}
SHARES: Final = {
    "tender_in": ("tender", f"CASE WHEN {_OF_SALE} THEN s.amount ELSE 0 END"),
    "tender_out": ("tender", f"CASE WHEN {_OF_RETURN} THEN -s.amount ELSE 0 END"),
    "tender_net": ("tender", "s.amount"),
    "goods_units": ("category", "s.extra"),
    "goods_sold": ("category", f"CASE WHEN {_OF_SALE} THEN s.amount ELSE 0 END"),
    "goods_returned": ("category", f"CASE WHEN {_OF_RETURN} THEN -s.amount ELSE 0 END"),
    "goods_net": ("category", "s.amount"),
    "tax_net": ("tax", "s.extra"),
    "tax": ("tax", "s.amount"),
}
TELLING: Final = frozenset(
    {"gross", "discount", "points_value", "sold", "member_sold", "refunded", "takings", "voided"}
    | {"issued", "points_change"}
)
"""Measures that add up to the cash of a shop that takes nothing else, as the shares do: money, and the points
that members are given for it."""
WITHHELD: Final = "withheld"
"""A measure of its own: how many events have money that isn't told, because of `Where.without_shift`."""
_HAS_MONEY: Final = "(f.gross_minor != 0 OR f.paid_minor != 0)"
GROUPS: Final = {
    "all": "0",
    "date": "f.business_date",
    "shift": "f.shift_id",
    "staff": "f.staff_id",
    "tier": "f.tier_rank",
    "hour": "f.minute / 60",
    "weekday": "(f.business_date + 3) % 7 + 1",
    "weekday_hour": "((f.business_date + 3) % 7 + 1) * 100 + f.minute / 60",
    "reason": "f.reason",
    "share": "s.key",
}


NO_MEMBER: Final = -1


@dataclass(frozen=True, slots=True)
class Where:
    """Which events: business dates first to last, a person, a tier at the sale (NO_MEMBER: sold to nobody
    known). `without_shift` leaves out the money of a shift and the points for it, not its counts."""

    first: int
    last: int
    staff_id: bytes | None = None
    tier_rank: int | None = None
    without_shift: bytes | None = None


def sums(
    conn: Connection, where: Where, group: str, measures: Sequence[str]
) -> list[tuple[Key, tuple[int, ...]]]:
    """(key, the measures' sums) for each key of a group that has events, by key.

    The measures are all of MEASURES (and WITHHELD) or all of one part of SHARES.
    """
    source, condition, values = _rows_of(where, measures)
    key = GROUPS[group]
    told = [_told(measure, where) for measure in measures]
    columns = ", ".join(f"sum({expression})" for expression, _ in told)
    found = conn.execute(
        f"SELECT {key}, {columns} FROM {source} WHERE {condition} GROUP BY 1 ORDER BY 1",
        [*(value for _, more in told for value in more), *values],
    )
    return [(row[0], tuple(row[1:])) for row in found]


def parts(
    conn: Connection, where: Where, group: str, key: Key, measure: str, limit: int
) -> list[tuple[int, int]]:
    """(sequence number, amount) of the events that a sum is made of, newest first; nothings left out."""
    source, condition, values = _rows_of(where, (measure,))
    expression, more = _told(measure, where)
    found = conn.execute(
        f"SELECT f.seq, sum({expression}) AS added FROM {source}"
        f" WHERE {condition} AND {GROUPS[group]} IS ?"
        " GROUP BY f.seq HAVING added != 0 ORDER BY f.seq DESC LIMIT ?",
        (*more, *values, key, limit),
    )
    return [(seq, amount) for seq, amount in found]


def part_count(conn: Connection, where: Where, group: str, key: Key, measure: str) -> int:
    """How many events `parts` would list without a limit."""
    source, condition, values = _rows_of(where, (measure,))
    expression, more = _told(measure, where)
    row = conn.execute(
        f"SELECT count(*) FROM (SELECT sum({expression}) AS added FROM {source}"
        f" WHERE {condition} AND {GROUPS[group]} IS ? GROUP BY f.seq HAVING added != 0)",
        (*more, *values, key),
    ).fetchone()
    return int(row[0])


def _told(measure: str, where: Where) -> tuple[str, list[object]]:
    """The expression of a measure without what isn't told, and its values."""
    hidden = where.without_shift
    if measure == WITHHELD:
        return ("0", []) if hidden is None else (f"f.shift_id IS ? AND {_HAS_MONEY}", [hidden])
    expression = _expression(measure)
    if hidden is None or measure not in TELLING:
        return expression, []
    return f"CASE WHEN f.shift_id IS ? AND {_HAS_MONEY} THEN 0 ELSE {expression} END", [hidden]


def _expression(measure: str) -> str:
    return MEASURES[measure] if measure in MEASURES else SHARES[measure][1]


def _rows_of(where: Where, measures: Sequence[str]) -> tuple[str, str, list[object]]:
    """FROM, WHERE and its values."""
    source = "event_figures f"
    conditions, values = ["f.business_date BETWEEN ? AND ?"], list[object]()
    values += [where.first, where.last]
    _narrow(where, conditions, values)
    if measures[0] in SHARES:
        part = SHARES[measures[0]][0]
        assert all(SHARES[measure][0] == part for measure in measures), "shares of one part"
        source += " JOIN event_share s ON s.seq = f.seq"
        conditions.append("s.part = ?")
        values.append(part)
        if where.without_shift is not None:
            conditions.append("f.shift_id IS NOT ?")
            values.append(where.without_shift)
    return source, " AND ".join(conditions), values


def _narrow(where: Where, conditions: list[str], values: list[object]) -> None:
    """To a person, to a tier."""
    if where.staff_id is not None:
        conditions.append("f.staff_id = ?")
        values.append(where.staff_id)
    if where.tier_rank == NO_MEMBER:
        conditions.append("f.member_id IS NULL")
    elif where.tier_rank is not None:
        conditions.append("f.tier_rank = ?")
        values.append(where.tier_rank)


# What no single measure gives: members counted once, standings, lots ------------------------

_LAST_TIER: Final = (
    "coalesce((SELECT max(l.seq) FROM ledger l INDEXED BY ledger_member"
    " WHERE l.member_id = m.id AND l.asset = 'tier'),"
    # An enrolment always records its consents: the oldest one is its event.
    " (SELECT min(c.seq) FROM consent c WHERE c.member_id = m.id))"
)
_AGE: Final = (
    "CASE WHEN expires < :today THEN 'lapsed' WHEN :today - available_from < 31 THEN '30'"
    " WHEN :today - available_from < 91 THEN '90' WHEN :today - available_from < 181 THEN '180'"
    " WHEN :today - available_from < 366 THEN '365' ELSE 'older' END"
)
LOT_AGES: Final = ("30", "90", "180", "365", "older", "lapsed")
"""Lots by days since they could be spent: up to 30, 90, 180, 365, older; and past their expiry, not booked."""


def active_members(conn: Connection, where: Where) -> list[int]:
    """For each member with a sale that stands: the first event of theirs in the period."""
    _, condition, values = _rows_of(where, ("sales",))
    found = conn.execute(
        f"SELECT min(f.seq) FROM event_figures f WHERE {condition} AND f.member_id IS NOT NULL"
        f" AND {_OF_SALE} GROUP BY f.member_id HAVING sum({_ONE_SALE}) > 0 ORDER BY 1 DESC",
        values,
    )
    return [seq for (seq,) in found]


def tier_events(conn: Connection, where: Where) -> list[tuple[bytes, int]]:
    """(member, sequence number) of the changes of tier in a period, by member."""
    conditions, values = ["f.business_date BETWEEN ? AND ?"], list[object]()
    values += [where.first, where.last]
    _narrow(where, conditions, values)
    found = conn.execute(
        "SELECT DISTINCT f.member_id, f.seq FROM event_figures f JOIN event_share s ON s.seq = f.seq"
        f" WHERE {' AND '.join(conditions)} AND s.part = 'tier' ORDER BY 1, 2",
        values,
    )
    return [(member_id, seq) for member_id, seq in found]


def tier_entries(conn: Connection, member_id: bytes) -> list[LedgerRow]:
    """A member's entries of tier, oldest first."""
    return [row for row in ledger_of_member(conn, member_id) if row.asset == "tier"]


def members_by_tier(conn: Connection) -> dict[str, int]:
    """How many members have each tier now, by its code."""
    return dict(conn.execute("SELECT tier, count(*) FROM member GROUP BY tier").fetchall())


def members_of_tier(conn: Connection, tier: str, limit: int) -> list[int]:
    """The events that brought members their tier, newest first."""
    found = conn.execute(
        f"SELECT {_LAST_TIER} AS seq FROM member m WHERE m.tier = ? ORDER BY seq DESC LIMIT ?",
        (tier, limit),
    )
    return [seq for (seq,) in found]


def expiring_tiers(conn: Connection, base: str, first: int, last: int) -> list[int]:
    """The events that brought the tiers above `base` that are kept until a date from first to last."""
    found = conn.execute(
        f"SELECT {_LAST_TIER} AS seq FROM member_state t JOIN member m ON m.id = t.member_id"
        " WHERE t.tier_until BETWEEN ? AND ? AND m.tier != ? ORDER BY seq DESC",
        (first, last, base),
    )
    return [seq for (seq,) in found]


LOT_TOLD: Final = (
    "(:hidden IS NULL OR l.origin_event NOT IN (SELECT f.event_id FROM event_figures f"
    " WHERE f.business_date >= (SELECT s.business_date FROM shift s WHERE s.id = :hidden)"
    f" AND f.shift_id = :hidden AND {_HAS_MONEY}))"
)
"""Whether a lot is told: those of the sales of the shift `:hidden` are what the shift gave for its takings."""


def lots_by_age(conn: Connection, today: int, hidden: bytes | None) -> dict[str, int]:
    """Points left in lots by LOT_AGES, as they are now, without those for the money of a shift."""
    found = conn.execute(
        f"SELECT {_AGE}, sum(remaining) FROM lot l WHERE asset = 'points' AND {LOT_TOLD} GROUP BY 1",
        {"today": today, "hidden": hidden},
    )
    return dict(found.fetchall())


def lots_of_age(
    conn: Connection, today: int, age: str, hidden: bytes | None, limit: int
) -> list[tuple[int, int]]:
    """(event that opened it, points left) of the lots of an age, newest first, lots of an event together."""
    found = conn.execute(
        "SELECT e.seq, sum(l.remaining) FROM lot l JOIN event e ON e.id = l.origin_event"
        f" WHERE l.asset = 'points' AND {_AGE} = :age AND {LOT_TOLD}"
        " GROUP BY e.seq ORDER BY e.seq DESC LIMIT :most",
        {"today": today, "age": age, "hidden": hidden, "most": limit},
    )
    return [(seq, amount) for seq, amount in found]


def lot_event_count(conn: Connection, today: int, age: str, hidden: bytes | None) -> int:
    """How many events opened the lots of an age."""
    row = conn.execute(
        "SELECT count(DISTINCT origin_event) FROM lot l"
        f" WHERE asset = 'points' AND {_AGE} = :age AND {LOT_TOLD}",
        {"today": today, "age": age, "hidden": hidden},
    ).fetchone()
    return int(row[0])


def owed(conn: Connection) -> list[tuple[int, int]]:
    """(event that made it, points) of what members owe, newest first."""
    found = conn.execute(
        "SELECT e.seq, sum(d.amount) FROM debt d JOIN event e ON e.id = d.debit_event"
        " WHERE d.asset = 'points' GROUP BY e.seq ORDER BY e.seq DESC"
    )
    return [(seq, amount) for seq, amount in found]


class PartRow(NamedTuple):
    """An event as a list of a figure's events shows it."""

    event_id: bytes
    kind: str
    business_date: int
    at_us: int | None
    staff_id: bytes | None
    member_id: bytes | None
    receipt_no: str | None


def part_row(conn: Connection, seq: int) -> PartRow | None:
    """The event of a sequence number; `at_us` None where it is no counter document."""
    row = conn.execute(
        "SELECT f.event_id, f.kind, f.business_date, d.at_us, f.staff_id, f.member_id, d.receipt_no"
        " FROM event_figures f LEFT JOIN document d ON d.seq = f.seq WHERE f.seq = ?",
        (seq,),
    ).fetchone()
    return PartRow(*row) if row else None
