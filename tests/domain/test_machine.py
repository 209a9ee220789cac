"""A Hypothesis state machine over the counter's commands, with programmes drawn at random."""

from __future__ import annotations

import collections
import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

import tests.domain.laws
import tests.domain.shop
from app.domain import fold, returns, sale, tiers
from app.domain.adjustment import OpeningLot, check_adjust
from app.domain.business_day import NEVER, BusinessDate
from app.domain.clock import check_business_date
from app.domain.documents import LineRequest, ReturnedLine, SaleRequest, Tender
from app.domain.entries import EntryId
from app.domain.errors import Refused
from app.domain.programme import SpentPolicy
from app.domain.sale import quote_sale, sale_document, sale_entries
from app.domain.state import view
from app.domain.state_rows import Needs
from app.domain.void import check_void
from tests.domain.random_counter import (
    TIERS,
    random_cart,
    random_minute,
    random_programme,
)
from tests.domain.shop import Shop, expect_refusal

START = BusinessDate.on(2024, 1, 30)
COUNTS: collections.Counter[str] = collections.Counter()


# Bytes are drawn evenly; whole numbers would mostly be small ones, and the programmes few.
chances = st.binary(min_size=8, max_size=8).map(random.Random)
"""Hypothesis picks commands and seeds; a seed makes the arguments, which keeps runs long."""


class Counter(RuleBasedStateMachine):
    """One member's life at one till."""

    @initialize(pick=chances)
    def open_shop(self, pick: random.Random) -> None:
        self.shop = Shop(random_programme(pick), START)

    def _request(self, pick: random.Random, sixths: int) -> SaleRequest:
        """A cart that redeems a part (in sixths) of the most it may."""
        shop, cart = self.shop, random_cart(pick)
        rules = shop.programme.redemption
        if rules is None or sixths == 0:
            return SaleRequest(cart)
        quote = quote_sale(
            SaleRequest(cart), shop.member(), shop.programme, on=shop.today, minute=0
        )
        points = quote.most.points * sixths // 6 // rules.unit_points * rules.unit_points
        return SaleRequest(cart, points if points >= rules.minimum_points else 0)

    @rule(pick=chances)
    def sell(self, pick: random.Random) -> None:
        request = self._request(pick, pick.choice([0, 0, 3, 6]))
        self.shop.sell(request, random_minute(pick), member=True, tenders=pick.choice([1, 2]))

    @rule(pick=chances)
    def sell_and_spend_all(self, pick: random.Random) -> None:
        self.shop.sell(self._request(pick, 6), random_minute(pick), member=True, tenders=1)

    @rule(pick=chances)
    def sell_without_member(self, pick: random.Random) -> None:
        self.shop.sell(SaleRequest(random_cart(pick)), 600, member=False, tenders=1)

    def _lapsed(self) -> list[int]:
        """Returnable sales whose earning was booked as expired."""
        booked = {each.origin for each in self.shop.state.splits if each.kind == "expire"}
        found = []
        for number in self.shop.returnable():
            sale = self.shop.documents[number].sale
            if sale is not None and sale.posted.earn in booked:
                found.append(number)
        return found

    def _some(self, number: int, pick: random.Random) -> list[ReturnedLine]:
        kept = self.shop.kept(number)
        wanted = [ReturnedLine(n, pick.randint(1, left)) for n, left in enumerate(kept) if left]
        pick.shuffle(wanted)
        return wanted[: pick.randint(1, len(wanted))]

    @precondition(lambda self: self.shop.returnable())
    @rule(pick=chances)
    def give_back_some(self, pick: random.Random) -> None:
        number = pick.choice(self._lapsed() or self.shop.returnable())
        policy: SpentPolicy | None = pick.choice([None, None, "negative", "deduct", "write_off"])
        self.shop.give_back(number, self._some(number, pick), policy)

    @precondition(lambda self: self.shop.returnable())
    @rule(pick=chances)
    def give_back_all_in_parts(self, pick: random.Random) -> None:
        number = pick.choice(self.shop.returnable())
        for _ in range(3):
            if any(self.shop.kept(number)):
                self.shop.give_back(number, self._some(number, pick))
        rest = [ReturnedLine(n, left) for n, left in enumerate(self.shop.kept(number)) if left]
        if rest:
            self.shop.give_back(number, rest)
        self.shop.counts["return_all"] += 1

    @precondition(lambda self: self.shop.returnable())
    @rule(pick=chances)
    def give_back_what_is_spent(self, pick: random.Random) -> None:
        """All points are spent first, so that the take-back finds none."""
        shop = self.shop
        earning = [n for n in shop.returnable() if shop.documents[n].earned]
        if not earning:
            return
        number = pick.choice(earning)
        if shop.state.balance() > 0:
            shop.late_spend(shop.state.balance(), shop.today)
        whole = [ReturnedLine(n, left) for n, left in enumerate(shop.kept(number)) if left]
        before = len(shop.documents), shop.state
        try:
            shop.give_back(number, whole, "write_off", manager=False)
        except Refused as refused:
            shop.counts[f"refused:{refused.code.value}"] += 1
            assert (len(shop.documents), shop.state) == before
            policy: SpentPolicy | None = pick.choice([None, "negative", "deduct", "write_off"])
            shop.give_back(number, whole, policy)

    @precondition(lambda self: self.shop.returnable())
    @rule(pick=chances)
    def exchange(self, pick: random.Random) -> None:
        number = pick.choice(self.shop.returnable())
        lines = self._some(number, pick)
        self.shop.exchange(number, lines, SaleRequest(random_cart(pick)), random_minute(pick))

    @precondition(lambda self: self.shop.documents)
    @rule(pick=chances)
    def void(self, pick: random.Random) -> None:
        shop = self.shop
        number = max(len(shop.documents) - pick.randint(1, 4), 0)
        document = shop.documents[number]
        closed = document.on <= shop.closed_through
        if closed or document.voided or shop.later_return_stands(number):
            expect_refusal(shop.counts, lambda: shop.void(number))
        else:
            shop.void(number)
            expect_refusal(shop.counts, lambda: shop.void(number))

    @rule(pick=chances)
    def adjust(self, pick: random.Random) -> None:
        second_person = pick.random() < 0.5
        try:
            self.shop.adjust(
                pick.choice([-1, 1]) * pick.randint(1, 120), second_person=second_person
            )
        except Refused as refused:
            assert not second_person
            self.shop.counts[f"refused:{refused.code.value}"] += 1

    @rule(pick=chances)
    def open_balance(self, pick: random.Random) -> None:
        points = pick.randint(1, 90)
        lots = [OpeningLot(points, self.shop.today.plus(pick.randint(0, 9))), OpeningLot(points)]
        if pick.random() < 0.3:
            lots.append(OpeningLot(-points * 3))
        self.shop.open_balance(lots)

    @rule(pick=chances)
    def close_day(self, pick: random.Random) -> None:
        self.shop.close_day(pick.choice([1, 1, 2, 5, 31, 120, 400]))

    @precondition(lambda self: self.shop.state.lots)
    @rule(pick=chances)
    def break_off_close(self, pick: random.Random) -> None:
        """On the last good date of some points, which are then spent in part."""
        shop = self.shop
        until = [lot.expires for lot in shop.state.lots if shop.today < lot.expires < NEVER]
        if until and pick.random() < 0.7:
            shop.closed_through, shop.today = shop.today, min(until)
        shop.break_off_close()
        good = shop.member().state
        if view(good, shop.today).available:
            most = min(view(good, shop.today).available, 200)
            shop.adjust(-pick.randint(1, most), second_person=True)

    @rule(pick=chances)
    def move_on_without_booking(self, pick: random.Random) -> None:
        """As a till with a head office does: lapsed lots stay unbooked for a while."""
        self.shop.closed_through = self.shop.today
        self.shop.today = self.shop.today.plus(pick.choice([1, 6, 40]))
        self.shop.counts["lapse_unbooked"] += 1

    @rule(pick=chances)
    def late_spend(self, pick: random.Random) -> None:
        shop = self.shop
        booked = [
            split.expires
            for split in shop.state.splits
            if split.kind == "expire" and split.restored_by is None
        ]
        on = pick.choice(booked) if booked else shop.today.plus(-pick.randint(0, 12))
        shop.late_spend(pick.randint(1, 40), on)

    @rule(pick=chances)
    def tiers_and_programmes(self, pick: random.Random) -> None:
        shop = self.shop
        kind = pick.random()
        if kind < 0.4:
            shop.set_tier(pick.choice(TIERS), shop.today.plus(pick.randint(0, 20)))
        elif kind < 0.7:
            shop.publish(random_programme(pick, version=2))
        else:
            shop.take_checkpoint()

    @rule(pick=chances)
    def spend_then_restore(self, pick: random.Random) -> None:
        spent = pick.randint(1, 200)
        self.shop.check_spend_restore(spent, pick.randint(0, spent))

    @rule(pick=chances)
    def refused_sales(self, pick: random.Random) -> None:
        shop, cart = self.shop, random_cart(pick)
        member, programme, on = shop.member(), shop.programme, shop.today

        def quote(request: SaleRequest, *, known: bool = True) -> object:
            return quote_sale(request, member if known else None, programme, on=on, minute=0)

        counts = shop.counts
        expect_refusal(counts, lambda: quote(SaleRequest(())))
        expect_refusal(counts, lambda: quote(SaleRequest((LineRequest(-1),))))
        expect_refusal(counts, lambda: quote(SaleRequest(cart, 10), known=False))
        open_sale = quote_sale(SaleRequest(cart), member, programme, on=on, minute=0)
        wrong = [Tender("cash", open_sale.draft.to_pay_minor + 1, 10**9)]
        entries = sale_entries(open_sale, bytes(16))
        expect_refusal(counts, lambda: sale_document(open_sale, entries, wrong))
        rules = programme.redemption
        if rules is None:
            expect_refusal(counts, lambda: quote(SaleRequest(cart, 10)))
            return
        unit = rules.unit_points
        above = (open_sale.available // unit + 1) * unit
        expect_refusal(counts, lambda: quote(SaleRequest(cart, unit + 1)))
        expect_refusal(counts, lambda: quote(SaleRequest(cart, above)))
        if rules.minimum_points > unit <= open_sale.available:
            expect_refusal(counts, lambda: quote(SaleRequest(cart, unit)))
        most = open_sale.available // unit * unit
        if most > open_sale.most.points and most >= rules.minimum_points:
            expect_refusal(counts, lambda: quote(SaleRequest(cart, most)))

    @precondition(lambda self: any(each.sale is not None for each in self.shop.documents))
    @rule(pick=chances)
    def refused_returns(self, pick: random.Random) -> None:
        shop = self.shop
        sold = [n for n, each in enumerate(shop.documents) if each.sale is not None]
        number = pick.choice(sold)
        kept = shop.kept(number)
        if not any(kept):
            expect_refusal(shop.counts, lambda: shop.give_back(number, [ReturnedLine(0, 1)]))
            return
        many = [ReturnedLine(0, kept[0] + 1)]
        expect_refusal(shop.counts, lambda: shop.give_back(number, many))
        expect_refusal(shop.counts, lambda: shop.give_back(number, []))
        expect_refusal(shop.counts, lambda: shop.give_back(number, [ReturnedLine(9, 1)]))

    @rule()
    def refused_others(self) -> None:
        shop = self.shop
        counts, limits, today = shop.counts, shop.programme.limits, shop.today
        once = {"own_account": False, "second_person": False}
        expect_refusal(counts, lambda: check_adjust(limits, "manager", 0, **once))
        expect_refusal(counts, lambda: check_adjust(limits, "cashier", 1, **once))
        expect_refusal(counts, lambda: check_adjust(limits, "manager", -301, **once))
        expect_refusal(
            counts,
            lambda: check_adjust(limits, "manager", 1, own_account=True, second_person=True),
        )
        expect_refusal(counts, lambda: shop.open_balance([OpeningLot(0)]))
        expect_refusal(counts, lambda: shop.set_tier("nobody", today))
        expect_refusal(counts, lambda: shop.set_tier("gold", None))
        expect_refusal(
            counts,
            lambda: check_void(
                same_shift=False,
                day_closed=False,
                already_voided=False,
                later_return_stands=False,
            ),
        )
        back, ahead = today.plus(-1), today.plus(2)
        expect_refusal(
            counts, lambda: check_business_date(back, today, None, None, supervisor=True)
        )
        expect_refusal(
            counts, lambda: check_business_date(ahead, today, today, None, supervisor=False)
        )

    def teardown(self) -> None:
        shop = getattr(self, "shop", None)
        if shop is None:
            return
        shop.finish(random.Random(len(shop.entries)))
        COUNTS.update(shop.counts)


COMMANDS = (
    "sell", "sell_without_member", "upgrade", "return", "return_all", "return_unexpired",
    "return_owed", "return_charged", "return_written_off", "exchange", "void", "adjust_up",
    "adjust_down", "opening", "manual_tier", "expire", "unexpire", "review", "close_day",
    "lapse_unbooked", "close_broken_off", "given_back", "late_spend", "publish", "checkpoint",
    "spend_restore", "ledger_by_coins",
)  # fmt: skip
REFUSALS = (
    "sale_empty", "sale_line_invalid", "tender_mismatch", "member_needed", "redeem_off",
    "redeem_not_multiple", "redeem_below_minimum", "redeem_above_available", "redeem_above_share",
    "return_empty", "return_no_such_line", "return_nothing_left",
    "return_too_many", "write_off_needs_manager", "void_other_shift",
    "void_day_closed", "void_already", "void_later_return", "adjust_zero",
    "adjust_own_account", "adjust_not_allowed", "adjust_needs_second", "adjust_below_available",
    "opening_invalid", "tier_unknown", "tier_end_needed", "business_date_back",
    "business_date_ahead",
)  # fmt: skip


def run_machine(
    runs: int, *, seed: int | None = None, shrink: bool = True
) -> collections.Counter[str]:
    """Run the machine and return how often each command and refusal happened.

    Without a seed the runs are the same every time; with one they are that seed's.
    """
    COUNTS.clear()

    class Seeded(Counter):
        pass

    run_state_machine_as_test(
        Seeded if seed is None else hypothesis.seed(seed)(Seeded),
        settings=settings(
            max_examples=runs,
            stateful_step_count=40,
            deadline=None,
            database=None,
            derandomize=seed is None,
            phases=list(Phase) if shrink else [Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    return collections.Counter(COUNTS)


def never_happened(counts: collections.Counter[str]) -> list[str]:
    """Commands and refusals that a run never reached."""
    names = [*COMMANDS, *(f"refused:{code}" for code in REFUSALS)]
    return [name for name in names if not counts[name]]


def test_any_life_of_a_member_keeps_every_law_and_reaches_every_command_and_refusal() -> None:
    """In a process of its own: Hypothesis draws among the numbers that stand in the modules loaded so
    far, so beside other tests the runs would be others each time, and a count could be zero."""
    made = subprocess.run(
        [sys.executable, "-m", "tests.domain.test_machine"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert made.returncode == 0, made.stderr[-8000:]
    assert not never_happened(collections.Counter(json.loads(made.stdout)))


def _rounded_up(amount: int, kept: int, sold: int) -> int:
    return -(-amount * kept // sold)


def _losing(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    whole = sum(weights) or 1
    return tuple(total * weight // whole for weight in weights)


SABOTAGES: list[tuple[str, object, str, object]] = [
    ("a void doesn't undo a restore", fold._Working, "_undo_restore",
     lambda self, entry, restore, amount: amount),
    ("a split comes back from its front", fold, "reversed", list),
    ("what is kept is rounded up", returns, "kept_share", _rounded_up),
    ("a split loses a unit", sale, "split_by_weight", _losing),
    ("no split is loaded for a restore", tests.domain.laws, "needs",
     lambda entries: Needs(frozenset(), frozenset(), frozenset())),
    ("what is booked and still good is not given back", tests.domain.shop, "unexpire_entries",
     lambda *args, **more: ()),
    ("a review is posted again", tests.domain.shop, "review_entries",
     lambda state, rules, on, event: (tiers.upgrade_entry(EntryId(event, 0), rules, on,
                                                          rules.levels[1]),)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "name", "instead"),
    [row[1:] for row in SABOTAGES],
    ids=[row[0] for row in SABOTAGES],
)
def test_the_machine_goes_red_when(
    monkeypatch: pytest.MonkeyPatch, where: object, name: str, instead: object
) -> None:
    monkeypatch.setattr(where, name, instead, raising=False)
    with pytest.raises((AssertionError, BaseExceptionGroup)):
        run_machine(60, shrink=False)


if __name__ == "__main__":
    print(json.dumps(run_machine(400)))
