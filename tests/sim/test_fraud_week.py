"""One week of the synthetic shop (testing.md S4); the year is `python -m tests.sim.fraud_year --seed N`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from app.domain.fraud.facts import RULES
from app.domain.fraud.limits import DEFAULT_GUARD, LIMIT_NAMES, GuardLimits
from tests.sim.fraud_year import GOAL_FALSE, GOAL_RULE, Judged, run

DAYS, EACH, FIRST = 10, 2, 3
SALES = 1_000_000 * DAYS // 365


def week(limits: GuardLimits = DEFAULT_GUARD) -> Judged:
    """Three quiet days, then a week with 24 episodes, at the pace of a year with a million sales."""
    seed = 20_261_122
    return run(seed, days=DAYS, sales=SALES, each=EACH, first_day=FIRST, limits=limits)


@pytest.fixture(scope="module")
def judged() -> Judged:
    return week()


def test_a_week_has_episodes_of_every_rule(judged: Judged) -> None:
    assert {rule: len(judged.planted[rule]) for rule in RULES} == dict.fromkeys(RULES, EACH)


def test_what_must_be_blocked_is_blocked(judged: Judged) -> None:
    assert judged.stopped["F1"] == judged.acts["F1"] > 0
    assert judged.stopped["F11"] == judged.acts["F11"] > 0
    assert judged.found["F5"] == judged.planted["F5"]


def test_a_weeks_fraud_is_found_and_honest_work_is_left_alone(judged: Judged) -> None:
    """A year's goals, with room for a week's chance: 24 episodes, some eighty flags."""
    assert judged.recall_all_bp >= GOAL_RULE
    assert judged.per_sale(sum(judged.false_flags.values())) <= GOAL_FALSE * 1.5


def test_without_its_limits_the_guard_finds_little() -> None:
    """The test can fail: most of what the week finds comes from the limits."""
    off = week(GuardLimits(**dict.fromkeys(LIMIT_NAMES, 0)))
    assert off.recall_all_bp < 4000


@pytest.mark.parametrize("name", ["fraud_shop.py", "fraud_episodes.py"])
def test_shop_and_episodes_know_nothing_of_the_rules(name: str) -> None:
    tree = ast.parse((Path(__file__).parent / name).read_text(encoding="utf-8"))
    imported = {
        module
        for node in ast.walk(tree)
        for module in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert not [module for module in imported if module.split(".")[0] in ("app", "db", "ui")]
