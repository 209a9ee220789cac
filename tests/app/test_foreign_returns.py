"""Returns of another till's sale: found by its number, kept for one till at a time, proved by the journal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from app.domain.documents import ReturnedLine
from app.domain.entries import POINTS
from app.domain.errors import Outage, Refusal, Refused, Unavailable
from app.domain.returns import kept_units
from app.queries.counter import slip_preview
from app.queries.drawer import shifts_on
from app.sync.exchange import Exchange
from app.sync.returns import Returns
from app.usecases.enrol import ProfileInput
from app.usecases.return_goods import (
    foreign_on_screen,
    preview_foreign,
    return_goods,
    sale_to_return,
)
from db import rows
from tests.app.chain import BUCKET, Chain, settle
from tests.app.foreign import ONE, command, number_of, on_of, take_back
from tests.app.joined import balance, kept_database, put_back, second, sell_to, sound
from tests.app.kiosk import Kiosk, Template, kiosk, made_template, other_till, template

__all__ = ["kiosk", "made_template", "second", "template"]

PRICE = 16000


class Two(NamedTuple):
    """Two tills of a chain: the one that sold, and another one that takes back."""

    chain: Chain
    sold_at: Kiosk
    here: Kiosk
    exchanges: tuple[Exchange, Exchange]
    asking: Returns

    def settle(self) -> None:
        settle(*self.exchanges)


@pytest.fixture
def two(kiosk: Kiosk, second: Kiosk) -> Two:
    chain = Chain()
    exchanges = (chain.let_in(kiosk), chain.let_in(second))
    settle(*exchanges)
    return Two(chain, kiosk, second, exchanges, chain.returns(second))


class Third(NamedTuple):
    """One more till of that chain."""

    at: Kiosk
    exchange: Exchange
    asking: Returns


@pytest.fixture
def third(two: Two, template: Template, tmp_path: Path) -> Iterator[Third]:
    at = other_till(template, tmp_path / "third", "03")
    exchange = two.chain.let_in(at)
    settle(exchange, *two.exchanges)
    yield Third(at, exchange, two.chain.returns(at))
    at.close()


def sold(two: Two, *, quantity: int = 1, redeem: int = 0, member: bool = True) -> str:
    """A sale at the other till that head office has; its number."""
    made = two.sold_at.quote_and_sell(PRICE, quantity=quantity, redeem=redeem, member=member)
    two.settle()
    return made.result.receipt_no


def refused(code: Refusal) -> pytest.RaisesExc[Refused]:
    return pytest.RaisesExc(Refused, check=lambda error: error.code is code)


def open_holds(two: Two) -> int:
    devices = two.chain.server.store.devices()
    return sum(len(two.chain.server.store.open_holds(device.id)) for device in devices)


def test_a_sale_of_another_till_comes_back_here_and_everybody_knows(two: Two) -> None:
    member = two.sold_at.member_id
    before = balance(two.sold_at, member)
    number = sold(two)
    assert balance(two.here, member) > before
    done = take_back(two.here, two.asking, number).result
    assert done.refund_minor == PRICE
    assert balance(two.here, member) == before == done.balance
    two.settle()
    assert balance(two.sold_at, member) == before
    assert two.chain.member(member).state.balance(POINTS) == before
    assert open_holds(two) == 0
    sound(two.sold_at, two.here)


def test_points_go_back_to_the_lots_that_they_came_from(two: Two) -> None:
    member = two.sold_at.member_id
    sold(two, quantity=2)
    lots = two.chain.member(member).state.lots
    hold = two.exchanges[0].hold(member, 200, on_of(two.sold_at))
    sale = sell_to(two.sold_at, member, redeem=200, hold=hold)
    two.settle()
    number = number_of(two.sold_at.ctx, sale)
    found = two.asking.find(number)
    quote, moves = preview_foreign(two.here.ctx, found, ONE)
    (back,) = [move for move in moves if move.entry.amount == 200]
    assert [(lot.points, lot.expires) for lot in back.lots] == [(200, lots[0].expires)]
    take_back(two.here, two.asking, number)
    two.settle()
    assert two.chain.member(member).state.lots == lots
    assert quote.balance_after == balance(two.here, member) == balance(two.sold_at, member)
    sound(two.sold_at, two.here)


@pytest.mark.parametrize("here", [True, False], ids=["elsewhere", "where it was sold"])
def test_they_do_after_a_merge_too(two: Two, here: bool) -> None:
    member = two.sold_at.member_id
    sold(two, quantity=2)
    lots = two.chain.member(member).state.lots
    hold = two.exchanges[0].hold(member, 200, on_of(two.sold_at))
    sale = sell_to(two.sold_at, member, redeem=200, hold=hold)
    other = two.here.enrol(ProfileInput("Bo Fischer", "13900008888")).result.member_id
    two.settle()
    assert two.chain.server.merge(member, other, two.chain.now_ms)
    two.settle()
    number = number_of(two.sold_at.ctx, sale)
    if here:
        take_back(two.here, two.asking, number)
    else:
        two.sold_at.take_back(sale)
    two.settle()
    held = two.chain.member(other).state.lots
    assert [(lot.remaining, lot.expires) for lot in held] == [
        (lot.remaining, lot.expires) for lot in lots
    ]
    assert balance(two.here, other) == balance(two.sold_at, other) == sum(x.remaining for x in lots)
    sound(two.sold_at, two.here)


def test_the_journal_holds_the_sale_and_the_slip_names_it(two: Two) -> None:
    number = sold(two)
    done = take_back(two.here, two.asking, number).result
    event = two.here.last_event()
    assert event.doc["original"]["receipt_no"] == number
    assert bytes.fromhex(event.doc["original"]["device"]) == two.sold_at.ctx.till.device
    slip = slip_preview(two.here.ctx, done.event_id)
    assert slip is not None
    assert number in slip
    two.here.reopen()
    sound(two.here)
    void = two.here.undo(done.event_id).result
    assert void.voided_no == done.receipt_no
    sound(two.here)


def test_a_lost_database_gets_the_return_back_from_the_journal_file(two: Two) -> None:
    number = sold(two)
    kept = kept_database(two.here)
    done = take_back(two.here, two.chain.returns(two.here), number).result
    shown = balance(two.here, two.sold_at.member_id)
    put_back(two.here, kept)
    with two.here.ctx.read() as conn:
        row = rows.document_by_event(conn, done.event_id)
    assert row is not None
    assert row.total_minor == -PRICE
    settle(two.chain.exchange(two.here), two.exchanges[0])
    assert (
        balance(two.here, two.sold_at.member_id)
        == shown
        == balance(two.sold_at, two.sold_at.member_id)
    )
    assert open_holds(two) == 0
    sound(two.here)


def test_part_here_and_the_rest_at_a_third_till_add_up_to_the_sale(two: Two, third: Third) -> None:
    member = two.sold_at.member_id
    before = balance(two.sold_at, member)
    number = sold(two, quantity=3)
    first = take_back(two.here, two.asking, number).result
    two.settle()
    settle(third.exchange)
    assert foreign_on_screen(third.asking.find(number)).kept == (2,)
    second = take_back(third.at, third.asking, number, (ReturnedLine(0, 2),)).result
    settle(third.exchange, *two.exchanges)
    assert first.refund_minor + second.refund_minor == 3 * PRICE
    assert {balance(at, member) for at in (two.sold_at, two.here, third.at)} == {before}
    assert foreign_on_screen(third.asking.find(number)).kept == (0,)
    sound(third.at, two.here)


def test_of_two_tills_at_once_the_second_is_told(two: Two, third: Third) -> None:
    number = sold(two)
    theirs, ours = third.asking.find(number), two.asking.find(number)
    hold = two.asking.reserve(ours, ONE, on_of(two.here))
    with refused(Refusal.RETURN_ELSEWHERE):
        third.asking.reserve(theirs, ONE, on_of(third.at))
    with refused(Refusal.RETURN_ELSEWHERE):
        third.asking.find(number)
    return_goods(two.here.ctx, command(two.here, ours, ONE, hold))
    two.settle()
    with refused(Refusal.RETURN_NOT_RESERVED):
        third.asking.reserve(theirs, ONE, on_of(third.at))
    settle(third.exchange)
    assert open_holds(two) == 0


def test_a_till_waits_while_another_one_takes_other_units_back(two: Two, third: Third) -> None:
    """What a unit's share is depends on what is left of all: a quote of before would be off by a point."""
    number = sold(two, quantity=2)
    theirs, ours = third.asking.find(number), two.asking.find(number)
    two.asking.reserve(ours, ONE, on_of(two.here))
    with refused(Refusal.RETURN_ELSEWHERE):
        third.asking.reserve(theirs, ONE, on_of(third.at))
    settle(third.exchange)
    assert open_holds(two) == 1


def test_what_came_back_meanwhile_asks_for_another_look(two: Two, third: Third) -> None:
    number = sold(two, quantity=3)
    found = two.asking.find(number)
    take_back(third.at, third.asking, number)
    settle(third.exchange)
    with refused(Refusal.RETURN_NOT_RESERVED):
        two.asking.reserve(found, ONE, on_of(two.here))
    two.settle()
    assert open_holds(two) == 0


def test_a_reply_that_is_lost_reserves_once(two: Two) -> None:
    number = sold(two, quantity=2)
    found = two.asking.find(number)
    two.chain.lost = 1
    with pytest.raises(Unavailable) as gone:
        two.asking.reserve(found, ONE, on_of(two.here))
    assert gone.value.code is Outage.RETURN_NEEDS_LINE
    top = two.here.last_event().seq
    hold = two.asking.reserve(found, ONE, on_of(two.here))
    assert open_holds(two) == 1
    assert two.here.last_event().seq == top, "the very hold that was asked for"
    return_goods(two.here.ctx, command(two.here, found, ONE, hold))
    two.settle()
    assert open_holds(two) == 0


def test_other_lines_take_the_place_of_what_was_kept_before(two: Two) -> None:
    number = sold(two, quantity=2)
    found = two.asking.find(number)
    two.asking.reserve(found, ONE, on_of(two.here))
    both = (ReturnedLine(0, 2),)
    hold = two.asking.reserve(found, both, on_of(two.here))
    assert open_holds(two) == 1
    done = return_goods(two.here.ctx, command(two.here, found, both, hold)).result
    assert done.refund_minor == 2 * PRICE
    two.settle()
    assert open_holds(two) == 0
    sound(two.here)


def test_a_till_that_dies_between_keeping_and_returning_lets_go_at_its_next_start(
    two: Two,
) -> None:
    number = sold(two)
    two.asking.reserve(two.asking.find(number), ONE, on_of(two.here))
    two.here.crash()
    two.here.open()
    assert open_holds(two) == 1
    settle(two.chain.exchange(two.here))
    assert open_holds(two) == 0
    done = take_back(two.here, two.chain.returns(two.here), number).result
    assert done.refund_minor == PRICE


def test_a_sheet_that_is_left_lets_go(two: Two) -> None:
    number = sold(two)
    found = two.asking.find(number)
    hold = two.asking.reserve(found, ONE, on_of(two.here))
    two.asking.let_go(found.event_id, on_of(two.here))
    with refused(Refusal.RETURN_NOT_RESERVED):
        return_goods(two.here.ctx, command(two.here, found, ONE, hold))
    two.settle()
    assert open_holds(two) == 0


def test_nothing_goes_out_without_a_line(two: Two) -> None:
    number = sold(two)
    found = two.asking.find(number)
    two.chain.cut = True
    for ask in (
        lambda: two.asking.find(number),
        lambda: two.asking.reserve(found, ONE, on_of(two.here)),
    ):
        with pytest.raises(Unavailable) as gone:
            ask()
        assert gone.value.code is Outage.RETURN_NEEDS_LINE
    top = two.here.last_event().seq
    with refused(Refusal.RETURN_NOT_RESERVED):
        return_goods(two.here.ctx, command(two.here, found, ONE, None))
    assert two.here.last_event().seq == top


def test_money_goes_out_for_the_very_units_that_are_kept(two: Two) -> None:
    number = sold(two, quantity=2)
    found = two.asking.find(number)
    hold = two.asking.reserve(found, ONE, on_of(two.here))
    with refused(Refusal.RETURN_NOT_RESERVED):
        return_goods(two.here.ctx, command(two.here, found, (ReturnedLine(0, 2),), hold))
    return_goods(two.here.ctx, command(two.here, found, ONE, hold))
    with refused(Refusal.RETURN_NOT_RESERVED):
        return_goods(two.here.ctx, command(two.here, found, ONE, hold))


def test_the_same_command_twice_is_one_return(two: Two) -> None:
    number = sold(two)
    found = two.asking.find(number)
    asked = command(two.here, found, ONE, two.asking.reserve(found, ONE, on_of(two.here)))
    first, again = return_goods(two.here.ctx, asked), return_goods(two.here.ctx, asked)
    assert again.again
    assert again.result == first.result


def test_own_returns_that_head_office_has_not_heard_of_count(two: Two) -> None:
    number = sold(two, quantity=3)
    done = take_back(two.here, two.asking, number).result
    found = two.asking.find(number)  # Nothing was sent since.
    assert foreign_on_screen(found).kept == (2,)
    two.here.undo(done.event_id)
    two.settle()
    assert foreign_on_screen(two.asking.find(number)).kept == (3,)
    again = take_back(two.here, two.asking, number).result
    two.settle()
    two.here.undo(again.event_id)  # Head office knows the return, and not yet its void.
    assert foreign_on_screen(two.asking.find(number)).kept == (3,)
    sound(two.here)


def test_a_voided_return_can_be_returned_again_elsewhere(two: Two) -> None:
    number = sold(two)
    two.here.undo(take_back(two.here, two.asking, number).result.event_id)
    two.settle()
    before = balance(two.sold_at, two.sold_at.member_id)
    two.sold_at.take_back(two.asking.find(number).event_id)
    two.settle()
    assert balance(two.here, two.sold_at.member_id) < before
    sound(two.sold_at, two.here)


def test_a_sale_that_its_till_voids_meanwhile_comes_back_once(two: Two) -> None:
    number = sold(two)
    found = two.asking.find(number)
    two.sold_at.undo(found.event_id)
    two.settle()
    with refused(Refusal.RETURN_NOT_RESERVED):
        two.asking.reserve(found, ONE, on_of(two.here))
    assert kept_units(found.document, (two.asking.find(number).back,)) == (0,)


def test_a_sale_without_a_member_comes_back_once_too(two: Two) -> None:
    number = sold(two, member=False)
    done = take_back(two.here, two.asking, number).result
    assert (done.refund_minor, done.balance) == (PRICE, None)
    two.settle()
    assert foreign_on_screen(two.asking.find(number)).kept == (0,)
    sound(two.here)


def test_a_number_that_nobody_has_or_that_has_not_come_is_said_to_be_unknown(two: Two) -> None:
    made = two.sold_at.quote_and_sell(PRICE).result
    with refused(Refusal.SALE_NOT_KNOWN):
        two.asking.find(made.receipt_no)


def test_a_merged_members_return_is_posted_to_who_goes_on_for_them(two: Two) -> None:
    number = sold(two)
    loser, winner = two.sold_at.member_id, two.here.member_id
    assert two.chain.server.merge(loser, winner, two.chain.now_ms)
    two.settle()
    had = two.chain.member(winner).state.balance(POINTS)
    done = take_back(two.here, two.asking, number).result
    assert done.balance is not None
    assert done.balance < had
    two.settle()
    assert two.chain.member(winner).state.balance(POINTS) == done.balance
    assert two.here.last_event().seq
    sound(two.here)


def test_a_forgotten_members_sale_is_returned_where_it_was_made(two: Two) -> None:
    number = sold(two)
    two.chain.server.erase(two.sold_at.member_id, BUCKET)
    with refused(Refusal.SALE_MEMBER_GONE):
        two.asking.find(number)


def test_the_slip_of_such_a_return_leads_to_the_sale_again(two: Two) -> None:
    number = sold(two, quantity=2)
    done = take_back(two.here, two.asking, number).result
    with pytest.raises(Refused) as elsewhere:
        sale_to_return(two.here.ctx, done.event_id)
    assert elsewhere.value.code is Refusal.SALE_ELSEWHERE
    assert elsewhere.value.facts["number"] == number


def test_the_refund_leaves_this_tills_drawer(two: Two) -> None:
    number = sold(two)
    take_back(two.here, two.asking, number)
    two.here.end_shift()
    (shift,) = shifts_on(two.here.ctx, on_of(two.here))
    assert shift.sums is not None
    assert shift.sums.expected_minor == 50000 - PRICE


def test_a_changed_quote_is_shown_before_it_is_paid(two: Two) -> None:
    number = sold(two)
    found = two.asking.find(number)
    hold = two.asking.reserve(found, ONE, on_of(two.here))
    asked = command(two.here, found, ONE, hold)
    with refused(Refusal.QUOTE_CHANGED):
        return_goods(two.here.ctx, replace(asked, refund_minor=1))
    return_goods(two.here.ctx, asked)
