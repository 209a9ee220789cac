"""F4: somebody voids and takes back far more than is usual, in a day or in three.

Twice over: all sales, and the sales without a member alone. Who refunds into their own pocket takes those,
because a member would miss the points that go back with every void and return.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from app.domain.fraud.facts import Case, Fact, case_of
from app.domain.fraud.limits import GuardLimits
from app.domain.fraud.peers import MILLION, median, share

DAYS_KEPT: Final = 28
DAYS_TOGETHER: Final = 3
"""Somebody careful spreads it: so many days are looked at together, besides each by itself."""
PEER_SALES: Final = 100
"""Sales in the days kept that make somebody a peer, and in a day that say what is usual today."""
PEERS_LEAST: Final = 2
SPECIAL: Final = 2
"""From this multiple of the others' median a till or a day is one of its own kind."""
Place = tuple[str, int]


@dataclass(slots=True)
class _DayCount:
    """What was sold and undone on a day."""

    day: int
    sales: int = 0
    undone: list[Place] = field(default_factory=list)


class _Record:
    """The days of a person, of a person at a till or of the store, as far back as anything is compared."""

    def __init__(self) -> None:
        self.days: list[_DayCount] = []

    def on(self, day: int) -> _DayCount:
        """The count of a day; what comes late goes to the newest one."""
        if not self.days or self.days[-1].day < day:
            self.days = [each for each in self.days if each.day >= day - DAYS_KEPT]
            self.days.append(_DayCount(day))
        return self.days[-1]

    def before(self, day: int) -> tuple[int, int, int]:
        """(sales, undone, days with work) of the days kept before this one."""
        past = [each for each in self.days if day - DAYS_KEPT <= each.day < day]
        return sum(e.sales for e in past), sum(len(e.undone) for e in past), len(past)


class _Watch:
    """One count of everybody's sales and what became undone of them."""

    def __init__(self, limits: GuardLimits, names: tuple[str, str]) -> None:
        self._limits, self._names = limits, names
        self._people: dict[str, _Record] = defaultdict(_Record)
        self._places: dict[tuple[str, str], _Record] = defaultdict(_Record)
        self._store = _Record()
        self._day = self._known = -1
        self._today: dict[tuple[str, str], tuple[_DayCount, ...]] = {}
        self._peers: list[tuple[str, int, int]] = []
        self._here: dict[str, list[tuple[str, int, int]]] = {}

    def see(self, fact: Fact) -> Case | None:
        """Count the fact; judge the person when it undoes something."""
        counts = self._counts(fact)
        if fact.kind == "sale":
            for count in counts:
                count.sales += 1
            return None
        for count in counts:
            count.undone.append((fact.till, fact.seq))
        return self._judge(fact, self._people[fact.staff])

    def _counts(self, fact: Fact) -> tuple[_DayCount, ...]:
        """What the fact counts towards: the day of the person, of the person at the till, of the store.
        Most facts are of the day of the fact before."""
        if fact.day != self._day:
            self._day = fact.day
            self._today = {}
        place = fact.till, fact.staff
        found = self._today.get(place)
        if found is None:
            records = self._people[fact.staff], self._places[place], self._store
            found = self._today[place] = tuple(record.on(fact.day) for record in records)
        return found

    def _judge(self, fact: Fact, person: _Record) -> Case | None:
        """More than the multiple of what is usual for as many sales as a whole day brings."""
        recent = [each for each in person.days if each.day > fact.day - DAYS_TOGETHER]
        if sum(len(each.undone) for each in recent) < self._limits.undo_least:
            return None
        usual = self._usual(fact, recent[-1])
        if usual is None:
            return None
        usual_share, day_sales = usual
        for what, days in zip(self._names, (recent[-1:], recent), strict=True):
            undone = tuple(place for each in days for place in each.undone)
            sales = sum(each.sales for each in days)
            expected = usual_share * max(sales, day_sales)
            enough = len(undone) >= self._limits.undo_least
            if enough and len(undone) * MILLION > self._limits.undo_multiple * expected:
                return case_of(
                    "F4", what, fact, action="report", seqs=undone, opened=undone[0],
                    counted=len(undone), sales=sales,
                    tenths=len(undone) * 10 * MILLION // expected if expected else 0,
                )  # fmt: skip
        return None

    def _usual(self, fact: Fact, mine: _DayCount) -> tuple[int, int] | None:
        """(share undone per million sales, sales in a person's day): the highest of the others'
        median, what this till sees (a service desk takes more back) and what the others see today
        (a bad batch comes back to everybody). None while there are too few to compare with."""
        self._look_back(fact.day)
        others = [(share_, sales) for who, share_, sales in self._peers if who != fact.staff]
        if len(others) < PEERS_LEAST:
            return None
        today = self._store.on(fact.day)
        sales = today.sales - mine.sales
        now = share(len(today.undone) - len(mine.undone), sales) if sales >= PEER_SALES else 0
        usual = median([share_ for share_, _ in others])
        # What is a little above the others' median is chance; a desk or a bad batch is far above it.
        special = [each for each in (self._at(fact), now) if each > SPECIAL * usual]
        return max([usual, *special]), median([day for _, day in others])

    def _at(self, fact: Fact) -> int:
        """The share that others undid at this till."""
        others = [each for each in self._here.get(fact.till, ()) if each[0] != fact.staff]
        sales = sum(each[1] for each in others)
        return share(sum(each[2] for each in others), sales) if sales >= PEER_SALES else 0

    def _look_back(self, day: int) -> None:
        """Work out once a day what the days before it were like."""
        if day == self._known:
            return
        self._known = day
        self._peers = []
        for who, record in self._people.items():
            sales, undone, days = record.before(day)
            if sales >= PEER_SALES:
                self._peers.append((who, share(undone, sales), sales // days))
        self._here = defaultdict(list)
        for (till, who), record in self._places.items():
            sales, undone, _ = record.before(day)
            self._here[till].append((who, sales, undone))


class Undone:
    """F4 as a fold: at each void or return the person's days against what is usual."""

    kinds: Final = ("sale", "void", "return")

    def __init__(self, limits: GuardLimits) -> None:
        self._off = not (limits.undo_least and limits.undo_multiple)
        self._all = _Watch(limits, ("day", "days"))
        self._nobody = _Watch(limits, ("day_without_member", "days_without_member"))

    def see(self, fact: Fact) -> Case | None:
        """`staff` is who voids, whoever sold."""
        if self._off:
            return None
        found = self._all.see(fact)
        return (self._nobody.see(fact) if not fact.member else None) or found
