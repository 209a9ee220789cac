"""The journal for people: who, when, what, before and after, by filters, a page at a time.

Events hold nothing personal; a member's name comes from the profile and stays masked for an auditor. The
filters are SQLAlchemy's (db/journal.py), which is imported when the first page is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from app import posting
from app.context import Context, Session
from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS
from app.domain.rights import Right
from app.protocol.events import Event, instant_of
from app.queries.readers import require_look
from app.queries.records import StaffView
from app.queries.reports.sales import uncounted_shift
from db import people, rows
from db.connection import Connection
from db.engine import Reader

if TYPE_CHECKING:
    from db.journal import EventFilter

PAGE: Final = 50
STRETCHES: Final = 10
"""How many times 20,000 events one answer looks through before it says how far it came."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events; None and empty ask nothing. `member_id` and `staff_id` are 16 bytes."""

    since: BusinessDate | None = None
    until: BusinessDate | None = None
    kinds: frozenset[str] = frozenset()
    staff_id: bytes | None = None
    member_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of an event: its path in the event, and what it was before, "" where it is new."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One event. `points` is the sum of its entries, `total_minor` that of a document, None without."""

    seq: int
    at: datetime
    kind: str
    staff: StaffView | None
    approver: StaffView | None
    member: str
    receipt_no: str
    detail: str
    total_minor: int | None
    points: int


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Events, newest first. Go on below `next_before`, 0 at the beginning of the journal."""

    lines: tuple[AuditLine, ...]
    next_before: int


def audit_page(
    ctx: Context, session: Session, asked: AuditFilter, *, before: int = 1 << 62
) -> AuditPage:
    """A page of the journal below a number. Raises Refused(NOT_ALLOWED), Unavailable. Report lane."""
    from db.journal import stretch

    with ctx.read(Reader.REPORT) as conn:
        role = require_look(conn, session, Right.AUDIT)
        found: list[rows.EventRow] = []
        wanted = _plain(asked)
        for _ in range(STRETCHES):
            more, before = stretch(conn, wanted, before=before, most=PAGE - len(found))
            found += more
            if len(found) == PAGE or not before:
                break
        return AuditPage(tuple(_line(conn, row, role) for row in found), before)


def audit_facts(ctx: Context, session: Session, seq: int) -> tuple[Fact, ...]:
    """What one event says, with what was before. Raises Refused(NOT_ALLOWED). Report lane."""
    with ctx.read(Reader.REPORT) as conn:
        require_look(conn, session, Right.AUDIT)
        row = rows.event_by_seq(conn, seq)
        if row is None:
            return ()
        event = posting.event_of(row)
        facts = (
            *_moved(conn, event), *_role(conn, event), *_item(event), *_facts("", _rest(event)),
        )  # fmt: skip
        if event.shift_id is None or event.shift_id != uncounted_shift(conn):
            return facts
        return tuple(_without_tenders(fact) for fact in facts)


def all_lines(conn: Connection, role: str, asked: AuditFilter, *, most: int) -> Iterator[AuditLine]:
    """Every event of a filter, newest first, `most` at most: for an export."""
    from db.journal import stretch

    wanted, before, left = _plain(asked), 1 << 62, most
    while before and left:
        found, before = stretch(conn, wanted, before=before, most=min(left, 500))
        left -= len(found)
        yield from (_line(conn, row, role) for row in found)


def _plain(asked: AuditFilter) -> EventFilter:
    from db.journal import EventFilter

    return EventFilter(
        None if asked.since is None else int(asked.since),
        None if asked.until is None else int(asked.until),
        asked.kinds, asked.staff_id, asked.member_id,
    )  # fmt: skip


def _line(conn: Connection, row: rows.EventRow, role: str) -> AuditLine:
    event = posting.event_of(row)
    doc = event.doc
    second = doc.get("approval") or doc.get("guard") or {}
    reason = doc.get("reason") or doc.get("what") or doc.get("act") or doc.get("why") or ""
    return AuditLine(
        event.seq,
        instant_of(event.at_us),
        event.kind,
        _staff(conn, event.staff_id),
        _staff(conn, bytes.fromhex(second["by"])) if second.get("by") else None,
        _member(conn, event.member_id, role),
        doc.get("receipt_no") or "",
        ", ".join(doc["changed"]) if "changed" in doc and not reason else str(reason),
        doc.get("total") if event.kind in posting.DOCUMENTS else None,
        sum(entry[3] for entry in event.entries if entry[1] == POINTS),
    )


def _staff(conn: Connection, staff_id: bytes | None) -> StaffView | None:
    person = people.staff_by_id(conn, staff_id) if staff_id else None
    if person is None:
        return None
    return StaffView(person.id, person.initials, person.name, person.role)


def _member(conn: Connection, member_id: bytes | None, role: str) -> str:
    """The name, or the first signs of the random id: for an auditor, and where the profile is gone."""
    if member_id is None:
        return ""
    profile = people.profile(conn, member_id) if role != "auditor" else None
    return profile.name if profile is not None and profile.name else f"#{member_id.hex()[-8:]}"


def _moved(conn: Connection, event: Event) -> Iterator[Fact]:
    """The balance of each asset that the event moved, before and after it."""
    moved: dict[str, int] = {}
    for entry in event.entries:
        moved[entry[1]] = moved.get(entry[1], 0) + entry[3]
    if event.member_id is None:
        return
    for asset, amount in moved.items():
        before = rows.ledger_sum_before(conn, event.member_id, asset, event.seq)
        yield Fact(f"balance.{asset}", str(before), str(before + amount))


def _role(conn: Connection, event: Event) -> Iterator[Fact]:
    """The role of a person before an event about them."""
    if event.kind != posting.STAFF:
        return
    before = ""
    for row in rows.events_of_kind(conn, posting.STAFF, before=event.seq):
        earlier = posting.event_of(row).doc
        if earlier["staff"] == event.doc["staff"]:
            before = earlier["role"]
    yield Fact("person.role", before, event.doc["role"])


_OF_ITEM: Final = frozenset({"was", "item"})


def _item(event: Event) -> Iterator[Fact]:
    """What a saved item was before, where it isn't the same."""
    if event.kind != posting.CATALOGUE or "item" not in event.doc:
        return
    was = event.doc["was"] or {}
    for name, value in event.doc["item"].items():
        if name == "code" or was.get(name) != value:
            yield Fact(f"item.{name}", str(was.get(name, "")), str(value))


def _rest(event: Event) -> dict[str, Any]:
    """The facts that nothing above said with what was before."""
    if event.kind != posting.CATALOGUE:
        return event.doc
    return {name: value for name, value in event.doc.items() if name not in _OF_ITEM}


def _facts(path: str, value: Any) -> Iterator[Fact]:
    """The values of a document's facts, each with its path; a long list stays one value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _facts(f"{path}.{key}" if path else key, inner)
    elif value not in (None, [], ""):
        text = str(value)
        yield Fact(path, "", text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


def _without_tenders(fact: Fact) -> Fact:
    """How much of it was cash is nobody's to know before the drawer was counted."""
    blind = fact.name.rpartition(".")[2] in _TENDERS
    return Fact(fact.name, "", "•••") if blind else fact


_TENDERS: Final = frozenset({"tenders", "tender_shares", "refunds", "shares"})
_LONGEST: Final = 200
