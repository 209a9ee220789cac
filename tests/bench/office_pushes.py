"""Head office's data plane: pushes, groups and holds, each beside its partner, round by round in one run.

The partners do less: a raw COPY has neither rules nor folds, and says how far the disk and PostgreSQL would go.
"""

from __future__ import annotations

import gc
import random
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

import psycopg

from app.protocol import facts, wire
from app.protocol.server import Server
from app.protocol.wire import HoldRequest
from headoffice.store import statements
from headoffice.store.distribution import dist_key
from headoffice.store.records import Records
from headoffice.writer import HOLD, Job
from tests.bench.as_served import as_served
from tests.bench.figures import Figure, percentile
from tests.bench.pydantic_twin import twin
from tests.headoffice.cluster import Cluster
from tests.headoffice.http_office import HttpTill, Served, begin_chain, served
from tests.headoffice.office import LIMITS, NOW, TENANT, TODAY, OnPostgres, OnSqlite, Shop
from tests.headoffice.rates import measure

ROUNDS: Final = 3
SECONDS: Final = 3.0
"""Of one measurement of a store in one round."""
BATCH: Final = 500
BATCHES: Final = 10
"""Of one measurement of anything else in one round."""
TILLS: Final = 64
MANY_TILLS: Final = 1000
FEW_TILLS: Final = 10
HOLDS_A_SECOND: Final = 2000
HOLD_SECONDS: Final = 4.0
MEMBERS: Final = [number.to_bytes(16, "big") for number in range(1, 10_001)]
"""Of the tills that talk HTTP: of 100 each had hundreds of lots before the end, like nobody in a shop."""
SPENDERS: Final = MEMBERS[:100]
_COPY: Final = "COPY bare (tenant_id, dist_key, event_id, body, standing) FROM STDIN"


def figures(place: Path) -> Iterator[list[Figure]]:
    """All of them, on a disk at `place`; every commit is synced to it."""
    with as_served():
        yield _stores(place)
        yield _over_http(place)
        yield _flat(place)
        yield [_holds(place)]


# Stores -----------------------------------------------------------------------------------------


def _stores(place: Path) -> list[Figure]:
    names = ("copy", "two copies", "insert", "postgres", "sqlite", "grouped", "single")
    found: dict[str, list[float]] = {name: [] for name in names}
    cluster = Cluster(
        place.resolve(), {"fsync": "on", "full_page_writes": "on", "autovacuum": "on"}
    )
    try:
        bare_table(cluster)
        with tempfile.TemporaryDirectory(dir=place) as folder:
            database = OnPostgres(cluster.app, cluster.owner)
            for number in range(ROUNDS):
                file = OnSqlite(Path(folder) / f"{number}.db")
                cluster.empty()
                found["copy"].append(copied(cluster, 1))
                found["two copies"].append(copied(cluster, 2))
                found["insert"].append(_inserted(database))
                with database.opened() as store:
                    found["postgres"].append(_events_a_second(store, 1, BATCH))
                with file.opened() as store:
                    found["sqlite"].append(_events_a_second(store, 1, BATCH))
                    found["grouped"].append(_events_a_second(store, TILLS, 3))
                    found["single"].append(_events_a_second(store, 1, 3))
    finally:
        cluster.stop()
    copy, copies, n = median(found["copy"]), median(found["two copies"]), ROUNDS

    def ratio(name: str, goal: str, value: float, limit: float, by: str, whole: float) -> Figure:
        return Figure(f"{goal} {name}", value / whole, "x", limit, "higher", n, by, whole)

    return [
        ratio("insert of events", "G1", median(found["insert"]), 0.7, "COPY events/s", copy),
        ratio("push with rules, PostgreSQL", "", median(found["postgres"]), 0, "COPY", copy),
        ratio("push with rules, SQLite", "", median(found["sqlite"]), 0, "two COPYs", copies),
        ratio(
            "grouped pushes", "G4", median(found["grouped"]), 4, "one a commit, events/s",
            median(found["single"]),
        ),
    ]  # fmt: skip


def _events_a_second(store: Records, tills: int, events: int) -> float:
    rate = measure(store, tills, events, SECONDS)
    return rate.events / rate.seconds


def bare_table(cluster: Cluster) -> None:
    """A table with the events' index and nothing else, for `copied`."""
    with psycopg.connect(cluster.superuser) as raw:
        raw.execute("CREATE TABLE bare (LIKE event INCLUDING INDEXES)")
        raw.execute(f"GRANT ALL ON bare TO {cluster.app.split('user=')[1].split()[0]}")


def _rows() -> list[tuple[Any, ...]]:
    shop = Shop(secrets.randbits(40))
    shop.sell(BATCH)
    return [(facts.read(body).id, body, "posted") for body in shop.at.file]


def copied(cluster: Cluster, connections: int) -> float:
    """Events a second by raw COPY into a table with the same index, nothing else."""
    own = (TENANT.id, dist_key(TENANT.id))
    batches = [[_rows() for _ in range(BATCHES)] for _ in range(connections)]

    def copy(raw: psycopg.Connection[Any], mine: Sequence[Sequence[tuple[Any, ...]]]) -> None:
        for rows in mine:
            with raw.cursor() as cursor, cursor.copy(_COPY) as target:
                for row in rows:
                    target.write_row(own + row)
            raw.commit()

    raws = [psycopg.connect(cluster.app) for _ in range(connections)]
    threads = [threading.Thread(target=copy, args=each) for each in zip(raws, batches, strict=True)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    for raw in raws:
        raw.close()
    return connections * BATCHES * BATCH / took


def _inserted(database: OnPostgres) -> float:
    """Events a second by the store's own bulk statement, a transaction a batch, row-level security and all."""
    batches = [_rows() for _ in range(BATCHES)]
    with database.opened() as store:
        began = time.perf_counter()
        for rows in batches:
            with store.writing():
                store._rows.write(statements.EVENT, rows)
        return BATCHES * BATCH / (time.perf_counter() - began)


# HTTP -------------------------------------------------------------------------------------------


def _over_http(place: Path) -> list[Figure]:
    """The same pushes of 500 events by one till, over loopback: head office, and FastAPI with pydantic before
    the same rules and store. Both servers live in this process; only the answer is waited for."""
    ours, theirs = list[float](), list[float]()
    with tempfile.TemporaryDirectory(dir=place) as folder:
        office = Path(folder) / "office"
        office.mkdir()
        begin_chain(office)
        with served(office) as plane, twin(Path(folder) / "twin.db") as other:
            till = plane.till()
            till.sync()
            for _ in range(ROUNDS):
                ours.append(BATCHES * BATCH / sum(pushed(till) for _ in range(BATCHES)))
                theirs.append(BATCHES * BATCH / sum(other.push(BATCH) for _ in range(BATCHES)))
    whole = median(theirs)
    return [
        Figure(
            "G3 data plane", median(ours) / whole, "x", 1.3, "higher", ROUNDS,
            "FastAPI and pydantic, events/s", whole,
        )
    ]  # fmt: skip


def pushed(till: HttpTill) -> float:
    """Seconds that one till waits for the answer to a batch."""
    for _ in range(BATCH):
        till.earn(till.rng.choice(MEMBERS), 7)
    request = till.ask()
    began = time.perf_counter()
    heard = till.send(request)
    took = time.perf_counter() - began
    assert till.hear(wire.reply_of(heard.content))
    return took


# Many tills -------------------------------------------------------------------------------------


def _flat(place: Path) -> list[Figure]:
    """The processor's time of a push, with few tills of the chain and with many, in groups of the same size."""
    cost: dict[int, list[float]] = {FEW_TILLS: [], MANY_TILLS: []}
    with tempfile.TemporaryDirectory(dir=place) as folder:
        shops: dict[int, list[Shop]] = {}
        for tills in cost:
            with OnSqlite(Path(folder) / f"{tills}.db").opened() as store:
                shops[tills] = [Shop(n, 100, bucket=f"shop-{n}") for n in range(tills)]
                for shop in shops[tills]:
                    shop.enrol(store)
                    shop.sync(store)
        for number in range(ROUNDS):
            for tills, found in cost.items():
                with OnSqlite(Path(folder) / f"{tills}.db").opened() as store:
                    found.append(_cost(store, shops[tills], number))
    few, many = (median(cost[tills]) for tills in (FEW_TILLS, MANY_TILLS))
    return [
        Figure(
            f"cost of a push, {MANY_TILLS} tills", many / few, "x", 1.3, "lower", ROUNDS,
            f"{FEW_TILLS} tills, ms", few * 1000,
        )
    ]  # fmt: skip


def _cost(store: Records, shops: list[Shop], number: int) -> float:
    """Seconds of the processor for one push of three events."""
    server, rng, used, done = Server(store, LIMITS), random.Random(number), 0.0, 0
    for _ in range(BATCHES * 5):
        chosen = rng.sample(shops, FEW_TILLS)
        asked = []
        for shop in chosen:
            shop.sell(3)
            asked.append(shop.at.till.request(shop.rng, written=len(shop.at.file)))
        began = time.process_time()
        with store.writing(asked):
            replies = [server.handle(request, NOW, rng) for request in asked]
        used += time.process_time() - began
        done += len(asked)
        for shop, reply in zip(chosen, replies, strict=True):
            shop.at.till.receive(reply, NOW, TODAY, shop.rng)
    return used / done


# Holds ------------------------------------------------------------------------------------------


def _holds(place: Path) -> Figure:
    """Holds that come at a steady rate, from when each was due until the writer tells its answer: grouped by
    the writer, committed to the disk. HTTP is not in it: clients in this process could not ask so often."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        begin_chain(Path(folder))
        with served(Path(folder)) as office:
            late = list[float]()
            for _ in range(ROUNDS):
                late += _asked(office)
    return Figure(
        f"hold p99 at {HOLDS_A_SECOND}/s", percentile(late, 0.99), "ms", 10, "lower", len(late)
    )


def _asked(office: Served) -> list[float]:
    till = office.till(secrets.randbits(30))
    till.sync()
    for member in SPENDERS:
        till.earn(member, 1_000_000)
    till.sync()
    control = till.at.store.control()
    known, took, over = office.office.tills[till.device], list[float](), threading.Semaphore(0)
    most = int(HOLDS_A_SECOND * HOLD_SECONDS)
    requests = [
        HoldRequest(
            secrets.token_bytes(16), till.device, control.epoch, control.timeline,
            secrets.token_bytes(16), secrets.choice(SPENDERS), "points", 1, till.today,
        )
        for _ in range(most)
    ]  # fmt: skip
    gc.collect()  # What the tills' side has made by now is not for head office to look through.
    began = time.perf_counter()
    for number, request in enumerate(requests):
        due = began + number / HOLDS_A_SECOND
        while (wait := due - time.perf_counter()) > 0:
            time.sleep(wait)
        office.writer.submit(_job(office, known, request, due, took, over))
    for _ in requests:
        over.acquire()
    return took


def _job(
    office: Served,
    known: Any,
    request: HoldRequest,
    due: float,
    took: list[float],
    over: threading.Semaphore,
) -> Job:
    def told(result: Any, error: BaseException | None) -> None:
        assert error is None, error
        took.append((time.perf_counter() - due) * 1000)
        over.release()

    act: Callable[[], Any] = lambda: office.office.serve(request, known, by_next=False)  # noqa: E731
    return Job(HOLD, 1, known.tenant, act, lambda _: None, told, request)
