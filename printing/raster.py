"""The laid-out page as dots: for lines that the printer's code page lacks, for printers without
Chinese, and as PNG.

Ink is set in every image here and white is not, so an image's bytes are what a printer takes.
Nothing is measured or broken anew: every character goes into the cell that layout.py gave it.
"""

from __future__ import annotations

import io
from functools import cache, lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageFont

from printing.columns import columns_of
from printing.fonts import code_point_dots, face_for, is_mono
from printing.layout import (
    COLUMN_DOTS,
    DOTS_PER_MM,
    GLYPH_DOTS,
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
from resources import FONT_RARE, font_path

_MONO_DOTS = 20  # advances 12 dots: one column
_SANS_DOTS = 23  # leaves one dot between full-width characters
_BASELINE = 20.5  # from the top of a 24-dot cell, of both faces
_THRESHOLD = 112  # below the middle: thin strokes of dense characters must not vanish
_FAINT_THRESHOLD = 64  # for the rare face, whose level strokes are hairlines
_PNG_MARGIN_MM = 4
_INK = 255


@cache
def _font(name: str, dots: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_path(name), dots)


@lru_cache(maxsize=4096)
def _glyph(character: str, columns: int, scale_x: int, scale_y: int, bold: bool) -> Image.Image:
    """The ink of one character, as high as its line: half the line's lead is above it."""
    width, height = columns * COLUMN_DOTS * scale_x, GLYPH_DOTS * scale_y + LEAD_DOTS
    name = face_for(character, columns=columns, bold=bold)
    if name is None:
        return _code_point_box(character, columns, scale_x, scale_y)
    font = _font(name, (_MONO_DOTS if is_mono(name) else _SANS_DOTS) * scale_y)
    # Drawn at the height's scale and squeezed to the cell: a stretched bitmap would show its steps.
    room = max(columns * COLUMN_DOTS * scale_y, -int(-font.getlength(character) // 1))
    drawn = Image.new("L", (room, height), 0)
    baseline = LEAD_DOTS // 2 + round(_BASELINE * scale_y)
    left = 0.0 if is_mono(name) else (room - font.getlength(character)) / 2
    ImageDraw.Draw(drawn).text((left, baseline), character, font=font, fill=_INK, anchor="ls")
    if room != width:
        drawn = drawn.resize((width, height), Image.Resampling.BOX)
    least = _FAINT_THRESHOLD if name == FONT_RARE else _THRESHOLD
    return drawn.point([255 * (shade >= least) for shade in range(256)], "1")


def _code_point_box(character: str, columns: int, scale_x: int, scale_y: int) -> Image.Image:
    box = Image.new("1", (columns * COLUMN_DOTS, GLYPH_DOTS), 0)
    pen = ImageDraw.Draw(box)
    for x, y, width, height in code_point_dots(character, columns=columns):
        pen.rectangle((x, y, x + width - 1, y + height - 1), fill=_INK)
    box = box.resize((box.width * scale_x, box.height * scale_y), Image.Resampling.NEAREST)
    tile = Image.new("1", (box.width, box.height + LEAD_DOTS), 0)
    tile.paste(box, (0, LEAD_DOTS // 2))
    return tile


def _draw_cells(ink: Image.Image, top: int, line: Line) -> None:
    for cell in line.cells:
        for column, columns, character in cell.characters(line.scale_x):
            if character != " ":
                width = columns // line.scale_x
                glyph = _glyph(character, width, line.scale_x, line.scale_y, line.bold)
                ink.paste(_INK, (column * COLUMN_DOTS, top), glyph)


def _draw_line(ink: Image.Image, top: int, line: Line) -> None:
    if not line.invert:
        _draw_cells(ink, top, line)
        return
    strip = Image.new("1", (ink.width, line.height_dots), 0)
    _draw_cells(strip, 0, line)
    ink.paste(ImageChops.invert(strip), (0, top))


def _draw_bars(ink: Image.Image, top: int, bars: Bars) -> None:
    pen = ImageDraw.Draw(ink)
    left, top = bars.left_dots, top + LEAD_DOTS
    for place, width in enumerate(bars.widths):
        right = left + width * bars.module_dots
        if place % 2 == 0:
            pen.rectangle((left, top, right - 1, top + bars.bar_height_dots - 1), fill=_INK)
        left = right
    columns = columns_of(bars.data)
    first = (ink.width // COLUMN_DOTS - columns) // 2
    _draw_cells(ink, top + bars.bar_height_dots, Line((Cell(first, columns, bars.data),)))


def _draw_matrix(ink: Image.Image, top: int, matrix: Matrix) -> None:
    dots = Image.new("1", (matrix.size_modules, matrix.size_modules), 0)
    dots.putdata([_INK * module for row in matrix.modules for module in row])
    dots = dots.resize((matrix.size_dots, matrix.size_dots), Image.Resampling.NEAREST)
    ink.paste(dots, (matrix.left_dots, top + matrix.quiet_dots))


def _draw(ink: Image.Image, top: int, element: Element) -> None:
    match element:
        case Line():
            _draw_line(ink, top, element)
        case Bars():
            _draw_bars(ink, top, element)
        case Matrix():
            _draw_matrix(ink, top, element)
        case Picture(Bitmap(width, height, rows), left):
            ink.paste(Image.frombytes("1", (width, height), rows), (left, top))
        case Knife():
            pass


def element_bitmap(element: Element, columns: int) -> Bitmap:
    """One element over the whole printable width, as a printer takes it."""
    ink = Image.new("1", (columns * COLUMN_DOTS, element.height_dots), 0)
    _draw(ink, 0, element)
    return Bitmap(ink.width, ink.height, ink.tobytes())


def page_ink(page: Page) -> Image.Image:
    """The whole page over its printable width, ink is set."""
    ink = Image.new("1", (page.dots, max(page.height_dots, 1)), 0)
    top = 0
    for element in page.elements:
        _draw(ink, top, element)
        top += element.height_dots
    return ink


def png(page: Page) -> bytes:
    """The receipt as it lies on the counter: black on white paper with its margins, at the
    printer's dots.
    """
    ink = page_ink(page)
    margin = _PNG_MARGIN_MM * DOTS_PER_MM
    paper = Image.new("1", (ink.width + 2 * page.margin_dots, ink.height + 2 * margin), 0)
    paper.paste(ink, (page.margin_dots, margin))
    buffer = io.BytesIO()
    ImageChops.invert(paper).save(buffer, "PNG", optimize=True, dpi=(203, 203))
    return buffer.getvalue()
