"""Rules that watch an account: F1 own card, F2 repeated earning, F3 late attachment and claims, F7 redeeming
after a change, F11 loads. Each keeps no more than the window that it looks at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.domain.fraud import verdicts
from app.domain.fraud.facts import Case, Fact, case_of
from app.domain.fraud.limits import GuardLimits

LATE_DAYS: Final = 30
"""How far back late attachments of one member are counted."""
DAY_S: Final = 86_400


class OwnCard:
    """F1: somebody serves an account of their own, or one with the same phone."""

    kinds: Final = ("link", "phone", "sale", "return", "void", "adjust", "claim", "top_up")

    def __init__(self, limits: GuardLimits) -> None:
        del limits  # There is no measure of one's own card.
        self._own: dict[str, tuple[str, str]] = {}
        self._staff_of: dict[str, str] = {}

    def see(self, fact: Fact) -> Case | None:
        """`link` names the person as `staff` and their one account as `member`, "" for none any more.
        What a second person let pass as an own card (`what`) is a case whatever the link says."""
        if fact.kind == "link":
            before, _ = self._own.get(fact.staff, ("", ""))
            if self._staff_of.get(before) == fact.staff:
                del self._staff_of[before]
            self._own[fact.staff] = (fact.member, fact.phone)
            self._staff_of[fact.member] = fact.staff
            return None
        if fact.kind == "phone":
            staff = self._staff_of.get(fact.member)
            if staff is not None:
                self._own[staff] = (fact.member, fact.phone)
            return None
        own, phone = self._own.get(fact.staff, ("", ""))
        stop = verdicts.own_card(fact.member, fact.phone, own, phone)
        what = stop.what if stop else "own_card" if fact.what == "own_card" else ""
        if not what:
            return None
        return case_of("F1", what, fact, action="block", points=fact.earned or fact.spent)


class RepeatEarn:
    """F2: one account earns again and again within a day."""

    kinds: Final = ("sale", "void")

    def __init__(self, limits: GuardLimits) -> None:
        self._limits = limits
        self._day = -1
        self._earns: dict[tuple[int, str], list[Fact]] = {}

    def see(self, fact: Fact) -> Case | None:
        """A voided sale counts no more: a mistake that is rung up again is everyday work."""
        if fact.day > self._day:
            self._day = fact.day
            self._earns = {key: seen for key, seen in self._earns.items() if key[0] >= fact.day - 1}
        if not fact.member:
            return None
        key = (fact.day, fact.member)
        earlier = self._earns.get(key)
        if fact.kind == "void":
            if earlier:
                self._earns[key] = [each for each in earlier if each.id != fact.refers]
            return None
        if fact.earned <= 0:
            return None
        if earlier is None:
            self._earns[key] = [fact]
            return None
        stop = verdicts.repeat_earn([each.at_s for each in earlier], fact.at_s, self._limits)
        earlier.append(fact)
        if stop is not None:
            return self._case(earlier, stop.what, "block", stop.counted, stop.limit)
        most = self._limits.earn_flag_per_day
        if most and len(earlier) >= most:
            return self._case(earlier, "often", "flag", len(earlier), most)
        return None

    @staticmethod
    def _case(earns: Sequence[Fact], what: str, action: str, counted: int, limit: int) -> Case:
        """What a second person was asked for is a case by itself; a flagged day is one that grows."""
        seqs = tuple((each.till, each.seq) for each in earns)
        blocked = action == "block"
        return case_of(
            "F2",
            what,
            earns[-1],
            action="block" if blocked else "flag",
            seqs=seqs,
            opened=seqs[-1] if blocked else seqs[0],
            counted=counted,
            limit=limit,
        )


class LateMember:
    """F3: points of a sale that was already paid: attached after tender, or its receipt claimed later."""

    kinds: Final = ("sale", "claim")

    def __init__(self, limits: GuardLimits) -> None:
        self._limits = limits
        self._day = -1
        self._late: dict[str, list[Fact]] = {}
        self._claimed: dict[str, Fact] = {}
        self._in_shift: dict[tuple[str, str], int] = {}

    def see(self, fact: Fact) -> Case | None:
        """A broken condition of one claim is a case; so is an account that comes late again and again."""
        if fact.kind == "sale" and fact.what != "late":
            return None
        if fact.day > self._day:
            self._forget(fact)
        late = [
            f for f in self._late.get(fact.member, ()) if f.at_s > fact.at_s - LATE_DAYS * DAY_S
        ]
        late.append(fact)
        self._late[fact.member] = late
        found = self._claim(fact) if fact.kind == "claim" else None
        most = self._limits.late_per_member
        if found is None and most and len(late) >= most:
            seqs = tuple((each.till, each.seq) for each in late)
            found = case_of("F3", "often", fact, seqs=seqs, counted=len(late), limit=most)
        return found

    def _claim(self, fact: Fact) -> Case | None:
        """The conditions of one claim: once, in time, by another person than the seller, not too many."""
        before = self._claimed.get(fact.refers)
        self._claimed[fact.refers] = fact
        if before is not None:
            seqs = ((before.till, before.seq), (fact.till, fact.seq))
            return case_of("F3", "twice", fact, seqs=seqs, counted=2, limit=1)
        limit = self._limits.claim_days
        if limit and fact.amount > limit:
            return case_of("F3", "too_old", fact, counted=fact.amount, limit=limit)
        if fact.what and fact.what == fact.staff:
            return case_of("F3", "seller", fact, counted=1, limit=0)
        key = (fact.shift, fact.member)
        earlier = self._in_shift.get(key, 0)
        self._in_shift[key] = earlier + 1
        stop = verdicts.claim(earlier, self._limits)
        if stop is None:
            return None
        return case_of(
            "F3", stop.what, fact, action="block", counted=stop.counted, limit=stop.limit
        )

    def _forget(self, fact: Fact) -> None:
        self._day = fact.day
        self._in_shift.clear()
        since = fact.at_s - LATE_DAYS * DAY_S
        self._late = {m: seen for m, seen in self._late.items() if seen[-1].at_s > since}
        self._claimed = {r: f for r, f in self._claimed.items() if f.at_s > since}


class AfterChange:
    """F7: an account is emptied right after its phone or card changed hands."""

    kinds: Final = ("sale", "phone", "card", "merge")

    def __init__(self, limits: GuardLimits) -> None:
        self._limits = limits
        self._day = -1
        self._changed: dict[str, Fact] = {}

    def see(self, fact: Fact) -> Case | None:
        """A change is remembered for the waiting time, and one redemption after the other is judged."""
        if fact.day > self._day:
            self._day = fact.day
            since = fact.at_s - self._limits.redeem_wait_hours * verdicts.HOUR_S
            self._changed = {m: f for m, f in self._changed.items() if f.at_s > since}
        if fact.kind != "sale":
            self._changed[fact.member] = fact
            return None
        if fact.spent <= 0:
            return None
        change = self._changed.get(fact.member)
        stop = verdicts.redeem_after_change(
            change.at_s if change else None, fact.at_s, self._limits
        )
        if stop is None or change is None:
            return None
        return case_of(
            "F7", stop.what, fact, action="block",
            seqs=((change.till, change.seq), (fact.till, fact.seq)),
            hours=stop.counted, limit=stop.limit, points=fact.spent,
        )  # fmt: skip


class TopUp:
    """F11: stored value that nobody paid for."""

    kinds: Final = ("top_up",)

    def __init__(self, limits: GuardLimits) -> None:
        del limits  # A load is paid or it isn't.

    def see(self, fact: Fact) -> Case | None:
        """`earned` is the principal that was loaded, `amount` what was tendered for it."""
        stop = verdicts.top_up(fact.earned, fact.amount)
        if stop is None:
            return None
        return case_of(
            "F11", stop.what, fact, action="block",
            tendered_minor=stop.counted, loaded_minor=stop.limit,
        )  # fmt: skip
