"""Names of the sets of reference data that head office gives its tills, and what their bodies hold. Pure.

programme:<version>   a published version of the programme; body: its JSON, as app/domain/programme_plain.py
                      writes it. A version is published once and never changes.
"""

from __future__ import annotations

from typing import Final

REFERENCE_BUCKET: Final = "reference"
"""The bucket of a chain's reference data, which every till of it has beside its members' one."""
LOST_CARDS: Final = "cards_lost"
_PROGRAMME: Final = "programme:"


def programme_key(version: int) -> str:
    """The key of a version of the programme."""
    return f"{_PROGRAMME}{version}"


def is_programme(key: str) -> bool:
    """Whether a set of reference data is a version of the programme."""
    return key.startswith(_PROGRAMME)


def lost_cards_of(body: bytes | None) -> frozenset[str]:
    """The numbers in a set of lost cards; None: there is no such set."""
    return frozenset((body or b"").decode("ascii", "replace").split())


def lost_cards_body(numbers: frozenset[str]) -> bytes:
    """The set's body."""
    return "\n".join(sorted(numbers)).encode("ascii")
