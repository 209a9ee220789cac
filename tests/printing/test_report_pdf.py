"""Reports on A4: every figure is there, at a size that can be read, whatever the table is like."""

from __future__ import annotations

import itertools
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from printing.report import ChartData, ReportSheet
from printing.report_pdf import report_pdf
from printing.report_table import EDGE, SIZE, SIZE_LEAST, table_of
from printing.writing import width_of
from tests.printing.readers import pdf_lines, pdf_pictures, pdf_sizes_mm, tones

HEADS = (
    "Person", "Sales", "Before discounts", "Discounts", "Paid with points", "Sold", "Refunded",
    "Takings", "Voids", "Week before",
)  # fmt: skip


def sheet(heads: tuple[str, ...] = HEADS, figure: str = "¥1,234.50", lines: int = 5) -> ReportSheet:
    row = ("林晓", *([figure] * (len(heads) - 1)))
    return ReportSheet(
        title="By person", shop="Nanshan Coast", period="2026-11-01 to 2026-11-21",
        filters=("Till 1",), heads=heads, rows=(row,) * lines, total=("Total", *row[1:]), notes=(),
        chart=None, made="Made 2026-11-22 10:12", empty="Nothing.",
    )  # fmt: skip


HOURS = ("Weekday", *(f"{hour:02d}" for hour in range(24)))
SHEETS = {
    "small figures": sheet(),
    "a million": sheet(figure="¥1,234,567.89"),
    "a thousand million": sheet(figure="−¥1,234,567,890.12"),
    "after the count": sheet(figure="after the count"),
    "every hour": sheet(HOURS, "12,345"),
    "one column": sheet(("Figure", "This period")),
    "no figures": sheet(("Figure",)),
    "long heads": sheet(("Person", *(["Share of sales with points used"] * 9))),
    "Chinese heads": sheet(("员工", *(["使用积分的消费所占比例"] * 9))),
    "long labels": replace(sheet(), rows=(("Customer changed their mind " * 6, *["1"] * 9),) * 3),
}


def sizes(pdf: bytes, folder: Path) -> set[float]:
    """Font sizes of every text, as poppler reads them from the page."""
    path = folder / "sizes.pdf"
    path.write_bytes(pdf)
    said = subprocess.run(
        ["pdftotext", "-bbox-layout", str(path), "-"], capture_output=True, check=True
    ).stdout.decode()
    boxes = re.findall(r'<word [^>]*yMin="([\d.]+)"[^>]*yMax="([\d.]+)"', said)
    assert boxes
    return {round(float(bottom) - float(top), 1) for top, bottom in boxes}


@pytest.mark.parametrize("name", SHEETS)
def test_no_text_is_smaller_than_seven_points(name: str, tmp_path: Path) -> None:
    assert table_of(SHEETS[name]).size >= SIZE_LEAST
    assert min(sizes(report_pdf([SHEETS[name]], title="x"), tmp_path)) >= SIZE_LEAST


@pytest.mark.parametrize("name", SHEETS)
def test_every_word_and_figure_is_on_the_page(name: str, tmp_path: Path) -> None:
    one = SHEETS[name]
    read = "".join(pdf_lines(report_pdf([one], title="x"), tmp_path)).replace(" ", "")
    for row in (one.heads, *one.rows, one.total):
        for cell in row:
            parts = cell.split() if row is one.heads or cell == row[0] else [cell]
            assert all(part.replace(" ", "") in read or _apart(part, read) for part in parts), cell


def _apart(part: str, read: str) -> bool:
    """A Chinese head in lines of its own is drawn column by column: its signs are all there."""
    return not part.isascii() and all(sign in read for sign in part)


@pytest.mark.parametrize("name", SHEETS)
def test_cells_stay_inside_their_columns_and_the_table_inside_the_page(name: str) -> None:
    one, table = SHEETS[name], table_of(SHEETS[name])
    assert sum(table.widths) <= table.width - 2 * EDGE + 0.1
    for row, bold in ((one.heads, True), *((row, False) for row in one.rows), (one.total, True)):
        for lines, width in zip(table.lines(row, bold=bold), table.widths, strict=True):
            assert all(width_of(line, table.size, bold=bold) <= width for line in lines)


@pytest.mark.parametrize("name", SHEETS)
def test_nothing_is_drawn_over_the_edges(name: str, tmp_path: Path) -> None:
    for picture in pdf_pictures(report_pdf([SHEETS[name]], title="x"), tmp_path, dpi=72):
        wide, high = picture.size
        for area in ((0, 0, 40, high), (wide - 40, 0, wide, high), (0, high - 20, wide, high)):
            assert tones(picture.crop(area))[0] > 200


def test_figures_stay_on_one_line_and_heads_on_three(tmp_path: Path) -> None:
    for name in ("small figures", "a million", "after the count", "every hour", "long heads"):
        one, table = SHEETS[name], table_of(SHEETS[name])
        assert max(len(lines) for lines in table.lines(one.heads, bold=True)) <= 3
        assert all(len(lines) == 1 for lines in table.lines(one.rows[0])[1:])
        assert all(len(lines) == 1 for lines in table.lines(one.total, bold=True)[1:])


def test_a_page_is_turned_only_where_its_table_needs_it(tmp_path: Path) -> None:
    pdf = report_pdf([SHEETS["small figures"], SHEETS["a million"], sheet()], title="x")
    upright = [wide < high for wide, high in pdf_sizes_mm(pdf, tmp_path)]
    assert upright == [True, False, True]
    assert table_of(SHEETS["small figures"]).size == SIZE


def test_the_heads_come_again_on_each_page_and_the_total_is_never_alone(tmp_path: Path) -> None:
    for lines in range(36, 50):
        pdf = report_pdf([sheet(lines=lines)], title="x")
        pages = len(pdf_sizes_mm(pdf, tmp_path))
        read = pdf_lines(pdf, tmp_path)
        assert sum(line.startswith("Person") for line in read) == pages
        total = next(n for n, line in enumerate(read) if line.startswith("Total"))
        assert read[total - 1].startswith("林晓")


def test_notes_that_have_no_room_go_to_the_next_page(tmp_path: Path) -> None:
    for lines in range(36, 50):
        one = replace(sheet(lines=lines), notes=("First note.", "Second note."))
        pdf = report_pdf([one], title="x")
        assert {"First note.", "Second note."} <= set(pdf_lines(pdf, tmp_path))
        for picture in pdf_pictures(pdf, tmp_path, dpi=72):
            foot = picture.crop((0, picture.height - 42, 300, picture.height - 38))
            assert tones(foot)[0] > 200, "nothing lies between the last line and the foot"


def test_a_name_with_rare_han_is_drawn_and_can_be_copied(tmp_path: Path) -> None:
    one = replace(sheet(), rows=(("王𬎆", *(["1"] * 9)),))
    read = "".join(pdf_lines(report_pdf([one], title="x"), tmp_path))
    assert "王𬎆" in read.replace(" ", "")


def test_bars_that_are_left_out_are_told(tmp_path: Path) -> None:
    labels = tuple(f"11-{day:02d}" for day in range(1, 29))
    bars = ChartData("bars", "Takings", labels, (5,) * 28, ("5",) * 28, more="The first 12 of 28")
    read = pdf_lines(report_pdf([replace(sheet(), chart=bars)], title="x"), tmp_path)
    assert "The first 12 of 28" in read
    assert "11-12" in " ".join(read)
    assert "11-13" not in " ".join(read)


def test_the_same_sheets_give_the_same_bytes() -> None:
    for one, two in itertools.pairwise(report_pdf([sheet()], title="x") for _ in range(2)):
        assert one == two
