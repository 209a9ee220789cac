"""What dishonest people do in that shop, told by story: twenty episodes a rule, from the trade's own reports.

Like the shop it knows neither the rules nor their limits: how often somebody dares to do a thing is drawn from
a range that makes a story, cautious ones included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.sim.fraud_shop import (
    CLOSES_S,
    OPENS_S,
    TILLS,
    TURNS_S,
    Act,
    Day,
    Shop,
)

RULES: Final = tuple(f"F{number}" for number in range(1, 13))


class Episodes:
    """Plants episodes into days. An episode that lasts goes on on later days by itself."""

    def __init__(self, shop: Shop, *, each: int, first_day: int) -> None:
        self._shop = shop
        self._rng = shop.rng
        self._due: dict[int, list[tuple[str, Callable[[Day, str], None]]]] = {}
        last = shop.days - 1
        for rule in RULES:
            for number in range(each):
                on = self._rng.randint(first_day, max(first_day, last - (9 if last > 60 else 1)))
                self._plan(on, f"{rule}#{number}", self._story(rule, number))

    def plant(self, day: Day) -> None:
        """Add to a day what is due on it."""
        for name, story in self._due.pop(day.number, []):
            story(day, name)

    def _plan(self, on: int, name: str, story: Callable[[Day, str], None]) -> None:
        self._due.setdefault(min(on, self._shop.days - 1), []).append((name, story))

    def _story(self, rule: str, number: int) -> Callable[[Day, str], None]:
        stories: dict[str, tuple[Callable[[Day, str], None], ...]] = {
            "F1": (self._own_card, self._card_of_the_household),
            "F2": (self._friends_card,),
            "F3": (self._late_friend, self._collected_receipts),
            "F4": (self._refunds_to_pocket,),
            "F5": (self._without_second, self._without_reason, self._too_much),
            "F6": (self._open_drawer, self._drawer_left_open),
            "F7": (self._taken_over,),
            "F8": (self._invented_members, self._one_phone),
            "F9": (self._copied_list, self._copied_phones),
            "F10": (self._lazy_senior, self._pin_of_the_absent),
            "F11": (self._unpaid_load,),
            "F12": (self._clock_set_back, self._out_of_training),
        }
        of_rule = stories[rule]
        return of_rule[number % len(of_rule)]

    # Who and when -----------------------------------------------------------------------------------

    def _someone(self, day: Day, *, with_account: bool = False) -> tuple[int, int, str]:
        """(first second of their shift, till, person) of somebody who sells today."""
        places = [
            (begins, till, who)
            for half, begins in enumerate((OPENS_S, TURNS_S))
            for till, who in enumerate(day.cashiers[half])
            if not with_account or who in self._shop.own
        ]
        return self._rng.choice(places)

    def _within(self, begins: int, count: int) -> list[int]:
        """So many moments of a shift, in order."""
        return sorted(begins + self._rng.randrange(300, 6 * 3600 - 300) for _ in range(count))

    def _stranger(self) -> str:
        """A friend's account that nobody has linked to anyone."""
        return self._rng.choice(self._shop.members)

    # Stories ----------------------------------------------------------------------------------------

    def _own_card(self, day: Day, name: str) -> None:
        begins, till, who = self._someone(day, with_account=True)
        for second in self._within(begins, self._rng.randint(1, 6)):
            self._shop.sale(day, second, self._shop.own[who], till=till, staff=who, episode=name)

    def _card_of_the_household(self, day: Day, name: str) -> None:
        begins, till, who = self._someone(day, with_account=True)
        phone = self._shop.phones[self._shop.own[who]]
        kin = [m for m, p in self._shop.phones.items() if p == phone and m != self._shop.own[who]]
        member = kin[0] if kin else self._shop.new_member(phone)
        for second in self._within(begins, self._rng.randint(1, 5)):
            self._shop.sale(day, second, member, till=till, staff=who, episode=name)

    def _friends_card(self, day: Day, name: str) -> None:
        begins, till, who = self._someone(day)
        friend = self._stranger()
        for second in self._within(begins, self._rng.randint(3, 9)):
            self._shop.sale(day, second, friend, till=till, staff=who, episode=name, spend=False)

    def _late_friend(self, day: Day, name: str) -> None:
        friend, left = self._stranger(), self._rng.randint(3, 8)
        begins, till, who = self._someone(day)
        while left > 0:
            today = self._rng.randint(1, left)
            left -= today
            if left and self._rng.random() < 0.5:
                later = day.number + self._rng.randint(1, 4)
                self._plan(later, name, self._more_late(friend, left, who))
                left = 0
            for second in self._within(begins, today):
                self._shop.sale(day, second, friend, till=till, staff=who, episode=name,
                                attached="after", spend=False)  # fmt: skip

    def _more_late(self, friend: str, count: int, who: str) -> Callable[[Day, str], None]:
        def go_on(day: Day, name: str) -> None:
            for second in self._within(OPENS_S, count):
                self._shop.sale(day, second, friend, till=0, staff=who, episode=name,
                                attached="after", spend=False)  # fmt: skip

        return go_on

    def _collected_receipts(self, day: Day, name: str) -> None:
        begins, till, who = self._someone(day)
        friend = self._stranger()
        strangers = [a for a in day.acts if a.kind == "sale" and not a.member and not a.episode]
        for second in self._within(begins, self._rng.randint(2, 6)):
            old = self._rng.choice(strangers)
            seller = who if self._rng.random() < 0.5 else old.staff
            days = self._rng.choice((0, 0, 1, 2, 3, 6, 12))
            self._shop.claim(day, second, till, friend, old.id, seller, days,
                             staff=who, episode=name)  # fmt: skip

    def _refunds_to_pocket(self, day: Day, name: str) -> None:
        begins, till, who = self._someone(day)
        left = self._rng.randint(5, 15)
        today = left if self._rng.random() < 0.5 else max(3, left // 2)
        if today < left:
            more = left - today

            def go_on(later: Day, name: str) -> None:
                self._refund(later, name, OPENS_S, 0, who, more)

            self._plan(day.number + self._rng.randint(1, 3), name, go_on)
        self._refund(day, name, begins, till, who, today)

    def _refund(self, day: Day, name: str, begins: int, till: int, who: str, count: int) -> None:
        strangers = [a for a in day.acts if a.kind == "sale" and not a.member and not a.episode]
        for second in self._within(begins, count):
            old = self._rng.choice(strangers)
            kind = self._rng.choice(("void", "return"))
            act = self._shop.undo(day, old, kind, second, till)
            act.staff, act.episode = who, name

    def _without_second(self, day: Day, name: str) -> None:
        who = self._rng.choice(day.seniors)
        for _ in range(self._rng.randint(1, 5)):
            by = self._rng.choice(("", who))
            self._shop.adjust(day, who, by, self._rng.randint(1, 20) * 100, 20, name)

    def _without_reason(self, day: Day, name: str) -> None:
        who, by = self._rng.sample(day.seniors, 2)
        for _ in range(self._rng.randint(1, 5)):
            note, reason = self._rng.choice(((0, "other"), (2, "other"), (5, "goodwill"), (30, "")))
            self._shop.adjust(day, who, by, self._rng.randint(1, 20) * 50, note, name, reason)

    def _too_much(self, day: Day, name: str) -> None:
        who, by = self._rng.sample(day.seniors, 2)
        left = self._rng.randint(25, 80) * 100
        parts = self._rng.randint(1, 4)
        for _ in range(parts):
            self._shop.adjust(day, who, by, left // parts, 25, name)

    def _open_drawer(self, day: Day, name: str) -> None:
        begins, till, who = self._someone(day)
        for second in self._within(begins, self._rng.randint(3, 10)):
            day.acts.append(Act(second, till, "drawer", who, "", {"reason": "change"}, name))

    def _drawer_left_open(self, day: Day, name: str) -> None:
        begins, till, who = self._someone(day)
        for second in self._within(begins, self._rng.randint(1, 4)):
            doc = {"open_s": self._rng.randint(50, 600)}
            day.acts.append(Act(second, till, "drawer_shut", who, "", doc, name))

    def _taken_over(self, day: Day, name: str) -> None:
        begins, till, who = self._someone(day)
        victim = self._stranger()
        second = begins + self._rng.randrange(3600)
        how = self._rng.choice(("profile", "profile", "card", "merge"))
        doc = {"changed": ["phone"]} if how == "profile" else {}
        day.acts.append(Act(second, till, how, who, victim, doc, name))
        for _ in range(self._rng.randint(1, 3)):
            second += 120 + round(self._rng.expovariate(1 / 9000))
            if second < CLOSES_S:
                self._shop.sale(day, second, victim, till=self._rng.randrange(TILLS),
                                episode=name, spend=True)  # fmt: skip
            else:
                self._plan(day.number + 1, name, self._next_day(victim))
                break

    def _next_day(self, victim: str) -> Callable[[Day, str], None]:
        def go_on(day: Day, name: str) -> None:
            second = OPENS_S + self._rng.randrange(4 * 3600)
            self._shop.sale(day, second, victim, episode=name, spend=True)

        return go_on

    def _invented_members(self, day: Day, name: str) -> None:
        begins, till, who = self._someone(day)
        second = begins + self._rng.randrange(4 * 3600)
        pace = self._rng.randint(60, 240)
        for _ in range(self._rng.randint(8, 30)):
            second += round(pace * self._rng.uniform(0.6, 1.4))
            self._shop.enrol(day, second, till, staff=who, episode=name)

    def _one_phone(self, day: Day, name: str) -> None:
        begins, till, who = self._someone(day)
        phone = f"+burner{name}"
        for second in self._within(begins, self._rng.randint(3, 6)):
            self._shop.enrol(day, second, till, phone=phone, staff=who, episode=name)

    def _copied_list(self, day: Day, name: str) -> None:
        begins, till, who = self._someone(day)
        count = self._rng.randint(25, 120)
        members = self._rng.sample(self._shop.members, count)
        for second, member in zip(self._within(begins, count), members, strict=True):
            day.acts.append(Act(second, till, "look", who, member, {"what": "profile"}, name))

    def _copied_phones(self, day: Day, name: str) -> None:
        begins, till, who = self._someone(day)
        second = begins + self._rng.randrange(4 * 3600)
        for _ in range(self._rng.randint(4, 15)):
            second += self._rng.randint(15, 180)
            what = {"what": self._rng.choice(("phone", "phone", "birthday"))}
            day.acts.append(Act(second, till, "look", who, self._stranger(), what, name))

    def _lazy_senior(self, day: Day, name: str) -> None:
        begins, till, who = self._someone(day)
        senior = self._rng.choice(day.seniors)
        strangers = [a for a in day.acts if a.kind == "sale" and not a.episode]
        for second in self._within(begins, self._rng.randint(8, 25)):
            more = {"approval": {"by": senior, "right": "return_above"}}
            act = self._shop.undo(day, self._rng.choice(strangers), "return", second, till, **more)
            act.staff, act.episode = who, name

    def _pin_of_the_absent(self, day: Day, name: str) -> None:
        begins, till, who = self._someone(day)
        absent = self._rng.choice([s for s in self._shop.seniors if s not in day.seniors])
        strangers = [a for a in day.acts if a.kind == "sale" and not a.episode]
        for second in self._within(begins, self._rng.randint(1, 4)):
            more = {"approval": {"by": absent, "right": "return_above"}}
            act = self._shop.undo(day, self._rng.choice(strangers), "return", second, till, **more)
            act.staff, act.episode = who, name

    def _unpaid_load(self, day: Day, name: str) -> None:
        begins, till, _ = self._someone(day)
        for second in self._within(begins, self._rng.randint(1, 4)):
            minor = self._rng.choice((10_000, 20_000, 50_000))
            paid = self._rng.choice((0, 0, minor // 2))
            self._shop.load(day, second, till, minor, paid, name)

    def _clock_set_back(self, day: Day, name: str) -> None:
        begins, till, _ = self._someone(day)
        back = -round(self._rng.choice((10, 60, 60, 600, 2880)) * 60 * self._rng.uniform(0.5, 1.5))
        self._shop.set_clock(day, till, begins + self._rng.randrange(5 * 3600), back, name)

    def _out_of_training(self, day: Day, name: str) -> None:
        begins, till, who = self._someone(day)
        second = begins + self._rng.randrange(5 * 3600)
        day.acts.append(Act(second, till, "sign_in", who, "", {"after_training": 1}, name))
        second += round(self._rng.expovariate(1 / 20)) + 3
        self._shop.sale(day, second, "", till=till, staff=who, episode=name)
