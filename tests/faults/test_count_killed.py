"""A till that is killed while a drawer is counted and its shift closed: there is one count and one end."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import posting
from app.build import Till, open_till
from app.context import Context, Session, Tx
from app.protocol.events import Event
from app.usecases.close_shift import CloseShift, close_shift
from app.usecases.count import CountDrawer, count_drawer
from app.usecases.verify import verify
from db import rows
from tests.app.drawer_acts import pieces, sale
from tests.fakes import ZONE_MIN, Shop, SteppedClock

COUNT, CLOSE = b"count".ljust(16, b"."), b"close".ljust(16, b".")


def reopen(shop: Shop, folder: Path) -> Till:
    return open_till(
        folder,
        find_keystore=lambda: shop.keystore,
        clock=SteppedClock(shop.clock.now),
        offset_min=lambda: ZONE_MIN,
    )


def end_shift(
    till: Till, session: Session, done: Callable[[str], None] = lambda step: None
) -> None:
    """Count, then close, by commands that keep their ids; `done` hears of each after it."""
    assert session.shift_id is not None
    counting = CountDrawer(COUNT, session, session.shift_id, pieces(53_680))
    count_drawer(till.context, counting)
    done(posting.COUNT)
    close_shift(till.context, CloseShift(CLOSE, session, session.shift_id))
    done(posting.SHIFT_CLOSE)


def end_until(
    till: Till, session: Session, step: str, moment: str, halt: Callable[[], None]
) -> None:
    """End the shift and halt at a step: "recorded" in its transaction, "committed" before its files are
    written, or "done"."""
    record, to_files = Tx.record, Context._to_files

    def recorded(tx: Tx, kind: str, **more: Any) -> Event:
        event = record(tx, kind, **more)
        if (kind, moment) == (step, "recorded"):
            halt()
        return event

    def committed(ctx: Context, tx: Tx) -> None:
        if moment == "committed" and tx.event is not None and tx.event.kind == step:
            halt()
        to_files(ctx, tx)

    def done(kind: str) -> None:
        if (kind, moment) == (step, "done"):
            halt()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tx, "record", recorded)
        patch.setattr(Context, "_to_files", committed)
        end_shift(till, session, done)


def killed(shop: Shop, folder: Path, session: Session, step: str, moment: str) -> None:
    """A child ends the shift, halts there, and is killed where it stands."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reads)

            def halt() -> None:
                os.write(writes, b".")
                signal.pause()

            end_until(reopen(shop, folder), session, step, moment, halt)
        finally:
            os._exit(1)  # never on into the parent's tests
    os.close(writes)
    came = os.read(reads, 1)  # empty where the child ended before
    os.close(reads)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert came == b".", "the child came to where it is to be killed"
    assert os.WTERMSIG(status) == signal.SIGKILL


def kinds_in(till: Till) -> tuple[int, int]:
    """How many counts and ends of a shift the till has."""
    with till.context.read() as conn:
        kinds = [row.kind for row in rows.events_after(conn, 0)]
    return kinds.count(posting.COUNT), kinds.count(posting.SHIFT_CLOSE)


@pytest.mark.parametrize(
    ("step", "moment", "kept"),
    [
        (posting.COUNT, "recorded", (0, 0)),
        (posting.COUNT, "committed", (1, 0)),
        (posting.COUNT, "done", (1, 0)),
        (posting.SHIFT_CLOSE, "recorded", (1, 0)),
        (posting.SHIFT_CLOSE, "committed", (1, 1)),
        (posting.SHIFT_CLOSE, "done", (1, 1)),
    ],
)
def test_a_kill_leaves_one_count_and_one_end_of_the_shift(
    shop: Shop, tmp_path: Path, step: str, moment: str, kept: tuple[int, int]
) -> None:
    session = shop.start(float_minor=50_000)
    sale(shop, session, 3_680)
    shop.till.close()
    folder = Path(shutil.copytree(shop.till.folder, tmp_path / "killed"))
    killed(shop, folder, session, step, moment)
    till = reopen(shop, folder)
    assert kinds_in(till) == kept
    end_shift(till, session)
    assert kinds_in(till) == (1, 1)
    assert verify(till.context).findings == []
    till.close()
    shop.open()
