"""The member's state machine, 20,000 lives of up to 40 commands or as many as the time allows."""

from __future__ import annotations

import collections
import time
import traceback
from typing import Any

from tests.domain.test_machine import never_happened, run_machine

LIVES = 20_000
BATCH = 500
"""Lives per seed: a failing seed is named, and `--seed-base` it with one batch runs it again."""


def run(seed_base: int, seconds: float) -> dict[str, Any]:
    """Run batches with rising seeds until LIVES are lived or the time is over."""
    counts: collections.Counter[str] = collections.Counter()
    deadline = time.monotonic() + seconds
    lives, seed = 0, seed_base
    while lives < LIVES and time.monotonic() < deadline:
        try:
            counts.update(run_machine(BATCH, seed=seed))
        except Exception:
            return {"failed": True, "seed": seed, "lives": lives, "trace": traceback.format_exc()}
        lives += BATCH
        seed += 1
    missing = never_happened(counts)
    return {
        "failed": bool(missing),
        "seeds": [seed_base, seed - 1],
        "lives": lives,
        "wanted": LIVES,
        "never_happened": missing,
        "counts": dict(counts.most_common()),
    }
