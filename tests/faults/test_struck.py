"""R2 and R4: one sale with its slip, struck at each of its calls: killed there, told EIO, ENOSPC or EINTR, or
served by half."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from app.journal import JournalFile, Record
from tests.app.kiosk import Template
from tests.faults.struck_till import CALLS, Outcome, rehearse, shorten, strike

MOST_CALLS = 200


@pytest.fixture(autouse=True)
def _rehearsed(template: Template, disk: Path) -> None:
    rehearse(disk / "first", template)


def struck_everywhere(disk: Path, template: Template, call: str, how: str) -> list[Outcome]:
    """Every point: number after number, until the sale is over before that many calls."""
    outcomes: list[Outcome] = []
    for number in range(1, MOST_CALLS):
        folder = disk / "one"
        outcome = strike(folder, template, call, number, how)
        shutil.rmtree(folder)
        if not outcome.struck:
            assert outcome.acked
            assert (outcome.warned, outcome.refused, outcome.problems) == (False, "", [])
            return outcomes
        outcomes.append(outcome)
    raise AssertionError(f"more than {MOST_CALLS} calls of {call}")


@pytest.mark.parametrize("how", ["signal=SIGKILL", "error=EIO", "error=ENOSPC"])
def test_a_sale_struck_at_each_of_its_calls_loses_and_doubles_nothing(
    template: Template, disk: Path, how: str
) -> None:
    found = {call: struck_everywhere(disk, template, call, how) for call in CALLS}
    problems = [
        (call, number, problem)
        for call, outcomes in found.items()
        for number, outcome in enumerate(outcomes, 1)
        for problem in outcome.problems
    ]
    assert problems == []
    ends = Counter(
        "acked" if outcome.acked else outcome.refused or "killed"
        for outcomes in found.values()
        for outcome in outcomes
    )
    assert sum(ends.values()) >= 60, f"struck at {ends}"
    assert ends["acked"] > 0
    assert ends["acked"] < sum(ends.values()), "struck before and after the acknowledgement"


@pytest.mark.parametrize(
    ("how", "calls"), [("error=EINTR", CALLS), ("retval=0", ("write", "pwrite64"))]
)
def test_a_call_that_is_interrupted_or_takes_nothing_loses_and_doubles_nothing(
    template: Template, disk: Path, how: str, calls: tuple[str, ...]
) -> None:
    """retval=0 is the honest extreme of a short write: nothing was written, and nothing is said to be."""
    found = {call: struck_everywhere(disk, template, call, how) for call in calls}
    assert [
        (call, number, problem)
        for call, outcomes in found.items()
        for number, outcome in enumerate(outcomes, 1)
        for problem in outcome.problems
    ] == []
    # Our own files: whatever was interrupted or short is done again, and nobody hears of it.
    assert all(outcome.acked and not outcome.warned for outcome in found["write"])
    assert sum(map(len, found.values())) >= 10


def test_a_write_that_takes_half_is_finished_and_nobody_hears_of_it(
    template: Template, disk: Path
) -> None:
    struck = 0
    for number in range(1, MOST_CALLS):
        outcome = shorten(disk / "one", template, number)
        shutil.rmtree(disk / "one")
        assert (outcome.acked, outcome.warned, outcome.refused, outcome.problems) == (
            True, False, "", [],
        )  # fmt: skip
        if not outcome.struck:
            break
        struck += 1
    assert struck >= 2


def test_a_half_that_is_left_at_that_shows(
    template: Template, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The red twin: a journal that takes one write for the whole record."""

    def once(fd: int, blob: bytes) -> None:
        os.write(fd, blob)

    monkeypatch.setattr("app.journal.write_all", once)
    outcomes = [shorten(disk / str(number), template, number) for number in range(1, 4)]
    assert any(outcome.struck and outcome.problems for outcome in outcomes)


def test_a_journal_error_that_is_swallowed_shows_at_the_call_that_failed(
    template: Template, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The red twin of the errors: the same strikes and the same look at a till that is careless."""
    sound = JournalFile.append

    def careless(self: JournalFile, records: list[Record], *, day: str) -> None:
        with contextlib.suppress(OSError):
            sound(self, records, day=day)

    monkeypatch.setattr(JournalFile, "append", careless)
    outcomes = struck_everywhere(disk, template, "write", "error=ENOSPC")
    told = "said to be done without a warning, and in one copy only"
    assert told in {problem for outcome in outcomes for problem in outcome.problems}
