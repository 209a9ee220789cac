"""Text and ids that a database could not keep dam nobody's outbox: events are quarantined, cells dropped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.protocol import facts
from app.protocol.facts import Facts
from app.protocol.wire import (
    NAME_MOST,
    Cell,
    HoldReply,
    HoldRequest,
    Refusal,
    SnapshotRequest,
    SyncReply,
)
from tests.headoffice.office import BUCKET, NOW, TENANT, TODAY, Database, Shop, server

MEMBER = b"M" * 16


def push(shop: Shop, body: bytes) -> None:
    """Chain bytes that no till of ours has made."""
    event = shop.rng.randbytes(16)
    shop.at.commit(Facts(event, "odd", None, TODAY), body)


def event(**entry: Any) -> bytes:
    """An event whose entry is odd in one of its values."""
    values = dict.fromkeys(
        ("n", "asset", "kind", "amount", "on", "from", "expires", "least", "ref", "ref_n")
    )
    values |= {"n": 0, "asset": "points", "kind": "earn", "amount": 1, "on": TODAY} | entry
    whole = {"v": 1, "id": "ee" * 16, "kind": "sale", "bd": TODAY, "member": MEMBER.hex()}
    return json.dumps({**whole, "entries": [list(values.values())]}).encode()


def test_an_event_that_is_not_odd_is_posted(office: Database) -> None:
    assert standing(office, event()) == "posted"


@pytest.mark.parametrize(
    "body",
    [
        event(asset="po\0ints"),
        event(asset="x" * (NAME_MOST + 1)),
        event(least=10**30),
        event(ref="aa" * 16, ref_n=10**30),
        event(ref="aa" * 16, ref_n=-1),
    ],
)
def test_an_event_that_no_database_could_keep_waits_in_quarantine(
    office: Database, body: bytes
) -> None:
    assert standing(office, body) == "quarantined"


def standing(office: Database, body: bytes) -> str:
    """How head office keeps an event, and the one after it as ever."""
    shop = Shop(1)
    with office.opened() as store:
        shop.enrol(store)
        push(shop, body)
        shop.sell(1)
        assert shop.sync(store).have.seq == 2
        with store.reading():
            known = store.link(shop.at.device, 1, 1)
            assert known is not None
            kept = store.event(known.event)
    assert kept is not None
    assert kept.body == body
    return kept.standing


@pytest.mark.parametrize(
    "cell",
    [
        Cell(MEMBER, "name", "L\0i", 1, b"D" * 16),
        Cell(MEMBER, "na\0me", "Li", 1, b"D" * 16),
        Cell(MEMBER, "n" * (NAME_MOST + 1), "Li", 1, b"D" * 16),
        Cell(b"short", "name", "Li", 1, b"D" * 16),
        Cell(MEMBER, "name", "Li", 1, b"D" * 4000),
    ],
)
def test_a_cell_that_no_database_could_keep_is_dropped(office: Database, cell: Cell) -> None:
    shop = Shop(1)
    with office.opened() as store:
        shop.enrol(store)
        shop.at.store.put_dirty(cell)
        shop.at.till.set_cell(shop.members[0], "name", "Wang", NOW)
        taken = shop.sync(store).cells
        assert [each.stands is None for each in taken] == [each.hlc == 1 for each in taken]
        with store.reading():
            assert len(store.cells(shop.members[0])) == 1
            assert store.cells(cell.member) == ()


@pytest.mark.parametrize(
    ("hold", "asset"), [(b"short", "points"), (b"H" * 16, "po\0ints"), (b"H" * 16, "x" * 4000)]
)
def test_a_hold_that_no_database_could_keep_is_refused(
    office: Database, hold: bytes, asset: str
) -> None:
    shop = Shop(1)
    with office.opened() as store:
        shop.enrol(store)
        sale, sold = b"S" * 16, ((0, 5),)
        shop.at.commit(made := Facts(sale, "sale", None, TODAY, sold=sold), facts.write(made))
        assert isinstance(shop.sync(store), SyncReply)
        for number, (wanted, of) in enumerate([(hold, asset), (b"I" * 16, "points")]):
            request = HoldRequest(
                b"r",
                shop.at.device,
                1,
                TENANT.timeline,
                wanted,
                None,
                of,
                0,
                TODAY,
                sale,
                ((0, 1),),
            )
            with store.writing([request]):
                reply = server(store).handle(request, NOW, shop.rng)
            assert isinstance(reply, HoldReply)
            assert reply.granted == bool(number)


def test_a_bucket_that_no_database_could_keep_has_no_snapshot(office: Database) -> None:
    shop = Shop(1)
    with office.opened() as store:
        shop.enrol(store)
        request = SnapshotRequest(b"r", shop.at.device, TENANT.timeline, f"{BUCKET}\0", 0, 0)
        with store.writing([request]):
            assert server(store).handle(request, NOW, shop.rng) == Refusal(b"r", "no_snapshot")
