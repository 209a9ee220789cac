"""The guard against fraud: what it reads before a member's sale, how fast its rules judge, how long its report
takes."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.fraud.guard import Guard
from app.domain.fraud.limits import DEFAULT_GUARD
from app.protocol.events import micros
from app.queries import exceptions
from app.queries.guard import SECOND_US, Facts, sale_stops
from db import people, rows
from tests.bench.copies import till_of
from tests.bench.figures import Figure, percentile
from tests.sim.fraud_episodes import Episodes
from tests.sim.fraud_shop import Shop
from tests.sim.fraud_year import Tape

READS: Final = 2000
DAYS: Final = 10
SALES: Final = 27_000
PERIOD_DAYS: Final = 28
EVENTS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of each read; facts and seconds of the rules; events and seconds of the report."""

    reads_ms: list[float]
    facts: int
    facts_s: float
    events: int
    report_s: float


def measured(copy: Path) -> Measured:
    """On the store of a folder, and on a synthetic shop for the rules."""
    facts, facts_s = _rules()
    with till_of(copy) as till:
        ctx = till.context
        until = ctx.business_date()
        reads = _reads(ctx, until)
        events, report_s = _report(ctx, until)
    return Measured(reads, facts, facts_s, max(1, events), report_s)


def figures(found: Measured) -> list[Figure]:
    """A millisecond for the counter; a second for a report over 50,000 events."""
    report_ms = found.report_s * 1000 * EVENTS / found.events
    return [
        Figure(
            "guard before a member's sale, p99", percentile(found.reads_ms, 0.99), "ms", 1, "lower",
            len(found.reads_ms),
        ),
        Figure("guard: facts judged", found.facts / found.facts_s, "/s", 20_000, "higher", found.facts),
        Figure("exceptions over 50,000 events", report_ms, "ms", 1000, "lower", found.events),
    ]  # fmt: skip


def _reads(ctx: Context, on: BusinessDate) -> list[float]:
    """A sale that earns and spends, so that both reads are made, for members all over the store."""
    now_s = micros(ctx.clock()) // SECOND_US
    took = []
    with ctx.read() as conn:
        step = max(1, people.member_count(conn) // READS)
        members = list(islice(people.all_members(conn), 0, None, step))[:READS]
    for member in members:
        with ctx.read() as conn:
            began = time.perf_counter()
            sale_stops(conn, DEFAULT_GUARD, member, on=on, now_s=now_s, earned=1, spent=1)
            took.append((time.perf_counter() - began) * 1000)
    return took


def _rules() -> tuple[int, float]:
    shop = Shop(1, days=DAYS, sales=SALES)
    events = [event for event, _ in Tape(shop, Episodes(shop, each=1, first_day=3)).events()]
    readers = defaultdict[str, Facts](lambda: Facts(shop.phone_of, shop.sharing))
    guard = Guard(DEFAULT_GUARD)
    began = time.perf_counter()
    for event in events:
        fact = readers[event["device"]].of(event)
        if fact is not None:
            list(guard.see(fact))
    return len(events), time.perf_counter() - began


def _report(ctx: Context, until: BusinessDate) -> tuple[int, float]:
    """The report of four weeks, and how many events it had to read."""
    since = until.plus(1 - PERIOD_DAYS)
    with ctx.read() as conn:
        head = rows.head(conn)
        first = exceptions.first_seq(conn, since.plus(-exceptions.WARM_UP_DAYS))
    began = time.perf_counter()
    exceptions.exceptions(ctx, since, until, "manager")
    return (head[0] if head else 0) - first, time.perf_counter() - began
