"""What one seed draws before it begins: faults, weights and the tenant's limits. Swarm testing: each seed
leaves some things out, so that what is left happens more often."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Final

from app.protocol.limits import Limits

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

HOLD_WAIT: Final = 3 * MINUTE
"""So long a customer waits for the answer about a hold."""
UNITS: Final = 3
"""Every line of a simulated sale has so many units."""

TILL_ACTS: Final = {
    "sale": 24, "spend": 30, "top_up": 8, "value_spend": 8, "void": 8, "return_own": 8,
    "return_foreign": 6, "adjust": 4, "edit": 10, "consent": 5, "enrol": 3, "close_grant": 2,
    "odd_event": 1, "late_event": 4,
}  # fmt: skip
OFFICE_ACTS: Final = {
    "expire": 10, "merge": 6, "unmerge": 5, "erase": 1, "snapshot": 2, "prune": 2, "publish": 2, "backup": 3,
    "forgive": 1,
}  # fmt: skip
FAULTS: Final = {
    "crash": 10, "torn_commit": 5, "partition": 14, "database_restored": 5, "till_lost": 2,
    "image_restored": 9, "office_restored": 4,
}  # fmt: skip
ROLLBACKS: Final = frozenset({"image_restored", "office_restored"})
"""What even seeds leave out, so that no spend can lose its authority: F = 0."""


@dataclass(slots=True)
class Settings:
    """Of one seed. Chances are of 1, times in milliseconds."""

    seed: int
    budget: int
    tills: int
    members: int
    days: int
    drop: float
    duplicate: float
    delay_most: int
    act_every: int
    poll_every: int
    encoded: bool
    limits: Limits
    apart: bool = False
    """Whether tills have the bucket of their own home alone, and others' members as visited."""
    acts: dict[str, int] = field(default_factory=dict)
    office: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)


def draw(seed: int, budget: int) -> Settings:
    """The settings of a seed."""
    rng = random.Random(seed * 7 + 3)
    settings = Settings(
        seed=seed,
        budget=budget,
        tills=rng.randint(2, 4),
        members=rng.randint(2, 6),
        days=rng.randint(4, 9),
        drop=rng.choice([0.0, 0.05, 0.15, 0.3]),
        duplicate=rng.choice([0.0, 0.05, 0.2]),
        delay_most=rng.choice([200, 2_000, 10 * MINUTE, 3 * HOUR]),
        act_every=rng.choice([2 * HOUR, 4 * HOUR]),
        poll_every=rng.choice([HOUR, 3 * HOUR, 8 * HOUR]),
        encoded=seed % 5 == 0,
        limits=Limits(
            grant_most=rng.choice([20, 60, 120]),
            cap=rng.choice([15, 60]),
            lease_ms=rng.choice([12 * HOUR, DAY]),
            grace_days=1,
            rebases_a_day=1000,
            page_rows=rng.choice([1, 3, 3, 50]),
            frame_rows=rng.choice([1, 3]),
        ),
    )
    settings.acts = _some(rng, TILL_ACTS, always=("sale", "spend"))
    settings.office = _some(rng, OFFICE_ACTS, always=("backup",))
    settings.faults = _some(rng, FAULTS, always=())
    if seed % 7 == 4:
        settings.apart = True
        settings.limits = settings.limits._replace(visited_days=1)
    if seed % 5 == 2:
        settings.acts["void_return"] = 12
    if seed % 2 == 0:
        settings.faults = {k: v for k, v in settings.faults.items() if k not in ROLLBACKS}
    return settings


def _some(rng: random.Random, weights: dict[str, int], always: tuple[str, ...]) -> dict[str, int]:
    """A part of what could happen, some of it much more often."""
    return {
        name: weight * rng.choice([1, 1, 4])
        for name, weight in weights.items()
        if name in always or rng.random() < 0.75
    }
