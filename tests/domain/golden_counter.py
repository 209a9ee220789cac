"""Golden cases of what a sale earns: rounding, rates, multipliers, birthdays, caps, bases."""

from __future__ import annotations

from typing import Any

from tests.domain.golden_cases import (
    Case,
    case,
    earning,
    give_back,
    goods,
    multiplier,
    multipliers,
    opened,
    sell,
)

DAY = "2026-03-10"
"""A Tuesday."""


def topics() -> dict[str, list[Case]]:
    return {
        "earn_rounding": _rounding(),
        "earn_rates": _rates(),
        "multipliers": _multipliers(),
        "birthdays": _birthdays(),
        "caps": _caps() + _caps_and_returns(),
        "earn_base": _bases(),
    }


def _rounding() -> list[Case]:
    hand = {
        ("floor", 30960): 309, ("floor", 99): 0, ("floor", 100): 1, ("floor", 150): 1,
        ("floor", 250): 2,
        ("half_up", 30960): 310, ("half_up", 149): 1, ("half_up", 150): 2, ("half_up", 250): 3,
        ("half_even", 150): 2, ("half_even", 250): 2, ("half_even", 251): 3,
        ("half_even", 350): 4,
        ("ceiling", 1): 1, ("ceiling", 100): 1, ("ceiling", 101): 2,
    }  # fmt: skip
    cases = [
        case(
            f"{amount} fen at 1 point per 100 rounds by {mode}",
            sell(DAY, amount),
            programme=earning(rounding=mode),
            hand={"0.earned": points},
        )
        for (mode, amount), points in hand.items()
    ]
    three = [sell(DAY, 150, 150, 150)]
    cases += [
        case("rounding happens once per sale, not per line", *three, hand={"0.earned": 4}),
        case(
            "ties of the split go to the earlier line",
            *three,
            hand={"0.line_points": [2, 1, 1]},
        ),
        case(
            "the split follows the largest remainder",
            sell(DAY, 110, 190, 150),
            hand={"0.earned": 4, "0.line_points": [1, 2, 1]},
        ),
        case(
            "a rate of 3 points per 7 fen is exact",
            sell(DAY, 100),
            programme=earning(base={"points": 3, "per_minor": 7}),
            hand={"0.earned": 42},
        ),
    ]
    return cases


def _rates() -> list[Case]:
    rates = earning(
        category_rates={"tea": {"points": 2, "per_minor": 100}},
        item_rates={"oolong": {"points": 5, "per_minor": 100}},
    )
    tea, oolong = {"price": 1000, "category": "tea"}, {"price": 1000, "item": "oolong"}
    both = {"price": 1000, "category": "tea", "item": "oolong"}
    none = earning(item_rates={"bag": {"points": 0, "per_minor": 100}})
    return [
        case("the base rate", sell(DAY, 1000), programme=rates, hand={"0.earned": 10}),
        case("a category's rate", sell(DAY, tea), programme=rates, hand={"0.earned": 20}),
        case("an item's rate", sell(DAY, oolong), programme=rates, hand={"0.earned": 50}),
        case("item before category", sell(DAY, both), programme=rates, hand={"0.earned": 50}),
        case(
            "lines of three rates",
            sell(DAY, 1000, tea, both),
            programme=rates,
            hand={"0.earned": 80, "0.line_points": [10, 20, 50]},
        ),
        case(
            "different denominators are added exactly",
            sell(DAY, {"price": 100, "category": "tea"}, 100, {"price": 100, "item": "x"}),
            programme=earning(
                base={"points": 1, "per_minor": 3},
                category_rates={"tea": {"points": 1, "per_minor": 7}},
                item_rates={"x": {"points": 1, "per_minor": 11}},
            ),
            hand={"0.earned": 56},
        ),
        case(
            "a rate of nothing earns nothing",
            sell(DAY, {"price": 5000, "item": "bag"}),
            programme=none,
            hand={"0.earned": 0},
        ),
        case("a sale without a member earns nothing", sell(DAY, 5000, member=False)),
        case("a free sale is still a kept sale", sell(DAY, 0), hand={"0.earned": 0}),
    ]


def _multipliers() -> list[Case]:
    two, half = multiplier("two", 20000), multiplier("half", 15000)
    extra = multiplier("extra", 12500, stackable=True)
    more = multiplier("more", 11000, stackable=True)
    tea = multiplier("tea", 30000, goods=goods("tea"))
    tuesday = multiplier("tuesday", 20000, weekdays=[2])
    evening = multiplier("evening", 20000, from_minute=1080, until_minute=1200)
    night = multiplier("night", 20000, from_minute=1320, until_minute=120)
    march = multiplier("march", 20000, from_date="2026-03-05", until_date="2026-03-10")
    silver = multiplier("silver", 20000, tiers=["silver"])
    low = multiplier("low", 5000)

    def one(name: str, rules: Any, points: int, step: Any = None) -> Case:
        return case(
            name, step or sell(DAY, 1001), programme=multipliers(*rules), hand={"0.earned": points}
        )

    cases = [
        one("one multiplier", [two], 20),
        one("the best of two, never both", [half, two], 20),
        one("stackable ones multiply the best", [half, two, extra], 25),
        one("two stackable ones alone", [extra, more], 13),
        one("a factor below one counts when it is the only match", [low], 5),
        one("multiplied first, rounded once", [half], 15),
        one(
            "goods: only their lines",
            [tea],
            40,
            sell(DAY, {"price": 1000, "category": "tea"}, 1000),
        ),
        one("goods: no such line", [tea], 10, sell(DAY, 1000)),
        one("weekday matches", [tuesday], 20),
        one("another weekday", [tuesday], 10, sell("2026-03-11", 1001)),
        one("the hour begins", [evening], 20, sell(DAY, 1001, minute=1080)),
        one("the minute before", [evening], 10, sell(DAY, 1001, minute=1079)),
        one("the hour has ended", [evening], 10, sell(DAY, 1001, minute=1200)),
        one("a window over midnight, before it", [night], 20, sell(DAY, 1001, minute=1439)),
        one("a window over midnight, after it", [night], 20, sell(DAY, 1001, minute=119)),
        one("a window over midnight has ended", [night], 10, sell(DAY, 1001, minute=120)),
        one("first day of a date window", [march], 20, sell("2026-03-05", 1001)),
        one("last day of a date window", [march], 20),
        one("the day before a date window", [march], 10, sell("2026-03-04", 1001)),
        one("the day after a date window", [march], 10, sell("2026-03-11", 1001)),
        one("a tier that the member doesn't have", [silver], 10),
    ]
    given = {"do": "tier", "on": DAY, "code": "silver", "until": "2026-12-31"}
    cases.append(
        case(
            "a tier that the member has, on the discounted price",
            given,
            sell(DAY, 1000),
            programme=multipliers(silver),
            hand={"1.discount": 20, "1.earned": 19},
        )
    )
    return cases


def _birthdays() -> list[Case]:
    rule = multiplier("party", 20000, birthday={"days_before": 3, "days_after": 2})
    wide = multiplier("party", 20000, birthday={"days_before": 0, "days_after": 0})
    rules, exact = multipliers(rule), multipliers(wide)
    moved = {**exact, "leap_day": "mar1"}

    def on(name: str, day: str, points: int, programme: Any = rules, born: Any = None) -> Case:
        return case(
            name, sell(day, 1000), programme=programme, birthday=born or [3, 10],
            hand={"0.earned": points},
        )  # fmt: skip

    again = [sell("2026-03-10", 1000), sell("2026-03-11", 1000)]
    return [
        on("three days before", "2026-03-07", 20),
        on("four days before", "2026-03-06", 10),
        on("two days after", "2026-03-12", 20),
        on("three days after", "2026-03-13", 10),
        on("a leap day in a leap year", "2024-02-29", 20, exact, [2, 29]),
        on("a leap day falls on 28 February", "2026-02-28", 20, exact, [2, 29]),
        on("so not on 1 March", "2026-03-01", 10, exact, [2, 29]),
        on("a leap day falls on 1 March by the setting", "2026-03-01", 20, moved, [2, 29]),
        on("then not on 28 February", "2026-02-28", 10, moved, [2, 29]),
        on("the window crosses new year", "2025-12-30", 20, rules, [1, 1]),
        case("without a birthday", sell(DAY, 1000), programme=rules, hand={"0.earned": 10}),
        case("once a year", *again, programme=rules, birthday=[3, 10], hand={"1.earned": 10}),
        case(
            "again the next year",
            again[0],
            sell("2027-03-10", 1000),
            programme=rules,
            birthday=[3, 10],
            hand={"1.earned": 20},
        ),
        case(
            "a full return frees it",
            again[0],
            give_back("2026-03-10", 0, [0, 1]),
            again[1],
            programme=rules,
            birthday=[3, 10],
            hand={"2.earned": 20},
        ),
        case(
            "beaten by a better one it isn't used up",
            sell(DAY, 1000),
            sell("2026-03-11", 1000),
            programme=multipliers(rule, multiplier("tuesday", 30000, weekdays=[2])),
            birthday=[3, 10],
            hand={"0.earned": 30, "1.earned": 20},
        ),
    ]


def _caps() -> list[Case]:
    sale, day = earning(cap_per_sale=50), earning(cap_per_day=70)
    both = earning(cap_per_sale=50, cap_per_day=70)
    return [
        case("under the sale's cap", sell(DAY, 4999), programme=sale, hand={"0.earned": 49}),
        case("at the sale's cap", sell(DAY, 5000), programme=sale, hand={"0.earned": 50}),
        case(
            "over the sale's cap, split anew",
            sell(DAY, 6000, 3000),
            programme=sale,
            hand={"0.earned": 50, "0.line_points": [33, 17]},
        ),
        case(
            "the room of the day",
            sell(DAY, 5000),
            sell(DAY, 5000),
            sell(DAY, 5000),
            programme=day,
            hand={"0.earned": 50, "1.earned": 20, "2.earned": 0},
        ),
        case(
            "the next day has its own room",
            sell(DAY, 9000),
            sell("2026-03-11", 9000),
            programme=day,
            hand={"0.earned": 70, "1.earned": 70},
        ),
        case(
            "the sale's cap before the day's room",
            sell(DAY, 9000),
            sell(DAY, 9000),
            programme=both,
            hand={"0.earned": 50, "1.earned": 20},
        ),
    ]


def _caps_and_returns() -> list[Case]:
    sale, day = earning(cap_per_sale=50), earning(cap_per_day=70)
    return [
        case(
            "a return frees room for later sales of that day",
            sell(DAY, {"price": 1000, "quantity": 7}),
            give_back(DAY, 0, [0, 3]),
            sell(DAY, 9000),
            programme=day,
            hand={"1.taken_back": 30, "2.earned": 30},
        ),
        case(
            "a return on another day frees no room there",
            sell(DAY, 7000),
            sell("2026-03-11", 7000),
            give_back("2026-03-11", 0, [0, 1]),
            sell("2026-03-11", 7000),
            programme=day,
            hand={"3.earned": 0},
        ),
        case(
            "a capped sale is taken back under its cap",
            sell(DAY, {"price": 1000, "quantity": 9}),
            give_back(DAY, 0, [0, 3]),
            give_back(DAY, 0, [0, 3]),
            give_back(DAY, 0, [0, 3]),
            programme=sale,
            hand={"1.taken_back": 0, "2.taken_back": 20, "3.taken_back": 30},
        ),
        case(
            "the day's room is the one stored with the sale",
            sell(DAY, 5000),
            sell(DAY, {"price": 1000, "quantity": 5}),
            give_back(DAY, 1, [0, 2]),
            give_back(DAY, 1, [0, 2]),
            programme=day,
            hand={"1.earned": 20, "2.taken_back": 0, "3.taken_back": 10},
        ),
        case("a cap of nothing", sell(DAY, 5000), programme=earning(cap_per_sale=0)),
    ]


def _bases() -> list[Case]:
    taxed = {"price": 11300, "tax_rate": 1300}
    added = {"price": 10000, "tax_rate": 1300, "tax_included": False}
    out = earning(tax="excluded")
    no_tobacco = earning(excludes=goods("tobacco"))
    have = opened(DAY, (5000, None))
    return [
        case("tax included earns", sell(DAY, taxed), hand={"0.earned": 113}),
        case("tax out", sell(DAY, taxed), programme=out, hand={"0.earned": 100}),
        case("added tax earns too by default", sell(DAY, added), hand={"0.earned": 113}),
        case("added tax out", sell(DAY, added), programme=out, hand={"0.earned": 100}),
        case(
            "the part paid by points earns nothing",
            have,
            sell(DAY, 10000, redeem=4000),
            hand={"1.earned": 60, "1.to_pay": 6000},
        ),
        case(
            "points pay price and tax alike when the tax is out",
            have,
            sell(DAY, taxed, redeem=4000),
            programme=out,
            hand={"1.earned": 64},
        ),
        case(
            "a sale paid by points alone",
            have,
            sell(DAY, 5000, redeem=5000),
            hand={"1.earned": 0, "1.to_pay": 0, "state.balance": 0},
        ),
        case(
            "excluded goods",
            sell(DAY, {"price": 3000, "category": "tobacco"}, 1000),
            programme=no_tobacco,
            hand={"0.earned": 10, "0.line_points": [0, 10]},
        ),
        case(
            "a line marked as not earning",
            sell(DAY, {"price": 3000, "no_earn": True}, 1000),
            hand={"0.earned": 10, "state.qualifying": 1000},
        ),
        case(
            "nothing that earns",
            sell(DAY, {"price": 3000, "no_earn": True}),
            hand={"0.earned": 0, "state.qualifying": 0},
        ),
    ]
