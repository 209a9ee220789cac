"""One walk over the journal for the exception report: every event once through the guard's rules, counts and
cases out. Names, roles and what is shown of it are app.queries.exceptions'.

It runs in a process of its own (app/apart.py), which begins in a tenth of a second because little is
imported here: only the rows of events, people and shifts, and the rules.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import msgspec
from sqlcipher3.dbapi2 import Connection

from app.domain.business_day import BusinessDate
from app.domain.fraud.facts import Case, Fact
from app.domain.fraud.guard import Guard
from app.domain.fraud.limits import GuardLimits
from app.percent import Share, quiet
from app.queries.guard_facts import Facts
from db import people, rows, staff_rows, till

WARM_UP_DAYS: Final = 30
"""The rules look this far back; what they find before the period is left out."""
STEPS: Final = 10
"""How often a walk says how far it is: each time the till listens for a moment."""
EVENTS_MOST: Final = 500
"""Behind one count; a journal filtered by person and kind has all of them."""
CASES_MOST: Final = 500
"""Of one person, the ones that nobody has spoken of first; a shorter period has all of them."""

Measure = Literal[
    "returns", "voids", "drawer", "own_card", "adjust", "approvals", "looks", "enrolments"
]
MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)
CaseState = Literal["new", "seen", "explained"]


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said about a case: `by` is their id as hex, `reason` a code, "" with "seen"."""

    state: CaseState
    by: str
    at_us: int
    reason: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a walk gathered of a period. People are named by their ids as hex, "" for nobody.

    Attributes:
        sales: how many by person.
        counts: how many acts of a measure by person.
        events: the numbers of the newest of these events, EVENTS_MOST at most, oldest first.
        case_counts: (cases, those of them that nobody has spoken of) by person, all of them.
        cases: by key, each as it stood last; CASES_MOST at most of a person.
        at_s: when each case became what it is, by key: seconds since 1970 by the till's clock.
        said: by key of a case.
    """

    sales: Mapping[str, int]
    counts: Mapping[Measure, Mapping[str, int]]
    events: Mapping[Measure, Mapping[str, tuple[int, ...]]]
    case_counts: Mapping[str, tuple[int, int]]
    cases: Mapping[str, Case]
    at_s: Mapping[str, int]
    said: Mapping[str, tuple[Said, ...]]


class _Gathered:
    """The same while it grows."""

    def __init__(self) -> None:
        self.sales = Counter[str]()
        self.counts: dict[Measure, Counter[str]] = {measure: Counter() for measure in MEASURES}
        self.events: dict[Measure, defaultdict[str, deque[int]]] = {
            measure: defaultdict(lambda: deque(maxlen=EVENTS_MOST)) for measure in MEASURES
        }
        self.cases: dict[str, Case] = {}
        self.at_s: dict[str, int] = {}
        self.said: dict[str, list[Said]] = defaultdict(list)

    def count(self, fact: Fact) -> None:
        """Count an act of the period."""
        if fact.kind == "sale":
            self.sales[fact.staff] += 1
            if not (fact.approver or fact.what):
                return  # as most sales are
        for measure in _measures_of(fact):
            self.counts[measure][fact.staff] += 1
            self.events[measure][fact.staff].append(fact.seq)

    def hear(self, event: dict[str, Any]) -> None:
        """Keep what an event says of a case."""
        doc = event["doc"]
        word = Said(doc["state"], event["staff"], event["at"], doc["reason"])
        self.said[doc["case"]].append(word)

    def seen(self) -> Seen:
        """What there is at the end."""
        events = {
            measure: {who: tuple(seqs) for who, seqs in found.items()}
            for measure, found in self.events.items()
        }
        by_person: dict[str, list[Case]] = defaultdict(list)
        for case in self.cases.values():
            by_person[case.staff].append(case)
        counts = {
            who: (len(cases), sum(case.key not in self.said for case in cases))
            for who, cases in by_person.items()
        }
        kept = {case.key: case for cases in by_person.values() for case in self._foremost(cases)}
        at_s = {key: self.at_s[key] for key in kept}
        said = {key: tuple(self.said[key]) for key in kept if key in self.said}
        return Seen(self.sales, self.counts, events, counts, kept, at_s, said)

    def _foremost(self, cases: list[Case]) -> list[Case]:
        cases.sort(key=lambda case: (case.key in self.said, -case.seqs[-1][1]))
        return cases[:CASES_MOST]


def walk(
    conn: Connection,
    since: BusinessDate,
    until: BusinessDate,
    limits: GuardLimits,
    progress: Share = quiet,
) -> Seen:
    """Read the events of a period, both ends included, and of the weeks before it that the rules look back
    to. `progress` hears how many of them are read."""
    gathered, phones = _Gathered(), _Phones(conn, limits)
    facts, guard = Facts(phones.mark, phones.sharing), Guard(limits)
    for link in _links(conn, phones):
        guard.see(link)
    first, head = first_seq(conn, since.plus(-WARM_UP_DAYS)), rows.head(conn)
    whole = head[0] - first if head else 0
    step = whole // STEPS + 1
    for number, (seq, kind, body) in enumerate(rows.bodies_after(conn, first), 1):
        if number % step == 0:
            progress(number, whole)
        if kind == "case":
            gathered.hear(msgspec.json.decode(body))
            continue
        fact = facts.of_bytes(seq, kind, body)
        if fact is None or fact.day > until:
            continue
        for case in guard.see(fact):
            if case.day >= since:
                gathered.cases[case.key] = case
                gathered.at_s[case.key] = fact.wall_s
        if fact.day >= since:
            gathered.count(fact)
    return gathered.seen()


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
    """An event before all documents of a business date and later ones. Dates go back along the journal (a
    close books on its own date while the next one sells, a clock was wrong), so it is asked of the shifts."""
    opened = till.first_opened_since(conn, int(day))
    return max(opened - 1, 0)


class _Phones:
    """Opaque marks for phones, other ones each time; only the staff's own numbers are needed."""

    def __init__(self, conn: Connection, limits: GuardLimits) -> None:
        self._salt = os.urandom(16)
        self._conn, self._least = conn, limits.members_per_phone
        self._marks: dict[str, str] = {}
        for person in staff_rows.all_staff(conn):
            own = people.profile(conn, person.member_id) if person.member_id else None
            for phone in {person.phone, own.phone if own else None} - {None, ""}:
                for member in people.members_of_phone(conn, phone or ""):
                    self._marks[member.hex()] = self.of(phone or "")

    def of(self, phone: str) -> str:
        return hashlib.blake2b(phone.encode(), key=self._salt, digest_size=8).hexdigest()

    def mark(self, member: str) -> str:
        return self._marks.get(member, "")

    def sharing(self, member: str) -> int:
        """How many have the phone of somebody who enrolled. Asked of each, for they are few in any period."""
        return people.sharing_phone_of(self._conn, bytes.fromhex(member)) if self._least else 0


def _links(conn: Connection, phones: _Phones) -> Iterator[Fact]:
    """The staff's own accounts as they are now: links older than the walk are not in it."""
    for person in staff_rows.all_staff(conn):
        own = person.member_id.hex() if person.member_id else ""
        if own or person.phone:
            mark = phones.mark(own) or (phones.of(person.phone) if person.phone else "")
            yield Fact("", 0, "link", 0, 0, 0, staff=person.id.hex(), member=own, phone=mark)
