"""A1 in full: 1,000 alterations of each kind, and more of them while there is time."""

from __future__ import annotations

import random
import time
from typing import Any, Final

from tests.app.kiosk import make_template
from tests.faults.alterations import ALTERATIONS, make_scene, one_round
from tests.long.scratch import scratch

TIMES: Final = 1000


def run(seed: int, seconds: float) -> dict[str, Any]:
    """Rounds of every kind; `failed` lists what was not found, or not at its first event."""
    until = time.monotonic() + seconds
    chance = random.Random(seed)
    done = 0
    failed: list[str] = []
    with scratch(in_memory=True) as base:
        scene = make_scene(make_template(base / "template"), base)
        while done < TIMES or time.monotonic() < until:
            for name in (*ALTERATIONS, "older"):
                said = one_round(name, chance, scene, base)
                failed += [said] if said else []
            done += 1
    return {
        "seed": seed,
        "of_each_kind": done,
        "kinds": len(ALTERATIONS) + 1,
        "failed": failed[:20],
    }
