"""The second calculator's shop: runs a golden case's steps, returns and voids among them.

It imports nothing of app.domain. The format of a case is told in tests/data/golden/README.md.
"""

from __future__ import annotations

import copy
from datetime import date, timedelta
from fractions import Fraction
from math import floor
from typing import Any

from tests.domain.second_calculator import kept_points
from tests.domain.second_sales import (
    Case,
    Refuse,
    SecondSales,
    day,
    entry,
    merged,
    plain_entry,
    ref,
)


class SecondShop(SecondSales):
    """Returns, voids and what the owner books."""

    def give_back(self, label: str, step: Any) -> Any:
        number, on = step["sale"], day(step["on"])
        sale, earlier = self.sales[number], self.returns[number]
        quantities = [line.get("quantity", 1) for line in sale["lines"]]
        before = list(quantities)
        for each in earlier:
            for n, units in each["lines"]:
                before[n] -= units
        if not any(before):
            raise Refuse("return_nothing_left")
        after = list(before)
        for n, units in step["lines"]:
            after[n] -= units
            if after[n] < 0:
                raise Refuse("return_too_many")

        def gone(amounts: Any, kept: Any) -> int:
            return sum(
                amount - floor(Fraction(amount * k, q))
                for amount, k, q in zip(amounts, kept, quantities, strict=True)
            )

        def earned(kept: Any) -> int:
            columns = zip(sale["base"], kept, quantities, sale["rate"], strict=True)
            return kept_points(columns, *sale["terms"])

        def restored(kept: Any) -> int:
            whole = sum(sale["points_share"])
            share = gone(sale["points_share"], kept)
            return floor(Fraction(sale["spent"] * share, whole)) if whole else 0

        refunds = [
            [kind, gone(shares, after) - gone(shares, before)]
            for (kind, _), shares in zip(sale["tenders"], sale["tender_shares"], strict=True)
        ]
        back = {
            "lines": step["lines"],
            "restored": restored(after) - restored(before),
            "taken_back": earned(before) - earned(after),
        }
        self.words.append(
            f"E before {earned(before)}, after {earned(after)}: take back {back['taken_back']}; "
            f"restored so far {restored(before)}, then {restored(after)}; refunds {refunds}."
        )
        posted = {each.kind: each for each in self.posted.get(sale["label"], [])}
        assets = {each.asset: each for each in self.posted.get(sale["label"], [])}
        back.update(unexpired=0, charged=0, charged_points=0, written_off=0, spent=0)
        if "sales" in assets:
            self._post_return(label, sale, back, refunds, on, step, posted)
            lower = gone(sale["base"], after) - gone(sale["base"], before)
            self.post(label, self._counters(sale, back, lower, gone_all=not any(after)))
        earlier.append(back)
        return {**{key: value for key, value in back.items() if key != "lines"}, "refunds": refunds}

    def _counters(self, sale: Any, back: Any, lower: int, *, gone_all: bool) -> list[Any]:
        """What the measures and the day lose, at the sale's date."""
        assets = {each.asset: each for each in self.posted[sale["label"]]}
        earn = next((e for e in self.posted[sale["label"]] if e.kind == "earn"), None)
        counters = []
        if back["taken_back"]:
            counters.append(
                entry("earned", "measure", -back["taken_back"], sale["on"], refers=earn)
            )
        if lower:
            counters.append(
                entry("spend", "measure", -lower, sale["on"], sale["from"], refers=assets["spend"])
            )
        if gone_all:
            counters.append(
                entry("sales", "measure", -1, sale["on"], sale["from"], refers=assets["sales"])
            )
            counters += [
                entry(each.asset, "measure", -1, sale["on"], None, each.expires, refers=each)
                for each in self.posted[sale["label"]]
                if each.asset.startswith("use:") and each.amount > 0
            ]
        return counters

    def _post_return(
        self, label: str, sale: Any, back: Any, refunds: Any, on: date, step: Any, posted: Any
    ) -> None:
        owed = len(self.book.owed)
        self.debt_before[int(label)] = owed
        earn = posted.get("earn")
        if back["taken_back"]:
            missing = back["taken_back"] - sum(1 for c in self.book.coins if c[0] == earn.id)
            for debit, coins in list(self.book.taken.items()):
                if self.entries[debit].kind == "expire" and missing > 0:
                    given = min(missing, sum(1 for coin in coins if coin[0] == earn.id))
                    if given:
                        missing -= given
                        back["unexpired"] += given
                        self.post(
                            label,
                            [entry("points", "unexpire", given, on, refers=self.entries[debit])],
                        )
        repaid = owed - len(self.book.owed)
        if back["restored"]:
            least = on + timedelta(days=self.programme["returns"]["minimum_life_days"])
            self.post(
                label,
                [
                    entry(
                        "points", "reverse", back["restored"], on, on, None, least, posted["redeem"]
                    )
                ],
            )
        covered = len(self.book.owed)
        if not back["taken_back"]:
            return
        self.post(label, [entry("points", "reverse", -back["taken_back"], on, refers=earn)])
        named = self.posted[label][-1]
        debt = len(self.book.owed)
        back["spent"] = max(debt - covered - repaid, 0)
        self._settle(label, back, refunds, debt, on, step.get("policy"), named)

    def _settle(
        self, label: str, back: Any, refunds: Any, debt: int, on: date, policy: Any, named: Any
    ) -> None:
        rules, returns = self.programme["redemption"], self.programme["returns"]
        policy = policy or returns["spent_policy"]
        if policy == "write_off":
            back["written_off"] = back["spent"]
        else:
            points = back["spent"]
            if policy == "negative":
                limit = returns["negative_limit_points"]
                points = 0 if limit is None else min(points, max(debt - limit, 0))
            if rules is None:
                points = 0
            money = sum(amount for _, amount in refunds)
            if points:
                worth = Fraction(rules["unit_value_minor"], rules["unit_points"])
                if floor(points * worth) > money:
                    points = floor(money / worth)
                back["charged"] = floor(points * worth)
            back["charged_points"] = points
        left = back["charged"]
        for refund in reversed(refunds):
            part = min(left, refund[1])
            refund[1] -= part
            left -= part
        settled = back["written_off"] + back["charged_points"]
        if back["spent"]:
            self.words.append(
                f"{back['spent']} points were already spent: {policy} settles {settled} of them "
                f"for {back['charged']} of the refund."
            )
        if settled:
            until = self.expiry(on)
            self.post(label, [entry("points", "adjust", settled, on, on, until, refers=named)])

    # The rest

    def void(self, label: str, step: Any) -> Any:
        on, number = day(step["on"]), step["step"]
        original = self.posted.get(str(number), [])
        sale = self.sales.get(number)
        refunds = [list(each) for each in sale["tenders"]] if sale else []
        giving, taking, counters = [], [], []
        for each in reversed(original):
            if each.asset == "tier":
                counters.append(entry("tier", "reverse", -each.amount, on, refers=each))
            elif each.asset != "points":
                mirrored = entry(each.asset, each.kind, -each.amount, each.business_date)
                mirrored.available_from, mirrored.expires = each.available_from, each.expires
                mirrored.refers_to = each.id
                counters.append(mirrored)
            elif each.amount < 0:
                giving.append(entry("points", "reverse", -each.amount, on, refers=each))
            else:
                kind = "expire" if each.kind == "unexpire" else "reverse"
                taking.append(entry("points", kind, -each.amount, on, refers=each))
                if each.kind == "earn":
                    counters.append(
                        entry("earned", "measure", -each.amount, each.business_date, refers=each)
                    )
        self.post(label, giving)
        covered = len(self.book.owed)
        self.post(label, taking)
        debt = len(self.book.owed)
        taken = -sum(each.amount for each in taking)
        before = self.debt_before.get(number, 0)
        back: Any = {"charged": 0, "charged_points": 0, "written_off": 0}
        back["spent"] = max(debt - covered - min(taken, before), 0)
        self._settle(
            label, back, refunds, debt, on, step.get("policy"), taking[0] if taking else None
        )
        self.post(label, counters)
        for earlier in self.returns.values():
            earlier[:] = [one for one in earlier if one.get("label") != number]
        return {**back, "refunds": refunds}

    def close(self, label: str, on: date) -> None:
        """Every lot that is good no later than this date is booked, in spending order."""
        lots: dict[Any, int] = {}
        for coin in sorted(self.book.coins, key=lambda coin: (coin[1], coin[3])):
            if coin[1] <= on:
                lots[coin[0], coin[1]] = lots.get((coin[0], coin[1]), 0) + 1
        self.post(
            label,
            [
                entry("points", "expire", -amount, on, None, until, refers=self.entries[origin])
                for (origin, until), amount in lots.items()
            ],
        )

    def review(self, label: str, on: date) -> None:
        rules = self.programme["tiers"]
        up = self._upgrade(on)
        if up:
            self.post(label, [entry("tier", "upgrade", up["rank"], on, on, self.period_end(on))])
            return
        standing, level = self.standing(), self.level()
        place = rules["levels"].index(level)
        if standing is None or place == 0 or on <= standing.expires:
            return
        best = max(self.qualifying(standing.expires), self.qualifying(on))
        if best < level["threshold"]:
            if on <= standing.expires + timedelta(days=rules["grace_days"]):
                return
            level = rules["levels"][place - 1]
        self.post(label, [entry("tier", "review", level["rank"], on, on, self.period_end(on))])

    def late(self, label: str, step: Any) -> None:
        """A spend dated in the past; what expired since and it would have taken comes back first."""
        on, booked = day(step["on"]), day(step["booked_on"])
        pool: list[tuple[list[Any], Any]] = [
            (coin, None) for coin in self.book.coins if coin[2] <= on <= coin[1]
        ]
        for debit, coins in self.book.taken.items():
            if self.entries[debit].kind == "expire":
                pool += [(coin, debit) for coin in coins if coin[2] <= on <= coin[1]]
        pool.sort(key=lambda each: (each[0][1], each[0][3]))
        given: dict[Any, int] = {}
        for _, debit in pool[: step["points"]]:
            if debit is not None:
                given[debit] = given.get(debit, 0) + 1
        self.post(
            f"{label}-owner",
            [
                entry("points", "unexpire", amount, booked, refers=self.entries[debit])
                for debit, amount in given.items()
            ],
        )
        self.post(label, [entry("points", "redeem", -step["points"], on)])

    def state(self, on: date) -> Any:
        valid, pending, lapsed = self.coins(on)
        lots = sorted(
            [ref(origin), until.isoformat(), amount]
            for (origin, until), amount in self.book.lots().items()
        )
        return {
            "on": on.isoformat(),
            "balance": self.balance(),
            "available": valid,
            "pending": pending,
            "lapsed": lapsed,
            "debt": len(self.book.owed),
            "lots": lots,
            "debts": sorted([ref(debit), amount] for debit, amount in self.book.debts().items()),
            "tier": self.level()["code"],
            "qualifying": self.qualifying(on),
        }


def run(case: Case, programme: Any) -> tuple[Any, Any, list[str]]:
    """(expect, state, working) of a case's steps."""
    shop = SecondShop(merged(programme, case.get("programme", {})), case.get("birthday"))
    expect, words = [], []
    for number, step in enumerate(case["steps"]):
        shop.words = []
        label = str(number)
        try:
            found = run_step(shop, number, step) or {}
        except Refuse as refused:
            expect.append({"refused": str(refused)})
            words.append(f"Step {number} is refused: {refused}.")
            continue
        labels = [f"{label}-owner", label] if f"{label}-owner" in shop.posted else [label]
        found["entries"] = [
            plain_entry(each) for name in labels for each in shop.posted.get(name, [])
        ]
        expect.append(found)
        words += [f"Step {number}, {step['do']}. {word}" for word in shop.words]
    return expect, shop.state(day(case["on"])), words


def run_step(shop: SecondShop, number: int, step: Any) -> Any:
    """Run one step; what it found, besides its entries."""
    do, on, label = step["do"], day(step["on"]), str(number)
    if do == "sell":
        return shop.sell(label, number, step)
    if do == "return":
        found = shop.give_back(label, step)
        shop.returns[step["sale"]][-1]["label"] = number
        return found
    if do == "exchange":
        before = copy.deepcopy(vars(shop))
        back = shop.give_back(label, step)
        shop.returns[step["sale"]][-1]["label"] = number
        try:
            return {"returned": back, **_exchange_sale(shop, label, number, step, back)}
        except Refuse:
            vars(shop).update(before)  # one document: a refused sale leaves no return behind
            raise
    if do == "void":
        return shop.void(label, step)
    if do == "late":
        return shop.late(label, step)
    if do == "close":
        return shop.close(label, on)
    if do == "review":
        return shop.review(label, on)
    if do == "tier":
        level = next(
            each for each in shop.programme["tiers"]["levels"] if each["code"] == step["code"]
        )
        return shop.post(
            label, [entry("tier", "manual", level["rank"], on, on, day(step["until"]))]
        )
    if do == "open":
        entries = [
            entry("points", "opening", points, on, on, day(until) if until else shop.expiry(on))
            if points > 0
            else entry("points", "opening", points, on)
            for points, until in step["lots"]
        ]
        return shop.post(label, entries)
    assert do == "adjust"
    up = step["points"] > 0
    return shop.post(
        label,
        [
            entry("points", "adjust", step["points"], on, on, shop.expiry(on))
            if up
            else entry("points", "adjust", step["points"], on)
        ],
    )


def _exchange_sale(shop: SecondShop, label: str, number: int, step: Any, back: Any) -> Any:
    refund = sum(amount for _, amount in back["refunds"])
    new = {**step["sell"], "on": step["on"]}
    level = shop.level()
    quote = shop.quote(new, level)
    shop.redeem(new, quote, day(step["on"]), True)
    to_pay = sum(quote["payable"]) - quote["value"]
    credit = min(refund, to_pay)
    tenders = [["exchange", credit]] if credit else []
    if to_pay - credit:
        tenders.append(["cash", to_pay - credit])
    return {"sold": shop.sell(label, number, {**new, "tenders": tenders}), "net": to_pay - refund}
