"""A run of all tests is red where none ran on PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.headoffice.ran import PROPERTY, is_whole, pytest_sessionfinish, versions

ROOT = Path(__file__).parents[2]


def config(**option: Any) -> Any:
    """A run of all tests, but for what is given."""
    of_all = {"keyword": "", "markexpr": "", "ignore": None, "collectonly": False}
    reports = option.pop("reports", [])
    args = option.pop("args", [str(ROOT / "tests")])
    terminal = SimpleNamespace(stats={"passed": reports})
    return SimpleNamespace(
        option=SimpleNamespace(**{**of_all, **option}),
        args=args,
        rootpath=ROOT,
        pluginmanager=SimpleNamespace(get_plugin=lambda _: terminal),
    )


def passed(version: str | None) -> pytest.TestReport:
    told = [] if version is None else [(PROPERTY, version)]
    return pytest.TestReport("a", ("a", 1, "a"), {}, "passed", None, "call", user_properties=told)


def outcome(config: Any) -> int:
    session = SimpleNamespace(config=config, exitstatus=0)
    pytest_sessionfinish(session)  # type: ignore[arg-type]  # as much of one as is looked at
    return int(session.exitstatus)


def test_a_whole_run_without_postgresql_fails() -> None:
    assert outcome(config(reports=[passed(None)])) == pytest.ExitCode.TESTS_FAILED


def test_a_whole_run_with_it_passes_and_names_it() -> None:
    reports = [passed("15.1"), passed(None), passed("15.1")]
    assert outcome(config(reports=reports)) == 0
    assert versions(reports) == {"15.1": 2}


@pytest.mark.parametrize(
    "part",
    [
        {"args": [str(ROOT / "tests" / "app")]},
        {"keyword": "sale"},
        {"markexpr": "slow"},
        {"ignore": ["tests/headoffice"]},
        {"collectonly": True},
    ],
)
def test_a_run_of_a_part_may_be_without_it(part: dict[str, Any]) -> None:
    assert not is_whole(config(**part))
    assert outcome(config(**part)) == 0
