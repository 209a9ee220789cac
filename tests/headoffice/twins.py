"""Two head offices side by side: the in-memory store of the simulator and one on disk, asked the same and
compared after every request or group of requests, reply by reply and record by record."""

from __future__ import annotations

import itertools
import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
import psycopg

from app.protocol import pull
from app.protocol.late import Late
from app.protocol.limits import Limits
from app.protocol.server import Server
from app.protocol.store import FeedPage, Snapshot, Tenant
from app.protocol.unmerging import Parted
from app.protocol.wire import ReferenceRow, Reply, Request, SyncReply, unpack_row
from headoffice.store.opening import open_database
from headoffice.store.postgresql import PostgresStore
from headoffice.store.postgresql_opening import Connection, connect
from headoffice.store.records import Records
from headoffice.store.sqlite import SqliteStore
from tests.headoffice.cluster import Cluster
from tests.headoffice.office import TABLES, AsItIs, lay_new_store
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


class _Done(NamedTuple):
    """Something that memory's server did, and its answer; `request` where it was one."""

    what: Callable[[Server], object]
    answer: object
    request: Request | None = None


class Pace(NamedTuple):
    """A group is 1 to `most` requests; the records are compared after each `every`th, the answers always."""

    most: int = 1
    every: int = 1


class Disk(ABC):
    """A store on disk, what of it was found equal to memory so far, and what it has yet to do.

    What memory has done is done here in groups, each one transaction as the group writer's.
    """

    def __init__(self, shelf: list[Disk], limits: Limits, pace: Pace) -> None:
        self._limits, self._pace, self._chance = limits, pace, random.Random(len(shelf))
        self._waiting: list[_Done] = []
        shelf.append(self)
        self.compared: Counter[str] = Counter()
        self.forget()

    @property
    @abstractmethod
    def store(self) -> Records:
        """The store itself."""

    @abstractmethod
    def copy(self) -> Disk:
        """A backup of this moment."""

    @abstractmethod
    def close(self) -> None:
        """The run is over."""

    @abstractmethod
    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """The answer in SQL, inside a transaction of the store."""

    def forget(self) -> None:
        """Compare everything anew the next time."""
        self._rows: dict[str, set[tuple[Any, ...]]] = {}
        self._links = self._events = 0

    def do(self, done: _Done, memory: MemoryStore) -> None:
        """What memory has done, now or with others that follow."""
        self._waiting.append(done)
        if len(self._waiting) >= self._chance.randint(1, self._pace.most):
            self.settle(memory)

    def settle(self, memory: MemoryStore) -> None:
        """Do what waits, as one transaction, and compare."""
        if not self._waiting:
            return
        server = Server(self.store, self._limits)
        with self.store.writing([done.request for done in self._waiting if done.request]):
            answers = [done.what(server) for done in self._waiting]
        for done, answer in zip(self._waiting, answers, strict=True):
            _equal("an answer", done.answer, _read(answer))
        self.compared["requests"] += len(answers)
        self.compared["groups"] += 1
        self._waiting.clear()
        if self.compared["groups"] % self._pace.every == 0:
            self.compare(memory)

    def compare(self, memory: MemoryStore) -> None:
        """Everything in both stores; what was equal before and has not changed since is not read again."""
        kept = vars(memory)
        with self.store.reading():
            self._counts(kept)
            self._added(memory, kept)
            for key in self._changed():
                _same_record(memory, self.store, *key)
                self.compared[key[0]] += 1

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
        found = dict(zip(wanted, self.ask(f"SELECT {columns}")[0], strict=True))
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
            rows = set(self.ask(f"SELECT * FROM {table}"))
            first = 0 if table == "tenant" else 2
            for row in rows ^ self._rows.get(table, set()):
                changed.add((name, row[first : first + columns]))
            self._rows[table] = rows
        return changed


def _equal(what: str, memory: object, disk: object) -> None:
    if memory != disk or type(memory) is not type(disk):
        raise Different(f"{what}: {memory!r} / {disk!r}")


def _same_record(memory: MemoryStore, disk: Records, name: str, key: tuple[Any, ...]) -> None:
    """One record, read through the port of both."""
    _equal(f"{name} {key}", _record(memory, name, key), _record(disk, name, key))


def _record(store: MemoryStore | Records, name: str, key: tuple[Any, ...]) -> object:
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
        return (
            store.head(bucket),
            store.floor(bucket),
            tuple(store.rows(bucket, 0, 100_000)),
            [_page(store, bucket, room) for room in (3, 100_000)],
        )
    if name == "snapshot":
        found = store.snapshot(*key)
        assert found is not None
        return _read(found)
    return getattr(store, name)(*key)


def _page(store: MemoryStore | Records, bucket: str, room: int) -> FeedPage:
    """A page of a bucket, its rows read."""
    found = store.page(bucket, 0, room)
    return found._replace(members=[unpack_row(row) for row in found.members])


def _read(answer: object) -> object:
    """An answer with its rows read: disks have them as bytes."""
    if isinstance(answer, SyncReply):
        return msgspec.structs.replace(answer, rows=tuple(map(unpack_row, answer.rows)))
    if isinstance(answer, Snapshot):
        return answer._replace(frames=tuple(answer.frames))
    if type(answer) is tuple and answer:
        return (_read(answer[0]), *answer[1:])
    return answer


class SqliteDisk(Disk):
    """Files in a folder."""

    def __init__(
        self,
        folder: Path,
        shelf: list[Disk],
        tenant: bytes,
        limits: Limits,
        pace: Pace,
        planted: type,
    ) -> None:
        self._new = partial(SqliteDisk, folder, shelf, tenant, limits, pace, planted)
        self.path = folder / f"{len(shelf)}.db"
        super().__init__(shelf, limits, pace)
        lay_new_store(self.path)
        self.raw = open_database(self.path)
        kind: Callable[..., Records] = type("Planted", (planted, SqliteStore), {})
        self._store = kind(self.raw, tenant)

    @property
    def store(self) -> Records:
        return self._store

    def copy(self) -> Disk:
        other = self._new()
        self.raw.backup(other.raw)
        return other

    def close(self) -> None:
        self.raw.close()
        self.path.unlink()

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        return self.raw.execute(question).fetchall()


class PostgresDisk(Disk):
    """The tables of a cluster: one disk at a time lies in them, a backup is kept as rows until it is used."""

    def __init__(
        self,
        cluster: Cluster,
        raw: Connection,
        store: Records,
        shelf: list[Disk],
        limits: Limits,
        pace: Pace,
        kept: Mapping[str, list[tuple[Any, ...]]] | None = None,
    ) -> None:
        super().__init__(shelf, limits, pace)
        self._new = partial(PostgresDisk, cluster, raw, store, shelf, limits, pace)
        self._cluster, self._raw, self._store, self._kept = cluster, raw, store, kept

    @property
    def store(self) -> Records:
        if self._kept is not None:
            self._put_back(self._kept)
            self._kept = None
        return self._store

    def copy(self) -> Disk:
        if self._kept is not None:
            return self._new(self._kept)
        with self._store.reading():
            kept = (*TABLES, "ledger_head")
            return self._new(
                {table: self.ask(f"SELECT {self._columns(table)} FROM {table}") for table in kept}
            )

    def close(self) -> None:
        self._raw.close()

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        return self._raw.execute(question, binary=True).fetchall()

    def _columns(self, table: str) -> str:
        """Those that are written; the others follow from them."""
        found = self.ask(
            "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute "
            f"WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped "
            "AND attgenerated = ''"
        )
        return str(found[0][0])

    def _put_back(self, kept: Mapping[str, list[tuple[Any, ...]]]) -> None:
        self._cluster.empty()
        with psycopg.connect(self._cluster.superuser) as raw:
            raw.execute("SET session_replication_role = replica")
            for table, rows in kept.items():
                into = f"COPY {table} ({self._columns(table)}) FROM STDIN"
                with raw.cursor() as cursor, cursor.copy(into) as copy:
                    for row in rows:
                        copy.write_row(row)


class TwinStore(MemoryStore):
    """The store that the simulation sees: memory, whose backups and direct changes are done on disk too."""

    def __init__(self, tenant: Tenant, disk: Disk, limits: Limits) -> None:
        super().__init__(tenant)
        self.disk = disk
        self._limits = limits

    def copy(self) -> TwinStore:
        self.disk.settle(self)
        other = TwinStore(self.tenant(), self.disk.copy(), self._limits)
        vars(other).update(vars(super().copy()))
        return other

    def prune(self, bucket: str, up_to: int) -> None:
        super().prune(bucket, up_to)
        self.disk.do(_Done(lambda server: server.store.prune(bucket, up_to), None), self)

    def put_snapshot(self, snapshot: Snapshot) -> None:
        super().put_snapshot(snapshot)
        bucket, number = snapshot.bucket, snapshot.id

        def taken(server: Server) -> Snapshot:
            return pull.take_snapshot(server.store, bucket, number, self._limits)

        self.disk.do(_Done(taken, snapshot), self)


class TwinServer(Server):
    """Two servers in one: memory's answers count, the other's must be the same."""

    __slots__ = ()

    def _both(self, what: Callable[[Server], Result], request: Request | None = None) -> Result:
        memory = self.store
        assert isinstance(memory, TwinStore)
        ours = what(Server(memory, self.limits, self.read, self.offset_ms))
        memory.disk.do(_Done(what, ours, request), memory)
        return ours

    def handle(self, request: Request, now_ms: int, rng: random.Random) -> Reply:
        state = rng.getstate()

        def asked(server: Server) -> tuple[Reply, object]:
            chance = random.Random()
            chance.setstate(state)
            return server.handle(request, now_ms, chance), chance.getstate()

        reply, after = self._both(asked, request)
        rng.setstate(after)  # type: ignore[arg-type]  # as getstate gave it
        return reply

    def enrol(self, device: bytes, home: str, *buckets: str, forgotten: bool = False) -> None:
        self._both(lambda server: server.enrol(device, home, *buckets, forgotten=forgotten))

    def write_off(self, device: bytes) -> int:
        return self._both(lambda server: server.write_off(device))

    def take_late(
        self, device: bytes, bodies: Sequence[bytes], now_ms: int, *, last: bool = True
    ) -> Late:
        return self._both(lambda server: server.take_late(device, bodies, now_ms, last=last))

    def forgive(self, member: bytes) -> int:
        return self._both(lambda server: server.forgive(member))

    def merge(self, loser: bytes, winner: bytes, now_ms: int) -> bool:
        return self._both(lambda server: server.merge(loser, winner, now_ms))

    def unmerge(self, loser: bytes, now_ms: int) -> tuple[Parted, ...] | None:
        return self._both(lambda server: server.unmerge(loser, now_ms))

    def forfeit(self, member: bytes, now_ms: int) -> Mapping[str, int]:
        return self._both(lambda server: server.forfeit(member, now_ms))

    def erase(self, member: bytes, home: str) -> None:
        self._both(lambda server: server.erase(member, home))

    def book_expiries(self, now_ms: int) -> int:
        return self._both(lambda server: server.book_expiries(now_ms))

    def publish(self, row: ReferenceRow) -> None:
        self._both(lambda server: server.publish(row))

    def restored(self, timeline: int) -> None:
        self._both(lambda server: server.restored(timeline))


NewDisk = Callable[[list[Disk], bytes, Limits], Disk]
"""Makes the first disk of a run: the shelf that it and its backups go to, the tenant, the limits."""


class TwinWorld(World):
    """The simulated world with such a head office. `disks` are all that its store and backups are."""

    def __init__(self, settings: Settings, new_disk: NewDisk) -> None:
        self._new_disk = new_disk
        self.disks: list[Disk] = []
        super().__init__(settings)

    def head_office(self, tenant: Tenant) -> Server:
        disk = self._new_disk(self.disks, tenant.id, self.settings.limits)
        with disk.store.writing():
            disk.store.put_tenant(tenant)
        store = TwinStore(tenant, disk, self.settings.limits)
        return TwinServer(store, self.settings.limits)


def in_files(folder: Path, pace: Pace, planted: type = AsItIs) -> NewDisk:
    """Disks in SQLite; `planted` overrides methods of the store."""
    return lambda shelf, tenant, limits: SqliteDisk(folder, shelf, tenant, limits, pace, planted)


def in_postgresql(cluster: Cluster, pace: Pace, planted: type = AsItIs) -> NewDisk:
    """Disks in PostgreSQL, of which the run has all the tables."""

    def new(shelf: list[Disk], tenant: bytes, limits: Limits) -> Disk:
        cluster.empty()
        raw = connect(cluster.app)
        kind: Callable[..., Records] = type("Planted", (planted, PostgresStore), {})
        return PostgresDisk(cluster, raw, kind(raw, tenant), shelf, limits, pace)

    return new


def run_twins(seed: int, budget: int, new_disk: NewDisk) -> Counter[str]:
    """One seed's traffic through both stores: how many requests and records were compared. Raises Different."""
    world = TwinWorld(draw(seed, budget), new_disk)
    try:
        world.run()
        store = world.server.store
        assert isinstance(store, TwinStore)
        store.disk.settle(store)
        store.disk.forget()
        store.disk.compare(store)
        return sum((disk.compared for disk in world.disks), Counter())
    finally:
        for disk in world.disks:
            disk.close()
