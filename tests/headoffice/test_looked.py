"""Tills ask a real head office for members by number: both databases, what is kept of it, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.business_day import BusinessDate
from app.protocol.card_leases import CardsRequest
from app.protocol.visiting import leave
from app.protocol.wire import LookReply, LookRequest, NotAMessage, SaleRequest
from app.queries.search import search
from app.sync.exchange import Exchange
from app.sync.looking_up import LookingUp
from app.usecases.enrol import ProfileInput
from headoffice.http import RATES
from tests.app.chain import settle
from tests.app.joined import balance, sell_to, sound
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.headoffice.counters import let_in, lines, office, second, till
from tests.headoffice.http_office import Served, begin_chain, opened, rows, served, wait_for

__all__ = ["kiosk", "lines", "made_template", "office", "second", "template", "till"]

PHONE = "13912340077"


@pytest.fixture
def asking(second: Kiosk) -> Iterator[LookingUp]:
    found = LookingUp(second.ctx)
    yield found
    found.close()


@pytest.mark.usefixtures("each_store")
def test_a_member_comes_by_phone_and_that_it_was_asked_is_kept_without_the_number(
    till: Kiosk, second: Kiosk, office: Served, lines: list[Exchange], asking: LookingUp
) -> None:
    one = let_in(till, office, lines)
    two = let_in(second, office, lines, "till 1", "South")
    settle(two)
    member = till.enrol(ProfileInput("周未到", PHONE)).result.member_id
    sell_to(till, member, 10000)
    settle(one)
    assert asking.find("13912340078") == 0
    assert asking.find(PHONE) == 1
    assert [hit.member_id for hit in search(second.ctx, PHONE).hits] == [member]
    assert balance(second, member) == balance(till, member)
    settle(two)
    sound(second)
    kept = rows(office.folder, "SELECT device_id, field, found FROM till_look ORDER BY found")
    device = second.ctx.till.device
    assert [tuple(row) for row in kept] == [(device, "phone", 0), (device, "phone", 1)]
    assert not any(
        b"0077" in bytes(str(row), "utf-8")
        for row in rows(office.folder, "SELECT * FROM till_look")
    )


def test_a_till_that_asks_without_end_is_sent_away_and_trades_on(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with served(tmp_path, rates=RATES._replace(look_per_s=1e-6, look_burst=3)) as office:
        till = office.till()
        till.sync()
        control = till.at.store.control()
        at = (control.device, control.epoch, control.timeline)

        def ask(request: LookRequest | SaleRequest | CardsRequest) -> str:
            response = till.send(request)
            return "" if response.status == 200 else till.problem(response, request.rid)

        asked: list[LookRequest | SaleRequest | CardsRequest] = [
            LookRequest(till.rng.randbytes(16), *at, "card", "880000000018"),
            SaleRequest(till.rng.randbytes(16), *at, "01-000001-00000"),
            LookRequest(till.rng.randbytes(16), *at, "phone", "+8613912340077"),
            LookRequest(till.rng.randbytes(16), *at, "phone", "+8613912340078"),
            CardsRequest(till.rng.randbytes(16), *at, (), 0),
        ]
        assert [ask(each) for each in asked] == ["", "", "", "too_many", "too_many"]
        known = till.key.public_key()
        with pytest.raises(NotAMessage):  # It is a problem in the place of the answer.
            till.rotate(till.key)
        assert till.key.public_key() == known
        till.sync()


def test_the_answer_to_a_till_of_another_epoch_tells_nothing(office: Served) -> None:
    till = office.till()
    till.sync()
    control = till.at.store.control()
    request = LookRequest(
        till.rng.randbytes(16), control.device, control.epoch, control.timeline + 1, "phone", "+1"
    )
    assert till.reply(request) == LookReply(request.rid)


@pytest.mark.usefixtures("each_store")
def test_a_member_of_another_stores_bucket_comes_stays_fresh_and_leaves(
    till: Kiosk, second: Kiosk, tmp_path: Path, lines: list[Exchange], asking: LookingUp
) -> None:
    """Each store has a bucket of its own; a quiet till of the second store hears of its new bucket as well."""
    begin_chain(tmp_path)
    with opened(tmp_path) as (store, directory), store.writing():
        for shop in directory.shops():
            directory.put_shop(shop._replace(bucket=shop.name.lower()))
    with served(tmp_path) as office:
        one = let_in(till, office, lines)
        two = let_in(second, office, lines, "till 1", "South")
        beside = office.till(7, "South")
        settle(one, two)
        beside.sync()
        member = till.enrol(ProfileInput("周来访", PHONE)).result.member_id
        sell_to(till, member, 10000)
        settle(one, two)
        assert search(second.ctx, PHONE).hits == ()
        assert asking.find(PHONE) == 1
        settle(two)
        beside.sync()
        assert beside.at.store.base(member) is not None
        sell_to(till, member, 10000)
        settle(one, two)
        beside.sync()
        assert balance(second, member) == balance(till, member)
        sound(second)
        with opened(tmp_path) as (store, _), store.writing():
            known = store.member(member)
            assert known is not None
            assert [home for home, _ in known.visited] == ["south"]
            leave(store, member, BusinessDate(40_000), 90)

        def has_left() -> bool:
            """Head office notices another process's commit a moment later."""
            two.once()
            return not search(second.ctx, PHONE).hits

        wait_for(has_left)
        beside.sync()
        assert beside.at.store.base(member) is None
        sound(second)
