"""Whether the tests on PostgreSQL ran: what tests/conftest.py makes its hooks of, since a run may not pass
without them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

PROPERTY: Final = "postgresql"
"""The name under which a test says on which version of the server it ran."""


def versions(reports: Iterable[object]) -> Counter[str]:
    """How many passed tests ran on which version."""
    found: Counter[str] = Counter()
    for report in reports:
        if isinstance(report, pytest.TestReport):
            found.update({str(value) for name, value in report.user_properties if name == PROPERTY})
    return found


def is_whole(config: pytest.Config) -> bool:
    """Whether this run was asked for all tests."""
    option = config.option
    narrowed = option.keyword or option.markexpr or option.ignore or option.collectonly
    chosen = [Path(each).resolve() for each in config.args]
    return not narrowed and chosen == [config.rootpath / "tests"]


def _passed(config: pytest.Config) -> Counter[str]:
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    return versions(terminal.stats.get("passed", ())) if terminal else Counter()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run of all tests fails where none ran on PostgreSQL."""
    config = session.config
    here = not hasattr(config, "workerinput")
    if here and is_whole(config) and not _passed(config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def tell(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the server, at the end of a run."""
    found = _passed(config)
    for version, tests in found.items():
        terminalreporter.write_line(f"{tests} tests ran on PostgreSQL {version}")
    if is_whole(config) and not found:
        terminalreporter.write_line("FAILED: no test ran on PostgreSQL", red=True)
