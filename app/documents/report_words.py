"""A report's numbers in words: heads, lines, units, the period, and the chart, for screen, paper and files.

The same sheet is painted in the window, drawn into the PDF and printed by the receipt printer, so they say the
same. Nothing is worked out here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.documents.report import Figure, Line, Report, ReportFilter
from app.domain.business_day import BusinessDate
from app.formats import Formats, number
from app.i18n import Words, mark
from printing.report import BARS_MOST, ChartData, ReportSheet

TITLES: Final = {
    "overview": mark("Overview"),
    "day": mark("By day"),
    "shift": mark("By shift"),
    "cashier": mark("By person"),
    "tier": mark("By tier"),
    "tender": mark("Tenders"),
    "category": mark("Goods"),
    "tax": mark("Tax"),
    "hours": mark("Weekday and hour"),
    "members": mark("Members"),
    "points": mark("Points"),
    "lots": mark("Points by age"),
    "undone": mark("Returns and voids"),
    "reasons": mark("Reasons of returns and voids"),
}
MEASURES: Final = {
    "takings": mark("Takings"),
    "sales": mark("Sales"),
    "gross": mark("Before discounts"),
    "discount": mark("Discounts"),
    "points_value": mark("Paid with points"),
    "sold": mark("Sold"),
    "refunded": mark("Refunded"),
    "returns": mark("Returns"),
    "voids": mark("Voids"),
    "voided": mark("Voided"),
    "enrolled": mark("New members"),
    "active": mark("Members who bought"),
    "upgrades": mark("Tier upgrades"),
    "downgrades": mark("Tier downgrades"),
    "tier_expiring": mark("Tiers that end within 30 days"),
    "member_sales": mark("Sales to members"),
    "redeemed_sales": mark("Sales with points used"),
    "member_share": mark("Share of sales to members"),
    "redeemed_share": mark("Share of sales with points used"),
    "points_share": mark("Share paid with points"),
    "issued": mark("Points issued"),
    "redeemed": mark("Points redeemed"),
    "expired": mark("Points expired"),
    "points_change": mark("Change of points"),
    "outstanding": mark("Points outstanding"),
    "breakage_rate": mark("Share that expires unused"),
    "breakage": mark("Probably never used"),
    "owed": mark("Owed by members"),
    "points_expiring": mark("Points that expire within 30 days"),
    "tender_in": mark("Taken"),
    "tender_out": mark("Given back"),
    "tender_net": mark("Net"),
    "goods_units": mark("Pieces"),
    "goods_sold": mark("Sold"),
    "goods_returned": mark("Returned"),
    "goods_net": mark("Net"),
    "tax_net": mark("Without tax"),
    "tax": mark("Tax"),
    "members": mark("Members"),
    "points": mark("Points"),
    "worth": mark("Worth"),
    "now": mark("This period"),
    "week_before": mark("Week before"),
    "year_before": mark("Year before"),
}
LINES: Final = {
    "date": mark("Day"),
    "shift": mark("Shift"),
    "staff": mark("Person"),
    "tier": mark("Tier"),
    "tender": mark("Tender"),
    "category": mark("Goods"),
    "tax": mark("Rate"),
    "weekday": mark("Weekday"),
    "measure": mark("Figure"),
    "reason": mark("Reason"),
    "lot_age": mark("Age"),
}
_TENDERS: Final = {"cash": mark("Cash"), "qr": mark("QR wallet"), "card": mark("Bank card")}
_WEEKDAYS: Final = (
    mark("Monday"), mark("Tuesday"), mark("Wednesday"), mark("Thursday"), mark("Friday"),
    mark("Saturday"), mark("Sunday"),
)  # fmt: skip
_AGES: Final = {
    "30": mark("Up to 30 days"),
    "90": mark("31 to 90 days"),
    "180": mark("91 to 180 days"),
    "365": mark("181 to 365 days"),
    "older": mark("Older than a year"),
    "lapsed": mark("Lapsed, not booked yet"),
}
_REASONS: Final = {
    "changed_mind": mark("Customer changed their mind"),
    "faulty": mark("Faulty goods"),
    "wrong_item": mark("Wrong item or amount"),
    "wrong_member": mark("Wrong member"),
    "test": mark("Entered by mistake"),
    "other": mark("Other reason"),
}
_NOTES: Final = {
    "open_shift": mark(
        "The money of the open shift and the points for it are shown after its cash count."
    ),
    "not_narrowed": mark(
        "What stands now is everybody's: person, tier and till narrow only what happened."
    ),
}


@dataclass(frozen=True, slots=True)
class Naming:
    """What turns keys into names: the shop's formats, its own name, the till ("" where a report is of several),
    tiers by code as (zh, en), who filters name, and today."""

    formats: Formats
    shop: str
    till: str
    tiers: Mapping[str, tuple[str, str]]
    staff: str
    tier: str
    today: BusinessDate


def sheet_of(report: Report, naming: Naming) -> ReportSheet:
    """The report in words."""
    words = naming.formats.words
    first = report.lines[0].kind if report.lines else "measure"
    heads = (words.say(LINES[first]), *(head(words, code) for code in report.columns))
    rows = tuple(
        (line_label(line, naming), *(cell(figure, naming.formats) for figure in line.figures))
        for line in report.lines
    )
    total = (words.say("Total"), *(cell(f, naming.formats) for f in report.total))
    return ReportSheet(
        title=words.say(TITLES[report.code]),
        shop=naming.shop,
        period=period(report.filter, words),
        filters=_filters(report, naming),
        heads=heads,
        rows=rows,
        total=total if report.total else (),
        notes=tuple(words.say(_NOTES[note]) for note in report.notes),
        chart=_chart(report, rows, naming) if report.lines else None,
        made=words.say(
            "Made {moment}",
            moment=f"{report.made_at.astimezone(naming.formats.zone):%Y-%m-%d %H:%M}",
        ),
        empty=words.say("Nothing in this period. Choose a longer one, or take a filter away."),
    )


def head(words: Words, code: str) -> str:
    """The head of a column."""
    if code.startswith("h") and code[1:].isdigit():
        return f"{int(code[1:]):02d}"
    return words.say(MEASURES[code])


def cell(figure: Figure, formats: Formats) -> str:
    """A figure as people read it; "" where there is none, a dash for a share of nothing."""
    value = figure.value
    if figure.withheld:
        return formats.words.say("after the count")
    if value is None:
        return "–" if figure.unit == "share" else ""
    match figure.unit:
        case "money":
            return formats.money(value)
        case "points":
            return number(value)
        case "share":
            return f"{value // 100}.{value % 100:02d}%"
    return number(value)


def period(asked: ReportFilter, words: Words) -> str:
    """`2026-11-21`, or from one date to another."""
    if asked.first == asked.last:
        return asked.first.iso()
    return words.say("{first} to {last}", first=asked.first.iso(), last=asked.last.iso())


def line_label(line: Line, naming: Naming) -> str:
    """What a line is about."""
    words, key = naming.formats.words, line.key
    match line.kind:
        case "date" if isinstance(key, int):
            day = BusinessDate(key)
            return f"{day.iso()} {words.say(_WEEKDAYS[day.weekday - 1])}"
        case "weekday" if isinstance(key, int):
            return words.say(_WEEKDAYS[key - 1])
        case "shift":
            if line.at is None:
                return words.say("No shift")
            return f"{line.at.astimezone(naming.formats.zone):%m-%d %H:%M} {line.name}"
        case "staff":
            return line.name or words.say("Nobody")
        case "tier":
            if not line.name:
                return words.say("Without a member")
            zh, en = naming.tiers.get(line.name, (line.name, line.name))
            return zh if words.language == "zh_CN" else en
        case "category":
            return str(key) if key else words.say("Amount entered")
        case "tax":
            return _rate(str(key), words)
    known = {"tender": _TENDERS, "lot_age": _AGES, "reason": _REASONS, "measure": MEASURES}
    message = known[line.kind].get(str(key))
    return words.say(message) if message else str(key or words.say("Nobody"))


def _rate(key: str, words: Words) -> str:
    rate, kind = key.split(":")
    percent = (
        f"{int(rate) // 100}%"
        if int(rate) % 100 == 0
        else f"{int(rate) // 100}.{int(rate) % 100:02d}%"
    )
    if kind == "in":
        return words.say("{percent} included", percent=percent)
    return words.say("{percent} added", percent=percent)


def _filters(report: Report, naming: Naming) -> tuple[str, ...]:
    words = naming.formats.words
    found = [words.say("Till {till}", till=naming.till) if naming.till else words.say("All tills")]
    if report.filter.staff_id is not None:
        found.append(words.say("Person: {name}", name=naming.staff))
    if report.filter.tier_rank is not None:
        name = naming.tier or words.say("Without a member")
        found.append(words.say("Tier: {name}", name=name))
    earlier = report.filter.earlier()
    if earlier is not None and len(report.columns) and report.filter.against in report.columns:
        against = head(words, report.filter.against)
        found.append(f"{against}: {period(earlier, words)}")
    return tuple(found)


def _chart(report: Report, rows: tuple[tuple[str, ...], ...], naming: Naming) -> ChartData | None:
    words = naming.formats.words
    if not report.chart:
        return None
    if report.chart == "heat":
        return ChartData(
            "heat",
            words.say("Sales by weekday and hour"),
            tuple(row[0] for row in rows),
            tuple(figure.value or 0 for line in report.lines for figure in line.figures),
            tuple(text for row in rows for text in row[1:]),
            columns=tuple(head(words, code) for code in report.columns),
        )
    at = report.charted
    return ChartData(
        report.chart,
        head(words, report.columns[at]),
        tuple(_short(line, row[0]) for line, row in zip(report.lines, rows, strict=True)),
        tuple(line.figures[at].value or 0 for line in report.lines),
        tuple(row[1 + at] for row in rows),
        report.before,
        head(words, report.filter.against) if report.before else "",
        tuple(row[-1] for row in rows) if report.before else (),
        more=_more(report, words),
    )


def _more(report: Report, words: Words) -> str:
    if report.chart != "bars" or len(report.lines) <= BARS_MOST:
        return ""
    count = number(len(report.lines))
    return words.say("The first {shown} of {count}", shown=number(BARS_MOST), count=count)


def _short(line: Line, label: str) -> str:
    """A label as it fits under a bar."""
    if line.kind == "date" and isinstance(line.key, int):
        return BusinessDate(line.key).iso()[5:]
    return label
