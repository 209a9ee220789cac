"""F4: somebody voids and takes back far more than the others do, in a day or in a week."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from app.domain.fraud.facts import MOST_SEQS, Case, Fact, case_of
from app.domain.fraud.limits import GuardLimits
from app.domain.fraud.peers import median, share

WEEKS_KEPT: Final = 4
PEER_SALES: Final = 100
"""Sales in the weeks kept that make somebody a peer."""
PEERS_LEAST: Final = 2


@dataclass(slots=True)
class _Person:
    """What one person did: this day, this week, and the weeks before it that are kept."""

    day: int = -1
    day_sales: int = 0
    day_undone: list[tuple[str, int]] = field(default_factory=list)
    week: int = -1
    week_sales: int = 0
    week_undone: list[tuple[str, int]] = field(default_factory=list)
    past: list[tuple[int, int, int]] = field(default_factory=list)

    def turn_to(self, day: int) -> None:
        """Begin a day, and a week when it is another one; late facts stay in the newer day."""
        if day <= self.day:
            return
        self.day, self.day_sales, self.day_undone = day, 0, []
        week = _week(day)
        if week == self.week:
            return
        if self.week_sales or self.week_undone:
            self.past.append((self.week, self.week_sales, len(self.week_undone)))
        self.past = [each for each in self.past if each[0] >= week - WEEKS_KEPT]
        self.week, self.week_sales, self.week_undone = week, 0, []

    def of_weeks(self, since: int) -> tuple[int, int]:
        """(sales, undone) of the weeks kept and this one."""
        past = [each for each in self.past if each[0] >= since]
        sales = sum(each[1] for each in past)
        undone = sum(each[2] for each in past)
        if self.week >= since:
            return sales + self.week_sales, undone + len(self.week_undone)
        return sales, undone


class Undone:
    """F4 as a fold: at each void or return the person's day and week against the others' weeks."""

    kinds: Final = ("sale", "void", "return")

    def __init__(self, limits: GuardLimits) -> None:
        self._limits = limits
        self._people: dict[str, _Person] = defaultdict(_Person)

    def see(self, fact: Fact) -> Case | None:
        """`staff` is who voids, whoever sold."""
        person = self._people[fact.staff]
        person.turn_to(fact.day)
        if fact.kind == "sale":
            person.day_sales += 1
            person.week_sales += 1
            return None
        place = (fact.till, fact.seq)
        person.day_undone.append(place)
        person.week_undone.append(place)
        least = self._limits.undo_least
        if not least or not self._limits.undo_multiple or len(person.week_undone) < least:
            return None
        usual = self._usual(fact)
        if usual is None:
            return None
        for what, sales, undone in (
            ("day", person.day_sales, person.day_undone),
            ("week", person.week_sales, person.week_undone),
        ):
            mine = share(len(undone), sales)
            if len(undone) >= least and mine > self._limits.undo_multiple * usual:
                return case_of(
                    "F4", what, fact, action="report", seqs=tuple(undone[-MOST_SEQS:]),
                    opened=undone[0], counted=len(undone), sales=sales,
                    tenths=mine * 10 // usual if usual else 0,
                )  # fmt: skip
        return None

    def _usual(self, fact: Fact) -> int | None:
        """The median share of the others, None while there are too few of them."""
        since = _week(fact.day) - WEEKS_KEPT
        others = [
            person.of_weeks(since) for who, person in self._people.items() if who != fact.staff
        ]
        shares = [share(undone, sales) for sales, undone in others if sales >= PEER_SALES]
        return median(shares) if len(shares) >= PEERS_LEAST else None


def _week(day: int) -> int:
    """Weeks since Monday 1969-12-29."""
    return (day + 3) // 7
