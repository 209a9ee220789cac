"""One till's machine in the simulation: its database, its side file, its journal file, and what breaks them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from app.domain.business_day import BusinessDate
from app.protocol import own_chain
from app.protocol.facts import Facts, NotReadable, read
from app.protocol.links import Side, behind, raised
from app.protocol.till import Till
from app.protocol.till_store import Control
from tests.sim.settings import DAY
from tests.sim.till_memory import MemoryTillStore


@dataclass(frozen=True, slots=True)
class Pending:
    """A sale under way that waits for its hold until a time."""

    member: bytes
    asset: str
    amount: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Image:
    """The whole disk at a moment."""

    database: MemoryTillStore
    side: Side
    file: list[bytes]


@dataclass(slots=True)
class Machine:
    """A till as hardware: `up` while its process runs, `lost` once it has left for ever."""

    name: str
    home: str
    store: MemoryTillStore
    rng: random.Random
    skew_ms: int
    till: Till = field(init=False)
    side: Side = field(default_factory=lambda: Side(1, 0, 0))
    file: list[bytes] = field(default_factory=list)
    up: bool = True
    lost: bool = False
    rolled_back: bool = False
    cut_until_ms: int = 0
    asked_ms: int = -DAY
    pending: dict[bytes, Pending] = field(default_factory=dict)
    returning: dict[bytes, bytes] = field(default_factory=dict)
    saved: MemoryTillStore | None = None
    image: Image | None = None

    def __post_init__(self) -> None:
        self.till = Till(self.store)

    @property
    def device(self) -> bytes:
        return self.store.control().device

    def clock(self, now_ms: int) -> int:
        """What this till believes the time is."""
        return now_ms + self.skew_ms

    def today(self, now_ms: int) -> BusinessDate:
        return BusinessDate(self.clock(now_ms) // DAY)

    # Committing

    def commit(self, facts: Facts, body: bytes, *, torn: bool = False) -> int:
        """Database first, then journal file and side file; a process that dies in between leaves it torn."""
        number = own_chain.record(self.store, facts, body)
        if not torn:
            self.write_file()
        return number

    def write_file(self) -> None:
        for number in range(len(self.file) + 1, self.store.top() + 1):
            self.file.append(self.store.body(number))
        self.side = raised(self.side, Side(self.store.control().epoch, len(self.file), 0))

    # Faults

    def crash(self) -> None:
        """The process dies: what was in memory alone is gone."""
        self.up = False
        self.pending.clear()
        self.returning.clear()

    def start(self, on: BusinessDate) -> None:
        """The process begins: database and journal file are made whole from each other."""
        old = behind(self.side, self.store.control().epoch, self.store.top())
        for body in self.file[self.store.top() :]:
            own_chain.append(self.store, facts_of(body), body)
        self.write_file()
        self.till = Till(self.store)
        self.till.start(self.rng, behind=old)
        for hold in self.store.control().holds:
            if hold.standing != "ended":
                self.till.void_hold(hold.id, on, self.rng)
        self.write_file()
        self.up = True

    def save(self) -> None:
        """A backup of the database alone."""
        self.saved = self.store.copy()

    def take_image(self) -> None:
        """A copy of the whole disk."""
        self.image = Image(self.store.copy(), self.side, list(self.file))

    def restore_database(self) -> bool:
        """The database is replaced by its backup; side file and journal file are those of now."""
        if self.saved is None:
            return False
        self.crash()
        self.store = self.saved.copy()
        return True

    def restore_image(self) -> bool:
        """The whole disk is put back: nothing on it shows that there was a later one."""
        if self.image is None:
            return False
        self.crash()
        self.store = self.image.database.copy()
        self.side, self.file = self.image.side, list(self.image.file)
        self.rolled_back = True
        self.saved = None
        return True


Reader = Callable[[bytes], Facts]
_facts: dict[bytes, Facts] = {}
_FACTS_MOST = 20_000


def facts_of(body: bytes) -> Facts:
    """Facts of event bytes; an odd event is itself alone."""
    known = _facts.get(body)
    if known is None:
        if len(_facts) > _FACTS_MOST:
            _facts.clear()
        try:
            known = read(body)
        except NotReadable:
            known = odd(body)
        _facts[body] = known
    return known


def odd(body: bytes) -> Facts:
    """What is known of bytes that nobody can read: the id that head office keeps them under."""
    return Facts(sha256(body).digest()[:16], "odd", None, BusinessDate(0))


def machine(
    name: str, home: str, tenant: bytes, timeline: int, buckets: tuple[str, ...], rng: random.Random
) -> Machine:
    """A new till with an empty store."""
    control = Control(tenant, rng.randbytes(16), buckets, timeline)
    skew = rng.randint(-4 * 60_000, 4 * 60_000)
    return Machine(name, home, MemoryTillStore(control), rng, skew)
