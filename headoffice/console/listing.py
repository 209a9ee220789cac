"""Lists as pages show them and as spreadsheets get them: the same columns, rows and words."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

Tone = Literal["", "good", "warn", "bad"]
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_MARK: Final = "\ufeff"
"""Without it spreadsheets take the file for one of the machine's old code page."""


class Shown(NamedTuple):
    """One value of a list. `number` is what a spreadsheet gets in place of the text."""

    text: str
    href: str = ""
    number: int | None = None
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list with its heads. `name`: what its file is called."""

    name: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Shown, ...], ...]


def csv_of(listing: Listing) -> bytes:
    """The list as a file that a spreadsheet opens and never computes."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow([safe(head) for head in listing.heads])
    for row in listing.rows:
        write.writerow([safe(each.text) if each.number is None else each.number for each in row])
    return (_MARK + out.getvalue()).encode()


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
