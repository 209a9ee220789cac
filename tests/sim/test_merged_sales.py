"""A sale from before a merge, or late after it, comes back: to its own lots, whoever goes on (domain.md 2)."""

from __future__ import annotations

from hashlib import sha256

import pytest

from app.domain.entries import CARRIED, POINTS, Entry, EntryId
from app.domain.fold import fold
from app.domain.state import EMPTY, MemberState
from app.protocol.facts import Facts, Posting, write
from app.protocol.owner import book_expiry
from app.protocol.sales import splits_of
from tests.sim.machine import Machine
from tests.sim.small_chain import ANNA, BELA, NOON, TODAY, SmallChain

CARA = b"cara" * 4


def undo(
    chain: SmallChain, at: Machine, member: bytes, entry: EntryId, points: int, days: int = 0
) -> EntryId:
    """A return of a part: above zero restores what was spent, below zero takes back what was earned."""
    event, on = chain.rng.randbytes(16), TODAY.plus(days)
    made = Entry(EntryId(event, 0), POINTS, "reverse", points, on, refers_to=entry)
    chain.write(at, Facts(event, "return", member, on, (Posting(made),)))
    return made.id


def spent(chain: SmallChain, at: Machine, member: bytes, points: int) -> Facts:
    return chain.spend(at, member, points, chain.right(at, member, points))


def lots(chain: SmallChain, member: bytes) -> list[tuple[int, int]]:
    """What is left, and how many days it is good for, in the order in which it is spent."""
    held = chain.member(member).state.lots
    return [(lot.remaining, lot.expires - TODAY) for lot in held]


def two_lots() -> tuple[SmallChain, Facts, Facts]:
    """Anna has 5 of 20 points left, good for 40 days: 30 for ten days and 15 are spent. Bela has 50."""
    chain = SmallChain()
    at = chain.tills[0]
    early = chain.earn(at, ANNA, 30, good_for=10)
    chain.earn(at, ANNA, 20, good_for=40)
    chain.earn(at, BELA, 50, good_for=20)
    chain.sync()
    sale = spent(chain, at, ANNA, 45)
    chain.sync()
    return chain, early, sale


def test_what_was_spent_goes_back_to_the_lots_that_it_came_from() -> None:
    chain, _, sale = two_lots()
    assert lots(chain, ANNA) == [(5, 40)]
    assert chain.server.merge(ANNA, BELA, NOON)
    assert lots(chain, BELA) == [(50, 20), (5, 40)]
    chain.sync()
    undo(chain, chain.tills[1], BELA, EntryId(sale.id, 0), 20)
    chain.sync()
    assert lots(chain, BELA) == [(5, 10), (50, 20), (20, 40)]
    assert chain.server.merge(BELA, CARA, NOON) is False, "nobody knows her"
    undo(
        chain, chain.tills[1], ANNA, EntryId(sale.id, 0), 25
    )  # By a till that has not heard of it.
    chain.sync()
    assert lots(chain, BELA) == [(30, 10), (50, 20), (20, 40)]


def test_what_was_earned_is_taken_from_its_own_lot() -> None:
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, BELA, 50, good_for=20)
    sale = chain.earn(at, ANNA, 30, good_for=40)
    chain.sync()
    assert chain.server.merge(ANNA, BELA, NOON)
    chain.sync()
    undo(chain, at, BELA, EntryId(sale.id, 0), -12)
    chain.sync()
    assert lots(chain, BELA) == [(50, 20), (18, 40)], (
        "Bela's lapse sooner, and are not of this sale"
    )


def test_a_late_sale_is_found_by_its_own_name_too() -> None:
    chain = SmallChain()
    at, other = chain.tills
    chain.earn(at, ANNA, 1)
    chain.earn(at, BELA, 50, good_for=20)
    chain.sync()
    sale = chain.earn(other, ANNA, 30, good_for=40)
    assert chain.server.merge(ANNA, BELA, NOON)
    chain.sync()
    undo(chain, at, BELA, EntryId(sale.id, 0), -12)
    chain.sync()
    assert (18, 40) in lots(chain, BELA)
    assert (50, 20) in lots(chain, BELA)


@pytest.mark.parametrize("days", [0, 13])
def test_what_lapsed_before_the_merge_comes_back_for_its_own_take_back(days: int) -> None:
    chain = SmallChain()
    at = chain.tills[0]
    sale = chain.earn(at, ANNA, 30, good_for=10)
    chain.earn(at, BELA, 50, good_for=20)
    chain.sync()
    assert book_expiry(chain.store, ANNA, TODAY.plus(12), 1)
    assert chain.server.merge(ANNA, BELA, NOON)
    chain.sync()
    undo(chain, at, BELA, EntryId(sale.id, 0), -30, days)
    chain.sync()
    assert lots(chain, BELA) == [(50, 20)], "nobody loses them twice"


def test_a_void_of_the_return_is_as_if_there_had_been_none() -> None:
    chain, _, sale = two_lots()
    at = chain.tills[0]
    back = undo(chain, at, ANNA, EntryId(sale.id, 0), 45)
    chain.sync()
    assert lots(chain, ANNA) == [(30, 10), (20, 40)]
    assert chain.server.merge(ANNA, BELA, NOON)
    chain.sync()
    undo(chain, at, BELA, back, -45)
    chain.sync()
    assert lots(chain, BELA) == [(50, 20), (5, 40)]
    undo(chain, at, BELA, EntryId(sale.id, 0), 45)
    chain.sync()
    assert lots(chain, BELA) == [(30, 10), (50, 20), (20, 40)]


def test_what_is_known_of_a_sale_goes_home_when_they_part() -> None:
    chain, early, sale = two_lots()
    at = chain.tills[0]
    assert chain.server.merge(ANNA, BELA, NOON)
    assert chain.server.unmerge(ANNA, NOON) is not None
    chain.sync()
    undo(chain, at, ANNA, EntryId(sale.id, 0), 45)
    chain.sync()
    assert lots(chain, ANNA) == [(30, 10), (20, 40)]
    undo(chain, at, ANNA, EntryId(early.id, 0), -7)
    chain.sync()
    assert lots(chain, ANNA) == [(23, 10), (20, 40)]
    assert lots(chain, BELA) == [(50, 20)]


def test_a_till_that_asks_for_the_sale_hears_what_it_took_by_its_own_names() -> None:
    chain, _, sale = two_lots()
    before = [(each.debit, each.amount, each.expires) for each in splits_of(chain.store, sale.id)]
    assert [amount for _, amount, _ in before] == [30, 15]
    assert chain.server.merge(ANNA, BELA, NOON)
    after = [(each.debit, each.amount, each.expires) for each in splits_of(chain.store, sale.id)]
    assert after == before
    shown: MemberState = chain.member(BELA).state
    assert {each.origin for each in splits_of(chain.store, sale.id)} & {
        lot.origin for lot in shown.lots
    }, "by the lots' names at the survivor, whose row the till has"


def test_a_late_spend_is_told_by_the_names_of_its_sale() -> None:
    chain, _, _ = two_lots()
    other = chain.tills[1]
    assert chain.server.merge(ANNA, BELA, NOON)
    late = spent(chain, other, ANNA, 5)
    chain.sync()
    assert [(each.debit, each.amount) for each in splits_of(chain.store, late.id)] == [
        (EntryId(late.id, 0), 5)
    ]


def test_a_till_does_not_write_what_only_a_merge_says() -> None:
    chain, _, _ = two_lots()
    at = chain.tills[0]
    event = chain.rng.randbytes(16)
    own = Entry(
        EntryId(event, 0), CARRIED + "part:points", "redeem", 90, TODAY, refers_to=EntryId(event, 0)
    )
    told = chain.write(at, Facts(event, "adjust", ANNA, TODAY, (Posting(own),)))
    chain.sync()
    aside = chain.store.event(sha256(write(told)).digest()[:16])
    assert aside is not None
    assert aside.standing == "quarantined"
    assert chain.store.event(event) is None


def test_a_ledger_folded_anew_is_what_head_office_has() -> None:
    chain, _, sale = two_lots()
    assert chain.server.merge(ANNA, BELA, NOON)
    chain.sync()
    undo(chain, chain.tills[0], BELA, EntryId(sale.id, 0), 31)
    chain.sync()
    for member in (ANNA, BELA):
        assert fold(EMPTY, chain.store.ledger(member)) == chain.member(member).state


def test_a_lot_that_paid_a_debt_with_the_merge_is_there_once_when_all_comes_back() -> None:
    """It went into the debt at once, so its old parts know it under a later order than what it paid."""
    chain = SmallChain(budget=1000)
    at = chain.tills[0]
    chain.earn(at, ANNA, 10, good_for=90)
    chain.sync()
    old = spent(chain, at, ANNA, 4)
    owed = chain.spend(at, BELA, 8, None)
    chain.sync()
    assert chain.server.merge(ANNA, BELA, NOON)
    chain.sync()
    assert chain.points(BELA) == -2
    for sale, points in ((owed, 8), (old, 4)):
        undo(chain, at, BELA, EntryId(sale.id, 0), points)
        chain.sync()
    assert lots(chain, BELA) == [(10, 90)]


def test_a_return_of_another_asset_than_its_sale_moves_its_own() -> None:
    """No till of ours writes it; one that did would stand still behind it if it could not be posted."""
    chain = SmallChain()
    at = chain.tills[0]
    chain.earn(at, ANNA, 30)
    chain.sync()
    sale = spent(chain, at, ANNA, 20)
    chain.sync()
    event = chain.rng.randbytes(16)
    back = Entry(
        EntryId(event, 0), "value_principal", "reverse", 17, TODAY, refers_to=EntryId(sale.id, 0)
    )
    chain.write(at, Facts(event, "return", ANNA, TODAY, (Posting(back),)))
    chain.sync()
    state = chain.member(ANNA).state
    assert (state.balance(), state.balance("value_principal")) == (10, 17)
