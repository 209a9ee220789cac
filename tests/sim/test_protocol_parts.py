"""The pure parts of the protocol, one by one: stamps, links, event facts, cells, accounts, messages."""

from __future__ import annotations

import itertools
import random

import pytest

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.domain.state import Lot, MemberState
from app.protocol import events, facts, hlc, links, wire
from app.protocol.accounts import Account
from app.protocol.cells import CONSENT, settled, winner
from app.protocol.facts import LOCAL, Authority, Facts, NotReadable, Posting, Returned
from app.protocol.ids import forward_id
from app.protocol.links import Link, Place, Side
from app.protocol.wire import Cell, Cursor, MemberRow, Reserved

TENANT, DEVICE, MEMBER = b"t" * 16, b"d" * 16, b"m" * 16
ON = BusinessDate(20_000)
HOUR = hlc.HOUR_MS


def full_facts() -> Facts:
    event = b"e" * 16
    entries = (
        Posting(Entry(EntryId(event, 0), POINTS, "redeem", -5, ON), Authority("hold", b"h" * 16)),
        Posting(Entry(EntryId(event, 1), POINTS, "earn", 7, ON, ON, ON.plus(9)), LOCAL),
        Posting(
            Entry(
                EntryId(event, 2), POINTS, "reverse", 3, ON, None, None, ON, EntryId(b"s" * 16, 4)
            )
        ),
    )
    return Facts(
        event, "return", MEMBER, ON, entries, b"h" * 16, b"g" * 16, b"n" * 16, (POINTS, 4),
        ((0, 3), (1, 2)), b"s" * 16, (Returned(0, 1, 2, 0),),
    )  # fmt: skip


def test_a_stamp_rises_even_when_the_clock_goes_back() -> None:
    first = hlc.stamp(0, 1_000)
    assert hlc.stamp(first, 500) > first
    assert hlc.ms_of(hlc.stamp(first, 2_000)) == 2_000


def test_a_stamp_far_ahead_counts_as_now_and_one_a_little_ahead_as_it_is() -> None:
    now = 10 * HOUR
    ahead = hlc.stamp(0, now + hlc.AHEAD_MOST_MS)
    assert hlc.clamped(ahead, now) == ahead
    assert hlc.ms_of(hlc.clamped(hlc.stamp(0, now + hlc.AHEAD_MOST_MS + 1), now)) == now


def test_links_chain_as_the_journal_does() -> None:
    start = links.genesis(TENANT, DEVICE, 3)
    assert start.chain == events.chain_start(TENANT, DEVICE, 3)
    row = links.link(start, b"e" * 16, b"body")
    assert row == Link(3, 1, b"e" * 16, events.chain(start.chain, b"body"))
    assert links.place(row) == Place(3, 1, row.chain)


def test_another_epoch_gives_the_same_bytes_another_chain() -> None:
    chains = {links.link(links.genesis(TENANT, DEVICE, n), b"", b"body").chain for n in (1, 2)}
    assert len(chains) == 2


def test_a_side_file_never_sinks() -> None:
    high = Side(2, 90, 7)
    assert links.raised(high, Side(1, 95, 3)) == Side(2, 95, 7)
    assert links.behind(high, 1, 95)
    assert links.behind(high, 2, 89)
    assert not links.behind(high, 2, 90)


def test_facts_are_read_as_they_were_written() -> None:
    assert facts.read(facts.write(full_facts())) == full_facts()


@pytest.mark.parametrize(
    "spoilt",
    [
        b"",
        b"{}",
        facts.write(full_facts()).replace(b'"v":1', b'"v":99'),
        facts.write(full_facts()).replace(b'"redeem"', b'"melt"'),
        facts.write(full_facts()).replace(b'"local"', b'"magic"'),
        facts.write(full_facts()).replace(MEMBER.hex().encode(), b"6d6d"),
        facts.write(full_facts()).replace(f'"{MEMBER.hex()}"'.encode(), b"null"),
        facts.write(full_facts()).replace(b"[POINTS,4]", b"").replace(b'"points",4]', b'"points",-4]'),
        facts.write(full_facts()).replace(b"20009", b"2000900000"),
        facts.write(full_facts()).replace(b'"local"', b'"override"'),
        facts.write(full_facts()).replace(b'[[0,"', b'[[1,"'),
        facts.write(full_facts()._replace(on=BusinessDate(10**12), postings=())),
    ],
)  # fmt: skip
def test_what_can_not_be_applied_whole_is_not_readable(spoilt: bytes) -> None:
    with pytest.raises(NotReadable):
        facts.read(spoilt)


def test_an_event_of_the_journal_is_read_with_all_its_other_keys() -> None:
    sale, earned = "0a" * 16, [0, POINTS, "earn", 7, 20000, 20000, 20030, None, None, None]
    body = events.encode(
        {
            "v": 1, "id": sale, "cmd": "0b" * 16, "device": "0c" * 16, "kind": "sale", "at": 5,
            "off": 480, "bd": 20000, "pv": 3, "staff": None, "shift": None, "member": "0d" * 16,
            "entries": [earned], "doc": {"lines": [1, 2]},
        }
    )  # fmt: skip
    event = bytes.fromhex(sale)
    entry = Entry(EntryId(event, 0), POINTS, "earn", 7, ON, ON, ON.plus(30))
    assert facts.read(body) == Facts(event, "sale", bytes.fromhex("0d" * 16), ON, (Posting(entry),))


def test_forwards_of_one_event_are_one() -> None:
    assert forward_id(b"e" * 16) == forward_id(b"e" * 16) != forward_id(b"f" * 16)


def test_the_winner_does_not_depend_on_the_order_of_arrival() -> None:
    rng = random.Random(4)
    name = CONSENT + "marketing:sms"
    for _ in range(200):
        cells = [
            Cell(MEMBER, name, rng.choice(["given", "withdrawn"]), rng.randrange(60 * HOUR) << 16,
                 bytes([rng.randrange(3)]))
            for _ in range(4)
        ]  # fmt: skip
        found = set()
        for order in itertools.permutations(cells):
            stands: Cell | None = None
            for cell in order:
                stands = winner(stands, cell)
            found.add(stands)
        assert len(found) == 1


def test_a_withdrawal_beats_a_grant_of_the_day_after_it_and_no_later_one() -> None:
    withdrawn = Cell(MEMBER, CONSENT + "a", "withdrawn", 0, b"1")
    soon = Cell(MEMBER, CONSENT + "a", "given", (23 * HOUR) << 16, b"2")
    late = soon._replace(hlc=(25 * HOUR) << 16)
    assert winner(withdrawn, soon) == withdrawn
    assert winner(withdrawn, late) == late
    assert winner(Cell(MEMBER, "name", "withdrawn", 0, b"1"), soon._replace(field="name")).hlc


def test_a_cell_far_ahead_is_counted_as_now() -> None:
    cell = Cell(MEMBER, "name", "x", (9 * HOUR) << 16, b"1")
    assert hlc.ms_of(settled(cell, HOUR).hlc) == HOUR


def test_accounts_keep_their_laws_whatever_happens() -> None:
    rng = random.Random(8)
    for _ in range(300):
        account = Account()
        for _ in range(30):
            amount = rng.randint(1, 20)
            before = account
            step = rng.randrange(5)
            if step == 0:
                account = account.credited(amount)
                assert account.overdrawn == max(before.overdrawn - amount, 0)
            elif step == 1:
                account = account.spent(amount)
                assert account.overdrawn - before.overdrawn <= amount
            elif step == 2:
                account = account.taken(amount)
                assert account.overdrawn == before.overdrawn, "a debit that is no spend raises no D"
            elif account.avail >= amount:
                account = account.held(amount)
                assert account.overdrawn == 0
            else:
                account = account.freed(min(amount, account.reserved))
            assert account.receivable >= 0
            assert not account.receivable or account.avail <= 0
            assert -account.owned <= account.receivable + account.overdrawn


def test_messages_survive_their_bytes() -> None:
    lot = Lot(POINTS, EntryId(b"e" * 16, 0), ON.plus(3), ON, 5, 1)
    row = MemberRow(
        MEMBER, "north", 4, MemberState(1, ((POINTS, 5),), (lot,)),
        (Reserved(POINTS, DEVICE, 2),), None, False, (Cell(MEMBER, "name", None, 7, DEVICE),),
    )  # fmt: skip
    reply = wire.SyncReply(
        b"r", 1, 2, Place(1, 2, b"c"), (row,), (), {"north": Cursor(4, 9)}, False, (),
        wire.Grant(b"g", 1, 5, 6, 7), (b"h",),
    )  # fmt: skip
    assert wire.reply_of(wire.to_bytes(reply)) == reply
    asked = wire.HoldRequest(b"r", DEVICE, 1, 2, b"h", MEMBER, POINTS, 5, ON, None, ((0, 1),))
    assert wire.request_of(wire.to_bytes(asked)) == asked
    with pytest.raises(wire.NotAMessage):
        wire.request_of(wire.to_bytes(reply))
    with pytest.raises(wire.NotAMessage):
        wire.reply_of(b"\x81\xff")


def test_versions_meet_at_the_newest_that_both_speak() -> None:
    low, high = wire.PROTOS
    assert wire.agreed((low, high + 5)) == high
    assert wire.agreed((high + 1, high + 5)) is None
    assert wire.agreed((low - 1, low - 1)) is None
