"""20,000 seeds of the simulated chain, half of them without a risk budget, or as many as the time allows."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from typing import Any, Final

from tests.sim.swarm import never_happened, run_seeds

SEEDS: Final = 20_000
BATCH: Final = 50
APART: Final = 1_000_000
"""Seeds per seed base, so that two bases share none."""
BUDGETS: Final = (300, 0)


def run(seed_base: int, seconds: float) -> dict[str, Any]:
    """Batches with rising seeds, the budgets in turn; a failing batch is named with its trace, which says the
    seed, and the run goes on."""
    deadline = time.monotonic() + seconds
    totals = {budget: Counter[str]() for budget in BUDGETS}
    failed: list[str] = []
    first = seed_base * APART
    done = 0
    while done < SEEDS and time.monotonic() < deadline:
        budget = BUDGETS[done // BATCH % len(BUDGETS)]
        seeds = range(first + done, first + done + BATCH)
        try:
            totals[budget].update(run_seeds(seeds, budget))
        except Exception:
            failed.append(f"R = {budget}, from {seeds[0]}: {traceback.format_exc(limit=-3)}")
        done += BATCH
    for budget, counts in totals.items():
        failed += [f"never with R = {budget}: {name}" for name in never_happened(counts, budget)]
    return {
        "failed": failed[:20],
        "seeds": [first, first + done - 1],
        "wanted": SEEDS,
        "counts": {f"R = {budget}": dict(sorted(c.items())) for budget, c in totals.items()},
    }
