"""Another till's sale over real HTTP: its number is found in either database, its lines go to one till, and the
figures between stores follow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from app.domain.errors import Refusal, Refused
from app.sync.exchange import Exchange
from app.sync.returns import Returns
from headoffice import receipts, settlement
from tests.app.chain import settle
from tests.app.foreign import ONE, number_of, on_of, take_back
from tests.app.joined import balance, sell_to, sound
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.headoffice.counters import let_in, lines, office, second, till
from tests.headoffice.http_office import TENANT, Served, database_of, rows, wait_for
from tests.headoffice.test_alarms import standing

__all__ = ["kiosk", "lines", "made_template", "office", "second", "template", "till"]

PRICE = 16000


@pytest.fixture
def asking(second: Kiosk) -> Iterator[Returns]:
    found = Returns(second.ctx)
    yield found
    found.close()


@pytest.mark.usefixtures("each_store")
def test_a_sale_of_one_store_comes_back_in_another(
    till: Kiosk, second: Kiosk, office: Served, lines: list[Exchange], asking: Returns
) -> None:
    one = let_in(till, office, lines)
    two = let_in(second, office, lines, "till 1", "South")
    sell_to(till, till.member_id, 2 * PRICE)
    settle(one, two)
    earned = balance(second, till.member_id)
    hold = one.hold(till.member_id, 200, on_of(till))
    number = number_of(till.ctx, sell_to(till, till.member_id, PRICE, redeem=200, hold=hold))
    settle(one, two)
    before, on = balance(second, till.member_id), on_of(till)
    wait_for(lambda: _settled(office, on) == 200)
    done = take_back(second, asking, number).result
    assert done.refund_minor == PRICE - 200
    assert before != balance(second, till.member_id) == earned
    settle(two, one)
    assert balance(till, till.member_id) == earned
    wait_for(lambda: _settled(office, on) == 0)
    with pytest.raises(Refused) as gone:
        asking.reserve(asking.find(number), ONE, on)
    assert gone.value.code is Refusal.RETURN_NOT_RESERVED
    sound(till, second)


def _settled(office: Served, on: object) -> int:
    """Points that were spent and did not come back."""
    with contextlib.closing(database_of(office.folder)) as database, database.of(TENANT):
        found = settlement.report(database, TENANT, on, on)  # type: ignore[arg-type]
    return sum(each.points for each in found)


@pytest.mark.usefixtures("each_store")
def test_a_number_is_found_once_it_came_and_is_this_chains_alone(
    till: Kiosk, second: Kiosk, office: Served, lines: list[Exchange], asking: Returns
) -> None:
    one = let_in(till, office, lines)
    settle(let_in(second, office, lines, "till 2"))
    sale = till.quote_and_sell(PRICE, member=False).result
    with pytest.raises(Refused) as unknown:
        asking.find(sale.receipt_no)
    assert unknown.value.code is Refusal.SALE_NOT_KNOWN
    settle(one)
    assert asking.find(sale.receipt_no).event_id == sale.event_id
    with contextlib.closing(database_of(office.folder)) as database, database.of(TENANT):
        assert receipts.find(database, b"U" * 16, sale.receipt_no) == []


def test_two_sales_of_one_number_are_told_from_none(
    till: Kiosk, second: Kiosk, office: Served, lines: list[Exchange], asking: Returns
) -> None:
    one = let_in(till, office, lines)
    settle(let_in(second, office, lines, "till 2"))
    sold = [till.quote_and_sell(PRICE, member=False).result for _ in range(2)]
    settle(one)
    wait_for(lambda: len(rows(office.folder, "SELECT receipt_no FROM receipt")) == 2)
    with contextlib.closing(database_of(office.folder)) as database:
        store = database.store(TENANT)
        with store.writing():
            database.run(
                "UPDATE receipt SET receipt_no = ? WHERE event_id = ?",
                (sold[0].receipt_no, sold[1].event_id),
            )
    with pytest.raises(Refused) as several:
        asking.find(sold[0].receipt_no)
    assert several.value.code is Refusal.SALE_AMBIGUOUS


@pytest.mark.usefixtures("each_store")
def test_what_came_back_twice_is_flagged_for_somebody_to_ask_after(
    till: Kiosk, second: Kiosk, office: Served, lines: list[Exchange], asking: Returns
) -> None:
    """The till that sold took it back offline, and so did another one with head office's yes."""
    one = let_in(till, office, lines)
    two = let_in(second, office, lines, "till 2")
    sold = [till.quote_and_sell(PRICE, member=with_member).result for with_member in (True, False)]
    settle(one, two)
    had = balance(second, till.member_id)
    for sale in sold:
        till.take_back(sale.event_id)
        take_back(second, asking, sale.receipt_no)
    settle(one, two)
    flags = "SELECT what, claimed, ours, member_id FROM recount_flag ORDER BY member_id"
    wait_for(lambda: len(rows(office.folder, flags)) == 2)
    assert [tuple(row) for row in rows(office.folder, flags)] == [
        ("returned_twice", 2, 1, bytes(16)), ("returned_twice", 2, 1, till.member_id),
    ]  # fmt: skip
    office.clock.moved_ms += 6_000
    wait_for(lambda: "return.over" in dict(standing(office)))
    alarmed = "SELECT count(*) FROM alarm WHERE kind = 'return.over'"
    assert rows(office.folder, alarmed) == [(1,)], "two sales, one alarm"
    settle(one, two)
    earned = sold[0].document.points_earned
    assert balance(till, till.member_id) == balance(second, till.member_id) == had - earned
    sound(till, second)
