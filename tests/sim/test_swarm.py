"""200 seeds of the simulated chain: every invariant at every step, and all that can happen did happen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Literal

import pytest

from tests.sim.ran import PROPERTY, simulated
from tests.sim.settings import FAULTS
from tests.sim.swarm import HAPPENS, WITH_BUDGET, never_happened, run_seed, run_seeds, summary

BATCHES = [(0, 300), (50, 300), (100, 0), (150, 0)]
EACH = 50

REGRESSIONS = [
    (7013769, 300),
    (7016973, 300),
    (7019351, 0),
    (21000102, 300),
    (21000715, 300),
    (21001720, 300),
    (21009108, 300),
    (21011337, 300),
    (31005153, 0),
    (32001253, 0),
    (71019995, 0),
]
"""An un-merge took a field from both, which a till had sent again after a restore; the same; an old disk was
put back while a snapshot was asked for, whose rows then counted as with the till's new events; a return that
was forwarded was voided after the un-merge; a sale that was forwarded came after its returns; a lost till had
spent by a hold of two who were parted before its outbox came; the same by its own credits; who goes on for a
visited member left before them; an old disk that had all rows to fetch asked for frames of its new epoch for
ever; a till kept a visited member for a field that was then dropped, as who goes on for them was erased; a
till was put back amid a fetch with one field of a visited member who had left when it fetched again."""


@pytest.mark.parametrize(("seed", "budget"), REGRESSIONS)
def test_a_seed_that_failed_once_holds(seed: int, budget: int) -> None:
    run_seed(seed, budget)


@pytest.mark.parametrize(("first", "budget"), BATCHES)
def test_every_invariant_holds_and_nothing_is_left_out(
    first: int, budget: int, record_property: Callable[[str, object], None]
) -> None:
    counts = run_seeds(range(first, first + EACH), budget)
    record_property(PROPERTY, {"budget": budget, "counts": dict(counts)})
    assert not never_happened(counts, budget)


def test_a_batch_without_a_fault_says_so() -> None:
    counts = run_seeds(range(1), 300)
    missing = never_happened(counts, 300)
    assert missing
    assert set(missing) & {f"fault {name}" for name in FAULTS}


def test_one_seed_is_one_run() -> None:
    assert run_seeds(range(3, 5), 300) == run_seeds(range(3, 5), 300)


def report(
    budget: int, counts: dict[str, int], when: Literal["setup", "call"]
) -> pytest.TestReport:
    told = [(PROPERTY, {"budget": budget, "counts": counts})]
    return pytest.TestReport("a", ("a", 1, "a"), {}, "passed", None, when, user_properties=told)


def test_a_run_of_the_tests_adds_up_what_its_workers_saw() -> None:
    batches = [
        report(300, {"seeds": 50, "fault crash": 3}, "call"),
        report(300, {"seeds": 50, "fault crash": 4}, "call"),
        report(0, {"seeds": 50, "spend hold": 2}, "call"),
        report(300, {"seeds": 50, "fault crash": 3}, "setup"),
    ]
    assert simulated([*batches, object()]) == {
        300: Counter({"seeds": 100, "fault crash": 7}),
        0: Counter({"seeds": 50, "spend hold": 2}),
    }


def test_the_summary_names_every_fault_and_authority_those_without_one_too() -> None:
    lines = summary({300: Counter({"seeds": 100, "server steps": 41_000, "fault crash": 7})})
    assert lines[0] == "simulated chain, R = 300: 100 seeds, 41,000 steps of head office"
    told = "\n".join(lines)
    assert "crash 7, torn_commit 0, partition 0" in told
    faults = [name.removeprefix("fault ") for name in HAPPENS if name.startswith("fault ")]
    authorities = [
        name for name in (*HAPPENS, *WITH_BUDGET) if name.startswith(("spend ", "credit "))
    ]
    assert len(faults) >= len(FAULTS) + 4
    assert {"spend hold", "spend local", "spend risk", "spend refused"} <= set(authorities)
    for name in (*faults, *authorities):
        assert re.search(rf"\b{name} \d", told), name
