"""The cards of a chain that were reported lost: every till refuses them from its next poll on, offline too.

Kept as one set of reference data. Called inside the store's `reading()` and `writing()`.
"""

from __future__ import annotations

from typing import Final

from app.protocol.references import LOST_CARDS, REFERENCE_BUCKET, lost_cards_body, lost_cards_of
from app.protocol.store import Store
from app.protocol.wire import ReferenceRow

CARDS_MOST: Final = 20_000
"""So many lost cards at once: each till has them all. A card that was replaced for years can be taken off."""
_DIGITS_MOST: Final = 40


class TooMany(Exception):
    """The list is full."""


class NoNumber(ValueError):
    """No card has such a number."""


def lost(store: Store) -> frozenset[str]:
    """The numbers that were reported."""
    row = store.reference(LOST_CARDS)
    return lost_cards_of(None if row is None else row.body)


def report(store: Store, number: str) -> bool:
    """A card is lost. False: it was reported before. Raises NoNumber, TooMany."""
    return _change(store, _checked(number), gone=False)


def take_off(store: Store, number: str) -> bool:
    """A card was found again. False: it was not reported. Raises NoNumber."""
    return _change(store, _checked(number), gone=True)


def _change(store: Store, number: str, *, gone: bool) -> bool:
    known = lost(store)
    if (number in known) != gone:
        return False
    now = known - {number} if gone else known | {number}
    if len(now) > CARDS_MOST:
        raise TooMany
    row = store.reference(LOST_CARDS)
    version = 1 if row is None else row.version + 1
    store.put_reference(
        ReferenceRow(LOST_CARDS, REFERENCE_BUCKET, 0, version, lost_cards_body(now))
    )
    return True


def _checked(number: str) -> str:
    plain = number.replace(" ", "").replace("-", "")
    if not (plain.isascii() and plain.isalnum() and len(plain) <= _DIGITS_MOST):
        raise NoNumber(number)
    return plain
