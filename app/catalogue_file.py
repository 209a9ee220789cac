"""A catalogue as CSV → items as plain values, with every row's faults, and back. Bytes only, no store.

UTF-8 with or without BOM, else GB18030 (what spreadsheets in China save). Columns are found by their heads:
code, name, name_en, category, price, per, tax, tax_included, barcodes, withdrawn; only code, name and price are
needed. Prices are in the major unit; tax is in percent; barcodes stand with blanks between. Whatever the bytes
are, they end in items or faults after bounded work: the limits below come first, arithmetic last.
What is written here reads back as the same items, also where a name begins like a formula.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.formats import typed_amount

NEEDED: Final = ("code", "name", "price")
COLUMNS: Final = (
    *NEEDED, "name_en", "category", "per", "tax", "tax_included", "barcodes", "withdrawn",
)  # fmt: skip
PRICE_MOST_MINOR: Final = 10_000_000_00
FILE_MOST_BYTES: Final = 32 << 20
ROWS_MOST: Final = 100_000
FAULTS_MOST: Final = 1000
"""So many are told; the rest of the file isn't looked at any more."""
LONGEST: Final = {"code": 60, "name": 80, "name_en": 80, "category": 60, "barcodes": 1000}
"""Characters; a number, or a yes, has `_SHORT`. Code and category are named in the programme too, which
takes as many."""
_SHORT: Final = 20
_HEAD_SHOWN: Final = 40
_NUMBER: Final = re.compile(r"([0-9]{1,12}|[0-9]{1,3}(?:,[0-9]{3}){1,3})(?:\.([0-9]{1,6}))?")
_WHOLE: Final = re.compile(r"[0-9]{1,7}")
_WIDE: Final = str.maketrans("０１２３４５６７８９．，", "0123456789.,")
"""What a Chinese keyboard types for them."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control and format characters: a line break, NUL, an escape, what turns the writing round."""
_FORMULA_STARTS: Final = ("=", "+", "-", "@")
_YES: Final = frozenset({"1", "y", "yes", "true", "是"})
_NO: Final = frozenset({"", "0", "n", "no", "false", "否"})


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with a row: its line in the file from 1, the column, and a code (missing, invalid, long,
    unseen, twice, unknown_column, taken, overlaps; of the whole file: large, rows)."""

    line: int
    column: str
    code: str


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """One item as the file has it; `price_minor` is for `per_quantity` units. `line` 0: not from a file."""

    line: int
    code: str
    name: str
    name_en: str
    category: str
    price_minor: int
    per_quantity: int
    tax_bp: int
    tax_included: bool
    barcodes: tuple[str, ...]
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """What a file holds. With any fault it is not to be used. After FAULTS_MOST the rest wasn't read."""

    items: tuple[CatalogueItem, ...]
    faults: tuple[RowFault, ...]


def file_bytes(path: Path) -> bytes:
    """What lies in a file, and no more than tells that it is too large. Raises OSError."""
    with path.open("rb") as file:
        return file.read(FILE_MOST_BYTES + 1)


def read_catalogue(content: bytes, exponent: int) -> CatalogueFile:
    """Parse a file; `exponent` is the currency's number of decimals."""
    if len(content) > FILE_MOST_BYTES:
        return CatalogueFile((), (RowFault(1, "", "large"),))
    text = _decoded(content)
    if text is None:
        return CatalogueFile((), (RowFault(1, "", "invalid"),))
    # Whatever ends the lines: old spreadsheets write a carriage return alone.
    lines = csv.reader(io.StringIO(text, newline=None))
    items: list[CatalogueItem] = []
    faults: list[RowFault] = []
    try:
        heads = [head.strip().lower() for head in next(lines, [])]
        faults += _head_faults(heads)
        if not faults:
            numbered = ((lines.line_num, cells) for cells in lines)
            _read_rows(numbered, heads, exponent, items, faults)
    except csv.Error:  # a cell above the reader's own limit, 128 KiB
        faults.append(RowFault(lines.line_num, "", "long"))
    return CatalogueFile(tuple(items), tuple(faults[:FAULTS_MOST]))


def _head_faults(heads: list[str]) -> list[RowFault]:
    unknown = [head for head in heads if head not in COLUMNS]
    faults = [RowFault(1, _shown(head), "unknown_column") for head in unknown[:FAULTS_MOST]]
    faults += [RowFault(1, name, "missing") for name in NEEDED if name not in heads]
    return faults + [RowFault(1, name, "twice") for name in COLUMNS if heads.count(name) > 1]


def _shown(head: str) -> str:
    """A head that nobody knows, as far as it can be shown."""
    return "".join(c if c.isprintable() else "▯" for c in head[:_HEAD_SHOWN])


def _read_rows(
    lines: Iterable[tuple[int, list[str]]],
    heads: list[str],
    exponent: int,
    items: list[CatalogueItem],
    faults: list[RowFault],
) -> None:
    seen: set[str] = set()
    for line, cells in lines:
        if len(faults) >= FAULTS_MOST:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if len(items) == ROWS_MOST:
            faults.append(RowFault(line, "", "rows"))
            return
        if len(cells) > len(heads):
            faults.append(RowFault(line, heads[-1], "invalid"))
        values = dict(zip(heads, map(_unguarded, cells), strict=False))
        found = _item(values, line, exponent, faults)
        for column, code in _codes(found):
            if code in seen:
                faults.append(RowFault(found.line, column, "twice"))
            seen.add(code)
        items.append(found)


def read_item(values: Mapping[str, str], exponent: int) -> CatalogueFile:
    """One item from texts by column, by the same rules as a file's row; its faults are of line 0."""
    faults: list[RowFault] = []
    return CatalogueFile((_item(values, 0, exponent, faults),), tuple(faults))


def item_texts(item: CatalogueItem, exponent: int) -> dict[str, str]:
    """An item's texts by column, as `read_item` takes them."""
    return {
        "code": item.code,
        "name": item.name,
        "price": typed_amount(item.price_minor, exponent),
        "name_en": item.name_en,
        "category": item.category,
        "per": str(item.per_quantity),
        "tax": percent(item.tax_bp),
        "tax_included": "yes" if item.tax_included else "no",
        "barcodes": " ".join(item.barcodes),
        "withdrawn": "yes" if item.withdrawn else "",
    }


def percent(basis_points: int) -> str:
    """1300 -> `13`, 1350 -> `13.5`."""
    whole, part = divmod(basis_points, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".")


def catalogue_csv(items: Sequence[CatalogueItem], exponent: int) -> bytes:
    """A file that `read_catalogue` takes back: UTF-8 with BOM, so that spreadsheets read Chinese."""
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow(COLUMNS)
    for item in items:
        texts = item_texts(item, exponent)
        out.writerow(_guarded(texts[column]) for column in COLUMNS)
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def _guarded(text: str) -> str:
    """No spreadsheet takes it for a formula: an apostrophe stands before it, and before another one."""
    return f"'{text}" if text.startswith((*_FORMULA_STARTS, "'")) else text


def _unguarded(cell: str) -> str:
    """What `_guarded` was given. An apostrophe before anything else is the file's own."""
    text = cell.strip()
    return text[1:] if text[:1] == "'" and text[1:].startswith((*_FORMULA_STARTS, "'")) else text


def _decoded(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _codes(item: CatalogueItem) -> list[tuple[str, str]]:
    own = {item.code} if item.code else set()
    return [("code", code) for code in own] + [
        ("barcodes", code) for code in item.barcodes if code not in own
    ]


def _item(
    texts: Mapping[str, str], line: int, exponent: int, faults: list[RowFault]
) -> CatalogueItem:
    values = {column: text.strip() for column, text in texts.items()}

    def fault(column: str, code: str = "invalid") -> None:
        faults.append(RowFault(line, column, code))

    for column, text in values.items():
        problem = _text_problem(column, text)
        if problem:
            fault(column, problem)
            values[column] = ""
        elif column in NEEDED and not text:
            fault(column, "missing")
    for column in NEEDED:
        if column not in values:
            fault(column, "missing")
    price = _scaled(values.get("price", ""), exponent)
    if values.get("price") and (price is None or price > PRICE_MOST_MINOR):
        fault("price")
    per = values.get("per", "").translate(_WIDE) or "1"
    if not (_WHOLE.fullmatch(per) and 0 < int(per) <= 1_000_000):
        fault("per")
        per = "1"
    tax = _scaled(values.get("tax") or "0", 2)
    if tax is None or tax > 10_000:
        fault("tax")
    flags = {}
    for name, usual in (("tax_included", True), ("withdrawn", False)):
        said = values.get(name, "").lower()
        if said not in _YES | _NO:
            fault(name)
        flags[name] = said in _YES if said else usual
    return CatalogueItem(
        line,
        values.get("code", ""),
        values.get("name", ""),
        values.get("name_en", ""),
        values.get("category", ""),
        price or 0,
        int(per),
        tax or 0,
        flags["tax_included"],
        tuple(dict.fromkeys(values.get("barcodes", "").split())),
        flags["withdrawn"],
    )


def _text_problem(column: str, text: str) -> str:
    """The code of what keeps a text from being taken at all, "" where nothing does."""
    if len(text) > LONGEST.get(column, _SHORT):
        return "long"
    if any(unicodedata.category(character) in _UNSEEN for character in text):
        return "unseen"
    return ""


def _scaled(text: str, places: int) -> int | None:
    """A decimal number in units of 10^-places, None when it isn't one or has more decimals. Digits, a point,
    and commas between thousands: nothing else is a number here."""
    found = _NUMBER.fullmatch(text.translate(_WIDE))
    if found is None:
        return None
    part = (found[2] or "").rstrip("0")
    if len(part) > places:
        return None
    return int(found[1].replace(",", "") + part.ljust(places, "0"))
