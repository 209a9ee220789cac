"""The journal out of the house, as CSV or a spreadsheet: by the viewer's filters, and recorded as an event."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone
from pathlib import Path
from typing import Final, Literal

from app.context import Changes, Context, Session
from app.documents.audit_words import kind_name
from app.documents.event_fields import detail_words
from app.documents.report_files import safe_cell
from app.domain.rights import Right
from app.formats import Formats, plain_amount
from app.i18n import mark
from app.queries.audit import AuditFilter, AuditLine, all_lines, within_reach
from app.queries.readers import require_look
from app.slips import money_sign, shop_of
from app.usecases.done import Done
from app.usecases.take_out import record_taken_out, reports_folder, write_new
from db.engine import Reader

ROWS_MOST: Final = 100_000
HEADS: Final = (
    mark("No."), mark("Time"), mark("Kind"), mark("By"), mark("Agreed by"), mark("Member"),
    mark("Receipt"), mark("Detail"), mark("Amount"), mark("Points"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExportAudit:
    """Take the events of a filter out. `language` is that of the words."""

    command_id: bytes
    session: Session
    filter: AuditFilter
    form: Literal["csv", "xlsx"]
    language: str


@dataclass(frozen=True, slots=True)
class AuditRead:
    """The events of a filter as cells, for an export that isn't recorded yet."""

    command: ExportAudit
    cells: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class AuditTaken:
    """An export that is recorded as event `seq`. `mark` stands above the heads."""

    read: AuditRead
    seq: int
    mark: str


def export_audit(ctx: Context, command: ExportAudit) -> Done[Path]:
    """Read, record, then write, one after the other. Raises Refused(NOT_ALLOWED), Unavailable(FILE_FAILED)."""
    path = save_audit(ctx, record_audit(ctx, read_audit(ctx, command)))
    return Done(path, Changes(), warning=ctx.warning())


def read_audit(ctx: Context, command: ExportAudit) -> AuditRead:
    """The events, up to ROWS_MOST (report lane: it may take long). Raises Refused(NOT_ALLOWED)."""
    words = ctx.words(command.language)
    zone = timezone(timedelta(minutes=ctx.offset_min()))
    formats = Formats(words, money_sign(ctx.till.currency.code, ctx.till.currency.exponent), zone)
    with ctx.read(Reader.REPORT) as conn:
        role = require_look(conn, command.session, Right.AUDIT)
        asked = within_reach(ctx, conn, role, command.filter)
        found = all_lines(conn, role, asked, most=ROWS_MOST)
        return AuditRead(command, tuple(_cells(formats, line) for line in found))


def record_audit(ctx: Context, read: AuditRead) -> AuditTaken:
    """The event of the export, before anything leaves (db lane)."""
    command = read.command
    with ctx.write(command.command_id) as tx:
        if tx.known is None:
            record_taken_out(
                tx, command.session, "audit", command.form, len(read.cells),
                member_id=command.filter.member_id,
            )  # fmt: skip
        assert tx.event is not None, "recorded now or before"
        return AuditTaken(read, tx.event.seq, shop_of(ctx, tx.conn, ctx.offset_min()).mark)


def save_audit(ctx: Context, taken: AuditTaken) -> Path:
    """Write the file (report lane). Raises Unavailable(FILE_FAILED)."""
    command, words = taken.read.command, ctx.words(taken.read.command.language)
    top = [(taken.mark,)] if taken.mark else []
    table = [*top, tuple(words.say(head) for head in HEADS), *taken.read.cells]
    content = (_csv if command.form == "csv" else _xlsx)(table)
    path = reports_folder(ctx) / f"audit-{ctx.till.till}-{taken.seq}.{command.form}"
    return write_new(path, content)


def _cells(formats: Formats, line: AuditLine) -> tuple[str, ...]:
    total = line.total_minor
    return (
        str(line.seq),
        line.at.astimezone(formats.zone).isoformat(timespec="seconds"),
        kind_name(formats.words, line.kind),
        line.staff.initials if line.staff else "",
        line.approver.initials if line.approver else "",
        line.member,
        line.receipt_no,
        detail_words(formats, line.kind, line.details),
        "" if total is None else plain_amount(total, formats.sign.exponent),
        str(line.points) if line.points else "",
    )


_FIGURES: Final = frozenset({0, 8, 9})
"""Columns that we write ourselves as numbers; every other one is made safe."""


def _csv(table: Sequence[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    for row in table:
        out.writerow(c if n in _FIGURES else safe_cell(c) for n, c in enumerate(row))
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def _xlsx(table: Sequence[Sequence[str]]) -> bytes:
    import xlsxwriter  # only when somebody exports: it costs 30 ms

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet()
    for at, row in enumerate(table):
        for column, cell in enumerate(row):
            sheet.write_string(at, column, cell)
    book.close()
    return buffer.getvalue()
