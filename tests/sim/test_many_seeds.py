"""The long run of the simulator says how many seeds it ran, and is red where one fails or they are fewer."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.long import simulator
from tests.sim.oracle import Broken
from tests.sim.swarm import HAPPENS, WITH_BUDGET

BASE = 7
FIRST = BASE * simulator.APART


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Put a seed in and it fails; every other one sees everything, in no time."""
    failing: set[int] = set()

    def seed(number: int, budget: int) -> Counter[str]:
        if number in failing:
            raise Broken("planted")
        return Counter(["seeds", "server steps", *HAPPENS, *(WITH_BUDGET if budget else ())])

    monkeypatch.setattr(simulator, "run_seed", seed)
    return failing


@pytest.mark.usefixtures("fails")
def test_all_that_are_asked_for_are_run_half_of_them_without_a_budget(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = simulator.run(BASE, 0.0, seeds=220, processes=0)
    assert report["failed"] == []
    assert (report["run"], report["wanted"]) == (220, 220)
    assert report["seeds"] == [FIRST, FIRST + 219]
    assert {name: each["seeds"] for name, each in report["counts"].items()} == {
        "R = 300": 120,
        "R = 0": 100,
    }
    assert "simulated chain, R = 0: 100 seeds" in capsys.readouterr().out


def test_a_seed_that_fails_is_named_and_the_others_run_on(fails: set[int]) -> None:
    fails.add(FIRST + 60)
    report = simulator.run(BASE, 0.0, seeds=150, processes=0)
    trace, fewer = report["failed"]
    assert trace.startswith(f"seed {FIRST + 60}, R = 0: ")
    assert "planted" in trace
    assert fewer == "149 of 150 seeds ran to their end"
    assert report["failing seeds"] == 1


def test_seeds_that_did_not_see_everything_fail() -> None:
    report = simulator.run(BASE, 0.0, seeds=2, processes=0)
    assert report["run"] == 2
    assert "never with R = 300: fault office_restored" in report["failed"]
    assert "never with R = 0: spend hold" in report["failed"]
