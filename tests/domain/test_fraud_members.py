"""The rules against fraud on members and receipts, each at its edge, by hand (security.md section 4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.domain.fraud.limits import DEFAULT_GUARD
from tests.domain.fraud_stream import DAY, HOUR, MINUTE, Stream, claim

# F1 ----------------------------------------------------------------------------------------------


def test_a_sale_on_ones_own_account_is_blocked(stream: Stream) -> None:
    stream.add("link", staff="ann", member="m1")
    stream.sale("m1")
    assert stream.cases() == [("F1", "own_card", "block")]


def test_a_sale_on_anothers_own_account_is_no_case(stream: Stream) -> None:
    stream.add("link", staff="bob", member="m1")
    stream.sale("m1")
    assert stream.cases() == []


def test_an_account_with_the_phone_of_ones_own_is_blocked(stream: Stream) -> None:
    stream.add("link", staff="ann", member="m1", phone="p1")
    stream.sale("m2", phone="p1")
    stream.sale("m3", phone="p3", after=DAY)
    assert stream.cases() == [("F1", "same_phone", "block")]


def test_ones_own_account_takes_its_new_phone_along(stream: Stream) -> None:
    stream.add("link", staff="ann", member="m1", phone="p1")
    stream.add("phone", staff="bob", member="m1", phone="p2")
    stream.sale("m2", phone="p1")
    stream.sale("m3", phone="p2")
    assert [(c.what, c.member) for c in stream.found()] == [("same_phone", "m3")]


def test_an_account_that_is_ones_own_no_more_is_no_case(stream: Stream) -> None:
    stream.add("link", staff="ann", member="m1", phone="p1")
    stream.add("link", staff="ann", member="")
    stream.sale("m1", phone="p1")
    assert stream.cases() == []


def test_a_new_phone_of_an_earlier_own_account_does_not_hide_the_one_of_today(
    stream: Stream,
) -> None:
    stream.add("link", staff="ann", member="m1", phone="p1")
    stream.add("link", staff="ann", member="m2", phone="p2")
    stream.add("phone", staff="bob", member="m1", phone="p3")
    stream.sale("m1", phone="p3")
    stream.sale("m2", phone="p2")
    assert [(c.what, c.member) for c in stream.found()] == [("own_card", "m2")]


def test_an_own_card_that_a_second_person_let_pass_is_a_case(stream: Stream) -> None:
    stream.sale("m1", what="own_card", approver="wm")
    assert stream.cases() == [("F1", "own_card", "block")]


@pytest.mark.parametrize("kind", ["return", "void", "claim"])
def test_ones_own_account_is_watched_in_every_direction(stream: Stream, kind: str) -> None:
    stream.add("link", staff="ann", member="m1")
    stream.add(kind, member="m1", refers="e0")
    assert ("F1", "own_card", "block") in stream.cases()


# F2 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "blocked"), [(29, True), (30, False)])
def test_a_second_earning_within_half_an_hour_is_blocked(
    stream: Stream, minutes: int, blocked: bool
) -> None:
    stream.sale("m1")
    stream.sale("m1", after=minutes * MINUTE)
    assert stream.cases() == ([("F2", "minutes", "block")] if blocked else [])


def test_the_third_earning_of_a_day_is_flagged_and_the_fifth_blocked(stream: Stream) -> None:
    for _ in range(2):
        stream.sale("m1", after=HOUR)
    assert stream.cases() == []
    stream.sale("m1", after=HOUR)
    assert stream.cases() == [("F2", "often", "flag")]
    stream.sale("m1", after=HOUR)
    assert [len(case.seqs) for case in stream.found()] == [4]
    stream.sale("m1", after=HOUR)
    assert stream.cases() == [("F2", "often", "flag"), ("F2", "per_day", "block")]


def test_a_sale_that_was_voided_does_not_count(stream: Stream) -> None:
    wrong = stream.sale("m1")
    stream.add("void", member="m1", refers=wrong.id)
    stream.sale("m1")
    assert stream.cases() == []


def test_a_sale_that_earns_nothing_does_not_count(stream: Stream) -> None:
    stream.sale("m1")
    stream.sale("m1", earned=0)
    assert stream.cases() == []


def test_the_next_day_begins_at_nothing(stream: Stream) -> None:
    for _ in range(2):
        stream.sale("m1", after=2 * HOUR)
    stream.sale("m1", after=DAY)
    assert stream.cases() == []


def test_all_tills_of_a_store_count_together(stream: Stream) -> None:
    stream.sale("m1")
    stream.sale("m1", till="t2", staff="bob")
    (case,) = stream.found()
    assert case.seqs == (("t1", 1), ("t2", 2))


# F3 ----------------------------------------------------------------------------------------------


def test_a_claim_that_keeps_the_conditions_is_no_case(stream: Stream) -> None:
    claim(stream, amount=7)
    assert stream.cases() == []


@pytest.mark.parametrize(
    ("values", "what"), [({"amount": 8}, "too_old"), ({"what": "ann"}, "seller")]
)
def test_a_claim_that_breaks_a_condition_is_flagged(
    stream: Stream, values: dict[str, Any], what: str
) -> None:
    claim(stream, **values)
    assert stream.cases() == [("F3", what, "flag")]


def test_a_receipt_claimed_twice_is_flagged(stream: Stream) -> None:
    claim(stream)
    claim(stream, "m2")
    assert stream.cases() == [("F3", "twice", "flag")]


def test_the_third_claim_of_a_member_in_a_shift_is_blocked(stream: Stream) -> None:
    limits = replace(DEFAULT_GUARD, late_per_member=0)
    for number in range(2):
        claim(stream, receipt=f"r{number}")
    claim(stream, "m2", "r8")
    assert stream.cases(limits) == []
    claim(stream, receipt="r9")
    assert stream.cases(limits) == [("F3", "per_shift", "block")]


def test_a_member_attached_after_tender_again_and_again_is_flagged(stream: Stream) -> None:
    for _ in range(2):
        stream.sale("m1", what="late", after=DAY)
    stream.sale("m1", after=DAY)
    assert stream.cases() == []
    stream.sale("m1", what="late", after=DAY)
    assert stream.cases() == [("F3", "often", "flag")]


def test_what_was_late_a_month_ago_is_forgotten(stream: Stream) -> None:
    for days in (0, 20, 11):
        stream.sale("m1", what="late", after=days * DAY)
    assert stream.cases() == []
    stream.sale("m1", what="late", after=HOUR)
    assert stream.cases() == [("F3", "often", "flag")]


# F7 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["phone", "card", "merge"])
@pytest.mark.parametrize(("after", "blocked"), [(24 * HOUR - 1, True), (24 * HOUR, False)])
def test_redeeming_within_a_day_of_a_change_is_blocked(
    stream: Stream, kind: str, after: int, blocked: bool
) -> None:
    stream.add(kind, member="m1")
    stream.sale("m1", spent=200, after=after)
    assert stream.cases() == ([("F7", "after_change", "block")] if blocked else [])


def test_earning_after_a_change_is_no_case(stream: Stream) -> None:
    stream.add("phone", member="m1")
    stream.sale("m1")
    stream.sale("m2", spent=200)
    assert stream.cases() == []


# F11 ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tendered", "blocked"), [(10_000, False), (9_999, True), (0, True)])
def test_a_load_without_its_tender_is_blocked(stream: Stream, tendered: int, blocked: bool) -> None:
    stream.add("top_up", member="m1", earned=10_000, amount=tendered)
    assert stream.cases() == ([("F11", "no_tender", "block")] if blocked else [])
