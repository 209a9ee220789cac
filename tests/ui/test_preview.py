"""The preview paints every cell of the page at its place."""

from __future__ import annotations

from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from printing.document import QR, Code1D, Doc, Pair, Row, RowCell, Text
from printing.layout import COLUMNS_80_MM, Line, Page, lay_out
from ui.preview import PAPER, SlipPreview, paint_page
from ui.theme import Look


def page() -> Page:
    blocks = (
        Text("南山海岸店", role="title"),
        Row((RowCell("铁观音"), RowCell("2", 4, "right"), RowCell("¥38.00", 10, "right"))),
        Pair("应收", "¥309.60", role="total"),
        Text("补打 COPY 1", role="banner"),
        Code1D("T1-0417-8KQ3"),
        QR("T1-0417-8KQ3"),
    )
    return lay_out(Doc("sale", "T1-0417", ("zh_CN",), blocks), COLUMNS_80_MM)


def painted(page: Page) -> QImage:
    image = QImage(page.dots, page.height_dots, QImage.Format.Format_RGB32)
    image.fill(PAPER)
    painter = QPainter(image)
    paint_page(painter, page)
    painter.end()
    return image


def dark(image: QImage, left: int, top: int, wide: int, high: int) -> int:
    return sum(
        image.pixelColor(x, y).lightness() < 128
        for x in range(left, left + wide)
        for y in range(top, top + high)
    )


def test_every_cell_has_ink_and_blank_columns_have_none(qapp: QApplication) -> None:
    laid = page()
    image, top = painted(laid), 0
    for element in laid.elements:
        if isinstance(element, Line) and not element.invert:
            filled = set()
            for cell in element.cells:
                if cell.text.strip():
                    wide = cell.columns * 12
                    assert dark(image, cell.column * 12, top, wide, element.height_dots) > 10
                filled |= set(range(cell.column - 1, cell.column + cell.columns + 1))
            for column in set(range(laid.columns)) - filled:
                assert dark(image, column * 12, top, 12, element.height_dots) == 0
        top += element.height_dots


def test_the_slip_is_read_aloud_line_by_line(qapp: QApplication) -> None:
    preview = SlipPreview(Look("light"))
    preview.show_page(page())
    assert preview.accessibleDescription().split("\n") == page().strings()


def test_the_paper_keeps_its_shape(qapp: QApplication) -> None:
    laid, preview = page(), SlipPreview(Look("light", scale_percent=150))
    preview.show_page(laid)
    assert abs(preview.width() - 640) <= 1
