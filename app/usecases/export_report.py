"""Reports out of the house: A4 PDF, spreadsheet, CSV, the receipt printer. Every export is an event.

The event is recorded before anything is written, so nothing leaves without a trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone
from pathlib import Path
from typing import Final, Literal

from app.context import Changes, Context, Session
from app.documents.report import Report, ReportCode, ReportFilter
from app.documents.report_files import csv_bytes, report_slip, xlsx_bytes
from app.documents.report_words import Naming, sheet_of
from app.domain.business_day import BusinessDate
from app.domain.rights import Right
from app.formats import Formats
from app.queries.readers import require_look
from app.slips import money_sign, shop_of
from app.usecases.done import Done
from app.usecases.read_report import report_of
from app.usecases.take_out import record_taken_out, reports_folder, write_new
from db import report_sums, staff_rows
from db.connection import Connection
from db.engine import Reader
from printing.document import to_json
from printing.report import ReportSheet

Form = Literal["pdf", "xlsx", "csv", "print"]
DAILY: Final[tuple[ReportCode, ...]] = ("overview", "tender", "category", "cashier")
"""What is printed or saved after a close where the settings name nothing else."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """Take reports out. `language` is that of the words."""

    command_id: bytes
    session: Session
    codes: tuple[ReportCode, ...]
    filter: ReportFilter
    form: Form
    language: str


@dataclass(frozen=True, slots=True)
class Exported:
    """Where it lies; None for paper. `rows` is how many lines it has."""

    path: Path | None
    rows: int


@dataclass(frozen=True, slots=True)
class Made:
    """Reports as they were read, for an export that isn't recorded yet; `session` None: nobody asked."""

    command: ExportReport
    session: Session | None
    pages: tuple[tuple[Report, ReportSheet], ...]

    @property
    def rows(self) -> int:
        return sum(len(report.lines) for report, _ in self.pages)


@dataclass(frozen=True, slots=True)
class Taken:
    """An export that is recorded. `mark` stands on every page, `part` in the name of its file."""

    made: Made
    mark: str
    part: tuple[str, ...]


def export_report(ctx: Context, command: ExportReport) -> Done[Exported]:
    """Read, record, then write, one after the other. Raises Refused(NOT_ALLOWED), Unavailable(FILE_FAILED)."""
    exported = save_taken(ctx, record_taken(ctx, read_export(ctx, command)))
    changes = Changes(kinds=frozenset({"print"} if command.form == "print" else ()))
    return Done(exported, changes, warning=ctx.warning())


def read_export(ctx: Context, command: ExportReport) -> Made:
    """What a person takes out, read (report lane); `record_taken` and `save_taken` follow. Raises
    Refused(NOT_ALLOWED)."""
    with ctx.read(Reader.REPORT) as conn:
        require_look(conn, command.session, Right.REPORTS)
        made = _read(ctx, conn, command.codes, command.filter, command.language)
    return Made(command, command.session, tuple(made))


def read_after_close(ctx: Context, on: BusinessDate, command_id: bytes) -> Made | None:
    """After the Z of a date: what the settings ask to be printed or saved, read; None for nothing.

    Nobody need be signed in. `record_taken` and `save_taken` follow; the Z stands whatever happens.
    """
    chosen = ctx.settings.reports
    if chosen.after_close == "none":
        return None
    wanted = tuple(code for code in DAILY if code in chosen.which.split(",")) or DAILY
    asked = ReportFilter(on, on)
    form: Form = chosen.after_close
    command = ExportReport(
        command_id, Session(bytes(16), None), wanted, asked, form, ctx.settings.language
    )
    with ctx.read(Reader.REPORT) as conn:
        made = _read(ctx, conn, wanted, asked, command.language)
    return Made(command, None, tuple(made))


def naming_of(ctx: Context, conn: Connection, asked: ReportFilter, language: str) -> Naming:
    """What the words of a report need of the shop."""
    sign = money_sign(ctx.till.currency.code, ctx.till.currency.exponent)
    zone = timezone(timedelta(minutes=ctx.offset_min()))
    levels = ctx.programme_on(conn, asked.last).tiers.levels
    tiers = {level.code: (level.name_zh, level.name_en) for level in levels}
    staff = staff_rows.staff_by_id(conn, asked.staff_id) if asked.staff_id else None
    tier = next((level for level in levels if level.rank == asked.tier_rank), None)
    return Naming(
        formats=Formats(ctx.words(language), sign, zone),
        shop=_shop_name(ctx, language),
        till=asked.till or _only_till(ctx, conn),
        tiers=tiers,
        staff=staff.name if staff else "",
        tier="" if tier is None else tiers[tier.code][language != "zh_CN"],
        today=ctx.business_date(),
    )


def _shop_name(ctx: Context, language: str) -> str:
    names = ctx.settings.shop
    own = (names.name_en, names.name) if language == "en" else (names.name, names.name_en)
    return next(filter(None, own), ctx.till.store)


def _only_till(ctx: Context, conn: Connection) -> str:
    """This till's number; "" where the store has documents of others too."""
    return ctx.till.till if len(report_sums.tills(conn)) < 2 else ""


def _read(
    ctx: Context,
    conn: Connection,
    codes: Sequence[ReportCode],
    asked: ReportFilter,
    language: str,
) -> list[tuple[Report, ReportSheet]]:
    naming = naming_of(ctx, conn, asked, language)
    reports = [report_of(ctx, conn, code, asked) for code in codes]
    return [(report, sheet_of(report, naming)) for report in reports]


def record_taken(ctx: Context, made: Made) -> Taken:
    """The event of an export, and its slip where it goes onto paper (db lane)."""
    command, session = made.command, made.session
    with ctx.write(command.command_id) as tx:
        if tx.known is None:
            event = record_taken_out(
                tx, session, "report", command.form, made.rows, reports=list(command.codes)
            )
            if command.form == "print":
                shop = shop_of(ctx, tx.conn, event.offset_min)
                slip = report_slip(shop, [sheet for _, sheet in made.pages])
                tx.print(event, "report", to_json(slip).decode())
        mark = shop_of(ctx, tx.conn, ctx.offset_min()).mark
        return Taken(made, mark, _part(ctx, tx.conn, command.filter))


def save_taken(ctx: Context, taken: Taken) -> Exported:
    """The file of an export, None for paper (any lane). Raises Unavailable(FILE_FAILED)."""
    made = taken.made
    path = None
    if made.command.form != "print":
        path = _save(ctx, made.command, made.pages, taken.part, mark=taken.mark)
    return Exported(path, made.rows)


def _save(
    ctx: Context,
    command: ExportReport,
    made: Sequence[tuple[Report, ReportSheet]],
    part: Sequence[str],
    *,
    mark: str,
) -> Path:
    exponent = ctx.till.currency.exponent
    name = command.codes[0] if len(command.codes) == 1 else "reports"
    asked = command.filter
    span = asked.first.iso() if asked.days == 1 else f"{asked.first.iso()}-{asked.last.iso()}"
    if command.form == "pdf":
        from printing.report_pdf import report_pdf

        sheets = [sheet for _, sheet in made]
        content = report_pdf(sheets, title=f"{name} {span}", mark=mark)
    else:
        write = csv_bytes if command.form == "csv" else xlsx_bytes
        content = write(made, exponent, mark=mark)
    # Several tills may share the folder, and a part of the figures is no second edition of the whole.
    stem = "-".join((name, ctx.till.till, span, *part))
    return write_new(reports_folder(ctx) / f"{stem}.{command.form}", content)


def _part(ctx: Context, conn: Connection, asked: ReportFilter) -> tuple[str, ...]:
    """What a filter leaves, for the name of a file; nothing where it leaves everything."""
    found = [f"till-{asked.till}"] if asked.till else []
    if asked.staff_id is not None:
        found.append(f"by-{ctx.initials(conn, asked.staff_id)}")
    if asked.tier_rank is not None:
        levels = ctx.programme_on(conn, asked.last).tiers.levels
        codes = (level.code for level in levels if level.rank == asked.tier_rank)
        found.append(f"tier-{next(codes, 'none')}")
    if asked.against:
        found.append(f"against-{asked.against}")
    return tuple(found)
