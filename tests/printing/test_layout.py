"""printing.layout and printing.columns: where every word stands, on both papers."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest

from printing.columns import carried, columns_of, paper_text, wrap
from printing.document import QR, Block, Code1D, Doc, Image, Pair, Progress, Row, RowCell, Text
from printing.layout import Bars, Bitmap, Line, Matrix, Page, Picture, lay_out
from tests.printing.receipts import item, normal_receipt, random_receipt, random_row

WIDTHS = (32, 48)


def page(*blocks: Block, columns: int = 32) -> Page:
    return lay_out(Doc("sale", "1", ("zh_CN",), blocks), columns)


def said(*blocks: Block, columns: int = 32) -> list[str]:
    return page(*blocks, columns=columns).strings()


def only_line(*blocks: Block, columns: int = 32) -> Line:
    (element,) = page(*blocks, columns=columns).elements
    assert isinstance(element, Line)
    return element


def test_width_is_the_length_in_the_printers_encoding_not_in_a_terminal() -> None:
    for character in "×·—…①★■→℃“°":
        assert columns_of(character) == 2
        assert unicodedata.east_asian_width(character) not in "WF"
    assert columns_of("Ab1") == 3
    assert columns_of("会员，￥") == 8


def test_what_gb18030_writes_in_four_bytes_is_drawn() -> None:
    assert carried("会员 ￥①★→€")
    for text in ("𠮷", "㐀", "Łódź", "한국", "😀", "\ue000"):
        assert not carried(text), text
    assert only_line(Text("𠮷野家")).raster
    assert not only_line(Text("吉野家")).raster


def test_letters_that_a_chinese_printer_sets_too_wide_are_drawn_narrow() -> None:
    line = only_line(Text("Café Łódź Αθήνα Москва"))
    assert line.raster
    assert line.cells[0].columns == 22


def test_yen_and_minus_become_the_ones_that_printers_have() -> None:
    assert paper_text("−¥5") == "-￥5"


def test_control_and_invisible_characters_never_reach_paper() -> None:
    assert paper_text("a\x1b@b\u200b\u202ec\ufe0fd\x00\r") == "a@bcd"
    assert paper_text("a\u00a0b\u3000c") == "a b  c"


def test_a_letter_and_its_accent_become_one_character() -> None:
    assert paper_text("Cafe\u0301") == "Café"


def assert_in_place(page: Page) -> None:
    for element in page.elements:
        if not isinstance(element, Line):
            continue
        end = 0
        for cell in element.cells:
            assert cell.column >= end
            assert cell.columns == columns_of(cell.text) * element.scale_x
            end = cell.column + cell.columns
        assert end <= page.columns


@pytest.mark.parametrize("columns", [24, 32, 42, 48])
@pytest.mark.parametrize("seed", range(100))
def test_no_line_is_wider_than_the_paper_and_no_cell_meets_another(seed: int, columns: int) -> None:
    assert_in_place(lay_out(random_receipt(seed), columns))


@pytest.mark.parametrize("columns", [24, 32, 42, 48])
def test_rows_of_any_shape_stay_in_place(columns: int) -> None:
    for seed in range(500):
        assert_in_place(page(random_row(seed), columns=columns))


def test_the_shop_name_steps_down_instead_of_losing_one_character_to_a_new_line() -> None:
    name = Text("云杉茶饮 · 人民路店", "title")
    wide, narrow = only_line(name, columns=48), only_line(name, columns=32)
    assert (wide.scale_x, wide.scale_y) == (2, 2)
    assert (narrow.scale_x, narrow.scale_y) == (1, 2)


def test_a_name_too_long_for_any_size_wraps_tall() -> None:
    lines = page(Text("云杉茶饮国际贸易股份有限公司上海人民路店", "title")).elements
    assert [(line.scale_x, line.scale_y) for line in lines if isinstance(line, Line)] == [
        (1, 2)
    ] * 2


def test_a_date_is_never_broken() -> None:
    assert said(Pair("即将到期的积分 Expiring on 2026-12-31", "12,300")) == [
        "即将到期的积分            12,300",
        "Expiring on 2026-12-31",
    ]


def test_words_are_broken_between_and_not_inside() -> None:
    assert wrap("会员赠饮 Member gift", 14) == ["会员赠饮", "Member gift"]
    assert wrap("Thank you for shopping", 12) == ["Thank you", "for shopping"]


def test_a_chinese_date_and_a_number_with_its_measure_word_stay_together() -> None:
    assert wrap("有效期至2026年12月31日满100元减20元", 18) == [
        "有效期至",
        "2026年12月31日满",
        "100元减20元",
    ]


def test_a_line_never_starts_with_closing_nor_ends_with_opening_punctuation() -> None:
    for limit in range(8, 30):
        for line in wrap("珍珠奶茶（大杯·少糖·去冰），加《椰果》两份。“谢谢”，再见！", limit):
            assert line[0] not in "，。）》·！”"
            assert line[-1] not in "（《“"


def test_a_word_longer_than_the_paper_is_cut_after_a_separator() -> None:
    assert wrap("https://example.cn/receipts/2026", 24) == ["https://example.cn/", "receipts/2026"]


def test_wrapping_loses_nothing_but_spaces() -> None:
    for seed in range(100):
        for block in random_receipt(seed).blocks:
            if isinstance(block, Text):
                text = paper_text(block.text)
                for limit in (8, 13, 32):
                    lines = wrap(text, limit)
                    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
                    assert all(columns_of(line) <= limit for line in lines)


def test_the_second_language_shares_the_line_where_there_is_room_and_else_has_its_own() -> None:
    pair = Pair("储值卡支付", "￥1,000.00", "Stored value")
    assert said(pair, columns=48) == ["储值卡支付 Stored value               ￥1,000.00"]
    assert said(pair) == ["储值卡支付            ￥1,000.00", "Stored value"]


def test_a_value_too_wide_for_its_label_moves_down_whole() -> None:
    assert said(Pair("Receipt number", "01-000417-X7KQ-2026-11-21")) == [
        "Receipt number",
        "       01-000417-X7KQ-2026-11-21",
    ]


def test_a_value_that_moves_down_stands_below_both_languages() -> None:
    assert said(Pair("Receipt number", "01-000417-X7KQ-2026-11-21", "单号")) == [
        "Receipt number",
        "单号",
        "       01-000417-X7KQ-2026-11-21",
    ]


def test_money_widens_its_column() -> None:
    assert said(item("柠檬水", "×10", "1,234,567.00")) == ["柠檬水         ×10 1,234,567.00"]


def test_a_row_goes_to_two_lines_before_its_name_becomes_a_ladder() -> None:
    assert said(item("珍珠奶茶（大杯·少糖·去冰·加椰果）", "×2", "36.00")) == [
        "珍珠奶茶（大杯·少糖·去冰·",
        "加椰果）           ×2     36.00",
    ]


def test_fixed_cells_go_below_a_name_that_leaves_no_room_beside_its_end() -> None:
    assert said(item("珍珠奶茶（大杯·少糖·去冰·加椰果）大份", "×2", "123,456,789.00")) == [
        "珍珠奶茶（大杯·少糖·去冰·",
        "加椰果）大份",
        "              ×2 123,456,789.00",
    ]


def test_a_centred_text_has_no_lone_last_word() -> None:
    assert said(Text("Returns within 7 days with this slip.", align="center")) == [
        "        Returns within 7",
        "      days with this slip.",
    ]


def test_a_row_without_a_flexible_cell_that_is_too_wide_goes_below_itself() -> None:
    cells = tuple(RowCell(f"{n:,}.00", 12, "right", "keep") for n in (10**12, 10**12))
    for line in said(Row(cells)):
        assert line.strip() == "1,000,000,000,000.00"


def test_a_clipped_text_ends_at_a_whole_character() -> None:
    assert said(Text("云杉茶饮" * 5 + "a", fit="clip")) == ["云杉茶饮" * 4]


def test_a_line_feed_starts_a_new_line() -> None:
    assert said(Text("a\nb")) == ["a", "b"]


def test_progress_is_never_over_full_nor_below_empty() -> None:
    assert said(Progress(900, 100)) == ["■" * 16]
    assert said(Progress(-5, 100)) == ["□" * 16]
    assert said(Progress(50, 100)) == ["■" * 8 + "□" * 8]


def test_a_bar_code_takes_the_widest_bars_that_fit() -> None:
    sizes = {
        columns: [
            e.module_dots
            for e in page(Code1D("CPN2026112100042"), columns=columns).elements
            if isinstance(e, Bars)
        ]
        for columns in WIDTHS
    }
    assert sizes == {32: [2], 48: [3]}


def test_a_bar_code_too_long_for_the_paper_becomes_a_qr_code_with_its_text() -> None:
    matrix, line = page(Code1D("abcdefghijklmnopqrstuvwxyz")).elements
    assert isinstance(matrix, Matrix)
    assert isinstance(line, Line)
    assert matrix.data == line.text.strip() == "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("length", [1, 40, 120, 300])
def test_a_qr_code_fits_with_its_quiet_zone_at_four_dots_a_module_or_more(
    length: int, columns: int
) -> None:
    (matrix,) = page(QR("x" * length), columns=columns).elements
    assert isinstance(matrix, Matrix)
    assert matrix.module_dots >= 4
    assert matrix.left_dots >= matrix.quiet_dots
    assert len(matrix.modules) == matrix.size_modules == len(matrix.modules[0])


def test_a_picture_stands_in_the_middle_and_a_missing_one_is_left_out() -> None:
    doc = Doc("sale", "1", (), (Image("ab"), Image("cd")))
    (picture,) = lay_out(doc, 32, {"ab": Bitmap(84, 2, bytes(22))}).elements
    assert isinstance(picture, Picture)
    assert picture.left_dots == 150


def test_paper_is_as_wide_as_it_is_sold() -> None:
    narrow, wide = (lay_out(normal_receipt(), columns) for columns in WIDTHS)
    assert (narrow.paper_mm, narrow.dots, narrow.margin_dots) == (58, 384, 40)
    assert (wide.paper_mm, wide.dots, wide.margin_dots) == (80, 576, 32)


def test_importing_the_layout_brings_in_no_imaging_and_no_pdf_library() -> None:
    code = "import sys, printing.layout; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert not loaded & {"PIL", "reportlab", "segno", "fontTools", "PySide6", "numpy"}
