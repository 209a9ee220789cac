"""Sales by the numbers on their receipts: one row a sale, read once from its event, so that any till of the
chain can take its goods back.

Tills of two stores may have the same name, so a number may lead to more than one sale. Written inside the
store's `writing()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.protocol.events import Event
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain

NUMBER_MOST: Final = 40
"""No receipt number is longer."""
FOUND_MOST: Final = 2
"""One is the sale; two are too many already."""
_PUT: Final = """
INSERT INTO receipt (tenant_id, dist_key, receipt_no, event_id) VALUES (?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, receipt_no, event_id) DO NOTHING
"""
_FIND: Final = """
SELECT event_id FROM receipt WHERE tenant_id = ? AND dist_key = ? AND receipt_no = ? ORDER BY event_id LIMIT ?
"""


def take(plain: Plain, tenant: bytes, event: Event) -> None:
    """Write the number of a sale down; the same one again changes nothing."""
    number = event.doc.get("receipt_no")
    if not isinstance(number, str) or not 0 < len(number) <= NUMBER_MOST:
        return
    if number.isascii() and number.isprintable():
        plain.run(_PUT, (tenant, dist_key(tenant), number, event.id))


def find(plain: Plain, tenant: bytes, number: str) -> Sequence[bytes]:
    """The sales of a receipt number, FOUND_MOST at most."""
    values = (tenant, dist_key(tenant), number, FOUND_MOST)
    return [bytes(event) for (event,) in plain.rows(_FIND, values)]
