"""What entries would do lot by lot, before anybody posts them."""

from __future__ import annotations

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, SPEND, Entry, EntryId
from app.domain.fold import fold
from app.domain.moves import LotMove, moves_of
from app.domain.state import EMPTY

DAY = BusinessDate.on(2026, 3, 10)
SOON, LATE = DAY.plus(10), DAY.plus(90)


def entry_id(n: int) -> EntryId:
    return EntryId(b"e" * 16, n)


def credit(n: int, points: int, until: BusinessDate) -> Entry:
    return Entry(entry_id(n), POINTS, "opening", points, DAY, DAY, until)


def test_a_debit_names_each_lot_that_it_takes_from() -> None:
    state = fold(EMPTY, [credit(0, 100, SOON), credit(1, 500, LATE)])
    (move,) = moves_of(state, [Entry(entry_id(2), POINTS, "redeem", -300, DAY)])
    assert move.lots == (LotMove(SOON, -100), LotMove(LATE, -200))
    assert move.owed == 0


def test_what_no_lot_covers_is_owed_and_a_credit_owes_less() -> None:
    state = fold(EMPTY, [credit(0, 100, SOON)])
    debit = Entry(entry_id(1), POINTS, "reverse", -150, DAY, refers_to=entry_id(0))
    taken, paid = moves_of(state, [debit, credit(2, 80, LATE)])
    assert (taken.lots, taken.owed) == ((LotMove(SOON, -100),), 50)
    assert (paid.lots, paid.owed) == ((LotMove(LATE, 30),), -50)


def test_measures_are_no_entries_of_points() -> None:
    assert moves_of(EMPTY, [Entry(entry_id(0), SPEND, "measure", 500, DAY)]) == ()
