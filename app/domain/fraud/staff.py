"""Rules that watch a person at work: F5 adjustments, F6 drawer, F8 enrolments, F9 views,
F10 overrides, F12 clock and training. Each keeps no more than the window that it looks at.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Final

from app.domain.fraud import verdicts
from app.domain.fraud.facts import Case, Fact, case_of
from app.domain.fraud.limits import GuardLimits
from app.domain.fraud.peers import median

BURST_S: Final = 600
PRESENCE_DAYS: Final = 30
"""A person who signs in here at least this often is missed when they approve without it."""
PAIRS_KEPT: Final = 200
PAIRS_LEAST: Final = 20
"""Pairs of earlier shifts that say what is usual, and how many there have to be."""
Place = tuple[str, int]


class Adjustments:
    """F5: points by hand."""

    kinds: Final = ("adjust",)

    def __init__(self, limits: GuardLimits) -> None:
        self._limits = limits
        self._day = -1
        self._approved: dict[str, int] = defaultdict(int)
        self._asked: dict[str, int] = defaultdict(int)
        self._members: dict[str, int] = defaultdict(int)

    def see(self, fact: Fact) -> Case | None:
        """`amount` is signed points; verdicts.AdjustedToday says what counts towards whose day."""
        if fact.day > self._day:
            self._day = fact.day
            for sums in (self._approved, self._asked, self._members):
                sums.clear()
        today = verdicts.AdjustedToday(
            self._approved[fact.approver], self._asked[fact.staff], self._members[fact.member]
        )
        stop = verdicts.adjustment(
            fact.what, fact.note_chars, fact.staff, fact.approver, fact.amount, today, self._limits,
        )  # fmt: skip
        self._approved[fact.approver] += abs(fact.amount)
        self._asked[fact.staff] += abs(fact.amount)
        if fact.member:
            self._members[fact.member] += fact.amount
        if stop is None:
            return None
        return case_of(
            "F5", stop.what, fact, action="block", counted=stop.counted, limit=stop.limit
        )


class Drawer:
    """F6: the drawer opens without a sale, cash goes in or out beside sales, or the drawer stands open."""

    kinds: Final = ("drawer", "cash", "drawer_shut")

    def __init__(self, limits: GuardLimits) -> None:
        self._limits = limits
        self._shift: dict[tuple[str, str], tuple[str, list[Place]]] = {}

    def see(self, fact: Fact) -> Case | None:
        """Openings and moves of cash are counted apart, to the same limit. `drawer_shut` comes only from
        a drawer with a sensor."""
        if fact.kind == "drawer_shut":
            limit = self._limits.drawer_open_s
            if limit and fact.amount > limit:
                return case_of(
                    "F6", "open", fact, action="report", seconds=fact.amount, limit=limit
                )
            return None
        shift, seen = self._shift.get((fact.till, fact.kind), ("", []))
        if shift != fact.shift:
            seen = []
        seen.append((fact.till, fact.seq))
        self._shift[fact.till, fact.kind] = (fact.shift, seen)
        limit = self._limits.drawer_per_shift
        if not limit or len(seen) <= limit:
            return None
        return case_of(
            "F6", "moves" if fact.kind == "cash" else "often", fact, action="report",
            seqs=tuple(seen), opened=seen[0], counted=len(seen), limit=limit,
        )  # fmt: skip


class Enrolments:
    """F8: members are made in numbers, or many on one phone."""

    kinds: Final = ("enrol",)

    def __init__(self, limits: GuardLimits) -> None:
        self._limits = limits
        self._hour: dict[str, deque[int]] = defaultdict(deque)
        self._places: dict[str, deque[Place]] = defaultdict(deque)

    def see(self, fact: Fact) -> Case | None:
        """`amount` is how many members the phone has now, 0 without one."""
        most = self._limits.members_per_phone
        if most and fact.amount >= most:
            return case_of("F8", "phone", fact, counted=fact.amount, limit=most)
        recent, places = self._hour[fact.staff], self._places[fact.staff]
        recent.append(fact.at_s)
        places.append((fact.till, fact.seq))
        while recent[0] <= fact.at_s - verdicts.HOUR_S:
            recent.popleft()
            places.popleft()
        limit = self._limits.enrol_per_hour
        if not limit or len(recent) <= limit:
            return None
        seqs = tuple(places)
        return case_of(
            "F8", "hour", fact, seqs=seqs, opened=seqs[0], counted=len(recent), limit=limit
        )


class Views:
    """F9: people are looked up who buy nothing; personal values are unmasked in a row."""

    kinds: Final = ("look", "sale")

    def __init__(self, limits: GuardLimits) -> None:
        self._limits = limits
        self._shift: dict[str, str] = {}
        self._viewed: dict[str, dict[str, Place]] = {}
        self._unmasked: dict[str, list[Fact]] = {}

    def see(self, fact: Fact) -> Case | None:
        """Per till and shift; a sale to the member explains every look at them."""
        if self._shift.get(fact.till) != fact.shift:
            self._shift[fact.till] = fact.shift
            self._viewed[fact.till] = {}
            self._unmasked[fact.till] = []
        viewed = self._viewed[fact.till]
        if fact.kind == "sale":
            viewed.pop(fact.member, None)
            return None
        if fact.what != "profile":
            return self._unmask(fact)
        viewed[fact.member] = (fact.till, fact.seq)
        limit = self._limits.views_per_shift
        if not limit or len(viewed) <= limit:
            return None
        return case_of(
            "F9", "views", fact, seqs=tuple(viewed.values()), opened=next(iter(viewed.values())),
            counted=len(viewed), limit=limit,
        )  # fmt: skip

    def _unmask(self, fact: Fact) -> Case | None:
        seen = self._unmasked[fact.till]
        seen.append(fact)
        mine = [each for each in seen if each.staff == fact.staff]
        burst = [each for each in mine if each.at_s > fact.at_s - BURST_S]
        limits = self._limits
        for what, found, least in (
            ("burst", burst, limits.unmask_in_minutes),
            ("unmask", mine, limits.unmask_per_shift + 1 if limits.unmask_per_shift else 0),
        ):
            if least and len(found) >= least:
                seqs = tuple((each.till, each.seq) for each in found)
                return case_of(
                    "F9", what, fact, seqs=seqs, opened=seqs[0], counted=len(found), limit=least
                )
        return None


class Overrides:
    """F10: the same two people again and again, or a second person who isn't here today, or who was made
    one the same day: added, or with a new PIN or role."""

    kinds: Final = ("sign_in", "staff", "approval")

    def __init__(self, limits: GuardLimits) -> None:
        self._limits = limits
        self._here: dict[str, int] = {}
        self._shift: dict[str, str] = {}
        self._pairs: dict[str, dict[tuple[str, str], list[Place]]] = {}
        self._usual: deque[int] = deque(maxlen=PAIRS_KEPT)
        self._made: dict[str, tuple[int, list[Place]]] = {}

    def see(self, fact: Fact) -> Case | None:
        """Presence is judged only of people who sign in here now and then."""
        if fact.kind == "sign_in":
            self._here[fact.staff] = max(fact.day, self._here.get(fact.staff, 0))
            return None
        if fact.kind == "staff":
            self._made[fact.refers] = (fact.day, [(fact.till, fact.seq)])
            return None
        if self._shift.get(fact.till) != fact.shift:
            self._shift[fact.till] = fact.shift
            self._usual.extend(len(seen) for seen in self._pairs.get(fact.till, {}).values())
            self._pairs[fact.till] = {}
        seen = self._pairs[fact.till].setdefault((fact.staff, fact.approver), [])
        seen.append((fact.till, fact.seq))
        limit = self._most()
        if limit and len(seen) > limit:
            return case_of(
                "F10", "pair", fact, seqs=tuple(seen), opened=seen[0],
                counted=len(seen), limit=limit,
            )  # fmt: skip
        made, places = self._made.get(fact.approver, (-1, []))
        if made == fact.day:
            places.append((fact.till, fact.seq))
            return case_of("F10", "fresh", fact, seqs=tuple(places), opened=places[0])
        last = self._here.get(fact.approver)
        if last is None or last == fact.day or last < fact.day - PRESENCE_DAYS:
            return None
        return case_of("F10", "absent", fact, days=fact.day - last)

    def _most(self) -> int:
        """The limit, or the multiple of what two people usually come to where that is lower."""
        limits, limit = self._limits, self._limits.overrides_per_shift
        if limits.overrides_multiple and len(self._usual) >= PAIRS_LEAST:
            usual = limits.overrides_multiple * median(self._usual)
            peers = max(usual, limits.overrides_least - 1)
            return min(limit, peers) if limit else peers
        return limit


class ClockAndTraining:
    """F12: the clock goes back in an open shift; a live document comes right after training."""

    kinds: Final = ("*",)

    def __init__(self, limits: GuardLimits) -> None:
        self._limits = limits
        self._last: dict[str, tuple[str, int]] = {}
        self._trained: dict[str, Fact] = {}

    def see(self, fact: Fact) -> Case | None:
        """`sign_in` with `what` "training" says that training has just ended at this till."""
        if fact.kind == "approval":
            return None  # It is part of an act that is seen itself.
        back, limit = self._back_s(fact), self._limits.clock_back_s
        if limit and back > limit:
            return case_of("F12", "clock", fact, seconds=back, limit=limit)
        if fact.kind == "sign_in":
            if fact.what == "training":
                self._trained[fact.till] = fact
            return None
        trained = self._trained.get(fact.till)
        if trained is None or fact.kind not in ("sale", "return", "void", "top_up"):
            return None
        del self._trained[fact.till]
        seconds = fact.at_s - trained.at_s
        limit = self._limits.training_s
        if not limit or seconds > limit:
            return None
        seqs = ((trained.till, trained.seq), (fact.till, fact.seq))
        return case_of("F12", "training", fact, seqs=seqs, seconds=seconds, limit=limit)

    def _back_s(self, fact: Fact) -> int:
        """How far the clock went back since the last act of the same shift."""
        if not fact.shift:
            return 0
        shift, wall_s = self._last.get(fact.till, ("", 0))
        self._last[fact.till] = (fact.shift, fact.wall_s)
        return wall_s - fact.wall_s if fact.shift == shift else 0
