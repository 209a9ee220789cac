"""The open API on both databases: one journey through all that it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.protocol.store import StoredEvent
from tests.headoffice.api_office import NAME, PHONE, System, code_of, end, publish, system, written
from tests.headoffice.api_receiver import Receiver, receiving, says
from tests.headoffice.http_office import Served, begin_chain, rows, served, wait_for

pytestmark = pytest.mark.usefixtures("each_store")


def test_a_journey_through_the_api(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    publish(tmp_path)
    with served(tmp_path) as at, receiving() as receiver, system(at) as shop:
        shop.post(
            "/v1/webhooks", {"url": receiver.url, "events": ["points.changed", "alarm.raised"]}
        )
        store = shop.get("/v1/stores")["stores"][0]["id"]
        person = {"store": store, "name": NAME, "phone": PHONE, "service_notice": "1"}
        member = shop.post("/v1/members", person, again="one")["id"]
        assert shop.post("/v1/members", person, again="one")["id"] == member
        assert code_of(shop.ask("POST", "/v1/members", {**person, "name": "x"}, again="one")) == (
            "idempotency_key_reused"
        )
        assert shop.post("/v1/members/find", {"phone": PHONE}, 200)["members"][0]["id"] == member
        lines = [{"unit_price_minor": 100_000, "quantity": 3}]
        cart = {"store": store, "member": member, "lines": lines}
        order = shop.post("/v1/orders", cart)
        hold = shop.post("/v1/holds", {"member": member, "points": 1_000})["id"]
        spend = shop.post("/v1/spends", {"member": member, "points": 600, "hold": hold})["id"]
        shop.post(f"/v1/spends/{spend}/reversals", {"points": 100})
        back = {"lines": [{"line": 0, "quantity": 1}]}
        shop.post(f"/v1/orders/{order['id']}/refunds", back)
        told = shop.get(f"/v1/members/{member}")
        assert (told["balance"], told["reserved"]) == (3_000 - 500 - 1_000, 0)
        numbers = [each["amount"] for each in shop.get(f"/v1/members/{member}/ledger")["entries"]]
        assert len(numbers) > 5
        path = f"/v1/members/{member}/profile"
        tag = shop.ask("GET", path).headers["etag"]
        assert shop.ask("PATCH", path, {"name": "New"}, if_match=tag).status_code == 200
        wait_for(lambda: receiver.types(member).count("points.changed") == 4)
        _alarms(at, shop, receiver)
        end(tmp_path, shop.key)
        wait_for(lambda: shop.ask("GET", "/v1/stores").status_code == 401)
    assert rows(tmp_path, "SELECT overdrawn, lost FROM tenant")[0] == (0, 0)


def _alarms(at: Served, shop: System, receiver: Receiver) -> None:
    receiver.answer = says("500 No")
    written(at, lambda kept: kept.put_event(StoredEvent(b"q" * 16, b"strange", "quarantined")))
    at.clock.moved_ms += 6_000
    wait_for(lambda: bool(shop.get("/v1/alarms")["alarms"]))
    text = "SELECT last FROM webhook_message"
    wait_for(lambda: [row[0] for row in rows(at.folder, text)] == ["status_500"])
    at.clock.moved_ms += 24 * 3_600_000
    hook = shop.get("/v1/webhooks")["webhooks"][0]["id"]
    wait_for(lambda: bool(shop.get(f"/v1/webhooks/{hook}/parked")["messages"]))
    receiver.answer = says("200 OK")
    assert shop.post(f"/v1/webhooks/{hook}/parked/retry", None, 200) == {"messages": 1}
    wait_for(lambda: rows(at.folder, text) == [])
    assert shop.ask("DELETE", f"/v1/webhooks/{hook}").status_code == 204
