"""The journal for people: who, when, what, before and after, by filters, a page at a time.

Events hold nothing personal; a member's name comes from the profile and stays masked for an auditor. The
filters are SQLAlchemy's (db/journal.py), which is imported when the first page is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from app import posting
from app.context import Context, Session
from app.documents.event_fields import BLIND
from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right, StaffRole
from app.protocol.events import Event, instant_of
from app.queries.event_facts import Fact, facts_of
from app.queries.readers import member_shown, require_look, shift_day
from app.queries.records import StaffView
from app.queries.reports.sales import uncounted_shift
from db import rows, staff_rows
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
class AuditLine:
    """One event. `points` is the sum of its entries, `total_minor` that of a document, None without;
    `details` are the facts that tell most (path, value)."""

    seq: int
    at: datetime
    kind: str
    staff: StaffView | None
    approver: StaffView | None
    member: str
    receipt_no: str
    details: tuple[tuple[str, Any], ...]
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
        wanted = _plain(within_reach(ctx, conn, role, asked))
        for _ in range(STRETCHES):
            more, before = stretch(conn, wanted, before=before, most=PAGE - len(found))
            found += more
            if len(found) == PAGE or not before:
                break
        return AuditPage(tuple(_line(conn, row, role) for row in found), before)


def audit_facts(ctx: Context, session: Session, seq: int) -> tuple[Fact, ...]:
    """What one event says, with what was before. Raises Refused(NOT_ALLOWED). Report lane."""
    with ctx.read(Reader.REPORT) as conn:
        role = require_look(conn, session, Right.AUDIT)
        row = rows.event_by_seq(conn, seq)
        if row is None:
            return ()
        event = posting.event_of(row)
        if not is_within_reach(ctx, conn, role, event):
            raise Refused(Refusal.NOT_ALLOWED, {"right": Right.AUDIT.value})
        facts = facts_of(conn, event, role, _tier_names(ctx, conn, event))
        if event.shift_id is None or event.shift_id != uncounted_shift(conn):
            return facts
        return _without_tenders(facts)


def lines_of(ctx: Context, session: Session, seqs: Sequence[int]) -> tuple[AuditLine, ...]:
    """The events of these numbers that the person may read, in their order. Raises Refused(NOT_ALLOWED).
    Report lane."""
    with ctx.read(Reader.REPORT) as conn:
        role = require_look(conn, session, Right.AUDIT)
        found = [rows.event_by_seq(conn, seq) for seq in seqs]
        return tuple(
            _line(conn, row, role)
            for row in found
            if row is not None and is_within_reach(ctx, conn, role, posting.event_of(row))
        )


def within_reach(
    ctx: Context, conn: Connection, role: StaffRole, asked: AuditFilter
) -> AuditFilter:
    """What of a filter somebody may read: a supervisor the business date of the open shift only."""
    if role != "supervisor":
        return asked
    day = shift_day(ctx, conn)
    return replace(asked, since=day, until=day)


def is_within_reach(ctx: Context, conn: Connection, role: StaffRole, event: Event) -> bool:
    """The same of one event."""
    return role != "supervisor" or event.business_date == shift_day(ctx, conn)


def all_lines(
    conn: Connection, role: StaffRole, asked: AuditFilter, *, most: int
) -> Iterator[AuditLine]:
    """Every event of a filter, newest first, `most` at most: for an export. The documents of a shift that
    isn't counted yet have no total in it: a table can be added up."""
    from db.journal import stretch

    hidden = uncounted_shift(conn)
    wanted, before, left = _plain(asked), 1 << 62, most
    while before and left:
        found, before = stretch(conn, wanted, before=before, most=min(left, 500))
        left -= len(found)
        for row in found:
            line = _line(conn, row, role)
            told = hidden is None or posting.event_of(row).shift_id != hidden
            yield line if told else replace(line, total_minor=None, points=0)


DETAILS: Final = ("rule", "state", "act", "what", "form", "why", "direction", "right", "reason")
"""The facts that a line of the list shows, in this order."""


def _changed_columns(event: Event) -> list[str]:
    """What of a profile was changed."""
    return event.doc["changed"] if event.kind in (posting.PROFILE, posting.CONSENT) else []


def _plain(asked: AuditFilter) -> EventFilter:
    from db.journal import EventFilter

    return EventFilter(
        None if asked.since is None else int(asked.since),
        None if asked.until is None else int(asked.until),
        asked.kinds, asked.staff_id, asked.member_id,
    )  # fmt: skip


def _line(conn: Connection, row: rows.EventRow, role: StaffRole) -> AuditLine:
    event = posting.event_of(row)
    doc = event.doc
    second = doc.get("approval") or doc.get("guard") or {}
    return AuditLine(
        event.seq,
        instant_of(event.at_us),
        event.kind,
        _staff(conn, event.staff_id),
        _staff(conn, bytes.fromhex(second["by"])) if second.get("by") else None,
        member_shown(conn, event.member_id, role),
        doc.get("receipt_no") or "",
        tuple((name, doc[name]) for name in DETAILS if isinstance(doc.get(name), str) and doc[name])
        or tuple(("changed", name) for name in _changed_columns(event)),
        doc.get("total") if event.kind in posting.DOCUMENTS else None,
        sum(entry[3] for entry in event.entries if entry[1] == POINTS),
    )


def _staff(conn: Connection, staff_id: bytes | None) -> StaffView | None:
    person = staff_rows.staff_by_id(conn, staff_id) if staff_id else None
    if person is None:
        return None
    return StaffView(person.id, person.initials, person.name, person.role)


_BLIND_FACTS: Final = frozenset({"tenders", "tender_shares", "refunds", "shares"})


def _without_tenders(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """How much of it was cash is nobody's to know before the drawer was counted, not even how many tenders."""
    blind = dict.fromkeys(f.name for f in facts if f.name.rpartition(".")[2] in _BLIND_FACTS)
    shown = [fact for fact in facts if fact.name not in blind]
    return (*shown, *(Fact(name, None, BLIND) for name in blind))


def _tier_names(ctx: Context, conn: Connection, event: Event) -> dict[str, tuple[str, str]]:
    """Tier code → (Chinese, English) by the programme of the event's date."""
    started = [p for p in ctx.programmes(conn) if p.starts <= event.business_date]
    return {level.code: (level.name_zh, level.name_en) for p in started for level in p.tiers.levels}
