"""The shop's day at size: sales beside reports, checks and a backup, the close of a day, a month's end.

One till, open on a working copy, whose clock is moved on from day to day. What only fills a day is sold without
waiting for the disk; everything that is measured is sold, proven, backed up and closed as the product does it.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from unittest import mock

from app import backup
from app.apart import Apart
from app.build import Till, now_utc
from app.context import Context, Session
from app.domain.business_day import BusinessDate, month_end
from app.queries.counter import open_shift as shift_now
from app.queries.exceptions import exceptions
from app.usecases.back_up import NoteBackup, note_backup
from app.usecases.close_day import BeginClose, CloseDay, begin, close_day, date_to_close, prove
from app.usecases.close_shift import CloseShift, close_shift
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.owner_postings import Outlook, Progress, outlook, post_all, post_batch
from app.usecases.sell import sell
from app.usecases.verify_day import SHARES
from app.usecases.verify_report import Report, quiet
from tests.bench.commit import next_sale
from tests.bench.copies import FLOAT_MINOR, at_work, manager_at, till_of
from tests.bench.figures import Figure, percentile
from tests.bench.guard import PERIOD_DAYS
from tests.bench.reports import open_reports, span

SALES_DAY: Final = 5_000
SALES_BIG_DAY: Final = 50_000
LIMIT_DAY_S: Final = 5
LIMIT_BIG_DAY_S: Final = 30
SALES_BESIDE: Final = 300
PAUSE_S: Final = 0.02
"""Between two sales that are measured: nobody rings up the next one within the same millisecond."""
LONG_PAUSE_S: Final = 0.25
"""The same once there are enough of them: a backup of a large store takes minutes."""
IDLE_EVERY: Final = 20
LOTS: Final = 100_000
BATCH_LIMIT_MS: Final = 100
"""Our own: what a sale may have to wait for at a month's end without anybody noticing."""
SEED: Final = 23


@dataclass(slots=True)
class Counter:
    """One till at work, its clock, and the members who come to it."""

    till: Till
    session: Session
    clock: MovedClock
    rng: random.Random
    members: list[bytes]
    sold: int = 0

    @property
    def ctx(self) -> Context:
        return self.till.context

    def sale_ms(self) -> float:
        """One sale; the milliseconds of its commit."""
        if not self.members:
            self.members = _who_comes(self.ctx, self.rng)
        command = next_sale(self.ctx, self.session, self.rng, self.members)
        began = time.perf_counter()
        sell(self.ctx, command)
        took = (time.perf_counter() - began) * 1000
        self.sold += 1
        if self.sold % IDLE_EVERY == 0:
            self.ctx.store.checkpoint_passive()
        return took

    def go_to(self, days: int) -> None:
        """Another day: somebody signs in and opens a shift. So many days on, only the manager may."""
        self.clock.days += days
        self.members = []
        if days == 1:
            self.session = at_work(self.till)
        else:
            opening = OpenShift(self.ctx.ids(), manager_at(self.till), FLOAT_MINOR)
            self.session = open_shift(self.ctx, opening).result

    def end_shift(self) -> None:
        """The shift is over; nobody counts."""
        shift = shift_now(self.ctx)
        assert shift is not None, "somebody sold"
        manager = manager_at(self.till)
        close_shift(self.ctx, CloseShift(self.ctx.ids(), manager, shift.shift_id, "person_gone"))


@dataclass(slots=True)
class MovedClock:
    """The system's clock, so many days on."""

    days: int = 0

    def __call__(self) -> datetime:
        return now_utc() + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Close:
    """A close without its backup: the sales of its day, its seconds by the clock and of the processors, in all
    its processes, and the machine's load at its end."""

    sales: int
    seconds: float
    processor_s: float
    load: float


def figures(copy: Path) -> Iterator[list[Figure]]:
    """On a working copy, which is sold from. Each part is given as soon as it is measured."""
    clock = MovedClock()
    with till_of(copy, clock) as till:
        counter = Counter(till, at_work(till), clock, random.Random(SEED), [])
        beside, backup_s = _beside(counter)
        yield beside
        yield [_members_a_second(counter.ctx)]
        _close(counter)  # a day of as many sales as the backup was long
        counter.go_to(1)
        for sales, limit_s in ((SALES_DAY, LIMIT_DAY_S), (SALES_BIG_DAY, LIMIT_BIG_DAY_S)):
            _fill(counter, sales)
            yield [_close_figure(_close(counter), limit_s, backup_s)]
            counter.go_to(1)
        yield _month_end(counter)


def _who_comes(ctx: Context, rng: random.Random) -> list[bytes]:
    """Members from all over the store, in no order; some come again on the same day."""
    with ctx.read() as conn:
        newest = conn.execute("SELECT max(seq) FROM member_seq").fetchone()[0]
        places = rng.sample(range(1, newest + 1), min(SALES_BIG_DAY, newest))
        found = "SELECT member_id FROM member_seq WHERE seq = ?"
        rows = [conn.execute(found, (place,)).fetchone() for place in places]
    return [row[0] for row in rows if row is not None]


# Beside -----------------------------------------------------------------------------------------


def _beside(counter: Counter) -> tuple[list[Figure], float]:
    """Sales alone, and beside what may run meanwhile; the seconds of the backup."""
    ctx = counter.ctx
    checks = Apart(ctx)
    asked, _ = span(ctx)
    shares = iter(range(1_000_000))
    idle = _sales(counter)
    report = _while(counter, lambda: open_reports(ctx, asked))
    idle += _sales(counter)
    check = _while(counter, lambda: checks.share(ctx, next(shares) % SHARES))
    idle += _sales(counter)
    until = ctx.business_date()
    since = until.plus(1 - PERIOD_DAYS)
    walk = _while(counter, lambda: exceptions(ctx, since, until, "manager", checks.walk))
    idle += _sales(counter)
    began = time.perf_counter()
    ended = list[float]()

    def back_up() -> None:
        made = backup.make(ctx)
        ended.append(time.perf_counter())
        note_backup(ctx, NoteBackup(ctx.ids(), made))

    copying = _while(counter, back_up, again=False)
    p99 = percentile(idle, 0.99)
    found = [
        Figure(
            f"sale p99 beside {what} / idle", percentile(took, 0.99) / p99, "x", 2, "lower",
            len(took), "idle p99, ms", p99,
        )
        for what, took in (
            ("a report", report), ("a verify", check), ("a backup", copying),
            ("the exceptions", walk),
        )
    ]  # fmt: skip
    return found, ended[0] - began


def _sales(counter: Counter) -> list[float]:
    found = []
    for _ in range(SALES_BESIDE):
        found.append(counter.sale_ms())
        time.sleep(PAUSE_S)
    return found


def _while(counter: Counter, work: Callable[[], object], *, again: bool = True) -> list[float]:
    """Sales while `work` runs on a thread: again and again until there are enough of them, or once."""
    failed: list[BaseException] = []
    enough = threading.Event()

    def run() -> None:
        try:
            work()
            while again and not enough.is_set():
                work()
        except BaseException as error:  # told where the bench can say which group failed
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    found: list[float] = []
    try:
        while thread.is_alive() and (not again or len(found) < SALES_BESIDE):
            found.append(counter.sale_ms())
            time.sleep(PAUSE_S if len(found) < SALES_BESIDE else LONG_PAUSE_S)
    finally:
        enough.set()
        thread.join()
    if failed:
        raise failed[0]
    return found


def _members_a_second(ctx: Context) -> Figure:
    """Every member folded anew, as `regulars verify` does it."""
    report = Report()
    began = time.perf_counter()
    Apart(ctx).all_members(ctx, report, quiet)
    took = time.perf_counter() - began
    assert not report.findings, report.findings[:3]
    return Figure(
        "verify: members folded", report.members / took, "/s", 50_000, "higher", report.members,
        "processes", os.cpu_count(),
    )  # fmt: skip


# The close --------------------------------------------------------------------------------------


def _fill(counter: Counter, sales: int) -> None:
    """Sell until the day has so many documents, without waiting for the disk."""
    with counter.ctx.read() as conn:
        today = int(counter.ctx.business_date())
        had = conn.execute(
            "SELECT count(*) FROM event_figures WHERE business_date = ? AND kind = 'sale'", (today,)
        ).fetchone()[0]
    with _unsynced(counter.ctx):
        for _ in range(sales - had):
            counter.sale_ms()


@contextmanager
def _unsynced(ctx: Context) -> Iterator[None]:
    store = ctx.store

    def set_to(level: str) -> None:
        with store._held(store._writer) as raw:
            raw.execute(f"PRAGMA synchronous={level}")

    set_to("OFF")
    try:
        with mock.patch("os.fsync"):
            yield
    finally:
        set_to("FULL")
        store.checkpoint_truncate()
        os.sync()


def _close(counter: Counter) -> Close:
    """From "close this day" to the signed Z, but for the backup."""
    ctx = counter.ctx
    counter.end_shift()
    on = date_to_close(ctx)
    assert on == ctx.business_date(), "every date before was closed"
    began, worked = time.perf_counter(), _processor_s()
    closing = begin(ctx, BeginClose(ctx.ids(), None, on))
    posted = post_all(ctx, on, closing.since)
    proof = prove(ctx, Apart(ctx).since)
    closed = close_day(ctx, CloseDay(closing, proof, posted, None)).result
    took, work = time.perf_counter() - began, _processor_s() - worked
    assert proof.faults == 0
    with ctx.read() as conn:
        sales = conn.execute(
            "SELECT count(*) FROM event_figures WHERE business_date = ? AND kind = 'sale'",
            (int(closed.on),),
        ).fetchone()[0]
    return Close(sales, took, work, os.getloadavg()[0])


def _processor_s() -> float:
    """Of this process and of those that it started and that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _close_figure(close: Close, limit_s: int, backup_s: float) -> Figure:
    beside = f"processors {close.processor_s:.1f} s, load {close.load:.1f}; with its backup, s"
    return Figure(
        f"close of a day of {close.sales:,} sales", close.seconds, "s", limit_s, "lower", 1,
        beside, close.seconds + backup_s,
    )  # fmt: skip


# A month's end ----------------------------------------------------------------------------------


def _month_end(counter: Counter) -> list[Figure]:
    """What lapses with this month is booked on the first of the next, sales in between."""
    ctx = counter.ctx
    on = month_end(ctx.business_date())
    counter.end_shift()
    counter.go_to(int(on) - int(ctx.business_date()) + 1)
    due = outlook(ctx, on)
    batches, sales, done = _book(counter, Progress(on, None))
    _check_booked(ctx, on, due, done)
    busy_s = sum(batches) / 1000
    return [
        Figure(
            "month end: longest wait for a batch, p99", percentile(batches, 0.99), "ms",
            BATCH_LIMIT_MS, "lower", len(batches), "members booked a second",
            done.members / busy_s,
        ),
        Figure(
            "month end: sale p99 in between", percentile(sales, 0.99), "ms", BATCH_LIMIT_MS,
            "lower", len(sales), "members booked", done.members,
        ),
    ]  # fmt: skip


def _book(counter: Counter, progress: Progress) -> tuple[list[float], list[float], Progress]:
    """Batches and sales in turn, as the db lane has them: milliseconds of each."""
    batches: list[float] = []
    sales: list[float] = []
    while progress.phase == "expire" and progress.members < LOTS:
        began = time.perf_counter()
        progress = post_batch(counter.ctx, progress)
        batches.append((time.perf_counter() - began) * 1000)
        sales.append(counter.sale_ms())
    return batches, sales, progress


def _check_booked(ctx: Context, on: BusinessDate, before: Outlook, done: Progress) -> None:
    """What was due and what is left part where the booking stopped; sales spend nothing here."""
    left = outlook(ctx, on)
    assert before.points - left.points == done.points, (before, left, done)


__all__ = ["figures"]
