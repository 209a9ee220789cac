"""A key for the owner's safe as an A4 page: what it is, the key in groups to be read out, and as a QR code.

It is drawn once and never kept. Its words come finished; nothing is known here of what the key opens.
"""

from __future__ import annotations

import io
from typing import Final

from reportlab.pdfgen.canvas import Canvas

from printing.charts import INK, MUTED, RULE
from printing.codes import qr_modules
from printing.key_sheet import KeySheet
from printing.pdf import MM, open_canvas, registered
from printing.writing import broken, width_of, write
from resources import FONT_MONO_BOLD

WIDTH: Final = 210 * MM
HEIGHT: Final = 297 * MM
_EDGE: Final = 20 * MM
_INNER: Final = WIDTH - 2 * _EDGE
_QR: Final = 44 * MM
_SIGN: Final = 22.0
"""Points of a sign of the key: it is read over a shoulder and over the phone."""
_SIGN_WIDE: Final = 0.6 * _SIGN
_GROUP_GAP: Final = 20.0
_LINE_HIGH: Final = 36.0
_QUIET: Final = 4
"""Modules of white around a QR code."""


def key_sheet_pdf(sheet: KeySheet) -> bytes:
    """One A4 page. The same sheet gives the same bytes."""
    buffer = io.BytesIO()
    canvas = open_canvas(buffer, WIDTH, HEIGHT, title=sheet.title)
    page = _Page(canvas)
    page.head(sheet)
    page.key(sheet)
    for heading, sentences in sheet.parts:
        page.part(heading, sentences)
    page.blanks(sheet.blanks)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


class _Page:
    """Where the next line goes."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._y = HEIGHT - _EDGE

    def head(self, sheet: KeySheet) -> None:
        self._y -= 22
        write(self._canvas, sheet.title, _EDGE, self._y, 24, bold=True)
        if sheet.mark:
            wide = width_of(sheet.mark, 16, bold=True)
            write(self._canvas, sheet.mark, WIDTH - _EDGE - wide, self._y, 16, bold=True)
        self._y -= 12
        self._rule()
        names = max(width_of(name, 10) for name, _ in sheet.facts) + 14
        for name, value in sheet.facts:
            first, *more = broken(value, 11, _INNER - names, bold=True)
            self._y -= 17
            self._grey(name, _EDGE, 10)
            write(self._canvas, first, _EDGE + names, self._y, 11, bold=True)
            for line in more:
                self._y -= 15
                write(self._canvas, line, _EDGE + names, self._y, 11, bold=True)
        self._y -= 14

    def key(self, sheet: KeySheet) -> None:
        """The lines of the key in a frame, numbered, with the code beside them."""
        high = max(_LINE_HIGH * len(sheet.lines) + 34, _QR + 34)
        bottom = self._y - high
        self._canvas.setStrokeColor(INK)
        self._canvas.setLineWidth(1.2)
        self._canvas.roundRect(_EDGE, bottom, _INNER, high, 6, stroke=1, fill=0)
        top = self._y - 8
        for n, groups in enumerate(sheet.lines):
            self._y = top - _LINE_HIGH * (n + 1) + 10
            self._grey(str(n + 1), _EDGE + 14, 10)
            for place, group in enumerate(groups):
                x = _EDGE + 34 + place * (4 * _SIGN_WIDE + _GROUP_GAP)
                last = n == len(sheet.lines) - 1 and place == len(groups) - 1
                self._group(group, x, check=sheet.check if last else "")
        self._code(sheet, WIDTH - _EDGE - _QR - 8, top - _QR + 2)
        self._y = bottom - 6

    def _group(self, group: str, x: float, *, check: str) -> None:
        canvas = self._canvas
        canvas.setFillColor(INK)
        canvas.setFont(registered(FONT_MONO_BOLD), _SIGN)
        canvas.drawString(x, self._y, group)
        if check:
            wide = 4 * _SIGN_WIDE
            canvas.setLineWidth(1.0)
            canvas.rect(x - 6, self._y - 7, wide + 12, _SIGN + 9, stroke=1, fill=0)
            self._y -= 19
            self._grey(check, x + (wide - width_of(check, 9)) / 2, 9)

    def _code(self, sheet: KeySheet, x: float, y: float) -> None:
        modules = qr_modules(sheet.code)
        size = _QR / (len(modules) + 2 * _QUIET)
        path = self._canvas.beginPath()
        for row, line in enumerate(modules):
            for column, dark in enumerate(line):
                if dark:
                    top = y + _QR - (_QUIET + row + 1) * size
                    path.rect(x + (_QUIET + column) * size, top, size, size)
        self._canvas.setFillColor(INK)
        self._canvas.drawPath(path, stroke=0, fill=1)
        self._y = y - 5
        wide = width_of(sheet.code_says, 9)
        self._grey(sheet.code_says, x + (_QR - wide) / 2, 9)

    def part(self, heading: str, sentences: tuple[str, ...]) -> None:
        self._y -= 26
        self._canvas.setFillColor(INK)
        write(self._canvas, heading, _EDGE, self._y, 12, bold=True)
        self._y -= 3
        for sentence in sentences:
            for n, line in enumerate(broken(sentence, 10.5, _INNER - 12)):
                self._y -= 16
                if n == 0:
                    write(self._canvas, "·", _EDGE + 1, self._y, 10.5, bold=True)
                write(self._canvas, line, _EDGE + 12, self._y, 10.5)

    def blanks(self, names: tuple[str, ...]) -> None:
        """Side by side at the foot of the page."""
        self._y = min(self._y - 50, _EDGE + 60)
        wide = (_INNER - 24) / max(len(names), 1)
        for n, name in enumerate(names):
            x = _EDGE + n * (wide + 24)
            self._canvas.setStrokeColor(MUTED)
            self._canvas.setLineWidth(0.7)
            self._canvas.line(x, self._y, x + wide - 12, self._y)
            self._y -= 13
            self._grey(name, x, 9)
            self._y += 13

    def _grey(self, text: str, x: float, size: float) -> None:
        self._canvas.setFillColor(MUTED)
        write(self._canvas, text, x, self._y, size)
        self._canvas.setFillColor(INK)

    def _rule(self) -> None:
        self._canvas.setStrokeColor(RULE)
        self._canvas.setLineWidth(0.7)
        self._canvas.line(_EDGE, self._y, WIDTH - _EDGE, self._y)
