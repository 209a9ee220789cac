"""Facts of one till in order, for the tests of the rules against fraud."""

from __future__ import annotations

from typing import Any

from app.domain.fraud.facts import Case, Fact
from app.domain.fraud.guard import cases_of
from app.domain.fraud.limits import DEFAULT_GUARD, GuardLimits

MINUTE, HOUR, DAY = 60, 3600, 86_400
START_DAY = 20_000
GOOD: dict[str, Any] = {"what": "goodwill", "note_chars": 10, "approver": "wm", "amount": 100}
"""An adjustment that nothing speaks against."""


class Stream:
    """Facts of one till in order; each is a minute after the one before unless it says otherwise."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.now = START_DAY * DAY + 9 * HOUR

    def add(self, kind: str, *, after: int = MINUTE, **values: Any) -> Fact:
        """One more fact; `after` are the seconds since the last one."""
        self.now += after
        given: dict[str, Any] = {
            "till": "t1", "seq": len(self.facts) + 1, "kind": kind, "at_s": self.now,
            "wall_s": self.now, "day": self.now // DAY, "staff": "ann", "shift": "s1", **values,
        }  # fmt: skip
        given.setdefault("id", f"e{given['seq']}")
        self.facts.append(Fact(**given))
        return self.facts[-1]

    def sale(self, member: str = "", *, earned: int = 10, **values: Any) -> Fact:
        """A sale that earns when it has a member."""
        return self.add("sale", member=member, earned=earned if member else 0, **values)

    def cases(self, limits: GuardLimits = DEFAULT_GUARD) -> list[tuple[str, str, str]]:
        """(rule, what, action) of every case, in the order of opening."""
        return [(c.rule, c.what, c.action) for c in self.found(limits)]

    def found(self, limits: GuardLimits = DEFAULT_GUARD) -> list[Case]:
        """Every case as it stood last."""
        return list(cases_of(self.facts, limits).values())


def claim(stream: Stream, member: str = "m1", receipt: str = "r1", **values: Any) -> Fact:
    return stream.add("claim", member=member, refers=receipt, **{"what": "bob", **values})


def quiet_days(stream: Stream, *, undone: int = 2, till: str = "t1") -> None:
    """A day before, with two people's 200 sales and 2 voids each: a share of 1 %."""
    for who in ("bob", "cid"):
        for _ in range(200):
            stream.sale(staff=who, after=1, till=till)
        for _ in range(undone):
            stream.add("void", staff=who, after=1, till=till)
    stream.now += DAY
