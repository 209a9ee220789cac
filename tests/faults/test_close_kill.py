"""kill -9 while the owner's postings of a month's end run: nobody is missed, nobody is booked twice."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from app.domain.business_day import BusinessDate
from app.usecases import owner_postings
from app.usecases.owner_postings import post_all
from app.usecases.verify import verify
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.app.test_owner_postings import (
    kinds,
    last_good_date,
    members_who_bought,
    shut,
    total_points,
)

__all__ = ["kiosk", "made_template", "template"]

MEMBERS = 40
KILLS = 6


def test_postings_that_are_killed_again_and_again_book_everybody_once(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    members_who_bought(kiosk, MEMBERS)
    on = last_good_date(kiosk)
    shut(kiosk)
    monkeypatch.setattr(owner_postings, "BATCH_MEMBERS", 2)
    rng, booked = random.Random(7), [0]
    for _ in range(KILLS):
        kiosk.close()
        _killed_in(kiosk, on, rng.uniform(0.01, 0.08))
        kiosk.open()
        booked.append(kinds(kiosk).count("expire"))
        assert verify(kiosk.ctx).findings == []
    assert booked == sorted(booked)
    assert any(0 < each < MEMBERS for each in booked), "a kill has to come in the middle"
    post_all(kiosk.ctx, on, None)
    assert kinds(kiosk).count("expire") == MEMBERS
    assert total_points(kiosk) == 0
    assert verify(kiosk.ctx).findings == []


def _killed_in(kiosk: Kiosk, on: BusinessDate, seconds: float) -> None:
    """Run the postings in a process of their own; it says when it begins, and is killed after that."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            kiosk.open()
            os.write(writer, b"1")
            post_all(kiosk.ctx, on, None)
        finally:
            os._exit(0)
    os.read(reader, 1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reader)
    os.close(writer)
