"""Profile fields that head office has not heard of yet: all of them when a till joins, and those of members
whose events came back from the journal file, which holds no such fields.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlcipher3.dbapi2 import Connection

from app.cells import cells_of_member
from app.dealings import JOINED, Dealings, consent_field
from app.protocol import overlay
from app.protocol.till import Till
from db import people


def tell_fields(
    conn: Connection, dealings: Dealings, members: Iterable[bytes], now_ms: int
) -> None:
    """Write those fields of these members that head office has otherwise or not at all."""
    talking = Till(dealings)
    for member in list(members):
        known = overlay.profile(dealings, member)
        for name, value in _fields(conn, dealings, member).items():
            stands = known[name].value if name in known else None
            if value is not None and value != stands:
                talking.set_cell(member, name, value, now_ms)


def _fields(conn: Connection, dealings: Dealings, member: bytes) -> dict[str, str | None]:
    account = people.member(conn, member)
    fields: dict[str, str | None] = {}
    if account is None:
        return fields
    for cell in cells_of_member(conn, member):
        fields |= dealings.fields_written(cell)
    if not fields:
        return fields  # The person was forgotten.
    fields[JOINED] = str(account.joined)
    for answer in people.consents_of(conn, member):
        known = {name: value for name, value in fields.items() if value is not None}
        name, value = consent_field(answer, known)
        fields[name] = value
    return fields
