"""How fast head office's stores take pushes: `python -m tests.headoffice.rates [FOLDER]`.

One thread asks and waits for each commit; what is timed is the transaction, rules and folds included, without
network and without the tills. Every till has a bucket of its own, so a reply holds what its own push changed.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

from app.protocol.server import Server
from headoffice.store.records import Records
from tests.headoffice.cluster import Cluster
from tests.headoffice.office import LIMITS, NOW, TODAY, Database, OnPostgres, OnSqlite, Shop

MEMBERS: Final = 100_000
SECONDS: Final = 4.0


class Rate(NamedTuple):
    """Requests, their events, and the time and the processor's time that their transactions took."""

    requests: int
    events: int
    seconds: float
    processor: float

    def text(self) -> str:
        """One line."""
        each = self.processor / self.requests * 1000
        return (
            f"{self.requests / self.seconds:8.0f} requests/s {self.events / self.seconds:8.0f} events/s "
            f"{each:7.2f} ms of processor each"
        )


def measure(store: Records, tills: int, events: int, seconds: float = SECONDS) -> Rate:
    """Groups of one request of each till, of so many events each."""
    server = Server(store, LIMITS)
    shops = [
        Shop(events * 1000 + tills * 10_000 + seed, MEMBERS // tills, bucket=f"shop-{seed}")
        for seed in range(tills)
    ]
    for shop in shops:
        shop.enrol(store)
        shop.sync(store)
    rng = random.Random(0)
    requests = spent = processor = 0.0
    while spent < seconds:
        asked = []
        for shop in shops:
            shop.sell(events)
            asked.append(shop.at.till.request(shop.rng, written=len(shop.at.file)))
        begun, used = time.perf_counter(), time.process_time()
        with store.writing(asked):
            replies = [server.handle(request, NOW, rng) for request in asked]
        spent += time.perf_counter() - begun
        processor += time.process_time() - used
        requests += len(asked)
        for shop, reply in zip(shops, replies, strict=True):
            shop.at.till.receive(reply, NOW, TODAY, shop.rng)
            shop.at.write_file()
    return Rate(int(requests), int(requests) * events, spent, processor)


def show(name: str, database: Database, analyze: str) -> None:
    """The figures of one database, on top of some rows and once it has looked at them."""
    with database.opened() as store:
        measure(store, 40, 3, 1.0)
    database.change(analyze)
    for tills, events in ((1, 3), (50, 3), (1, 500)):
        with database.opened() as store:
            rate = measure(store, tills, events)
            print(f"{name} {tills:3} x {events:3} events {rate.text()}", flush=True)


def main(folder: Path) -> None:
    """All figures of both databases on a disk, every commit synced to it."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        show("SQLite", OnSqlite(Path(place) / "office.db"), "PRAGMA optimize")
    cluster = Cluster(folder, {"fsync": "on", "full_page_writes": "on", "autovacuum": "on"})
    try:
        show(f"PostgreSQL {cluster.version}", OnPostgres(cluster.app, cluster.superuser), "ANALYZE")
    finally:
        cluster.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.gettempdir()))
