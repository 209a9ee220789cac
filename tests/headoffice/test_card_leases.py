"""Card numbers that a real head office leases: both databases, and what it does with claims."""

from __future__ import annotations

import random
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from app.code_ranges import card_fault
from app.domain.errors import Refusal, Refused
from app.numbers import card_number
from app.protocol.card_leases import (
    BEGIN_MOST,
    HEAD,
    LOW,
    SKIPPED,
    Block,
    CardsReply,
    CardsRequest,
    lease,
)
from app.protocol.limits import Limits
from app.protocol.server import Server
from app.queries.members import is_card_to_give, member_of_card
from app.sync.exchange import Exchange
from app.sync.join import join
from app.usecases.enrol import Enrol, Enrolled, ProfileInput, enrol
from headoffice.card_leases import CardLeases
from tests.app.chain import MemoryLeases, settle
from tests.app.joined import sound
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.headoffice.counters import let_in, lines, office, second, till, twin
from tests.headoffice.http_office import (
    TENANT,
    Served,
    begin_chain,
    code_for,
    database_of,
    opened,
    rows,
    served,
)

__all__ = ["kiosk", "lines", "made_template", "office", "second", "template", "till", "twin"]

STEPS = 120


@pytest.mark.usefixtures("each_store")
def test_two_tills_that_began_alike_give_no_number_out_twice(
    till: Kiosk, twin: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    one = let_in(till, office, lines)
    two = let_in(twin, office, lines, "till 1", "South")
    settle(one, two)
    phones = iter(range(13912340100, 13912340200))
    cards = [
        each.enrol(ProfileInput("Somebody", str(next(phones)))).result.card_no
        for each in (till, twin, till, twin)
    ]
    assert len(set(cards)) == 4
    assert all(card.startswith(HEAD) for card in cards)
    with twin.ctx.read() as conn:
        assert card_fault(conn, card_number("8800", 77)) == "foreign"
    settle(one, two)
    sound(till)
    kept = rows(office.folder, "SELECT device_id, prefix, epoch FROM card_lease ORDER BY prefix")
    mine, theirs = till.ctx.till.device, twin.ctx.till.device
    assert [tuple(row) for row in kept] == [
        (mine, "8800", None), (mine, head_prefix(0), 1), (theirs, head_prefix(1), 1),
    ]  # fmt: skip


@pytest.mark.usefixtures("each_store")
def test_what_tills_gave_out_is_known_by_their_cells(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    settle(let_in(till, office, lines))
    with closing(database_of(office.folder)) as plain, plain.of(TENANT):
        leases, device = CardLeases(plain, TENANT), till.ctx.till.device
        own = Block("8800", 0, 9_999_999)
        assert not leases.given_elsewhere(own, device)
        assert leases.given_elsewhere(own, b"e" * 16)
        assert leases.given_elsewhere(own._replace(first=1, last=1), b"e" * 16)
        assert not leases.given_elsewhere(own._replace(first=2), b"e" * 16)
        assert not leases.given_elsewhere(own._replace(last=0), b"e" * 16)


@pytest.mark.usefixtures("each_store")
def test_cards_of_a_till_that_was_replaced_are_good_at_its_successor_and_everywhere(
    till: Kiosk, twin: Kiosk, second: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    """What customers hold of it: a card that head office knows, and two of enrolments that burned with it."""
    old = let_in(till, office, lines)
    settle(old)
    known = enrolled(till).card_no
    settle(old)
    burned = enrolled(till).card_no
    printed = card_number("8800", 4711)
    assert burned.startswith(HEAD)
    revoke(office, till)
    new = let_in(twin, office, lines)
    other = let_in(second, office, lines, "till 2")
    settle(new, other)
    assert member_of_card(twin.ctx, known) == member_of_card(second.ctx, known)
    for number in (burned, printed):
        assert is_card_to_give(twin.ctx, number)
        assert not is_card_to_give(second.ctx, number)
        member = enrolled(twin, number).member_id
        settle(new, other)
        assert member_of_card(second.ctx, number) == member
    given = [enrolled(twin).card_no for _ in range(2)]
    with till.ctx.read() as conn:
        assert {"foreign"} == {card_fault(conn, each) for each in given}, "of a new block"
    settle(new)
    sound(twin)


def begin_of(tenant: bytes) -> int:
    """Where a chain's own numbers begin."""
    return int.from_bytes(sha256(b"cards" + tenant).digest()[:8]) % BEGIN_MOST


def head_prefix(nth: int) -> str:
    """The nth block that the chain leased."""
    return f"{HEAD}{begin_of(TENANT) + SKIPPED + nth:06d}"


def test_a_card_of_another_chain_is_refused(
    till: Kiosk, twin: Kiosk, office: Served, lines: list[Exchange], tmp_path: Path
) -> None:
    """Both chains' tills have blocks of head office's; the customer of the one comes to the other."""
    settle(let_in(till, office, lines))
    elsewhere, other = tmp_path / "elsewhere", b"U" * 16
    elsewhere.mkdir()
    begin_chain(elsewhere, tenant=other)
    with served(elsewhere) as found:
        join(twin.ctx, found.url, code_for(elsewhere, "North", "till 1", tenant=other))
        theirs = Exchange(twin.ctx)
        lines.append(theirs)
        settle(theirs)
        mine, card = enrolled(till).card_no, enrolled(twin).card_no
    assert mine != card
    with pytest.raises(Refused) as refused:
        member_of_card(till.ctx, card)
    assert refused.value.code is Refusal.CARD_UNKNOWN
    with pytest.raises(Refused) as refused:
        enrolled(till, card)
    assert refused.value.code is Refusal.CARD_NOT_OURS


def enrolled(at: Kiosk, card: str = "") -> Enrolled:
    """Somebody, by a card that is typed or the next one."""
    command = Enrol(at.ctx.ids(), at.session, ProfileInput("Somebody"), True, card_no=card)
    return enrol(at.ctx, command).result


def revoke(office: Served, till: Kiosk) -> None:
    with opened(office.folder) as (store, _), store.writing():
        Server(store, Limits()).write_off(till.ctx.till.device)


def test_claims_that_no_till_of_ours_makes_are_refused(office: Served) -> None:
    till = office.till()
    till.sync()
    control = till.at.store.control()

    def asking(*blocks: Block, epoch: int = control.epoch) -> CardsRequest:
        rid = till.rng.randbytes(16)
        return CardsRequest(rid, control.device, epoch, control.timeline, blocks, 0)

    for blocks in ([Block("88", 5, 3)], [Block("8" * 300, 0, 3)], [Block("88", 0, 3)] * 2001):
        request = asking(*blocks)
        assert till.problem(till.send(request), request.rid) == "not_a_message"
    past = asking(epoch=control.epoch + 1)
    assert till.reply(past, epoch=past.epoch) == CardsReply(past.rid)
    good = asking()
    assert till.reply(good) == CardsReply(good.rid, (Block(head_prefix(0), 0, 999),))


@pytest.mark.parametrize("seed", range(2))
def test_the_store_decides_as_one_in_memory_does(
    tmp_path: Path, each_store: str, seed: int
) -> None:
    rng, memory = random.Random(seed), MemoryLeases(begin=begin_of(TENANT))
    devices, prefixes = [bytes([n]) * 16 for n in range(4)], ["88", "880", "8801", "8802", "7"]
    begin_chain(tmp_path)
    with served(tmp_path) as office:
        devices = [office.till(n).device for n in range(4)]
    had = dict.fromkeys(devices, tuple[Block, ...]())
    with closing(database_of(tmp_path)) as plain:
        leases = CardLeases(plain, TENANT)
        with plain.store(TENANT).writing():
            for at in range(STEPS):
                device, epoch, timeline = rng.choice(devices), 1 + at // 60, 1 + at // 40
                first = rng.randrange(200)
                own = Block(rng.choice(prefixes), first, first + rng.randrange(100))
                claimed = Block(f"{HEAD}{memory.begin + rng.randrange(6000):06d}", 0, 999)
                named = rng.choice([had[device], (*had[device], own), (claimed,), ()])
                left = rng.choice([0, LOW])
                request = CardsRequest(bytes(16), device, epoch, timeline, named, left)
                at_ms = at * 3_600_000
                had[device] = lease(memory, request, timeline, at_ms)
                assert lease(leases, request, timeline, at_ms) == had[device]
        with plain.of(TENANT):
            for device in devices:
                assert leases.of(device) == sorted(
                    memory.of(device), key=lambda each: each.block.name
                )
    assert len(memory.all) > STEPS // 4
