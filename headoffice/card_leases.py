"""Where a chain's leases of card numbers are kept (app/protocol/card_leases.py). Inside `writing()`."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from app.protocol.card_leases import BEGIN_MOST, HEAD, TAKEN_OVER_MOST, Block, Lease
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain, Spelt, Text

_OF: Final = """
SELECT prefix, first_no, last_no, device_id, epoch, timeline, at_ms FROM card_lease
WHERE tenant_id = ? AND dist_key = ? AND device_id = ? ORDER BY prefix, last_no
"""
_BEFORE: Final = """
SELECT prefix, first_no, last_no, card_lease.device_id, epoch, timeline, at_ms
FROM till AS own
JOIN till AS former ON former.tenant_id = own.tenant_id AND former.dist_key = own.dist_key
    AND former.store_id = own.store_id AND former.name = own.name AND former.device_id <> own.device_id
JOIN card_lease ON card_lease.tenant_id = former.tenant_id AND card_lease.dist_key = former.dist_key
    AND card_lease.device_id = former.device_id
WHERE own.tenant_id = ? AND own.dist_key = ? AND own.device_id = ?
ORDER BY epoch IS NOT NULL, at_ms DESC, prefix, last_no LIMIT ?
"""
# Leases don't overlap: where the first one that ends behind a number begins behind it, too, none has it.
_FIRST_BEHIND: Final = """
SELECT lowest FROM card_lease WHERE tenant_id = ? AND dist_key = ? AND highest >= ? ORDER BY highest LIMIT 1
"""
_GIVEN: Final = Spelt(
    sqlite="""
SELECT 1 FROM cell INDEXED BY cell_value
WHERE tenant_id = ? AND dist_key = ? AND field = 'card' AND value COLLATE NOCASE >= ?
    AND value COLLATE NOCASE < ? AND device_id <> ? LIMIT 1
""",
    postgresql="""
SELECT 1 FROM cell
WHERE tenant_id = ? AND dist_key = ? AND field = 'card' AND sought >= lower(? COLLATE "C")
    AND sought < lower(? COLLATE "C") AND device_id <> ? LIMIT 1
""",
)
_NEWEST: Final = """
SELECT prefix FROM card_lease
WHERE tenant_id = ? AND dist_key = ? AND prefix >= ? AND prefix < ? AND timeline > 0
ORDER BY prefix DESC LIMIT 1
"""
_LEASED_IN: Final = """
SELECT 1 FROM card_lease WHERE tenant_id = ? AND dist_key = ? AND timeline = ? LIMIT 1
"""
_PUT: Final = """
INSERT INTO card_lease (
    tenant_id, dist_key, prefix, first_no, last_no, device_id, epoch, timeline, at_ms, lowest, highest
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_BEHIND: Final = ":"
"""Comes after every digit."""


class CardLeases:
    """A chain's leases: implements card_leases.Leases."""

    def __init__(self, plain: Plain, tenant: bytes) -> None:
        self._plain = plain
        self._own = (tenant, dist_key(tenant))
        self.begin = int.from_bytes(sha256(b"cards" + tenant).digest()[:8]) % BEGIN_MOST

    def of(self, device: bytes) -> Sequence[Lease]:
        """A till's, GONE ones too."""
        return [_lease(row) for row in self._rows(_OF, device)]

    def before(self, device: bytes) -> Sequence[Lease]:
        """Those of the tills that were written off at the place where this one stands: nobody is let in at a
        place before that (letting_in.py)."""
        return [_lease(row) for row in self._rows(_BEFORE, device, TAKEN_OVER_MOST)]

    def overlaps(self, block: Block) -> bool:
        """Whether a number of it is of a lease. Numbers are of one length: their texts are in their order."""
        found = self._rows(_FIRST_BEHIND, block.lowest)
        return bool(found) and str(found[0][0]) <= block.highest

    def given_elsewhere(self, block: Block, device: bytes) -> bool:
        """Whether another till has given out a number of it."""
        return bool(self._rows(_GIVEN, block.lowest, block.highest + _BEHIND, device))

    def newest(self) -> str | None:
        """The highest prefix that head office has leased."""
        found = self._rows(_NEWEST, HEAD, HEAD + _BEHIND)
        return str(found[0][0]) if found else None

    def leased_in(self, timeline: int) -> bool:
        """Whether head office has leased any in this timeline."""
        return bool(self._rows(_LEASED_IN, timeline))

    def put(self, lease: Lease) -> None:
        """One more."""
        block, *rest = lease
        self._plain.run(_PUT, (*self._own, *block, *rest, block.lowest, block.highest))

    def _rows(self, text: Text, *values: object) -> list[Any]:
        return self._plain.rows(text, (*self._own, *values))


def _lease(row: Any) -> Lease:
    return Lease(Block(*row[:3]), bytes(row[3]), *row[4:])
