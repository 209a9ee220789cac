"""kill -9 while the owner's postings of a month's end run: nobody is missed, nobody is booked twice."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from app.context import Context
from app.domain.business_day import BusinessDate
from app.usecases import owner_postings
from app.usecases.owner_postings import Progress, post_all
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
        _killed_in(kiosk, on, batches=rng.randint(1, 2), seconds=rng.uniform(0, 0.01))
        kiosk.open()
        booked.append(kinds(kiosk).count("expire"))
        assert verify(kiosk.ctx).findings == []
    assert booked == sorted(booked)
    assert all(0 < each < MEMBERS for each in booked[1:]), "every kill has to come in the middle"
    assert len(set(booked)) == KILLS + 1, "every kill comes after something was booked"
    post_all(kiosk.ctx, on, None)
    assert kinds(kiosk).count("expire") == MEMBERS
    assert total_points(kiosk) == 0
    assert verify(kiosk.ctx).findings == []


def _killed_in(kiosk: Kiosk, on: BusinessDate, *, batches: int, seconds: float) -> None:
    """Run the postings in a process of their own, and kill it after some batches, at a moment of the next one.

    Each batch takes a byte that the parent gave, so however busy the machine is, no later one begins.
    """
    granted, grant = os.pipe()
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            kiosk.open()
            post_batch = owner_postings.post_batch

            def counted(ctx: Context, progress: Progress) -> Progress:
                os.read(granted, 1)
                after = post_batch(ctx, progress)
                os.write(tell, b"1")
                return after

            owner_postings.post_batch = counted
            post_all(kiosk.ctx, on, None)
        finally:
            os._exit(0)
    for end in (granted, tell):
        os.close(end)  # the child's ends: when it dies too soon, reading says so
    os.write(grant, b"1" * (batches + 1))
    for _ in range(batches):
        assert os.read(told, 1) == b"1"
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for end in (grant, told):
        os.close(end)
