"""Members that other systems write: enrolled, changed, asked for consent; and each only once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.numbers import card_number
from app.protocol.card_leases import Block, CardsRequest
from app.protocol.wire import MemberRow
from tests.headoffice.api_office import MAIL, NAME, PHONE, System, code_of, system
from tests.headoffice.http_office import TENANT, Served, begin_chain, opened, rows, served

CARD = card_number("8800", 12447)


@pytest.fixture(scope="module")
def at(each_folder: Path) -> Iterator[Served]:
    """A chain with one till."""
    folder = each_folder
    begin_chain(folder)
    with served(folder) as made:
        made.till(1).sync()
        yield made


@pytest.fixture(scope="module")
def shop(at: Served) -> Iterator[System]:
    """A system that may see and write members."""
    with system(at, "stores:read", "members:read", "members:personal", "members:write") as made:
        yield made


def person(shop: System, phone: str, **more: Any) -> dict[str, Any]:
    """An enrolment."""
    store = shop.get("/v1/stores")["stores"][0]["id"]
    return {"store": store, "name": NAME, "phone": phone, "service_notice": "2026-11", **more}


def test_an_enrolled_member_is_there_with_fields_and_consents(shop: System) -> None:
    body = person(shop, PHONE, email=MAIL, card=CARD, marketing_notice="2026-11")
    body["birthday"] = {"calendar": "lunar", "month": 8, "day": 15}
    member = shop.post("/v1/members", body)["id"]
    told = shop.get(f"/v1/members/{member}/profile")
    assert (told["name"], told["phone"], told["email"], told["birthday"]) == (
        NAME, PHONE, MAIL, "lunar:-8-15",
    )  # fmt: skip
    assert {(each["purpose"], each["decision"]) for each in told["consents"]} == {
        ("service", "given"), ("marketing", "given"),
    }  # fmt: skip


def test_a_birthday_is_changed_by_the_day_alone(shop: System) -> None:
    member = shop.post("/v1/members", person(shop, "+8613800000098"))["id"]
    read = shop.ask("GET", f"/v1/members/{member}/profile")
    changed = {"birthday": {"month": 6, "day": 13}}
    told = shop.ask(
        "PATCH", f"/v1/members/{member}/profile", changed, if_match=read.headers["etag"]
    ).json()
    assert told["birthday"] == "solar:-6-13"
    assert told["phone"] == "+8613800000098"


def test_tills_hear_of_an_enrolment_by_their_feed(at: Served, shop: System) -> None:
    member = shop.post("/v1/members", person(shop, "+8613800000001"))["id"]
    reply = at.tills[0].exchange()
    found = [row for row in reply.rows if isinstance(row, MemberRow) and row.member.hex() == member]  # type: ignore[union-attr]  # a reply to a poll has rows
    fields = {cell.field: cell.value for cell in found[0].cells}
    assert fields["phone"] == "+8613800000001"
    assert fields["joined"] == str(int(at.tills[0].today))


def test_no_event_holds_a_personal_value(at: Served, shop: System) -> None:
    member = shop.post("/v1/members", person(shop, "+8613800000002"))["id"]
    changed = {"name": "Somebody Else", "phone": "+8613800000003"}
    tag = shop.ask("GET", f"/v1/members/{member}/profile").headers["etag"]
    shop.ask("PATCH", f"/v1/members/{member}/profile", changed, if_match=tag)
    bodies = b"".join(row[0] for row in rows(at.folder, "SELECT body FROM event"))
    for value in (NAME, "Somebody", "13800000002", "13800000003"):
        assert value.encode() not in bodies


def test_the_same_request_again_enrols_nobody_twice(at: Served, shop: System) -> None:
    body = person(shop, "+8613800000004")
    before = len(rows(at.folder, "SELECT event_id FROM event"))
    first = shop.ask("POST", "/v1/members", body, again="one")
    second = shop.ask("POST", "/v1/members", body, again="one")
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert second.headers["idempotency-replayed"] == "true"
    assert len(rows(at.folder, "SELECT event_id FROM event")) == before + 1


def test_many_at_once_with_one_key_enrol_one(shop: System) -> None:
    body = person(shop, "+8613800000005")
    with ThreadPoolExecutor(8) as pool:
        tries = [pool.submit(shop.post, "/v1/members", body, again="crowd") for _ in range(16)]
        assert len({each.result()["id"] for each in tries}) == 1


def test_another_body_under_the_same_key_is_refused(shop: System) -> None:
    shop.post("/v1/members", person(shop, "+8613800000006"), again="two")
    other = shop.ask("POST", "/v1/members", person(shop, "+8613800000007"), again="two")
    assert (other.status_code, code_of(other)) == (422, "idempotency_key_reused")


def test_keys_of_another_system_are_its_own(at: Served, shop: System) -> None:
    ours = shop.post("/v1/members", person(shop, "+8613800000008"), again="three")
    with system(at, name="other") as other:
        theirs = other.post("/v1/members", person(other, "+8613800000009"), again="three")
    assert theirs["id"] != ours["id"]


def test_a_write_without_a_key_is_refused(shop: System) -> None:
    headers = {"authorization": f"Bearer {shop.key}"}
    response = shop.client.post("/v1/members", json=person(shop, "+8613800000010"), headers=headers)
    assert code_of(response) == "idempotency_key_missing"
    for strange in ("", "a b", "x" * 65, "é"):
        headers["idempotency-key"] = strange.encode().decode("latin-1")
        sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        response = shop.client.post(
            "/v1/members", json=person(shop, "+8613800000010"), headers=sent
        )
        assert code_of(response) == "invalid"


def test_what_was_refused_may_be_tried_again_with_the_same_key(shop: System) -> None:
    body = person(shop, "+8613800000011")
    shop.post("/v1/members", body)
    assert code_of(shop.ask("POST", "/v1/members", body, again="again")) == "conflict"
    shop.post("/v1/members", {**body, "allow_same_phone": True}, again="again")


def test_a_card_is_one_members_even_where_two_come_at_once(shop: System) -> None:
    bodies = [person(shop, f"+86138000001{n:02}", card=card_number("9900", 1)) for n in range(12)]
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda body: shop.ask("POST", "/v1/members", body), bodies))
    assert sorted(each.status_code for each in found) == [201] + [409] * 11


@pytest.mark.parametrize(
    ("card", "why"),
    [
        ("my card", "string_pattern_mismatch"),
        ("88000012447", "string_pattern_mismatch"),
        ("8800001244700", "string_pattern_mismatch"),
        ("880000124471", "check_digit"),
        (card_number("89000000", 1), "given_out_by_tills"),
        (card_number("8877", 10), "given_out_by_tills"),
        (card_number("8877", 500), "given_out_by_tills"),
    ],
)
def test_a_card_is_a_number_as_tills_make_them_and_none_that_one_may_give_out(
    at: Served, shop: System, card: str, why: str
) -> None:
    till = at.tills[0]
    block, control = Block("8877", 10, 500), till.at.store.control()
    till.reply(CardsRequest(till.rng.randbytes(16), till.device, 1, control.timeline, (block,), 0))
    response = shop.ask("POST", "/v1/members", person(shop, "+8613800000094", card=card))
    assert response.status_code == 422
    assert response.json()["errors"] == [
        {"in": "body", "pointer": "#/card", "name": "card", "why": why}
    ]


def test_a_card_beside_the_tills_blocks_is_taken(shop: System) -> None:
    for phone, number in (("+8613800000095", 9), ("+8613800000096", 501)):
        shop.post("/v1/members", person(shop, phone, card=card_number("8877", number)))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"phone": "123"}, "phone_invalid"),
        ({"name": "　"}, "name_needed"),
        ({"email": "nobody"}, "email_invalid"),
        ({"birthday": {"month": 2, "day": 30}}, "birthday_invalid"),
    ],
)
def test_the_rules_say_no_with_their_own_code(
    shop: System, wrong: dict[str, Any], why: str
) -> None:
    response = shop.ask("POST", "/v1/members", {**person(shop, "+8613800000012"), **wrong})
    assert (code_of(response), response.json()["reason"]) == ("refused", why)


def test_a_store_of_nobody_or_of_another_chain_is_not_found(at: Served, shop: System) -> None:
    body = {**person(shop, "+8613800000013"), "store": "ab" * 16}
    assert code_of(shop.ask("POST", "/v1/members", body)) == "not_found"


def test_a_profile_is_changed_only_by_who_has_read_it(shop: System) -> None:
    member = shop.post("/v1/members", person(shop, "+8613800000014"))["id"]
    path = f"/v1/members/{member}/profile"
    assert code_of(shop.ask("PATCH", path, {"email": MAIL})) == "if_match_missing"
    tag = shop.ask("GET", path).headers["etag"]
    changed = shop.ask("PATCH", path, {"email": MAIL}, if_match=tag)
    assert (changed.status_code, changed.json()["email"]) == (200, MAIL)
    late = shop.ask("PATCH", path, {"email": None}, if_match=tag)
    assert (late.status_code, code_of(late)) == (412, "changed")
    cleared = shop.ask("PATCH", path, {"email": None}, if_match=changed.headers["etag"])
    assert (cleared.json()["email"], cleared.json()["phone"]) == (None, "+8613800000014")


def test_a_withdrawal_stands_against_a_yes_of_the_same_day(shop: System) -> None:
    member = shop.post("/v1/members", person(shop, "+8613800000099"))["id"]
    path = f"/v1/members/{member}/consents/marketing"

    def decision(given: bool) -> str:
        body = {"channel": "any", "given": given, "notice": "2026-11"}
        told = shop.ask("PUT", path, body).json()["consents"]
        return next(str(each["decision"]) for each in told if each["purpose"] == "marketing")

    assert [decision(False), decision(True), decision(False), decision(True)] == [
        "not_given", "given", "withdrawn", "withdrawn",
    ]  # fmt: skip


def test_changing_nothing_writes_nothing(at: Served, shop: System) -> None:
    member = shop.post("/v1/members", person(shop, "+8613800000016"))["id"]
    path = f"/v1/members/{member}/profile"
    tag = shop.ask("GET", path).headers["etag"]
    before = len(rows(at.folder, "SELECT event_id FROM event"))
    again = shop.ask("PATCH", path, {"name": NAME}, if_match=tag)
    assert again.headers["etag"] == tag
    assert len(rows(at.folder, "SELECT event_id FROM event")) == before


def test_what_it_writes_stands_in_a_chain_of_its_own(at: Served, shop: System) -> None:
    key = at.office.api_keys[shop.key[4:16]]
    with opened(at.folder) as (store, _), store.reading():
        device = store.device(key.device)
        assert device is not None
        links = [store.link(key.device, 1, seq) for seq in range(1, device.place.seq + 1)]
    assert device.place.seq == len([each for each in links if each is not None]) > 10
    assert rows(at.folder, "SELECT count(*) FROM event WHERE standing = 'quarantined'") == [(0,)]
    assert key.tenant == TENANT
