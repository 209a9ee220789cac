"""Tills and head office over real HTTP: the whole exchange, and what a poll costs that finds nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from app.domain.entries import POINTS, Entry, EntryId
from app.protocol import overlay, own_chain, wire
from app.protocol.facts import Authority, Facts, Posting, write
from app.protocol.pull import take_snapshot
from app.protocol.server import Server
from app.protocol.wire import (
    HoldReply,
    MemberRow,
    RebaseReply,
    Refusal,
    SnapshotReply,
    SyncReply,
    SyncRequest,
    unpack_row,
)
from headoffice.serving import Address, listening
from tests.headoffice.http_office import (
    ANNA,
    BELA,
    TENANT,
    HttpTill,
    Served,
    begin_chain,
    opened,
    served,
    trace,
    wait_for,
)

pytestmark = pytest.mark.usefixtures("each_store")


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Served]:
    begin_chain(tmp_path)
    with served(tmp_path) as at:
        yield at


def points(till: HttpTill, member: bytes) -> int:
    return overlay.shown(till.at.store, member).balance()


def test_what_one_till_pushes_another_pulls(chain: Served) -> None:
    north, south = chain.till(1), chain.till(2, "South")
    north.earn(ANNA, 7, sales=3)
    north.earn(BELA, 5)
    north.sync()
    south.sync()
    assert (points(south, ANNA), points(south, BELA)) == (21, 5)


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_an_event_nested_beyond_all_bounds_waits_in_quarantine_and_dams_nothing(
    chain: Served, depth: int
) -> None:
    till = chain.till()
    event = till.rng.randbytes(16)
    made = Facts(event, "sale", ANNA, till.today)
    body = write(made)[:-1] + b',"zz":' + b"[" * depth + b"]" * depth + b"}"
    till.at.commit(made, body)
    till.earn(ANNA, 7)
    till.sync()
    with opened(chain.folder) as (store, directory), store.reading():
        kept = store.event(sha256(body).digest()[:16])
        assert kept is not None
        assert (kept.standing, kept.body) == ("quarantined", body)
        assert directory.quarantined(TENANT) == 1
        member = store.member(ANNA)
        assert member is not None
        assert member.state.balance() == 7


def test_a_hold_is_reserved_captured_and_over(chain: Served) -> None:
    till = chain.till()
    till.earn(ANNA, 30)
    till.sync()
    request = till.hold(ANNA, 20)
    reply = till.reply(request)
    assert isinstance(reply, HoldReply)
    assert reply.granted
    assert till.hear(reply)
    spend(till, ANNA, 20, request.hold)
    after = till.sync()
    assert after.open_holds == ()
    with opened(chain.folder) as (store, _), store.reading():
        member = store.member(ANNA)
    assert member is not None
    assert (member.state.balance(), dict(member.reserved)) == (10, {})


def spend(till: HttpTill, member: bytes, amount: int, hold: bytes) -> None:
    event, on = till.rng.randbytes(16), till.today
    entry = Entry(EntryId(event, 0), POINTS, "redeem", -amount, on)
    made = Facts(event, "spend", member, on, (Posting(entry, Authority("hold", hold)),), hold=hold)
    till.at.commit(made, write(made))


def test_a_till_behind_its_side_file_gets_a_new_epoch_and_loses_nothing(chain: Served) -> None:
    till = chain.till()
    till.earn(ANNA, 7, sales=2)
    till.sync()
    till.earn(ANNA, 7)
    till.at.till.start(till.rng, behind=True)
    assert isinstance(till.exchange(), RebaseReply)
    till.sync()
    assert till.at.store.control().epoch == 2
    with opened(chain.folder) as (store, _), store.reading():
        member = store.member(ANNA)
    assert member is not None
    assert member.state.balance() == 21


def test_a_new_till_begins_with_a_snapshot(chain: Served) -> None:
    north = chain.till(1)
    for number in range(12):
        north.earn(bytes([number]) * 16, number + 1)
    north.sync()
    with opened(chain.folder) as (store, directory), store.writing():
        limits = directory.chains()[0].limits._replace(frame_rows=5)
        take_snapshot(store, "all", 1, limits)
    south = chain.till(2, "South")
    frames = [type(south.exchange()) for _ in range(3)]
    assert frames == [SnapshotReply] * 3
    south.sync()
    assert [points(south, bytes([number]) * 16) for number in range(12)] == list(range(1, 13))


@pytest.mark.parametrize("packed", [False, True])
def test_bodies_may_be_packed_both_ways(chain: Served, packed: bool) -> None:
    till = chain.till()
    till.packed = packed
    till.earn(ANNA, 7, sales=40)
    till.sync()
    request = till.ask()
    response = till.send(request)
    assert till.signed_body(response, request.rid)
    other = chain.till(2, "South")
    other.packed = packed
    other.exchange()
    other.exchange()
    other.sync()
    assert points(other, ANNA) == 280


def test_a_poll_that_brings_and_finds_nothing_asks_the_store_nothing(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    statements = list[str]()

    def is_look(text: str) -> bool:
        return "data_version" in text or "FROM register" in text

    with served(tmp_path) as chain:
        trace(chain, statements.append)
        till, other = chain.till(1), chain.till(2, "South")
        till.earn()
        till.sync()
        # The codes were written beside the server: it looks, and reads again what is kept in memory.
        statements.clear()
        wait_for(lambda: sum(map(is_look, tuple(statements))) >= 3)
        wait_for(lambda: settled(chain, till))
        statements.clear()
        replies = [till.exchange() for _ in range(20)]
        asked = [each for each in statements if not is_look(each)]
        assert asked == []
        assert all(isinstance(each, SyncReply) and not each.rows for each in replies)
        other.earn(BELA, 5)
        other.sync()
        assert [row.member for row in rows(till)] == [BELA], "the same poll finds what is new"
        assert statements


def test_a_quiet_till_hears_of_what_became_its_own_since(tmp_path: Path) -> None:
    begin_chain(tmp_path, budget=50)
    with served(tmp_path) as chain:
        first, second = chain.till(1), chain.till(2)
        first.earn(ANNA, 30)
        for till in (first, second, first):
            till.sync()
        wait_for(lambda: settled(chain, first))
        # A hold on lines of a sale moves no feed.
        sale, on = first.at.store.event(1), first.today
        request = first.at.till.ask_return(sale, ((0, 1),), on, first.rng)
        assert request is not None
        first.hear(first.reply(request))
        assert poll(first).open_holds == (request.hold,)
        # The first till has all that may be overspent; the second one's wish stays open.
        wait_for(lambda: settled(chain, second))
        assert poll(second).grant is None
        own_chain.close_grant(first.at.store, first.rng.randbytes(16), first.today)
        first.at.write_file()
        closing = first.ask()
        assert isinstance(closing, SyncRequest)
        first.reply(msgspec.structs.replace(closing, wants_grant=False))
        grant = poll(second).grant
        assert grant is not None
        assert grant.left == 50


def poll(till: HttpTill) -> SyncReply:
    """One exchange that is a sync."""
    reply = till.exchange()
    assert isinstance(reply, SyncReply)
    return reply


def test_how_far_a_till_has_come_reaches_the_store_before_it_is_quiet(chain: Served) -> None:
    north, south = chain.till(1), chain.till(2, "South")
    south.sync()
    north.earn()
    north.sync()
    for _ in range(3):
        poll(south)
    with opened(chain.folder) as (store, _), store.reading():
        device = store.device(south.device)
        assert device is not None
        assert device.seen_of("all") == store.head("all") > 0


def test_answers_are_sent_without_delay() -> None:
    with listening(Address(port=0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def settled(chain: Served, till: HttpTill) -> bool:
    """Whether a poll is answered from memory now."""
    request = till.ask()
    till.hear(till.reply(request))
    known = chain.office.till(till.device)
    assert known is not None
    again = till.ask()
    till.hear(till.reply(again))
    assert isinstance(again, SyncRequest)
    return chain.office.answer_quietly(known, again) is not None


def rows(till: HttpTill) -> list[MemberRow]:
    return [unpack_row(row) for row in poll(till).rows]


def test_a_till_that_was_revoked_beside_the_server_hears_so_at_its_next_poll(chain: Served) -> None:
    till = chain.till()
    till.earn()
    till.sync()
    with opened(chain.folder) as (store, directory), store.writing():
        Server(store, directory.chains()[0].limits).write_off(till.device)
    wait_for(
        lambda: (known := chain.office.till(till.device)) is not None and known.standing == "lost"
    )
    request = till.ask()
    response = till.send(request)
    assert response.status == 403
    reply = wire.reply_of(till.signed_body(response, request.rid))
    assert reply == Refusal(request.rid, "revoked")
    till.hear(reply)
    assert till.at.store.control().revoked
