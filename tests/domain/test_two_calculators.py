"""Random cases: the domain and the second calculator say the same of any sequence of documents.

The second calculator lives each case as it is drawn, so that the steps make sense; then the domain
runs the finished case like a golden one.
"""

from __future__ import annotations

import collections
import random
from datetime import date, timedelta
from typing import Any

import pytest

from app.domain.programme_plain import programme_to_plain
from tests.domain import golden_runner, second_sales, second_shop
from tests.domain.random_counter import TIERS, random_line, random_programme

BASE = golden_runner.load("programme.json")
SEEN: collections.Counter[str] = collections.Counter()


def _line(pick: random.Random) -> dict[str, Any]:
    line = random_line(pick)
    return {
        "price": line.unit_price_minor,
        "quantity": line.quantity,
        "per_quantity": line.per_quantity,
        "item": line.item,
        "category": line.category,
        "tax_rate": line.tax_rate_bp,
        "tax_included": line.tax_included,
        "floor_price": line.floor_price_minor,
        "no_earn": line.no_earn,
        "no_redeem": line.no_redeem,
    }


class Drawing:
    """A case while it is drawn, with the second calculator's shop living it."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        programme = programme_to_plain(random_programme(self.pick))
        self.case: dict[str, Any] = {
            "name": str(seed),
            "programme": programme,
            "birthday": self.pick.choice([None, [2, 29], [2, 8]]),
            "steps": [],
        }
        self.shop = second_shop.SecondShop(programme, self.case["birthday"])
        self.on = date(2024, 1, 30)
        self.standing: list[int] = []
        self.voidable = False

    def draw(self) -> dict[str, Any]:
        for number in range(self.pick.randint(2, 12)):
            step = self._step(number)
            self.case["steps"].append(step)
            SEEN[step["do"]] += 1
            try:
                second_shop.run_step(self.shop, number, step)
            except second_sales.Refuse as refused:
                SEEN[f"refused:{refused}"] += 1
                self.voidable = False
                continue
            self.voidable = step["do"] in ("sell", "return", "exchange")
            if step["do"] in ("sell", "exchange"):
                self.standing.append(number)
            if step["do"] == "void" and step["step"] in self.standing:
                self.standing.remove(step["step"])
        self.case["on"] = self.on.isoformat()
        return self.case

    def _sale(self) -> dict[str, Any]:
        pick, rules = self.pick, self.shop.programme["redemption"]
        points = 0
        if rules is not None and pick.random() < 0.6:
            have = self.shop.coins(self.on)[0] // rules["unit_points"]
            points = pick.randint(0, min(have, 12)) * rules["unit_points"]
        lines = [_line(pick) for _ in range(pick.choice([1, 2, 3]))]
        return {"lines": lines, "redeem": points, "minute": pick.choice([0, 60, 600, 1260])}

    def _back(self, sale: int) -> dict[str, Any]:
        sold = self.shop.sales[sale]["lines"]
        kept = [line["quantity"] for line in sold]
        for each in self.shop.returns[sale]:
            for line, units in each["lines"]:
                kept[line] -= units
        lines = [[n, self.pick.randint(1, left)] for n, left in enumerate(kept) if left]
        return {"sale": sale, "lines": lines[: self.pick.randint(1, 3)] or [[0, 1]]}

    def _step(self, number: int) -> dict[str, Any]:
        pick = self.pick
        if self.voidable and pick.random() < 0.25:
            self.voidable = False
            return {"do": "void", "on": self.on.isoformat(), "step": number - 1}
        if pick.random() < 0.5:
            self.on += timedelta(days=pick.choice([1, 2, 9, 40, 200]))
        on = self.on.isoformat()
        kinds = ["sell", "sell", "open", "adjust", "close", "review", "tier", "late"]
        kinds += ["return", "return", "return", "exchange"] if self.standing else []
        do = pick.choice(kinds)
        step: dict[str, Any] = {"do": do, "on": on}
        if do == "sell":
            return {**step, **self._sale(), "member": pick.random() < 0.9}
        if do in ("return", "exchange"):
            of_member = [n for n in self.standing if str(n) in self.shop.posted]
            sale = pick.choice(of_member if do == "exchange" and of_member else self.standing)
            step.update(self._back(sale))
            if do == "exchange":
                step["sell"] = self._sale()
            return step
        if do == "open":
            days = [pick.randint(0, 30), pick.randint(0, 60)]
            until = [(self.on + timedelta(days=each)).isoformat() for each in days]
            return {**step, "lots": [[pick.randint(1, 90), until[0]], [40, until[1]], [30, None]]}
        if do == "adjust":
            return {**step, "points": pick.choice([-60, -7, 5, 50])}
        if do == "tier":
            until_day = self.on + timedelta(days=pick.randint(0, 40))
            return {**step, "code": pick.choice(TIERS), "until": until_day.isoformat()}
        if do == "late":
            dated = self.on - timedelta(days=pick.randint(0, 12))
            return {**step, "on": dated.isoformat(), "booked_on": on, "points": pick.randint(1, 90)}
        return step


@pytest.mark.parametrize("block", range(8))
def test_both_calculators_agree_on_random_cases(block: int) -> None:
    SEEN.clear()
    for seed in range(block * 1000, block * 1000 + 50):
        case = Drawing(seed).draw()
        expect, state, _ = second_shop.run(case, BASE)
        assert golden_runner.run_case(case, BASE) == (expect, state), f"seed {seed}"
    for do in ("sell", "return", "exchange", "void", "close", "review", "tier", "late", "open"):
        assert SEEN[do], f"no step drawn of: {do}"
