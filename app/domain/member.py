"""What may be shown of a person: masked names, phones, cards and e-mail addresses.

Masks are applied where a query makes its record, never in a widget (security.md section 8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SERVICE: Final = "service"
MARKETING: Final = "marketing"
"""Purposes of consent: service is not marketing (domain.md section 3, "Consent")."""
SILENT_DAYS: Final = 365
"""A phone that was silent for longer may have a new owner (counter-flows.md, flows 1 and 7)."""
_PROOFS: Final = {"card": "card", "name": "name", "pinyin": "name", "initials": "name"}
_CHINA: Final = "+86"
_STARS: Final = "****"


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A member whose phone was silent for long: who the customer must say they are."""

    member_id: bytes
    name: str
    phone_masked: str


def is_doubtful(phone: str | None, last_visit: int | None, on: int) -> bool:
    """Whether a member is made sure of before points go out; dates as business dates."""
    return bool(phone) and (last_visit is None or on - last_visit > SILENT_DAYS)


def proof_of(found_by: str) -> str:
    """What a member who was found by this field has shown: "card", "name", or "" for nothing."""
    return _PROOFS.get(found_by, "")


def last_four(digits: str) -> str:
    """The last four digits of a phone or card number: what a customer says at the counter."""
    return digits[-4:]


def mask_phone(e164: str) -> str:
    """+8613800006621 -> `138 **** 6621`; of other countries `+14 **** 2671`."""
    if e164.startswith(_CHINA):
        return f"{e164[3:6]} {_STARS} {last_four(e164)}"
    return f"{e164[:3]} {_STARS} {last_four(e164)}"


MASKED_BIRTHDAY: Final = "**-**"
"""A birthday that is known; a part of it would be most of it."""


def mask_name(name: str) -> str:
    """陈思远 -> `陈*远`, 李敏 -> `李*`, Sylvia Chen -> `S*** C***`."""
    if name.isascii() or " " in name:
        return " ".join(f"{word[0]}***" for word in name.split())
    if len(name) <= 2:
        return name[:1] + "*" * (len(name) - 1)
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_card(number: str) -> str:
    """880000124471 -> `8800 **** 4471`."""
    return f"{number[:4]} {_STARS} {last_four(number)}" if len(number) > 8 else number


def mask_email(address: str) -> str:
    """jane@example.com -> `j***@example.com`."""
    name, at, host = address.partition("@")
    return f"{name[:1]}***{at}{host}"
