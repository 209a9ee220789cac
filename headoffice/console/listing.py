"""Lists as pages show them and as spreadsheets get them: the same columns, rows and words."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Final, Literal, NamedTuple

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


Row = tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list with its heads. `name`: what its file is called."""

    name: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]


def write_csv(heads: Iterable[str], rows: Iterable[Row], out: IO[bytes]) -> int:
    """Write a list as a file that a spreadsheet opens and never computes; returns how many rows it has."""
    text, count = io.TextIOWrapper(out, encoding="utf-8", newline=""), 0
    text.write(_MARK)
    write = csv.writer(text, lineterminator="\r\n")
    write.writerow([safe(head) for head in heads])
    for count, row in enumerate(rows, 1):  # noqa: B007  # of what was written
        write.writerow([safe(each.text) if each.number is None else each.number for each in row])
    text.detach()
    return count


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
