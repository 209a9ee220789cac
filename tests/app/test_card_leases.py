"""Card numbers of a chain: two tills that began alike never give one number to two members, whatever was
lost, killed or brought back in between (app/protocol/card_leases.py, app/sync/leasing_cards.py).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from app.code_ranges import card_digits, card_fault
from app.dealings import reading
from app.domain.errors import Refusal, Refused
from app.numbers import card_number, is_card_number
from app.protocol.card_leases import (
    BROUGHT_MOST,
    DAY_MOST,
    GONE,
    HEAD,
    LOW,
    SIZE,
    SKIPPED,
    TAKEN_OVER_MOST,
    Block,
    CardsRequest,
    Lease,
    answer,
    is_block,
    lease,
)
from app.usecases.enrol import ProfileInput
from app.usecases.verify import verify
from db import people
from tests.app.chain import Chain, MemoryLeases, settle
from tests.app.joined import kept_database, put_back, sound
from tests.app.kiosk import Kiosk, kiosk, made_template, make_template, template
from tests.app.test_newest_side_file import image_of, put_image_back

__all__ = ["kiosk", "made_template", "template"]

OWN = "8800"
_phones = count(13900002000)


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Kiosk]:
    """The first till of another shop: it says number 01, too."""
    found = make_template(tmp_path / "their", "01")
    twin = Kiosk(found.copy_to(tmp_path / "twin"), found)
    yield twin
    twin.close()


def enrolled(at: Kiosk) -> str:
    """A new member's card."""
    return at.enrol(ProfileInput("Somebody", str(next(_phones)))).result.card_no


def blocks(at: Kiosk) -> list[tuple[str, int, int]]:
    with at.ctx.read() as conn:
        return [(each.prefix, each.next, each.last) for each in people.card_blocks(conn)]


def leased(at: Kiosk) -> list[tuple[str, int, int]]:
    return [each for each in blocks(at) if each[0].startswith(HEAD)]


def use_up(at: Kiosk, left: int) -> None:
    """All but so many of head office's numbers are given out."""
    with at.ctx.write_rows() as conn:
        (block,) = [each for each in people.card_blocks(conn) if each.prefix.startswith(HEAD)]
        people.put_card_block(conn, replace(block, next=block.last - left + 1))


def test_two_tills_of_one_number_give_no_card_out_twice(kiosk: Kiosk, twin: Kiosk) -> None:
    before = [enrolled(each) for each in (kiosk, twin) for _ in range(3)]
    assert len(set(before)) < len(before), "they would: this is what leases are for"
    chain = Chain(leasing=True)
    tills = [chain.let_in(kiosk), chain.let_in(twin)]
    settle(*tills)
    after = [enrolled(each) for each in (kiosk, twin) for _ in range(3)]
    settle(*tills)
    assert len(set(after)) == len(after)
    assert not set(after) & set(before)
    assert all(number.startswith(HEAD) and is_card_number(number) for number in after)
    for each in (kiosk, twin):
        with each.ctx.read() as conn:
            found = [people.credential(conn, "card", number) for number in after]
        assert None not in found, "each till finds all of them"
        assert len({card.member_id for card in found if card is not None}) == len(after)


def test_a_till_that_joins_has_its_numbers_before_anything_else(kiosk: Kiosk) -> None:
    chain = Chain(leasing=True)
    exchange = chain.begin(kiosk)
    exchange.once()
    assert len(leased(kiosk)) == 1
    assert enrolled(kiosk).startswith(HEAD)
    sound(kiosk)


def test_who_comes_first_keeps_the_numbers_of_before_and_the_other_gives_them_up(
    kiosk: Kiosk, twin: Kiosk
) -> None:
    chain = Chain(leasing=True)
    settle(chain.let_in(kiosk))
    settle(chain.let_in(twin))
    assert [each[0] for each in blocks(kiosk)] == [OWN, f"{HEAD}{SKIPPED:06d}"]
    assert [each[0] for each in blocks(twin)] == [f"{HEAD}{SKIPPED + 1:06d}"]
    printed = card_number(OWN, 4711)
    with kiosk.ctx.read() as conn:
        assert card_fault(conn, printed) == ""
    with twin.ctx.read() as conn:
        assert card_fault(conn, printed) == "foreign"
    sound(kiosk, twin)


def test_numbers_that_another_till_gave_out_before_are_nobodys(kiosk: Kiosk, twin: Kiosk) -> None:
    chain = Chain(leasing=True)
    given = enrolled(twin)
    chain.leases.elsewhere.add((given[:-1], twin.ctx.till.device))
    settle(chain.let_in(kiosk))
    assert OWN not in {each[0] for each in blocks(kiosk)}


def test_without_an_answer_a_till_goes_on_with_its_own(kiosk: Kiosk) -> None:
    chain = Chain()
    settle(chain.let_in(kiosk))
    assert enrolled(kiosk).startswith(OWN)
    chain.server = replace(chain.server, cards=lambda *_: (Block(HEAD, 0, 5),))
    kiosk.clock.now += timedelta(hours=1)
    settle(chain.exchange(kiosk))
    assert enrolled(kiosk).startswith(OWN), "an answer that no till can use changes nothing"


def test_a_lost_answer_leases_no_second_block(kiosk: Kiosk) -> None:
    chain = Chain(leasing=True)
    exchange = chain.begin(kiosk)
    chain.lost = 1
    exchange.once()
    assert not leased(kiosk)
    kiosk.clock.now += timedelta(hours=1)
    exchange.once()
    assert len(leased(kiosk)) == 1
    assert len(chain.leases.of(kiosk.ctx.till.device)) == 2, "its own and one more"


def test_before_they_run_out_more_come_and_the_old_ones_are_used_first(kiosk: Kiosk) -> None:
    chain = Chain(leasing=True)
    exchange = chain.let_in(kiosk)
    settle(exchange)
    use_up(kiosk, LOW)
    settle(exchange)
    assert len(leased(kiosk)) == 1
    use_up(kiosk, LOW - 1)
    kiosk.clock.now += timedelta(hours=1)
    settle(exchange)
    first, second = leased(kiosk)
    assert (first[2] - first[1] + 1, second[2] - second[1] + 1) == (LOW - 1, SIZE)
    assert enrolled(kiosk).startswith(first[0])
    chain.cut = True
    for _ in range(3):
        assert enrolled(kiosk).startswith(HEAD)


def test_no_number_is_given_out_twice_by_a_till_that_was_put_back(kiosk: Kiosk) -> None:
    """Its database is older than what it gave out, and its journal file tells: it begins a new epoch, and gives
    out of a block of that one alone."""
    chain = Chain(leasing=True)
    settle(chain.let_in(kiosk))
    kept = kept_database(kiosk)
    given = [enrolled(kiosk) for _ in range(3)]
    old = leased(kiosk)[0][0]
    put_back(kiosk, kept)
    kiosk.clock.now += timedelta(hours=1)
    settle(chain.exchange(kiosk))
    assert [each[0] for each in leased(kiosk)] != [old]
    more = [enrolled(kiosk) for _ in range(3)]
    assert not set(more) & set(given)
    assert [each.epoch for each in chain.leases.of(kiosk.ctx.till.device) if each.timeline] == [
        1,
        2,
    ]
    sound(kiosk)


def test_verify_knows_the_blocks_and_mends_them(kiosk: Kiosk) -> None:
    chain = Chain(leasing=True)
    settle(chain.let_in(kiosk))
    enrolled(kiosk)
    right = blocks(kiosk)
    sound(kiosk)
    with kiosk.ctx.write_rows() as conn:
        people.drop_card_block(conn, right[-1][0])
        people.put_card_block(conn, people.CardBlock("8877", 1, 5))
    assert len(verify(kiosk.ctx).findings) == 2
    verify(kiosk.ctx, rebuild=True)
    assert blocks(kiosk) == right
    sound(kiosk)


def test_the_journal_alone_gives_the_blocks_back(kiosk: Kiosk) -> None:
    chain = Chain(leasing=True)
    kept = kept_database(kiosk)
    settle(chain.let_in(kiosk))
    had = [each[:1] for each in blocks(kiosk)]
    put_back(kiosk, kept)
    assert [each[:1] for each in blocks(kiosk)] == had


def test_all_used_up_is_said(kiosk: Kiosk) -> None:
    chain = Chain(leasing=True)
    settle(chain.let_in(kiosk))
    with kiosk.ctx.write_rows() as conn:
        for block in people.card_blocks(conn):
            people.put_card_block(conn, replace(block, next=block.last + 1))
    with pytest.raises(Refused) as refused:
        enrolled(kiosk)
    assert refused.value.code is Refusal.CARDS_USED_UP


# What head office decides


def asked(device: int, *blocks: Block, epoch: int = 1, left: int = 0) -> CardsRequest:
    return CardsRequest(bytes(16), bytes([device]) * 16, epoch, 1, blocks, left)


def test_a_store_that_was_brought_back_leases_nothing_that_it_leased_since() -> None:
    leases = MemoryLeases()
    (first,) = lease(leases, asked(1), 1, 0)
    restored = MemoryLeases()
    restored.all = list(leases.all)
    lost = [lease(leases, asked(device), 1, 0)[0] for device in (2, 3)]
    told = lease(restored, asked(2, lost[0], left=900), 2, 1)
    assert lost[0] not in told, "it gets another one, and nobody this one"
    assert Lease(lost[0], bytes([2]) * 16, GONE, 0, 1) in restored.all
    new = [*told, *lease(restored, asked(4), 2, 1)]
    assert not {*new} & {first, *lost}
    assert int(new[0].prefix) == int(first.prefix) + 1 + SKIPPED


def test_no_block_overlaps_another_whoever_claims_it() -> None:
    leases = MemoryLeases()
    mine = Block("8801", 10, 500)
    assert mine in lease(leases, asked(1, mine), 1, 0)
    for theirs in (
        mine,
        Block("8801", 500, 900),
        Block("88", 0, 10**9 - 1),
        Block("880100", 0, 99),
    ):
        assert theirs not in lease(leases, asked(2, theirs), 1, 0)
    assert Block("8801", 501, 900) in lease(leases, asked(2, Block("8801", 501, 900)), 1, 0)
    assert all(each.prefix != "8" for each in lease(leases, asked(3, Block("8", 0, 9)), 1, 0))


def test_what_a_replaced_till_had_comes_to_its_successor_as_used_up() -> None:
    leases = MemoryLeases()
    brought = Block("8800", 1, 500)
    had = lease(leases, asked(1, brought), 1, 0)
    leases.replaced[bytes([2]) * 16] = bytes([1]) * 16
    for _ in range(2):
        told = lease(leases, asked(2, brought, Block("8801", 1, 500), left=LOW), 1, 0)
        assert {each.ended() for each in had} < {*told}
        assert [each for each in told if each.first <= each.last and each.prefix == "8800"] == []
        assert all(map(is_block, told))
    ours = Block("8800", 501, 900)
    assert ours in (told := lease(leases, asked(2, ours, left=LOW), 1, 0))
    assert brought.ended() not in told, "a till has one block of a prefix"


def test_a_place_where_tills_came_and_went_has_no_end_of_blocks_to_tell() -> None:
    leases = MemoryLeases()
    leases.all = [
        Lease(Block(f"{HEAD}{number:06d}", 0, 999), bytes([1]) * 16, 1, 1, 0)
        for number in range(500)
    ]
    leases.replaced[bytes([2]) * 16] = bytes([1]) * 16
    assert len(lease(leases, asked(2), 1, 0)) == TAKEN_OVER_MOST + 1


def test_a_block_that_was_taken_over_gives_no_number_out_by_itself(
    kiosk: Kiosk, twin: Kiosk
) -> None:
    """Both began with the same printed cards; which of them the other one gave out nobody knows."""
    chain = Chain(leasing=True)
    settle(chain.let_in(kiosk))
    chain.leases.replaced[twin.ctx.till.device] = kiosk.ctx.till.device
    settle(chain.let_in(twin))
    with twin.ctx.read() as conn:
        assert card_fault(conn, card_number(OWN, 4711)) == ""
        assert card_digits(conn) == len(card_number(OWN, 4711)), "as before it was used up"
    with twin.ctx.write_rows() as conn:
        for block in people.card_blocks(conn):
            if block.prefix.startswith(HEAD):
                people.put_card_block(conn, replace(block, next=block.last + 1))
    with pytest.raises(Refused) as refused:
        enrolled(twin)
    assert refused.value.code is Refusal.CARDS_USED_UP
    sound(twin)


def test_nobody_gets_more_than_a_day_needs() -> None:
    leases, had = MemoryLeases(), tuple[Block, ...]()
    for _ in range(2 * DAY_MOST):
        had = lease(leases, asked(1, *had), 1, 1_000)
    assert len(had) == DAY_MOST
    assert len(lease(leases, asked(1, *had), 1, 86_401_001)) == DAY_MOST + 1


def test_claims_far_ahead_of_what_was_leased_are_left_out() -> None:
    leases = MemoryLeases()
    lease(leases, asked(1, Block(f"{HEAD}999999", 0, 999)), 1, 0)
    assert [each.block.prefix for each in leases.all] == [f"{HEAD}{SKIPPED:06d}"]


def test_when_all_are_leased_none_is() -> None:
    leases = MemoryLeases()
    leases.put(Lease(Block(f"{HEAD}999999", 0, 999), bytes(16), 1, 1, 0))
    assert lease(leases, asked(1), 1, 0) == ()


@pytest.mark.parametrize(
    "block",
    [
        Block("", 0, 1), Block("88x1", 0, 1), Block("٨٨", 0, 1), Block("8801", -1, 1), Block("8801", 5, 3),
        Block("8801", 0, 10**7), Block("1" * 11, 0, 0), Block(f"{HEAD}00100", 0, 9), Block(HEAD, 0, 9),
    ],
)  # fmt: skip
def test_what_no_till_could_have_is_no_block(block: Block) -> None:
    assert not is_block(block)


def test_a_block_that_is_used_up_is_one() -> None:
    assert is_block(Block("8801", 500, 499))
    assert is_block(Block(f"{HEAD}001000", 1000, 999))


def test_a_block_that_a_till_has_already_is_left_out() -> None:
    leases = MemoryLeases()
    (first,) = lease(leases, asked(1), 1, 0)
    ahead = Block(f"{HEAD}{int(first.prefix[2:]) + 1:06d}", 0, SIZE - 1)
    (new,) = lease(leases, asked(2, ahead), 1, 0)
    assert int(new.prefix) == int(ahead.prefix) + 1


def test_a_till_that_knows_that_it_was_put_back_gives_no_number_until_it_has_a_new_block(
    kiosk: Kiosk, tmp_path: Path
) -> None:
    """The image is older than the members that were enrolled after it, and nothing tells of them."""
    chain = Chain(leasing=True)
    settle(chain.let_in(kiosk))
    image = image_of(kiosk, tmp_path / "image")
    given = [enrolled(kiosk) for _ in range(3)]
    put_image_back(kiosk, image)
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            enrolled(kiosk)
        assert refused.value.code is Refusal.CARDS_USED_UP
        kiosk.quote_and_sell()
    exchange = chain.exchange(kiosk)
    while reading_nonce(kiosk):
        exchange.once()
    with pytest.raises(Refused):  # The new epoch stands, and its block has not come.
        enrolled(kiosk)
    kiosk.clock.now += timedelta(hours=1)
    settle(exchange)
    assert enrolled(kiosk) not in given


def reading_nonce(at: Kiosk) -> bytes:
    with at.ctx.read() as conn:
        return reading(conn).control().nonce


def test_what_tills_have_is_noted_while_head_office_recovers() -> None:
    leases = MemoryLeases()
    lease(leases, asked(1), 1, 0)
    ahead = Block(f"{HEAD}{SKIPPED + 3:06d}", 0, SIZE - 1)
    assert answer(leases, asked(2, ahead), None, 5) is None
    assert Lease(ahead, bytes([2]) * 16, GONE, 0, 5) in leases.all


def test_a_block_that_was_used_up_is_asked_about_for_ever() -> None:
    leases = MemoryLeases()
    mine = Block("8801", 1, 500)
    lease(leases, asked(1, mine, left=LOW), 1, 0)
    used = mine._replace(first=501)
    found = lease(leases, asked(1, used, left=LOW), 1, 0)
    assert mine in found
    assert lease(leases, asked(2, Block("8802", 7, 6)), 1, 0) != ()
    assert all(each.block.prefix != "8802" for each in leases.all)


def test_a_till_has_few_blocks_of_before() -> None:
    leases = MemoryLeases()
    many = [Block(f"7{number:03d}", 0, 9) for number in range(50)]
    for _ in range(3):
        lease(leases, asked(1, *many), 1, 0)
        many = many[10:]
    assert sum(each.epoch is None for each in leases.all) == BROUGHT_MOST


def test_numbers_that_somebody_has_already_are_not_leased() -> None:
    leases = MemoryLeases()
    leases.elsewhere.add((f"{HEAD}{SKIPPED:06d}007", b"api"))
    (new,) = lease(leases, asked(1), 1, 0)
    assert new.prefix == f"{HEAD}{SKIPPED + 1:06d}"


def test_a_copy_that_head_office_finds_out_gives_no_number_until_it_has_a_new_block(
    kiosk: Kiosk, tmp_path: Path
) -> None:
    """All of its disk is older, the side files too: it can't know, and head office sees it by its chain."""
    chain = Chain(leasing=True)
    settle(chain.let_in(kiosk))
    kiosk.close()
    copy = tmp_path / "copy"
    shutil.copytree(kiosk.folder, copy)
    kiosk.open()
    given = [enrolled(kiosk) for _ in range(3)]
    settle(chain.exchange(kiosk))
    kiosk.close()
    shutil.rmtree(kiosk.folder)
    shutil.copytree(copy, kiosk.folder)
    kiosk.open()
    exchange = chain.exchange(kiosk)
    kiosk.quote_and_sell()
    while not reading_nonce(kiosk):
        exchange.once()
    while reading_nonce(kiosk):
        exchange.once()
    with pytest.raises(Refused) as refused:
        enrolled(kiosk)
    assert refused.value.code is Refusal.CARDS_USED_UP
    settle(exchange)
    assert enrolled(kiosk) not in given
    sound(kiosk)
