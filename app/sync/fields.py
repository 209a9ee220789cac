"""Profile fields that head office has not heard of yet: all of them when a till joins, and those of members
whose events came back from the journal file, which holds no such fields.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.cells import cells_of_member
from app.context import Tx
from app.dealings import JOINED, Dealings, consent_field
from app.protocol import overlay
from app.protocol.till import Till
from db import people


def tell_fields(tx: Tx, members: Iterable[bytes]) -> None:
    """Write those fields of these members that head office has otherwise or not at all."""
    dealings = tx.dealings
    assert dealings is not None
    talking, now_ms = Till(dealings), int(tx.now().timestamp() * 1000)
    for member in list(members):
        known = overlay.profile(dealings, member)
        for name, value in _fields(tx, dealings, member).items():
            stands = known[name].value if name in known else None
            if value is not None and value != stands:
                talking.set_cell(member, name, value, now_ms)


def _fields(tx: Tx, dealings: Dealings, member: bytes) -> dict[str, str | None]:
    account = people.member(tx.conn, member)
    fields: dict[str, str | None] = {}
    if account is None:
        return fields
    for cell in cells_of_member(tx.conn, member):
        fields |= dealings.fields_written(cell)
    if not fields:
        return fields  # The person was forgotten.
    fields[JOINED] = str(account.joined)
    for answer in people.consents_of(tx.conn, member):
        known = {name: value for name, value in fields.items() if value is not None}
        name, value = consent_field(answer, known)
        fields[name] = value
    return fields
