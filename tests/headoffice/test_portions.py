"""How long a portion of work goes on that nobody waits for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from headoffice import portions
from headoffice.portions import LONG_MS, SHORT_MS, Portion


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The monotonic clock, moved by the test."""
    clock = SimpleNamespace(ms=0.0)
    stood = SimpleNamespace(monotonic=lambda: clock.ms / 1000)
    monkeypatch.setattr(portions, "time", stood)
    return clock


def test_a_portion_goes_on_until_somebody_waits(clock: SimpleNamespace) -> None:
    waiting: list[str] = []
    portion = Portion(lambda: bool(waiting))
    clock.ms = LONG_MS - 1
    assert not portion.over
    waiting.append("a till")
    assert portion.over


def test_a_portion_gets_its_short_time_whoever_waits(clock: SimpleNamespace) -> None:
    portion = Portion(lambda: True)
    clock.ms = SHORT_MS - 1
    assert not portion.over
    clock.ms = SHORT_MS
    assert portion.over


def test_a_portion_that_is_given_longer_has_it(clock: SimpleNamespace) -> None:
    portion = Portion(lambda: True, 2 * LONG_MS)
    clock.ms = 2 * LONG_MS - 1
    assert not portion.over
    clock.ms = 2 * LONG_MS
    assert portion.over


def test_a_portion_ends_though_nobody_waits(clock: SimpleNamespace) -> None:
    portion = Portion(lambda: False)
    clock.ms = LONG_MS
    assert portion.over
