"""Dates that no calendar has, as a stranger may write them, are shown and stop nothing."""

from __future__ import annotations

import pytest

from app.domain.business_day import NEVER, BusinessDate


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (0, "1970-01-01"),
        (int(NEVER), "9999-12-31"),
        (int(BusinessDate.on(1, 1, 1)), "0001-01-01"),
        (int(NEVER) + 1, f"+{int(NEVER) + 1}d"),
        (int(BusinessDate.on(1, 1, 1)) - 1, f"{int(BusinessDate.on(1, 1, 1)) - 1}d"),
        (10**12, "+1000000000000d"),
    ],
)
def test_every_day_has_a_text(days: int, text: str) -> None:
    assert BusinessDate(days).iso() == text
