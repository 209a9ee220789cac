"""1,000 kills of a selling till: after each the whole audit is asked, and calls nothing an alteration (A2)."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any, Final

from tests.app.kiosk import make_template
from tests.faults.killed_till import Stage
from tests.faults.test_kill import Till
from tests.long.scratch import scratch

TIMES: Final = 1000
EACH: Final = 50
"""Kills of one store; then it is a new one."""


def run(seed: int, seconds: float) -> dict[str, Any]:
    """Kills at every stage of a sale; `failed` lists what was lost, doubled or falsely called altered."""
    until = time.monotonic() + seconds
    chance = random.Random(seed)
    ended: Counter[Stage] = Counter()
    failed: list[str] = []
    audits = stores = 0
    with scratch(in_memory=True) as base:
        template = make_template(base / "template")
        while ended.total() < TIMES or time.monotonic() < until:
            stores += 1
            home = base / f"till-{stores}"
            home.mkdir()
            till = Till(home, template)
            for _ in range(EACH):
                target = min(Stage, key=lambda stage: (ended[stage], chance.random()))
                ended[till.run_and_kill(target, chance)] += 1
            till.run_and_kill(Stage.IDLE, chance)  # to look at what the last kill left
            failed += till.memory.problems
            audits += till.memory.audits
    failed += [f"never killed at {stage.name}" for stage in Stage if not ended[stage]]
    return {
        "seed": seed,
        "kills": ended.total(),
        "audits": audits,
        "stores": stores,
        "at": {stage.name: ended[stage] for stage in Stage},
        "failed": failed[:20],
    }
