"""What a merge carries over: whoever has a member's lots, debts and old debits, later documents do the same."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from app.domain.business_day import BusinessDate
from app.domain.entries import CARRIED, CARRIED_ROOT, POINTS, Entry, EntryId, Kind
from app.domain.fold import fold
from app.domain.state import EMPTY, MemberState
from app.protocol.carrying import transfers

DAY = BusinessDate.on(2026, 3, 10)
OUT, INTO, FURTHER = b"out " * 4, b"into" * 4, b"far " * 4


class Documents:
    """Random entries of one member, each of its own event; some refer to ones that were before."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.earned: list[Entry] = []
        self.spent: list[Entry] = []
        self.restored: list[Entry] = []

    def next(self) -> Entry:
        """One more."""
        rng, on = self.rng, DAY.plus(self.rng.randint(0, 20))
        pick = rng.random()
        if pick < 0.35 or not self.earned:
            start = on.plus(rng.choice((0, 0, 3)))
            made = self._entry(
                "earn", rng.randint(1, 60), on, start, start.plus(rng.randint(0, 40))
            )
            self.earned.append(made)
        elif pick < 0.6 or not self.spent:
            made = self._entry("redeem", -rng.randint(1, 90), on)
            self.spent.append(made)
        elif pick < 0.75:
            made = self._restore(rng.choice(self.spent), on)
            self.restored.append(made)
        elif pick < 0.88 or not self.restored:
            earn = rng.choice(self.earned)
            made = self._entry("reverse", -rng.randint(1, earn.amount), on, refers_to=earn.id)
        else:
            back = rng.choice(self.restored)
            made = self._entry("reverse", -rng.randint(1, back.amount), on, refers_to=back.id)
        return made

    def _restore(self, spend: Entry, on: BusinessDate) -> Entry:
        made = self._entry("reverse", self.rng.randint(1, -spend.amount), on, refers_to=spend.id)
        longer = self.rng.choice((None, on.plus(30)))
        return made._replace(minimum_expiry=longer)

    def _entry(self, kind: Kind, amount: int, on: BusinessDate, *dates: Any, **more: Any) -> Entry:
        return Entry(EntryId(self.rng.randbytes(16), 0), POINTS, kind, amount, on, *dates, **more)


def test_a_name_that_leads_to_itself_gives_no_part_back_twice() -> None:
    """No merge writes it; whatever a ledger says, the fold comes to an end and the sums are right."""
    documents = Documents(random.Random(1))
    earn = documents._entry("earn", 10, DAY, DAY, DAY.plus(30))
    spend = documents._entry("redeem", -4, DAY)
    named = Entry(EntryId(spend.id.event, 1), CARRIED_ROOT, "adjust", 0, DAY, refers_to=spend.id)
    back = documents._entry("reverse", 7, DAY, refers_to=spend.id)
    state = fold(EMPTY, [earn, spend, named, back])
    assert dict(state.arrived) == {spend.id: spend.id}
    assert [(lot.origin, lot.remaining) for lot in state.lots] == [(back.id, 3), (earn.id, 10)]


def carried(state: MemberState, out: bytes, into: bytes) -> tuple[MemberState, MemberState]:
    """What is left of a member and what another, who had nothing, has after a merge."""
    leaving, arriving = transfers(state, state.lots, state.debts, state.splits, out, into, DAY)
    return fold(state, leaving), fold(EMPTY, arriving)


def seen(state: MemberState) -> tuple[Any, ...]:
    """A state without names of its own and orders: lots, debts, and whose parts took what."""
    first = dict(state.arrived)
    lots, parts, debts = Counter[Any](), Counter[Any](), Counter[Any]()
    for lot in state.lots:
        lots[first.get(lot.origin, lot.origin), lot.expires, lot.available_from] += lot.remaining
    for each in state.splits:
        debit, origin = (first.get(name, name) for name in (each.debit, each.origin))
        parts[debit, origin, each.expires, each.restored_by, each.back_to] += each.amount
    for debt in state.debts:
        debts[first.get(debt.debit, debt.debit)] += debt.amount
    return state.sums, lots, debts, parts


@pytest.mark.parametrize("seed", range(60))
def test_whoever_has_it_later_documents_do_the_same(seed: int) -> None:
    documents = Documents(random.Random(seed))
    alone = fold(EMPTY, [documents.next() for _ in range(12)])
    gone, merged = carried(alone, OUT, INTO)
    assert (gone.lots, gone.debts, gone.splits, gone.arrived) == ((), (), (), ())
    assert not any(total for _, total in gone.sums)
    assert not any(asset.startswith(CARRIED) for asset, _ in merged.sums), (
        "no sum of what moves nothing"
    )
    for _ in range(8):
        assert seen(alone) == seen(merged)
        entry = documents.next()
        alone, merged = fold(alone, [entry]), fold(merged, [entry])
    assert seen(alone) == seen(merged)
    merged = carried(merged, INTO, FURTHER)[1]
    for _ in range(8):
        assert seen(alone) == seen(merged), "and after one more merge"
        entry = documents.next()
        alone, merged = fold(alone, [entry]), fold(merged, [entry])


def test_what_was_carried_is_forgotten_when_nothing_has_its_name() -> None:
    on = DAY
    earn = Entry(EntryId(b"e" * 16, 0), POINTS, "earn", 5, on, on, on.plus(9))
    merged = carried(fold(EMPTY, [earn]), OUT, INTO)[1]
    assert [first for _, first in merged.arrived] == [earn.id]
    assert merged.names(earn.id) == {earn.id, merged.lots[0].origin}
    taken = Entry(EntryId(b"t" * 16, 0), POINTS, "reverse", -5, on, refers_to=earn.id)
    assert fold(merged, [taken]).arrived, "the part of the take-back names it still"
    assert carried(fold(merged, [taken]), INTO, FURTHER)[0].arrived == ()


def test_an_entry_that_lacks_what_it_needs_moves_nothing() -> None:
    odd = [
        Entry(EntryId(b"x" * 16, n), asset, "measure", 5, DAY, refers_to=named)
        for n, (asset, named) in enumerate(
            [
                (CARRIED + "part:points", EntryId(b"y" * 16, 0)),
                (CARRIED + "lot", None),
                (CARRIED + "part:points", None),
                (CARRIED + "what", EntryId(b"y" * 16, 0)),
            ]
        )
    ]
    assert fold(EMPTY, odd) == EMPTY
