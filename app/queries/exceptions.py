"""The exception report: who does what how often against the others, and the cases of the guard's rules.

Nothing of it is stored: it is read from the journal each time (app.queries.guard_walk), so nobody can take a
case away; the context remembers what was found, for nothing else may be spoken of. What people said
about a case is an event of its own (app/usecases/exceptions.py). Rights are checked there too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import TypeAlias

from sqlcipher3.dbapi2 import Connection

from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.fraud.facts import Case
from app.domain.fraud.limits import GuardLimits
from app.domain.fraud.peers import Standing, standings
from app.domain.rights import Grant, Right, StaffRole, rule
from app.protocol.events import instant_of
from app.queries.guard_facts import SECOND_US
from app.queries.guard_walk import MEASURES, CaseState, Measure, Seen, walk
from app.queries.readers import member_shown
from app.queries.records import StaffView
from db import staff_rows
from db.engine import Reader

Walk: TypeAlias = Callable[[Context, BusinessDate, BusinessDate, GuardLimits], Seen]
"""Who walks over a period of the journal: `walk_here`, or app/apart.py."""


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A person in the period. `counts` has every measure, against sales; `cases` is how many the
    rules found, `open_cases` how many of them nobody has looked at yet; `events` are the numbers of the
    newest events behind each count, oldest first."""

    staff: StaffView
    sales: int
    counts: Mapping[Measure, Standing]
    cases: int
    open_cases: int
    events: Mapping[Measure, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody said about a case. `reason` is a code, "" with "seen"."""

    state: CaseState
    by: StaffView
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case with who it is about. `state` is the furthest that anybody said; `words` all of it."""

    case: Case
    staff: StaffView
    member_name: str
    at: datetime
    state: CaseState
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Exceptions:
    """The report of a period, both ends included; `people` by cases, then name. `found` is (cases, those that
    nobody has spoken of); `cases`, newest first, has CASES_MOST of a person at most.

    `till` names the only till whose journal is here; other tills' people are compared at head office.
    `may_judge` says whether the reader may say of a case that it was seen (Right.CASE).
    """

    since: BusinessDate
    until: BusinessDate
    till: str
    people: tuple[PersonLine, ...]
    found: tuple[int, int]
    cases: tuple[CaseLine, ...]
    may_judge: bool


def walk_here(ctx: Context, since: BusinessDate, until: BusinessDate, limits: GuardLimits) -> Seen:
    """The walk on this thread, Python from end to end."""
    with ctx.read(Reader.REPORT) as conn:
        return walk(conn, since, until, limits)


def exceptions(
    ctx: Context,
    since: BusinessDate,
    until: BusinessDate,
    role: StaffRole,
    walked: Walk = walk_here,
) -> Exceptions:
    """The journal of the period through the guard's rules. `role` is the reader's: an auditor sees no names of
    members. Shapes as in Exceptions. Raises what `walked` raises.
    """
    with ctx.read(Reader.REPORT) as conn:
        limits = ctx.programme_on(conn, until).guard
    seen = walked(ctx, since, until, limits)
    with ctx.read(Reader.REPORT) as conn:
        staff = cache(partial(_staff, conn))
        return Exceptions(
            since, until, ctx.till.till, _people(seen, staff), _found(seen),
            _case_lines(conn, seen, staff, role),
            rule(role, Right.CASE).grant is Grant.ALONE,
        )  # fmt: skip


# Records ----------------------------------------------------------------------------------------


_Named: TypeAlias = Callable[[str], StaffView]
"""A person's id as hex → the person."""


def _people(seen: Seen, staff: _Named) -> tuple[PersonLine, ...]:
    everybody = set(seen.sales) | {who for found in seen.counts.values() for who in found}
    everybody |= {case.staff for case in seen.cases.values()}
    standing = {
        measure: standings({who: (found.get(who, 0), seen.sales.get(who, 0)) for who in everybody})
        for measure, found in seen.counts.items()
    }
    lines = []
    for who in everybody - {""}:
        cases, fresh = seen.case_counts.get(who, (0, 0))
        counts = {measure: standing[measure][who] for measure in MEASURES}
        events = {measure: seen.events[measure].get(who, ()) for measure in MEASURES}
        sales = seen.sales.get(who, 0)
        lines.append(PersonLine(staff(who), sales, counts, cases, fresh, events))
    return tuple(sorted(lines, key=lambda line: (-line.cases, line.staff.name)))


def _found(seen: Seen) -> tuple[int, int]:
    counts = seen.case_counts.values()
    return sum(cases for cases, _ in counts), sum(fresh for _, fresh in counts)


def _case_lines(
    conn: Connection, seen: Seen, staff: _Named, role: StaffRole
) -> tuple[CaseLine, ...]:
    found = sorted(seen.cases.values(), key=lambda case: -max(seq for _, seq in case.seqs))
    lines = []
    for case in found:
        words = tuple(
            Word(each.state, staff(each.by), instant_of(each.at_us), each.reason)
            for each in seen.said.get(case.key, ())
        )
        states = {word.state for word in words}
        lines.append(
            CaseLine(
                case,
                staff(case.staff),
                member_shown(conn, bytes.fromhex(case.member) or None, role),
                instant_of(seen.at_s[case.key] * SECOND_US),
                "explained" if "explained" in states else "seen" if states else "new",
                words,
            )
        )
    return tuple(lines)


def _staff(conn: Connection, who: str) -> StaffView:
    person = staff_rows.staff_by_id(conn, bytes.fromhex(who)) if who else None
    if person is None:
        return StaffView(b"", "", "", "")
    return StaffView(person.id, person.initials, person.name, person.role)


def opening_seq(key: str) -> int:
    """The sequence number of the event that opened the case of a key."""
    return int(key.rpartition(".")[2])
