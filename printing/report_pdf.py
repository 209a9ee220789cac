"""Reports on A4: one after the other, each with its head, chart and table, over as many pages as it takes.

A wide table turns the page; how it lies is printing.report_table's.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from printing.charts import INK, MUTED, RULE, chart_height, draw
from printing.pdf import MM, open_canvas
from printing.report import ReportSheet
from printing.report_table import EDGE, SIZE, Table, table_of
from printing.writing import broken, width_of, write

_LINE: Final = 15.0
_CHART_HIGH: Final = 190.0
_FOOT_SIZE: Final = 7.5
_STRIPE: Final = HexColor("#F3F5F7")


def report_pdf(sheets: Sequence[ReportSheet], *, title: str, mark: str = "") -> bytes:
    """The reports as one PDF; `mark` stands on every page (DEMO, a copy). The same sheets give the same
    bytes."""
    buffer = io.BytesIO()
    canvas = open_canvas(buffer, 210 * MM, 297 * MM, title=title)
    pages = 0
    for sheet in sheets:
        page = _Pages(canvas, sheet, mark, before=pages)
        page.draw()
        pages = page.number
    canvas.save()
    return buffer.getvalue()


class _Pages:
    """The pages of one report: where the next line goes; turns over when a page is full."""

    def __init__(self, canvas: Canvas, sheet: ReportSheet, mark: str, *, before: int) -> None:
        self._canvas, self._sheet, self._mark = canvas, sheet, mark
        self._table: Table = table_of(sheet)
        self._inner = self._table.width - 2 * EDGE
        self._y = 0.0
        self.number = before

    def draw(self) -> None:
        """Head, chart, table and notes."""
        self._begin()
        if self._sheet.chart is not None:
            self._chart()
        self._rows()
        for note in self._sheet.notes:
            if self._y - 2 * _LINE < EDGE - _LINE:
                self._end()
                self._begin()
            self._say(note, SIZE)
        self._end()

    def _begin(self) -> None:
        """A new page with the report's head."""
        sheet, canvas = self._sheet, self._canvas
        self.number += 1
        canvas.setPageSize((self._table.width, self._table.height))
        self._y = self._table.height - EDGE - 12
        canvas.setFillColor(INK)
        write(canvas, sheet.title, EDGE, self._y, 16, bold=True)
        if self._mark:
            left = self._table.width - EDGE - width_of(self._mark, 12, bold=True)
            write(canvas, self._mark, left, self._y, 12, bold=True)
        self._y -= 1
        self._say(
            " · ".join(part for part in (sheet.shop, sheet.period, *sheet.filters) if part), 9
        )
        self._y -= 8
        self._rule()

    def _end(self) -> None:
        canvas, y = self._canvas, EDGE - 14
        canvas.setFillColor(MUTED)
        write(canvas, self._sheet.made, EDGE, y, _FOOT_SIZE)
        number = str(self.number)
        left = self._table.width - EDGE - width_of(number, _FOOT_SIZE)
        write(canvas, number, left, y, _FOOT_SIZE)
        canvas.showPage()

    def _chart(self) -> None:
        assert self._sheet.chart is not None
        high = chart_height(self._sheet.chart, _CHART_HIGH)
        self._y -= high + 10
        draw(self._canvas, self._sheet.chart, EDGE, self._y, self._inner, high)
        self._y -= 6

    def _rows(self) -> None:
        sheet = self._sheet
        if not sheet.rows:
            self._say(sheet.empty, SIZE)
            return
        self._heads()
        for n, row in enumerate(sheet.rows):
            self._row(row, striped=n % 2 == 1)
        if sheet.total:
            self._y -= 3
            self._rule()
            self._row(sheet.total, bold=True, floor=EDGE)  # Never alone on a page of its own.

    def _heads(self) -> None:
        lines = self._table.lines(self._sheet.heads, bold=True)
        self._cells(lines, bold=True, at_foot=True)
        self._y -= 4
        self._rule()

    def _row(
        self,
        cells: tuple[str, ...],
        *,
        bold: bool = False,
        striped: bool = False,
        floor: float = EDGE + 2 * _LINE,
    ) -> None:
        """A row, on the next page where it would end below `floor`."""
        lines = self._table.lines(cells, bold=bold)
        if self._y - self._high(lines) < floor:
            self._end()
            self._begin()
            self._heads()
        if striped:
            high = self._high(lines)
            self._canvas.setFillColor(_STRIPE)
            self._canvas.rect(EDGE, self._y - high - 4.5, self._inner, high, stroke=0, fill=1)
        self._cells(lines, bold=bold)

    def _cells(
        self, row: tuple[tuple[str, ...], ...], *, bold: bool, at_foot: bool = False
    ) -> None:
        """The first column stands at its left, figures at their right; heads on the foot of their row."""
        table, left, tallest = self._table, EDGE, max(len(lines) for lines in row)
        self._canvas.setFillColor(INK)
        for column, (lines, width) in enumerate(zip(row, table.widths, strict=True)):
            y = self._y - _LINE - (table.leading * (tallest - len(lines)) if at_foot else 0)
            for line in lines:
                x = left if column == 0 else left + width - width_of(line, table.size, bold=bold)
                write(self._canvas, line, x, y, table.size, bold=bold)
                y -= table.leading
            left += width
        self._y -= self._high(row)

    def _high(self, row: tuple[tuple[str, ...], ...]) -> float:
        return _LINE + self._table.leading * (max(len(lines) for lines in row) - 1)

    def _say(self, text: str, size: float) -> None:
        """A sentence over the whole width, in as many lines as it takes."""
        self._canvas.setFillColor(INK)
        for line in broken(text, size, self._inner):
            self._y -= _LINE
            write(self._canvas, line, EDGE, self._y, size)

    def _rule(self) -> None:
        self._canvas.setStrokeColor(RULE)
        self._canvas.setLineWidth(0.7)
        self._canvas.line(EDGE, self._y, self._table.width - EDGE, self._y)
