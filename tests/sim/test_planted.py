"""The swarm finds every planted bug: an invariant that nothing can break would prove nothing."""

from __future__ import annotations

import pytest

from tests.sim.planted import BUGS, Bug
from tests.sim.swarm import run_seeds

SEEDS = 60


@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_the_swarm_finds(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.plant(monkeypatch)
    with pytest.raises(AssertionError) as found:
        run_seeds(range(bug.seed, bug.seed + SEEDS), 300)
    print(f"{bug.name}: {found.value}")
