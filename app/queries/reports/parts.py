"""From a figure to its events: the newest of them, and how many there are in all."""

from __future__ import annotations

from app import posting
from app.context import Context
from app.documents.report import Drill, Part, Parts, Unit
from app.domain.business_day import BusinessDate
from app.domain.member import mask_name
from app.protocol.events import instant_of
from app.queries.reports.sales import unit_of, where_of
from app.queries.reports.standing import EXPIRING_DAYS, expiring, tier_changes
from db import home, people, report_sums, rows
from db.connection import Connection

_POINTS = frozenset({"lots", "owed", "points_expiring"})
_ONES = frozenset({"active", "upgrades", "downgrades", "tier_now", "tier_expiring"})


def parts(ctx: Context, conn: Connection, drill: Drill, *, limit: int, names: bool) -> Parts:
    """The newest `limit` events behind a figure; their amounts add up to it when there are no more.

    `names`: whether the reader may see members' names whole.
    """
    found, count = _amounts(ctx, conn, drill, limit)
    shown = [_part(ctx, conn, seq, amount, names=names) for seq, amount in found]
    unit: Unit = "points" if drill.measure in _POINTS else unit_of(drill.measure)
    return Parts(drill, "count" if drill.measure in _ONES else unit, tuple(shown), count)


def amounts(ctx: Context, conn: Connection, drill: Drill) -> list[tuple[int, int]]:
    """(sequence number, amount) of every event behind a figure."""
    return _amounts(ctx, conn, drill, -1)[0]


def _amounts(
    ctx: Context, conn: Connection, drill: Drill, limit: int
) -> tuple[list[tuple[int, int]], int]:
    measure, asked = drill.measure, drill.filter
    where = where_of(conn, asked)
    if measure in report_sums.MEASURES or measure in report_sums.SHARES:
        found = report_sums.parts(conn, where, drill.group, drill.key, measure, limit)
        if len(found) != limit:
            return found, len(found)
        return found, report_sums.part_count(conn, where, drill.group, drill.key, measure)
    today = ctx.business_date()
    if measure == "lots":
        age = str(drill.key)
        found = report_sums.lots_of_age(conn, int(today), age, where.without_shift, limit)
        return found, report_sums.lot_event_count(conn, int(today), age, where.without_shift)
    if measure == "points_expiring":
        first, last = int(today), int(today.plus(EXPIRING_DAYS))
        found = home.expiring_lots(conn, first, last, where.without_shift, limit)
        return found, home.expiring_lot_events(conn, first, last, where.without_shift)
    if measure == "tier_now":
        code = str(drill.key)
        events = report_sums.members_of_tier(conn, code, limit)
        return [(seq, 1) for seq in events], report_sums.members_by_tier(conn).get(code, 0)
    whole = _all_of(ctx, conn, drill)
    return (whole if limit < 0 else whole[:limit]), len(whole)


def _all_of(ctx: Context, conn: Connection, drill: Drill) -> list[tuple[int, int]]:
    """The events of a figure that is always listed whole."""
    match drill.measure:
        case "active":
            where = where_of(conn, drill.filter)
            return [(seq, 1) for seq in report_sums.active_members(conn, where)]
        case "upgrades":
            return [(seq, n) for seq, n in tier_changes(conn, drill.filter) if n > 0]
        case "downgrades":
            return [(seq, -n) for seq, n in tier_changes(conn, drill.filter) if n < 0]
        case "tier_expiring":
            base = str(drill.key)
            return [(seq, 1) for seq in expiring(conn, base, ctx.business_date())]
        case _:
            assert drill.measure == "owed", drill.measure
            return [(seq, -amount) for seq, amount in report_sums.owed(conn)]


def _part(ctx: Context, conn: Connection, seq: int, amount: int, *, names: bool) -> Part:
    row = report_sums.part_row(conn, seq)
    assert row is not None, "a figure is made of events that have their sums"
    profile = people.profile(conn, row.member_id) if row.member_id else None
    name = profile.name if profile else ""
    at_us = row.at_us
    if at_us is None:
        event = rows.event_by_seq(conn, seq)
        assert event is not None, "its event is there"
        at_us = posting.event_of(event).at_us
    return Part(
        row.event_id,
        seq,
        row.kind,
        row.receipt_no or "",
        instant_of(at_us),
        BusinessDate(row.business_date),
        ctx.initials(conn, row.staff_id),
        name if names else mask_name(name) if name else "",
        amount,
    )
