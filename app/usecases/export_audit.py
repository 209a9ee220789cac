"""The journal out of the house, as CSV or a spreadsheet: by the viewer's filters, and recorded as an event."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone
from pathlib import Path
from typing import Final, Literal

from app import posting
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
from app.usecases.take_out import reports_folder, write_new
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


def export_audit(ctx: Context, command: ExportAudit) -> Done[Path]:
    """Read, record, then write. Raises Refused(NOT_ALLOWED), Unavailable(FILE_FAILED)."""
    with ctx.read(Reader.REPORT) as conn:
        role = require_look(conn, command.session, Right.AUDIT)
        asked = within_reach(ctx, conn, role, command.filter)
        lines = list(all_lines(conn, role, asked, most=ROWS_MOST))
    with ctx.write(command.command_id) as tx:
        if tx.known is None:
            tx.record(
                posting.EXPORT,
                event_id=ctx.ids(),
                session=command.session,
                business_date=ctx.business_date(),
                member_id=command.filter.member_id,
                doc={"what": "audit", "form": command.form, "rows": len(lines)},
            )
        assert tx.event is not None, "recorded now or before"
        seq = tx.event.seq
        mark = shop_of(ctx, tx.conn, ctx.offset_min()).mark
    words = ctx.words(command.language)
    table = [[mark]] if mark else []
    table.append([words.say(head) for head in HEADS])
    zone = timezone(timedelta(minutes=ctx.offset_min()))
    sign = money_sign(ctx.till.currency.code, ctx.till.currency.exponent)
    table += [_cells(Formats(words, sign, zone), line) for line in lines]
    content = (_csv if command.form == "csv" else _xlsx)(table)
    path = reports_folder(ctx) / f"audit-{ctx.till.till}-{seq}.{command.form}"
    return Done(write_new(path, content), Changes(), warning=ctx.warning())


def _cells(formats: Formats, line: AuditLine) -> list[str]:
    total = line.total_minor
    return [
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
    ]


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
