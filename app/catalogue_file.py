"""A catalogue as CSV → items as plain values, with every row's faults, and back. Bytes only, no store.

UTF-8 with or without BOM, else GB18030 (what spreadsheets in China save). Columns are found by their heads:
code, name, name_en, category, price, per, tax, tax_included, barcodes, withdrawn; only code, name and price are
needed. Prices are in the major unit; tax is in percent; barcodes stand with blanks between.
What is written here reads back as the same items, also where a name begins like a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from app.formats import typed_amount

NEEDED: Final = ("code", "name", "price")
COLUMNS: Final = (
    *NEEDED, "name_en", "category", "per", "tax", "tax_included", "barcodes", "withdrawn",
)  # fmt: skip
PRICE_MOST_MINOR: Final = 10_000_000_00
_FORMULA_STARTS: Final = ("=", "+", "-", "@")
_YES: Final = frozenset({"1", "y", "yes", "true", "是"})
_NO: Final = frozenset({"", "0", "n", "no", "false", "否"})


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with a row: its line in the file from 1, the column, and a code (missing, invalid, twice,
    unknown_column, taken, overlaps)."""

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
    """What a file holds. With any fault it is not to be used."""

    items: tuple[CatalogueItem, ...]
    faults: tuple[RowFault, ...]


def read_catalogue(content: bytes, exponent: int) -> CatalogueFile:
    """Parse a file; `exponent` is the currency's number of decimals."""
    text = _decoded(content)
    if text is None:
        return CatalogueFile((), (RowFault(1, "", "invalid"),))
    lines = csv.reader(io.StringIO(text))
    heads = [head.strip().lower() for head in next(lines, [])]
    faults = [RowFault(1, head, "unknown_column") for head in heads if head not in COLUMNS]
    faults += [RowFault(1, name, "missing") for name in NEEDED if name not in heads]
    faults += [RowFault(1, name, "twice") for name in COLUMNS if heads.count(name) > 1]
    items: list[CatalogueItem] = []
    seen: set[str] = set()
    if not faults:
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(heads):
                faults.append(RowFault(lines.line_num, heads[-1], "invalid"))
            values = dict(zip(heads, map(_unguarded, cells), strict=False))
            found = _item(values, lines.line_num, exponent, faults)
            for column, code in _codes(found):
                if code in seen:
                    faults.append(RowFault(found.line, column, "twice"))
                seen.add(code)
            items.append(found)
    return CatalogueFile(tuple(items), tuple(faults))


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

    for name in NEEDED:
        if not values.get(name):
            fault(name, "missing")
    price = _scaled(values.get("price", ""), exponent)
    if values.get("price") and (price is None or not 0 <= price <= PRICE_MOST_MINOR):
        fault("price")
    per = values.get("per") or "1"
    if not (per.isascii() and per.isdigit() and 0 < int(per) <= 1_000_000):
        fault("per")
        per = "1"
    tax = _scaled(values.get("tax") or "0", 2)
    if tax is None or not 0 <= tax <= 10_000:
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


def _scaled(text: str, places: int) -> int | None:
    """A decimal number in units of 10^-places, None when it isn't one or has more decimals."""
    try:
        number = Decimal(text.replace(",", "")).scaleb(places)
    except InvalidOperation:
        return None
    if not number.is_finite() or number != number.to_integral_value():
        return None
    return int(number)
