"""What this till has of head office that its own people may not change here: who works here.

Read from the sets of reference data as they came (app/sync takes them).
"""

from __future__ import annotations

from collections.abc import Mapping

from app import bases
from app.protocol.references import key_for
from app.protocol.shop_staff import STAFF, ShopPerson, staff_of
from db import head_office
from db.connection import Connection


def staff_above(conn: Connection, device: bytes) -> Mapping[bytes, ShopPerson] | None:
    """The people whom head office has here, by id; None where it has said nothing of any that can be read."""
    body = head_office.reference_set(conn, key_for(STAFF, device))
    if body is None:
        return None
    try:
        return {each.id: each for each in staff_of(bases.REFERENCE.unpack(body).body)} or None
    except ValueError:
        return None
