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

Key: TypeAlias = int | str | bytes | None
"""What a line of a report is about: a date, an hour, a tender, a person …"""

OF_SALE: Final = "(f.kind = 'sale' OR f.undoes = 'sale')"
_OF_RETURN: Final = "(f.kind = 'return' OR f.undoes = 'return')"
ONE_SALE: Final = "CASE WHEN f.kind = 'sale' THEN 1 WHEN f.undoes = 'sale' THEN -1 ELSE 0 END"

MEASURES: Final = {
    "sales": ONE_SALE,
    "member_sales": f"CASE WHEN f.member_id IS NULL THEN 0 ELSE {ONE_SALE} END",
    "redeemed_sales": f"CASE WHEN f.points_value_minor = 0 THEN 0 ELSE {ONE_SALE} END",
    "gross": f"CASE WHEN {OF_SALE} THEN f.gross_minor ELSE 0 END",
    "discount": f"CASE WHEN {OF_SALE} THEN f.discount_minor ELSE 0 END",
    "points_value": f"CASE WHEN {OF_SALE} THEN f.points_value_minor ELSE 0 END",
    "sold": f"CASE WHEN {OF_SALE} THEN f.paid_minor ELSE 0 END",
    "member_sold": f"CASE WHEN {OF_SALE} AND f.member_id IS NOT NULL THEN f.paid_minor ELSE 0 END",
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
    "tender_in": ("tender", f"CASE WHEN {OF_SALE} THEN s.amount ELSE 0 END"),
    "tender_out": ("tender", f"CASE WHEN {_OF_RETURN} THEN -s.amount ELSE 0 END"),
    "tender_net": ("tender", "s.amount"),
    "goods_units": ("category", "s.extra"),
    "goods_sold": ("category", f"CASE WHEN {OF_SALE} THEN s.amount ELSE 0 END"),
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
HAS_MONEY: Final = "(f.gross_minor != 0 OR f.paid_minor != 0)"
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
_NUMBERED: Final = "SELECT d.receipt_no FROM document d WHERE d.receipt_no IS NOT NULL AND"
_RECEIPT_THEN: Final = (
    f"coalesce(({_NUMBERED} d.seq <= f.seq ORDER BY d.seq DESC LIMIT 1),"
    f" ({_NUMBERED} d.seq > f.seq ORDER BY d.seq LIMIT 1))"
)
"""The receipt that says which till an event is of: its own or the newest before it, else the first after."""


@dataclass(frozen=True, slots=True)
class Where:
    """Which events: business dates first to last, a person, a tier at the sale (NO_MEMBER: sold to nobody
    known), a till by its number on receipts ("" is all). `without_shift` leaves out the money of a shift and
    the points for it, not its counts."""

    first: int
    last: int
    staff_id: bytes | None = None
    tier_rank: int | None = None
    without_shift: bytes | None = None
    till: str = ""


def tills(conn: Connection) -> tuple[str, ...]:
    """The numbers of the tills whose receipts the store has, by the index of receipt numbers: one step each."""
    found: list[str] = []
    above = ""
    while True:
        row = conn.execute(
            "SELECT min(receipt_no) FROM document WHERE receipt_no > ?", (above,)
        ).fetchone()
        if row[0] is None:
            return tuple(found)
        found.append(str(row[0]).partition("-")[0])
        above = f"{found[-1]}."  # The sign after "-": above every receipt of this till.


def sums(
    conn: Connection, where: Where, group: str, measures: Sequence[str]
) -> list[tuple[Key, tuple[int, ...]]]:
    """(key, the measures' sums) for each key of a group that has events, by key.

    The measures are all of MEASURES (and WITHHELD) or all of one part of SHARES.
    """
    source, condition, values = rows_of(where, measures)
    key = GROUPS[group]
    told = [expression_told(measure, where) for measure in measures]
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
    source, condition, values = rows_of(where, (measure,))
    expression, more = expression_told(measure, where)
    found = conn.execute(
        f"SELECT f.seq, sum({expression}) AS added FROM {source}"
        f" WHERE {condition} AND {GROUPS[group]} IS ?"
        " GROUP BY f.seq HAVING added != 0 ORDER BY f.seq DESC LIMIT ?",
        (*more, *values, key, limit),
    )
    return [(seq, amount) for seq, amount in found]


def part_count(conn: Connection, where: Where, group: str, key: Key, measure: str) -> int:
    """How many events `parts` would list without a limit."""
    source, condition, values = rows_of(where, (measure,))
    expression, more = expression_told(measure, where)
    row = conn.execute(
        f"SELECT count(*) FROM (SELECT sum({expression}) AS added FROM {source}"
        f" WHERE {condition} AND {GROUPS[group]} IS ? GROUP BY f.seq HAVING added != 0)",
        (*more, *values, key),
    ).fetchone()
    return int(row[0])


def expression_told(measure: str, where: Where) -> tuple[str, list[object]]:
    """The expression of a measure without what isn't told, and its values."""
    hidden = where.without_shift
    if measure == WITHHELD:
        return ("0", []) if hidden is None else (f"f.shift_id IS ? AND {HAS_MONEY}", [hidden])
    expression = _expression(measure)
    if hidden is None or measure not in TELLING:
        return expression, []
    return f"CASE WHEN f.shift_id IS ? AND {HAS_MONEY} THEN 0 ELSE {expression} END", [hidden]


def _expression(measure: str) -> str:
    return MEASURES[measure] if measure in MEASURES else SHARES[measure][1]


def rows_of(where: Where, measures: Sequence[str]) -> tuple[str, str, list[object]]:
    """FROM, WHERE and its values."""
    source = "event_figures f"
    conditions, values = ["f.business_date BETWEEN ? AND ?"], list[object]()
    values += [where.first, where.last]
    narrow(where, conditions, values)
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


def narrow(where: Where, conditions: list[str], values: list[object]) -> None:
    """To a person, to a tier."""
    if where.staff_id is not None:
        conditions.append("f.staff_id = ?")
        values.append(where.staff_id)
    if where.tier_rank == NO_MEMBER:
        conditions.append("f.member_id IS NULL")
    elif where.tier_rank is not None:
        conditions.append("f.tier_rank = ?")
        values.append(where.tier_rank)
    if where.till:
        conditions.append(f"{_RECEIPT_THEN} BETWEEN ? AND ?")
        values += [f"{where.till}-", f"{where.till}."]


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
