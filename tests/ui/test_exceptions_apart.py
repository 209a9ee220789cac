"""The exception report is read in a process of its own: who leaves the page ends it, and nothing hangs."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from PySide6.QtCore import Qt

from app.domain.errors import Outage, Unavailable
from tests.ui.conftest import Rig
from tests.ui.keys import press
from tests.ui.test_exceptions import open_page, with_three_earning_sales
from ui.errors import words_of

SLEEPS = "import time; print(1, flush=True); time.sleep(60)"


class Sleepers:
    """The next processes sleep instead of reading, while `asleep`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        self.asleep = True
        self._real = subprocess.Popen
        monkeypatch.setattr(subprocess, "Popen", self._start)

    def _start(self, command: list[str], **more: Any) -> subprocess.Popen[bytes]:
        if self.asleep:
            command = [sys.executable, "-c", SLEEPS]
        started = self._real(command, **more)
        self.processes.append(started)
        return started

    def killed(self) -> bool:
        """The first one didn't sleep to its end."""
        return self.processes[0].returncode not in (None, 0)


@pytest.fixture
def sleepers(monkeypatch: pytest.MonkeyPatch) -> Sleepers:
    return Sleepers(monkeypatch)


def answers(rig: Rig) -> bool:
    """Whether the report lane takes the next work."""
    done: list[int] = []
    rig.window.lanes.run(rig.window, "report", lambda: 1, ok=done.append, failed=lambda error: None)
    rig.until(lambda: done)
    return bool(done)


def test_esc_ends_the_reading_and_the_lane_is_free(manager: Rig, sleepers: Sleepers) -> None:
    open_page(manager)
    manager.until(lambda: sleepers.processes)
    press(Qt.Key.Key_Escape)
    manager.until(sleepers.killed)
    assert answers(manager)


def test_another_period_ends_the_reading_of_the_one_before(
    manager: Rig, sleepers: Sleepers
) -> None:
    page = open_page(manager)
    manager.until(lambda: sleepers.processes)
    sleepers.asleep = False
    page.period.choose("28")
    manager.until(lambda: page.report is not None)
    assert page.report is not None
    assert page.report.since == page.report.until.plus(-27)
    assert len(sleepers.processes) == 2
    manager.until(sleepers.killed)


def test_a_reading_that_is_killed_says_so_and_the_next_one_answers(
    manager: Rig, sleepers: Sleepers
) -> None:
    page = open_page(manager)
    manager.until(lambda: sleepers.processes)
    sleepers.processes[0].kill()
    said = words_of(page._kit, Unavailable(Outage.STORE_FAILED))
    manager.until(lambda: page.status.text() == said)
    assert page.report is None
    sleepers.asleep = False
    page.period.choose("1")
    manager.until(lambda: page.report is not None)


def test_the_window_closes_while_the_report_is_read(manager: Rig, sleepers: Sleepers) -> None:
    open_page(manager)
    manager.until(lambda: sleepers.processes)
    assert manager.window.close()
    assert sleepers.killed()


def test_sales_go_on_while_the_report_is_read(manager: Rig, sleepers: Sleepers) -> None:
    open_page(manager)
    manager.until(lambda: sleepers.processes)
    with_three_earning_sales(manager)
    assert manager.documents() == 3
    assert not sleepers.killed()
