"""Reports about members and points: who came, who rose, what is owed to them, and how old it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from typing import Final

from app import cached_fold
from app.context import Context
from app.documents.report import Drill, Figure, Line, Report, ReportFilter, Unit
from app.domain.business_day import BusinessDate
from app.domain.fold import fold
from app.domain.programme import Programme
from app.domain.redemption import value_of
from app.domain.state import EMPTY, TierChange
from app.queries.reports.sales import figures, share_bp, uncounted_shift, where_of
from db import report_sums, report_sums_points, report_sums_standing
from db.connection import Connection

EXPIRING_DAYS: Final = 30
BREAKAGE_DAYS: Final = 365
MOVED: Final = ("issued", "redeemed", "expired", "points_change")
_BEGINNING: Final = BusinessDate(0)
_NO_COUNT: Final = Figure(None, "count")


def members(ctx: Context, conn: Connection, asked: ReportFilter) -> Report:
    """New and active members, changes of tier, tiers that end soon, and how many have each tier now."""
    earlier = asked.earlier()
    lines = [*_moves(conn, asked), _tiers_ending(ctx, conn, asked)]
    columns: tuple[str, ...] = ("members",)
    if earlier is not None:
        columns = (*columns, asked.against)
        before = [line.figures[0] for line in _moves(conn, earlier)]
        lines = [
            replace(line, figures=(*line.figures, before[n] if n < len(before) else _NO_COUNT))
            for n, line in enumerate(lines)
        ]
    lines += _by_tier(ctx, conn, asked)
    return Report(
        "members", asked, ctx.clock(), columns, tuple(lines), chart="bars", notes=_notes(asked)
    )


def _moves(conn: Connection, asked: ReportFilter) -> list[Line]:
    """What happened in a period: new and active members, changes of tier."""
    where = where_of(conn, asked)
    found = report_sums.sums(conn, where, "all", ("enrolled",))
    changed = tier_changes(conn, asked)
    return [
        _one("enrolled", found[0][1][0] if found else 0, Drill("enrolled", asked)),
        _one(
            "active", len(report_sums_standing.active_members(conn, where)), Drill("active", asked)
        ),
        _one("upgrades", sum(n for _, n in changed if n > 0), Drill("upgrades", asked)),
        _one("downgrades", -sum(n for _, n in changed if n < 0), Drill("downgrades", asked)),
    ]


def _tiers_ending(ctx: Context, conn: Connection, asked: ReportFilter) -> Line:
    base = ctx.programme_on(conn, asked.last).tiers.levels[0].code
    first, last = tiers_end_between(ctx.business_date())
    count = report_sums_standing.expiring_tier_count(conn, base, first, last)
    return _one("tier_expiring", count, Drill("tier_expiring", asked, key=base))


def _by_tier(ctx: Context, conn: Connection, asked: ReportFilter) -> list[Line]:
    """How many members have each tier now."""
    by_tier = report_sums_standing.members_by_tier(conn)
    empty = (_NO_COUNT,) if asked.against else ()
    lines = []
    for level in ctx.programme_on(conn, asked.last).tiers.levels:
        count = by_tier.get(level.code, 0)
        figure = Figure(count, "count", Drill("tier_now", asked, key=level.code))
        lines.append(Line("tier", level.rank, (figure, *empty), level.code))
    return lines


def _notes(asked: ReportFilter) -> tuple[str, ...]:
    """What stands now can't be told apart by who sold, and where."""
    narrowed = asked.staff_id or asked.tier_rank is not None or asked.till
    return ("not_narrowed",) if narrowed else ()


def points(ctx: Context, conn: Connection, asked: ReportFilter) -> Report:
    """Points issued, redeemed and expired in the period; what is outstanding at its end, and what of it
    will probably never be used."""
    programme = ctx.programme_on(conn, asked.last)
    now = _moved_in(conn, asked)
    hidden = now.withheld
    lines = [
        _told_line(measure, now.amounts[measure], hidden, Drill(measure, asked), programme)
        for measure in MOVED
    ]
    whole = ReportFilter(_BEGINNING, asked.last)
    outstanding = _moved_in(conn, whole).amounts["points_change"]
    lines.append(
        _line("outstanding", outstanding, "points", Drill("points_change", whole), programme)
    )
    year = ReportFilter(asked.last.plus(1 - BREAKAGE_DAYS), asked.last)
    of_year = _moved_in(conn, year).amounts
    used, gone = of_year["redeemed"], of_year["expired"]
    rate = share_bp(gone, used + gone)
    share = (Figure(rate, "share", Drill("expired", year)), Figure(None, "money"))
    lines.append(Line("measure", "breakage_rate", share))
    expected = outstanding * rate // 10_000 if outstanding > 0 and rate else 0
    lines.append(_line("breakage", expected, "points", None, programme))
    columns: tuple[str, ...] = ("points", "worth")
    earlier = asked.earlier()
    if earlier is not None:
        columns = (*columns, asked.against)
        before = _moved_in(conn, earlier).amounts
        lines = [
            replace(line, figures=(*line.figures, _moved(n, before, earlier)))
            for n, line in enumerate(lines)
        ]
    notes = (*_notes(asked), "open_shift") if hidden else _notes(asked)
    return Report("points", asked, ctx.clock(), columns, tuple(lines), notes=notes)


def _told_line(measure: str, value: int, hidden: int, drill: Drill, programme: Programme) -> Line:
    """Points and what they are worth; neither where they aren't told yet."""
    (figure,) = figures((measure,), (value, hidden), (drill,))
    if figure.withheld:
        return Line("measure", measure, (figure, replace(figure, unit="money")))
    return _line(measure, value, figure.unit, drill, programme)


def _moved(n: int, before: Mapping[str, int], earlier: ReportFilter) -> Figure:
    """What was moved in the earlier period; what stands at its end is no movement."""
    if n >= len(MOVED):
        return Figure(None, "points")
    return Figure(before[MOVED[n]], "points", Drill(MOVED[n], earlier))


def lots(ctx: Context, conn: Connection, asked: ReportFilter) -> Report:
    """What members hold now by the age of the lots, and what they owe."""
    today = ctx.business_date()
    programme = ctx.programme_on(conn, today)
    hidden = uncounted_shift(conn)
    found = report_sums_standing.lots_by_age(conn, int(today), hidden)
    by_age = {age: of_age.points for age, of_age in found.items()}
    lines = [
        replace(
            _line("", by_age.get(age, 0), "points", Drill("lots", asked, key=age), programme),
            kind="lot_age",
            key=age,
        )
        for age in report_sums_standing.LOT_AGES
    ]
    owed = -sum(amount for _, amount in report_sums_standing.owed(conn))
    lines.append(_line("owed", owed, "points", Drill("owed", asked), programme))
    total = sum(by_age.values()) + owed
    return Report(
        "lots",
        asked,
        ctx.clock(),
        ("points", "worth"),
        tuple(lines),
        (Figure(total, "points"), Figure(_worth(programme, total), "money")),
        "bars",
        notes=(*_notes(asked), "open_shift") if hidden else _notes(asked),
    )


def tier_changes(conn: Connection, asked: ReportFilter) -> list[tuple[int, int]]:
    """(sequence number, +1 up or -1 down) of the events of a period that changed a standing tier.

    A void that takes an upgrade back is a step down: what was given and taken leaves nothing.
    """
    found: list[tuple[int, int]] = []
    events = report_sums_standing.tier_events(conn, where_of(conn, asked))
    for member_id, group in groupby(events, key=lambda event: event[0]):
        wanted = {seq for _, seq in group}
        state = EMPTY
        for entry in report_sums_standing.tier_entries(conn, member_id):
            before = state.standing
            state = fold(state, [cached_fold.entry_of(entry)])
            step = _rank(state.standing) - _rank(before)
            if entry.seq in wanted and step:
                found.append((entry.seq, 1 if step > 0 else -1))
    return sorted(found, reverse=True)


def tiers_end_between(today: BusinessDate) -> tuple[int, int]:
    """The dates until which a tier that ends soon is kept."""
    return int(today), int(today.plus(EXPIRING_DAYS))


def _rank(standing: TierChange | None) -> int:
    """The rank of what stands; whoever never rose has the lowest, 0."""
    return standing.rank if standing else 0


def _moved_in(conn: Connection, asked: ReportFilter) -> report_sums_points.Moved:
    return report_sums_points.moved(conn, where_of(conn, asked))


def _one(measure: str, value: int, drill: Drill) -> Line:
    return Line("measure", measure, (Figure(value, "count", drill),))


def _line(measure: str, value: int, unit: Unit, drill: Drill | None, programme: Programme) -> Line:
    figure = Figure(value, unit, drill)
    return Line("measure", measure, (figure, Figure(_worth(programme, value), "money")))


def _worth(programme: Programme, points_: int) -> int | None:
    """What points are worth as a tender, None where the programme has no redemption."""
    rules = programme.redemption
    if rules is None:
        return None
    return value_of(rules, points_) if points_ >= 0 else -value_of(rules, -points_)
