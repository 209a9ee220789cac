"""A member whose row has not come yet is asked for by phone or card, and is this till's like any other."""

from __future__ import annotations

import pytest

from app.numbers import card_number
from app.queries.search import asked_for, search
from app.usecases.enrol import ProfileInput
from tests.app.chain import Chain, settle
from tests.app.joined import balance, second, sell_to, sound
from tests.app.kiosk import Kiosk, kiosk, made_template, template

__all__ = ["kiosk", "made_template", "second", "template"]

PHONE = "13912340077"


def ids(at: Kiosk, text: str) -> set[bytes]:
    return {hit.member_id for hit in search(at.ctx, text).hits}


def test_a_late_row_is_fetched_by_its_phone_and_counts_nothing_twice(
    kiosk: Kiosk, second: Kiosk
) -> None:
    chain = Chain()
    one, two = chain.let_in(kiosk), chain.let_in(second)
    settle(one, two)
    member = kiosk.enrol(ProfileInput("周未到", PHONE)).result.member_id
    sell_to(kiosk, member, 10000)
    settle(one)
    assert ids(second, PHONE) == set()
    assert chain.looking_up(second).find(PHONE) == 1
    assert ids(second, PHONE) == {member}
    had = balance(kiosk, member)
    assert balance(second, member) == had
    sell_to(second, member, 10000)
    settle(two, one)
    assert balance(second, member) == balance(kiosk, member) == 2 * had
    sound(kiosk, second)


def test_a_till_whose_members_have_not_come_at_all_finds_one_by_the_card(
    kiosk: Kiosk, second: Kiosk
) -> None:
    chain = Chain()
    settle(chain.let_in(kiosk))
    new = kiosk.enrol(ProfileInput("周未到", PHONE)).result
    sell_to(kiosk, new.member_id, 10000)
    settle(chain.exchange(kiosk))
    two = chain.let_in(second)
    assert chain.looking_up(second).find(new.card_no) == 1
    assert balance(second, new.member_id) == balance(kiosk, new.member_id)
    settle(two)
    assert balance(second, new.member_id) == balance(kiosk, new.member_id)
    sound(second)


def test_who_goes_on_for_a_merged_member_comes_and_nobody_erased_or_of_another_number(
    kiosk: Kiosk, second: Kiosk
) -> None:
    chain = Chain()
    one = chain.let_in(kiosk)
    chain.let_in(second)
    member = kiosk.enrol(ProfileInput("周未到", PHONE)).result.member_id
    settle(one)
    asking = chain.looking_up(second)
    assert asking.find("13912340078") == 0
    assert chain.server.merge(member, kiosk.member_id, chain.now_ms)
    assert asking.find(PHONE) == 1
    assert ids(second, PHONE) == {kiosk.member_id}
    assert chain.server.unmerge(member, chain.now_ms) is not None
    assert asking.find(PHONE) == 1
    chain.server.erase(member, "north")
    assert asking.find(PHONE) == 0


def test_without_a_line_it_is_known_that_nobody_was_asked(kiosk: Kiosk, second: Kiosk) -> None:
    chain = Chain()
    chain.let_in(second)
    chain.cut = True
    assert chain.looking_up(second).find(PHONE) is None
    assert chain.looking_up(kiosk).find(PHONE) is None, "a till of its own"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("139 1234 0077", ("phone", "+8613912340077")),
        (card_number("8800", 1), ("card", card_number("8800", 1))),
        ("6621", None),
        ("zhou", None),
    ],
)
def test_only_whole_numbers_are_asked_for(text: str, wanted: tuple[str, str] | None) -> None:
    assert asked_for(text) == wanted
