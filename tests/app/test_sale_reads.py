"""What a sale asks the store for: nothing twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.app.kiosk import Kiosk


@pytest.fixture
def asked(kiosk: Kiosk) -> Iterator[list[str]]:
    """Every statement of the writing connection, from the second sale on: a start remembers some things."""
    kiosk.quote_and_sell(90_000)
    heard: list[str] = []
    line = kiosk.ctx.store._writer
    raw = line.take()
    raw.set_trace_callback(heard.append)
    line.give_back()
    yield heard
    raw.set_trace_callback(None)


@pytest.mark.parametrize(("redeem", "member"), [(0, True), (200, True), (0, False)])
def test_a_sale_reads_each_table_row_once(
    kiosk: Kiosk, asked: list[str], redeem: int, member: bool
) -> None:
    kiosk.quote_and_sell(redeem=redeem, member=member)
    reads = Counter(sql for sql in asked if sql.startswith("SELECT"))
    assert {sql: times for sql, times in reads.items() if times > 1} == {}
    assert sum(bool(re.search(r"\bFROM staff\b", sql)) for sql in asked) == 1
    # What a trigger runs is told by the name of the statement that fires it, once more right behind it.
    own = [sql for n, sql in enumerate(asked) if n == 0 or sql != asked[n - 1]]
    assert len(own) <= (40 if member else 20)
