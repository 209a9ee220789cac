"""Other systems are told of changes: signed, at least once, in order per member, whatever a receiver does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.protocol.limits import Limits
from app.protocol.profiles import erase
from app.protocol.server import Server
from headoffice.store.records import Records
from headoffice.webhooks import sender, sending
from headoffice.webhooks.outbox import GIVEN_UP_MS, KINDS
from tests.headoffice.api_office import NAME, PHONE, System, code_of, publish, system, written
from tests.headoffice.api_receiver import (
    Answer,
    Receiver,
    drips,
    floods,
    goes,
    hangs,
    lies,
    receiving,
    says,
)
from tests.headoffice.http_office import (
    ANNA,
    Served,
    begin_chain,
    rows,
    served,
    wait_for,
)

HOUR = 3_600_000
POINTS = ["points.changed"]


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A chain with a programme and a till; who fails is tried again at once."""
    monkeypatch.setattr(sender, "PAUSE_MOST_S", 0.01)
    monkeypatch.setattr(sender, "FIRST_MS", 1)
    monkeypatch.setattr(sender, "LONGEST_MS", 2)
    begin_chain(tmp_path)
    publish(tmp_path)
    with served(tmp_path) as made:
        made.till(1).sync()
        yield made


@pytest.fixture
def shop(at: Served) -> Iterator[System]:
    """A system that may do everything."""
    with system(at) as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def hook(shop: System, receiver: Receiver, *kinds: str) -> dict[str, Any]:
    """A webhook to this receiver."""
    body = {"url": receiver.url, "events": list(kinds or KINDS)}
    return dict(shop.post("/v1/webhooks", body))


def earn(at: Served, member: bytes = ANNA, points: int = 7, *, sales: int = 1) -> None:
    """Sales at a till that head office has."""
    at.tills[0].earn(member, points, sales=sales)
    at.tills[0].sync()


def waiting(at: Served) -> list[tuple[Any, ...]]:
    """What was not delivered."""
    return rows(at.folder, "SELECT tries, last, parked_ms FROM webhook_message ORDER BY number")


def test_each_change_is_told_once_it_is_there(at: Served, shop: System, receiver: Receiver) -> None:
    hook(shop, receiver)
    store = shop.get("/v1/stores")["stores"][0]["id"]
    body = {"store": store, "name": NAME, "phone": PHONE, "service_notice": "1"}
    member = shop.post("/v1/members", body)["id"]
    lines = [{"unit_price_minor": 250_000}]
    shop.post("/v1/orders", {"store": store, "member": member, "lines": lines})
    shop.ask(
        "PUT", f"/v1/members/{member}/consents/marketing",
        {"channel": "any", "given": True, "notice": "2"},
    )  # fmt: skip
    other = b"othr" * 4
    earn(at, other)
    wait_for(lambda: len(receiver.types(member)) == 4 and len(receiver.types(other.hex())) == 2)
    assert receiver.types(member) == [
        "member.enrolled", "points.changed", "tier.changed", "member.changed",
    ]  # fmt: skip
    assert receiver.types(other.hex()) == ["member.enrolled", "points.changed"]
    for each in receiver.heard:
        assert NAME not in each.body.decode()
        assert PHONE[3:] not in each.body.decode()
        assert each.plain["data"].keys() == {"member"}
        assert (each.path, each.headers["content-type"]) == ("/hook?a=1", "application/json")
    wait_for(lambda: waiting(at) == [])


def test_a_merge_and_an_erasure_are_told(at: Served, shop: System, receiver: Receiver) -> None:
    one, two = b"one1" * 4, b"two2" * 4
    earn(at, one)
    earn(at, two)
    hook(shop, receiver, "member.merged", "member.erased")
    assert written(at, lambda store: Server(store, Limits()).merge(one, two, at.clock()))
    written(at, lambda store: erase(store, two, "all"))
    wait_for(lambda: len(receiver.heard) >= 2)
    assert receiver.types(one.hex())[:1] == ["member.merged"]
    assert receiver.types(two.hex())[-1:] == ["member.erased"]


def test_messages_are_signed_by_the_secret_that_was_shown(
    at: Served, shop: System, receiver: Receiver
) -> None:
    made = hook(shop, receiver, *POINTS)
    earn(at)
    receiver.wait(1)
    assert receiver.heard[0].signed_by(made["secret"])
    assert not receiver.heard[0].signed_by("whsec_" + "A" * 44)
    assert abs(int(receiver.heard[0].headers["webhook-timestamp"]) - at.clock() // 1000) < 60


def test_a_changed_secret_signs_beside_the_old_one_for_a_day(
    at: Served, shop: System, receiver: Receiver
) -> None:
    old = hook(shop, receiver, *POINTS)
    new = shop.post(f"/v1/webhooks/{old['id']}/secret", None, 200)
    assert new["secret"] != old["secret"]
    earn(at)
    receiver.wait(1)
    assert [receiver.heard[0].signed_by(each["secret"]) for each in (old, new)] == [True, True]
    at.clock.moved_ms += 25 * HOUR
    earn(at)
    receiver.wait(2)
    assert [receiver.heard[1].signed_by(each["secret"]) for each in (old, new)] == [False, True]


def test_only_what_was_chosen_is_told(at: Served, shop: System, receiver: Receiver) -> None:
    hook(shop, receiver, "tier.changed")
    earn(at)
    assert waiting(at) == []
    assert receiver.heard == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (says("500 Oh"), "status_500"),
        (says("404 No"), "status_404"),
        (says("302 Found", "location: http://127.0.0.1:1/\r\n"), "status_302"),
        (hangs, "too_slow"),
        (drips, "too_slow"),
        (floods, "unreachable"),
        (lies, "no_answer"),
        (goes, "unreachable"),
    ],
    ids=["500", "404", "redirect", "hangs", "drips", "floods", "lies", "goes"],
)
def test_whatever_a_receiver_does_the_message_comes_again(
    at: Served,
    shop: System,
    receiver: Receiver,
    answer: Answer,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "TRY_S", 0.3)
    receiver.answer = answer
    hook(shop, receiver, *POINTS)
    earn(at)
    wait_for(lambda: bool(waiting(at)) and waiting(at)[0][0] >= 2)
    assert waiting(at)[0][1:] == (why, None)
    receiver.answer = says("200 OK")
    wait_for(lambda: waiting(at) == [])
    assert len({each.headers["webhook-id"] for each in receiver.heard}) == 1


def test_one_that_hangs_holds_neither_tills_nor_other_receivers_up(
    at: Served, shop: System, receiver: Receiver
) -> None:
    receiver.answer = hangs
    with receiving() as other:
        hook(shop, receiver, *POINTS)
        hook(shop, other, *POINTS)
        earn(at, sales=3)
        wait_for(lambda: bool(receiver.heard))
        earn(at)
        other.wait(2)
        assert len(receiver.heard) == 1


def test_a_members_messages_keep_their_order_and_others_go_on(
    at: Served, shop: System, receiver: Receiver
) -> None:
    bad, good = b"bad!" * 4, b"good" * 4
    delivered = list[tuple[str, str]]()

    def answer(heard: Any, line: Any) -> None:
        first = (bad.hex(), "member.enrolled")
        if (heard.plain["data"]["member"], heard.type) == first and not answers:
            says("500 Oh")(heard, line)
            return
        delivered.append((heard.plain["data"]["member"], heard.type))
        says("200 OK")(heard, line)

    answers = list[int]()
    receiver.answer = answer
    hook(shop, receiver, "member.enrolled", "points.changed")
    earn(at, bad)
    earn(at, bad)
    earn(at, good)
    wait_for(lambda: [each for each in delivered if each[0] == good.hex()][1:] != [])
    assert not [each for each in delivered if each[0] == bad.hex()]
    answers.append(1)
    wait_for(lambda: waiting(at) == [])
    assert [kind for member, kind in delivered if member == bad.hex()] == [
        "member.enrolled", "points.changed", "points.changed",
    ]  # fmt: skip


def test_after_a_day_it_is_parked_shown_and_may_be_tried_again(
    at: Served, shop: System, receiver: Receiver
) -> None:
    receiver.answer = says("503 No")
    made = hook(shop, receiver, *POINTS)
    earn(at)
    wait_for(lambda: bool(waiting(at)) and waiting(at)[0][0] >= 1)
    at.clock.moved_ms += GIVEN_UP_MS
    wait_for(lambda: waiting(at)[0][2] is not None)
    shown = shop.get(f"/v1/webhooks/{made['id']}/parked")
    assert [(each["type"], each["member"], each["last"]) for each in shown["messages"]] == [
        ("points.changed", ANNA.hex(), "status_503")
    ]
    receiver.answer = says("200 OK")
    heard = len(receiver.heard)
    earn(at)
    receiver.wait(heard + 1)
    again = shop.post(f"/v1/webhooks/{made['id']}/parked/retry", None, 200)
    assert again == {"messages": 1}
    wait_for(lambda: waiting(at) == [])


def test_what_was_not_sent_is_sent_after_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    begin_chain(tmp_path)
    receiver.answer = says("500 Oh")
    with served(tmp_path) as first:
        till = first.till(1)
        till.sync()
        with system(first) as shop:
            hook(shop, receiver, *POINTS)
        till.earn(ANNA)
        till.sync()
        wait_for(lambda: bool(waiting(first)))
    receiver.answer = says("200 OK")
    with served(tmp_path) as second:
        wait_for(lambda: waiting(second) == [])
    assert len({each.headers["webhook-id"] for each in receiver.heard}) == 1


def test_a_change_that_is_rolled_back_is_not_told(
    at: Served, shop: System, receiver: Receiver
) -> None:
    hook(shop, receiver)
    earn(at, b"one1" * 4)
    earn(at, b"two2" * 4)
    receiver.wait(4)
    wait_for(lambda: waiting(at) == [])

    def fail(store: Records) -> None:
        assert Server(store, Limits()).merge(b"one1" * 4, b"two2" * 4, at.clock())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        written(at, fail)
    assert (waiting(at), len(receiver.heard)) == ([], 4)


def test_a_webhook_that_was_ended_hears_nothing_more(
    at: Served, shop: System, receiver: Receiver
) -> None:
    receiver.answer = says("500 Oh")
    made = hook(shop, receiver, *POINTS)
    earn(at)
    wait_for(lambda: bool(waiting(at)))
    assert shop.ask("DELETE", f"/v1/webhooks/{made['id']}").status_code == 204
    assert waiting(at) == []
    earn(at)
    assert waiting(at) == []
    assert shop.get("/v1/webhooks") == {"webhooks": []}
    assert code_of(shop.ask("DELETE", f"/v1/webhooks/{made['id']}")) == "not_found"


def test_a_chain_has_ten_webhooks_at_most(shop: System, receiver: Receiver) -> None:
    for _ in range(10):
        hook(shop, receiver, *POINTS)
    more = shop.ask("POST", "/v1/webhooks", {"url": receiver.url, "events": POINTS})
    assert (code_of(more), more.json()["most"]) == ("conflict", 10)


def test_pauses_are_random_and_grow_to_hours() -> None:
    rng = random.Random(1)
    for tries, most in ((0, 5_000), (3, 40_000), (30, 3 * HOUR)):
        found = [sender.due_in_ms(tries, rng) for _ in range(2_000)]
        assert 0 <= min(found) < most // 50
        assert most * 49 // 50 < max(found) < most
