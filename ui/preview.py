"""A slip on screen: paints printing.layout's page, cell by cell, exactly as the printer lays it out."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from printing.layout import COLUMN_DOTS, GLYPH_DOTS, Bars, Line, Matrix, Page, Picture
from ui.theme import FAMILY, MONO_FAMILY, RARE_FAMILY, Look

PAPER: Final = QColor("#FFFFFF")
INK: Final = QColor("#101010")
FAINT: Final = QColor("#5A5A5A")
_EDGE_DOTS: Final = 16
_NARROW_PX: Final = 20
"""Pixel size at which a Noto Sans Mono digit fills a 12-dot column."""
_WIDE_PX: Final = 24


class SlipPreview(QWidget):
    """A page as paper. Its text is its accessible description, so a screen reader reads the slip."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._page: Page | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_page(self, page: Page) -> None:
        self._page = page
        self.setAccessibleDescription("\n".join(page.strings()))
        self.setFixedSize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        if self._page is None:
            return QSize(0, 0)
        wide, high = self._size_dots(self._page)
        return QSize(self._look.px(wide * 2 // 3), self._look.px(high * 2 // 3))

    @staticmethod
    def _size_dots(page: Page) -> tuple[int, int]:
        return page.dots + 2 * page.margin_dots, page.height_dots + 2 * _EDGE_DOTS

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._page is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        wide, high = self._size_dots(self._page)
        painter.scale(self.width() / wide, self.height() / high)
        painter.fillRect(QRect(0, 0, wide, high), PAPER)
        painter.translate(self._page.margin_dots, _EDGE_DOTS)
        paint_page(painter, self._page)
        painter.end()


def paint_page(painter: QPainter, page: Page) -> None:
    """Paint a page, one unit a printer dot, from the painter's origin down."""
    top = 0
    for element in page.elements:
        if isinstance(element, Line):
            _paint_line(painter, page, element, top)
        elif isinstance(element, Bars):
            _paint_bars(painter, element, top)
        elif isinstance(element, Matrix):
            _paint_matrix(painter, element, top)
        elif isinstance(element, Picture):
            _paint_picture(painter, element, top)
        top += element.height_dots


def _paint_line(painter: QPainter, page: Page, line: Line, top: int) -> None:
    if line.invert:
        painter.fillRect(QRect(0, top, page.dots, line.height_dots), INK)
    painter.setPen(PAPER if line.invert else FAINT if line.faint else INK)
    for cell in line.cells:
        for column, columns, character in cell.characters(line.scale_x):
            painter.save()
            painter.translate(column * COLUMN_DOTS, top)
            painter.scale(line.scale_x, line.scale_y)
            wide = columns // line.scale_x > 1
            painter.setFont(_font(wide=wide, bold=line.bold))
            box = QRectF(
                -COLUMN_DOTS / 2, 0, (2 if wide else 1) * COLUMN_DOTS + COLUMN_DOTS, GLYPH_DOTS
            )
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, character)
            painter.restore()


def _font(*, wide: bool, bold: bool) -> QFont:
    font = QFont([FAMILY if wide else MONO_FAMILY, RARE_FAMILY])
    font.setPixelSize(_WIDE_PX if wide else _NARROW_PX)
    heavy = QFont.Weight.DemiBold if wide else QFont.Weight.Bold
    font.setWeight(heavy if bold else QFont.Weight.Normal)
    return font


def _paint_bars(painter: QPainter, bars: Bars, top: int) -> None:
    left = bars.left_dots
    for at, modules in enumerate(bars.widths):
        wide = modules * bars.module_dots
        if at % 2 == 0:
            painter.fillRect(QRect(left, top, wide, bars.bar_height_dots), INK)
        left += wide
    painter.setPen(INK)
    painter.setFont(_font(wide=False, bold=False))
    code_wide = bars.modules * bars.module_dots
    text = QRect(bars.left_dots - 60, top + bars.bar_height_dots, code_wide + 120, GLYPH_DOTS)
    painter.drawText(text, Qt.AlignmentFlag.AlignCenter, bars.data)


def _paint_matrix(painter: QPainter, matrix: Matrix, top: int) -> None:
    step = matrix.module_dots
    for row, modules in enumerate(matrix.modules):
        for column, dark in enumerate(modules):
            if dark:
                at = QRect(
                    matrix.left_dots + column * step,
                    top + matrix.quiet_dots + row * step,
                    step,
                    step,
                )
                painter.fillRect(at, INK)


def _paint_picture(painter: QPainter, picture: Picture, top: int) -> None:
    bitmap = picture.bitmap
    stride = (bitmap.width + 7) // 8
    image = QImage(bitmap.rows, bitmap.width, bitmap.height, stride, QImage.Format.Format_Mono)
    image.setColorTable([PAPER.rgb(), INK.rgb()])
    painter.drawImage(picture.left_dots, top, image)
