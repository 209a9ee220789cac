"""20,000 seeds of the simulated chain, or as many as are asked for, half of them without a risk budget: however
long they take."""

from __future__ import annotations

import traceback
from collections import Counter
from functools import partial
from typing import Any, Final, TypeAlias

from tests.long.scratch import in_processes
from tests.sim.swarm import never_happened, run_seed, summary

SEEDS: Final = 20_000
BATCH: Final = 50
APART: Final = 1_000_000
"""Seeds per seed base, so that two bases share none."""
BUDGETS: Final = (300, 0)
_TELL_EVERY: Final = 1000
_Batch: TypeAlias = tuple[int, int, Counter[str], list[str]]
"""How many seeds, their budget, their counts, and which failed."""


def run(
    seed_base: int, seconds: float, *, seeds: int = SEEDS, processes: int | None = None
) -> dict[str, Any]:
    """Batches with rising seeds, the budgets in turn, and the sums so far again and again. A seed that fails is
    named with its trace, and the run goes on. Fewer seeds than asked for, or something that none of them has
    seen, fails too. `seconds` is not looked at."""
    del seconds
    first = seed_base * APART
    totals = {budget: Counter[str]() for budget in BUDGETS}
    failed: list[str] = []
    ended = 0
    batch = partial(_batch, first, seeds)
    for size, budget, counts, found in in_processes(batch, range(0, seeds, BATCH), processes):
        totals[budget].update(counts)
        failed += found
        ended += size
        if ended % _TELL_EVERY == 0 or found or ended == seeds:
            print("\n".join([*found, *summary(totals)]), flush=True)
    return {
        "failed": [*failed[:20], *_wanting(totals, seeds)],
        "failing seeds": len(failed),
        "seeds": [first, first + seeds - 1],
        "run": sum(counts["seeds"] for counts in totals.values()),
        "wanted": seeds,
        "counts": {f"R = {budget}": dict(sorted(c.items())) for budget, c in totals.items()},
    }


def _batch(first: int, seeds: int, done: int) -> _Batch:
    """The next seeds after so many, at most a batch."""
    budget = BUDGETS[done // BATCH % len(BUDGETS)]
    chosen = range(first + done, first + min(done + BATCH, seeds))
    counts, failed = Counter[str](), []
    for seed in chosen:
        try:
            counts.update(run_seed(seed, budget))
        except Exception:
            failed.append(f"seed {seed}, R = {budget}: {traceback.format_exc(limit=-3)}")
    return len(chosen), budget, counts, failed


def _wanting(totals: dict[int, Counter[str]], seeds: int) -> list[str]:
    """What would make a green run an empty one."""
    found = sum(counts["seeds"] for counts in totals.values())
    fewer = [] if found == seeds else [f"{found} of {seeds} seeds ran to their end"]
    return fewer + [
        f"never with R = {budget}: {name}"
        for budget, counts in totals.items()
        for name in never_happened(counts, budget)
    ]
