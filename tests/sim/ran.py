"""What the simulated chain did in a run of the tests: each seed's counts come with its test's report, also from
another process, and are told at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import pytest

from tests.sim.swarm import summary

PROPERTY: Final = "simulated"
"""The name under which a test tells its counts and the budget of its seeds, as plain values."""


def simulated(reports: Iterable[object]) -> dict[int, Counter[str]]:
    """The counts of all tests, by budget."""
    found: dict[int, Counter[str]] = {}
    for report in reports:
        if isinstance(report, pytest.TestReport) and report.when == "call":
            for name, value in report.user_properties:
                if name == PROPERTY and isinstance(value, dict):
                    found.setdefault(value["budget"], Counter()).update(value["counts"])
    return found


def tell(terminalreporter: pytest.TerminalReporter) -> None:
    """The sums, of tests that failed too."""
    stats = terminalreporter.stats
    for line in summary(simulated([*stats.get("passed", ()), *stats.get("failed", ())])):
        terminalreporter.write_line(line)
