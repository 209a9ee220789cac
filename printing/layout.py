"""One layout for every output: a document becomes lines of positioned cells, and nothing is laid
out twice.

Here live the sizes of roles, the columns of rows and the place of each text, bar code and
picture, for 32 columns (58 mm paper, 384 dots) and 48 columns (80 mm, 576 dots). Bytes, PDF,
bitmap and the preview on screen all draw this page; none of them breaks, pads or aligns anything
again. No Qt, no fonts, no imaging library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from types import MappingProxyType
from typing import NamedTuple

from printing import codes
from printing.columns import (
    carried,
    character_columns,
    clip,
    columns_of,
    paper_text,
    wrap,
    wrap_evenly,
)
from printing.document import (
    QR,
    Align,
    Block,
    Code1D,
    Cut,
    Doc,
    Feed,
    Image,
    Pair,
    Progress,
    Role,
    Row,
    RowCell,
    Rule,
    Sign,
    Text,
    TextFit,
)

COLUMN_DOTS = 12  # a narrow character's cell is 12 x 24 dots, a wide one's 24 x 24
GLYPH_DOTS = 24
LEAD_DOTS = 6  # white below the characters of a line
DOTS_PER_MM = 8
COLUMNS_58_MM = 32
COLUMNS_80_MM = 48

_LABEL_COLUMNS_MIN = 10  # narrower than this a label reads as a ladder, and the value moves down
_STAR_COLUMNS_MIN = 8
_STAR_LINES_MAX = 2
_BAR_HEIGHT_DOTS = 80
_QR_DOTS_WANTED = 240  # 30 mm: a phone reads it at arm's length, and paper costs money
QR_QUIET_MODULES = 4


@dataclass(frozen=True, slots=True)
class Bitmap:
    """A 1-bit picture: rows of ceil(width / 8) bytes, most significant bit left, 1 is black."""

    width: int
    height: int
    rows: bytes


@dataclass(frozen=True, slots=True)
class Cell:
    """A text at its place. `column` and `columns` count paper columns of 12 dots, the line's
    scale included.
    """

    column: int
    columns: int
    text: str

    def characters(self, scale_x: int) -> Iterator[tuple[int, int, str]]:
        """(column, columns, character) of each character, for painters that keep to the grid."""
        column = self.column
        for character in self.text:
            columns = character_columns(character) * scale_x
            yield column, columns, character
            column += columns


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text. Alignment is resolved; an inverted line is black over the whole paper
    width. `raster` means that the printer's code page lacks a character, so the line is drawn;
    `faint` that a screen or PDF may grey it.
    """

    cells: tuple[Cell, ...]
    scale_x: int = 1
    scale_y: int = 1
    bold: bool = False
    invert: bool = False
    faint: bool = False
    raster: bool = False

    @property
    def height_dots(self) -> int:
        return GLYPH_DOTS * self.scale_y + LEAD_DOTS

    @property
    def text(self) -> str:
        """The line as one string: cells with the blank columns before them as spaces."""
        said, column = "", 0
        for cell in self.cells:
            said += " " * (cell.column - column) + cell.text
            column = cell.column + cell.columns
        return said


@dataclass(frozen=True, slots=True)
class Bars:
    """A Code 128 with its text below. The paper's own margin is the quiet zone."""

    data: str
    module_dots: int
    modules: int
    left_dots: int

    @property
    def height_dots(self) -> int:
        return LEAD_DOTS + _BAR_HEIGHT_DOTS + GLYPH_DOTS + LEAD_DOTS

    @property
    def bar_height_dots(self) -> int:
        return _BAR_HEIGHT_DOTS

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths in modules: bar, space, bar …"""
        return codes.code128_bars(self.data)


@dataclass(frozen=True, slots=True)
class Matrix:
    """A QR code. `left_dots` and `size_dots` are of the dark part; the quiet zone is white around
    it.
    """

    data: str
    module_dots: int
    size_modules: int
    left_dots: int

    @property
    def size_dots(self) -> int:
        return self.size_modules * self.module_dots

    @property
    def quiet_dots(self) -> int:
        return QR_QUIET_MODULES * self.module_dots

    @property
    def height_dots(self) -> int:
        return self.size_dots + 2 * self.quiet_dots

    @property
    def modules(self) -> tuple[bytes, ...]:
        """Rows of modules, 1 is dark."""
        return codes.qr_modules(self.data)


@dataclass(frozen=True, slots=True)
class Picture:
    """A bitmap at its place."""

    bitmap: Bitmap
    left_dots: int

    @property
    def height_dots(self) -> int:
        return self.bitmap.height + LEAD_DOTS


@dataclass(frozen=True, slots=True)
class Knife:
    """Where the paper is cut."""

    @property
    def height_dots(self) -> int:
        return 0


Element = Line | Bars | Matrix | Picture | Knife


@dataclass(frozen=True, slots=True)
class Page:
    """A laid-out document: elements from top to bottom."""

    columns: int
    elements: tuple[Element, ...]

    @property
    def dots(self) -> int:
        """The printable width."""
        return self.columns * COLUMN_DOTS

    @property
    def paper_mm(self) -> int:
        return 58 if self.columns <= COLUMNS_58_MM else 80

    @property
    def margin_dots(self) -> int:
        """White paper on each side of the printable width, at 8 dots a millimetre."""
        return (self.paper_mm * DOTS_PER_MM - self.dots) // 2

    @property
    def height_dots(self) -> int:
        return sum(element.height_dots for element in self.elements)

    def strings(self) -> list[str]:
        """What the page says, line by line, a bar code by its text: the same for every output."""
        return [
            element.text.rstrip() if isinstance(element, Line) else element.data
            for element in self.elements
            if isinstance(element, Line | Bars)
        ]


class _Look(NamedTuple):
    sizes: tuple[tuple[int, int], ...] = ((1, 1),)  # (scale_x, scale_y), first one wanted
    bold: bool = False
    invert: bool = False
    faint: bool = False


_LOOKS: dict[Role, _Look] = {
    "body": _Look(),
    "small": _Look(faint=True),
    "strong": _Look(bold=True),
    "heading": _Look(bold=True),
    "title": _Look(((2, 2), (1, 2), (1, 1)), bold=True),
    "total": _Look(((2, 2), (1, 2), (1, 1)), bold=True),
    "banner": _Look(((2, 2), (1, 2), (1, 1)), bold=True, invert=True),
}
_CENTERED = frozenset({"heading", "title", "banner"})


def lay_out(doc: Doc, columns: int, images: Mapping[str, Bitmap] = MappingProxyType({})) -> Page:
    """The page of a document on paper of `columns` columns.

    A picture whose digest is not in `images` is left out: a receipt without its logo is still a
    receipt.
    """
    assert columns >= 24, "no paper is narrower than 24 columns"
    elements: list[Element] = []
    for block in doc.blocks:
        _place(block, columns, images, elements)
    return Page(columns, tuple(elements))


def _place(block: Block, columns: int, images: Mapping[str, Bitmap], out: list[Element]) -> None:
    match block:
        case Pair():
            _pair(block, columns, out)
        case Text():
            _text(block, columns, out)
        case Row():
            _row(block, columns, out)
        case Rule():
            mark = "-" if block.kind == "single" else "="
            out.append(Line((Cell(0, columns, mark * columns),)))
        case Feed():
            out += [Line(())] * block.lines
        case Progress():
            _progress(block, columns, out)
        case Sign():
            _text(Text(block.label), columns, out)
            out += (Line(()), Line(()), Line((Cell(0, columns, "_" * columns),)))
        case Code1D():
            _code(block, columns, out)
        case QR():
            out.append(_matrix(block.data, columns))
        case Image():
            if (bitmap := images.get(block.digest)) is not None:
                assert bitmap.width <= columns * COLUMN_DOTS, "the picture is wider than the paper"
                out.append(Picture(bitmap, (columns * COLUMN_DOTS - bitmap.width) // 2))
        case Cut():
            out.append(Knife())


def _line(cells: tuple[Cell, ...], look: _Look, size: tuple[int, int]) -> Line:
    drawn = not all(carried(cell.text) for cell in cells)
    return Line(cells, size[0], size[1], look.bold, look.invert, look.faint, drawn)


def _start(align: Align, room: int, taken: int) -> int:
    if align == "left":
        return 0
    return room - taken if align == "right" else (room - taken) // 2


def _fitted(
    text: str, fit: TextFit, look: _Look, columns: int, align: Align
) -> tuple[list[str], tuple[int, int]]:
    """The lines of a text and their size: the first size of its role that holds it on one line,
    else the last.
    """
    if fit == "clip":
        size = look.sizes[0]
        return [clip(text, columns // size[0])], size
    taken = columns_of(text)
    for size in look.sizes:
        if taken * size[0] <= columns:
            return [text], size
    # Wrapping keeps a large role large: two lines of tall letters still read as a title.
    size = look.sizes[-1] if fit == "shrink" else look.sizes[len(look.sizes) // 2]
    broken = wrap_evenly if align == "center" else wrap
    return broken(text, columns // size[0]), size


def _text(block: Text, columns: int, out: list[Element]) -> None:
    look = _LOOKS[block.role]
    align: Align = "center" if block.role in _CENTERED else block.align
    for paragraph in block.text.split("\n"):
        lines, size = _fitted(paper_text(paragraph), block.fit, look, columns, align)
        for text in lines:
            taken = columns_of(text) * size[0]
            cells = (Cell(_start(align, columns, taken), taken, text),) if text else ()
            out.append(_line(cells, look, size))


def _pair(block: Pair, columns: int, out: list[Element]) -> None:
    look = _LOOKS[block.role]
    label, second, value = (
        paper_text(block.label),
        paper_text(block.second),
        paper_text(block.value),
    )
    whole = f"{label} {second}" if second else label
    taken, room = columns_of(value), columns_of(whole)
    for size in look.sizes:
        scale = size[0]
        if (room + 1 + taken) * scale <= columns:
            left = (Cell(0, room * scale, whole),) if whole else ()
            right = (Cell(columns - taken * scale, taken * scale, value),) if value else ()
            out.append(_line(left + right, look, size))
            return
    size = look.sizes[len(look.sizes) // 2]
    rest = columns - taken - 1
    below = wrap(second, columns) if second else []
    if rest >= min(columns_of(label), _LABEL_COLUMNS_MIN):
        lines = wrap(label, rest) + below
        values = [value]
    else:
        lines = wrap(label, columns) + below
        values = [""] * len(lines) + wrap(value, columns)
    for text, number in zip_longest(lines, values, fillvalue=""):
        left = (Cell(0, columns_of(text), text),) if text else ()
        taken = columns_of(number)
        right = (Cell(columns - taken, taken, number),) if number else ()
        out.append(_line(left + right, look, size))


def _row(block: Row, columns: int, out: list[Element]) -> None:
    look = _LOOKS[block.role]
    texts = [paper_text(cell.text) for cell in block.cells]
    widths = _row_widths(block.cells, texts, columns)
    if widths is None:
        _row_on_two_lines(block.cells, texts, columns, look, out)
    else:
        _row_lines(block.cells, texts, widths, look, out)


def _row_widths(cells: tuple[RowCell, ...], texts: list[str], columns: int) -> list[int] | None:
    """The width of each cell with one blank column between cells, or None when the row needs two
    lines: a `keep` cell has widened so far that the text beside it would become a ladder.
    """
    widths = [
        max(cell.width, columns_of(text)) if cell.fit == "keep" else cell.width
        for cell, text in zip(cells, texts, strict=True)
    ]
    stars = [place for place, cell in enumerate(cells) if cell.width == 0 and cell.fit != "keep"]
    rest = columns - (len(cells) - 1) - sum(widths)
    if not stars:
        return widths if rest >= 0 else None
    share, spare = divmod(rest, len(stars))
    for number, place in enumerate(stars):
        width = share + (1 if number < spare else 0)
        taken = columns_of(texts[place])
        if width < min(taken, _STAR_COLUMNS_MIN) or width <= 0:
            return None
        narrow = cells[place].fit == "wrap" and taken > width
        if narrow and width <= columns // 2 and len(wrap(texts[place], width)) > _STAR_LINES_MAX:
            return None
        widths[place] = width
    return widths


def _row_lines(
    cells: tuple[RowCell, ...], texts: list[str], widths: list[int], look: _Look, out: list[Element]
) -> None:
    stacks = [
        (
            [text]
            if cell.fit == "keep"
            else [clip(text, width)]
            if cell.fit == "clip"
            else wrap(text, width)
        )
        for cell, text, width in zip(cells, texts, widths, strict=True)
    ]
    for level in zip_longest(*stacks, fillvalue=""):
        placed, left = [], 0
        for cell, text, width in zip(cells, level, widths, strict=True):
            if text:
                taken = columns_of(text)
                placed.append(Cell(left + _start(cell.align, width, taken), taken, text))
            left += width + 1
        out.append(_line(tuple(placed), look, look.sizes[-1]))


def _row_on_two_lines(
    cells: tuple[RowCell, ...], texts: list[str], columns: int, look: _Look, out: list[Element]
) -> None:
    """The flexible texts over the whole width, then the fixed cells at the right where they belong:
    beside the end of the text where there is room, else below it."""
    fixed, names = [], []
    for cell, text in zip(cells, texts, strict=True):
        if cell.width == 0 and cell.fit != "keep":
            names += wrap(text, columns)
        else:
            fixed.append((cell, text))
    widths = [max(cell.width, columns_of(text)) for cell, text in fixed]
    blank = columns - sum(widths) - len(widths)
    shared = names.pop() if names and columns_of(names[-1]) <= blank else ""
    whole = (RowCell(""),)
    for name in names:
        _row_lines(whole, [name], [columns], look, out)
    if blank >= 0:
        beside = (*whole, *(cell for cell, _ in fixed))
        _row_lines(beside, [shared, *(text for _, text in fixed)], [blank, *widths], look, out)
        return
    for cell, text in fixed:
        _row_lines((RowCell("", 0, cell.align),), [text], [columns], look, out)


def _progress(block: Progress, columns: int, out: list[Element]) -> None:
    squares = columns // 2
    filled = min(max(block.value, 0), block.maximum) * squares // block.maximum
    out.append(Line((Cell(0, squares * 2, "■" * filled + "□" * (squares - filled)),)))


def _code(block: Code1D, columns: int, out: list[Element]) -> None:
    """Bars three dots a module where the paper is wide enough, else two; a code too long for bars
    becomes a QR code with its text below.
    """
    dots = columns * COLUMN_DOTS
    modules = codes.code128_modules(block.data)
    for module_dots in (3, 2):
        if modules * module_dots <= dots:
            left = (dots - modules * module_dots) // 2
            out.append(Bars(block.data, module_dots, modules, left))
            return
    out.append(_matrix(block.data, columns))
    _text(Text(block.data, align="center"), columns, out)


def _matrix(data: str, columns: int) -> Matrix:
    dots = columns * COLUMN_DOTS
    size = codes.qr_size(data)
    across = size + 2 * QR_QUIET_MODULES
    module_dots = next((n for n in (6, 5) if across * n <= _QR_DOTS_WANTED), 4)
    return Matrix(data, module_dots, size, (dots - size * module_dots) // 2)
