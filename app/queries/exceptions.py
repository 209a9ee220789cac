"""The exception report: who does what how often against the others, and the cases of the guard's rules.

Nothing of it is stored: it is read from the journal each time, so nobody can take a case away; the context
remembers what was found, for nothing else may be spoken of. What people said
about a case is an event of its own (app/usecases/exceptions.py). Rights are checked there too.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

import msgspec
from sqlcipher3.dbapi2 import Connection

from app import posting
from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.fraud.facts import Case, Fact
from app.domain.fraud.guard import Guard
from app.domain.fraud.limits import GuardLimits
from app.domain.fraud.peers import Standing, standings
from app.domain.rights import Grant, Right, StaffRole, rule
from app.protocol.events import instant_of
from app.queries.guard import Facts
from app.queries.readers import member_shown
from app.queries.records import StaffView
from db import people, rows
from db.engine import Reader

WARM_UP_DAYS: Final = 30
"""The rules look this far back; what they find before the period is left out."""
EVENTS_MOST: Final = 500
"""Behind one count; a journal filtered by person and kind has all of them."""
_BREATH: Final = 400
"""Events between two pauses in which the counter gets the interpreter."""

Measure = Literal[
    "returns", "voids", "drawer", "own_card", "adjust", "approvals", "looks", "enrolments"
]
MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)
CaseState = Literal["new", "seen", "explained"]


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
    """The report of a period, both ends included; `cases` newest first, `people` by cases, then name.

    `till` names the only till whose journal is here; other tills' people are compared at head office.
    `may_judge` says whether the reader may say of a case that it was seen (Right.CASE).
    """

    since: BusinessDate
    until: BusinessDate
    till: str
    people: tuple[PersonLine, ...]
    cases: tuple[CaseLine, ...]
    may_judge: bool


def exceptions(
    ctx: Context, since: BusinessDate, until: BusinessDate, role: StaffRole
) -> Exceptions:
    """Read the journal of the period, and of the weeks before it that the rules look back to. `role`
    is the reader's: an auditor sees no names of members.

    Shapes as in Exceptions. Runs on the report lane; it gives the counter room while it reads.
    """
    with ctx.read(Reader.REPORT) as conn:
        limits = ctx.programme_on(conn, until).guard
        seen = _read(conn, since, until, limits)
        return Exceptions(
            since, until, ctx.till.till, _people(conn, seen), _case_lines(conn, seen, role),
            rule(role, Right.CASE).grant is Grant.ALONE,
        )  # fmt: skip


# Reading the period -----------------------------------------------------------------------------


@dataclass(slots=True)
class _Seen:
    """What a walk over the journal gathered."""

    sales: Counter[str]
    counts: dict[Measure, Counter[str]]
    events: dict[tuple[Measure, str], deque[int]]
    cases: dict[str, Case]
    words: dict[str, list[dict[str, Any]]]


def _read(conn: Connection, since: BusinessDate, until: BusinessDate, limits: GuardLimits) -> _Seen:
    seen = _Seen(
        Counter(), {measure: Counter() for measure in MEASURES},
        defaultdict(lambda: deque(maxlen=EVENTS_MOST)), {}, defaultdict(list),
    )  # fmt: skip
    phones = _Phones(conn)
    facts, guard = Facts(phones.mark, phones.sharing), Guard(limits)
    for link in _links(conn, phones):
        list(guard.see(link))
    first = first_seq(conn, since.plus(-WARM_UP_DAYS))
    for number, (kind, body) in enumerate(rows.bodies_after(conn, first)):
        if number % _BREATH == _BREATH - 1:
            time.sleep(0.001)
        if kind == posting.CASE:
            event = msgspec.json.decode(body)
            seen.words[event["doc"]["case"]].append(event)
            continue
        fact = facts.of_bytes(kind, body)
        if fact is None or fact.day > until:
            continue
        for case in guard.see(fact):
            if case.day >= since:
                seen.cases[case.key] = case
        if fact.day >= since:
            _count(seen, fact)
    return seen


def _count(seen: _Seen, fact: Fact) -> None:
    if fact.kind == "sale":
        seen.sales[fact.staff] += 1
    for measure in _measures_of(fact):
        seen.counts[measure][fact.staff] += 1
        seen.events[measure, fact.staff].append(fact.seq)


def _measures_of(fact: Fact) -> Iterator[Measure]:
    measure = _MEASURE_OF.get(fact.kind)
    if measure is not None:
        yield measure
    if fact.approver:
        yield "approvals"
    if fact.what == "own_card":
        yield "own_card"


_MEASURE_OF: Final[Mapping[str, Measure]] = {
    "return": "returns",
    "void": "voids",
    "drawer": "drawer",
    "adjust": "adjust",
    "look": "looks",
    "enrol": "enrolments",
}


def first_seq(conn: Connection, day: BusinessDate) -> int:
    """The last event before a business date; dates never go back along the journal."""
    head = rows.head(conn)
    low, high = 0, head[0] if head else 0
    while low < high:
        middle = (low + high + 1) // 2
        row = rows.event_by_seq(conn, middle)
        assert row is not None, "the journal has no gaps"
        if msgspec.json.decode(row.body)["bd"] < day:
            low = middle
        else:
            high = middle - 1
    return low


class _Phones:
    """Opaque marks for phones, other ones each time; only the staff's own numbers are needed."""

    def __init__(self, conn: Connection) -> None:
        self._conn, self._salt = conn, os.urandom(16)
        self._marks: dict[str, str] = {}
        for person in people.all_staff(conn):
            own = people.profile(conn, person.member_id) if person.member_id else None
            for phone in {person.phone, own.phone if own else None} - {None, ""}:
                for member in people.members_of_phone(conn, phone or ""):
                    self._marks[member.hex()] = self.of(phone or "")

    def of(self, phone: str) -> str:
        return hashlib.blake2b(phone.encode(), key=self._salt, digest_size=8).hexdigest()

    def mark(self, member: str) -> str:
        return self._marks.get(member, "")

    def sharing(self, member: str) -> int:
        return people.members_on_phone_of(self._conn, bytes.fromhex(member))


def _links(conn: Connection, phones: _Phones) -> Iterator[Fact]:
    """The staff's own accounts as they are now: links older than the walk are not in it."""
    for person in people.all_staff(conn):
        own = person.member_id.hex() if person.member_id else ""
        if own or person.phone:
            mark = phones.mark(own) or (phones.of(person.phone) if person.phone else "")
            yield Fact("", 0, "link", 0, 0, 0, staff=person.id.hex(), member=own, phone=mark)


# Records ----------------------------------------------------------------------------------------


def _people(conn: Connection, seen: _Seen) -> tuple[PersonLine, ...]:
    everybody = set(seen.sales) | {who for found in seen.counts.values() for who in found}
    everybody |= {case.staff for case in seen.cases.values()}
    standing = {
        measure: standings({who: (found[who], seen.sales[who]) for who in everybody})
        for measure, found in seen.counts.items()
    }
    lines = []
    for who in everybody - {""}:
        cases = [case for case in seen.cases.values() if case.staff == who]
        fresh = [case for case in cases if case.key not in seen.words]
        counts = {measure: standing[measure][who] for measure in MEASURES}
        events = {measure: tuple(seen.events.get((measure, who), ())) for measure in MEASURES}
        lines.append(
            PersonLine(_staff(conn, who), seen.sales[who], counts, len(cases), len(fresh), events)
        )
    return tuple(sorted(lines, key=lambda line: (-line.cases, line.staff.name)))


def _case_lines(conn: Connection, seen: _Seen, role: StaffRole) -> tuple[CaseLine, ...]:
    found = sorted(seen.cases.values(), key=lambda case: -max(seq for _, seq in case.seqs))
    lines = []
    for case in found:
        words = _words(conn, seen.words.get(case.key, ()))
        states = {word.state for word in words}
        last = rows.event_by_seq(conn, case.seqs[-1][1])
        assert last is not None, "a case is made of events"
        lines.append(
            CaseLine(
                case,
                _staff(conn, case.staff),
                member_shown(conn, bytes.fromhex(case.member) or None, role),
                instant_of(posting.event_of(last).at_us),
                "explained" if "explained" in states else "seen" if states else "new",
                words,
            )
        )
    return tuple(lines)


def _words(conn: Connection, events: Sequence[dict[str, Any]]) -> tuple[Word, ...]:
    return tuple(
        Word(
            event["doc"]["state"],
            _staff(conn, event["staff"]),
            instant_of(event["at"]),
            event["doc"]["reason"],
        )
        for event in events
    )


def _staff(conn: Connection, who: str) -> StaffView:
    person = people.staff_by_id(conn, bytes.fromhex(who)) if who else None
    if person is None:
        return StaffView(b"", "", "", "")
    return StaffView(person.id, person.initials, person.name, person.role)


def opening_seq(key: str) -> int:
    """The sequence number of the event that opened the case of a key."""
    return int(key.rpartition(".")[2])
