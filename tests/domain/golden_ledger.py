"""Golden cases of the ledger: lots, expiry, pending, returns, voids, exchanges, debts, tiers."""

from __future__ import annotations

from typing import Any

from tests.domain.golden_cases import (
    Case,
    adjust,
    case,
    close,
    earning,
    exchange,
    give_back,
    late,
    multiplier,
    multipliers,
    opened,
    review,
    sell,
    void,
)

DAY = "2026-03-10"
NEXT = "2026-03-11"


def topics() -> dict[str, list[Case]]:
    return {
        "lots": _lots(),
        "expiry": _expiry(),
        "pending": _pending(),
        "return_earned": _return_earned(),
        "return_spent": _return_spent(),
        "already_spent": _already_spent(),
        "unexpire": _unexpire(),
        "void": _void(),
        "exchange": _exchange(),
        "adjust_and_debts": _adjust(),
        "tiers": _tiers(),
    }


def _lots() -> list[Case]:
    return [
        case("the earliest expiry is spent first",
             opened(DAY, (100, "2026-09-30"), (100, "2026-06-30")), sell(DAY, 9000, redeem=100),
             hand={"state.balance": 189}),
        case("equal expiries in the order of the ledger",
             opened(DAY, (100, "2026-06-30"), (100, "2026-06-30")), sell(DAY, 9000, redeem=100)),
        case("one spend over three lots",
             opened(DAY, (50, "2026-04-30"), (70, "2026-05-31"), (90, "2026-06-30")),
             sell(DAY, 9000, redeem=200)),
        case("a lapsed lot is in the balance, not in available",
             opened(DAY, (300, "2026-03-15"), (200, "2026-06-30")), sell("2026-03-16", 100),
             hand={"state.balance": 501, "state.available": 201, "state.lapsed": 300}),
        case("a lapsed lot can't pay",
             opened(DAY, (300, "2026-03-15")), sell("2026-03-16", 900, redeem=100),
             hand={"1.refused": "redeem_above_available"}),
        case("on its last day it can",
             opened(DAY, (300, "2026-03-15")), sell("2026-03-15", 900, redeem=300),
             hand={"state.balance": 6}),
        case("a spend that was authorised elsewhere takes pending ones after valid ones",
             sell(DAY, 10000), opened(DAY, (50, "2026-12-31")), late(DAY, DAY, 80),
             programme={"pending_days": 7}, hand={"state.pending": 70, "state.available": 0}),
        case("then lapsed ones that nobody booked",
             opened(DAY, (50, "2026-03-12")), opened(DAY, (50, "2026-12-31")),
             late("2026-03-20", "2026-03-20", 80), hand={"state.lapsed": 20}),
        case("pending ones before lapsed ones, although those end earlier",
             opened(DAY, (50, "2026-03-12")), sell(DAY, 10000), late("2026-03-20", "2026-03-20", 60),
             programme={"pending_days": 20}, hand={"state.lapsed": 50, "state.pending": 40}),
        case("and the rest is a debt",
             opened(DAY, (50, "2026-12-31")), late(DAY, DAY, 80),
             hand={"state.debt": 30, "state.balance": -30}),
    ]  # fmt: skip


def _expiry() -> list[Case]:
    def kind(kind: str, count: int) -> Case:
        return {"validity": {"kind": kind, "count": count}}

    def until(name: str, on: str, programme: Any, expires: str) -> Case:
        lots = [[["0", 0], expires, 10]]
        return case(name, sell(on, 1000), programme=programme, hand={"state.lots": lots})

    return [
        until("twelve months to month end", "2026-03-10", None, "2027-03-31"),
        until("month end in a leap year", "2027-02-03", None, "2028-02-29"),
        until("a month from 31 January is 28 February", "2026-01-31", kind("months", 1), "2026-02-28"),
        until("a month from 31 January 2028", "2028-01-31", kind("months", 1), "2028-02-29"),
        until("months over the year's end", "2026-11-15", kind("months", 3), "2027-02-15"),
        until("thirty days", "2026-03-10", kind("days", 30), "2026-04-09"),
        until("one day", "2026-12-31", kind("days", 1), "2027-01-01"),
        until("never", "2026-03-10", kind("never", 0), "9999-12-31"),
        case("booked at the close of its last day",
             opened(DAY, (30, "2026-03-15"), (20, "2026-03-16")), close("2026-03-15"),
             hand={"state.balance": 20}),
        case("not booked a day early",
             opened(DAY, (30, "2026-03-15")), close("2026-03-14"), hand={"state.balance": 30}),
        case("several lots, several bookings",
             opened(DAY, (30, "2026-03-15"), (20, "2026-03-12"), (7, "2026-04-30")),
             close("2026-03-31"), hand={"state.balance": 7}),
        case("only what is left is booked",
             opened(DAY, (300, "2026-03-15")), sell(DAY, 900, redeem=200), close("2026-03-15"),
             hand={"state.balance": 7}),
        case("a booking twice books nothing more",
             opened(DAY, (30, "2026-03-15")), close("2026-03-15"), close("2026-03-16"),
             hand={"state.balance": 0, "2.entries": []}),
    ]  # fmt: skip


def _pending() -> list[Case]:
    wait = {"pending_days": 5}
    return [
        case("pending until the day before", sell(DAY, 1000), programme=wait, on="2026-03-14",
             hand={"state.pending": 10, "state.available": 0}),
        case("available from date + N", sell(DAY, 1000), programme=wait, on="2026-03-15",
             hand={"state.pending": 0, "state.available": 10}),
        case("a return within the hold takes the pending points",
             sell(DAY, {"price": 1000, "quantity": 2}), give_back(NEXT, 0, [0, 1]), programme=wait,
             hand={"state.pending": 10}),
        case("pending points pay a debt at once",
             late(DAY, DAY, 30), sell(DAY, 5000), programme=wait,
             hand={"state.debt": 0, "state.pending": 20}),
        case("the sale counts for the tier only then", sell(DAY, 100000), programme=wait,
             on="2026-03-14", hand={"state.qualifying": 0, "state.tier": "basic"}),
        case("and lifts the tier at a review by date alone",
             sell(DAY, 100000), review("2026-03-14"), review("2026-03-15"), programme=wait,
             hand={"1.entries": [], "state.tier": "silver"}),
    ]  # fmt: skip


def _return_earned() -> list[Case]:
    three = sell(DAY, {"price": 3333, "quantity": 3})
    weighed = sell(DAY, {"price": 8990, "quantity": 730, "per_quantity": 500})
    double = multipliers(multiplier("tuesday", 25000, weekdays=[2]))
    one = [give_back(NEXT, 0, [0, 1])]
    two_lines = sell(DAY, 150, 150)
    return [
        case("a whole sale", three, give_back(NEXT, 0, [0, 3]),
             hand={"0.earned": 99, "1.taken_back": 99, "1.refunds": [["cash", 9999]],
                   "state.balance": 0}),
        case("one of three, one, the last", three, *one * 3,
             hand={"1.taken_back": 33, "2.taken_back": 33, "3.taken_back": 33}),
        case("uneven parts telescope",
             sell(DAY, {"price": 150, "quantity": 3}), *one * 3,
             hand={"0.earned": 4, "1.taken_back": 1, "2.taken_back": 2, "3.taken_back": 1}),
        case("rounding half up telescopes too",
             sell(DAY, {"price": 150, "quantity": 3}), *one * 3, programme=earning(rounding="half_up"),
             hand={"0.earned": 5, "1.taken_back": 2, "2.taken_back": 1, "3.taken_back": 2}),
        case("one line of two", two_lines, give_back(NEXT, 0, [1, 1]),
             hand={"0.earned": 3, "1.taken_back": 2}),
        case("goods by weight, 230 g of 730 g", weighed, give_back(NEXT, 0, [0, 230]),
             give_back(NEXT, 0, [0, 500]), hand={"0.earned": 131}),
        case("today's multipliers don't matter", sell(DAY, {"price": 1000, "quantity": 2}),
             give_back(NEXT, 0, [0, 1]), programme=double,
             hand={"0.earned": 50, "1.taken_back": 25}),
        case("its own lot first", opened(DAY, (40, "2026-04-30")), three, give_back(NEXT, 1, [0, 1])),
        case("two tenders are refunded by their shares",
             sell(DAY, {"price": 1000, "quantity": 3}, 500, tenders=[["card", 1001], ["cash", 2499]]),
             give_back(NEXT, 0, [0, 1]), give_back(NEXT, 0, [0, 2], [1, 1])),
        case("more than is left", three, give_back(NEXT, 0, [0, 2]), give_back(NEXT, 0, [0, 2]),
             hand={"2.refused": "return_too_many"}),
        case("nothing is left", three, give_back(NEXT, 0, [0, 3]), give_back(NEXT, 0, [0, 1]),
             hand={"2.refused": "return_nothing_left"}),
        case("a sale without a member", sell(DAY, {"price": 333, "quantity": 3}, member=False),
             give_back(NEXT, 0, [0, 2]), hand={"1.refunds": [["cash", 666]], "1.entries": []}),
        case("added tax goes back with its line",
             sell(DAY, {"price": 333, "quantity": 3, "tax_rate": 1300, "tax_included": False}),
             give_back(NEXT, 0, [0, 1]), give_back(NEXT, 0, [0, 2]),
             hand={"1.refunds": [["cash", 377]], "2.refunds": [["cash", 752]]}),
    ]  # fmt: skip


def _return_spent() -> list[Case]:
    have = opened(DAY, (200, "2026-06-30"), (300, "2026-09-30"))
    bought = sell(DAY, {"price": 1000, "quantity": 3}, redeem=500)
    soon = opened(DAY, (500, "2026-03-12"))
    no_life = {"returns": {"minimum_life_days": 0}}
    one = give_back(NEXT, 1, [0, 1])
    lots = [[["0", 0], "2026-06-30", 200], [["0", 1], "2026-09-30", 300]]
    return [
        case("points come back to the lots they came from", have, bought,
             give_back(NEXT, 1, [0, 3]), hand={"2.restored": 500, "state.lots": lots}),
        case("the split comes back from its end", have, bought, one, hand={"2.restored": 167}),
        case("the remainder comes on the last return", have, bought, one, one, one,
             hand={"2.restored": 167, "3.restored": 167, "4.restored": 166, "state.balance": 500}),
        case("points of uneven worth come back rounded down, the remainder last", have,
             bought, one, one, one,
             programme={"redemption": {"unit_points": 50, "unit_value_minor": 33}},
             hand={"2.restored": 166, "3.restored": 167, "4.restored": 167}),
        case("what would lapse at once lives seven days more", soon, bought,
             give_back("2026-03-20", 1, [0, 3]),
             hand={"state.lots": [[["0", 0], "2026-03-27", 500]]}),
        case("or not, if the programme says so", soon, bought, give_back("2026-03-20", 1, [0, 3]),
             programme=no_life, hand={"state.lots": [[["0", 0], "2026-03-20", 500]]}),
        case("money and points go back by their shares", have, bought, one,
             hand={"2.refunds": [["cash", 834]]}),
        case("restored points cover the take-back",
             opened(DAY, (1000, "2026-06-30")), sell(DAY, 10000, redeem=1000),
             late(DAY, DAY, 90), give_back(NEXT, 1, [0, 1]), hand={"3.spent": 0, "state.debt": 0}),
        case("an excluded line gives no points back", have,
             sell(DAY, {"price": 900, "no_redeem": True}, 1000, redeem=500),
             give_back(NEXT, 1, [0, 1]), give_back(NEXT, 1, [1, 1]),
             hand={"2.restored": 0, "3.restored": 500}),
    ]  # fmt: skip


def _already_spent() -> list[Case]:
    bought = sell(DAY, {"price": 10000, "quantity": 3})
    spent = late(DAY, DAY, 280)
    back = give_back(NEXT, 0, [0, 3])

    def rules(policy: str, limit: int | None = None) -> Case:
        return {"returns": {"spent_policy": policy, "negative_limit_points": limit}}

    def settled(name: str, programme: Any, hand: Any, last: Any = back) -> Case:
        return case(name, bought, spent, last, programme=programme, hand=hand)

    return [
        settled("the balance goes below zero", rules("negative"),
                {"2.spent": 280, "state.balance": -280, "2.refunds": [["cash", 30000]]}),
        settled("past the limit the refund pays", rules("negative", 200),
                {"2.charged_points": 80, "2.charged": 80, "state.balance": -200,
                 "2.refunds": [["cash", 29920]]}),
        settled("within the limit nothing is charged", rules("negative", 280),
                {"2.charged": 0, "state.balance": -280}),
        settled("deducted from the refund", rules("deduct"),
                {"2.charged": 280, "state.balance": 0, "2.refunds": [["cash", 29720]]}),
        settled("written off", rules("write_off"),
                {"2.written_off": 280, "2.charged": 0, "state.balance": 0}),
        settled("another policy by choice", rules("negative"), {"2.charged": 280},
                give_back(NEXT, 0, [0, 3], policy="deduct")),
        settled("a part of it only", rules("deduct"), {"2.spent": 80, "2.charged": 80},
                give_back(NEXT, 0, [0, 1])),
        case("what the refund can't cover stays negative",
             opened(DAY, (10000, None)), sell(DAY, 10100, redeem=10000), late(DAY, DAY, 1),
             opened(DAY, (-5000, None)),
             {"do": "sell", "on": DAY, "lines": [{"price": 90}]},
             give_back(NEXT, 1, [0, 1]), programme=rules("deduct")),
        case("nothing is charged that other points cover",
             opened(DAY, (500, None)), sell(DAY, 10000), late(DAY, DAY, 550),
             give_back(NEXT, 1, [0, 1]), programme=rules("deduct"), hand={"3.spent": 50}),
        case("points that are worth more than the refund",
             sell(DAY, 1000), late(DAY, DAY, 100), back_all(),
             programme={**rules("deduct"), **earning(base={"points": 10, "per_minor": 100}),
                        "redemption": {"unit_points": 100, "unit_value_minor": 3000}},
             hand={"2.spent": 100, "2.charged_points": 33, "2.charged": 990, "state.debt": 67,
                   "2.refunds": [["cash", 10]]}),
        case("two tenders: the last one pays the charge first",
             sell(DAY, 30000, tenders=[["card", 29900], ["cash", 100]]), late(DAY, DAY, 280), back_all(),
             programme=rules("deduct"), hand={"2.refunds": [["card", 29720], ["cash", 0]]}),
        case("a charge of points worth a third is rounded for the customer",
             bought, late(DAY, DAY, 100), back,
             programme={**rules("deduct"), "redemption": {"unit_points": 3, "unit_value_minor": 1}},
             hand={"2.spent": 100, "2.charged": 33}),
    ]  # fmt: skip


def back_all() -> Any:
    return give_back(NEXT, 0, [0, 1])


def _unexpire() -> list[Case]:
    short = {"validity": {"kind": "days", "count": 10}, "returns": {"spent_policy": "deduct"}}
    bought = sell(DAY, {"price": 1000, "quantity": 3})
    return [
        case("a return gives booked points back first and charges nothing for them",
             bought, close("2026-03-20"), give_back("2026-03-25", 0, [0, 3]), programme=short,
             hand={"2.unexpired": 30, "2.spent": 0, "state.balance": 0}),
        case("only as many as are taken back",
             bought, close("2026-03-20"), give_back("2026-03-25", 0, [0, 1]), programme=short,
             hand={"2.unexpired": 10, "state.balance": 0}),
        case("partly spent, partly booked",
             bought, late("2026-03-12", "2026-03-12", 12), close("2026-03-20"),
             give_back("2026-03-25", 0, [0, 3]), programme=short,
             hand={"3.unexpired": 18, "3.spent": 12, "3.charged": 12}),
        case("a booked lot of a member in debt is not charged",
             bought, close("2026-03-20"), late("2026-03-24", "2026-03-24", 50),
             give_back("2026-03-25", 0, [0, 3]), programme=short,
             hand={"3.unexpired": 30, "3.spent": 0, "state.debt": 50}),
        case("a late spend gets back what it would have taken",
             opened(DAY, (80, "2026-03-15")), close("2026-03-15"),
             late("2026-03-14", "2026-03-20", 50), hand={"state.balance": -30 + 30}),
        case("a spend on the last good date itself, whose close has booked it",
             opened(DAY, (80, "2026-03-15")), close("2026-03-15"),
             late("2026-03-15", "2026-03-15", 50), hand={"state.balance": 0, "state.debt": 0}),
        case("not what another lot would have paid",
             opened(DAY, (80, "2026-03-15"), (30, "2026-03-12")), close("2026-03-15"),
             late("2026-03-12", "2026-03-20", 40)),
        case("a spend dated after the expiry gets nothing back",
             opened(DAY, (80, "2026-03-15")), close("2026-03-15"),
             late("2026-03-16", "2026-03-20", 50), hand={"state.debt": 50}),
        case("a lapsed lot that nobody booked is simply taken back",
             bought, give_back("2026-03-25", 0, [0, 3]), programme=short,
             hand={"1.unexpired": 0, "state.balance": 0}),
    ]  # fmt: skip


def _void() -> list[Case]:
    have = opened(DAY, (200, "2026-06-30"), (300, "2026-09-30"))
    bought = sell(DAY, 3000, redeem=500)
    partly = sell(DAY, {"price": 1000, "quantity": 3}, redeem=500)
    lots = [[["0", 0], "2026-06-30", 200], [["0", 1], "2026-09-30", 300]]
    deduct = {"returns": {"spent_policy": "deduct"}}
    soon = opened(DAY, (500, "2026-03-12"))
    return [
        case("a void leaves the state as before", have, bought, void(DAY, 1),
             hand={"state.lots": lots, "state.qualifying": 0}),
        case("a void has no minimum life", soon, bought, void(DAY, 1),
             hand={"state.lots": [[["0", 0], "2026-03-12", 500]]}),
        case("the day's room is free again",
             sell(DAY, 9000), void(DAY, 0), sell(DAY, 9000), programme=earning(cap_per_day=70),
             hand={"2.earned": 70}),
        case("an upgrade goes with its sale", sell(DAY, 100000), void(DAY, 0),
             hand={"state.tier": "basic"}),
        case("two upgrades, the later voided", sell(DAY, 100000), sell(DAY, 420000), void(DAY, 1),
             hand={"state.tier": "silver"}),
        case("the void of a return", have, partly, give_back(DAY, 1, [0, 1]), void(DAY, 2),
             give_back(DAY, 1, [0, 3]), hand={"4.restored": 500}),
        case("the void of a return with a minimum life", soon, partly,
             give_back("2026-03-20", 1, [0, 1]), void("2026-03-20", 2)),
        case("points spent since follow the policy", sell(DAY, 30000), late(DAY, DAY, 280), void(DAY, 0),
             programme=deduct, hand={"2.spent": 280, "2.charged": 280, "state.balance": 0}),
        case("a debt that the sale paid is owed again, and not charged",
             late(DAY, DAY, 50), sell(DAY, 3000), void(DAY, 1), programme=deduct,
             hand={"2.spent": 0, "state.debt": 50}),
        case("the void of a return that charged points",
             sell(DAY, 30000), late(DAY, DAY, 280), give_back(DAY, 0, [0, 1]), void(DAY, 2),
             programme=deduct, hand={"state.balance": 20}),
        case("the void of a return that gave booked points back", sell("2026-02-20", 3000),
             close("2026-03-02"), give_back(DAY, 0, [0, 1]), void(DAY, 2),
             programme={"validity": {"kind": "days", "count": 10}},
             hand={"state.balance": 0, "state.lots": []}),
        case("the void of a sale without a member", sell(DAY, 900, member=False), void(DAY, 0),
             hand={"1.refunds": [["cash", 900]]}),
    ]  # fmt: skip


def _exchange() -> list[Case]:
    have = opened(DAY, (500, "2026-06-30"))
    bought = sell(DAY, {"price": 1000, "quantity": 3})
    return [
        case("for something dearer", bought, exchange(NEXT, 0, [[0, 1]], 2500),
             hand={"1.net": 1500, "state.balance": 45}),
        case("for something cheaper", bought, exchange(NEXT, 0, [[0, 2]], 500), hand={"1.net": -1500}),
        case("even", bought, exchange(NEXT, 0, [[0, 1]], 1000),
             hand={"1.net": 0, "state.balance": 30}),
        case("restored points can pay for the new goods", have,
             sell(DAY, 1000, redeem=500), exchange(NEXT, 1, [[0, 1]], 2000, redeem=500)),
        case("no tier flicker", sell(DAY, 100000), exchange(NEXT, 0, [[0, 1]], 110000),
             hand={"state.tier": "silver", "state.qualifying": 107800}),
        case("an exchanged thing comes back too", bought, exchange(NEXT, 0, [[0, 1]], 2500),
             give_back(NEXT, 1, [0, 1]), hand={"2.refunds": [["exchange", 1000], ["cash", 1500]]}),
        case("the void of an exchange charges nothing for the debt that it paid",
             late(DAY, DAY, 50), sell(DAY, 1000, member=False), exchange(DAY, 1, [[0, 1]], 3000),
             void(DAY, 2), programme={"returns": {"spent_policy": "deduct"}},
             hand={"3.spent": 0, "state.debt": 50}),
        case("the void of an exchange", have, sell(DAY, {"price": 1000, "quantity": 2}, redeem=500),
             exchange(DAY, 1, [[0, 1]], 2500), void(DAY, 2)),
    ]  # fmt: skip


def _adjust() -> list[Case]:
    have = opened(DAY, (100, "2026-06-30"))
    return [
        case("up opens a lot by the programme", adjust(DAY, 40),
             hand={"state.lots": [[["0", 0], "2027-03-31", 40]]}),
        case("down spends like a redemption", have, adjust(DAY, -30), hand={"state.balance": 70}),
        case("below available takes a second person", have, adjust(DAY, -130, second_person=True),
             hand={"state.debt": 30}),
        case("a credit pays the oldest debt first", late(DAY, DAY, 30), late(DAY, DAY, 20),
             adjust(DAY, 40), hand={"state.debts": [[["1", 0], 10]]}),
        case("an earning pays debts, the rest is a lot", late(DAY, DAY, 30), sell(DAY, 5000),
             hand={"state.balance": 20, "state.debt": 0}),
        case("an opening debt", opened(DAY, (-50, None)), sell(DAY, 2000),
             hand={"state.debt": 30}),
        case("a debt that was paid later comes back to what paid it",
             late(DAY, DAY, 30), sell(DAY, 5000), void(DAY, 0),
             hand={"state.balance": 50, "state.debt": 0}),
        case("a restore pays its own debt before anything", sell(DAY, 1000), late(DAY, DAY, 30),
             void(DAY, 1), hand={"state.balance": 10, "state.debt": 0}),
        case("a restore of one debit pays another's debt", opened(DAY, (100, "2026-06-30")),
             sell(DAY, 1000, redeem=100), late(DAY, DAY, 60), give_back(NEXT, 1, [0, 1])),
    ]  # fmt: skip


def _tiers() -> list[Case]:
    year = {"tiers": {"window": "calendar_year", "window_days": 0}}
    visits: Any = {"tiers": {"measure": "visits", "levels": [
        {"code": "basic", "rank": 0, "name": {"zh": "普通", "en": "Basic"}, "threshold": 0,
         "discount_bp": 0},
        {"code": "silver", "rank": 10, "name": {"zh": "银卡", "en": "Silver"}, "threshold": 3,
         "discount_bp": 0}]}}  # fmt: skip
    silver = sell(DAY, 100000)
    given = {"do": "tier", "on": DAY, "code": "gold", "until": "2026-04-30"}

    def tier(
        name: str, code: str, *steps: Any, programme: Any = None, on: str | None = None
    ) -> Case:
        return case(name, *steps, programme=programme, on=on, hand={"state.tier": code})

    return [
        tier("at the threshold, at once", "silver", silver),
        tier("one fen below it", "basic", sell(DAY, 99999)),
        tier("two levels in one sale", "gold", sell(DAY, 500000)),
        tier("by two sales", "silver", sell(DAY, 60000), sell(NEXT, 40000)),
        tier("a sale on the first day of the window counts", "silver",
             sell("2025-03-11", 60000), sell(DAY, 40000)),
        tier("the day before it doesn't", "basic", sell("2025-03-10", 60000), sell(DAY, 40000)),
        tier("a calendar year begins anew", "basic", sell("2025-12-31", 60000), sell(DAY, 40000),
             programme=year),
        tier("a return lowers the measure and leaves the tier", "silver", silver,
             give_back(NEXT, 0, [0, 1])),
        tier("so the next level is farther", "silver", silver, give_back(NEXT, 0, [0, 1]),
             sell(NEXT, 408163)),
        tier("what points pay doesn't qualify", "basic", opened(DAY, (100, None)),
             sell(DAY, 100000, redeem=100)),
        tier("three visits", "silver", sell(DAY, 1), sell(NEXT, 1), sell("2026-03-12", 1),
             programme=visits),
        tier("two sales on one day are one visit", "basic", sell(DAY, 1), sell(DAY, 1), sell(NEXT, 1),
             programme=visits),
        tier("a visit returned is none", "basic", sell(DAY, 1), sell(NEXT, 1),
             give_back(NEXT, 1, [0, 1]), sell("2026-03-12", 1), programme=visits),
        tier("kept through its end", "silver", silver, review("2027-03-10")),
        tier("kept through the grace", "silver", silver, review("2027-04-09")),
        tier("without grace it is kept through its end, too", "silver", silver, review("2027-03-10"),
             programme={"tiers": {"grace_days": 0}}),
        tier("and lost the day after", "basic", silver, review("2027-03-11"),
             programme={"tiers": {"grace_days": 0}}),
        case("nothing is renewed before its end", silver, sell("2027-03-01", 102041),
             review("2027-03-10"), hand={"2.entries": []}),
        tier("one level down after the grace", "basic", silver, review("2027-04-10")),
        tier("one level at most", "silver", sell(DAY, 500000), review("2028-01-01")),
        tier("renewed where the measure still reaches", "silver", silver, sell("2027-03-01", 102041),
             review("2027-04-10")),
        tier("a calendar year's tier lasts to the end of the next", "silver", silver,
             review("2027-12-31"), programme=year),
        tier("and is judged by the year that ended", "silver", silver, sell("2027-06-01", 102041),
             review("2028-03-01"), programme=year),
        tier("or falls", "basic", silver, review("2028-02-01"), programme=year),
        tier("a manual tier is locked", "gold", given, review("2026-04-30")),
        tier("and reviewed after its end and grace", "silver", given, review("2026-05-31")),
        tier("a locked tier isn't upgraded", "silver", {**given, "code": "silver"},
             sell(DAY, 600000)),
    ]  # fmt: skip
