"""Reports as spreadsheets, comma-separated text and slips, from the same sheet that is shown and drawn.

No cell can become a formula: text that begins like one is marked as text in CSV, a string in XLSX.
Money is written in the currency's major unit with its decimals, as a number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from app.documents.receipts import Shop
from app.documents.report import Figure, Report
from printing.document import Block, Cut, Doc, Feed, Pair, Rule, Text
from printing.report import ReportSheet

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_SHEET_NAME_MOST: Final = 31
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""In the file's properties: the same report gives the same bytes."""


def safe_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula (leading apostrophe, as they show it)."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text


def csv_bytes(
    pairs: Sequence[tuple[Report, ReportSheet]], exponent: int, *, mark: str = ""
) -> bytes:
    """The reports one below the other, UTF-8 with BOM so that spreadsheets read Chinese. `mark` ("DEMO",
    "TRAINING 练习") stands at the head of each."""
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    for report, sheet in pairs:
        if mark:
            out.writerow([mark])
        out.writerow([safe_cell(sheet.title), sheet.period, *map(safe_cell, sheet.filters)])
        out.writerow(safe_cell(head) for head in sheet.heads)
        for row, line in zip(sheet.rows, report.lines, strict=True):
            out.writerow([safe_cell(row[0]), *(_plain(f, exponent) for f in line.figures)])
        if sheet.total:
            out.writerow([safe_cell(sheet.total[0]), *(_plain(f, exponent) for f in report.total)])
        for note in sheet.notes:
            out.writerow([safe_cell(note)])
        out.writerow([])
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def xlsx_bytes(
    pairs: Sequence[tuple[Report, ReportSheet]], exponent: int, *, mark: str = ""
) -> bytes:
    """A workbook with one sheet a report; `mark` stands on each, above its figures."""
    import xlsxwriter  # only when somebody exports: it costs 30 ms

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"title": pairs[0][1].title, "created": _EPOCH})
    bold = book.add_format({"bold": True})
    decimals = f"0.{'0' * exponent}" if exponent else "0"
    shapes = {
        "money": book.add_format({"num_format": f"#,##{decimals}"}),
        "share": book.add_format({"num_format": "0.00%"}),
        "points": book.add_format({"num_format": "#,##0"}),
        "count": book.add_format({"num_format": "#,##0"}),
    }
    for report, sheet in pairs:
        page = book.add_worksheet(_sheet_name(sheet.title))
        page.write_string(0, 0, sheet.title, bold)
        page.write_string(1, 0, " · ".join((sheet.period, *sheet.filters)))
        page.write_string(2, 0, mark, bold)
        for column, head in enumerate(sheet.heads):
            page.write_string(3, column, head, bold)
        lines = [(row[0], line.figures) for row, line in zip(sheet.rows, report.lines, strict=True)]
        if sheet.total:
            lines.append((sheet.total[0], report.total))
        for at, (label, figures) in enumerate(lines, 4):
            page.write_string(at, 0, label)
            for column, figure in enumerate(figures, 1):
                if figure.value is not None:
                    value = _decimal(figure, exponent)
                    page.write_number(at, column, value, shapes[figure.unit])
        for at, note in enumerate(sheet.notes, 5 + len(lines)):
            page.write_string(at, 0, note)
        page.set_column(0, 0, 26)
        page.set_column(1, len(sheet.heads), 14)
        page.freeze_panes(4, 1)
    book.close()
    return buffer.getvalue()


def report_slip(shop: Shop, sheets: Sequence[ReportSheet]) -> Doc:
    """The reports for the receipt printer: one figure beside its label, several below it."""
    blocks: list[Block] = []
    if shop.mark:
        blocks.append(Text(shop.mark, "banner", "center", "shrink"))
    for sheet in sheets:
        blocks.append(Text(sheet.title, "title", "center", "shrink"))
        blocks.append(Text(" · ".join((sheet.shop, sheet.period)), "body", "center"))
        blocks += [Text(text, "body", "center") for text in sheet.filters]
        blocks.append(Rule("double"))
        if not sheet.rows:
            blocks.append(Text(sheet.empty))
        for row in sheet.rows:
            blocks += _lines(sheet, row)
        if sheet.total:
            blocks.append(Rule())
            blocks += _lines(sheet, sheet.total)
        blocks += [Text(note, "small") for note in sheet.notes]
        blocks.append(Rule())
    blocks.append(Text(sheets[0].made, "small"))
    blocks += [Feed(1), Cut()]
    return Doc("report", "", (shop.first.words.language,), tuple(blocks))


def _lines(sheet: ReportSheet, row: tuple[str, ...]) -> list[Block]:
    if len(row) == 2:
        return [Pair(row[0], row[1])]
    said = [(head, cell) for head, cell in zip(sheet.heads[1:], row[1:], strict=True) if cell]
    return [Text(row[0], "strong"), *(Pair(head, cell) for head, cell in said)]


def _plain(figure: Figure, exponent: int) -> str:
    return "" if figure.value is None else str(_decimal(figure, exponent))


def _decimal(figure: Figure, exponent: int) -> Decimal:
    """A figure as a spreadsheet counts: money in major units, a share as a part of one."""
    assert figure.value is not None
    places = {"money": exponent, "share": 4}.get(figure.unit, 0)
    return Decimal(figure.value).scaleb(-places)


def _sheet_name(title: str) -> str:
    return "".join(c for c in title if c not in "[]:*?/\\")[:_SHEET_NAME_MOST]
