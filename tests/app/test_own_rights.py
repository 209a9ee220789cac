"""Points that a till restored may be spent there at once, before head office has them, and nowhere else until
it has given that right up (sync.md section 3, LOCAL). R is 0 here: nothing else lets points out offline."""

from __future__ import annotations

import pytest

from app import bases
from app.domain.entries import POINTS
from app.domain.errors import Refusal, Refused
from app.protocol.store import Hold
from app.protocol.till_store import Right
from app.sync.exchange import Exchange
from app.usecases.enrol import ProfileInput
from db import head_office
from tests.app.chain import Chain, settle
from tests.app.joined import balance, kept_database, put_back, second, sell_to, sound, today
from tests.app.kiosk import Kiosk, kiosk, made_template, template

__all__ = ["kiosk", "made_template", "second", "template"]

SPENT = 400


def spent(kiosk: Kiosk, chain: Chain, member: bytes | None = None) -> tuple[Exchange, bytes]:
    """The till has joined and sold for points, all of which head office knows."""
    member = member or kiosk.member_id
    exchange = chain.let_in(kiosk)
    sell_to(kiosk, member, 90000)
    settle(exchange)
    hold = exchange.hold(member, SPENT, today(kiosk))
    assert hold is not None
    sale = sell_to(kiosk, member, redeem=SPENT, hold=hold)
    settle(exchange)
    return exchange, sale


def rights(at: Kiosk) -> list[int]:
    """What is left of each own right."""
    with at.ctx.read() as conn:
        body = head_office.control(conn)
    assert body is not None
    found: tuple[Right, ...] = bases.CONTROL.unpack(body).rights
    return [right.left for right in found]


def kept_for(chain: Chain, at: Kiosk) -> dict[tuple[str, bytes], int]:
    """What head office keeps of the member for others than nobody."""
    return dict(chain.member(at.member_id).reserved)


def nobody_won(chain: Chain, *tills: Kiosk) -> None:
    """The bound of R = 0 holds, nothing is reserved any more, and all count alike."""
    tenant = chain.server.store.tenant()
    assert (tenant.overdrawn, tenant.left, tenant.lost) == (0, 0, 0)
    member = tills[0].member_id
    assert dict(chain.member(member).reserved) == {}
    assert {balance(each, member) for each in tills} == {chain.member(member).state.balance(POINTS)}
    sound(*tills)


def refused(at: Kiosk, points: int) -> None:
    with pytest.raises(Refused) as found:
        sell_to(at, at.member_id, redeem=points)
    assert found.value.code is Refusal.POINTS_NO_RIGHT


def test_what_a_void_restored_offline_is_spent_again_here_and_no_more(kiosk: Kiosk) -> None:
    chain = Chain(budget=0)
    exchange, sale = spent(kiosk, chain)
    chain.cut = True
    refused(kiosk, 200)
    kiosk.undo(sale)
    assert rights(kiosk) == [SPENT]
    refused(kiosk, SPENT + 200)
    sell_to(kiosk, kiosk.member_id, redeem=200)
    assert rights(kiosk) == [SPENT - 200]
    refused(kiosk, SPENT)
    sell_to(kiosk, kiosk.member_id, redeem=200)
    assert rights(kiosk) == []
    refused(kiosk, 200)
    chain.cut = False
    settle(exchange)
    nobody_won(chain, kiosk)


def test_what_a_return_restored_is_spent_again_here_and_void_brings_the_right_back(
    kiosk: Kiosk,
) -> None:
    chain = Chain(budget=0)
    exchange, sale = spent(kiosk, chain)
    chain.cut = True
    kiosk.take_back(sale)
    assert rights(kiosk) == [SPENT]
    again = sell_to(kiosk, kiosk.member_id, redeem=SPENT)
    assert rights(kiosk) == []
    kiosk.undo(again)
    assert rights(kiosk) == [SPENT]
    sell_to(kiosk, kiosk.member_id, redeem=SPENT)
    chain.cut = False
    settle(exchange)
    nobody_won(chain, kiosk)


def test_what_was_earned_or_given_back_by_voiding_a_return_is_no_right_of_the_till(
    kiosk: Kiosk,
) -> None:
    chain = Chain(budget=0)
    exchange = chain.let_in(kiosk)
    settle(exchange)
    chain.cut = True
    sale = sell_to(kiosk, kiosk.member_id)
    back = kiosk.take_back(sale).result
    kiosk.undo(back.event_id)
    assert rights(kiosk) == []
    refused(kiosk, 200)


def test_head_office_keeps_it_for_the_till_until_the_till_has_given_it_up(
    kiosk: Kiosk, second: Kiosk
) -> None:
    chain = Chain(budget=0)
    two = chain.let_in(second)
    one, sale = spent(kiosk, chain)
    settle(two)
    kiosk.undo(sale)
    one.once()  # the void has come, and the till knows it: it gives the right up with its next question
    key = (POINTS, kiosk.ctx.till.device)
    assert kept_for(chain, kiosk) == {key: SPENT}
    assert rights(kiosk) == [], "here it is given up already"
    whole = chain.member(kiosk.member_id).state.balance(POINTS) // 100 * 100
    assert two.hold(kiosk.member_id, whole, today(second)) is None
    one.once()
    assert kept_for(chain, kiosk) == {}
    hold = two.hold(kiosk.member_id, whole, today(second))
    assert hold is not None
    two.let_go(hold, today(second))
    settle(one, two)
    nobody_won(chain, kiosk, second)


def test_a_right_that_two_tills_would_use_is_one_tills(kiosk: Kiosk, second: Kiosk) -> None:
    """The reply was lost: head office has the restore, and the till still counts on its right."""
    chain = Chain(budget=0)
    two = chain.let_in(second)
    one, sale = spent(kiosk, chain)
    settle(two)
    kiosk.undo(sale)
    chain.lost = 1
    heard = one.once()
    assert heard is not None
    assert heard.why == "gone"
    assert rights(kiosk) == [SPENT]
    whole = chain.member(kiosk.member_id).state.balance(POINTS) // 100 * 100
    assert two.hold(kiosk.member_id, whole, today(second)) is None
    chain.cut = True
    sell_to(kiosk, kiosk.member_id, redeem=SPENT)
    chain.cut = False
    settle(one, two)
    nobody_won(chain, kiosk, second)


def test_a_till_that_dies_still_has_its_right_and_one_that_was_put_back_has_none(
    kiosk: Kiosk,
) -> None:
    chain = Chain(budget=0)
    _, sale = spent(kiosk, chain)
    chain.cut = True
    kiosk.undo(sale)
    kiosk.crash()
    kiosk.open()
    assert rights(kiosk) == [SPENT]
    kept = kept_database(kiosk)
    sell_to(kiosk, kiosk.member_id, redeem=200)
    put_back(kiosk, kept)
    assert rights(kiosk) == [SPENT], "as the old database has it"
    refused(kiosk, 200)
    sell_to(kiosk, kiosk.member_id)
    assert rights(kiosk) == []
    refused(kiosk, 200)
    chain.cut = False
    exchange = chain.exchange(kiosk)
    settle(exchange)
    nobody_won(chain, kiosk)


def test_a_till_that_is_being_placed_anew_keeps_no_right(kiosk: Kiosk) -> None:
    chain = Chain(budget=0)
    _, sale = spent(kiosk, chain)
    kept = kept_database(kiosk)
    sell_to(kiosk, kiosk.member_id)
    put_back(kiosk, kept)
    chain.cut = True
    kiosk.undo(sale)
    assert rights(kiosk) == []
    refused(kiosk, 200)
    chain.cut = False
    exchange = chain.exchange(kiosk)
    settle(exchange)
    nobody_won(chain, kiosk)


def test_what_a_lost_till_may_have_spent_is_written_off(kiosk: Kiosk, second: Kiosk) -> None:
    chain = Chain(budget=0)
    two = chain.let_in(second)
    one, sale = spent(kiosk, chain)
    kiosk.undo(sale)
    chain.lost = 1
    one.once()
    assert sum(kept_for(chain, kiosk).values()) == SPENT
    assert chain.server.write_off(kiosk.ctx.till.device) == SPENT
    assert kept_for(chain, kiosk) == {}
    assert chain.server.store.tenant().written_off == SPENT
    settle(two)
    whole = balance(second, kiosk.member_id) // 100 * 100
    hold = two.hold(kiosk.member_id, whole, today(second))
    assert hold is not None, "others may spend it again"
    known: Hold | None = chain.server.store.hold(hold)
    assert known is not None


def test_a_right_to_a_members_points_ends_with_a_merge(kiosk: Kiosk) -> None:
    """The restore is on its way while head office merges: it comes to the survivor, kept for the till."""
    chain = Chain(budget=0)
    ada = kiosk.enrol(ProfileInput("Ada Byron", "13900001234")).result.member_id
    exchange, sale = spent(kiosk, chain, ada)
    chain.cut = True
    kiosk.undo(sale)
    assert rights(kiosk) == [SPENT]
    assert chain.server.merge(ada, kiosk.member_id, chain.now_ms)
    sell_to(kiosk, ada, redeem=200)
    chain.cut = False
    settle(exchange)
    assert rights(kiosk) == []
    nobody_won(chain, kiosk)
