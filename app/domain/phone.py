"""Phone numbers once they are known: E.164 text, its last digits, and how it is shown masked.

Parsing what a person typed is app/intake.py's work, by a library that the domain may not import.
"""

from __future__ import annotations

import re
from typing import Final, NewType

from app.domain.errors import Refusal, Refused

E164 = NewType("E164", str)
"""A number as "+" and 7 to 15 digits, country code first."""

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")


def as_e164(text: str) -> E164:
    """Accept text that already is E.164, or Refused(PHONE_INVALID)."""
    if not _E164.fullmatch(text):
        raise Refused(Refusal.PHONE_INVALID)
    return E164(text)


def last_four(phone: E164) -> str:
    """The last four digits, by which a counter finds people."""
    return phone[-4:]


def masked(phone: E164, *, country_code_digits: int) -> str:
    """A number for screens and paper: "+8613812346621" -> "138 **** 6621".

    At home in mainland China the country code is left out; elsewhere it is shown. At most the
    first three and the last four national digits stay, and never more than seven of eleven, so
    short numbers keep only their last digits.
    """
    national = phone[1 + country_code_digits :]
    country = "" if phone.startswith("+86") else f"{phone[: 1 + country_code_digits]} "
    head = national[:3] if len(national) >= 10 else ""
    tail = national[-4:] if len(national) >= 7 else national[-2:]
    stars = "*" * max(len(national) - len(head) - len(tail), 0)
    return country + " ".join(part for part in (head, stars, tail) if part)
