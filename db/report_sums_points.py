"""Points moved in a period, by sums that are kept for each date, person and tier, and the newest events behind.

No number here depends on how many events a period has, but for the one open shift whose money isn't told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from db.connection import Connection
from db.report_sums import HAS_MONEY, MEASURES, NO_MEMBER, TELLING, Where, expression_told, narrow

_COUNTS: Final = {
    "issued": "issues",
    "redeemed": "redemptions",
    "expired": "expiries",
    "points_change": "changes",
}
"""Measures, and the column that says how many events have some of it."""
_AMOUNTS: Final = {
    "issued": "issued",
    "redeemed": "redeemed",
    "expired": "expired",
    "points_change": "issued - redeemed - expired",
}
POINTS_MOVED: Final = frozenset(_COUNTS)


@dataclass(frozen=True, slots=True)
class Moved:
    """Points moved in a period, by measure, without what isn't told.

    Attributes:
        amounts: points.
        events: how many events have some.
        withheld: how many events have money that isn't told.
        first_seq, last_seq: no such event lies outside; 0 where there is none.
    """

    amounts: Mapping[str, int]
    events: Mapping[str, int]
    withheld: int
    first_seq: int
    last_seq: int


def moved(conn: Connection, where: Where) -> Moved:
    """What was moved in a period, by everybody or by a person, at one tier or at any, at one till or at any."""
    found = _of_till(conn, where) if where.till else _kept(conn, where)
    amounts = dict(zip(_AMOUNTS, found[:4], strict=True))
    events = dict(zip(_COUNTS, found[4:8], strict=True))
    withheld = _take_out_hidden(conn, where, amounts, events)
    return Moved(amounts, events, withheld, found[8], found[9])


def _kept(conn: Connection, where: Where) -> tuple[int, ...]:
    """Amounts, numbers of events, first and last event, by the sums that are kept."""
    conditions, values = ["business_date BETWEEN ? AND ?"], list[object]()
    values += [where.first, where.last]
    if where.staff_id is not None:
        conditions.append("staff_id = ?")
        values.append(where.staff_id)
    if where.tier_rank == NO_MEMBER:
        conditions.append("0")  # points are always somebody's
    elif where.tier_rank is not None:
        conditions.append("tier_rank = ?")
        values.append(where.tier_rank)
    columns = ", ".join(
        f"coalesce(sum({each}), 0)" for each in (*_AMOUNTS.values(), *_COUNTS.values())
    )
    found = conn.execute(
        f"SELECT {columns}, coalesce(min(first_seq), 0), coalesce(max(last_seq), 0)"
        f" FROM points_sum WHERE {' AND '.join(conditions)}",
        values,
    ).fetchone()
    return tuple(found)


def _of_till(conn: Connection, where: Where) -> tuple[int, ...]:
    """The same by the events themselves: sums are not kept for each till, since a store has mostly one."""
    conditions, values = ["f.business_date BETWEEN ? AND ?"], list[object]()
    values += [where.first, where.last]
    narrow(where, conditions, values)
    measures = [MEASURES[measure] for measure in _AMOUNTS]
    columns = ", ".join(
        f"coalesce(sum({each}), 0)" for each in (*measures, *(f"({m}) != 0" for m in measures))
    )
    found = conn.execute(
        f"SELECT {columns}, coalesce(min(f.seq), 0), coalesce(max(f.seq), 0)"
        f" FROM event_figures f WHERE {' AND '.join(conditions)}",
        values,
    ).fetchone()
    return tuple(found)


def newest(
    conn: Connection, where: Where, measure: str, limit: int
) -> tuple[list[tuple[int, int]], int]:
    """The newest (sequence number, points) that a measure is made of, and how many there are in all."""
    sums = moved(conn, where)
    count = sums.events[measure]
    expression, more = expression_told(measure, where)
    # By sequence number, from the last to the first that can be meant: reading ends with the last one wanted.
    conditions, values = (
        ["f.seq BETWEEN ? AND ?", "+f.business_date BETWEEN ? AND ?"],
        list[object](),
    )
    values += [sums.first_seq, sums.last_seq, where.first, where.last]
    narrow(where, conditions, values)
    found = conn.execute(
        f"SELECT f.seq, {expression} AS added FROM event_figures f"
        f" WHERE {' AND '.join(conditions)} AND added != 0 ORDER BY f.seq DESC LIMIT ?",
        (*more, *values, limit if limit < 0 else min(count, limit)),
    )
    return [(seq, amount) for seq, amount in found], count


def _take_out_hidden(
    conn: Connection, where: Where, amounts: dict[str, int], events: dict[str, int]
) -> int:
    """Leave out what the money of `where.without_shift` gave; returns how many events that money has."""
    if where.without_shift is None:
        return 0
    # A shift keeps its business date: none of its events lies before it.
    conditions = [
        "f.business_date BETWEEN max(?, (SELECT business_date FROM shift WHERE id = ?)) AND ?",
        "f.shift_id = ?",
        HAS_MONEY,
    ]
    values: list[object] = [where.first, where.without_shift, where.last, where.without_shift]
    narrow(where, conditions, values)
    hidden = sorted(POINTS_MOVED & TELLING)
    columns = "".join(
        f", coalesce(sum({MEASURES[each]}), 0), coalesce(sum({MEASURES[each]} != 0), 0)"
        for each in hidden
    )
    withheld, *found = conn.execute(
        f"SELECT count(*){columns} FROM event_figures f WHERE {' AND '.join(conditions)}", values
    ).fetchone()
    for n, measure in enumerate(hidden):
        amounts[measure] -= found[2 * n]
        events[measure] -= found[2 * n + 1]
    return int(withheld)
