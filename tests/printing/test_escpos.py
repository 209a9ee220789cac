"""printing.escpos: the bytes, read back by a reader that shares no code with them."""

from __future__ import annotations

import pytest

from printing.document import QR, Block, Code1D, Cut, Doc, Image, Text
from printing.escpos import PROFILE_58_MM, PROFILE_80_MM, Profile, bands, receipt_bytes
from printing.layout import Bars, Bitmap, Line, Matrix, Page, lay_out
from printing.raster import element_bitmap
from tests.printing.bench_receipts import job_bytes, numbered_receipt, stored_receipts
from tests.printing.escpos_reader import EscPosReader, Printed
from tests.printing.receipts import NUMBER, QR_LINK, normal_receipt, random_receipt

PROFILES = (PROFILE_58_MM, PROFILE_80_MM)
RASTER_ONLY = Profile(48, "raster-only", native_codes=False)


def job(*blocks: Block, profile: Profile = PROFILE_80_MM) -> bytes:
    return receipt_bytes(lay_out(Doc("sale", "1", ("zh_CN",), blocks), profile.columns), profile)


def printed(*blocks: Block, profile: Profile = PROFILE_80_MM) -> list[Printed]:
    return EscPosReader(job(*blocks, profile=profile)).read()


def placed(printed: Printed) -> list[tuple[int, str]]:
    """(column, text) of what is not blank in a printed line."""
    found: list[tuple[int, str]] = []
    for run in printed.runs:
        column = run.column
        for character in run.text:
            if character != " ":
                found.append((column, character))
            column += run.wide * (1 if character.isascii() else 2)
    return found


def expected(line: Line) -> list[tuple[int, str]]:
    return [
        (column, character)
        for cell in line.cells
        for column, _, character in cell.characters(line.scale_x)
        if character != " "
    ]


def compare(page: Page, paper: list[Printed]) -> int:
    """Walks page and paper side by side; the number of lines and codes that were compared."""
    things = iter(paper)
    compared = 0
    for element in page.elements:
        match element:
            case Line(raster=False):
                thing = next(things)
                assert thing.kind == "text"
                assert thing.text.rstrip() == element.text.rstrip()
                assert placed(thing) == expected(element)
                assert thing.columns <= page.columns
                for run in thing.runs:
                    assert run.high == element.scale_y
                    assert (run.bold, run.invert) == (element.bold, element.invert)
            case Line():
                thing = next(things)
                drawn = element_bitmap(element, page.columns)
                assert (thing.kind, thing.rows) == (
                    "image",
                    drawn.rows.replace(b"\x10\x14", b"\x10\x15"),
                )
            case Bars():
                thing = next(things)
                assert (thing.kind, thing.data, thing.centered) == ("code128", element.data, True)
            case Matrix():
                before, thing, after = next(things), next(things), next(things)
                assert before.text == after.text == ""
                assert (thing.kind, thing.data, thing.centered) == ("qr", element.data, True)
                assert thing.module == element.module_dots
            case _:
                continue
        compared += 1
    return compared


@pytest.mark.parametrize("profile", PROFILES, ids=("58mm", "80mm"))
@pytest.mark.parametrize("seed", range(100))
def test_a_random_receipt_is_read_back_line_by_line_and_column_by_column(
    seed: int, profile: Profile
) -> None:
    page = lay_out(random_receipt(seed), profile.columns)
    paper = EscPosReader(receipt_bytes(page, profile)).read()
    assert compare(page, paper) >= 6


@pytest.mark.parametrize("seed", range(30))
def test_a_printer_without_chinese_gets_every_line_as_a_picture(seed: int) -> None:
    page = lay_out(random_receipt(seed), 48)
    paper = EscPosReader(receipt_bytes(page, RASTER_ONLY)).read()
    assert {thing.kind for thing in paper} <= {"image", "text", "cut"}
    assert all(not thing.text for thing in paper)


def test_a_job_begins_as_the_sheet_says() -> None:
    assert job(Text("a")).startswith(bytes.fromhex("1b40 1b5200 1c26"))
    assert job(Text("a"), profile=RASTER_ONLY).startswith(bytes.fromhex("1b40 1b5200 1c2e 1d7630"))


def test_styles_are_sent_as_the_sheet_says() -> None:
    title = job(Text("会员店", "title"))
    assert bytes.fromhex("1d2111 1c210c") + "会员店".encode("gb18030") + b"\n" in title
    assert job(Text("a", "strong")).endswith(bytes.fromhex("1b4501 61 0a"))
    assert bytes.fromhex("1d4201") in job(Text("补打", "banner"))


def test_a_bar_code_is_sent_as_the_sheet_says() -> None:
    sent = job(Code1D("AB-123456"))
    assert (
        bytes.fromhex("1b6101 1d4802 1d6600 1d6850 1d7703 1d6b49 0a 7b42 41422d 7b43 0c2238")
        in sent
    )


def test_a_brace_in_a_bar_code_is_not_taken_for_a_command() -> None:
    assert [thing.data for thing in printed(Code1D("a{b")) if thing.kind == "code128"] == ["a{b"]


def test_a_qr_code_is_sent_as_the_sheet_says() -> None:
    assert bytes.fromhex(
        "1d286b0400 31413200 1d286b0300 314306 1d286b0300 314531 1d286b0500 315030 6869 1d286b0300 315130"
    ) in job(QR("hi"))


@pytest.mark.parametrize(
    ("cutter", "end"),
    [("partial", b"\x1dVB\x00"), ("full", b"\x1dVA\x00"), ("none", b"\n\n\n\n")],
)
def test_the_paper_is_cut_as_far_as_the_printer_can(cutter: str, end: bytes) -> None:
    profile = {
        "partial": PROFILE_80_MM,
        "full": Profile(48, cutter="full"),
        "none": Profile(48, cutter="none"),
    }
    assert job(Text("a"), Cut(), profile=profile[cutter]).endswith(b"a\n" + end)


def test_an_inverted_line_is_black_over_the_whole_paper() -> None:
    for profile in PROFILES:
        for text in ("补打 COPY 1", "作废", "训练模式 TRAINING MODE ONLY"):
            (line,) = printed(Text(text, "banner"), profile=profile)
            assert line.columns == profile.columns


def test_a_line_that_the_code_page_lacks_is_drawn_between_lines_of_text() -> None:
    kinds = [thing.kind for thing in printed(Text("甲"), Text("𠮷野家"), Text("乙"))]
    assert kinds == ["text", "image", "text"]


@pytest.mark.parametrize("height", [1, 47, 48, 96, 99, 100, 101, 148, 200, 248, 1000])
def test_no_band_is_higher_than_100_rows_or_a_multiple_of_48(height: int) -> None:
    bitmap = Bitmap(16, height, bytes(range(256)) * (2 * height // 256) + bytes(2 * height % 256))
    cut = bands(bitmap)
    assert all(band.height <= 100 and band.height % 48 for band in cut)
    assert all(len(band.rows) == 2 * band.height for band in cut)
    whole = b"".join(band.rows for band in cut)
    assert whole.startswith(bitmap.rows[: 200 * (height // 100)])
    assert len(whole) - len(bitmap.rows) in (0, 2)


def test_a_picture_is_sent_in_bands() -> None:
    picture = Bitmap(64, 148, b"\xaa" * 8 * 148)
    page = lay_out(Doc("sale", "1", (), (Image("x"),)), 48, {"x": picture})
    paper = EscPosReader(receipt_bytes(page, PROFILE_80_MM)).read()
    assert [thing.height for thing in paper] == [100, 54]


def test_no_picture_holds_a_real_time_command_that_opens_the_drawer() -> None:
    picture = Bitmap(64, 1, bytes.fromhex("0010 1401 0008 1014"))
    page = lay_out(Doc("sale", "1", (), (Image("x"),)), 48, {"x": picture})
    sent = receipt_bytes(page, PROFILE_80_MM)
    assert b"\x10\x14" not in sent
    assert bytes.fromhex("0010 1501 0008 1015") in sent


def test_the_codes_of_a_normal_receipt_reach_the_printer() -> None:
    for profile in PROFILES:
        paper = EscPosReader(
            receipt_bytes(lay_out(normal_receipt(), profile.columns), profile)
        ).read()
        assert [thing.data for thing in paper if thing.data] == [NUMBER, QR_LINK]


def test_a_stored_receipt_prints_as_its_document_did() -> None:
    (stored,) = stored_receipts(1)
    page = lay_out(numbered_receipt(0), PROFILE_80_MM.columns)
    assert job_bytes(stored) == receipt_bytes(page, PROFILE_80_MM)


def test_only_commands_of_the_white_list_are_sent() -> None:
    asked: set[str] = set()
    for seed in range(40):
        for profile in (*PROFILES, RASTER_ONLY):
            reader = EscPosReader(
                receipt_bytes(lay_out(random_receipt(seed), profile.columns), profile)
            )
            reader.read()
            asked.update(reader.commands)
    assert asked == {
        *("ESC @", "ESC R", "ESC E", "ESC a", "FS &", "FS .", "FS !", "GS !", "GS B"),
        *("GS H", "GS f", "GS h", "GS w", "GS k", "GS ( k", "GS v 0", "GS V"),
    }
