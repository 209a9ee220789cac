"""Which documents stand: returns and voids of an earlier one, now or as it was when another was made.

Questions to the document rows of a transaction; what follows from the answers is the use-cases'.
"""

from __future__ import annotations

from typing import Any

from sqlcipher3.dbapi2 import Connection

from app import posting
from app.domain.documents import ReturnDocument
from app.domain.documents_plain import return_from_plain
from db import rows


def standing_returns(
    conn: Connection, sale_id: bytes, *, before: int | None = None
) -> list[tuple[bytes, ReturnDocument]]:
    """(event id, document) of the returns of a sale that were not voided, oldest first.

    `before` a sequence number: as it was just before that event."""
    found = []
    for row in _referring(conn, sale_id, posting.RETURN, before):
        if is_voided(conn, row.event_id, before=before):
            continue
        event = rows.event_by_id(conn, row.event_id)
        assert event is not None, "a document row has its event"
        found.append((row.event_id, return_from_plain(posting.event_of(event).doc["return"])))
    return found


def units_since(conn: Connection, sale_id: bytes, after: int) -> dict[int, int]:
    """Units of a sale, by line, that this till took back after its event `after`, less those whose return it
    voided after it."""
    units: dict[int, int] = {}
    for row in _referring(conn, sale_id, posting.RETURN, None):
        event = rows.event_by_id(conn, row.event_id)
        assert event is not None, "a document row has its event"
        voids = [each.seq for each in _referring(conn, row.event_id, posting.VOID, None)]
        times = int(row.seq > after) - int(any(seq > after for seq in voids))
        for line, quantity in return_from_plain(posting.event_of(event).doc["return"]).lines:
            units[line] = units.get(line, 0) + times * quantity
    return units


def original_of(conn: Connection, doc: dict[str, Any]) -> dict[str, Any]:
    """What a return or void, by its facts, keeps of its sale: the sale's own facts, or what the return of
    another till's sale holds of it (`receipt_no` and `sale` are the same there)."""
    sale = rows.event_by_id(conn, bytes.fromhex(doc["sale_event"]))
    if sale is not None:
        return posting.event_of(sale).doc
    while "original" not in doc:
        row = rows.event_by_id(conn, bytes.fromhex(doc["refers_to"]))
        assert row is not None, "a void names a document of this journal"
        doc = posting.event_of(row).doc
    found: dict[str, Any] = doc["original"]
    return found


def is_voided(conn: Connection, event_id: bytes, *, before: int | None = None) -> bool:
    """Whether a void of this document stands; `before` as in `standing_returns`."""
    return bool(_referring(conn, event_id, posting.VOID, before))


def _referring(
    conn: Connection, event_id: bytes, kind: str, before: int | None
) -> list[rows.DocumentRow]:
    return [
        row
        for row in rows.documents_referring(conn, event_id)
        if row.kind == kind and (before is None or row.seq < before)
    ]
