"""Tills of one chain: what one sells another shows, offline too, and points are spent by a right alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.entries import POINTS
from app.domain.errors import Refusal, Refused
from app.queries.members import member_panel, profile
from app.queries.search import index_visits, search
from app.usecases.enrol import ProfileInput
from app.usecases.owner_postings import Progress as Postings
from app.usecases.owner_postings import post_batch
from app.usecases.tidy import tidy
from db import head_office
from tests.app.chain import BUCKET, Chain, settle
from tests.app.joined import (
    GENEROUS,
    balance,
    edit,
    kept_database,
    put_back,
    second,
    sell_to,
    sound,
    today,
)
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.app.offline_month import bounded, catch_up, trade, usable

__all__ = ["kiosk", "made_template", "second", "template"]


def test_the_idle_till_folds_a_member_of_another_till_from_head_offices_row(
    kiosk: Kiosk, second: Kiosk
) -> None:
    chain = Chain()
    one, two = chain.let_in(kiosk), chain.let_in(second)
    bob = second.enrol(ProfileInput("Bob Lee", "13900005678")).result.member_id
    sell_to(second, bob)
    settle(one, two)
    settle(one)
    for _ in range(2):
        sell_to(kiosk, bob)
        assert tidy(kiosk.ctx) == ()
        settle(one)


def test_a_till_that_joins_hands_its_journal_over(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    chain = Chain()
    before = balance(kiosk, kiosk.member_id)
    settle(chain.let_in(kiosk))
    known = chain.member(kiosk.member_id)
    assert known.state.balance(POINTS) == before == balance(kiosk, kiosk.member_id)
    assert {"name", "phone", "card", "joined", "birthday"} <= set(known.cells)
    assert chain.server.store.tenant().overdrawn == 0
    sound(kiosk)


def test_a_member_of_one_till_is_found_and_sold_to_at_another(kiosk: Kiosk, second: Kiosk) -> None:
    kiosk.quote_and_sell()
    chain = Chain()
    one, two = chain.let_in(kiosk), chain.let_in(second)
    settle(one, two)
    while index_visits(second.ctx):
        pass
    assert kiosk.member_id in {hit.member_id for hit in search(second.ctx, "陈思远").hits}
    had = balance(second, kiosk.member_id)
    assert had == balance(kiosk, kiosk.member_id) > 0
    sell_to(second, kiosk.member_id)
    assert balance(second, kiosk.member_id) == 2 * had
    assert balance(kiosk, kiosk.member_id) == had, "nothing was told yet"
    settle(two, one)
    assert balance(kiosk, kiosk.member_id) == 2 * had
    assert chain.member(kiosk.member_id).state.balance(POINTS) == 2 * had
    sound(kiosk, second)


def test_own_sales_stay_on_top_until_head_office_has_them(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    settle(exchange)
    chain.cut = True
    for _ in range(3):
        kiosk.quote_and_sell()
    shown = balance(kiosk, kiosk.member_id)
    heard = exchange.once()
    assert heard is not None
    assert heard.why == "gone"
    chain.cut, chain.lost = False, 2  # head office takes them, its answers never come
    for _ in range(2):
        lost = exchange.once()
        assert lost is not None
        assert lost.why == "gone"
    assert chain.member(kiosk.member_id).state.balance(POINTS) == shown
    settle(exchange)
    assert (
        balance(kiosk, kiosk.member_id)
        == shown
        == chain.member(kiosk.member_id).state.balance(POINTS)
    )
    sound(kiosk)


def test_points_are_spent_by_a_hold_while_head_office_answers(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    chain = Chain(budget=0)
    exchange = chain.let_in(kiosk)
    settle(exchange)
    hold = exchange.hold(kiosk.member_id, 200, today(kiosk))
    assert hold is not None
    sell_to(kiosk, kiosk.member_id, redeem=200, hold=hold)
    settle(exchange)
    tenant = chain.server.store.tenant()
    assert (tenant.overdrawn, tenant.lost) == (0, 0)
    assert dict(chain.member(kiosk.member_id).reserved) == {}
    sound(kiosk)


def test_without_head_office_and_without_a_grant_no_points_go_out(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    chain = Chain(budget=0)
    exchange = chain.let_in(kiosk)
    settle(exchange)
    chain.cut = True
    assert exchange.hold(kiosk.member_id, 200, today(kiosk)) is None
    with pytest.raises(Refused) as refused:
        sell_to(kiosk, kiosk.member_id, redeem=200)
    assert refused.value.code is Refusal.POINTS_NO_RIGHT
    sell_to(kiosk, kiosk.member_id)  # the sale itself never waits for anybody


def test_offline_a_till_spends_up_to_its_grant_and_no_further(kiosk: Kiosk, second: Kiosk) -> None:
    for _ in range(4):
        kiosk.quote_and_sell(90000)
    chain = Chain(budget=1000, limits=GENEROUS)
    one, two = chain.let_in(kiosk), chain.let_in(second)
    settle(one, two)
    chain.cut = True
    sell_to(kiosk, kiosk.member_id, 90000, redeem=300)
    with pytest.raises(Refused):  # 500 of one member at most
        sell_to(kiosk, kiosk.member_id, 90000, redeem=300)
    sell_to(kiosk, kiosk.member_id, 90000, redeem=200)
    chain.cut = False
    settle(one, two)
    tenant = chain.server.store.tenant()
    assert tenant.overdrawn + tenant.left <= 1000
    assert tenant.lost == 0
    assert balance(second, kiosk.member_id) == balance(kiosk, kiosk.member_id)
    sound(kiosk, second)


def test_a_hold_that_nobody_answers_is_let_go(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    chain = Chain()
    exchange = chain.let_in(kiosk)
    settle(exchange)
    chain.lost = 1  # it is granted, and the till never hears of it
    assert exchange.hold(kiosk.member_id, 200, today(kiosk)) is None
    assert sum(chain.member(kiosk.member_id).reserved.values()) == 200
    settle(exchange)
    assert dict(chain.member(kiosk.member_id).reserved) == {}


def test_a_return_here_of_a_sale_of_before_gives_the_same_at_head_office(kiosk: Kiosk) -> None:
    sale = kiosk.quote_and_sell(5000, quantity=3).result
    chain = Chain()
    exchange = chain.let_in(kiosk)
    settle(exchange)
    kiosk.take_back(sale.event_id)
    back = kiosk.take_back(sale.event_id).result
    kiosk.undo(back.event_id)
    kiosk.take_back(sale.event_id)
    kiosk.take_back(sale.event_id)
    settle(exchange)
    assert (
        chain.member(kiosk.member_id).state.balance(POINTS) == 0 == balance(kiosk, kiosk.member_id)
    )
    sound(kiosk)


def test_a_spent_sale_is_voided_and_its_points_come_back_everywhere(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    chain = Chain()
    exchange = chain.let_in(kiosk)
    settle(exchange)
    had = balance(kiosk, kiosk.member_id)
    hold = exchange.hold(kiosk.member_id, 200, today(kiosk))
    sale = sell_to(kiosk, kiosk.member_id, redeem=200, hold=hold)
    settle(exchange)
    kiosk.undo(sale)
    settle(exchange)
    assert (
        chain.member(kiosk.member_id).state.balance(POINTS)
        == had
        == balance(kiosk, kiosk.member_id)
    )
    sound(kiosk)


def test_who_enrols_here_is_known_there_and_an_edit_there_comes_back(
    kiosk: Kiosk, second: Kiosk
) -> None:
    chain = Chain()
    one, two = chain.let_in(kiosk), chain.let_in(second)
    settle(one, two)
    ada = kiosk.enrol(ProfileInput("Ada Byron", "13900001234")).result
    settle(one, two)
    seen = profile(second.ctx, ada.member_id)
    assert (seen.name, seen.service_consent, seen.marketing_consent) == ("Ada Byron", True, False)
    assert member_panel(second.ctx, ada.member_id).card_no == ada.card_no
    edit(second, ada.member_id, "Ada Lovelace")
    settle(two, one)
    assert profile(kiosk.ctx, ada.member_id).name == "Ada Lovelace"
    sound(kiosk, second)


def test_nothing_is_booked_by_a_till_that_has_a_head_office(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    chain = Chain()
    settle(chain.let_in(kiosk))
    kiosk.end_shift()
    kiosk.clock.now += timedelta(days=800)
    events = len(kiosk.events())
    assert post_batch(kiosk.ctx, Postings(today(kiosk), None)).finished
    assert len(kiosk.events()) == events


def test_after_a_start_the_till_goes_on_where_it_was(kiosk: Kiosk) -> None:
    chain = Chain()
    settle(chain.let_in(kiosk))
    kiosk.quote_and_sell()
    kiosk.crash()
    kiosk.open()
    exchange = chain.exchange(kiosk)
    settle(exchange)
    assert (
        chain.member(kiosk.member_id).state.balance(POINTS) == balance(kiosk, kiosk.member_id) > 0
    )
    sound(kiosk)


def test_a_database_that_lost_events_gives_its_rights_up(kiosk: Kiosk) -> None:
    """Its journal file has them; what was granted after them is unknown."""
    kiosk.quote_and_sell()
    chain = Chain(limits=GENEROUS)
    exchange = chain.let_in(kiosk)
    settle(exchange)
    kept = kept_database(kiosk)
    kiosk.quote_and_sell()
    exchange = chain.exchange(kiosk)
    settle(exchange)
    put_back(kiosk, kept)
    exchange = chain.exchange(kiosk)
    settle(exchange)
    device = chain.server.store.device(kiosk.ctx.till.device)
    assert device is not None
    assert (device.place.epoch, device.fenced) == (2, True)
    assert chain.member(kiosk.member_id).state.balance(POINTS) == balance(kiosk, kiosk.member_id)
    assert chain.server.store.tenant().lost == 0
    sound(kiosk)


def test_who_enrolled_in_what_was_lost_is_known_to_head_office_by_name(kiosk: Kiosk) -> None:
    """The journal file brings the event back, the profile file the person; neither knows what was told."""
    chain = Chain()
    settle(chain.let_in(kiosk))
    kept = kept_database(kiosk)
    ada = kiosk.enrol(ProfileInput("Ada Byron", "13900001234")).result
    put_back(kiosk, kept)
    settle(chain.exchange(kiosk))
    cells = chain.member(ada.member_id).cells
    assert (cells["name"].value, cells["phone"].value) == ("Ada Byron", "+8613900001234")
    sound(kiosk)


def test_a_month_without_a_line_loses_nothing_and_doubles_nothing(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    chain.lease(31)
    settle(exchange)
    members = trade(kiosk, chain, exchange, days=30, sales_a_day=50)
    way = catch_up(kiosk, chain, exchange, members)
    assert way.waiting > 30 * 50
    bounded(way)
    usable(way)


def test_a_withdrawn_consent_counts_everywhere(kiosk: Kiosk, second: Kiosk) -> None:
    from app.usecases.enrol import EditProfile, edit_profile

    chain = Chain()
    one, two = chain.let_in(kiosk), chain.let_in(second)
    settle(one, two)
    for at, given, line in ((kiosk, True, one), (second, False, two)):
        seen = profile(at.ctx, kiosk.member_id)
        edit_profile(
            at.ctx,
            EditProfile(
                at.ctx.ids(), at.session, kiosk.member_id, seen.version, ProfileInput(seen.name),
                True, given, frozenset({"phone", "email", "birthday"}),
            ),
        )  # fmt: skip
        assert profile(at.ctx, kiosk.member_id).marketing_consent is given
        settle(line)
        settle(one, two)
    assert profile(kiosk.ctx, kiosk.member_id).marketing_consent is False
    sound(kiosk, second)


def test_a_person_who_is_erased_is_gone_from_every_file_and_the_ledger_stands(
    kiosk: Kiosk, second: Kiosk
) -> None:
    chain = Chain()
    one, two = chain.let_in(kiosk), chain.let_in(second)
    ada = kiosk.enrol(ProfileInput("Ada Byron", "13900001234")).result.member_id
    sell_to(kiosk, ada, 5000)
    settle(one, two)
    chain.server.erase(ada, BUCKET)
    settle(one, two)
    for till in (kiosk, second):
        assert not [cell for _, cell in till.ctx.profiles.cells() if b"Ada" in cell]
        with pytest.raises(Refused):
            profile(till.ctx, ada)
        while index_visits(till.ctx):
            pass
        assert search(till.ctx, "Ada").hits == ()
    assert balance(kiosk, ada) == 50
    sell_to(kiosk, ada, 5000)
    settle(one, two)
    assert chain.member(ada).state.balance(POINTS) == 100
    sound(kiosk, second)


def test_merged_members_are_sold_to_and_voided_as_the_survivor_counts(
    kiosk: Kiosk, second: Kiosk
) -> None:
    chain = Chain()
    one, two = chain.let_in(kiosk), chain.let_in(second)
    ada = kiosk.enrol(ProfileInput("Ada Byron", "13900001234")).result.member_id
    sell_to(kiosk, ada, 5000)
    settle(one, two)
    sale = sell_to(kiosk, ada, 9900)  # on its way while the two are merged
    assert chain.server.merge(ada, kiosk.member_id, chain.now_ms)
    settle(one, two)
    sound(kiosk, second)
    kiosk.undo(sale)
    sell_to(second, ada, 5000)
    settle(one, two)
    total = chain.member(kiosk.member_id).state.balance(POINTS)
    assert total == balance(kiosk, kiosk.member_id) == balance(second, kiosk.member_id)
    sound(kiosk, second)


def test_members_who_are_two_again_have_their_points_names_and_cards_again(
    kiosk: Kiosk, second: Kiosk
) -> None:
    chain = Chain()
    one, two = chain.let_in(kiosk), chain.let_in(second)
    ada = kiosk.enrol(ProfileInput("Ada Byron", "13900001234")).result.member_id
    eve = kiosk.enrol(ProfileInput("Eve Moss", "13900005678")).result.member_id
    sell_to(kiosk, ada, 5000)
    sell_to(kiosk, eve, 9900)
    settle(one, two)
    card = member_panel(second.ctx, ada).card_no
    assert chain.server.merge(ada, eve, chain.now_ms)
    settle(one, two)
    sell_to(second, ada, 2000)
    settle(one, two)
    assert chain.server.unmerge(ada, chain.now_ms) is not None
    settle(one, two)
    for till in (kiosk, second):
        assert (balance(till, ada), balance(till, eve)) == (70, 99), "sold to her meanwhile too"
        assert profile(till.ctx, ada).name == "Ada Byron"
        assert profile(till.ctx, eve).name == "Eve Moss"
        assert card is not None
        assert member_panel(till.ctx, ada).card_no == card != member_panel(till.ctx, eve).card_no
    sound(kiosk, second)


def test_a_start_that_brings_events_back_sells_on_at_once(kiosk: Kiosk) -> None:
    """Before anybody has asked head office."""
    chain = Chain()
    settle(chain.let_in(kiosk))
    kept = kept_database(kiosk)
    kiosk.quote_and_sell()
    put_back(kiosk, kept)
    kiosk.quote_and_sell()
    settle(chain.exchange(kiosk))
    assert chain.member(kiosk.member_id).state.balance(POINTS) == balance(kiosk, kiosk.member_id)
    sound(kiosk)


def test_a_database_of_before_the_joining_spends_nothing_and_owns_nothing(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    kept = kept_database(kiosk)
    chain = Chain()
    settle(chain.let_in(kiosk))
    put_back(kiosk, kept)
    with kiosk.ctx.read() as conn:
        assert not kiosk.ctx.owns_ledger(conn)
    with pytest.raises(Refused) as refused:
        sell_to(kiosk, kiosk.member_id, redeem=200)
    assert refused.value.code is Refusal.POINTS_NO_RIGHT
    sell_to(kiosk, kiosk.member_id)


def test_rows_that_name_each_other_lead_to_one_member(kiosk: Kiosk) -> None:
    ada, eve = bytes(15) + b"a", bytes(15) + b"e"
    with kiosk.ctx.write(kiosk.ctx.ids()) as tx:
        for member, alias in ((ada, eve), (eve, ada)):
            head_office.put_bases(tx.conn, [head_office.BaseRow(member, 0, 0, alias, b"")])
        found = [head_office.survivor(tx.conn, each) for each in (eve, ada)]
    assert found == [ada, ada]
