"""printing.pdf: what readers that are not ours find in the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from printing.document import Doc, Image, Text
from printing.layout import Bitmap, Line, Page, lay_out
from printing.pdf import receipt_pdf
from tests.printing import golden
from tests.printing.readers import (
    codes_on,
    pdf_fonts,
    pdf_lines,
    pdf_pictures,
    pdf_sizes_mm,
    tones,
)
from tests.printing.receipts import NUMBER, QR_LINK, normal_receipt, random_receipt

WIDTHS = (32, 48)


def unspaced(lines: list[str]) -> list[str]:
    """Lines without blanks, empty ones left out: a PDF has places, not spaces."""
    return [bare for line in lines if (bare := "".join(line.split()))]


@pytest.mark.parametrize("seed", range(100))
def test_a_random_receipt_says_the_same_lines_as_its_layout(seed: int, tmp_path: Path) -> None:
    for columns in WIDTHS:
        page = lay_out(random_receipt(seed), columns)
        read = pdf_lines(receipt_pdf(page, title="x"), tmp_path)
        assert unspaced(read) == unspaced(page.strings())


@pytest.mark.parametrize(
    ("name", "page"),
    list(golden.pages()),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_golden_receipt_has_its_fonts_its_size_and_ink_in_the_same_cells(
    name: str, page: Page, tmp_path: Path
) -> None:
    pdf = receipt_pdf(page, title=name)
    fonts = pdf_fonts(pdf, tmp_path)
    assert {embedded for _, embedded in fonts} == {"yes"}
    assert all("Noto" in font or "RareHan" in font for font, _ in fonts)
    ((width, height),) = pdf_sizes_mm(pdf, tmp_path)
    assert width == pytest.approx(page.paper_mm, abs=0.1)
    assert height == pytest.approx(page.height_dots / 8 + 8, abs=0.1)
    assert ink_off_the_grid(page, pdf, tmp_path) == []


def ink_off_the_grid(page: Page, pdf: bytes, folder: Path) -> list[tuple[str, int]]:
    """(line, column) wherever the drawn PDF has no ink for a character, or ink where there is
    none.
    """
    (picture,) = pdf_pictures(pdf, folder, dpi=203.2)
    wrong = []
    top = 32
    for element in page.elements:
        if isinstance(element, Line):
            full: set[int] = set()
            for cell in element.cells:
                for column, taken, character in cell.characters(element.scale_x):
                    own = range(column, column + taken)
                    area = picture.crop(
                        (
                            page.margin_dots + own.start * 12,
                            top,
                            page.margin_dots + own.stop * 12,
                            top + element.height_dots,
                        )
                    )
                    dark, light = tones(area)
                    if character != " ":
                        full.update(own)
                        if light - dark < 80:
                            wrong.append((element.text, column))
            for column in set(range(page.columns)) - full:
                left = page.margin_dots + column * 12
                # One dot at each side is left out: a neighbour's edge is smoothed into it.
                blank = picture.crop((left + 1, top + 1, left + 11, top + element.height_dots - 1))
                dark, light = tones(blank)
                if light - dark > 80:
                    wrong.append((element.text, column))
        top += element.height_dots
    return wrong


@pytest.mark.parametrize("columns", WIDTHS)
def test_both_readers_read_the_codes_of_a_pdf_at_300_dpi(columns: int, tmp_path: Path) -> None:
    pdf = receipt_pdf(lay_out(normal_receipt(), columns), title="x")
    (picture,) = pdf_pictures(pdf, tmp_path, dpi=300)
    seen = codes_on(picture)
    assert seen.zxing == seen.zbar == {("code128", NUMBER), ("qr", QR_LINK)}


def test_a_character_that_no_font_has_can_still_be_copied_from_the_pdf(tmp_path: Path) -> None:
    pdf = receipt_pdf(lay_out(Doc("sale", "1", (), (Text("\U0002ebf0野家"),)), 48), title="x")
    assert unspaced(pdf_lines(pdf, tmp_path)) == ["\U0002ebf0野家"]


def test_the_same_page_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "import sys, hashlib; from printing.layout import lay_out; from printing.pdf import receipt_pdf;"
        "from tests.printing.receipts import normal_receipt;"
        "sys.stdout.write(hashlib.sha256(receipt_pdf(lay_out(normal_receipt(), 48), title='x')).hexdigest())"
    )
    assert len({subprocess.check_output([sys.executable, "-c", code]) for _ in range(2)}) == 1


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    page = lay_out(Doc("sale", "1", (), (Image("x"),)), 32, {"x": Bitmap(64, 64, b"\xff" * 512)})
    (picture,) = pdf_pictures(receipt_pdf(page, title="x"), tmp_path, dpi=203.2)
    assert picture.getpixel((58 * 4, 32 + 30)) == 0
    assert picture.getpixel((58 * 4 - 40, 32 + 30)) == 255
