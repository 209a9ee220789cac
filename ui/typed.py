"""What a person typed into a number field -> integers of the smallest unit. No widget, no rounding.

A field refuses the key that would make its text impossible, so the errors here are few: a text that
is not finished yet.
"""

from __future__ import annotations

import re
from typing import Final

DIGITS_MAX: Final = 9
"""More whole digits than any sale has; a barcode that slipped through has more."""


def amount_pattern(exponent: int) -> str:
    """The regular expression of texts that can still become amounts: `38`, `38+12.`, ``."""
    part = rf"[0-9]{{0,{DIGITS_MAX}}}"
    if exponent:
        part += rf"(\.[0-9]{{0,{exponent}}})?"
    return rf"{part}(\+{part})*"


def parse_amount(text: str, exponent: int) -> int | None:
    """`12.5` -> 1250 at exponent 2; None for a text without a digit. No sign, no groups."""
    found = re.fullmatch(rf"([0-9]{{0,{DIGITS_MAX}}})(?:\.([0-9]{{0,{exponent}}}))?", text.strip())
    if found is None or not any(found.groups(default="")):
        return None
    whole, part = found.group(1) or "0", found.group(2) or ""
    return int(whole + part.ljust(exponent, "0"))


def parse_amounts(text: str, exponent: int) -> tuple[int, ...]:
    """`38+12.5` -> (3800, 1250); parts that are empty or zero are left out."""
    parts = (parse_amount(part, exponent) for part in text.split("+"))
    return tuple(part for part in parts if part)


def parse_whole(text: str) -> int | None:
    """`2000` -> 2000; None for an empty text."""
    stripped = text.strip()
    return int(stripped) if stripped.isdecimal() and stripped.isascii() else None
