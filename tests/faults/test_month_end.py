"""The long run's month end on few lots: killed while it books and sells, and every lot booked once."""

from __future__ import annotations

from tests.long.month_end import run


def test_a_months_end_that_is_killed_twice_books_every_lot_once_while_the_counter_sells() -> None:
    report = run(5, 0, lots=2_000, kills=2, between=8)
    assert report["failed"] == []
    assert report["members"] == 500
