"""A month's end with 100,000 lapsing lots: booked in bounded batches while the counter sells, killed again and
again, and booked once."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from typing import Any, Final

from app import posting
from app.context import Context, Tx
from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.owner_postings import Outlook, Progress, outlook, post_all, post_batch
from app.usecases.sell import sell
from app.usecases.verify import verify
from tests.app.kiosk import Kiosk, make_template, sale_command
from tests.bench.figures import percentile
from tests.long.scratch import scratch

LOTS: Final = 100_000
LOTS_EACH: Final = 4
"""So many lots has each member, all of one date and each of another amount."""
TOGETHER: Final = 500
KILLS: Final = 12
BETWEEN: Final = 60
"""A process is killed after at most so many batches."""
SALE_EVERY: Final = 5
"""Batches between two sales of the same till."""
WITHIN: Final = 365


def run(
    seed: int, seconds: float, *, lots: int = LOTS, kills: int = KILLS, between: int = BETWEEN
) -> dict[str, Any]:
    """One month's end; `failed` says what was not as it has to be. `seconds` is not looked at: the lots
    are as many as they are."""
    del seconds
    chance = random.Random(seed)
    with scratch(in_memory=False) as base:
        template = make_template(base / "template")
        kiosk = Kiosk(template.copy_to(base / "till"), template)
        on = _fill(kiosk, lots)
        due = outlook(kiosk.ctx, on)
        booked, sold = _survive(kiosk, on, chance, kills, between)
        began = time.perf_counter()
        batches = _post_and_sell(kiosk, on)
        took = time.perf_counter() - began
        failed = _failures(kiosk, on, due, booked, sold)
        kiosk.close()
    return {
        "seed": seed,
        "lots": lots,
        "members": due.members,
        "booked_after_each_kill": booked,
        "sales_after_each_kill": sold,
        "members_a_second": round((due.members - booked[-1]) / took),
        "batch_ms_p99": round(percentile(batches, 0.99), 1),
        "failed": failed,
    }


def _failures(
    kiosk: Kiosk, on: BusinessDate, due: Outlook, booked: list[int], sold: list[int]
) -> list[str]:
    ctx = kiosk.ctx
    with ctx.read() as conn:
        points, members, entries = conn.execute(
            "SELECT -sum(amount), count(DISTINCT member_id), count(*) FROM ledger WHERE kind = 'expire'"
        ).fetchone()
    lots = due.members * LOTS_EACH
    checks = {
        "nothing is left": outlook(ctx, on) == Outlook(0, 0),
        "every lot is booked once": entries == lots,
        "with all its points": (points, members) == (due.points, due.members),
        "in one event a member": _count(ctx, posting.EXPIRE) == due.members,
        "no kill takes a booking away": booked == sorted(booked) and sold == sorted(sold),
        "a kill comes in the middle": any(0 < each < due.members for each in booked),
        "the counter sold meanwhile": _count(ctx, posting.SALE) > 0,
        "posting again adds nothing": post_all(ctx, on, None).members == 0,
        "verify finds nothing": not verify(ctx).findings,
    }
    return [what for what, holds in checks.items() if not holds]


def _fill(kiosk: Kiosk, lots: int) -> BusinessDate:
    """Members with lots that all lapse on one date; the shift of the day after it is open."""
    ctx, members = kiosk.ctx, lots // LOTS_EACH
    on = ctx.business_date().plus(WITHIN)
    for first in range(0, members, TOGETHER):
        with ctx.write(ctx.ids()) as tx:
            for _ in range(min(TOGETHER, members - first)):
                _member(ctx, tx, on)
    kiosk.end_shift()
    kiosk.clock.step(days=WITHIN + 1)
    open_shift(ctx, OpenShift(ctx.ids(), kiosk.session, 50000))
    return on


def _member(ctx: Context, tx: Tx, on: BusinessDate) -> None:
    """An account without a person: what is looked at here is its points alone."""
    event_id, today = ctx.ids(), ctx.business_date()
    entries = [
        Entry(EntryId(event_id, n), POINTS, "opening", 100 + n, today, today, on)
        for n in range(LOTS_EACH)
    ]
    tx.record(
        posting.ENROL, event_id=event_id, command_id=ctx.ids(), session=None, business_date=today,
        member_id=ctx.ids(), entries=entries, doc={"tier": "regular", "consents": []},
    )  # fmt: skip


def _survive(
    kiosk: Kiosk, on: BusinessDate, chance: random.Random, kills: int, between: int
) -> tuple[list[int], list[int]]:
    """Post and sell in processes that are killed; how many bookings and sales there were after each."""
    booked, sold = [0], [0]
    for _ in range(kills):
        kiosk.close()
        _killed(kiosk, on, chance.randint(1, between))
        kiosk.open()
        booked.append(_count(kiosk.ctx, posting.EXPIRE))
        sold.append(_count(kiosk.ctx, posting.SALE))
    return booked, sold


def _killed(kiosk: Kiosk, on: BusinessDate, after: int) -> None:
    """Killed while it goes on from its batch of this number; a process that is done before has told fewer."""
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(ready)
            kiosk.open()
            _post_and_sell(kiosk, on, lambda: os.write(tell, b"."))
        finally:
            os._exit(1)
    os.close(tell)
    told = 0
    while told < after and (more := os.read(ready, after - told)):
        told += len(more)
    os.close(ready)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _post_and_sell(
    kiosk: Kiosk, on: BusinessDate, told: Callable[[], object] = lambda: None
) -> list[float]:
    """All that is due, a sale after some batches; milliseconds of each batch. `told` hears of each."""
    progress, took = Progress(on, None), list[float]()
    while progress.phase == "expire":
        began = time.perf_counter()
        progress = post_batch(kiosk.ctx, progress)
        took.append((time.perf_counter() - began) * 1000)
        told()
        if len(took) % SALE_EVERY == 0:
            sell(kiosk.ctx, sale_command(kiosk.ctx, kiosk.session, kiosk.member_id, 20_000))
    return took


def _count(ctx: Context, kind: str) -> int:
    with ctx.read() as conn:
        sql = "SELECT count(*) FROM event_figures WHERE kind = ?"
        return int(conn.execute(sql, (kind,)).fetchone()[0])
