"""printing.raster: the picture has ink where the layout has characters, and nowhere else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from printing.document import Cut, Doc, Text
from printing.fonts import face_for
from printing.layout import Bitmap, Line, Page, lay_out
from printing.raster import element_bitmap, page_ink, png
from resources import FONT_MONO, FONT_RARE, FONT_SANS, FONT_SANS_BOLD
from tests.printing import golden
from tests.printing.readers import codes_on
from tests.printing.receipts import NUMBER, QR_LINK, normal_receipt, random_receipt

WIDTHS = (32, 48)


def inked_columns(line: Line, bitmap: Bitmap) -> set[int]:
    """The paper columns of a drawn line in which there is ink (or in which it is missing, on an
    inverted line).
    """
    image = Image.frombytes("1", (bitmap.width, bitmap.height), bitmap.rows).convert("L")
    if line.invert:
        image = ImageChops.invert(image)
    return {
        column
        for column in range(bitmap.width // 12)
        if image.crop((column * 12, 0, column * 12 + 12, bitmap.height)).getbbox()
    }


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("seed", range(100))
def test_every_character_is_drawn_in_its_cell_and_nothing_beside_it(
    seed: int, columns: int
) -> None:
    for element in lay_out(random_receipt(seed), columns).elements:
        if isinstance(element, Line):
            inked = inked_columns(element, element_bitmap(element, columns))
            wanted: set[int] = set()
            for cell in element.cells:
                for column, taken, character in cell.characters(element.scale_x):
                    if character != " ":
                        own = set(range(column, column + taken))
                        assert inked & own, f"{character!r} left no ink"
                        wanted |= own
            assert inked <= wanted


def test_a_page_is_its_elements_one_below_the_other() -> None:
    page = lay_out(normal_receipt(), 48)
    parts = [element_bitmap(element, 48) for element in page.elements if element.height_dots]
    assert page_ink(page).tobytes() == b"".join(part.rows for part in parts)


def test_a_character_that_no_font_has_is_a_box_with_its_code_point() -> None:
    nobodys = "\U0002ebf0"
    assert face_for(nobodys, columns=2, bold=False) is None
    page = lay_out(Doc("sale", "1", (), (Text(nobodys),)), 32)
    (line,) = page.elements
    drawn = element_bitmap(line, 32)
    rows = [
        "".join(
            "#" if drawn.rows[row * 48 + dot // 8] >> (7 - dot % 8) & 1 else "."
            for dot in range(24)
        )
        for row in range(3, 27)
    ]
    assert rows[0] == rows[23] == "#" * 24
    assert all(row[0] == row[23] == "#" for row in rows)
    # 2 of 2EBF0, two dots a bit, in the left third of the upper half.
    assert [row[2:8] for row in rows[1:11:2]] == ["######", "....##", "######", "##....", "######"]


def test_faces_follow_the_cell() -> None:
    assert face_for("a", columns=1, bold=False) == FONT_MONO
    assert face_for("Ł", columns=1, bold=False) == FONT_MONO
    assert face_for("é", columns=1, bold=False) == FONT_MONO
    assert face_for("会", columns=2, bold=False) == FONT_SANS
    assert face_for("会", columns=2, bold=True) == FONT_SANS_BOLD
    assert face_for("𠮷", columns=2, bold=True) == FONT_RARE


def test_every_han_of_the_far_south_and_of_japan_has_a_face() -> None:
    """Hong Kong's supplementary set and JIS X 0213: where names go farthest beyond the common characters."""
    planes = [*range(0x3400, 0xA000), *range(0x20000, 0x2F800)]
    lacking = [
        chr(point)
        for codec in ("big5hkscs", "euc_jis_2004")
        for point in planes
        if _has(codec, chr(point)) and face_for(chr(point), columns=2, bold=False) is None
    ]
    assert lacking == []


def _has(codec: str, character: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("language", ["zh", "en", "both"])
def test_both_readers_read_the_codes_of_a_receipt_picture(language: str, columns: int) -> None:
    doc = {"zh": normal_receipt("zh"), "en": normal_receipt("en"), "both": normal_receipt("both")}[
        language
    ]
    seen = codes_on(Image.open(io.BytesIO(png(lay_out(doc, columns)))))
    assert seen.zxing == seen.zbar == {("code128", NUMBER), ("qr", QR_LINK)}


def test_a_picture_of_a_receipt_is_as_wide_as_its_paper() -> None:
    for columns, width in ((32, 58 * 8), (48, 80 * 8)):
        assert Image.open(io.BytesIO(png(lay_out(normal_receipt(), columns)))).width == width


def test_an_empty_slip_can_be_drawn() -> None:
    assert png(Page(48, ()))
    assert png(lay_out(Doc("sale", "1", (), (Cut(),)), 48))


@pytest.mark.parametrize(
    ("name", "page"),
    list(golden.pages()),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_golden_receipt_looks_as_it_was_approved(name: str, page: Page, tmp_path: Path) -> None:
    approved = Image.open(golden.FOLDER / f"{name}.png").convert("1")
    drawn = Image.open(io.BytesIO(png(page))).convert("1")
    assert drawn.size == approved.size
    changed = ImageChops.logical_xor(drawn, approved).histogram()[255]
    (tmp_path / f"{name}.png").write_bytes(png(page))
    # The rasteriser's version may move a dot at the edge of a stroke; a moved or other character
    # is hundreds.
    assert changed <= drawn.width * drawn.height // 5000, f"{changed} dots differ, see {tmp_path}"
