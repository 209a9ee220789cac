"""Personal values as cells: rows beside the chain, records of the profile file (sync.md section 2, Profile).

An event never holds them, only their digest under the member's own key, so that they can be erased. Here: a
cell to its row, and an event's rows to cells again. Not here: when they are written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from sqlcipher3.dbapi2 import Connection

from app import posting
from app.protocol.events import Event
from db import people, search, staff_rows


def cells_of(conn: Connection, event: Event) -> list[dict[str, Any]]:
    """The personal values that an event stands for, from their rows as they are now: what the profile
    file gets when a crash came between an event's commit and its cells."""
    cells: list[dict[str, Any]] = []
    if event.kind == posting.STAFF:
        person = staff_rows.staff_by_id(conn, bytes.fromhex(event.doc["staff"]))
        if person is not None:
            cells.append(staff_cell(person))
    if event.kind == posting.ADJUST:
        note = people.note_of(conn, event.id)
        if note is not None:
            cells.append({"t": "note", **_plain(note)})
    if event.member_id is None or event.kind not in (posting.ENROL, posting.PROFILE):
        return cells
    if event.kind == posting.ENROL:
        key = people.member_key(conn, event.member_id)
        if key is not None:
            cells.append({"t": "key", "member_id": event.member_id.hex(), "key": key.hex()})
        cells += _cards(conn, event.member_id)
    return cells + _profile(conn, event.member_id)


def cells_of_member(conn: Connection, member_id: bytes) -> list[dict[str, Any]]:
    """A person's cards and profile as cells."""
    return _cards(conn, member_id) + _profile(conn, member_id)


def _cards(conn: Connection, member_id: bytes) -> list[dict[str, Any]]:
    cards = people.credentials_of(conn, member_id, "card")
    return [{"t": "credential", **_plain(card)} for card in cards]


def _profile(conn: Connection, member_id: bytes) -> list[dict[str, Any]]:
    profile = people.profile(conn, member_id)
    return [] if profile is None else [{"t": "profile", **_plain(profile)}]


def staff_cell(person: staff_rows.StaffRow) -> dict[str, Any]:
    """What the profile file keeps of a person who works here; wrong PINs and their wait stay rows."""
    plain = _plain(person)
    return {"t": "staff", **{name: plain[name] for name in _STAFF_CELL}}


def _plain(
    row: people.ProfileRow | people.CredentialRow | staff_rows.StaffRow | people.NoteRow,
) -> dict[str, Any]:
    return {
        key: value.hex() if isinstance(value, bytes) else value
        for key, value in asdict(row).items()
    }


def put_cell(conn: Connection, cell: dict[str, Any]) -> None:
    """Write a personal value to its row. `t` names the row; the other keys are its columns."""
    values: dict[str, Any] = {
        key: bytes.fromhex(value) if key in _BYTES and value is not None else value
        for key, value in cell.items()
        if key not in ("t", "at")
    }
    if cell["t"] == "profile":
        row = people.ProfileRow(**values)
        before = people.profile(conn, row.member_id)
        if before is not None and _searched(before) != _searched(row):
            search.forget_words(conn)
        people.put_profile(conn, row)
        people.mark_search_dirty(conn, row.member_id)
    elif cell["t"] == "key":
        people.set_member_key(conn, values["member_id"], values["key"])
    elif cell["t"] == "credential":
        people.put_credential(conn, people.CredentialRow(**values))
        if values["kind"] == "card":
            pass_cards(conn, [values["value"]])
    elif cell["t"] == "note":
        people.put_note(conn, people.NoteRow(**values))
    else:
        assert cell["t"] == "staff", cell["t"]
        # An older cell may say less or more than is kept now.
        known: dict[str, Any] = {name: values.get(name) for name in _STAFF_CELL}
        known["code"] = known["code"] or 0
        staff_rows.put_staff(conn, staff_rows.StaffRow(**known))


def _searched(profile: people.ProfileRow) -> tuple[str | None, ...]:
    """What of a profile the search index has words of."""
    return profile.name, profile.phone, profile.email, profile.name_py, profile.name_ini


_STAFF_CELL: Final = (
    "id", "initials", "name", "role", "badge", "pin_salt", "pin_hash", "active", "member_id", "phone",
    "code",
)  # fmt: skip
_BYTES: Final = frozenset({"id", "event_id", "member_id", "key", "pin_salt", "pin_hash"})


def pass_cards(conn: Connection, numbers: Iterable[str]) -> None:
    """These cards are given out: the till's own blocks of numbers go on behind them."""
    blocks = [(block.prefix, block.last) for block in people.card_blocks(conn)]
    begun, used = tuple([prefix for prefix, _ in blocks]), dict[str, int]()
    for number in [each for each in numbers if each.startswith(begun)]:
        for prefix, last in blocks:
            digits = number[len(prefix) : -1]
            if number.startswith(prefix) and digits.isdigit():
                if used.get(prefix, -1) < int(digits) <= last:
                    used[prefix] = int(digits)
                break
    for prefix, newest in used.items():
        people.advance_card_block(conn, prefix, newest)
