"""Head office with everything in front of its store: whole pushes over HTTP beside a raw COPY, how long 64
tills wait for the group writer and for one that commits each push, what a reader misses behind four writers.
"""

from __future__ import annotations

import contextlib
import queue
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final
from unittest.mock import patch

import psycopg

from app.protocol.store import Member
from headoffice import writer
from headoffice.store.statements import Ask
from headoffice.writer import PUSH, Job
from tests.bench import office_pushes
from tests.bench.as_served import as_served
from tests.bench.figures import Figure, percentile
from tests.bench.office_pushes import bare_table, copied, pushed
from tests.headoffice import test_postgresql
from tests.headoffice.cluster import Cluster
from tests.headoffice.http_office import HttpTill, Served, begin_chain, served
from tests.headoffice.office import BUCKET, OnPostgres
from tests.headoffice.serving_process import DSN_FILE

ROUNDS: Final = 3
PUSHES: Final = 2_000
"""Of 64 tills together, in one round of one way to commit."""
EACH_WRITES: Final = 1_250
"""Rows of each of four writers."""
_BY_SEQUENCE: Final = Ask(
    "SELECT feed FROM reference_set WHERE tenant_id = ? AND dist_key <> ? AND feed > ? ORDER BY feed"
)


def figures(place: Path) -> Iterator[list[Figure]]:
    """All of them, on a disk at `place`; every commit is synced to it."""
    with as_served():
        settings = {"fsync": "on", "full_page_writes": "on", "autovacuum": "on"}
        cluster = Cluster(place.resolve(), settings)
        try:
            yield _whole(place, cluster)
            cluster.empty()
            yield _missed(cluster)
        finally:
            cluster.stop()
        yield _waited(place)


# Whole pushes -----------------------------------------------------------------------------------


def _whole(place: Path, cluster: Cluster) -> list[Figure]:
    """Signed pushes of 500 events by one till, over loopback to one serving process (this one), answers
    awaited; beside it the bare events by COPY over two connections."""
    bare_table(cluster)
    rates: dict[str, list[float]] = {"copy": [], "SQLite": [], "PostgreSQL": []}
    with tempfile.TemporaryDirectory(dir=place) as folder, contextlib.ExitStack() as open_ones:
        tills = dict[str, HttpTill]()
        for name in ("SQLite", "PostgreSQL"):
            office = Path(folder) / name
            office.mkdir()
            if name == "PostgreSQL":
                (office / DSN_FILE).write_text(cluster.app)
            begin_chain(office)
            tills[name] = open_ones.enter_context(served(office)).till()
            tills[name].sync()
        events = office_pushes.BATCHES * office_pushes.BATCH
        for _ in range(ROUNDS):
            rates["copy"].append(copied(cluster, 2))
            for name, till in tills.items():
                took = sum(pushed(till) for _ in range(office_pushes.BATCHES))
                rates[name].append(events / took)
    copy = median(rates["copy"])
    return [
        Figure(
            f"G2 pushes over HTTP, {name}", median(rates[name]) / copy, "x", 0.55, "higher", ROUNDS,
            "two COPYs, events/s", copy,
        )
        for name in tills
    ]  # fmt: skip


# Waiting ----------------------------------------------------------------------------------------


def _waited(place: Path) -> list[Figure]:
    """64 tills that push 3 events each, and again as soon as they have the answer; from the job to its answer.
    Signing and HTTP are not in it, the tills' own work is: they live in this process and share its
    interpreter, so the rate is told without a limit; office_pushes.py has the store's own."""
    rate: dict[bool, list[float]] = {True: [], False: []}
    waits: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory(dir=place) as folder:
        begin_chain(Path(folder))
        with served(Path(folder)) as office:
            tills = [office.till(seed) for seed in range(1, office_pushes.TILLS + 1)]
            for till in tills:
                till.sync()
            for _ in range(ROUNDS):
                for grouped, found in waits.items():
                    most = writer.GROUP_EVENTS if grouped else 1
                    with patch.object(writer, "GROUP_EVENTS", most):
                        rate[grouped].append(_pushing(office, tills, found))
    single, late = median(rate[False]), percentile(waits[False], 0.99)
    n = len(waits[True])
    return [
        Figure(
            "grouped, tills that wait", median(rate[True]) / single, "x", 0, "higher", n,
            "one a commit, pushes/s", single,
        ),
        Figure(
            "G4 p99 of a grouped push", percentile(waits[True], 0.99) / late, "x", 0.4, "lower", n,
            "one a commit, ms", late * 1000,
        ),
    ]  # fmt: skip


def _pushing(office: Served, tills: list[HttpTill], waits: list[float]) -> float:
    """Pushes a second."""
    heard = queue.SimpleQueue[tuple[HttpTill, Any, float]]()

    def ask(till: HttpTill) -> None:
        till.earn(till.rng.choice(office_pushes.MEMBERS), 7, sales=3)
        request, known = till.ask(), office.office.tills[till.device]
        begun = time.perf_counter()

        def told(result: Any, error: BaseException | None) -> None:
            assert error is None, error
            heard.put((till, result, time.perf_counter() - begun))

        act: Callable[[], Any] = lambda: office.office.serve(request, known, by_next=False)  # noqa: E731
        office.writer.submit(Job(PUSH, 3, known.tenant, act, lambda _: None, told, request))

    began = time.perf_counter()
    for till in tills:
        ask(till)
    for done in range(1, PUSHES + 1):
        till, reply, waited = heard.get(timeout=60)
        waits.append(waited)
        assert till.hear(reply)
        if done + len(tills) <= PUSHES:
            ask(till)
    return PUSHES / (time.perf_counter() - began)


# Cursors ----------------------------------------------------------------------------------------


def _missed(cluster: Cluster) -> list[Figure]:
    """Feed rows that a reader behind its cursor never saw, of four writers at once; the control numbers its
    rows from a sequence."""
    office = OnPostgres(cluster.app, cluster.owner)
    with patch.object(test_postgresql, "WRITES", EACH_WRITES), office.opened() as reader:

        def write(_: int) -> Callable[[int], None]:
            def once(number: int) -> None:
                with office.opened(wait_ms=60_000) as store, store.writing():
                    store.put_member(Member(number.to_bytes(16, "big"), BUCKET))

            return once

        def look(after: int) -> list[int]:
            with reader.reading():
                return [row.feed for row in reader.rows(BUCKET, after, 1000)]

        def look_naively(after: int) -> list[int]:
            with reader.reading():
                return [feed for (feed,) in reader._rows.ask(_BY_SEQUENCE, after)]

        seen = test_postgresql.followed(write, look)
        with psycopg.connect(cluster.owner) as owner:
            owner.execute("CREATE SEQUENCE naive")
            owner.execute("GRANT USAGE ON SEQUENCE naive TO regulars_app")
        naively = test_postgresql.followed(test_postgresql.by_sequence(cluster), look_naively)
    whole = test_postgresql.WRITERS * EACH_WRITES
    wrong = len(set(range(1, whole + 1)) ^ set(seen)) + len(seen) - len(set(seen))
    return [
        Figure("G5 feed rows missed or twice", wrong, "", 0, "lower", whole),
        Figure("G5 control: missed behind a sequence", whole - len(set(naively)), "", 1, "higher", whole),
    ]  # fmt: skip
