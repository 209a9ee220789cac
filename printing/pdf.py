"""The laid-out page as a PDF exactly as wide as the paper and as long as the receipt: for mail,
archive, office printers.

Fonts are embedded TrueType subsets and every word stays text. The same page gives the same bytes.
Nothing is measured or broken anew: every character goes into the cell that layout.py gave it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache

from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from printing.columns import columns_of
from printing.fonts import code_point_dots, face_for, is_mono
from printing.layout import (
    COLUMN_DOTS,
    DOTS_PER_MM,
    LEAD_DOTS,
    Bars,
    Bitmap,
    Cell,
    Element,
    Knife,
    Line,
    Matrix,
    Page,
    Picture,
)
from resources import FONT_MONO, font_path

MM = 72 / 25.4
DOT = MM / DOTS_PER_MM
_MARGIN_DOTS = 4 * DOTS_PER_MM
_MONO_DOTS = 20  # advances 12 dots: one column
_SANS_DOTS = 23
_BASELINE = 20.5  # from the top of a 24-dot cell
_FAINT_GREY = 0.35


@cache
def registered(name: str) -> str:
    """The name under which reportlab knows a shipped font, read on first use."""
    pdfmetrics.registerFont(TTFont(name, str(font_path(name))))
    return name


def open_canvas(buffer: io.BytesIO, width: float, height: float, *, title: str) -> Canvas:
    """A canvas (points) whose bytes depend on what is drawn only, without the readers' built-in
    fonts: those are never embedded.
    """
    canvas = Canvas(
        buffer,
        pagesize=(width, height),
        invariant=True,
        pageCompression=1,
        pdfVersion=(1, 5),
        initialFontName=registered(FONT_MONO),  # type: ignore[arg-type]  # the stubs say float
    )
    canvas.setTitle(title)
    canvas.setCreator("Regulars")
    canvas.setAuthor("")
    canvas.setSubject("")
    return canvas


@contextmanager
def said_as(canvas: Canvas, text: str) -> Iterator[None]:
    """What is drawn inside reads as `text` for whoever copies or searches it: reportlab's own map
    ends at U+FFFF.
    """
    code_units = text.encode("utf-16-be").hex().upper()
    canvas.addLiteral(f"/Span <</ActualText <FEFF{code_units}>>> BDC")
    yield
    canvas.addLiteral("EMC")


def beyond_reportlab(character: str) -> bool:
    """Whether a character has to be drawn inside `said_as`."""
    return ord(character) > 0xFFFF


def receipt_pdf(page: Page, *, title: str) -> bytes:
    """The receipt as one PDF page; `title` is the document's name in the reader's window."""
    width = page.paper_mm * MM
    height = (page.height_dots + 2 * _MARGIN_DOTS) * DOT
    buffer = io.BytesIO()
    canvas = open_canvas(buffer, width, height, title=title)
    pen = _Pen(canvas, page, height)
    top = _MARGIN_DOTS
    for element in page.elements:
        pen.draw(element, top)
        top += element.height_dots
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


class _Pen:
    """Draws in printer dots from the top left of the printable width."""

    def __init__(self, canvas: Canvas, page: Page, height: float) -> None:
        self._canvas = canvas
        self._page = page
        self._height = height
        self._left = (page.paper_mm * DOTS_PER_MM - page.dots) / 2

    def draw(self, element: Element, top: float) -> None:
        match element:
            case Line():
                self._line(element, top)
            case Bars():
                self._bars(element, top)
            case Matrix():
                self._matrix(element, top)
            case Picture():
                self._picture(element.bitmap, element.left_dots, top)
            case Knife():
                pass

    def _rectangles(self, rectangles: Iterator[tuple[float, float, float, float]]) -> None:
        """Filled as one path, so that neighbours leave no hairline between them."""
        path = self._canvas.beginPath()
        for x, y, width, height in rectangles:
            path.rect(
                (self._left + x) * DOT,
                self._height - (y + height) * DOT,
                width * DOT,
                height * DOT,
            )
        self._canvas.drawPath(path, stroke=0, fill=1)

    def _line(self, line: Line, top: float) -> None:
        if line.invert:
            self._rectangles(iter([(0, top, self._page.dots, line.height_dots)]))
            self._canvas.setFillGray(1)
        elif line.faint:
            self._canvas.setFillGray(_FAINT_GREY)
        for cell in line.cells:
            self._cell(cell, line, top)
        if line.invert or line.faint:
            self._canvas.setFillGray(0)

    def _cell(self, cell: Cell, line: Line, top: float) -> None:
        for left_dots, name, text, pitch in _runs(cell, line):
            if name is None:
                self._unknown(text, left_dots, line, top, columns=int(pitch))
                continue
            size = (_MONO_DOTS if is_mono(name) else _SANS_DOTS) * line.scale_y
            spelled = said_as(self._canvas, text) if beyond_reportlab(text[-1]) else nullcontext()
            with spelled:
                self._string(text, name, size, left_dots, line, top, spacing=pitch)

    def _string(
        self,
        text: str,
        name: str,
        size: float,
        left: float,
        line: Line,
        top: float,
        *,
        spacing: float = 0.0,
    ) -> None:
        baseline = top + LEAD_DOTS / 2 + _BASELINE * line.scale_y
        words = self._canvas.beginText((self._left + left) * DOT, self._height - baseline * DOT)
        words.setFont(registered(name), size * DOT)
        words.setHorizScale(100 * line.scale_x / line.scale_y)
        words.setCharSpace(spacing * line.scale_y * DOT)
        words.textOut(text)
        self._canvas.drawText(words)

    def _unknown(
        self, character: str, left: float, line: Line, top: float, *, columns: int
    ) -> None:
        """A box with the code point; the character itself is there, unseen, for whoever copies
        the text.
        """
        scale_x, scale_y, above = line.scale_x, line.scale_y, top + LEAD_DOTS / 2
        dots = code_point_dots(character, columns=columns)
        self._rectangles(
            (left + x * scale_x, above + y * scale_y, width * scale_x, height * scale_y)
            for x, y, width, height in dots
        )
        with said_as(self._canvas, character):
            em = columns * _MONO_DOTS * scale_y
            self._string(" ", FONT_MONO, em, left, line, top)

    def _bars(self, bars: Bars, top: float) -> None:
        def dark() -> Iterator[tuple[float, float, float, float]]:
            left = bars.left_dots
            for place, modules in enumerate(bars.widths):
                width = modules * bars.module_dots
                if place % 2 == 0:
                    yield left, top + LEAD_DOTS, width, bars.bar_height_dots
                left += width

        self._rectangles(dark())
        columns = columns_of(bars.data)
        caption = Line((Cell((self._page.columns - columns) // 2, columns, bars.data),))
        self._line(caption, top + LEAD_DOTS + bars.bar_height_dots)

    def _matrix(self, matrix: Matrix, top: float) -> None:
        size, above = matrix.module_dots, top + matrix.quiet_dots
        self._rectangles(
            (matrix.left_dots + column * size, above + row * size, size, size)
            for row, modules in enumerate(matrix.modules)
            for column, dark in enumerate(modules)
            if dark
        )

    def _picture(self, bitmap: Bitmap, left: float, top: float) -> None:
        ink = Image.frombytes("1", (bitmap.width, bitmap.height), bitmap.rows)
        shown = ImageReader(ink.point([255, *([0] * 255)], "L"))
        x, y = (self._left + left) * DOT, self._height - (top + bitmap.height) * DOT
        self._canvas.drawImage(shown, x, y, bitmap.width * DOT, bitmap.height * DOT)


def _runs(cell: Cell, line: Line) -> Iterator[tuple[float, str | None, str, float]]:
    """The cell's text in pieces that one string operator can draw: (left in dots, font, text,
    extra space after each character in dots at scale 1). A character that no font has comes with
    None and its width in columns.
    """
    runs: list[tuple[float, str | None, str, float]] = []
    for column, columns, character in cell.characters(line.scale_x):
        left = column * COLUMN_DOTS
        narrow = columns // line.scale_x
        name = face_for(character, columns=narrow, bold=line.bold)
        if name is None:
            runs.append((left, None, character, narrow))
            continue
        room = narrow * COLUMN_DOTS
        em = _MONO_DOTS if is_mono(name) else _SANS_DOTS
        spacing = room - pdfmetrics.stringWidth(character, registered(name), em)
        inset = 0.0 if is_mono(name) else spacing / 2
        joins = not beyond_reportlab(character) and runs and not beyond_reportlab(runs[-1][2][-1])
        if joins and runs[-1][1] == name and abs(runs[-1][3] - spacing) < 0.01:
            first, _, text, pitch = runs[-1]
            runs[-1] = (first, name, text + character, pitch)
        else:
            runs.append((left + inset * line.scale_x, name, character, spacing))
    yield from runs
