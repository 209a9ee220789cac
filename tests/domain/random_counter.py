"""Programmes, lines, carts and minutes drawn at random, for the state machine and the two calculators."""

from __future__ import annotations

import random
from typing import Any

from app.domain.documents import LineRequest
from app.domain.programme import Programme
from app.domain.programme_plain import programme_from_plain

NONE: dict[str, list[str]] = {"categories": [], "items": []}
TEA = {"categories": ["tea"], "items": []}
TIERS = ("basic", "silver", "gold")


def _multiplier(code: str, factor: int, **fields: Any) -> dict[str, Any]:
    every = {
        "code": code, "factor_bp": factor, "stackable": False, "tiers": [], "weekdays": [],
        "from_minute": None, "until_minute": None, "from_date": None, "until_date": None,
        "birthday": None, "goods": NONE,
    }  # fmt: skip
    return {**every, **fields}


MULTIPLIERS = [
    _multiplier("tier", 15000, tiers=["gold", "silver"]),
    _multiplier("week", 12500, stackable=True, weekdays=[2, 3, 6]),
    _multiplier("hour", 20000, from_minute=1200, until_minute=120),
    _multiplier("dates", 11000, stackable=True, from_date="2024-02-01", until_date="2024-06-30"),
    _multiplier("birthday", 30000, birthday={"days_before": 3, "days_after": 31}),
    _multiplier("tea", 17777, goods=TEA),
]


def random_programme(pick: random.Random, version: int = 1) -> Programme:
    """A programme of random rates, caps, windows, pending, expiry, rounding and policies."""
    validity = pick.choice(
        [("never", 0), ("days", 30), ("days", 5), ("months", 1), ("months_to_month_end", 2)]
    )
    pending = 0 if pick.random() < 0.6 else pick.choice([1, 3, 4])
    window = pick.choice([("rolling_days", 30), ("rolling_days", 365), ("calendar_year", 0)])
    measure = pick.choice(["spend", "visits"])
    steps = (20000, 60000) if measure == "spend" else (2, 4)
    no_redemption = pick.random() < 0.08
    spent_policy = pick.choice(["negative", "negative", "deduct", "write_off"])
    if no_redemption:
        spent_policy = "negative"
    anyone = {"cashier": 100, "supervisor": 1000, "manager": None}
    level = {"discount_bp": 0}
    return programme_from_plain(
        {
            "format": 1, "code": "random", "version": version, "starts": "2024-01-01",
            "currency": {"code": "CNY", "exponent": 2}, "cut_off_minute": 240,
            "leap_day": "feb28",
            "tiers": {
                "measure": measure, "window": window[0], "window_days": window[1],
                "grace_days": pick.choice([0, 10]), "warning_days": 10, "price_excludes": NONE,
                "levels": [
                    {**level, "code": TIERS[0], "rank": 0, "threshold": 0,
                     "name": {"zh": "普通", "en": "Basic"}},
                    {**level, "code": TIERS[1], "rank": 10, "threshold": steps[0],
                     "discount_bp": pick.choice([0, 333]), "name": {"zh": "银", "en": "Silver"}},
                    {**level, "code": TIERS[2], "rank": 20, "threshold": steps[1],
                     "discount_bp": pick.choice([0, 500]), "name": {"zh": "金", "en": "Gold"}},
                ],
            },
            "earning": {
                "base": {"points": pick.choice([1, 1, 3]), "per_minor": pick.choice([100, 70, 7])},
                "category_rates": {"tea": {"points": 2, "per_minor": 300}},
                "item_rates": {"i9": {"points": pick.choice([0, 5]), "per_minor": 100}},
                "excludes": {"categories": ["tobacco"], "items": []},
                "tax": pick.choice(["included", "excluded"]),
                "rounding": pick.choice(["floor", "half_up", "half_even", "ceiling"]),
                "cap_per_sale": pick.choice([None, None, 25, 300]),
                "cap_per_day": pick.choice([None, None, 60, 400]),
                "multipliers": pick.sample(MULTIPLIERS, pick.randrange(4)),
            },
            "redemption": None if no_redemption else {
                "unit_points": pick.choice([10, 10, 7]), "unit_value_minor": pick.choice([10, 33]),
                "minimum_points": pick.choice([0, 20]), "max_share_bp": pick.choice([10000, 4000]),
                "excludes": {"categories": ["tobacco"], "items": []},
            },
            "validity": {"kind": validity[0], "count": validity[1]},
            "pending_days": pending,
            "returns": {
                "spent_policy": spent_policy, "minimum_life_days": pick.choice([0, 7]),
                "negative_limit_points": pick.choice([None, 0, 15]),
            },
            "limits": {
                "redeem_points": anyone, "adjust_points": {**anyone, "cashier": 0, "manager": 300},
                "return_minor": anyone, "void_minor": anyone,
            },
        }
    )  # fmt: skip


def random_line(pick: random.Random) -> LineRequest:
    """A line of a cart."""
    weighed = pick.random() < 0.2
    return LineRequest(
        unit_price_minor=pick.choice([0, 1, 99, 333, 1000, 4999, 9000]),
        quantity=pick.choice([120, 350, 1999]) if weighed else pick.choice([1, 1, 2, 3, 7]),
        per_quantity=500 if weighed else 1,
        item=pick.choice([None, "i1", "i9"]),
        category=pick.choice([None, None, "tea", "tobacco"]),
        tax_rate_bp=pick.choice([0, 600, 1300]),
        tax_included=pick.random() < 0.7,
        floor_price_minor=pick.choice([0, 0, 980]),
        no_earn=pick.random() < 0.1,
        no_redeem=pick.random() < 0.1,
    )


def random_cart(pick: random.Random) -> tuple[LineRequest, ...]:
    """One to four lines."""
    return tuple(random_line(pick) for _ in range(pick.choice([1, 1, 2, 3, 4])))


def random_minute(pick: random.Random) -> int:
    return pick.choice([0, 60, 600, 1260])
