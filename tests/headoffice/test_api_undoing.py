"""Orders that another system undoes whole, and sales of tills whose goods it takes back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.documents import ReturnedLine
from app.domain.errors import Refusal, Refused
from app.sync.exchange import Exchange
from app.sync.returns import Returns
from tests.app.chain import settle
from tests.app.foreign import ONE, number_of, on_of
from tests.app.joined import balance, sell_to, sound
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.headoffice.api_office import System, code_of, publish, system
from tests.headoffice.counters import let_in, lines, office, till
from tests.headoffice.http_office import (
    TENANT,
    Served,
    begin_chain,
    database_of,
    opened,
    rows,
    served,
    wait_for,
)
from tests.headoffice.test_api_orders import cart, figures, member_of

__all__ = ["kiosk", "lines", "made_template", "office", "template", "till"]

PRICE = 16_000
SCOPES = ("stores:read", "members:read", "members:write", "points:write", "sales:refund")


@pytest.fixture(scope="module")
def at(each_folder: Path) -> Iterator[Served]:
    """A chain with a programme, on either database."""
    begin_chain(each_folder)
    publish(each_folder)
    with served(each_folder) as made:
        made.till(1).sync()
        yield made


@pytest.fixture(scope="module")
def shop(at: Served) -> Iterator[System]:
    """A web shop."""
    with system(at, *SCOPES) as made:
        yield made


def lots_of(at: Served, member: str) -> tuple[Any, ...]:
    """What the ledger says of a member: lots, measures and tiers, not in which order they came."""
    with opened(at.folder) as (store, _), store.reading():
        known = store.member(bytes.fromhex(member))
    assert known is not None
    lots = tuple((lot.origin, lot.expires, lot.remaining) for lot in known.state.lots)
    return lots, known.state.days and known.state.days[-1].spend, known.state.standing


def refused(shop: System, order: str) -> str:
    """The rule by which an order is not undone."""
    answer = shop.ask("POST", f"/v1/orders/{order}/void", {})
    assert code_of(answer) == "refused", answer.text
    return str(answer.json()["reason"])


# Voids -------------------------------------------------------------------------------------------


def test_a_void_puts_everything_back_as_it_was(at: Served, shop: System) -> None:
    member = member_of(shop, 3_000)
    shop.post("/v1/orders", cart(shop, member))
    before = lots_of(at, member)
    order = shop.post("/v1/orders", cart(shop, member, redeem_points=1_000))
    assert lots_of(at, member) != before
    void = shop.post(f"/v1/orders/{order['id']}/void", {"reason": "wrong_item"}, again="void-1")
    assert (void["points_taken_back"], void["points_restored"]) == (order["points_earned"], 1_000)
    assert (void["refund_minor"], void["charged_minor"]) == (order["to_pay_minor"], 0)
    assert lots_of(at, member) == before
    assert [line["kept"] for line in shop.get(f"/v1/orders/{order['id']}")["lines"]] == [0, 0]
    again = shop.ask(
        "POST", f"/v1/orders/{order['id']}/void", {"reason": "wrong_item"}, again="void-1"
    )
    assert again.json() == void
    assert again.headers["idempotency-replayed"] == "true"
    assert figures(at) == (0, 0)
    wait_for(lambda: _looked_at(at, void["id"]))
    flagged = [row[0].hex() for row in rows(at.folder, "SELECT event_id FROM recount_flag")]
    assert not {order["id"], void["id"]} & set(flagged)
    notes = rows(at.folder, "SELECT detail FROM console_audit WHERE act = 'api_points'")
    assert notes[-1][0].endswith(" void")


def _looked_at(at: Served, event: str) -> bool:
    """Whether head office has worked it out again."""
    chain = {
        row[2]: row[:2] for row in rows(at.folder, "SELECT device_id, seq, event_id FROM link")
    }
    device, seq = chain[bytes.fromhex(event)]
    places = dict(rows(at.folder, "SELECT device_id, seq FROM recount_place"))
    return bool(places.get(device, 0) >= seq)


def test_what_was_voided_or_came_back_is_not_undone_again(shop: System) -> None:
    member = member_of(shop)
    order = shop.post("/v1/orders", cart(shop, member))["id"]
    shop.post(f"/v1/orders/{order}/void", {})
    assert refused(shop, order) == "void_already"
    one = {"lines": [{"line": 0, "quantity": 1}]}
    back = shop.ask("POST", f"/v1/orders/{order}/refunds", one)
    assert (code_of(back), back.json()["reason"]) == ("refused", "return_nothing_left")
    order = shop.post("/v1/orders", cart(shop, member))["id"]
    shop.post(f"/v1/orders/{order}/refunds", one)
    assert refused(shop, order) == "void_later_return"


def test_an_order_of_another_day_or_system_is_returned_and_not_voided(
    at: Served, shop: System
) -> None:
    member, today = member_of(shop), at.tills[0].today
    old = shop.post("/v1/orders", cart(shop, member, business_date=today.plus(-1).iso()))["id"]
    assert refused(shop, old) == "void_day_closed"
    new = shop.post("/v1/orders", cart(shop, member))["id"]
    with system(at, *SCOPES, name="other") as other:
        assert refused(other, new) == "void_other_shift"


def test_lines_that_a_till_has_reserved_are_not_voided(at: Served, shop: System) -> None:
    order = shop.post("/v1/orders", cart(shop, member_of(shop)))["id"]
    till = at.tills[0]
    request = till.at.till.ask_return(bytes.fromhex(order), ((0, 2),), till.today, till.rng)
    assert request is not None
    assert getattr(till.reply(request), "granted", False)
    no = shop.ask("POST", f"/v1/orders/{order}/void", {})
    assert (code_of(no), no.json()["what"]) == ("conflict", "lines")


def test_points_that_were_spent_since_are_owed_and_not_lost(at: Served, shop: System) -> None:
    member = member_of(shop)
    order = shop.post("/v1/orders", cart(shop, member))
    earned = order["points_earned"]
    shop.post("/v1/spends", {"member": member, "points": earned})
    void = shop.post(f"/v1/orders/{order['id']}/void", {})
    assert void["points_taken_back"] == earned
    assert void["balance"] == -earned
    assert figures(at) == (0, 0)


# Sales of tills ----------------------------------------------------------------------------------


@pytest.fixture
def web(office: Served) -> Iterator[System]:
    publish(office.folder, guard={"earn_block_minutes": 0})
    with system(office, *SCOPES) as made:
        yield made


@pytest.mark.usefixtures("each_store")
def test_goods_of_a_tills_sale_come_back_in_the_web_shop_by_the_sales_own_shares(
    till: Kiosk, office: Served, lines: list[Exchange], web: System
) -> None:
    one = let_in(till, office, lines)
    sell_to(till, till.member_id, 2 * PRICE)
    settle(one)
    earned = balance(till, till.member_id)
    hold = one.hold(till.member_id, 200, on_of(till))
    number = number_of(till.ctx, sell_to(till, till.member_id, PRICE, redeem=200, hold=hold))
    settle(one)
    sale = web.get(f"/v1/receipts/{number.lower()}")
    assert (sale["receipt"], sale["member"]) == (number, till.member_id.hex())
    assert [(line["quantity"], line["kept"]) for line in sale["lines"]] == [(1, 1)]
    assert web.get(f"/v1/receipts/{sale['id']}") == sale
    lot = {"lines": [{"line": 0, "quantity": 1}], "reason": "faulty"}
    back = web.post(f"/v1/receipts/{number}/refunds", lot, again="back")
    assert (back["refund_minor"], back["points_restored"]) == (PRICE - 200, 200)
    assert (back["points_taken_back"], back["balance"]) == (sale["points_earned"], earned)
    assert web.post(f"/v1/receipts/{number}/refunds", lot, again="back") == back
    twice = web.ask("POST", f"/v1/receipts/{number}/refunds", lot)
    assert (code_of(twice), twice.json()["reason"]) == ("refused", "return_nothing_left")
    settle(one)
    assert balance(till, till.member_id) == earned
    wait_for(lambda: _looked_at(office, back["id"]))
    flagged = [bytes(row[0]) for row in rows(office.folder, "SELECT event_id FROM recount_flag")]
    assert bytes.fromhex(back["id"]) not in flagged
    sound(till)


def test_a_till_and_a_web_shop_never_both_take_a_unit_back(
    till: Kiosk, office: Served, lines: list[Exchange], web: System
) -> None:
    one = let_in(till, office, lines)
    numbers = [till.quote_and_sell(PRICE, member=False).result.receipt_no for _ in range(2)]
    settle(one)
    lot = {"lines": [{"line": 0, "quantity": 1}]}
    asking = Returns(till.ctx)
    try:
        first, second = (asking.find(number) for number in numbers)
        asking.reserve(first, ONE, on_of(till))
        no = web.ask("POST", f"/v1/receipts/{numbers[0]}/refunds", lot)
        assert (code_of(no), no.json()["what"]) == ("conflict", "lines")
        back = web.post(f"/v1/receipts/{numbers[1]}/refunds", lot)
        assert (back["member"], back["balance"], back["refund_minor"]) == (None, None, PRICE)
        with pytest.raises(Refused) as gone:
            asking.reserve(second, (ReturnedLine(0, 1),), on_of(till))
        assert gone.value.code is Refusal.RETURN_NOT_RESERVED
    finally:
        asking.close()


def test_a_receipt_that_nobody_knows_or_two_have_leads_nowhere(
    till: Kiosk, office: Served, lines: list[Exchange], web: System
) -> None:
    one = let_in(till, office, lines)
    sold = [till.quote_and_sell(PRICE, member=False).result for _ in range(2)]
    settle(one)
    assert code_of(web.ask("GET", "/v1/receipts/T1-000999-7KQ2M")) == "not_found"
    assert code_of(web.ask("GET", f"/v1/receipts/{'ab' * 16}")) == "not_found"
    wait_for(lambda: len(rows(office.folder, "SELECT receipt_no FROM receipt")) == 2)
    with (
        contextlib.closing(database_of(office.folder)) as database,
        database.store(TENANT).writing(),
    ):
        database.run(
            "UPDATE receipt SET receipt_no = ? WHERE event_id = ?",
            (sold[0].receipt_no, sold[1].event_id),
        )
    two = web.ask("GET", f"/v1/receipts/{sold[0].receipt_no}")
    assert (code_of(two), two.json()["what"]) == ("conflict", "receipt")
    assert json.loads(two.text)["status"] == 409
