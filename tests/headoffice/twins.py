"""Two head offices side by side: the in-memory store of the simulator and the one on disk, asked the same and
compared after every request, reply by reply and record by record."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from app.protocol import pull
from app.protocol.limits import Limits
from app.protocol.server import Server
from app.protocol.store import Snapshot, Tenant
from app.protocol.wire import ReferenceRow, Reply, Request
from headoffice.store.opening import open_database
from headoffice.store.sqlite import SqliteStore
from tests.sim.memory import MemoryStore
from tests.sim.settings import Settings, draw
from tests.sim.world import World

Result = TypeVar("Result")
CHANGING: Final = {
    "tenant": ("tenant", 1), "device": ("device", 1), "member": ("member", 1),
    "reservation": ("member", 1), "hold": ("hold", 1), "risk_grant": ("grant", 1),
    "sale_return": ("return", 1), "cell": ("cell", 1), "reference_set": ("reference", 1),
    "feed_head": ("feed", 1), "snapshot": ("snapshot", 2),
}  # fmt: skip
"""Of which record a table's rows are part, and how many columns of its key name that record. Not here: frames,
which no statement changes without their snapshot, and links, events and entries, whose rows no trigger lets
change: of those it is enough to compare what was added."""


class Different(AssertionError):
    """The two stores, or what they answered, are not the same."""


class Disk:
    """A store on disk, and what of it was found equal to memory so far."""

    def __init__(
        self, folder: Path, shelf: list[Disk], tenant: bytes, kind: type[SqliteStore]
    ) -> None:
        self._new = partial(Disk, folder, shelf, tenant, kind)
        self.path = folder / f"{len(shelf)}.db"
        shelf.append(self)
        self.raw = open_database(self.path)
        self.store = kind(self.raw, tenant)
        self.compared: Counter[str] = Counter()
        self.forget()

    def forget(self) -> None:
        """Compare everything anew the next time."""
        self._rows: dict[str, set[tuple[Any, ...]]] = {}
        self._links = self._events = 0

    def copy(self) -> Disk:
        """A backup of this moment, as a file of its own."""
        other = self._new()
        self.raw.backup(other.raw)
        return other

    def compare(self, memory: MemoryStore) -> None:
        """Everything in both stores; what was equal before and has not changed since is not read again."""
        kept = vars(memory)
        with self.store.reading():
            self._counts(kept)
            self._added(memory, kept)
            for key in self._changed():
                _same_record(memory, self.store, *key)
                self.compared[key[0]] += 1
        self.compared["requests"] += 1

    def _counts(self, kept: Mapping[str, Any]) -> None:
        wanted = {
            "tenant": 1,
            "device": len(kept["_devices"]),
            "link": len(kept["_links"]),
            "event": len(kept["_events"]),
            "member": len(kept["_members"]),
            "ledger": sum(map(len, kept["_ledger"].values())),
            "reservation": sum(len(each.reserved) for each in kept["_members"].values()),
            "hold": len(kept["_holds"]),
            "risk_grant": len(kept["_grants"]),
            "sale_return": sum(map(len, kept["_returns"].values())),
            "cell": sum(map(len, kept["_cells"].values())),
            "reference_set": len(kept["_references"]),
            "feed_head": len(kept["_heads"]),
            "snapshot": len(kept["_snapshots"]),
            "snapshot_frame": sum(len(each.frames) for each in kept["_snapshots"].values()),
        }
        columns = ", ".join(f"(SELECT count(*) FROM {table})" for table in wanted)
        found = dict(zip(wanted, self.raw.execute(f"SELECT {columns}").fetchone(), strict=True))
        _equal("rows of tables", wanted, found)

    def _added(self, memory: MemoryStore, kept: Mapping[str, Any]) -> None:
        for key in itertools.islice(kept["_links"], self._links, None):
            _equal("link", memory.link(*key), self.store.link(*key))
        for event in itertools.islice(kept["_events"], self._events, None):
            _equal("event", memory.event(event), self.store.event(event))
        self.compared["link"] += len(kept["_links"]) - self._links
        self.compared["event"] += len(kept["_events"]) - self._events
        self._links, self._events = len(kept["_links"]), len(kept["_events"])

    def _changed(self) -> set[tuple[str, tuple[Any, ...]]]:
        """The records of which a row came, went or is another one."""
        changed = set()
        for table, (name, columns) in CHANGING.items():
            rows = set(self.raw.execute(f"SELECT * FROM {table}"))
            first = 0 if table == "tenant" else 2
            for row in rows ^ self._rows.get(table, set()):
                changed.add((name, row[first : first + columns]))
            self._rows[table] = rows
        return changed


def _equal(what: str, memory: object, disk: object) -> None:
    if memory != disk or type(memory) is not type(disk):
        raise Different(f"{what}: {memory!r} / {disk!r}")


def _same_record(memory: MemoryStore, disk: SqliteStore, name: str, key: tuple[Any, ...]) -> None:
    """One record, read through the port of both."""
    _equal(f"{name} {key}", _record(memory, name, key), _record(disk, name, key))


def _record(store: MemoryStore | SqliteStore, name: str, key: tuple[Any, ...]) -> object:
    if name == "tenant":
        return store.tenant()
    if name == "member":
        return store.member(*key), tuple(store.ledger(*key))
    if name == "return":
        return tuple(store.returns(*key))
    if name == "cell":
        return tuple(store.cells(*key))
    if name == "feed":
        bucket = str(key[0])
        return store.head(bucket), store.floor(bucket), tuple(store.rows(bucket, 0, 100_000))
    if name == "snapshot":
        found = store.snapshot(*key)
        assert found is not None
        return found._replace(frames=tuple(found.frames))
    return getattr(store, name)(*key)


class TwinStore(MemoryStore):
    """The store that the simulation sees: memory, whose backups and direct changes are done on disk too."""

    def __init__(self, tenant: Tenant, disk: Disk, limits: Limits) -> None:
        super().__init__(tenant)
        self.disk = disk
        self._limits = limits

    def copy(self) -> TwinStore:
        other = TwinStore(self.tenant(), self.disk.copy(), self._limits)
        vars(other).update(vars(super().copy()))
        return other

    def prune(self, bucket: str, up_to: int) -> None:
        super().prune(bucket, up_to)
        with self.disk.store.writing():
            self.disk.store.prune(bucket, up_to)
        self.disk.compare(self)

    def put_snapshot(self, snapshot: Snapshot) -> None:
        super().put_snapshot(snapshot)
        with self.disk.store.writing():
            theirs = pull.take_snapshot(self.disk.store, snapshot.bucket, snapshot.id, self._limits)
        _equal("a snapshot", snapshot, theirs)
        self.disk.compare(self)


class TwinServer(Server):
    """Two servers in one: memory's answers count, the other's must be the same."""

    __slots__ = ()

    def _both(self, what: Callable[[Server], Result]) -> Result:
        memory = self.store
        assert isinstance(memory, TwinStore)
        disk = memory.disk
        ours = what(Server(memory, self.limits, self.read, self.offset_ms))
        with disk.store.writing():
            theirs = what(Server(disk.store, self.limits, self.read, self.offset_ms))
        _equal("an answer", ours, theirs)
        disk.compare(memory)
        return ours

    def handle(self, request: Request, now_ms: int, rng: random.Random) -> Reply:
        state = rng.getstate()

        def asked(server: Server) -> tuple[Reply, object]:
            rng.setstate(state)
            return server.handle(request, now_ms, rng), rng.getstate()

        return self._both(asked)[0]

    def enrol(self, device: bytes, home: str, *buckets: str, forgotten: bool = False) -> None:
        self._both(lambda server: server.enrol(device, home, *buckets, forgotten=forgotten))

    def write_off(self, device: bytes) -> int:
        return self._both(lambda server: server.write_off(device))

    def forgive(self, member: bytes) -> int:
        return self._both(lambda server: server.forgive(member))

    def merge(self, loser: bytes, winner: bytes, now_ms: int) -> bool:
        return self._both(lambda server: server.merge(loser, winner, now_ms))

    def erase(self, member: bytes, home: str) -> None:
        self._both(lambda server: server.erase(member, home))

    def book_expiries(self, now_ms: int) -> int:
        return self._both(lambda server: server.book_expiries(now_ms))

    def publish(self, row: ReferenceRow) -> None:
        self._both(lambda server: server.publish(row))

    def restored(self, timeline: int) -> None:
        self._both(lambda server: server.restored(timeline))


class TwinWorld(World):
    """The simulated world with such a head office. `disks` are all files that its store and backups are."""

    on_disk: type[SqliteStore] = SqliteStore
    """The planted faults of the tests stand here."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._folder = folder
        self.disks: list[Disk] = []
        super().__init__(settings)

    def head_office(self, tenant: Tenant) -> Server:
        disk = Disk(self._folder, self.disks, tenant.id, self.on_disk)
        with disk.store.writing():
            disk.store.put_tenant(tenant)
        store = TwinStore(tenant, disk, self.settings.limits)
        return TwinServer(store, self.settings.limits)


def run_twins(
    seed: int, budget: int, folder: Path, world_type: type[TwinWorld] = TwinWorld
) -> Counter[str]:
    """One seed's traffic through both stores: how many requests and records were compared. Raises Different."""
    world = world_type(draw(seed, budget), folder)
    try:
        world.run()
        store = world.server.store
        assert isinstance(store, TwinStore)
        store.disk.forget()
        store.disk.compare(store)
        return sum((disk.compared for disk in world.disks), Counter())
    finally:
        for disk in world.disks:
            disk.raw.close()
            disk.path.unlink()
