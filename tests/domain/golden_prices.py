"""Golden cases of what a sale costs: prices, tax, redemption."""

from __future__ import annotations

from typing import Any

from tests.domain.golden_cases import (
    Case,
    case,
    earning,
    goods,
    opened,
    sell,
)

DAY = "2026-03-10"
"""A Tuesday."""


def topics() -> dict[str, list[Case]]:
    return {"prices_and_tax": _prices() + _taxes(), "redemption": _redemption()}


def _prices() -> list[Case]:
    silver = {"do": "tier", "on": DAY, "code": "silver", "until": "2026-12-31"}
    gold = {"do": "tier", "on": DAY, "code": "gold", "until": "2026-12-31"}
    weighed = {"price": 4590, "quantity": 357, "per_quantity": 1000}
    half = {"price": 1001, "quantity": 500, "per_quantity": 1000}
    yen = {
        "currency": {"code": "JPY", "exponent": 0},
        **earning(base={"points": 1, "per_minor": 100}),
    }
    dinar = {
        "currency": {"code": "KWD", "exponent": 3},
        **earning(base={"points": 1, "per_minor": 1000}),
    }
    excluded = {"tiers": {"price_excludes": goods("tobacco")}}
    return [
        case("pieces", sell(DAY, {"price": 333, "quantity": 3}), hand={"0.payable": 999}),
        case("goods by weight, rounded half up", sell(DAY, weighed), hand={"0.payable": 1639}),
        case("half a minor unit goes up", sell(DAY, half), hand={"0.payable": 501}),
        case("95 per cent", gold, sell(DAY, 10000), hand={"1.discount": 500}),
        case("a discount is rounded down", gold, sell(DAY, 999), hand={"1.discount": 49}),
        case("a small discount is nothing", silver, sell(DAY, 49), hand={"1.discount": 0}),
        case(
            "discounts are per line",
            silver,
            sell(DAY, 99, 99, 99),
            hand={"1.discount": 3, "1.payable": 294},
        ),
        case(
            "never below the floor price",
            gold,
            sell(DAY, {"price": 10000, "floor_price": 9700}),
            hand={"1.payable": 9700},
        ),
        case(
            "a floor price above the price changes nothing",
            gold,
            sell(DAY, {"price": 10000, "floor_price": 12000}),
            hand={"1.payable": 10000},
        ),
        case(
            "goods without a tier price",
            gold,
            sell(DAY, {"price": 10000, "category": "tobacco"}, 10000),
            programme=excluded,
            hand={"1.discount": 500},
        ),
        case("no tier price without a member", gold, sell(DAY, 10000, member=False)),
        case("yen have no minor unit", sell(DAY, 1980), programme=yen, hand={"0.earned": 19}),
        case("dinars have three digits", sell(DAY, 12345), programme=dinar, hand={"0.earned": 12}),
        case("an empty cart", sell(DAY), hand={"0.refused": "sale_empty"}),
        case(
            "a line of no quantity",
            sell(DAY, {"price": 100, "quantity": 0}),
            hand={"0.refused": "sale_line_invalid"},
        ),
        case(
            "tenders must be what is to pay",
            sell(DAY, 1000, tenders=[["cash", 900]]),
            hand={"0.refused": "tender_mismatch"},
        ),
    ]


def _taxes() -> list[Case]:
    def line(price: int, rate: int, included: bool = True) -> dict[str, Any]:
        return {"price": price, "tax_rate": rate, "tax_included": included}

    return [
        case(
            "tax in the price",
            sell(DAY, line(1130, 1300)),
            hand={"0.tax": [[1300, True, 1000, 130]]},
        ),
        case(
            "tax on the price",
            sell(DAY, line(1000, 1300, False)),
            hand={"0.tax": [[1300, False, 1000, 130]], "0.to_pay": 1130},
        ),
        case(
            "rounded once per rate, half up",
            sell(DAY, line(333, 600), line(333, 600), line(333, 600)),
            hand={"0.tax": [[600, True, 942, 57]]},
        ),
        case(
            "two rates, two totals",
            sell(DAY, line(1000, 600), line(1000, 1300)),
            hand={"0.tax": [[600, True, 943, 57], [1300, True, 885, 115]]},
        ),
        case(
            "in and on the price are two totals",
            sell(DAY, line(1060, 600), line(1000, 600, False)),
            hand={"0.tax": [[600, True, 1000, 60], [600, False, 1000, 60]], "0.to_pay": 2120},
        ),
        case("no tax at all", sell(DAY, line(1000, 0)), hand={"0.tax": [[0, True, 1000, 0]]}),
        case(
            "added tax is split and paid by line",
            sell(DAY, line(105, 1000, False), line(105, 1000, False)),
            hand={"0.tax": [[1000, False, 210, 21]], "0.to_pay": 231},
        ),
    ]


def _redemption() -> list[Case]:
    have = opened(DAY, (5000, None))
    little = opened(DAY, (350, None))
    half = {"redemption": {"max_share_bp": 5000}}
    least = {"redemption": {"minimum_points": 500}}
    unit = {"redemption": {"unit_points": 50, "unit_value_minor": 33}}
    no_tobacco = {"redemption": {"excludes": goods("tobacco")}}
    smoke = {"price": 3000, "category": "tobacco"}
    waiting = {"pending_days": 5}

    def most(
        name: str, first: Any, step: Any, points: int, why: str, programme: Any = None
    ) -> Case:
        hand = {"1.most": points, "1.limit_reason": why}
        return case(name, first, step, programme=programme, hand=hand)

    def refused(name: str, step: Any, code: str, programme: Any = None, first: Any = None) -> Case:
        return case(name, first or have, step, programme=programme, hand={"1.refused": code})

    return [
        most("the bill is the limit", have, sell(DAY, 2999), 2900, "bill"),
        most("the points are the limit", little, sell(DAY, 9900), 300, "balance"),
        most("the share is the limit", have, sell(DAY, 5000), 2500, "share", half),
        most("excluded goods are the limit", have, sell(DAY, smoke, 2000), 2000, "excluded", no_tobacco),
        most("a line marked as not redeemable",
             have, sell(DAY, {"price": 900, "no_redeem": True}, 100), 100, "excluded"),
        most("below the minimum nothing", little, sell(DAY, 9900), 0, "minimum", least),
        most("below the minimum although units were left",
             have, sell(DAY, 400), 0, "minimum", least),
        most("redemption is off", have, sell(DAY, 5000), 0, "off", {"redemption": None}),
        most("without a member", have, sell(DAY, 5000, member=False), 0, "no_member"),
        most("units that are no round money", have, sell(DAY, 100), 150, "bill", unit),
        case("redeem and earn on the rest", have, sell(DAY, 10000, redeem=2000),
             hand={"1.points_value": 2000, "1.earned": 80, "state.balance": 3080}),
        case("the share of excluded goods is nothing", have, sell(DAY, smoke, 2000, redeem=2000),
             programme=no_tobacco, hand={"1.to_pay": 3000}),
        case("a unit worth 33", have, sell(DAY, 1000, redeem=500), programme=unit,
             hand={"1.points_value": 330, "1.to_pay": 670, "1.earned": 6}),
        case("points pay over lines by largest remainder", have,
             sell(DAY, 333, 333, 334, redeem=100), hand={"1.to_pay": 900, "1.earned": 9}),
        case("two tenders share the rest", have,
             sell(DAY, 1001, 2002, redeem=1000, tenders=[["card", 777], ["cash", 1226]])),
        refused("no whole unit", sell(DAY, 5000, redeem=150), "redeem_not_multiple"),
        refused("more than available", sell(DAY, 9000, redeem=5100), "redeem_above_available"),
        refused("below the minimum", sell(DAY, 9000, redeem=400), "redeem_below_minimum", least),
        refused("above the share", sell(DAY, 5000, redeem=2600), "redeem_above_share", half),
        refused("above the bill", sell(DAY, 1000, redeem=1100), "redeem_above_share"),
        refused("points without a member", sell(DAY, 900, redeem=100, member=False), "member_needed"),
        refused("when redemption is off", sell(DAY, 900, redeem=100), "redeem_off",
                {"redemption": None}),
        refused("what this sale earns can't pay for it", sell(DAY, 99900, redeem=400),
                "redeem_above_available", None, little),
        refused("pending points can't pay", sell(DAY, 5000, redeem=100),
                "redeem_above_available", waiting, sell(DAY, 50000)),
    ]  # fmt: skip
