"""The key for the safe as a page: A4, read by eyes, over the phone and by a scanner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.documents.safe_sheet import SheetOf, key_lines, safe_page
from app.i18n import Words
from app.protocol.evolving import StartKey
from printing.key_sheet_pdf import key_sheet_pdf
from tests.printing.readers import codes_on, pdf_fonts, pdf_lines, pdf_pictures, pdf_sizes_mm, tones

KEY = StartKey(17, bytes(range(7, 39)))
OF = SheetOf("南山海岸店", "1", "2026-11-22 10:12", "")


@pytest.fixture(params=["zh_CN", "en"])
def words(request: pytest.FixtureRequest) -> Words:
    return Words(request.param)


def test_it_is_one_a4_page_with_its_fonts(words: Words, tmp_path: Path) -> None:
    pdf = key_sheet_pdf(safe_page(words, OF, KEY))
    ((width, height),) = pdf_sizes_mm(pdf, tmp_path)
    assert width == pytest.approx(210, abs=0.1)
    assert height == pytest.approx(297, abs=0.1)
    assert {embedded for _, embedded in pdf_fonts(pdf, tmp_path)} == {"yes"}


def test_both_readers_read_the_same_key_from_the_code(words: Words, tmp_path: Path) -> None:
    (picture,) = pdf_pictures(key_sheet_pdf(safe_page(words, OF, KEY)), tmp_path, dpi=150)
    seen = codes_on(picture)
    assert seen.zxing == seen.zbar
    ((kind, text),) = seen.zxing
    assert kind == "qr"
    assert StartKey.of_text(text) == KEY


def test_the_groups_on_the_page_are_the_key_and_the_lines_are_those_of_the_window(
    words: Words, tmp_path: Path
) -> None:
    read = " ".join(pdf_lines(key_sheet_pdf(safe_page(words, OF, KEY)), tmp_path))
    for n, line in enumerate(key_lines(KEY.text()), 1):
        assert f"{n} {line}" in read
    sheet = safe_page(words, OF, KEY)
    assert [len(groups) for groups in sheet.lines] == [4, 4, 4, 4]
    assert StartKey.of_text(" ".join(" ".join(groups) for groups in sheet.lines)) == KEY


def test_the_check_group_shows_each_wrong_sign() -> None:
    """It is the end of a digest of all that stands before it: the sheet may promise that."""
    body, check = KEY.text()[:-4], KEY.text()[-4:]
    for at, sign in enumerate(body):
        if sign != " ":
            misread = body[:at] + ("B" if sign != "B" else "C") + body[at + 1 :] + check
            with pytest.raises(ValueError, match="sign is wrong"):
                StartKey.of_text(misread)


def test_it_says_whose_it_is_what_for_and_when(tmp_path: Path) -> None:
    said = " ".join(pdf_lines(key_sheet_pdf(safe_page(Words("en"), OF, KEY)), tmp_path))
    for text in (
        "Audit key of this till", "Shop 南山海岸店", "Till 1", "Made on 2026-11-22 10:12",
        "Entries from number 17 on", "What it is for", "When it is needed", "Reading it out",
        "Keeping it", "regulars verify-audit", "Signature of the owner", "check group",
    ):  # fmt: skip
        assert text in said


def test_a_demo_till_says_so(words: Words, tmp_path: Path) -> None:
    pdf = key_sheet_pdf(safe_page(words, replace(OF, mark="DEMO"), KEY))
    assert pdf_lines(pdf, tmp_path)[0].endswith(" DEMO")


def test_the_longest_name_of_a_shop_stays_on_the_page(words: Words, tmp_path: Path) -> None:
    pdf = key_sheet_pdf(safe_page(words, replace(OF, shop="南山海岸茶与咖啡" * 10), KEY))
    assert len(pdf_sizes_mm(pdf, tmp_path)) == 1
    said = "".join(pdf_lines(pdf, tmp_path)).replace(" ", "")
    assert "南山海岸茶与咖啡" * 10 in said
    (picture,) = pdf_pictures(pdf, tmp_path, dpi=72)
    right = picture.crop((picture.width - 40, 0, picture.width, picture.height))
    assert tones(right)[0] > 200, "nothing runs over the edge"


def test_the_same_key_gives_the_same_bytes(words: Words) -> None:
    sheet = safe_page(words, OF, KEY)
    assert key_sheet_pdf(sheet) == key_sheet_pdf(sheet)
