"""Frames that a till has fetched ahead lie in files beside its store while it begins, and no longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.dealings import reading
from app.sync import ahead as ahead_module
from app.sync import exchange as exchange_module
from app.sync.exchange import Exchange
from app.usecases.tidy import ARRIVING
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.headoffice.counters import let_in, lines, office, till
from tests.headoffice.http_office import Served
from tests.headoffice.test_ahead import begun_ahead, full, to_the_end

__all__ = ["full", "kiosk", "lines", "made_template", "office", "template", "till"]


def test_files_hold_what_is_ahead_and_nothing_that_is_written(
    till: Kiosk, full: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead_module, "FRAMES_MOST", 4)
    monkeypatch.setattr(exchange_module, "FRAMES_AT_ONCE", 4)
    monkeypatch.setattr(exchange_module, "FRAMES_TOGETHER", 4)
    folder = till.folder / ARRIVING
    folder.mkdir()
    of_before = folder / "0123456789abcdef-0-16"
    of_before.touch()
    exchange = let_in(till, full, lines)
    ahead = begun_ahead(exchange)
    assert ahead.wait(1)
    assert not of_before.exists()
    seen = set[int]()
    while exchange._ahead is not None:
        exchange.once()
        with till.ctx.read() as conn:
            begun = reading(conn).control().begun
        lowest = min((_behind(path) for path in folder.iterdir()), default=0)
        if begun is not None and lowest:
            # Those of the last transaction may be there still.
            assert begun.frame - 4 < lowest
            seen.add(lowest)
    assert len(seen) > 2
    assert list(folder.iterdir()) == []


def _behind(path: Path) -> int:
    _, first, count = path.name.split("-")
    return int(first) + int(count)


def test_files_of_before_are_gone_after_the_first_answer(
    till: Kiosk, full: Served, lines: list[Exchange]
) -> None:
    """A till that was killed between its last commit and their end, or that pages since."""
    exchange = let_in(till, full, lines)
    to_the_end(exchange)
    exchange.close()
    left = till.folder / ARRIVING / "0123456789abcdef-0-16"
    left.parent.mkdir(exist_ok=True)
    left.touch()
    again = Exchange(till.ctx)
    lines.append(again)
    assert again.once() is not None
    assert not left.exists()
