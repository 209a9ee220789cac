"""What the open API shows: members with what they have, pages of a ledger, stores and tills."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.domain.entries import POINTS
from app.protocol.hlc import stamp
from app.protocol.limits import Limits
from app.protocol.profiles import erase, take_cells
from app.protocol.server import Server
from app.protocol.wire import Cell
from headoffice.office import wall_ms
from tests.headoffice.api_office import (
    CARD,
    MAIL,
    NAME,
    PHONE,
    VALUES,
    System,
    code_of,
    publish,
    system,
)
from tests.headoffice.console_browser import DEVICE, write_profile
from tests.headoffice.http_office import (
    ANNA,
    BELA,
    Served,
    begin_chain,
    opened,
    rows,
    served,
)


@pytest.fixture(scope="module")
def at(each_folder: Path) -> Iterator[Served]:
    """A chain whose Anna has 25 sales and a profile."""
    folder = each_folder
    begin_chain(folder)
    publish(folder)
    with served(folder) as made:
        till = made.till(1)
        till.earn(ANNA, 7, sales=25)
        till.earn(BELA, 5)
        till.sync()
        write_profile(
            folder, ANNA, name=NAME, phone=PHONE, card=CARD, email=MAIL, birthday="solar:1990-5-31"
        )
        write_profile(folder, BELA, phone=PHONE, name="Bela")
        yield made


@pytest.fixture(scope="module")
def shop(at: Served) -> Iterator[System]:
    """A system that may not see personal values."""
    with system(at, "stores:read", "members:read", "reports:read") as made:
        yield made


def test_a_member_is_told_with_points_expiry_and_tier(at: Served, shop: System) -> None:
    told = shop.get(f"/v1/members/{ANNA.hex()}")
    assert (told["balance"], told["available"], told["debt"]) == (175, 175, 0)
    on = at.tills[0].today.plus(300).iso()
    assert told["expiring"] == [{"on": on, "points": 175}]
    assert (told["tier"]["code"], told["tier"]["next_code"]) == ("regular", "silver")
    assert told["merged_from"] is None


def test_without_the_scope_personal_values_are_masked(shop: System) -> None:
    for path in (f"/v1/members/{ANNA.hex()}", f"/v1/members/{ANNA.hex()}/profile"):
        response = shop.ask("GET", path)
        assert response.json()["name"] == "陈*远"
        assert not [value for value in VALUES if value in response.text]
    found = shop.post("/v1/members/find", {"card": CARD}, 200)
    assert found["members"][0]["phone"] == "138 **** 6621"


def test_with_the_scope_they_are_told_whole_and_that_is_written_down(at: Served) -> None:
    with system(at, "members:read", "members:personal", name="crm") as crm:
        told = crm.get(f"/v1/members/{ANNA.hex()}/profile")
    assert [told[name] for name in ("name", "phone", "email", "card", "birthday")] == [
        NAME, PHONE, MAIL, CARD, "solar:1990-5-31",
    ]  # fmt: skip
    acts = rows(at.folder, "SELECT act, member_id, detail FROM console_audit ORDER BY number")
    assert acts[-1] == ("member_shown", ANNA, f"crm {crm.key[4:16]}")


@pytest.mark.parametrize("typed", [PHONE, "138 0000 6621", "13800006621"])
def test_a_phone_finds_everybody_who_has_it(shop: System, typed: str) -> None:
    found = shop.post("/v1/members/find", {"phone": typed}, 200)
    assert {each["id"] for each in found["members"]} == {ANNA.hex(), BELA.hex()}


@pytest.mark.parametrize("typed", ["1380000662", "6621", "nonsense", ""])
def test_a_part_of_a_phone_finds_nobody(shop: System, typed: str) -> None:
    assert shop.post("/v1/members/find", {"phone": typed}, 200) == {"members": []}


def test_somebody_is_looked_for_by_exactly_one_thing(shop: System) -> None:
    for body in ({}, {"phone": PHONE, "card": CARD}):
        assert code_of(shop.ask("POST", "/v1/members/find", body)) == "invalid"


def test_a_ledger_is_paged_whole_each_entry_once(shop: System) -> None:
    numbers = list[int]()
    cursor: str | None = ""
    while cursor is not None:
        page = shop.get(f"/v1/members/{ANNA.hex()}/ledger?limit=7{cursor}")
        numbers += [each["number"] for each in page["entries"]]
        cursor = None if page["next"] is None else f"&cursor={page['next']}"
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == 25
    assert (page["entries"][0]["asset"], page["entries"][0]["amount"]) == (POINTS, 7)


@pytest.mark.parametrize("cursor", ["x", "YzE", "Yzcxxxxxxxxxxxxxx", "____", "YzEAAAAAAAAAAAH"])
def test_a_cursor_that_is_none_of_ours_is_refused(shop: System, cursor: str) -> None:
    assert code_of(shop.ask("GET", f"/v1/members/{ANNA.hex()}/ledger?cursor={cursor}")) == "cursor"


def test_a_merged_member_is_told_as_who_they_are_now(at: Served, shop: System) -> None:
    cora, dora = b"cora" * 4, b"dora" * 4
    at.tills[0].earn(cora, 3)
    at.tills[0].earn(dora, 4)
    at.tills[0].sync()
    with opened(at.folder) as (store, _), store.writing():
        assert Server(store, Limits()).merge(cora, dora, at.clock())
    told = shop.get(f"/v1/members/{cora.hex()}")
    assert (told["id"], told["merged_from"], told["balance"]) == (dora.hex(), cora.hex(), 7)
    assert shop.get(f"/v1/members/{dora.hex()}")["merged_from"] is None
    assert shop.post("/v1/members/find", {"id": cora.hex()}, 200)["members"][0]["id"] == dora.hex()


def test_an_erased_person_is_gone(at: Served, shop: System) -> None:
    gone = b"gone" * 4
    at.tills[0].earn(gone, 3)
    at.tills[0].sync()
    with opened(at.folder) as (store, _), store.writing():
        erase(store, gone, "all")
    assert code_of(shop.ask("GET", f"/v1/members/{gone.hex()}")) == "erased"
    assert shop.post("/v1/members/find", {"id": gone.hex()}, 200) == {"members": []}
    assert code_of(shop.ask("GET", f"/v1/members/{b'nobody12'.hex() * 2}")) == "not_found"


def test_stores_and_tills_are_listed(at: Served, shop: System) -> None:
    stores = shop.get("/v1/stores")["stores"]
    assert [(each["name"], each["tills"]) for each in stores] == [("North", 1), ("South", 0)]
    tills = shop.get("/v1/tills")["tills"]
    assert [(each["name"], each["store"], each["standing"]) for each in tills] == [
        ("till 1", "North", "live")
    ]
    assert abs(tills[0]["heard_ms"] - at.clock()) < 60_000


def test_the_description_and_its_page_are_for_everybody_and_without_a_script(at: Served) -> None:
    described = httpx.get(f"{at.url}/admin/openapi.json")
    assert described.json()["openapi"].startswith("3.1")
    page = httpx.get(f"{at.url}/admin/")
    assert (page.status_code, "<script" in page.text, "http" in page.text) == (200, False, False)
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    for path in described.json()["paths"]:
        assert f"/admin{path}" in page.text


def test_a_number_is_found_whole_whoever_had_it_before_and_however_many_begin_so(
    at: Served, shop: System
) -> None:
    wanted, now_ms = "88", wall_ms()
    with opened(at.folder) as (store, _), store.writing():
        for number in range(210):
            member, longer = bytes([7, number]) * 8, f"{wanted}000{number:03}"
            cells = [
                Cell(member, "card", value, stamp(0, now_ms - age), DEVICE)
                for value, age in ((wanted, 10), (longer, 5))
            ]
            for cell in cells:
                take_cells(store, [cell], "all", now_ms)
    write_profile(at.folder, BELA, card=wanted)
    found = shop.post("/v1/members/find", {"card": wanted}, 200)["members"]
    assert [each["id"] for each in found] == [BELA.hex()]
