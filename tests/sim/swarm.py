"""Many seeds: run them, add up what happened, name what never did.

`python -m tests.sim.swarm FIRST COUNT BUDGET` runs a batch and prints its counts.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from tests.sim.settings import FAULTS, draw
from tests.sim.world import World

HAPPENS: Final = (
    *(f"fault {name}" for name in FAULTS),
    "fault outbox_late", "late events", "fault dropped", "fault doubled", "fault reordered", "fault cut",
    "spend hold", "spend local", "spend override", "credit local", "spend refused",
    "hold granted", "hold refused", "hold late", "event hold voided", "event void", "event return",
    "void of a return",
    "event adjust", "event sale", "event top_up", "event odd",
    "return reserved", "return not reserved", "return on trust",
    "owner expire", "owner unexpire", "owner correction", "owner merge", "owner unmerge", "receivable",
    "kept posted", "kept forwarded", "kept quarantined",
    "cell", "conflict kept", "consent given", "consent withdrawn", "erased", "merged", "unmerged",
    "unmerge refused", "merged and parted at once", "forgiven",
    "reply SyncReply", "reply Fork", "reply RebaseReply", "reply NewTimeline", "reply HoldReply",
    "reply SnapshotReply", "reply Refusal", "refetched", "pending points",
    "written off", "visited held", "visited left",
)  # fmt: skip
"""What a batch must have seen."""
WITH_BUDGET: Final = ("spend risk", "bound reached", "overdrawn", "event grant_close")
"""What happens only where there is a budget to risk. `bound reached`: the bound is tight."""
_ALL: Final = (*HAPPENS, *WITH_BUDGET)
_SUMMARY: Final = {
    "faults": {name.removeprefix("fault "): name for name in _ALL if name.startswith("fault ")},
    "authorities": {name: name for name in _ALL if name.startswith(("spend ", "credit ", "hold "))},
    "the bound": {name: name for name in ("bound reached", "overdrawn", "F", "W")},
}
"""What is told of many seeds: the words, and the counts behind them."""


def run_seed(seed: int, budget: int) -> Counter[str]:
    """One run; what happened in it. Raises Broken, or whatever the code under test raises."""
    world = World(draw(seed, budget))
    world.run()
    world.counts["seeds"] += 1
    world.counts["server steps"] += world.oracle.steps
    tenant = world.server.store.tenant()
    world.counts["F"] += tenant.lost
    world.counts["W"] += tenant.written_off
    return world.counts


def run_seeds(seeds: Iterable[int], budget: int) -> Counter[str]:
    """A batch; the sum of its counts."""
    total: Counter[str] = Counter()
    for seed in seeds:
        total.update(run_seed(seed, budget))
    return total


def never_happened(counts: Counter[str], budget: int) -> list[str]:
    """What a batch has not seen and should have."""
    wanted = (*HAPPENS, *WITH_BUDGET) if budget else HAPPENS
    return [name for name in wanted if not counts[name]]


def told(counts: Counter[str]) -> str:
    """The counts for people, by name."""
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))


def summary(found: Mapping[int, Counter[str]]) -> list[str]:
    """Seeds, steps, each fault and each authority, by budget R: what never happened is told as 0."""
    lines = []
    for budget, counts in sorted(found.items(), reverse=True):
        lines.append(
            f"simulated chain, R = {budget}: {counts['seeds']:,} seeds, "
            f"{counts['server steps']:,} steps of head office"
        )
        for title, names in _SUMMARY.items():
            each = ", ".join(f"{word} {counts[name]:,}" for word, name in names.items())
            lines.append(f"  {title}: {each}")
    return lines


def main() -> None:
    """Run a batch that the command line names."""
    first, count, budget = map(int, sys.argv[1:4])
    counts = run_seeds(range(first, first + count), budget)
    print(told(counts))
    print("never:", never_happened(counts, budget))


if __name__ == "__main__":
    main()
