"""Every operation of the description by every kind of key: what it lets in, and that no chain reads or writes
another's. Generated from the description, so an operation that is new is in it."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest

from app.protocol import endpoints
from headoffice.api.keys import SCOPES
from tests.headoffice.api_office import (
    CARD,
    MAIL,
    NAME,
    PHONE,
    System,
    end,
    key_for,
    publish,
    system,
)
from tests.headoffice.console_browser import write_profile
from tests.headoffice.http_office import (
    ANNA,
    PATHS,
    Served,
    begin_chain,
    rows,
    served,
    wait_for,
)

OTHER: Final = b"U" * 16
TABLES: Final = (
    "event", "ledger", "member", "hold", "cell", "webhook", "webhook_message", "alarm", "api_key",
    "api_answer", "sale_return", "reservation", "adjustment",
)  # fmt: skip
IDS: Final = ("member", "order", "hold", "spend", "webhook", "receipt", "adjustment")
Operation = tuple[str, str, str]
"""Method, path, scope."""


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two chains; the first has a member with values."""
    folder = tmp_path_factory.mktemp("office")
    begin_chain(folder)
    begin_chain(folder, tenant=OTHER, shops=("Elsewhere",))
    for tenant in (b"T" * 16, OTHER):
        publish(folder, tenant=tenant)
    with served(folder) as made:
        till = made.till(1)
        till.earn(ANNA, 3_000)
        till.sync()
        write_profile(folder, ANNA, name=NAME, phone=PHONE, card=CARD, email=MAIL)
        yield made


@pytest.fixture(scope="module")
def filled(at: Served) -> dict[str, dict[str, Any]]:
    """Of each operation a request that its own chain's key may make: values for the path and the body."""
    with system(at) as shop:
        store = shop.get("/v1/stores")["stores"][0]["id"]
        member = ANNA.hex()
        cart = {
            "store": store,
            "member": member,
            "lines": [{"unit_price_minor": 9_000, "quantity": 9}],
        }
        order = shop.post("/v1/orders", cart)["id"]
        hold = shop.post("/v1/holds", {"member": member, "points": 100})["id"]
        spend = shop.post("/v1/spends", {"member": member, "points": 100})["id"]
        hook = {"url": "http://127.0.0.1:9/", "events": ["tier.changed"]}
        webhook = shop.post("/v1/webhooks", hook)["id"]
        adjustment = {"points": 1, "reason": "goodwill", "note": "a parcel came late"}
        adjusted = shop.post(f"/v1/members/{member}/adjustments", adjustment)["id"]
    # Head office itself alarms what it works out again; it has done so before anything is compared.
    wait_for(lambda: bool(rows(at.folder, "SELECT kind FROM alarm", b"T" * 16)))
    ids = {"member": member, "order": order, "hold": hold, "spend": spend, "webhook": webhook}
    ids |= {"receipt": order, "adjustment": adjusted}
    person = {"store": store, "name": "New", "service_notice": "1"}
    bodies = {
        "POST /v1/members/find": {"phone": PHONE},
        "POST /v1/members": person,
        "PATCH /v1/members/{member}/profile": {"name": "Changed"},
        "PUT /v1/members/{member}/consents/{purpose}": {
            "channel": "any",
            "given": True,
            "notice": "1",
        },
        "POST /v1/quotes": cart,
        "POST /v1/orders": cart,
        "POST /v1/orders/{order}/refunds": {"lines": [{"line": 0, "quantity": 1}]},
        "POST /v1/members/{member}/adjustments": adjustment,
        "POST /v1/orders/{order}/void": {},
        "POST /v1/receipts/{receipt}/refunds": {"lines": [{"line": 0, "quantity": 1}]},
        "POST /v1/holds": {"member": member, "points": 1},
        "POST /v1/spends": {"member": member, "points": 1},
        "POST /v1/spends/{spend}/reversals": {"points": 1},
        "POST /v1/webhooks": hook,
    }
    return {"ids": {**ids, "purpose": "marketing"}, "bodies": bodies}


def operations(at: Served) -> list[Operation]:
    """All that the description has."""
    paths = httpx.get(f"{at.url}/admin/openapi.json").json()["paths"]
    return [
        (method.upper(), path, operation["security"][0]["key"][0])
        for path, each in paths.items()
        for method, operation in each.items()
    ]


def ask(made: System, operation: Operation, filled: dict[str, dict[str, Any]]) -> httpx.Response:
    """Make the request that would be right for the first chain."""
    method, path, _ = operation
    place = path.format(**filled["ids"])
    body = filled["bodies"].get(f"{method} {path}")
    return made.ask(method, place, body, if_match='"none"')


def standing(at: Served, tenant: bytes) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a chain that requests may change."""
    found = {}
    for table in TABLES:
        all_rows = rows(at.folder, f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4", tenant)
        found[table] = [row for row in all_rows if bytes(row[0]) == tenant]
    return found


def test_each_operation_lets_in_its_own_scope_alone(
    at: Served, filled: dict[str, dict[str, Any]]
) -> None:
    told = Counter[str]()
    every = operations(at)
    assert len(every) > 20
    with contextlib.ExitStack() as stack:
        # The scope that opens an operation is tried last: what it does, others have not to find undone.
        single = {
            scope: stack.enter_context(system(at, scope, name=scope.replace(":", "-")))
            for scope in SCOPES
        }
        for operation in every:
            for scope in sorted(SCOPES, key=lambda each: each == operation[2]):
                response = ask(single[scope], operation, filled)
                let_in = scope == operation[2]
                assert (response.status_code not in (401, 403)) == let_in, (operation, scope)
                assert response.status_code < 500, (operation, response.text)
                told["let in" if let_in else "403"] += 1
    print(f"{len(every)} operations by {len(SCOPES)} scopes: {dict(told)}")


def test_without_a_living_key_no_operation_answers(
    at: Served, filled: dict[str, dict[str, Any]]
) -> None:
    before, told = standing(at, b"T" * 16), 0
    with system(at, name="over") as over, system(at, name="nobody") as nobody:
        end(at.folder, over.key)
        nobody.key = key_for(at.folder, name="nobody")[:-1] + "~"
        wait_for(lambda: over.ask("GET", "/v1/stores").status_code == 401)
        before = standing(at, b"T" * 16)
        for operation in operations(at):
            for made in (over, nobody):
                assert ask(made, operation, filled).status_code == 401, operation
                told += 1
    assert standing(at, b"T" * 16) == before
    print(f"{told} requests without a living key: {told} refused")


def test_another_chains_key_reads_and_writes_nothing_here(
    at: Served, filled: dict[str, dict[str, Any]]
) -> None:
    statuses, crossed = Counter[int](), 0
    before = standing(at, b"T" * 16)
    ours = (NAME, PHONE, PHONE[3:], CARD, MAIL, "3000", *filled["ids"].values())
    secret = re.compile("|".join(re.escape(each) for each in ours if each != "marketing"))
    with system(at, tenant=OTHER, name="stranger") as stranger:
        for operation in operations(at):
            response = ask(stranger, operation, filled)
            statuses[response.status_code] += 1
            assert response.status_code < 500, (operation, response.text)
            crossed += bool(secret.search(response.text))
            by_id = "{" in operation[1] or operation[1] in ("/v1/orders", "/v1/holds", "/v1/spends")
            if by_id and operation[:2] != ("GET", "/v1/holds"):
                assert response.status_code in (404, 409), (operation, response.status_code)
    assert standing(at, b"T" * 16) == before
    assert crossed == 0
    count = sum(statuses.values())
    print(f"{count} operations with another chain's key: {dict(statuses)}, {crossed} cross reads")


def test_no_address_is_in_both_planes(at: Served) -> None:
    named = (each for each in vars(endpoints).values() if isinstance(each, str))
    theirs = {each for each in named if each.startswith("/v1/")}
    assert theirs >= {*PATHS.values(), endpoints.ENROL, endpoints.ROTATE}
    ours = {f"/admin{path}" for _, path, _ in operations(at)}
    assert not ours & theirs
    for path in theirs:
        with system(at, name="both") as both:
            assert both.ask("POST", path, {}).status_code == 404, path
    for path in sorted(ours):
        bare = path.removeprefix("/admin").format(**dict.fromkeys(IDS, "ab" * 16), purpose="x")
        assert httpx.get(f"{at.url}{bare}").status_code in (404, 405), path
