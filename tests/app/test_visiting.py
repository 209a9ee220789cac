"""Members of another store's bucket: found by phone at any till, held while they come, then let go."""

from __future__ import annotations

import pytest

from app.protocol.references import REFERENCE_BUCKET, visited_bucket
from app.queries.search import index_visits, search
from app.sync.exchange import Exchange
from app.usecases.enrol import ProfileInput
from tests.app.chain import Chain, settle
from tests.app.joined import balance, second, sell_to, sound
from tests.app.kiosk import Kiosk, kiosk, made_template, template

__all__ = ["kiosk", "made_template", "second", "template"]

PHONE = "13912340077"


@pytest.fixture
def chain(kiosk: Kiosk, second: Kiosk) -> Chain:
    """The first till's store is north, the second's south; each has its own members alone."""
    found = Chain()
    settle(found.let_in(kiosk))
    settle(found.let_in(second, "south"))
    return found


@pytest.fixture
def member(chain: Chain, kiosk: Kiosk) -> bytes:
    """One of north, who has bought there."""
    found = kiosk.enrol(ProfileInput("周来访", PHONE)).result.member_id
    sell_to(kiosk, found, 10000)
    settle(chain.exchange(kiosk))
    assert chain.member(found).bucket == "north"
    return found


def ids(at: Kiosk, text: str = PHONE) -> set[bytes]:
    while index_visits(at.ctx):
        pass
    return {hit.member_id for hit in search(at.ctx, text).hits}


def both(chain: Chain, kiosk: Kiosk, second: Kiosk) -> tuple[Exchange, Exchange]:
    return chain.exchange(kiosk), chain.exchange(second)


def test_who_was_looked_up_is_held_and_hears_of_later_sales_elsewhere(
    chain: Chain, member: bytes, kiosk: Kiosk, second: Kiosk
) -> None:
    one, two = both(chain, kiosk, second)
    settle(two)
    assert ids(second) == set(), "a till has its own store's members"
    assert chain.looking_up(second).find(PHONE) == 1
    settle(two)
    had = balance(kiosk, member)
    assert balance(second, member) == had
    sell_to(kiosk, member, 10000)
    settle(one, two)
    assert balance(second, member) == balance(kiosk, member) == 2 * had
    chain.cut = True
    sell_to(second, member, 10000)
    assert balance(second, member) == 3 * had, "offline, the next day"
    chain.cut = False
    settle(two, one)
    assert balance(second, member) == balance(kiosk, member) == 3 * had
    sound(kiosk, second)


def test_another_till_of_the_store_gets_them_too_and_one_that_is_let_in_later(
    chain: Chain, member: bytes, kiosk: Kiosk, second: Kiosk
) -> None:
    """Told by its next poll that it has a bucket more."""
    _, two = both(chain, kiosk, second)
    device = chain.server.store.device(second.ctx.till.device)
    assert device is not None
    assert device.buckets == ("south", REFERENCE_BUCKET)
    other = b"o" * 16
    chain.server.enrol(other, "south", "south", REFERENCE_BUCKET)
    chain.looking_up(second).find(PHONE)
    later = b"l" * 16
    chain.server.enrol(later, "south", "south", REFERENCE_BUCKET)
    for each in (second.ctx.till.device, other, later):
        device = chain.server.store.device(each)
        assert device is not None
        assert set(device.buckets) == {"south", REFERENCE_BUCKET, visited_bucket("south")}
    north = chain.server.store.device(kiosk.ctx.till.device)
    assert north is not None
    assert north.buckets == ("north", REFERENCE_BUCKET)
    settle(two)
    assert chain.server.store.device(second.ctx.till.device) is not None
    assert ids(second) == {member}


def test_nobody_is_remembered_as_a_visitor_of_their_own_store(
    chain: Chain, member: bytes, kiosk: Kiosk
) -> None:
    before = chain.member(member)
    assert chain.looking_up(kiosk).find(PHONE) == 1
    assert chain.member(member) == before
    assert before.visited == ()


def test_who_does_not_come_for_ninety_days_leaves_and_can_be_found_again(
    chain: Chain, member: bytes, kiosk: Kiosk, second: Kiosk
) -> None:
    one, two = both(chain, kiosk, second)
    chain.looking_up(second).find(PHONE)
    settle(two)
    day_ms = 86_400_000
    chain.server.book_expiries(chain.now_ms + 89 * day_ms)
    settle(two)
    assert ids(second) == {member}
    chain.server.book_expiries(chain.now_ms + 90 * day_ms)
    settle(two, one)
    assert search(second.ctx, PHONE).hits == (), "before the index has heard of it, too"
    assert ids(second) == set()
    assert ids(kiosk) == {member}
    sound(kiosk, second)
    assert chain.looking_up(second).find(PHONE) == 1
    settle(two)
    assert ids(second) == {member}
    assert balance(second, member) == balance(kiosk, member)
    sound(kiosk, second)


def test_who_is_sold_to_while_head_office_lets_them_leave_stays(
    chain: Chain, member: bytes, kiosk: Kiosk, second: Kiosk
) -> None:
    one, two = both(chain, kiosk, second)
    chain.looking_up(second).find(PHONE)
    settle(two)
    two.once()
    chain.server.book_expiries(chain.now_ms + 90 * 86_400_000)
    assert chain.member(member).visited == ()
    had = balance(second, member)
    chain.before_reply = lambda: sell_to(second, member, 10000)
    two.once()
    assert ids(second) == {member}
    assert balance(second, member) == 2 * had
    settle(two, one)
    assert ids(second) == {member}
    assert balance(second, member) == balance(kiosk, member) == 2 * had
    sound(kiosk, second)


def test_whoever_holds_a_merged_member_gets_who_goes_on_for_them(
    chain: Chain, member: bytes, kiosk: Kiosk, second: Kiosk
) -> None:
    """A member of south is merged into one of north, of whom no till of south has heard."""
    one, two = both(chain, kiosk, second)
    gone = second.enrol(ProfileInput("周来访", "13912340078")).result.member_id
    sell_to(second, gone, 10000)
    settle(two)
    assert chain.server.merge(gone, member, chain.now_ms)
    settle(two, one)
    assert ids(second, "13912340078") == {member}, "the number written last is theirs"
    assert balance(second, member) == balance(kiosk, member)
    chain.server.book_expiries(chain.now_ms + 200 * 86_400_000)
    settle(two)
    assert ids(second, "13912340078") == {member}, "their row points there"
    sound(kiosk, second)


def test_an_erasure_is_done_when_who_saw_them_has_forgotten_them_too(
    chain: Chain, member: bytes, kiosk: Kiosk, second: Kiosk
) -> None:
    one, two = both(chain, kiosk, second)
    chain.looking_up(second).find(PHONE)
    settle(two)
    chain.server.erase(member, "north")
    settle(one)
    one.once()
    assert not chain.server.erasure_done(member), "south still has them"
    settle(two)
    two.once()
    assert ids(second) == set()
    assert chain.server.erasure_done(member)
    sound(kiosk, second)


def test_nobody_leaves_before_every_till_of_the_store_has_heard_that_they_came(
    chain: Chain, member: bytes, second: Kiosk
) -> None:
    two = chain.exchange(second)
    chain.looking_up(second).find(PHONE)
    chain.server.book_expiries(chain.now_ms + 90 * 86_400_000)
    assert [home for home, _ in chain.member(member).visited] == ["south"]
    settle(two)
    two.once()
    chain.server.book_expiries(chain.now_ms + 90 * 86_400_000)
    assert chain.member(member).visited == ()


def test_an_erasure_waits_for_a_till_that_has_not_heard_that_they_left(
    chain: Chain, member: bytes, kiosk: Kiosk, second: Kiosk
) -> None:
    one, two = both(chain, kiosk, second)
    chain.looking_up(second).find(PHONE)
    settle(two)
    two.once()
    chain.server.book_expiries(chain.now_ms + 90 * 86_400_000)
    assert chain.member(member).visited == ()
    chain.server.erase(member, "north")
    settle(one)
    one.once()
    assert not chain.server.erasure_done(member)
    settle(two)
    two.once()
    assert chain.server.erasure_done(member)
