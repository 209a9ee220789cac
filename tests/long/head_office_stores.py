"""1,000 seeds of the simulated chain on head office's stores in memory and in SQLite, each record compared
after each request or group of requests (goal G13), and 100 kills of a serving head office."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any, Final

from tests.headoffice.killed_office import Kills
from tests.headoffice.office import OnSqlite
from tests.headoffice.twins import in_files, run_twins
from tests.long.scratch import scratch

SEEDS: Final = 1000
KILLS: Final = 100
BUDGETS: Final = (300, 0)
GROUPS: Final = (1, 12)
"""So many requests come in one transaction at most."""


def run(seed: int, seconds: float) -> dict[str, Any]:
    """Seeds with and without a risk budget in turn; `failed` lists seeds and kills that showed a difference."""
    until = time.monotonic() + seconds
    compared: Counter[str] = Counter()
    failed: list[str] = []
    done = 0
    while done < SEEDS or time.monotonic() < until:
        number, budget = seed * 1_000_000 + done, BUDGETS[done % 2]
        with scratch(in_memory=True) as folder:
            try:
                compared += run_twins(number, budget, in_files(folder, GROUPS[done // 2 % 2]))
            except AssertionError as error:
                failed.append(f"seed {number}, budget {budget}: {str(error)[:300]}")
        done += 1
    with scratch(in_memory=False) as folder:
        kills = Kills(OnSqlite(folder / "office.db"), random.Random(seed))
        for number in range(KILLS):
            try:
                kills.kill_one(seed * 1_000_000 + number)
            except AssertionError as error:
                failed.append(f"kill {number}: {str(error)[:300]}")
    return {
        "seed": seed,
        "seeds": done,
        "compared": dict(compared),
        "kills": kills.kills,
        "before the commit was told": kills.inside,
        "before the commit was made": kills.undone,
        "failed": failed[:20],
    }
