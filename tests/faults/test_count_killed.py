"""A till that is killed while a drawer is counted and its shift closed: there is one count and one end."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from app import posting
from app.build import Till, open_till
from app.context import Session
from app.usecases.close_shift import CloseShift, close_shift
from app.usecases.count import CountDrawer, count_drawer
from app.usecases.verify import verify
from db import rows
from tests.app.test_drawer import pieces, sale
from tests.fakes import ZONE_MIN, Shop, SteppedClock

COUNT, CLOSE = b"count".ljust(16, b"."), b"close".ljust(16, b".")


def reopen(shop: Shop, folder: Path) -> Till:
    return open_till(
        folder,
        find_keystore=lambda: shop.keystore,
        clock=SteppedClock(shop.clock.now),
        offset_min=lambda: ZONE_MIN,
    )


def end_shift(till: Till, session: Session, said: int | None = None) -> None:
    """Count, then close, by commands that keep their ids; tells each as it is done."""
    assert session.shift_id is not None
    steps = (
        lambda: count_drawer(
            till.context, CountDrawer(COUNT, session, session.shift_id or b"", pieces(53_680))
        ),
        lambda: close_shift(till.context, CloseShift(CLOSE, session, session.shift_id or b"")),
    )
    for step in steps:
        step()
        if said is not None:
            os.write(said, b".")


def killed(shop: Shop, folder: Path, session: Session, *, after: int, wait_s: float) -> int:
    """A child ends the shift and is killed `wait_s` after it told `after` steps; how many it told."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        end_shift(reopen(shop, folder), session, writes)
        time.sleep(30)
        os._exit(0)
    os.close(writes)
    told = 0
    while told < after:
        told += len(os.read(reads, 1))
    time.sleep(wait_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    told += len(os.read(reads, 8))
    os.close(reads)
    return told


@pytest.mark.parametrize(
    ("after", "wait_ms"), [(0, 40), (0, 150), (0, 250), (1, 0), (1, 3), (2, 0)]
)
def test_a_kill_leaves_one_count_and_one_end_of_the_shift(
    shop: Shop, tmp_path: Path, after: int, wait_ms: int
) -> None:
    session = shop.start(float_minor=50_000)
    sale(shop, session, 3_680)
    shop.till.close()
    folder = Path(shutil.copytree(shop.till.folder, tmp_path / "killed"))
    wait_s = (wait_ms + random.Random(wait_ms).random()) / 1000
    told = killed(shop, folder, session, after=after, wait_s=wait_s)
    till = reopen(shop, folder)
    with till.context.read() as conn:
        kinds = [row.kind for row in rows.events_after(conn, 0)]
    assert kinds.count(posting.COUNT) >= min(told, 1)
    assert kinds.count(posting.SHIFT_CLOSE) >= told - 1
    end_shift(till, session)
    with till.context.read() as conn:
        kinds = [row.kind for row in rows.events_after(conn, 0)]
    assert (kinds.count(posting.COUNT), kinds.count(posting.SHIFT_CLOSE)) == (1, 1)
    assert verify(till.context).findings == []
    till.close()
    shop.open()
