"""Numbers that people read, type and scan: receipts and member cards, each with its check.

A receipt number is `till-number-CCCCK`: the till, its running number, four characters of the event id, and a
check character over all of it (domain.md section 2, "Receipt number"). A card number is prefix, running number
and a Luhn digit.
"""

from __future__ import annotations

import re
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32 characters: no I, L, O, U to be misread."""
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}
_RECEIPT: Final = re.compile(
    r"([0-9A-Z]{1,6})-([0-9]{1,9})-([0-9A-HJKMNP-TV-Z]{4})([0-9A-HJKMNP-TV-Z])"
)
_RECEIPT_SHAPE: Final = re.compile(r"[0-9A-Z]{1,6}-[0-9]{1,9}-[0-9A-Z]{5}")
_PRIME: Final = 31


def receipt_number(till: str, running: int, event_id: bytes) -> str:
    """The number of the till's `running`-th document, which is the event of `event_id`."""
    value = int.from_bytes(event_id[-4:], "big")
    part = "".join(_ALPHABET[value >> shift & 31] for shift in (15, 10, 5, 0))
    body = f"{till}-{running:06d}-{part}"
    return body + _check(body)


def parse_receipt_number(text: str) -> tuple[str, int] | None:
    """(till, running number) of a whole number whose check holds; None for anything else."""
    found = _RECEIPT.fullmatch(text.strip().upper())
    if found is None:
        return None
    whole = found.group(0)
    return (found.group(1), int(found.group(2))) if _check(whole[:-1]) == whole[-1] else None


def looks_like_receipt(text: str) -> bool:
    """Whether this is shaped like a receipt number, its check aside: a misread one is no item."""
    return _RECEIPT_SHAPE.fullmatch(text.strip().upper()) is not None


def card_number(prefix: str, running: int, digits: int = 11) -> str:
    """A card of the till's own block: prefix, running number and Luhn digit, `digits` + 1 in all."""
    body = prefix + str(running).zfill(digits - len(prefix))
    return body + luhn_digit(body)


def is_card_number(text: str) -> bool:
    """Whether digits end in their Luhn digit."""
    return text.isdigit() and len(text) > 5 and luhn_digit(text[:-1]) == text[-1]


def luhn_digit(body: str) -> str:
    """The Luhn check digit of a row of digits (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def _check(body: str) -> str:
    """A weighted sum modulo a prime: any one wrong character and any swap of neighbours shows."""
    characters = body.replace("-", "")
    total = 0
    for place, c in enumerate(characters):
        total += (_VALUES[c] if c in _VALUES else ord(c)) * (place % (_PRIME - 1) + 1)
    return _ALPHABET[total % _PRIME]
