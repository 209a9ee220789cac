"""Reports: opening one over 50,000 documents on the report lane, and pages of PDF a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, get_args

from app.context import Context
from app.documents.report import PARTS_SHOWN, Drill, ReportCode, ReportFilter
from app.documents.report_words import sheet_of
from app.domain.business_day import BusinessDate
from app.queries.reports.parts import parts
from app.usecases.export_report import naming_of
from app.usecases.read_report import report_of
from db.connection import Connection
from db.engine import Reader
from printing.report_pdf import report_pdf
from tests.bench.copies import till_of
from tests.bench.figures import Figure

DOCUMENTS = 50_000
OPENINGS = 5
PAGES = 60
CODES: Final[tuple[ReportCode, ...]] = get_args(ReportCode)
STANDING: Final[tuple[ReportCode, ...]] = ("points", "lots", "members")
LIMIT_S: Final = 1
LIMIT_PAGES: Final = 30


def figures(copy: Path) -> list[Figure]:
    """The slowest report and the slowest list behind a figure, by the medians of their openings; PDF pages.
    `copy` is a working copy."""
    with till_of(copy) as till:
        ctx = till.context
        asked, count = span(ctx)
        slowest = max((_median_s(ctx, code, asked), code) for code in CODES)
        found = list(drills(ctx, asked))
        list_s = max(_opening_s(ctx, drill) for drill in found)
        pages, took = _pdf(ctx, asked)
    return [
        Figure(
            f"report over {count} documents", slowest[0], "s", LIMIT_S, "lower",
            OPENINGS * len(CODES),
        ),
        Figure(
            "events behind a figure of standing reports", list_s, "s", LIMIT_S, "lower",
            OPENINGS * len(found),
        ),
        Figure("report PDF pages", pages / took, "/s", LIMIT_PAGES, "higher", pages),
    ]  # fmt: skip


def drills(ctx: Context, asked: ReportFilter) -> Iterator[Drill]:
    """What the figures of the reports that read kept sums open into."""
    for code in STANDING:
        with ctx.read(Reader.REPORT) as conn:
            report = report_of(ctx, conn, code, asked)
        for line in report.lines:
            yield from (figure.drill for figure in line.figures if figure.drill is not None)


def open_reports(ctx: Context, asked: ReportFilter) -> None:
    """Each report once, as somebody opens one after the other."""
    for code in CODES:
        with ctx.read(Reader.REPORT) as conn:
            report_of(ctx, conn, code, asked)


def span(ctx: Context) -> tuple[ReportFilter, int]:
    """The newest business dates that hold so many documents, or all there are."""
    with ctx.read(Reader.REPORT) as conn:
        found = conn.execute(
            "SELECT min(business_date), max(business_date), count(*) FROM"
            " (SELECT business_date FROM document ORDER BY seq DESC LIMIT ?)",
            (DOCUMENTS,),
        ).fetchone()
    first, last, count = found
    return ReportFilter(BusinessDate(first), BusinessDate(last)), count


def _median_s(ctx: Context, code: ReportCode, asked: ReportFilter) -> float:
    return _median(ctx, lambda conn: report_of(ctx, conn, code, asked))


def _opening_s(ctx: Context, drill: Drill) -> float:
    return _median(ctx, lambda conn: parts(ctx, conn, drill, limit=PARTS_SHOWN, names=True))


def _median(ctx: Context, read: Callable[[Connection], object]) -> float:
    took = []
    for _ in range(OPENINGS):
        began = time.perf_counter()
        with ctx.read(Reader.REPORT) as conn:
            read(conn)
        took.append(time.perf_counter() - began)
    return sorted(took)[len(took) // 2]


def _pdf(ctx: Context, asked: ReportFilter) -> tuple[int, float]:
    """(pages, seconds) of one document of so many pages, fonts already read."""
    with ctx.read(Reader.REPORT) as conn:
        naming = naming_of(ctx, conn, asked, "zh_CN")
        sheet = sheet_of(report_of(ctx, conn, "day", asked), naming)
    page = replace(sheet, rows=sheet.rows[:30])
    report_pdf([page], title="warm")
    began = time.perf_counter()
    report_pdf([page] * PAGES, title="bench")
    return PAGES, time.perf_counter() - began
