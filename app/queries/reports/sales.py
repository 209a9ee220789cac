"""Reports whose lines are the keys of one group: days, shifts, people, tenders, goods, tax, hours, reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.context import Context
from app.documents.report import (
    ChartKind,
    Drill,
    Figure,
    Key,
    Line,
    Report,
    ReportCode,
    ReportFilter,
    Unit,
)
from app.domain.business_day import BusinessDate
from app.protocol.events import instant_of
from db import report_sums, staff_rows, till
from db.connection import Connection

_MONEY: Final = ("sales", "gross", "discount", "points_value", "sold", "refunded", "takings")
_UNDONE: Final = ("returns", "refunded", "voids", "voided")
COUNTS: Final = frozenset(
    {"sales", "member_sales", "redeemed_sales", "returns", "voids", "enrolled", "goods_units"}
)
POINTS: Final = frozenset({"issued", "redeemed", "expired", "points_change"})


@dataclass(frozen=True, slots=True)
class _Grouped:
    """A report's group, the kind of its lines, its measures, and what is drawn."""

    group: str
    kind: str
    measures: tuple[str, ...]
    chart: ChartKind
    charted: str
    by_size: bool = False


GROUPED: Final[Mapping[ReportCode, _Grouped]] = {
    "day": _Grouped("date", "date", _MONEY, "lines", "takings"),
    "shift": _Grouped("shift", "shift", _MONEY, "bars", "takings"),
    "cashier": _Grouped("staff", "staff", (*_MONEY, "voids"), "bars", "takings", True),
    "tier": _Grouped("tier", "tier", _MONEY, "bars", "takings"),
    "tender": _Grouped(
        "share", "tender", ("tender_in", "tender_out", "tender_net"), "bars", "tender_net", True
    ),
    "category": _Grouped(
        "share", "category", ("goods_units", "goods_sold", "goods_returned", "goods_net"),
        "bars", "goods_net", True,
    ),
    "tax": _Grouped("share", "tax", ("tax_net", "tax"), "bars", "tax"),
    "undone": _Grouped("staff", "staff", _UNDONE, "bars", "refunded", True),
    "reasons": _Grouped("reason", "reason", _UNDONE, "bars", "refunded", True),
}  # fmt: skip


def unit_of(measure: str) -> Unit:
    """What a measure counts."""
    if measure in COUNTS:
        return "count"
    return "points" if measure in POINTS else "money"


def where_of(conn: Connection, asked: ReportFilter) -> report_sums.Where:
    """The rows of a filter. The money of a shift whose cash isn't counted yet, and the points for it, are
    nobody's to know: where only cash is taken, takings are the cash (counter-flows.md section 5)."""
    return report_sums.Where(
        int(asked.first), int(asked.last), asked.staff_id, asked.tier_rank, uncounted_shift(conn),
        asked.till,
    )  # fmt: skip


def uncounted_shift(conn: Connection) -> bytes | None:
    """The open shift, while its cash has not been counted."""
    shift = till.open_shift(conn)
    return shift.id if shift is not None and shift.counted_seq is None else None


def grouped(ctx: Context, conn: Connection, code: ReportCode, asked: ReportFilter) -> Report:
    """A report of GROUPED."""
    spec = GROUPED[code]
    where = where_of(conn, asked)
    of_shares = spec.group == "share"  # Those of the shift that isn't told are left out whole.
    measures = spec.measures if of_shares else (*spec.measures, report_sums.WITHHELD)
    sums = {
        key: values
        for key, values in report_sums.sums(conn, where, spec.group, measures)
        if any(values[: len(spec.measures)])
    }
    before = _before(conn, spec, asked)
    keys = list(sums) if before is None else _both(sums, before.values)
    if code == "tax" and all(str(key).startswith("0:") for key in keys):
        keys = []  # The shop has no tax: nothing is shown of it.
    charted = spec.measures.index(spec.charted)
    nothing = (0,) * len(measures)
    found = [(key, sums.get(key, nothing)) for key in keys]
    if spec.by_size:
        found.sort(key=lambda line: -line[1][charted])
    lines = [_line(ctx, conn, spec, key, values, asked) for key, values in found]
    total = totals(spec.measures, [values for _, values in found], asked)
    columns = spec.measures
    if before is not None:
        columns = (*columns, asked.against)
        lines = [replace(line, figures=(*line.figures, before.figure(line.key))) for line in lines]
        total = (*total, before.total()) if total else ()
    notes = ("open_shift",) if _reaches(conn, asked, where) else ()
    return Report(
        code,
        asked,
        ctx.clock(),
        columns,
        tuple(lines),
        total,
        spec.chart,
        charted,
        tuple(line.figures[-1].value or 0 for line in lines) if before is not None else (),
        notes,
    )


def totals(
    measures: Sequence[str], lines: Sequence[tuple[int, ...]], asked: ReportFilter
) -> tuple[Figure, ...]:
    """The sums of the columns, each with the way to all its events; none where there is no line."""
    if not lines:
        return ()
    added = [sum(values) for values in zip(*lines, strict=True)]
    return figures(measures, added, [Drill(measure, asked) for measure in measures])


def figures(
    measures: Sequence[str], values: Sequence[int], drills: Sequence[Drill]
) -> tuple[Figure, ...]:
    """The figures of a line. `values` may have one more than there are measures, WITHHELD's: then a sum of
    money or points that is nothing is not known yet; one that is something is that of the other shifts."""
    hides = len(values) > len(measures) and values[-1] > 0
    return tuple(
        Figure(None, unit_of(measure), None, withheld=True)
        if hides and not value and measure in report_sums.TELLING
        else Figure(value, unit_of(measure), drill)
        for measure, value, drill in zip(measures, values, drills, strict=False)
    )


def _line(
    ctx: Context,
    conn: Connection,
    spec: _Grouped,
    key: Key,
    values: tuple[int, ...],
    asked: ReportFilter,
) -> Line:
    drills = [Drill(measure, asked, spec.group, key) for measure in spec.measures]
    figures_ = figures(spec.measures, values, drills)
    if spec.kind == "staff" and isinstance(key, bytes):
        staff = staff_rows.staff_by_id(conn, key)
        return Line("staff", key, figures_, staff.name if staff else "")
    if spec.kind == "shift" and isinstance(key, bytes):
        shift = till.shift(conn, key)
        if shift is not None:
            name = ctx.initials(conn, shift.staff_id)
            return Line("shift", key, figures_, name, instant_of(shift.opened_us))
    if spec.kind == "tier":
        levels = ctx.programme_on(conn, asked.last).tiers.levels
        code = next((level.code for level in levels if level.rank == key), "")
        return Line("tier", key, figures_, code)
    return Line(spec.kind, key, figures_)


@dataclass(frozen=True, slots=True)
class _Before:
    """The charted measure in an earlier period, by the keys of now: a date is so many `days` later."""

    measure: str
    group: str
    filter: ReportFilter
    values: Mapping[Key, int]
    days: int

    def figure(self, key: Key) -> Figure:
        """What it was for a key of now."""
        of = BusinessDate(key - self.days) if isinstance(key, int) and self.days else key
        drill = Drill(self.measure, self.filter, self.group, of)
        return Figure(self.values.get(key, 0), unit_of(self.measure), drill)

    def total(self) -> Figure:
        """What it was in all."""
        value = sum(self.values.values())
        return Figure(value, unit_of(self.measure), Drill(self.measure, self.filter))


def _before(conn: Connection, spec: _Grouped, asked: ReportFilter) -> _Before | None:
    """None without a comparison; a shift has nothing to be compared with."""
    earlier = asked.earlier()
    if earlier is None or spec.group == "shift":
        return None
    found = report_sums.sums(conn, where_of(conn, earlier), spec.group, (spec.charted,))
    days = asked.first - earlier.first if spec.group == "date" else 0
    values: dict[Key, int] = {
        key + days if isinstance(key, int) and days else key: value
        for key, (value,) in found
        if value
    }
    return _Before(spec.charted, spec.group, earlier, values, days)


def _both(now: Mapping[Key, object], before: Mapping[Key, object]) -> list[Key]:
    """The keys of either period in their order; nobody and nothing first."""
    keys = now.keys() | before.keys()
    return sorted(keys, key=lambda key: (key is not None, 0 if key is None else key))


def _reaches(conn: Connection, asked: ReportFilter, where: report_sums.Where) -> bool:
    """Whether something was left out because a shift isn't counted yet."""
    if where.without_shift is None:
        return False
    shift = till.shift(conn, where.without_shift)
    return shift is not None and asked.first <= shift.business_date <= asked.last


def heat(ctx: Context, conn: Connection, asked: ReportFilter) -> Report:
    """Sales by weekday (lines, Monday first) and hour (columns "h9" …), from the first hour with one to the
    last."""
    found = dict(report_sums.sums(conn, where_of(conn, asked), "weekday_hour", ("sales",)))
    counts = {int(key): values[0] for key, values in found.items() if isinstance(key, int)}
    hours = sorted({key % 100 for key, count in counts.items() if count}) or [9]
    columns = range(hours[0], hours[-1] + 1)
    lines = [
        Line(
            "weekday",
            weekday,
            tuple(
                Figure(
                    counts.get(weekday * 100 + hour, 0),
                    "count",
                    Drill("sales", asked, "weekday_hour", weekday * 100 + hour),
                )
                for hour in columns
            ),
        )
        for weekday in range(1, 8)
    ]
    total = tuple(
        Figure(
            sum(counts.get(weekday * 100 + hour, 0) for weekday in range(1, 8)),
            "count",
            Drill("sales", asked, "hour", hour),
        )
        for hour in columns
    )
    names = tuple(f"h{hour}" for hour in columns)
    return Report("hours", asked, ctx.clock(), names, tuple(lines), total, "heat")


def overview(ctx: Context, conn: Connection, asked: ReportFilter) -> Report:
    """The period at a glance, beside the same weekdays a week and a year before."""
    hidden = report_sums.WITHHELD
    filters = (asked, asked.week_before(), asked.year_before())
    measures = (
        "takings", "sales", "gross", "discount", "points_value", "refunded", "voids", "enrolled",
        "member_sales", "redeemed_sales", "issued", "redeemed",
    )  # fmt: skip
    sums = []
    for each in filters:
        found = report_sums.sums(conn, where_of(conn, each), "all", (*measures, hidden))
        values = found[0][1] if found else (0,) * (len(measures) + 1)
        sums.append({m: v or 0 for m, v in zip((*measures, hidden), values, strict=True)})
    lines = [
        Line(
            "measure",
            measure,
            tuple(
                figures((measure,), (values[measure], values[hidden]), (Drill(measure, each),))[0]
                for values, each in zip(sums, filters, strict=True)
            ),
        )
        for measure in measures
    ]
    for name, part, whole in (
        ("member_share", "member_sales", "sales"),
        ("redeemed_share", "redeemed_sales", "sales"),
        ("points_share", "points_value", "gross"),
    ):
        lines.append(
            Line(
                "measure",
                name,
                tuple(
                    Figure(None, "share", None, withheld=True)
                    if whole in report_sums.TELLING and values[hidden] and not values[whole]
                    else Figure(share_bp(values[part], values[whole]), "share", Drill(part, each))
                    for values, each in zip(sums, filters, strict=True)
                ),
            )
        )
    notes = ("open_shift",) if sums[0][hidden] else ()
    return Report(
        "overview",
        asked,
        ctx.clock(),
        ("now", "week_before", "year_before"),
        tuple(lines),
        notes=notes,
    )


def share_bp(part: int, whole: int) -> int | None:
    """A share in basis points, rounded down; None of nothing."""
    return part * 10_000 // whole if whole > 0 else None
