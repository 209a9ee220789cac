"""Head office's other half: pages, snapshots, what crosses the wire, a till that begins, the console's search.

One chain of MEMBERS is made; everything is read from it. The till that begins is the counter's own, over HTTP;
it asks again at once where the shop's pauses 50 ms between two frames, and waits where head office says so.
"""

from __future__ import annotations

import contextlib
import random
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

import msgspec
import zstandard

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.domain.fold import fold
from app.domain.state import EMPTY
from app.ids import Uuid7
from app.protocol import wire
from app.protocol.accounts import Account
from app.protocol.links import genesis
from app.protocol.store import CellRecord, Member
from app.protocol.wire import Cell, SyncRequest
from app.sync.exchange import POLL_S, SOON_S, Exchange
from app.sync.join import join
from headoffice.console.finding import members_of
from headoffice.console.snapshot import Snapshot
from headoffice.nights import FRAME_ROWS
from headoffice.portions import Portion
from headoffice.store.records import Records
from headoffice.store.statements import MEMBER_ROWS
from headoffice.writer import LOOK_S
from tests.app.kiosk import Kiosk, make_template
from tests.bench.as_served import as_served
from tests.bench.figures import Figure, percentile
from tests.headoffice.http_office import (
    TENANT,
    begin_chain,
    code_for,
    database_of,
    opened,
)
from tests.headoffice.lossy import lossy
from tests.headoffice.office import NOW, Shop
from tests.headoffice.serving_process import process
from tests.long.scratch import scratch

MEMBERS: Final = 1_000_000
TOGETHER: Final = 2_000
PAGE: Final = 10_000
ROUNDS: Final = 25
SEARCHES: Final = 300
PUSHED: Final = 500
CHANGED: Final = 1_000
SALE_EVERY_S: Final = 0.05
BUCKET: Final = "all"
_SURNAMES: Final = {
    "王": "wang", "李": "li", "Byron": "byron", "Moss": "moss", "Curie": "curie", "赵": "zhao"
}  # fmt: skip
"""Tills send the reading of a name with it."""


def figures(place: Path) -> Iterator[list[Figure]]:
    """All of them, on a disk at `place`."""
    yield [_push_packed()]
    with _filled(place) as office:
        with opened(office) as (store, _):
            yield _pages(store)
            yield _snapshots(store)
        yield [_search(office)]
        yield _over_the_wire(office)
        yield [_sales_meanwhile(office)]


def beginning(place: Path) -> Iterator[list[Figure]]:
    """A snapshot and tills that begin with it, alone."""
    with _filled(place) as office:
        with opened(office) as (store, _):
            yield _snapshots(store)
        yield _over_the_wire(office)
        yield [_sales_meanwhile(office)]


@contextlib.contextmanager
def _filled(place: Path) -> Iterator[Path]:
    """A chain of MEMBERS on a disk at `place`."""
    with as_served(), tempfile.TemporaryDirectory(dir=place) as folder:
        office = Path(folder) / "office"
        office.mkdir()
        begin_chain(office)
        fill(office, MEMBERS)
        yield office


def fill(folder: Path, members: int) -> None:
    """Members with a name, a phone, a card and points that are good for a year; without the documents that
    they came from."""
    rng = random.Random(7)
    new_id = Uuid7(lambda: NOW * 1000, rng.randbytes)
    with opened(folder) as (store, _):
        for first in range(0, members, TOGETHER):
            with store.writing():
                for number in range(first, min(first + TOGETHER, members)):
                    _member(store, number, rng, new_id)


def _member(store: Records, number: int, rng: random.Random, new_id: Uuid7) -> None:
    member, on = new_id(), BusinessDate(NOW // 86_400_000)
    surname = rng.choice(list(_SURNAMES))
    values = {
        "name": f"{surname} {number}",
        "name_py": f"{_SURNAMES[surname]} {number}",
        "phone": f"+86139{number:08d}",
        "card": f"88{number:010d}",
    }
    cells = {
        name: Cell(member, name, value, (NOW << 16) + number, b"till" * 4)
        for name, value in values.items()
    }
    earned = Entry(EntryId(new_id(), 0), POINTS, "earn", 1 + number % 500, on, on, on.plus(365))
    state, account = fold(EMPTY, [earned]), Account(earned.amount)
    made = Member(member, BUCKET, state=state, accounts={POINTS: account}, cells=cells)
    store.put_member(made)
    for cell in cells.values():
        store.add_cell(CellRecord(cell, cell.hlc, None))


# Pages and snapshots ----------------------------------------------------------------------------


def _pages(store: Records) -> list[Figure]:
    """A page of many rows as the answer's bytes, and the bare fetch of the same rows."""
    bare, whole = list[float](), list[float]()
    for _ in range(ROUNDS):
        with store.reading():
            began = time.perf_counter()
            rows = store._rows.ask(MEMBER_ROWS, BUCKET, 0, PAGE)
            bare.append(time.perf_counter() - began)
        with store.reading():
            began = time.perf_counter()
            found = store.page(BUCKET, 0, PAGE).members
            msgspec.msgpack.encode(found)
            whole.append(time.perf_counter() - began)
        assert len(rows) == len(found)
    fetch = median(bare)
    return [
        Figure(
            f"G7 page of {PAGE} rows", median(whole) / fetch, "x", 1.3, "lower", ROUNDS,
            "bare fetch, ms", fetch * 1000,
        )
    ]  # fmt: skip


def _snapshots(store: Records) -> list[Figure]:
    """A snapshot in portions, as in a night in which nobody waits, and paging the bucket once."""
    began, after = time.perf_counter(), 0
    while True:
        with store.reading():
            found = store.page(BUCKET, after, FRAME_ROWS)
            msgspec.msgpack.encode(found.members)
        if not found.more:
            break
        after = found.last
    paged, began = time.perf_counter() - began, time.perf_counter()
    with store.writing():
        begun = store.snapshots.begin(BUCKET, store.tenant().timeline, list(store.devices()))
    done = False
    while not done:
        portion = Portion(lambda: False)
        with store.writing():
            while not done and not portion.over:
                begun, done = store.snapshots.add(BUCKET, begun, FRAME_ROWS)
    made = time.perf_counter() - began
    return [Figure("G8 snapshot", made / paged, "x", 1.0, "lower", 1, "paging once, s", paged)]


# The console ------------------------------------------------------------------------------------


def _search(folder: Path) -> Figure:
    """What people type into the console's box: names, phones, cards, last four digits."""
    rng, took = random.Random(3), list[float]()
    with contextlib.closing(database_of(folder)) as database:
        for _ in range(SEARCHES):
            number = rng.randrange(MEMBERS)
            typed = rng.choice(
                [f"Byron {number}", f"139{number:08d}", f"88{number:010d}", f"{number:08d}"[-4:]]
            )
            began = time.perf_counter()
            with database.of(TENANT):
                members_of(Snapshot(database, TENANT), typed, lambda _: True)
            took.append((time.perf_counter() - began) * 1000)
    return Figure(
        f"console search, {MEMBERS} members", percentile(took, 0.95), "ms", 100, "lower", SEARCHES
    )


# The wire ---------------------------------------------------------------------------------------


def _push_packed() -> Figure:
    shop = Shop(1, 100)
    shop.sell(PUSHED)
    control = shop.at.store.control()
    body = wire.to_bytes(
        SyncRequest(
            bytes(16),
            control.device,
            1,
            genesis(bytes(16), control.device, 1),
            PUSHED,
            tuple(shop.at.file),
            (),
            {},
        )
    )
    packed = zstandard.ZstdCompressor(level=3).compress(body)
    return Figure(
        "G14 zstd of a push", len(packed) / len(body), "x", 0.3, "lower", 1, "bytes", len(body)
    )


def _rest(kiosk: Kiosk, exchange: Exchange) -> int:
    """Ask until there is nothing to tell or to fetch; how many answers that took."""
    rounds = 0
    while True:
        kiosk.clock.now = datetime.now(UTC)
        heard = exchange.once()
        assert heard is not None
        assert not heard.why, heard
        rounds += 1
        if heard.again_s >= POLL_S:
            return rounds
        if heard.again_s > SOON_S:
            time.sleep(heard.again_s)


def _change(folder: Path) -> None:
    """Some members get a new number in the feed."""
    with opened(folder) as (store, _), store.writing():
        for row in store.rows(BUCKET, 0, CHANGED):
            if isinstance(row, Member):
                store.put_member(row)


def _over_the_wire(folder: Path) -> list[Figure]:
    """The counter's own till begins with the chain over HTTP, then polls for nothing and for changes. Head
    office is a process of its own meanwhile, as it is on another machine."""
    with scratch(in_memory=False) as base:
        template = make_template(base / "template")
        kiosk = Kiosk(template.copy_to(base / "till"), template)
        kiosk.clock.now = datetime.now(UTC)
        with (
            contextlib.closing(kiosk),
            process(folder) as office,
            lossy(office.url, 1) as proxy,
        ):
            proxy.heal()
            kiosk.end_shift()
            began, worked = time.perf_counter(), time.thread_time()
            join(kiosk.ctx, proxy.url, code_for(folder, "North", "till 1"))
            exchange = Exchange(kiosk.ctx)
            _rest(kiosk, exchange)
            begun_s, worked_s = time.perf_counter() - began, time.thread_time() - worked
            fetched, proxy.bytes = proxy.bytes, 0
            _rest(kiosk, exchange)
            idle = proxy.bytes
            _change(folder)
            time.sleep(2 * LOOK_S)  # another process has changed its store
            rounds = _rest(kiosk, exchange)
            exchange.close()
    most_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rate = Figure(
        f"a till begins with {MEMBERS} members", begun_s, "s", 60 * MEMBERS / 1_000_000, "lower", 1,
        "processor of the till, us a member", worked_s * 1_000_000 / MEMBERS,
    )  # fmt: skip
    size = Figure(
        "bytes of it a member", fetched / MEMBERS, "B", 400, "lower", 1,
        "most memory of this process so far, MB", most_mb,
    )  # fmt: skip
    quiet = Figure("G14 idle sync, both ways, headers too", idle, "B", 1024, "lower", 1)
    return [rate, size, quiet, Figure("G12 rounds for 1,000 rows", rounds, "", 5, "lower", 1)]


def _sales_meanwhile(folder: Path) -> Figure:
    """What a sale waits for while another till, whose shift is open, begins with the chain."""
    with scratch(in_memory=False) as base:
        template = make_template(base / "template")
        kiosk = Kiosk(template.copy_to(base / "till"), template)
        kiosk.clock.now = datetime.now(UTC)
        took, over = list[float](), threading.Event()
        with contextlib.closing(kiosk), process(folder) as office:
            join(kiosk.ctx, office.url, code_for(folder, "South", "till 2"))
            exchange = Exchange(kiosk.ctx)

            def fetch() -> None:
                try:
                    _rest(kiosk, exchange)
                finally:
                    over.set()

            thread = threading.Thread(target=fetch)
            thread.start()
            while not over.wait(SALE_EVERY_S):
                began = time.perf_counter()
                kiosk.quote_and_sell()
                took.append((time.perf_counter() - began) * 1000)
            thread.join()
            exchange.close()
    return Figure(
        "a sale while a till begins, p99", percentile(took, 0.99), "ms", 100, "lower", len(took),
        f"p50 {percentile(took, 0.5):.1f} ms, most, ms", max(took),
    )  # fmt: skip
