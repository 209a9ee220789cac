"""What one event says, value by value, with what was before: names in the place of ids, the rest as stored.

Words and formats are app.documents.event_fields'; who may read an event is app.queries.audit's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app import posting
from app.documents.event_fields import field_of, is_hidden
from app.domain.entries import TIER
from app.domain.rights import StaffRole
from app.protocol.events import Event
from app.queries.readers import member_shown
from db import rows, staff_rows, till
from db.connection import Connection


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of an event: its path in the event, and what it was before, None where it is new.

    Values are the event's own, with names in the place of ids; app.documents.event_fields writes them.
    """

    name: str
    before: Any
    after: Any


def facts_of(
    conn: Connection, event: Event, role: StaffRole, tiers: Mapping[str, tuple[str, str]]
) -> tuple[Fact, ...]:
    """The facts of an event for a reader of a role; `tiers` names the tiers by code, (Chinese, English)."""
    found = (*_moved(conn, event), *_role(event), *_item(event), *_facts("", _rest(event)))
    named = _Names(conn, event.kind, role, tiers)
    return tuple(named.named(fact) for fact in found if not is_hidden(fact.name))


def _moved(conn: Connection, event: Event) -> Iterator[Fact]:
    """The balance of each asset that the event moved, before and after it."""
    moved: dict[str, int] = {}
    for entry in event.entries:
        if entry[1] != TIER:  # Its amount is a rank, no movement; the event says the tier after it.
            moved[entry[1]] = moved.get(entry[1], 0) + entry[3]
    if event.member_id is None:
        return
    for asset, amount in moved.items():
        before = rows.ledger_sum_before(conn, event.member_id, asset, event.seq)
        yield Fact(f"balance.{asset}", before, before + amount)


def _role(event: Event) -> Iterator[Fact]:
    """The role of a person before and after an event about them; it keeps both."""
    if event.kind == posting.STAFF:
        yield Fact("person.role", event.doc.get("was"), event.doc["role"])


_OF_ITEM: Final = frozenset({"was", "item"})
_OF_ROLE: Final = frozenset({"was", "role"})


def _item(event: Event) -> Iterator[Fact]:
    """What a saved item was before, where it isn't the same."""
    if event.kind != posting.CATALOGUE or "item" not in event.doc:
        return
    was = event.doc["was"] or {}
    for name, value in event.doc["item"].items():
        if name == "code" or was.get(name) != value:
            yield Fact(f"item.{name}", was.get(name), value)


def _rest(event: Event) -> dict[str, Any]:
    """The facts that nothing above said with what was before."""
    said = {posting.CATALOGUE: _OF_ITEM, posting.STAFF: _OF_ROLE}.get(event.kind, frozenset())
    return {name: value for name, value in event.doc.items() if name not in said}


def _facts(path: str, value: Any) -> Iterator[Fact]:
    """The values of a document's facts, each with its path; of a list each item is one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _facts(f"{path}.{key}" if path else key, inner)
        return
    field = field_of("", path)
    if isinstance(value, list) and field is not None and field.unit == "list":
        for item in value:
            yield Fact(path, None, _frozen(item))
    elif value not in (None, [], ""):
        yield Fact(path, None, _frozen(value))


def _frozen(value: Any) -> Any:
    """Lists as tuples, so that a fact is one value; the dicts of lines by their items."""
    if isinstance(value, list):
        return tuple(_frozen(each) for each in value)
    return value


@dataclass(frozen=True, slots=True)
class _Names:
    """Puts names into the place of ids."""

    conn: Connection
    kind: str
    role: StaffRole
    tiers: Mapping[str, tuple[str, str]]

    def named(self, fact: Fact) -> Fact:
        """The fact with its ids named."""
        field = field_of(self.kind, fact.name)
        if field is None:
            return fact
        if field.unit == "list" and isinstance(fact.after, dict):
            units = {str(key): unit for key, unit in field.columns}
            after = {key: self._name(units.get(key, ""), of) for key, of in fact.after.items()}
            return Fact(fact.name, None, after)
        return Fact(
            fact.name, self._name(field.unit, fact.before), self._name(field.unit, fact.after)
        )

    def _name(self, unit: str, value: Any) -> Any:
        if not isinstance(value, str) or not value:
            return value
        match unit:
            case "person":
                person = staff_rows.staff_by_id(self.conn, bytes.fromhex(value))
                return value if person is None else f"{person.initials.upper()} {person.name}"
            case "event":
                document = rows.document_by_event(self.conn, bytes.fromhex(value))
                return document.receipt_no if document is not None else self._number(value)
            case "shift":
                shift = till.shift(self.conn, bytes.fromhex(value))
                return value if shift is None else f"#{shift.opened_seq}"
            case "member":
                return member_shown(self.conn, bytes.fromhex(value), self.role)
            case "both":
                return self.tiers.get(value, value)
        return value

    def _number(self, event_id: str) -> str:
        event = rows.event_by_id(self.conn, bytes.fromhex(event_id))
        return event_id if event is None else f"#{event.seq}"
