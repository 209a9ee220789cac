"""The golden cases: domain, second calculator and hand working say the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.domain import golden_cases, golden_runner

BASE = golden_runner.load("programme.json")
CASES = [each for name in golden_runner.case_files() for each in golden_runner.load(name)]


def found_at(case: Any, path: str) -> Any:
    """A figure of a case by "step.key" or "state.key"."""
    where, key = path.split(".")
    return case["state"][key] if where == "state" else case["expect"][int(where)][key]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_domain_file_and_hand_say_the_same(case: Any) -> None:
    expect, state = golden_runner.run_case(case, BASE)
    assert expect == case["expect"]
    assert state == case["state"]
    assert {path: found_at(case, path) for path in case["hand"]} == case["hand"]


def test_most_cases_have_figures_worked_by_hand() -> None:
    assert sum(1 for case in CASES if case["hand"]) >= 200


def test_the_files_are_what_the_second_calculator_writes() -> None:
    for topic, cases in golden_cases.by_name().items():
        written = golden_runner.GOLDEN / f"cases_{topic}.json"
        worked = [golden_cases.worked(each, BASE) for each in cases]
        assert written.read_text(encoding="utf-8") == golden_cases.dumped(worked)


def test_no_other_case_file_lies_about() -> None:
    names = {f"cases_{topic}.json" for topic in golden_cases.by_name()}
    assert set(golden_runner.case_files()) == names


def test_there_are_enough_cases_and_no_two_share_a_name() -> None:
    names = [case["name"] for case in CASES]
    dates = golden_runner.load("business_dates.json")
    assert len(names) + len(dates) >= 150
    assert len(set(names)) == len(names)


def test_business_dates_are_as_worked_by_hand() -> None:
    bad = golden_runner.failing_cases()
    assert bad == []


def test_cases_are_plain_json_without_floats() -> None:
    def refuse(text: str) -> None:
        raise AssertionError(text)

    for name in golden_runner.case_files():
        json.loads((golden_runner.GOLDEN / name).read_text(encoding="utf-8"), parse_float=refuse)


def test_the_second_calculator_imports_nothing_of_the_domain() -> None:
    for name in (
        "second_calculator",
        "second_shop",
        "golden_cases",
        "golden_counter",
        "golden_prices",
        "golden_ledger",
    ):
        source = (golden_runner.GOLDEN.parent.parent / "domain" / f"{name}.py").read_text("utf-8")
        assert "import app" not in source
        assert "from app" not in source
