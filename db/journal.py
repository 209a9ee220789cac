"""The journal by filters, newest first, a stretch at a time: what the audit's viewer asks."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import String, cast, func, select
from sqlalchemy.sql.elements import ColumnElement

from db.connection import Connection
from db.core import rows
from db.rows import EventRow
from db.tables import event, event_figures

STRETCH = 20_000
"""Events looked through at once; a caller stops between two."""
SHIFT_DAYS = 31
"""No shift goes on for longer."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events; None and empty ask nothing. Dates are business dates, days since 1970-01-01."""

    since: int | None = None
    until: int | None = None
    kinds: frozenset[str] = frozenset()
    staff_id: bytes | None = None
    member_id: bytes | None = None


def stretch(
    conn: Connection, asked: EventFilter, *, before: int, most: int
) -> tuple[list[EventRow], int]:
    """Up to `most` events below number `before`, newest first, out of one stretch; and the number below
    which to go on, 0 at the beginning."""
    lowest, highest = _span(conn, asked)
    before = min(before, highest + 1)
    floor = max(before - STRETCH, lowest)
    statement = (
        select(*event.c)
        .where(event.c.seq < before, event.c.seq >= floor, *_conditions(asked))
        .order_by(event.c.seq.desc())
        .limit(most)
    )
    found = [EventRow(*row) for row in rows(conn, statement)]
    if len(found) == most:
        return found, found[-1].seq
    return found, floor if floor > lowest else 0


def _conditions(asked: EventFilter) -> list[ColumnElement[bool]]:
    body = cast(event.c.body, String)
    conditions: list[ColumnElement[bool]] = []
    if asked.kinds:
        conditions.append(event.c.kind.in_(sorted(asked.kinds)))
    if asked.since is not None:
        conditions.append(func.json_extract(body, "$.bd") >= asked.since)
    if asked.until is not None:
        conditions.append(func.json_extract(body, "$.bd") <= asked.until)
    if asked.staff_id is not None:
        conditions.append(func.json_extract(body, "$.staff") == asked.staff_id.hex())
    if asked.member_id is not None:
        conditions.append(func.json_extract(body, "$.member") == asked.member_id.hex())
    return conditions


def _span(conn: Connection, asked: EventFilter) -> tuple[int, int]:
    """The numbers between which the asked dates lie, found by the index of the figures. A shift keeps its
    date however long it goes on, so its events may lie among those of later dates."""
    (lowest, highest) = (1, 1 << 62)
    at, on = event_figures.c.seq, event_figures.c.business_date
    if asked.since is not None:
        earlier = (
            select(at).where(on < asked.since - SHIFT_DAYS).order_by(on.desc(), at.desc()).limit(1)
        )
        lowest = next((row[0] + 1 for row in rows(conn, earlier)), lowest)
    if asked.until is not None:
        later = select(at).where(on > asked.until + SHIFT_DAYS).order_by(on, at).limit(1)
        highest = next((row[0] - 1 for row in rows(conn, later)), highest)
    if highest == 1 << 62:
        newest = select(event.c.seq).order_by(event.c.seq.desc()).limit(1)
        highest = next((row[0] for row in rows(conn, newest)), 0)
    return lowest, highest
