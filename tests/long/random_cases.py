"""Random cases by the domain and by the second calculator, for as long as the time allows."""

from __future__ import annotations

import time
from typing import Any

from tests.domain import golden_runner, second_shop
from tests.domain.test_two_calculators import SEEN, Drawing

APART = 1_000_000
"""Seeds per seed base, so that two bases share no case."""


def run(seed_base: int, seconds: float) -> dict[str, Any]:
    """Compare case by case; a disagreement is named with its seed, and the run goes on."""
    base = golden_runner.load("programme.json")
    deadline = time.monotonic() + seconds
    SEEN.clear()
    seed = first = seed_base * APART
    differing = []
    while time.monotonic() < deadline and seed < first + APART:
        case = Drawing(seed).draw()
        expect, state, _ = second_shop.run(case, base)
        if golden_runner.run_case(case, base) != (expect, state):
            differing.append(seed)
        seed += 1
    return {
        "failed": bool(differing),
        "seeds": [first, seed - 1],
        "cases": seed - first,
        "differing": differing,
        "counts": dict(SEEN.most_common()),
    }
