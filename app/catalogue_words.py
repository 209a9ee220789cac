"""Words of the catalogue: what its columns are called and what is wrong with a row."""

from __future__ import annotations

from typing import Final

from app.catalogue_file import RowFault
from app.i18n import Words, mark

COLUMN_NAMES: Final = {
    "code": mark("Code"),
    "name": mark("Item name"),
    "name_en": mark("English name"),
    "category": mark("Category"),
    "price": mark("Price"),
    "per": mark("Price is for"),
    "tax": mark("Tax in percent"),
    "tax_included": mark("Tax"),
    "barcodes": mark("Barcodes"),
    "withdrawn": mark("Withdrawn"),
}
_FAULTS: Final = {
    "missing": mark("{column} is missing."),
    "invalid": mark("{column} can't be read. Correct it."),
    "long": mark("{column} is too long. Shorten it."),
    "unseen": mark("{column} has a character that can't be seen. Type it anew."),
    "large": mark("{column} is too large for a catalogue."),
    "rows": mark("{column} has too many rows. Split it."),
    "twice": mark("{column} stands there twice."),
    "taken": mark("{column} belongs to another item already."),
    "overlaps": mark("{column} is a number of cards, badges or receipts. Take another."),
    "unknown_column": mark("Column {column} isn't known."),
}


def column_name(words: Words, column: str) -> str:
    """What a column is called; one that nobody knows by its own head."""
    if not column:
        return words.say("The file")
    return words.say(COLUMN_NAMES[column]) if column in COLUMN_NAMES else column


def fault_sentence(words: Words, fault: RowFault) -> str:
    """What is wrong, in one sentence."""
    return words.say(_FAULTS[fault.code], column=column_name(words, fault.column))
