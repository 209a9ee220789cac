"""Points that other systems move: orders that earn and spend, holds, refunds, spends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.domain.documents_plain import sale_from_plain
from app.domain.fold import fold
from app.domain.programme_plain import programme_from_plain
from app.domain.recount import recount
from app.domain.state import EMPTY as NOTHING
from app.protocol.events import instant_of
from app.protocol.facts import read
from app.protocol.profiles import erase
from app.protocol.wire import MemberRow
from tests.headoffice.api_office import NAME, System, code_of, publish, system, written
from tests.headoffice.http_office import (
    OFFSET_MINUTES,
    Served,
    begin_chain,
    opened,
    rows,
    served,
)

EMPTY = b"U" * 16
LINES = [
    {"unit_price_minor": 12_345, "quantity": 3, "item": "tea"},
    {"unit_price_minor": 999, "name": "cup"},
]
TOTAL = 3 * 12_345 + 999


@pytest.fixture(scope="module")
def at(each_folder: Path) -> Iterator[Served]:
    """A chain with a programme, and one without."""
    folder = each_folder
    begin_chain(folder)
    begin_chain(folder, tenant=EMPTY, shops=("Elsewhere",))
    publish(folder)
    with served(folder) as made:
        made.till(1).sync()
        yield made


@pytest.fixture(scope="module")
def shop(at: Served) -> Iterator[System]:
    """A web shop."""
    with system(at, "stores:read", "members:read", "members:write", "points:write") as made:
        yield made


def member_of(shop: System, points: int = 0) -> str:
    """A new member, with points that may be spent."""
    store = shop.get("/v1/stores")["stores"][0]["id"]
    body = {"store": store, "name": NAME, "service_notice": "2026-11"}
    member = str(shop.post("/v1/members", body)["id"])
    while points:
        some = min(points, 3_000)
        till = shop.at.tills[0]
        till.earn(bytes.fromhex(member), some)
        till.sync()
        points -= some
    return member


def cart(shop: System, member: str, **more: Any) -> dict[str, Any]:
    """An order of LINES."""
    store = shop.get("/v1/stores")["stores"][0]["id"]
    return {"store": store, "member": member, "lines": LINES, **more}


def figures(at: Served) -> tuple[int, int]:
    """D and F of the chain."""
    return rows(at.folder, "SELECT overdrawn, lost FROM tenant")[0][:2]


def test_an_order_earns_what_its_quote_said(shop: System) -> None:
    member = member_of(shop)
    quoted = shop.post("/v1/quotes", cart(shop, member), 200)
    assert (quoted["to_pay_minor"], quoted["points_earned"]) == (TOTAL, TOTAL // 100)
    key = {name: quoted[name] for name in ("points_spent", "to_pay_minor", "points_earned")}
    key["programme_version"] = quoted["programme_version"]
    made = shop.post("/v1/orders", cart(shop, member, quote=key))
    assert (made["points_earned"], made["balance"]) == (TOTAL // 100, TOTAL // 100)
    assert shop.get(f"/v1/members/{member}")["balance"] == TOTAL // 100
    order = shop.get(f"/v1/orders/{made['id']}")
    assert [(line["quantity"], line["kept"]) for line in order["lines"]] == [(3, 3), (1, 1)]


def test_head_office_works_an_order_out_again_without_a_difference(
    at: Served, shop: System
) -> None:
    member = member_of(shop, 5_000)
    made = shop.post("/v1/orders", cart(shop, member, redeem_points=1_000))
    event = dict(rows(at.folder, "SELECT event_id, body FROM event"))[bytes.fromhex(made["id"])]
    plain = json.loads(event)
    body = rows(at.folder, "SELECT body FROM reference_set WHERE key LIKE 'programme:%'")[0][0]
    local = instant_of(plain["at"])
    minute = (local.hour * 60 + local.minute + OFFSET_MINUTES) % 1440
    entries = [posting.entry for posting in read(event).postings]
    document = sale_from_plain(plain["doc"]["sale"])
    assert recount(document, entries, programme_from_plain(json.loads(body)), minute) == ()
    assert plain["doc"]["system"] == "shop"


def test_a_till_hears_of_an_order_by_its_feed(at: Served, shop: System) -> None:
    member = member_of(shop)
    shop.post("/v1/orders", cart(shop, member))
    reply = at.tills[0].exchange()
    found = [row for row in getattr(reply, "rows", ()) if isinstance(row, MemberRow)]
    assert [row.state.balance() for row in found if row.member.hex() == member] == [TOTAL // 100]


def test_points_pay_in_one_step_and_nothing_stays_reserved(at: Served, shop: System) -> None:
    member = member_of(shop, 3_000)
    made = shop.post("/v1/orders", cart(shop, member, redeem_points=1_000))
    assert (made["points_spent"], made["to_pay_minor"]) == (1_000, TOTAL - 1_000)
    told = shop.get(f"/v1/members/{member}")
    assert (told["balance"], told["reserved"]) == (2_000 + made["points_earned"], 0)
    assert figures(at) == (0, 0)


def test_a_hold_keeps_points_and_its_order_frees_the_rest(at: Served, shop: System) -> None:
    member = member_of(shop, 3_000)
    hold = shop.post("/v1/holds", {"member": member, "points": 2_500})
    told = shop.get(f"/v1/members/{member}")
    assert (told["available"], told["reserved"]) == (500, 2_500)
    too_many = shop.ask("POST", "/v1/spends", {"member": member, "points": 501})
    assert code_of(too_many) == "points_reserved"
    refused = shop.ask("POST", "/v1/orders", cart(shop, member, redeem_points=1_000))
    assert refused.json()["reason"] == "redeem_above_available"
    shop.post("/v1/orders", cart(shop, member, redeem_points=1_000, hold=hold["id"]))
    told = shop.get(f"/v1/members/{member}")
    assert (told["reserved"], shop.get(f"/v1/holds/{hold['id']}")["standing"]) == (0, "captured")
    again = shop.ask("POST", "/v1/spends", {"member": member, "points": 100, "hold": hold["id"]})
    assert (code_of(again), again.json()["standing"]) == ("conflict", "captured")
    assert figures(at) == (0, 0)


def test_a_void_hold_is_free_again_and_stays_void(shop: System) -> None:
    member = member_of(shop, 3_000)
    hold = shop.post("/v1/holds", {"member": member, "points": 2_500})["id"]
    assert hold in [each["id"] for each in shop.get("/v1/holds")["holds"]]
    for _ in range(2):
        assert shop.post(f"/v1/holds/{hold}/void", None, 200)["standing"] == "void"
    assert shop.get(f"/v1/members/{member}")["available"] == 3_000
    late = shop.ask("POST", "/v1/spends", {"member": member, "points": 100, "hold": hold})
    assert code_of(late) == "conflict"
    assert hold not in [each["id"] for each in shop.get("/v1/holds")["holds"]]


def test_a_captured_hold_is_not_voided(shop: System) -> None:
    member = member_of(shop, 3_000)
    hold = shop.post("/v1/holds", {"member": member, "points": 500})["id"]
    shop.post("/v1/spends", {"member": member, "points": 200, "hold": hold})
    assert code_of(shop.ask("POST", f"/v1/holds/{hold}/void")) == "conflict"
    assert shop.get(f"/v1/members/{member}")["available"] == 2_800


def test_a_hold_is_its_systems_and_its_members_alone(at: Served, shop: System) -> None:
    member, other = member_of(shop, 3_000), member_of(shop, 3_000)
    hold = shop.post("/v1/holds", {"member": member, "points": 500})["id"]
    wrong = shop.ask("POST", "/v1/spends", {"member": other, "points": 100, "hold": hold})
    assert code_of(wrong) == "conflict"
    more = shop.ask("POST", "/v1/spends", {"member": member, "points": 501, "hold": hold})
    assert code_of(more) == "conflict"
    with system(at, name="thief") as thief:
        assert code_of(thief.ask("GET", f"/v1/holds/{hold}")) == "not_found"
        assert code_of(thief.ask("POST", f"/v1/holds/{hold}/void")) == "not_found"
        body = {"member": member, "points": 100, "hold": hold}
        assert code_of(thief.ask("POST", "/v1/spends", body)) == "not_found"
    with system(at) as same_name:
        assert same_name.post(f"/v1/holds/{hold}/void", None, 200)["standing"] == "void"


def test_many_at_once_spend_no_point_twice(at: Served, shop: System) -> None:
    member = member_of(shop, 1_000)
    with ThreadPoolExecutor(12) as pool:
        body = {"member": member, "points": 150}
        found = list(pool.map(lambda _: shop.ask("POST", "/v1/spends", body), range(12)))
    assert sorted(each.status_code for each in found) == [201] * 6 + [409] * 6
    assert shop.get(f"/v1/members/{member}")["balance"] == 100
    assert figures(at) == (0, 0)


def test_a_till_that_holds_points_and_the_shop_do_not_meet(at: Served, shop: System) -> None:
    member = member_of(shop, 1_000)
    till = at.tills[0]
    reply = till.reply(till.hold(bytes.fromhex(member), 800))
    assert getattr(reply, "granted", False)
    assert (
        code_of(shop.ask("POST", "/v1/spends", {"member": member, "points": 201}))
        == "points_reserved"
    )
    shop.post("/v1/spends", {"member": member, "points": 200})


def test_a_quote_that_changed_is_refused_with_the_new_one(shop: System) -> None:
    member = member_of(shop)
    old = {"points_spent": 0, "to_pay_minor": TOTAL, "points_earned": 1, "programme_version": 1001}
    response = shop.ask("POST", "/v1/orders", cart(shop, member, quote=old))
    assert (code_of(response), response.json()["reason"]) == ("refused", "quote_changed")
    assert response.json()["facts"]["points_earned"] == TOTAL // 100
    assert shop.get(f"/v1/members/{member}")["balance"] == 0


def test_an_order_that_comes_again_earns_once(shop: System) -> None:
    member = member_of(shop)
    body = cart(shop, member)
    made = [
        shop.post("/v1/orders", body, again=f"order of {member}".replace(" ", "-"))
        for _ in range(3)
    ]
    assert len({json.dumps(each) for each in made}) == 1
    assert shop.get(f"/v1/members/{member}")["balance"] == TOTAL // 100


@pytest.mark.parametrize(
    "tenders",
    [
        [{"kind": "cash", "amount_minor": TOTAL - 1}],
        [{"kind": "cash", "amount_minor": TOTAL}, {"kind": "qr", "amount_minor": 1}],
    ],
)
def test_tenders_are_exactly_what_is_to_pay(shop: System, tenders: list[dict[str, Any]]) -> None:
    member = member_of(shop)
    response = shop.ask("POST", "/v1/orders", cart(shop, member, tenders=tenders))
    assert response.json()["reason"] == "tender_mismatch"
    two = [{"kind": "cash", "amount_minor": 1_000}, {"kind": "qr", "amount_minor": TOTAL - 1_000}]
    assert shop.post("/v1/orders", cart(shop, member, tenders=two))["to_pay_minor"] == TOTAL


def test_any_way_of_partial_refunds_gives_back_what_one_refund_does(
    at: Served, shop: System
) -> None:
    sums = []
    for steps in ([[(0, 3), (1, 1)]], [[(0, 1)], [(0, 1), (1, 1)], [(0, 1)]], [[(1, 1)], [(0, 3)]]):
        member = member_of(shop, 3_000)
        order = shop.post("/v1/orders", cart(shop, member, redeem_points=1_000))["id"]
        back = [
            shop.post(
                f"/v1/orders/{order}/refunds",
                {"lines": [{"line": line, "quantity": count} for line, count in step]},
            )
            for step in steps
        ]
        names = ("refund_minor", "points_taken_back", "points_restored")
        sums.append([sum(each[name] for each in back) for name in names])
        assert shop.get(f"/v1/members/{member}")["balance"] == 3_000
        assert {line["kept"] for line in shop.get(f"/v1/orders/{order}")["lines"]} == {0}
    assert sums == [[TOTAL - 1_000, (TOTAL - 1_000) // 100, 1_000]] * 3
    assert figures(at) == (0, 0)


def test_nothing_is_returned_twice_even_by_many_at_once(shop: System) -> None:
    member = member_of(shop)
    order = shop.post("/v1/orders", cart(shop, member))["id"]
    body = {"lines": [{"line": 0, "quantity": 2}]}
    with ThreadPoolExecutor(6) as pool:
        found = list(
            pool.map(lambda _: shop.ask("POST", f"/v1/orders/{order}/refunds", body), range(6))
        )
    assert sorted(each.status_code for each in found) == [201] + [409] * 5
    assert {each.json().get("reason") for each in found} == {None, "return_too_many"}


def test_lines_that_a_till_has_reserved_are_not_returned_here(at: Served, shop: System) -> None:
    member = member_of(shop)
    order = shop.post("/v1/orders", cart(shop, member))["id"]
    till = at.tills[0]
    request = till.at.till.ask_return(bytes.fromhex(order), ((0, 2),), till.today, till.rng)
    assert request is not None
    assert getattr(till.reply(request), "granted", False)
    two = shop.ask("POST", f"/v1/orders/{order}/refunds", {"lines": [{"line": 0, "quantity": 2}]})
    assert (code_of(two), two.json()["what"]) == ("conflict", "lines")
    shop.post(f"/v1/orders/{order}/refunds", {"lines": [{"line": 0, "quantity": 1}]})


def test_a_sale_of_a_till_goes_back_at_a_till(at: Served, shop: System) -> None:
    member = member_of(shop, 100)
    sold = rows(at.folder, "SELECT member_id, event_id FROM ledger")
    sale = next(event.hex() for each, event in sold if each == bytes.fromhex(member))
    lines = {"lines": [{"line": 0, "quantity": 1}]}
    assert code_of(shop.ask("POST", f"/v1/orders/{sale}/refunds", lines)) == "not_found"
    assert code_of(shop.ask("GET", f"/v1/orders/{sale}")) == "not_found"


def test_a_spend_comes_back_in_parts_and_never_more_than_it_was(shop: System) -> None:
    member = member_of(shop, 1_000)
    spend = shop.post("/v1/spends", {"member": member, "points": 300})
    assert spend["balance"] == 700
    back = shop.post(f"/v1/spends/{spend['id']}/reversals", {"points": 120})
    assert (back["left"], back["balance"]) == (180, 820)
    more = shop.ask("POST", f"/v1/spends/{spend['id']}/reversals", {"points": 181})
    assert (code_of(more), more.json()["left"]) == ("conflict", 180)
    assert shop.post(f"/v1/spends/{spend['id']}/reversals", {"points": 180})["balance"] == 1_000
    told = shop.get(f"/v1/members/{member}")
    assert (told["available"], len(told["expiring"])) == (1_000, 1)


def test_an_order_may_be_of_another_day_within_five_weeks(at: Served, shop: System) -> None:
    member, today = member_of(shop), at.tills[0].today
    ago = today.plus(-35).iso()
    assert shop.post("/v1/orders", cart(shop, member, business_date=ago))["business_date"] == ago
    for wrong in (today.plus(-37).iso(), today.plus(1).iso(), "2026-02-30", "0000-00-00"):
        response = shop.ask("POST", "/v1/orders", cart(shop, member, business_date=wrong))
        assert code_of(response) == "invalid", wrong


def test_a_chain_without_a_programme_takes_no_orders_but_holds_and_spends(at: Served) -> None:
    with system(at, tenant=EMPTY) as made:
        member = member_of_other(made)
        assert code_of(made.ask("POST", "/v1/orders", cart(made, member))) == "no_programme"
        assert code_of(made.ask("POST", "/v1/quotes", cart(made, member))) == "no_programme"
        refused = made.ask("POST", "/v1/holds", {"member": member, "points": 5})
        assert code_of(refused) == "points_reserved"


def member_of_other(made: System) -> str:
    store = made.get("/v1/stores")["stores"][0]["id"]
    return str(
        made.post("/v1/members", {"store": store, "name": NAME, "service_notice": "1"})["id"]
    )


def test_a_refused_order_leaves_nothing_behind(at: Served, shop: System) -> None:
    member = member_of(shop, 3_000)
    before = [
        len(rows(at.folder, f"SELECT 1 FROM {table}")) for table in ("event", "hold", "ledger")
    ]
    for wrong in (
        {"redeem_points": 150},
        {"redeem_points": 10**9},
        {"redeem_points": 1_000, "tenders": [{"kind": "qr", "amount_minor": 1}]},
    ):
        assert shop.ask("POST", "/v1/orders", cart(shop, member, **wrong)).status_code == 409
    after = [
        len(rows(at.folder, f"SELECT 1 FROM {table}")) for table in ("event", "hold", "ledger")
    ]
    assert before == after


def test_what_the_fold_says_is_what_was_kept(at: Served, shop: System) -> None:
    shop.post("/v1/orders", cart(shop, member_of(shop, 3_000), redeem_points=1_000))
    with opened(at.folder) as (store, _), store.reading():
        members = list(store.members())
        assert members
        for member in members:
            known = store.member(member)
            assert known is not None
            assert fold(NOTHING, store.ledger(member)) == known.state


def test_somebody_who_was_erased_can_still_return_but_buys_and_spends_nothing(
    at: Served, shop: System
) -> None:
    member = member_of(shop, 3_000)
    spend = shop.post("/v1/spends", {"member": member, "points": 300})["id"]
    order = shop.post("/v1/orders", cart(shop, member, redeem_points=1_000))
    held = shop.post("/v1/holds", {"member": member, "points": 10})["id"]
    written(at, lambda store: erase(store, bytes.fromhex(member), "all"))
    before = rows(at.folder, "SELECT count(*) FROM event")
    for path, body in (
        ("spends", {"member": member, "points": 1}),
        ("holds", {"member": member, "points": 1}),
        ("orders", cart(shop, member)),
        ("orders", cart(shop, member, redeem_points=10, hold=held)),
    ):
        assert code_of(shop.ask("POST", f"/v1/{path}", body)) == "erased"
    assert rows(at.folder, "SELECT count(*) FROM event") == before
    back = shop.post(f"/v1/spends/{spend}/reversals", {"points": 100})
    assert back["balance"] == order["balance"] + 100
    lines = {"lines": [{"line": 0, "quantity": 3}, {"line": 1, "quantity": 1}]}
    back = shop.post(f"/v1/orders/{order['id']}/refunds", lines)
    assert (back["points_restored"], back["points_taken_back"], back["balance"]) == (
        1_000, order["points_earned"], 2_800,
    )  # fmt: skip
    assert code_of(shop.ask("GET", f"/v1/members/{member}")) == "erased"
