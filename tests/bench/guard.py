"""The guard against fraud: what it reads before a member's sale, how fast its rules judge, how long its report
takes."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from app import posting
from app.apart import Apart
from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.fraud.guard import Guard
from app.domain.fraud.limits import DEFAULT_GUARD
from app.protocol.events import micros
from app.queries.exceptions import exceptions
from app.queries.guard import sale_stops
from app.queries.guard_facts import SECOND_US, Facts
from app.queries.guard_walk import WARM_UP_DAYS, first_seq
from app.queries.members import member_panel
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
RUNS: Final = 3
"""Of the report, of which the quickest counts: the others waited for somebody else's work."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of each read before a sale, with the member attached and out of the blue; facts and seconds
    of the rules; events and seconds of the report, and seconds of one over none."""

    reads_ms: list[float]
    cold_ms: list[float]
    facts: int
    facts_s: float
    events: int
    report_s: float
    nothing_s: float


def measured(copy: Path) -> Measured:
    """On the store of a folder, and on a synthetic shop for the rules."""
    facts, facts_s = _rules()
    with till_of(copy) as till:
        ctx = till.context
        until = ctx.business_date()
        cold, reads = _reads(ctx, until)
        events, report_s, nothing_s = _report(ctx, until)
    return Measured(reads, cold, facts, facts_s, events, report_s, nothing_s)


def figures(found: Measured) -> list[Figure]:
    """A millisecond for the counter; a second for a report over 50,000 events. Where the store has more of them
    in the least period, the walk is taken by the event, and what a report over none takes as it is."""
    walk_s = (found.report_s - found.nothing_s) * EVENTS / found.events
    report_ms = (found.nothing_s + walk_s) * 1000
    return [
        Figure(
            "guard before a member's sale, p99", percentile(found.reads_ms, 0.99), "ms", 1, "lower",
            len(found.reads_ms), "of nobody attached, ms", percentile(found.cold_ms, 0.99),
        ),
        Figure("guard: facts judged", found.facts / found.facts_s, "/s", 20_000, "higher", found.facts),
        Figure(
            "exceptions over 50,000 events", report_ms, "ms", 1000, "lower", found.events,
            "over none, ms", found.nothing_s * 1000,
        ),
    ]  # fmt: skip


def _reads(ctx: Context, on: BusinessDate) -> tuple[list[float], list[float]]:
    """A sale that earns and spends, so that both reads are made, for members all over the store: for one half
    out of the blue, for the other half once they are attached, as everybody is who is sold to."""
    now_s = micros(ctx.clock()) // SECOND_US
    with ctx.read() as conn:
        step = max(1, people.member_count(conn) // (2 * READS))
        members = list(islice(people.all_members(conn), 0, None, step))[: 2 * READS]

    def took_ms(member: bytes) -> float:
        with ctx.write_rows() as conn:
            began = time.perf_counter()
            sale_stops(conn, DEFAULT_GUARD, member, on=on, now_s=now_s, earned=1, spent=1)
            return (time.perf_counter() - began) * 1000

    cold = [took_ms(member) for member in members[::2]]
    attached = []
    for member in members[1::2]:
        member_panel(ctx, member)
        attached.append(took_ms(member))
    return cold, attached


def _rules() -> tuple[int, float]:
    shop = Shop(1, days=DAYS, sales=SALES)
    events = [event for event, _ in Tape(shop, Episodes(shop, each=1, first_day=3)).events()]
    readers = defaultdict[str, Facts](lambda: Facts(shop.phone_of, shop.sharing))
    guard = Guard(DEFAULT_GUARD)
    began = time.perf_counter()
    for event in events:
        fact = readers[event["device"]].of(event["seq"], event)
        if fact is not None:
            list(guard.see(fact))
    return len(events), time.perf_counter() - began


def _report(ctx: Context, until: BusinessDate) -> tuple[int, float, float]:
    """As the page opens it, over the newest 50,000 events or a day's with its warm-up: how many events that
    were, seconds, and the seconds of a report over none."""
    with ctx.read() as conn:
        head = rows.head(conn)
        newest = head[0] if head else 0
        row = rows.event_by_seq(conn, max(1, newest - EVENTS))
        assert row is not None, "somebody sold"
        begin = BusinessDate(posting.event_of(row).business_date)
        since = BusinessDate(min(begin.plus(WARM_UP_DAYS), until))
        first = first_seq(conn, since.plus(-WARM_UP_DAYS))
    later = until.plus(WARM_UP_DAYS + 1)
    return newest - first, _quickest_s(ctx, since, until), _quickest_s(ctx, later, later)


def _quickest_s(ctx: Context, since: BusinessDate, until: BusinessDate) -> float:
    found = []
    for _ in range(RUNS):
        began = time.perf_counter()
        exceptions(ctx, since, until, "manager", Apart(ctx).walk)
        found.append(time.perf_counter() - began)
    return min(found)
