"""kill -9 while a till closes a day, at every step from the first to what follows the Z (testing.md, R1).

The parent kills, at a step that the child has told or a moment after it, and counts where. When the till starts
again the close is done again or goes on: each date has one Z, the numbers have no gap, the books are right.
"""

from __future__ import annotations

import collections
import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from enum import IntEnum
from typing import Any

from app import backup, posting, statement
from app.journal import Record
from app.protocol.events import Event
from app.usecases import close_day as closing_of_days
from app.usecases import close_unattended
from app.usecases.back_up import make_backup
from app.usecases.close_unattended import close_all
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.verify import verify
from app.usecases.z_files import statement_of
from db import day, rows
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.faults.killed_till import check_past

__all__ = ["kiosk", "made_template", "template"]


class Stage(IntEnum):
    """Where a close can be when it is killed, in its order."""

    BEGUN = 1
    SHIFT_ENDED = 2
    POSTED = 3
    PROVEN = 4
    COPIED = 5
    """The copy is there, unproven and unsealed."""
    SEALED = 6
    NOTED = 7
    """The backup is known to the till; nothing is signed."""
    SIGNED = 8
    """Within the transaction of the Z, or just after its commit."""
    COMMITTED = 9
    """Not in the journal file."""
    WRITTEN = 10
    """Without its file beside the backups."""
    FILED = 11
    """The backup that it names lacks it."""
    COMPLETED = 12
    """What follows the Z has not begun."""


ROUNDS = 2
"""For each stage: killed right there, and a moment after it."""


def test_a_day_close_that_is_killed_anywhere_is_done_again_or_goes_on(kiosk: Kiosk) -> None:
    chance, killed_at = random.Random(5), collections.Counter[Stage]()
    for round_ in range(ROUNDS):
        for stage in Stage:
            kiosk.quote_and_sell(10_000 + 100 * chance.randrange(90))
            kiosk.clock.now += timedelta(days=1)
            kiosk.close()
            at = _killed(kiosk, stage, seconds=chance.uniform(0, 0.05) if round_ else None)
            killed_at[at] += 1
            kiosk.open()
            assert verify(kiosk.ctx).findings == [], at
            made_now = len(close_all(kiosk.ctx).closed)
            # A moment after the signature the commit may be through, and the child has not told yet.
            known = {0} if at > Stage.SIGNED else {1} if at < Stage.SIGNED else {0, 1}
            assert made_now in known, at
            _check_books(kiosk)
            open_shift(kiosk.ctx, OpenShift(kiosk.ctx.ids(), kiosk.session, 0))
    assert [stage for stage in Stage if not killed_at[stage]] == []


def _check_books(kiosk: Kiosk) -> None:
    """One Z a date, numbers and dates without a gap, what they count is everything, each signed."""
    ctx = kiosk.ctx
    assert verify(ctx).findings == []
    assert check_past(ctx) == []
    with ctx.read() as conn:
        closes = [posting.event_of(row) for row in rows.day_closes_after(conn, 0)]
        paid = conn.execute("SELECT coalesce(sum(total_minor), 0) FROM document").fetchone()[0]
        points = day.cached_points(conn)
    first = closes[0].doc["date"]
    numbered = [(event.doc["number"], event.doc["date"] - first) for event in closes]
    assert numbered == [(n + 1, n) for n in range(len(closes))]
    assert first + len(closes) == ctx.business_date()
    assert sum(event.doc["sums"]["paid"] for event in closes) == paid
    proof = closes[-1].doc["proof"]
    assert (proof["points_at_end"], proof["faults"]) == (points, 0)
    assert [len(event.doc["sums"]["shifts"]) for event in closes] == [1] * len(closes)
    for event in closes:
        facts = statement_of(ctx, event.doc)
        blob = statement.to_file(facts, bytes.fromhex(event.doc["signature"]))
        assert statement.check(blob).facts["number"] == event.doc["number"]
    for path in backup.listed(backup.folder_of(ctx)):
        backup.check_files(path, backup.check_seal(path, ctx.data_key))
    _check_files(kiosk, closes[-1])


def _check_files(kiosk: Kiosk, close: Event) -> None:
    """What every backup begins with: the newest Z owes no file, and is in the backup that it names."""
    ctx = kiosk.ctx
    make_backup(ctx)
    folder = backup.folder_of(ctx)
    (path,) = folder.glob(f"*-Z{close.doc['number']:06d}-*.json")
    assert statement.check(path.read_bytes()).facts["number"] == close.doc["number"]
    tail = backup.tail_of(folder / close.doc["proof"]["backup"], ctx.data_key, ctx.owner)
    assert close.seq in {record.seq for record in tail.scan().records}


# The child ------------------------------------------------------------------------------------------


def _killed(kiosk: Kiosk, stage: Stage, *, seconds: float | None) -> Stage:
    """Close in a process of its own and kill it at a stage, or `seconds` after it; the last stage reached."""
    told, tell = os.pipe()
    granted, grant = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.close(grant)
            kiosk.open()
            _watch(kiosk, lambda at: _reach(at, stage, tell, granted))
            _reach(Stage.BEGUN, stage, tell, granted)
            close_all(kiosk.ctx)
        os._exit(0)
    for end in (granted, tell):
        os.close(end)  # the child's ends: when it dies too soon, reading says so
    reached = os.read(told, 1)
    while reached and reached[-1] < stage:
        reached = os.read(told, 1)
    assert reached, f"the close ended before {stage.name}"
    if seconds is not None:
        os.write(grant, b"1")
        time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    reached += os.read(told, 99)
    for end in (grant, told):
        os.close(end)
    return Stage(reached[-1])


def _reach(at: Stage, stage: Stage, tell: int, granted: int) -> None:
    os.write(tell, bytes((at,)))
    if at == stage:
        os.read(granted, 1)


def _watch(kiosk: Kiosk, reach: Callable[[Stage], None]) -> None:
    """Tell the stages, from around the parts that a close calls."""

    def after(where: Any, name: str, stage: Stage) -> None:
        made = getattr(where, name)

        def told(*values: Any, **named: Any) -> Any:
            found = made(*values, **named)
            reach(stage)
            return found

        setattr(where, name, told)

    after(close_unattended, "end_shift_unattended", Stage.SHIFT_ENDED)
    after(close_unattended, "post_all", Stage.POSTED)
    after(close_unattended, "prove", Stage.PROVEN)
    after(backup, "copy_into", Stage.COPIED)
    after(backup, "make", Stage.SEALED)
    after(close_unattended, "back_up_if_possible", Stage.NOTED)
    after(statement, "sign", Stage.SIGNED)
    after(closing_of_days, "save_statement", Stage.FILED)
    after(closing_of_days, "complete_backup", Stage.COMPLETED)
    _watch_files(kiosk, reach)


def _watch_files(kiosk: Kiosk, reach: Callable[[Stage], None]) -> None:
    """Before and after the Z goes to the journal file."""
    journal = kiosk.ctx.journal
    append = journal.append

    def told(records: list[Record], *, day: str) -> None:
        is_z = bool(records) and b'"day_close"' in records[-1].body
        if is_z:
            reach(Stage.COMMITTED)
        append(records, day=day)
        if is_z:
            reach(Stage.WRITTEN)

    setattr(journal, "append", told)  # noqa: B010 (a method, which mypy lets nobody assign)
