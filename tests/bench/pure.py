"""What needs no store: folding a long history, and receipts as bytes for the printer."""

from __future__ import annotations

import time

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.domain.fold import fold
from app.domain.state import EMPTY
from tests.bench.figures import Figure, percentile
from tests.printing.bench_receipts import job_bytes, stored_receipts

ENTRIES = 400
FOLDS = 300
RECEIPTS = 600
WARM_UP = 20


def history(count: int) -> list[Entry]:
    """A member who earns twice, spends a part of it, and so on: lots, splits and their order."""
    entries: list[Entry] = []
    for number in range(count):
        on = BusinessDate(20_000 + number // 2)
        event = number.to_bytes(16, "big")
        if number % 3 == 2:
            spent = Entry(EntryId(event, 0), POINTS, "redeem", -150, on, None, None, None, None)
            entries.append(spent)
        else:
            lot = Entry(EntryId(event, 0), POINTS, "earn", 100, on, on, on.plus(365), None, None)
            entries.append(lot)
    return entries


def figures() -> list[Figure]:
    """Folds one by one, receipts one by one."""
    entries = history(ENTRIES)
    folds: list[float] = []
    for _ in range(WARM_UP + FOLDS):
        began = time.perf_counter()
        fold(EMPTY, entries)
        folds.append((time.perf_counter() - began) * 1000)
    stored = stored_receipts(WARM_UP + RECEIPTS)
    for each in stored[:WARM_UP]:
        job_bytes(each)
    began = time.perf_counter()
    for each in stored[WARM_UP:]:
        job_bytes(each)
    a_second = RECEIPTS / (time.perf_counter() - began)
    took = percentile(folds[WARM_UP:], 0.5)
    return [
        Figure(f"fold of {ENTRIES} entries", took, "ms", 4, "lower", FOLDS),
        Figure("receipts as bytes", a_second, "/s", 500, "higher", RECEIPTS),
    ]
