"""Profile fields that head office has not heard of: those of an event, written with it or when it came back
from the journal file, which holds no such fields; and all of them when a till joins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlcipher3.dbapi2 import Connection

from app import posting
from app.cells import cells_of_member
from app.dealings import Dealings
from app.profile_fields import BIRTHDAY, JOINED, consent_field, fields_of
from app.protocol import overlay
from app.protocol.events import Event
from app.protocol.till import Till
from db import people


def tell_fields(
    conn: Connection, dealings: Dealings, members: Iterable[bytes], now_ms: int
) -> None:
    """Write the fields of these members as they are."""
    for member in list(members):
        fields = _profile(conn, member)
        account = people.member(conn, member)
        if not fields or account is None:
            continue  # The person was forgotten.
        fields[JOINED] = str(account.joined)
        given = [(name, value) for name, value in fields.items() if value is not None]
        _write(dealings, member, dict(given), people.consents_of(conn, member), now_ms)


def tell_written(dealings: Dealings, event: Event, cells: Iterable[Mapping[str, object]]) -> None:
    """Write what a command has just written, `cells` being its personal values."""
    if event.member_id is None:
        return
    fields: dict[str, str | None] = {}
    for cell in cells:
        fields |= fields_of(cell)
    if event.kind == posting.ENROL:
        fields[JOINED] = str(event.business_date)
    answers = posting.consent_rows(event)
    if fields or answers:
        _write(dealings, event.member_id, fields, answers, event.at_us // 1000)
    if answers:
        dealings.show_consents(event.member_id)


def tell_again(conn: Connection, dealings: Dealings, events: Iterable[Event]) -> None:
    """Write what these events wrote, each with its own time: what somebody changed elsewhere since stays."""
    for event in events:
        member = event.member_id
        if member is None or event.kind not in (posting.ENROL, posting.PROFILE, posting.CONSENT):
            continue
        fields = _profile(conn, member)
        if fields and event.kind == posting.ENROL:
            fields[JOINED] = str(event.business_date)
        else:
            changed = {_field(column) for column in event.doc["changed"]} if fields else set()
            fields = {name: value for name, value in fields.items() if name in changed}
        _write(dealings, member, fields, posting.consent_rows(event), event.at_us // 1000)


def _profile(conn: Connection, member: bytes) -> dict[str, str | None]:
    fields: dict[str, str | None] = {}
    for cell in cells_of_member(conn, member):
        fields |= fields_of(cell)
    return fields


def _field(column: str) -> str:
    return BIRTHDAY if column.startswith("birth_") else column


def _write(
    dealings: Dealings,
    member: bytes,
    fields: Mapping[str, str | None],
    answers: Iterable[people.ConsentRow],
    at_ms: int,
) -> None:
    stood = overlay.profile(dealings, member)
    known = {name: cell.value for name, cell in stood.items() if cell.value is not None}
    told = dict(fields)
    for answer in answers:
        name, decided = consent_field(answer, known)
        told[name] = known[name] = decided
    talking = Till(dealings)
    for name, value in told.items():
        if (stood[name].value if name in stood else None) != value:
            talking.set_cell(member, name, value, at_ms)
