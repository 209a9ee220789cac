"""Reports on A4: one after the other, each with its head, chart and table, over as many pages as it takes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from reportlab.lib.colors import HexColor
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from printing.charts import INK, MUTED, RULE, chart_height, draw
from printing.pdf import MM, open_canvas, registered
from printing.report import ReportSheet
from resources import FONT_SANS, FONT_SANS_BOLD

WIDTH: Final = 210 * MM
HEIGHT: Final = 297 * MM
_EDGE: Final = 16 * MM
_LINE: Final = 15.0
_SIZE: Final = 8.5
_CHART_HIGH: Final = 190.0
_STRIPE: Final = HexColor("#F3F5F7")


def report_pdf(sheets: Sequence[ReportSheet], *, title: str, mark: str = "") -> bytes:
    """The reports as one PDF; `mark` stands on every page (DEMO, a copy). The same sheets give the same
    bytes."""
    buffer = io.BytesIO()
    canvas = open_canvas(buffer, WIDTH, HEIGHT, title=title)
    page = _Page(canvas, mark)
    for sheet in sheets:
        page.begin(sheet)
        if sheet.chart is not None:
            page.chart(sheet)
        page.table(sheet)
        page.end()
    canvas.save()
    return buffer.getvalue()


class _Page:
    """Where the next line goes; turns the page when it is full."""

    def __init__(self, canvas: Canvas, mark: str) -> None:
        self._canvas, self._mark = canvas, mark
        self._y = HEIGHT
        self._number = 0
        self._sheet: ReportSheet | None = None

    def begin(self, sheet: ReportSheet) -> None:
        """A new page with the report's head."""
        self._sheet = sheet
        self._number += 1
        self._y = HEIGHT - _EDGE - 12
        self._say(sheet.title, _EDGE, 16, bold=True)
        if self._mark:
            wide = pdfmetrics.stringWidth(self._mark, registered(FONT_SANS_BOLD), 12)
            self._say(self._mark, WIDTH - _EDGE - wide, 12, bold=True)
        self._y -= 16
        about = " · ".join(part for part in (sheet.shop, sheet.period, *sheet.filters) if part)
        self._say(about, _EDGE, 9)
        self._y -= 8
        self._rule()

    def end(self) -> None:
        """The foot of the last page of a report."""
        self._foot()
        self._canvas.showPage()

    def chart(self, sheet: ReportSheet) -> None:
        assert sheet.chart is not None
        high = chart_height(sheet.chart, _CHART_HIGH)
        self._y -= high + 10
        draw(self._canvas, sheet.chart, _EDGE, self._y, WIDTH - 2 * _EDGE, high)
        self._y -= 6

    def table(self, sheet: ReportSheet) -> None:
        if not sheet.rows:
            self._y -= _LINE
            self._say(sheet.empty, _EDGE, _SIZE)
            self._notes(sheet)
            return
        widths = _widths(sheet)
        self._heads(sheet, widths)
        for n, row in enumerate(sheet.rows):
            if self._y < _EDGE + 3 * _LINE:
                self._turn(sheet, widths)
            self._row(row, widths, striped=n % 2 == 1)
        if sheet.total:
            self._y -= 3
            self._rule()
            self._row(sheet.total, widths, bold=True)
        self._notes(sheet)

    def _notes(self, sheet: ReportSheet) -> None:
        for note in sheet.notes:
            self._y -= _LINE
            self._say(note, _EDGE, _SIZE)

    def _turn(self, sheet: ReportSheet, widths: list[float]) -> None:
        self._foot()
        self._canvas.showPage()
        self.begin(sheet)
        self._heads(sheet, widths)

    def _heads(self, sheet: ReportSheet, widths: list[float]) -> None:
        self._row(sheet.heads, widths, bold=True)
        self._y -= 4
        self._rule()

    def _row(
        self,
        cells: Sequence[str],
        widths: list[float],
        *,
        bold: bool = False,
        striped: bool = False,
    ) -> None:
        self._y -= _LINE
        if striped:
            self._canvas.setFillColor(_STRIPE)
            self._canvas.rect(_EDGE, self._y - 4.5, WIDTH - 2 * _EDGE, _LINE, stroke=0, fill=1)
        font = registered(FONT_SANS_BOLD if bold else FONT_SANS)
        left = _EDGE
        for n, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            size = _SIZE
            while size > 5 and pdfmetrics.stringWidth(cell, font, size) > width - 4:
                size -= 0.5
            long = pdfmetrics.stringWidth(cell, font, size)
            self._canvas.setFillColor(INK)
            self._canvas.setFont(font, size)
            self._canvas.drawString(left if n == 0 else left + width - long, self._y, cell)
            left += width

    def _say(self, text: str, x: float, size: float, *, bold: bool = False) -> None:
        self._canvas.setFillColor(INK)
        self._canvas.setFont(registered(FONT_SANS_BOLD if bold else FONT_SANS), size)
        self._canvas.drawString(x, self._y, text)

    def _rule(self) -> None:
        self._canvas.setStrokeColor(RULE)
        self._canvas.setLineWidth(0.7)
        self._canvas.line(_EDGE, self._y, WIDTH - _EDGE, self._y)

    def _foot(self) -> None:
        assert self._sheet is not None
        self._canvas.setFillColor(MUTED)
        self._canvas.setFont(registered(FONT_SANS), 7.5)
        self._canvas.drawString(_EDGE, _EDGE - 14, self._sheet.made)
        self._canvas.drawRightString(WIDTH - _EDGE, _EDGE - 14, str(self._number))


def _widths(sheet: ReportSheet) -> list[float]:
    """The first column takes what its longest label needs, as far as the others leave it room."""
    font = registered(FONT_SANS)
    inner = WIDTH - 2 * _EDGE
    others = len(sheet.heads) - 1
    longest = max(pdfmetrics.stringWidth(row[0], font, _SIZE) for row in (sheet.heads, *sheet.rows))
    first = min(max(longest + 10, 60.0), inner * (0.6 if others < 4 else 0.3))
    return [first, *([(inner - first) / others] * others)]
