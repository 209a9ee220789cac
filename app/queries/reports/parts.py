"""From a figure to its events: the newest of them, and how many there are in all."""

from __future__ import annotations

from app import posting
from app.context import Context
from app.documents.report import Drill, Part, Parts, Unit
from app.domain.business_day import BusinessDate
from app.domain.member import mask_name
from app.protocol.events import instant_of
from app.queries.reports.sales import unit_of, where_of
from app.queries.reports.standing import EXPIRING_DAYS, tier_changes, tiers_end_between
from app.shut import profile_shown
from db import home, report_sums, report_sums_points, report_sums_standing, rows
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
    if measure in report_sums_points.POINTS_MOVED and drill.group == "all":
        return report_sums_points.newest(conn, where, measure, limit)
    if measure in report_sums.MEASURES or measure in report_sums.SHARES:
        found = report_sums.parts(conn, where, drill.group, drill.key, measure, limit)
        if len(found) != limit:
            return found, len(found)
        return found, report_sums.part_count(conn, where, drill.group, drill.key, measure)
    whole, count = _standing(ctx, conn, drill, limit)
    return (whole if limit < 0 else whole[:limit]), count


def _standing(
    ctx: Context, conn: Connection, drill: Drill, limit: int
) -> tuple[list[tuple[int, int]], int]:
    """Of a figure of what stands now: its newest events, more than `limit` where it is always listed whole, and
    how many there are in all. A list of lots that is cut counts lots: an event may have opened two."""
    today, asked = ctx.business_date(), drill.filter
    match drill.measure:
        case "lots":
            age, hidden = str(drill.key), where_of(conn, asked).without_shift
            found = report_sums_standing.lots_of_age(conn, int(today), age, hidden, limit)
            if len(found) != limit:
                return found, len(found)
            ages = report_sums_standing.lots_by_age(conn, int(today), hidden)
            return found, ages[age].lots
        case "points_expiring":
            first, last = int(asked.first), int(asked.first.plus(EXPIRING_DAYS))
            hidden = where_of(conn, asked).without_shift
            found = home.expiring_lots(conn, first, last, hidden, limit)
            return found, home.expiring_lot_events(conn, first, last, hidden)
        case "tier_now":
            code = str(drill.key)
            events = report_sums_standing.members_of_tier(conn, code, limit)
            count = report_sums_standing.members_by_tier(conn).get(code, 0)
            return [(seq, 1) for seq in events], count
        case "tier_expiring":
            base, (first, last) = str(drill.key), tiers_end_between(today)
            events = report_sums_standing.expiring_tiers(conn, base, first, last, limit)
            count = report_sums_standing.expiring_tier_count(conn, base, first, last)
            return [(seq, 1) for seq in events], count
    whole = _all_of(conn, drill)
    return whole, len(whole)


def _all_of(conn: Connection, drill: Drill) -> list[tuple[int, int]]:
    """The events of a figure that is always listed whole."""
    match drill.measure:
        case "active":
            where = where_of(conn, drill.filter)
            return [(seq, 1) for seq in report_sums_standing.active_members(conn, where)]
        case "upgrades":
            return [(seq, n) for seq, n in tier_changes(conn, drill.filter) if n > 0]
        case "downgrades":
            return [(seq, -n) for seq, n in tier_changes(conn, drill.filter) if n < 0]
        case _:
            assert drill.measure == "owed", drill.measure
            return [(seq, -amount) for seq, amount in report_sums_standing.owed(conn)]


def _part(ctx: Context, conn: Connection, seq: int, amount: int, *, names: bool) -> Part:
    row = report_sums.part_row(conn, seq)
    assert row is not None, "a figure is made of events that have their sums"
    profile = profile_shown(conn, row.member_id, ctx.clock())
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
