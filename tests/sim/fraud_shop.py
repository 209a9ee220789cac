"""A synthetic shop that is honest: its people, its members, its days as journal events.

It knows nothing of the rules that will look at it, nor of their limits, and imports neither: its figures are
what a busy shop with eight tills looks like (lunch rushes, families in the queue, elderly people who come twice
a day, a bad batch that comes back, newcomers who void a lot, a network that fails, a campaign for members).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

FIRST_DAY: Final = 20_454
"""2026-01-01 as days since 1970."""
TILLS: Final = 8
DESK: Final = TILLS - 1
"""The service desk: it takes a good part of the returns, and most enrolments of a campaign."""
OPENS_S, TURNS_S, CLOSES_S = 9 * 3600, 15 * 3600, 21 * 3600
ZONE_S: Final = 8 * 3600
HOURS: Final = (4, 6, 9, 13, 11, 6, 5, 6, 9, 13, 11, 7)
"""How the day's sales fall on the twelve hours from nine."""


@dataclass(slots=True)
class Act:
    """Something that happens at a till at a second of the day. `episode` names the planted one."""

    second: int
    till: int
    kind: str
    staff: str
    member: str = ""
    doc: dict[str, Any] = field(default_factory=dict)
    episode: str = ""
    id: str = ""
    clock_s: int = 0
    """How wrong the till's clock is, seconds; it stays so until the shift ends."""


@dataclass(slots=True)
class Day:
    """One day: who sits where, and what happens."""

    number: int
    cashiers: list[list[str]]
    """By half of the day, by till."""
    seniors: list[str]
    """Supervisors and managers who are in the shop."""
    acts: list[Act] = field(default_factory=list)

    def cashier(self, till: int, second: int) -> str:
        return self.cashiers[second >= TURNS_S][till]


class Ids:
    """Ids as hex, one after the other."""

    def __init__(self) -> None:
        self._next = 0

    def __call__(self) -> str:
        self._next += 1
        return f"{self._next:032x}"


class Shop:
    """The shop over a number of days. `phones` answers for members as they are on the day at hand."""

    def __init__(self, seed: int, *, days: int, sales: int) -> None:
        self.rng = random.Random(seed)
        self.days, self.sales = days, sales
        self.ids = Ids()
        self.cashiers = [self.ids() for _ in range(26)]
        self.seniors = [self.ids() for _ in range(6)]
        self.newcomers: dict[str, int] = {}
        self.phones: dict[str, str] = {}
        self.on_phone: dict[str, int] = {}
        self.own: dict[str, str] = {}
        self.members: list[str] = []
        self._weights: list[float] = []
        self._cumulated: list[float] = []
        self._people()
        self._calendar()

    def _people(self) -> None:
        year = self.sales * 365 // self.days
        for _ in range(year // 30):
            self.new_member()
        self.elderly = self.rng.sample(self.members, year // 6600)
        self.families = self.rng.sample(self.members, len(self.members) // 25)
        self.forgetful = self.rng.sample(self.members, len(self.members) // 170)
        for who in self.rng.sample(self.cashiers + self.seniors, 22):
            self.own[who] = self.new_member()
        for who in self.rng.sample(sorted(self.own), 14):
            self.new_member(phone=self.phones[self.own[who]])  # The rest of the household.

    def _calendar(self) -> None:
        days = self.days

        def pick(least: int, most: int) -> int:
            return self.rng.randint(least, max(least, most))

        self.bad_batches = {pick(2, days - 1) for _ in range(round(days * 3 / 365))}
        self.outages = {pick(2, days - 1) for _ in range(round(days * 4 / 365))}
        begins = pick(1, days - 10)
        self.campaign = range(begins, begins + 10) if days > 60 else range(0)
        self.arrivals = sorted(pick(1, days - 1) for _ in range(round(days * 6 / 365)))

    def new_member(self, phone: str = "") -> str:
        """One more member; two in a hundred share a phone with somebody."""
        member, rng = self.ids(), self.rng
        if not phone:
            shared = self.members and rng.random() < 0.02
            phone = self.phones[rng.choice(self.members)] if shared else f"+{len(self.phones)}"
        self.phones[member] = phone
        self.on_phone[phone] = self.on_phone.get(phone, 0) + 1
        self.members.append(member)
        self._weights.append(rng.lognormvariate(0, 1.1))
        return member

    def phone_of(self, member: str) -> str:
        """The mark of a member's phone."""
        return self.phones.get(member, "")

    def sharing(self, member: str) -> int:
        """How many members have this one's phone now."""
        return self.on_phone.get(self.phones.get(member, ""), 0)

    def change_phone(self, member: str) -> None:
        self.on_phone[self.phones[member]] -= 1
        self.phones[member] = f"+new{self.ids()}"
        self.on_phone[self.phones[member]] = 1

    # Days -----------------------------------------------------------------------------------------

    def each_day(self) -> Iterator[Day]:
        """The days in order, acts unsorted, so that others may add theirs."""
        for number in range(self.days):
            day = self._roster(number)
            self._open(day)
            self._sell(day)
            self._service(day)
            self._work(day)
            self._mishaps(day)
            yield day

    def _roster(self, number: int) -> Day:
        rng = self.rng
        for _ in range(self.arrivals.count(number)):
            self.cashiers.pop(rng.randrange(len(self.cashiers)))
            newcomer = self.ids()
            self.cashiers.append(newcomer)
            self.newcomers[newcomer] = number
        seated = rng.sample(self.cashiers, 2 * TILLS)
        return Day(number, [seated[:TILLS], seated[TILLS:]], rng.sample(self.seniors, 3))

    def _open(self, day: Day) -> None:
        rng = self.rng
        if day.number == 0:
            for who, member in self.own.items():
                doc = {"staff": who, "role": "cashier", "act": "link", "member": member}
                day.acts.append(Act(OPENS_S - 1800, 0, "staff", self.seniors[0], "", doc))
        for half, begins in enumerate((OPENS_S, TURNS_S)):
            for till, who in enumerate(day.cashiers[half]):
                day.acts.append(Act(begins - rng.randint(60, 600), till, "sign_in", who))
        for who in day.seniors:
            if rng.random() > 0.015:  # Now and then somebody works a day without signing in.
                day.acts.append(Act(OPENS_S - rng.randint(0, 900), DESK, "sign_in", who))

    def _sell(self, day: Day) -> None:
        rng = self.rng
        if len(self._cumulated) != len(self._weights):
            total, self._cumulated = 0.0, []
            for weight in self._weights:
                total += weight
                self._cumulated.append(total)
        weekday = (day.number + 3) % 7
        count = round(
            self.sales / self.days * (1.25 if weekday > 4 else 0.9) * rng.uniform(0.9, 1.1)
        )
        hours = rng.choices(range(12), HOURS, k=count)
        shoppers = rng.choices(self.members, cum_weights=self._cumulated, k=count)
        came: set[str] = set()
        for hour, shopper in zip(hours, shoppers, strict=True):
            second = OPENS_S + hour * 3600 + rng.randrange(3600)
            # Who has shopped today comes again only for a reason (`_regulars`, `_around`).
            member = shopper if rng.random() < 0.58 and shopper not in came else ""
            came.add(member)
            self.sale(day, second, member)
        self._regulars(day)

    def _regulars(self, day: Day) -> None:
        """People who come more than once: the elderly hours apart, families one behind the other."""
        rng = self.rng
        for member in self.elderly:
            if rng.random() < 0.7:
                visits = rng.choices((1, 2, 3), (70, 29.5, 0.5))[0]
                for begins in (OPENS_S, OPENS_S + 6 * 3600, OPENS_S + 10 * 3600)[:visits]:
                    self.sale(day, begins + rng.randrange(2 * 3600), member)
        for member in rng.sample(
            self.families, min(len(self.families), self.sales // self.days // 1000)
        ):
            second, till = rng.randrange(OPENS_S, CLOSES_S - 900), rng.randrange(TILLS)
            for _ in range(rng.choices((2, 3), (9, 1))[0]):
                self.sale(day, second, member, till=till)
                second += rng.randint(40, 240)

    def sale(
        self, day: Day, second: int, member: str, *, till: int = -1, staff: str = "",
        episode: str = "", attached: str = "before", spend: bool | None = None,
    ) -> Act:  # fmt: skip
        """A sale, and what may follow it: a void and a new try, something forgotten, a look before."""
        rng = self.rng
        till = rng.randrange(TILLS) if till < 0 else till
        staff = staff or day.cashier(till, second)
        total = int(rng.lognormvariate(8.4, 0.8)) + 100
        spends = (member and rng.random() < 0.09) if spend is None else spend
        spent = rng.randrange(2, 20) * 100 if spends else 0
        doc = {"total": total, "earned": total // 100 if member else 0, "spent": spent,
               "attached": attached if member else ""}  # fmt: skip
        act = Act(second, till, "sale", staff, member, doc, episode, self.ids())
        day.acts.append(act)
        if episode:
            return act
        self._around(day, act)
        return act

    def _around(self, day: Day, act: Act) -> None:
        rng, member, second, till = self.rng, act.member, act.second, act.till
        since = day.number - self.newcomers.get(act.staff, -99)
        if rng.random() < (0.035 if since < 14 else 0.007):
            self.undo(day, act, "void", second + rng.randint(20, 300), till)
            if rng.random() < 0.7:
                again = Act(second + rng.randint(310, 420), till, "sale", act.staff, member,
                            dict(act.doc), "", self.ids())  # fmt: skip
                day.acts.append(again)
        if not member:
            if rng.random() < 0.0035:
                act.member = rng.choice(self.forgetful if rng.random() < 0.3 else self.members)
                act.doc |= {"attached": "after", "earned": act.doc["total"] // 100}
            return
        draw = rng.random()
        if draw < 0.04:
            day.acts.append(Act(second - rng.randint(20, 90), till, "look", act.staff, member,
                                {"what": "profile"}))  # fmt: skip
        elif draw < 0.0415:
            day.acts.append(Act(second - rng.randint(5, 60), till, "look", act.staff, member,
                                {"what": rng.choice(("phone", "birthday"))}))  # fmt: skip
        elif draw < 0.043 and second < CLOSES_S - 1800:
            self.sale(day, second + rng.randint(120, 1500), member)  # Something was forgotten.

    def undo(self, day: Day, sale: Act, kind: str, second: int, till: int, **more: Any) -> Act:
        """Void or return a sale; the points go back with it."""
        doc = {"total": -sale.doc["total"], "earned": -sale.doc["earned"], "spent": 0,
               "refers_to": sale.id, "reason": "other", **more}  # fmt: skip
        staff = day.cashier(till, second)
        act = Act(min(second, CLOSES_S + 300), till, kind, staff, sale.member, doc, "", self.ids())
        day.acts.append(act)
        return act

    # What else a shop does ------------------------------------------------------------------------

    def _service(self, day: Day) -> None:
        """Returns, claims, enrolments, changes of profiles, loads."""
        rng = self.rng
        sales = [act for act in day.acts if act.kind == "sale"]
        bad = day.number in self.bad_batches
        for old in rng.sample(sales, round(len(sales) * (0.07 if bad else 0.012))):
            till = DESK if rng.random() < 0.25 else rng.randrange(TILLS)
            more = {"approval": self.second(day)} if rng.random() < 0.06 else {}
            self.undo(day, old, "return", self.any_second(), till, **more)
        for old in rng.sample(
            sales, self._about(len(sales) * (0.004 if self._after_outage(day) else 0.001))
        ):
            member = rng.choice(self.forgetful if rng.random() < 0.3 else self.members)
            second, till = self.any_second(), rng.randrange(TILLS)
            seller = old.staff if rng.random() < 0.03 else rng.choice(self.cashiers)
            self.claim(
                day,
                second,
                till,
                member,
                old.id,
                seller,
                rng.choices((0, 1, 2, 4, 6), (4, 4, 2, 1, 1))[0],
            )
        for _ in range(self._about(self.sales / self.days / 110)):
            self.enrol(day, self.any_second(), rng.randrange(TILLS))
        if day.number in self.campaign:
            for _ in range(self._about(self.sales / self.days / 16)):
                self.enrol(
                    day, self.any_second(), DESK if rng.random() < 0.35 else rng.randrange(TILLS)
                )
        for _ in range(self._about(self.sales / self.days / 450)):
            member, second, till = rng.choice(self.members), self.any_second(), rng.randrange(TILLS)
            self.change_phone(member)
            day.acts.append(
                Act(
                    second,
                    till,
                    "profile",
                    day.cashier(till, second),
                    member,
                    {"changed": ["phone"]},
                )
            )
            if rng.random() < 0.08:
                self.sale(day, second + rng.randint(30, 300), member, till=till, spend=True)
        for _ in range(self._about(self.sales / self.days / 130)):
            minor = rng.choice((10_000, 20_000, 50_000))
            self.load(day, self.any_second(), rng.randrange(TILLS), minor, minor)

    def _work(self, day: Day) -> None:
        """Drawers, looks without a sale, approvals, adjustments."""
        rng = self.rng
        for half, begins in enumerate((OPENS_S, TURNS_S)):
            for till, who in enumerate(day.cashiers[half]):
                short_of_coins = rng.random() < 0.01
                for _ in range(rng.randint(3, 6) if short_of_coins else self._about(0.6)):
                    second = begins + rng.randrange(6 * 3600)
                    day.acts.append(Act(second, till, "drawer", who, "", {"reason": "change"}))
                for _ in range(self._about(1.4)):
                    open_s = 30 + round(rng.expovariate(1 / 12))
                    second = begins + rng.randrange(6 * 3600)
                    day.acts.append(Act(second, till, "drawer_shut", who, "", {"open_s": open_s}))
                for _ in range(self._about(2)):
                    second = begins + rng.randrange(6 * 3600)
                    day.acts.append(
                        Act(
                            second, till, "look", who, rng.choice(self.members), {"what": "profile"}
                        )
                    )
        many = (
            25 if day.number - 1 in self.bad_batches else self._about(self.sales / self.days / 450)
        )
        for _ in range(many):
            who, by = rng.sample(day.seniors, 2)
            self.adjust(day, who, by, rng.choice((50, 100, 100, 200, 300)), rng.randint(12, 60))
        if rng.random() < 3 / 365:  # Somebody puts twenty profiles in order.
            second = self.any_second()
            for member in rng.sample(self.members, 20):
                second += rng.randint(30, 120)
                day.acts.append(
                    Act(second, DESK, "look", day.seniors[0], member, {"what": "phone"})
                )

    def _mishaps(self, day: Day) -> None:
        """Clocks that are corrected, trainees who begin."""
        rng = self.rng
        for till in range(TILLS):
            if rng.random() < 0.1:
                self.set_clock(day, till, self.any_second(), -rng.randint(1, 20))
        if rng.random() < 6 / 365:
            self.set_clock(day, rng.randrange(TILLS), self.any_second(), -rng.randint(60, 600))
        for who, since in self.newcomers.items():
            if day.number - since < 5:
                for half, begins in enumerate((OPENS_S, TURNS_S)):
                    if who in day.cashiers[half]:
                        till = day.cashiers[half].index(who)
                        second = begins + rng.randint(0, 3000)
                        doc = {"after_training": 1}
                        day.acts.append(Act(second, till, "sign_in", who, "", doc))

    # Single acts, for the planted ones too ----------------------------------------------------------

    def any_second(self) -> int:
        return self.rng.randrange(OPENS_S, CLOSES_S)

    def second(self, day: Day) -> dict[str, str]:
        """A second person who is in the shop."""
        return {"by": self.rng.choice(day.seniors), "right": "return_above"}

    def claim(
        self, day: Day, second: int, till: int, member: str, sale: str, seller: str, days: int,
        *, staff: str = "", episode: str = "",
    ) -> None:  # fmt: skip
        doc = {"sale": sale, "seller": seller, "earned": self.rng.randint(5, 300),
               "sale_date": FIRST_DAY + day.number - days}  # fmt: skip
        staff = staff or day.cashier(till, second)
        day.acts.append(Act(second, till, "claim", staff, member, doc, episode))

    def enrol(
        self,
        day: Day,
        second: int,
        till: int,
        *,
        phone: str = "",
        staff: str = "",
        episode: str = "",
    ) -> None:
        member = self.new_member(phone)
        staff = staff or day.cashier(till, second)
        day.acts.append(Act(second, till, "enrol", staff, member, {}, episode))

    def load(
        self, day: Day, second: int, till: int, principal: int, tendered: int, episode: str = ""
    ) -> None:
        doc = {"principal": principal, "bonus": 0, "tenders": [["cash", tendered]]}
        staff = day.cashier(till, second)
        day.acts.append(
            Act(second, till, "top_up", staff, self.rng.choice(self.members), doc, episode)
        )

    def adjust(
        self, day: Day, who: str, by: str, points: int, note_chars: int, episode: str = "",
        reason: str = "goodwill",
    ) -> None:  # fmt: skip
        doc = {"points": points, "reason": reason, "note_chars": note_chars,
               "approval": {"by": by, "right": "adjust"} if by else None}  # fmt: skip
        member = self.rng.choice(self.members)
        day.acts.append(Act(self.any_second(), DESK, "adjust", who, member, doc, episode))

    def set_clock(self, day: Day, till: int, second: int, by_s: int, episode: str = "") -> None:
        """The clock of a till is set; the act that notices it is the next one there."""
        day.acts.append(Act(second, till, "clock", "", "", {"by": by_s}, episode))

    def _after_outage(self, day: Day) -> bool:
        return day.number - 1 in self.outages or day.number - 2 in self.outages

    def _about(self, mean: float) -> int:
        """A count around a mean, as accidents fall."""
        count, rest = 0, self.rng.expovariate(1)
        while rest < mean:
            count += 1
            rest += self.rng.expovariate(1)
        return count
