"""Names of the sets of reference data that head office gives its tills, and what their bodies hold. Pure.

programme:<version>   a published version of the programme; body: its JSON, as app/domain/programme_plain.py
                      writes it. A version is published once and never changes.
cards_lost            numbers of cards, a line each
offline_lease         after so many days without head office a till shows no members, decimal digits
office_address        where tills reach head office from now on, a URL without a path
visited:<home>:<id>   a copy of the row of a member of another bucket (app/protocol/visiting.py)
prices                what the chain's stores sell and for how much (app/price_list.py), as it is in force
prices:next           the one that follows, whose first business date was still to come when it was published
staff@<device>        who works at one till (app/protocol/shop_staff.py); that till alone gets it
"""

from __future__ import annotations

from typing import Final

REFERENCE_BUCKET: Final = "reference"
"""The bucket of a chain's reference data, which every till of it has beside its members' one."""
LOST_CARDS: Final = "cards_lost"
OFFLINE_LEASE: Final = "offline_lease"
OFFICE_ADDRESS: Final = "office_address"
ADDRESS_MOST: Final = 200
PRICES: Final = "prices"
NEXT_PRICES: Final = "prices:next"
LEASE_DAYS: Final = 14
LEASE_DAYS_MOST: Final = 365
_PROGRAMME: Final = "programme:"
_ONLY_FOR: Final = "@"
_VISITED: Final = "visited:"


def visited_bucket(home: str) -> str:
    """The bucket of members of other buckets whom a home's tills have seen (visiting.py)."""
    return _VISITED + home


def is_visited(bucket: str) -> bool:
    """Whether a bucket's rows are copies of members' rows; the body of one who left is None."""
    return bucket.startswith(_VISITED)


def programme_key(version: int) -> str:
    """The key of a version of the programme."""
    return f"{_PROGRAMME}{version}"


def is_programme(key: str) -> bool:
    """Whether a set of reference data is a version of the programme."""
    return key.startswith(_PROGRAMME)


def key_for(name: str, device: bytes) -> str:
    """The key of a set that one till alone gets."""
    return f"{name}{_ONLY_FOR}{device.hex()}"


def is_for(key: str, device: bytes) -> bool:
    """Whether a till gets a set: all do but those that are another till's."""
    _, only, whose = key.partition(_ONLY_FOR)
    return not only or whose == device.hex()


def lost_cards_of(body: bytes | None) -> frozenset[str]:
    """The numbers in a set of lost cards; None: there is no such set."""
    return frozenset((body or b"").decode("ascii", "replace").split())


def lost_cards_body(numbers: frozenset[str]) -> bytes:
    """The set's body."""
    return "\n".join(sorted(numbers)).encode("ascii")


def address_of(body: bytes | None) -> str:
    """Head office's address in a set of it; empty where there is none that can be read."""
    text = (body or b"").decode("ascii", "replace")
    return text if text.isascii() and text.isprintable() and len(text) <= ADDRESS_MOST else ""


def lease_days_of(body: bytes | None) -> int:
    """The days in a set of the offline lease; the default where there is none that can be read."""
    text = (body or b"").decode("ascii", "replace")
    days = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    return days if 0 < days <= LEASE_DAYS_MOST else LEASE_DAYS
