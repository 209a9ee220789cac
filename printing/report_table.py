"""How a report's table lies on an A4 page: upright or turned, its size, its columns and where its heads break.

Nothing is ever smaller than 7 points and nothing is left out: heads take several lines, a page that is too
narrow is turned, and only then the figures shrink. Nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from printing.pdf import MM
from printing.report import ReportSheet
from printing.writing import broken, pieces, width_of

EDGE: Final = 16 * MM
SIZE: Final = 8.5
SIZE_LEAST: Final = 7.0
_UPRIGHT: Final = (210 * MM, 297 * MM)
_TURNED: Final = _UPRIGHT[::-1]
_SHAPES: Final = (
    (_UPRIGHT, SIZE, 8.0), (_UPRIGHT, 8.0, 8.0),
    (_TURNED, SIZE, 8.0), (_TURNED, 8.0, 8.0), (_TURNED, 7.5, 6.0), (_TURNED, SIZE_LEAST, 4.0),
)  # fmt: skip
"""(page, size of the figures, points between two columns): the first in which a table has room is taken."""
_HEAD_LINES: Final = 3
_FIRST_LEAST: Final = 60.0
_STEP: Final = 4.0
_SLACK: Final = 0.5
"""What is measured to fit still fits after sums of fractions."""

Widths = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A page's width and height, the size of the figures, what lies between columns, and their widths; all in
    points."""

    width: float
    height: float
    size: float
    gap: float
    widths: Widths

    @property
    def leading(self) -> float:
        """From one line of a cell to the next."""
        return self.size * 1.3

    def lines(self, cells: tuple[str, ...], *, bold: bool = False) -> tuple[tuple[str, ...], ...]:
        """Each cell of a row in the lines that its column has room for."""
        return tuple(
            broken(cell, self.size, width - self.gap, bold=bold)
            for cell, width in zip(cells, self.widths, strict=True)
        )


def table_of(sheet: ReportSheet) -> Table:
    """The largest shape that has room for a report's table."""
    inner, gap, needed = 0.0, 0.0, Widths()
    for (width, height), size, gap in _SHAPES:
        inner, needed = width - 2 * EDGE, _needed(sheet, size, gap, width - 2 * EDGE)
        if sum(needed) <= inner:
            return Table(width, height, size, gap, _spread(needed, inner))
    return Table(*_TURNED, SIZE_LEAST, gap, _squeezed(needed, inner))


def _needed(sheet: ReportSheet, size: float, gap: float, inner: float) -> Widths:
    """What each column needs: its figures on one line, its head on three; the first, whose labels may break,
    at most a part of the page."""
    heads, body = sheet.heads, (*sheet.rows, *([sheet.total] if sheet.total else []))
    found = []
    for column, head in enumerate(heads):
        cells = max((width_of(row[column], size) for row in body), default=0.0)
        if sheet.total:
            cells = max(cells, width_of(sheet.total[column], size, bold=True))
        wide = max([cells, *(width_of(part.rstrip(), size, bold=True) for part in pieces(head))])
        while len(broken(head, size, wide, bold=True)) > _HEAD_LINES:
            wide += _STEP
        found.append(wide + gap + _SLACK)
    share = inner * (0.6 if len(heads) < 5 else 0.35)
    return (min(max(found[0], _FIRST_LEAST), share), *found[1:])


def _spread(needed: Widths, inner: float) -> Widths:
    """The room that is left goes to the figures, equally wide where that is enough for each."""
    first, others = needed[0], needed[1:]
    if not others:
        return (inner,)
    equal = (inner - first) / len(others)
    if equal >= max(others):
        return (first, *([equal] * len(others)))
    more = (inner - sum(needed)) / len(others)
    return (first, *(width + more for width in others))


def _squeezed(needed: Widths, inner: float) -> Widths:
    """More than a turned page has: the labels break first, then the figures of the widest columns."""
    first = max(_FIRST_LEAST, needed[0] - (sum(needed) - inner))
    part = min(1.0, (inner - first) / sum(needed[1:]))
    return (first, *(width * part for width in needed[1:]))
