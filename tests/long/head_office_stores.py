"""1,000 random streams on head office's three stores, memory, SQLite and PostgreSQL: every answer and, at the
end and often before, every record is the same (goal G13); and 100 kills of a serving head office."""

from __future__ import annotations

import random
from collections import Counter
from functools import partial
from typing import Any, Final, TypeAlias

from tests.headoffice.cluster import Cluster
from tests.headoffice.killed_office import Kills
from tests.headoffice.office import OnSqlite
from tests.headoffice.twins import NewDisk, Pace, in_files, in_postgresql, run_twins
from tests.long.scratch import in_processes, scratch

STREAMS: Final = 1000
KILLS: Final = 100
APART: Final = 1_000_000
"""Seeds per seed base, so that two bases share none."""
BUDGETS: Final = (300, 0)
GROUPS: Final = (1, 12)
"""So many requests come in one transaction at most."""
_EVERY: Final = 20
"""PostgreSQL's records are compared after so many groups and at the end of each stream."""
_BATCH: Final = 25
_TELL_EVERY: Final = 100
_Compared: TypeAlias = dict[str, Counter[str]]
"""By store: streams, requests, and records of each kind."""


def run(
    seed: int, seconds: float, *, streams: int = STREAMS, processes: int | None = None
) -> dict[str, Any]:
    """A stream is a seed's whole traffic, with and without a risk budget in turn; `failed` lists streams and
    kills that showed a difference, and a store that saw fewer streams than asked for. `seconds` is not looked
    at."""
    del seconds
    compared: _Compared = {"sqlite": Counter(), "postgresql": Counter()}
    failed: list[str] = []
    batch = partial(_batch, seed * APART, streams)
    for ended, (found, differing) in enumerate(
        in_processes(batch, range(0, streams, _BATCH), processes), 1
    ):
        for store, counts in found.items():
            compared[store] += counts
        failed += differing
        if ended * _BATCH % _TELL_EVERY == 0:
            told = ", ".join(f"{store} {each['streams']}" for store, each in compared.items())
            print(f"streams equal to memory: {told}", *differing, sep="\n", flush=True)
    for store, counts in compared.items():
        if counts["streams"] != streams:
            failed.append(f"{store}: {counts['streams']} of {streams} streams were equal to memory")
    return {
        "seed": seed,
        "wanted": streams,
        "compared": {store: dict(counts) for store, counts in compared.items()},
        **_killed(seed, failed),
        "failed": failed[:20],
    }


def _batch(first: int, streams: int, done: int) -> tuple[_Compared, list[str]]:
    """The next streams after so many, on a PostgreSQL of their own."""
    compared: _Compared = {"sqlite": Counter(), "postgresql": Counter()}
    failed: list[str] = []
    cluster = Cluster()
    try:
        for number in range(done, min(done + _BATCH, streams)):
            budget, most = BUDGETS[number % 2], GROUPS[number // 2 % 2]
            with scratch(in_memory=True) as folder:
                stores = {
                    "sqlite": in_files(folder, Pace(most)),
                    "postgresql": in_postgresql(cluster, Pace(most, _EVERY)),
                }
                for store, new_disk in stores.items():
                    try:
                        compared[store] += _stream(first + number, budget, new_disk)
                    except Exception as error:
                        failed.append(
                            f"{store}, seed {first + number}, R = {budget}, groups of {most}: "
                            f"{type(error).__name__}: {str(error)[:300]}"
                        )
    finally:
        cluster.stop()
    return compared, failed


def _stream(seed: int, budget: int, new_disk: NewDisk) -> Counter[str]:
    return run_twins(seed, budget, new_disk) + Counter(["streams"])


def _killed(seed: int, failed: list[str]) -> dict[str, int]:
    """Kills of a head office that serves; what was wrong is added to `failed`."""
    with scratch(in_memory=False) as folder:
        kills = Kills(OnSqlite(folder / "office.db"), random.Random(seed))
        for number in range(KILLS):
            try:
                kills.kill_one(seed * APART + number)
            except AssertionError as error:
                failed.append(f"kill {number}: {str(error)[:300]}")
    return {
        "kills": kills.kills,
        "before the commit was told": kills.inside,
        "before the commit was made": kills.undone,
    }
