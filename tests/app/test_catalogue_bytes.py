"""A catalogue file of any bytes: items or faults in words, never an error of ours, and never long work."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalogue_file import (
    COLUMNS,
    FAULTS_MOST,
    FILE_MOST_BYTES,
    LONGEST,
    PRICE_MOST_MINOR,
    ROWS_MOST,
    RowFault,
    catalogue_csv,
    file_bytes,
    read_catalogue,
    read_item,
)
from app.catalogue_words import fault_sentence
from app.i18n import Words

HEAD = b"code,name,price,per,tax\n"


def faults_of(row: bytes) -> list[tuple[str, str]]:
    """(column, code) of each fault of a file with this row; each has its sentence in both languages."""
    found = read_catalogue(HEAD + row, 2)
    for fault in found.faults:
        assert all(fault_sentence(Words(language), fault) for language in ("zh_CN", "en"))
    return [(fault.column, fault.code) for fault in found.faults]


@pytest.mark.parametrize(
    "number",
    ["1e2", "1E2", "1e999997", "1e9999999", "1_0", "+1", "-1", "-0", "1.", ".5", "NaN", "sNaN",
     "Infinity", "1,2", "1,00", "1,0000", "0x10", "1 0", "٣", "１²", "①", "--1"],
)  # fmt: skip
def test_what_is_no_plain_number_is_a_fault_of_its_cell(number: str) -> None:
    assert faults_of(f'A,B,"{number}",1,0\n'.encode()) == [("price", "invalid")]
    assert faults_of(f'A,B,1,1,"{number}"\n'.encode()) == [("tax", "invalid")]
    assert faults_of(f'A,B,1,"{number}",0\n'.encode()) == [("per", "invalid")]


@pytest.mark.parametrize(
    ("number", "minor"),
    [("12", 1200), ("12.5", 1250), ("12.50", 1250), ("12.500000", 1250), ("1,234,567.89", 123456789),
     ("１２．５", 1250), ("0", 0), ("007", 700)],
)  # fmt: skip
def test_a_plain_number_is_read_to_the_last_unit(number: str, minor: int) -> None:
    (item,) = read_catalogue(HEAD + f'A,B,"{number}",1,0\n'.encode(), 2).items
    assert item.price_minor == minor


@pytest.mark.parametrize("column", ["price", "per", "tax"])
def test_a_number_of_five_thousand_digits_is_too_long(column: str) -> None:
    cells = {"code": "A", "name": "B", "price": "1"} | {column: "1" * 5000}
    found = read_item(cells, 2)
    assert found.faults == (RowFault(0, column, "long"),)


@pytest.mark.parametrize("column", sorted(LONGEST))
def test_a_text_has_a_longest(column: str) -> None:
    cells = {"code": "A", "name": "B", "price": "1"}
    assert read_item(cells | {column: "x" * LONGEST[column]}, 2).faults == ()
    assert read_item(cells | {column: "x" * (LONGEST[column] + 1)}, 2).faults == (
        RowFault(0, column, "long"),
    )


@pytest.mark.parametrize(
    "unseen", ["\x00", "\x1b[2J", "\u202e", "\u200b", "\x07", "\ufeff", "\u2028", "\n", "\r"]
)
def test_a_character_that_nobody_sees_is_a_fault(unseen: str) -> None:
    assert faults_of(f'A,"te{unseen}a",1,1,0\n'.encode()) == [("name", "unseen")]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_lines_end_as_any_computer_ends_them(end: str) -> None:
    text = end.join(("code,name,price", "A,茶,1", "B,杯,2", ""))
    found = read_catalogue(text.encode(), 2)
    assert found.faults == ()
    assert [(item.line, item.code, item.price_minor) for item in found.items] == [
        (2, "A", 100), (3, "B", 200),
    ]  # fmt: skip


def test_a_cell_above_the_readers_limit_is_a_fault_of_its_line() -> None:
    assert read_catalogue(HEAD + b"A," + b"x" * 200_000 + b",1,1,0\n", 2).faults == (
        RowFault(2, "", "long"),
    )
    assert read_catalogue(b"x" * 200_000, 2).faults == (RowFault(1, "", "long"),)


def test_a_file_has_a_largest_and_no_more_of_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(FILE_MOST_BYTES + 100)
    content = file_bytes(path)
    assert len(content) == FILE_MOST_BYTES + 1
    assert read_catalogue(content, 2).faults == (RowFault(1, "", "large"),)


def test_rows_and_faults_have_a_most() -> None:
    rows = b"".join(b"%d,B,1,1,0\n" % number for number in range(ROWS_MOST + 2))
    found = read_catalogue(HEAD + rows, 2)
    assert found.faults == (RowFault(ROWS_MOST + 2, "", "rows"),)
    assert len(found.items) == ROWS_MOST
    assert len(read_catalogue(HEAD + b",,,,\n,x\n" * (FAULTS_MOST + 9), 2).faults) == FAULTS_MOST
    assert len(read_catalogue(b"q," * (FAULTS_MOST + 9), 2).faults) == FAULTS_MOST


def test_a_head_that_nobody_knows_is_shown_short_and_without_what_moves_the_line() -> None:
    found = read_catalogue(("code,name,price," + "x\u202ey" * 50).encode(), 2)
    (fault,) = found.faults
    assert (len(fault.column), fault.column[:3]) == (40, "x▯y")


_CELL = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["1", "1e999997", "9" * 5000, "yes", "'=1", '"', "\x00", "\r", "𠮷", "1,000"]),
    st.from_regex(r"[-+0-9.,eE_]{0,12}", fullmatch=True),
)
_ROWS = st.lists(st.lists(_CELL, max_size=12).map(",".join), max_size=6)
_FILE = st.one_of(
    st.binary(max_size=400),
    st.binary(max_size=200).map(lambda rest: HEAD + rest),
    st.tuples(_ROWS, st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]), st.sampled_from("\r\n")).map(
        lambda made: made[2].join((",".join(COLUMNS), *made[0])).encode(made[1], "replace")
    ),
)  # fmt: skip


@given(_FILE, st.sampled_from([0, 2, 3]))
@settings(max_examples=600, deadline=None)
def test_any_bytes_end_in_items_within_the_limits_or_in_faults(
    content: bytes, exponent: int
) -> None:
    found = read_catalogue(content, exponent)
    assert len(found.faults) <= FAULTS_MOST
    for fault in found.faults:
        said = fault_sentence(Words("zh_CN"), fault)
        assert said.isprintable()
        assert len(said) < 100
    if found.faults:
        return
    for item in found.items:
        assert 0 <= item.price_minor <= PRICE_MOST_MINOR
        assert 0 < item.per_quantity <= 1_000_000
        assert 0 <= item.tax_bp <= 10_000
        assert not {unicodedata.category(c) for c in item.code + item.name} & {"Cc", "Cf", "Cs"}
        assert len(item.name) <= LONGEST["name"]
    again = read_catalogue(catalogue_csv(found.items, exponent), exponent)
    assert [item.price_minor for item in again.items] == [item.price_minor for item in found.items]
