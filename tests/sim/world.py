"""The simulated world: one clock, one heap of what is to come, one source of chance; tills, a network that
loses, doubles and turns messages round, and a head office. One seed is one run, to the byte."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from typing import Final

from app.protocol import wire
from app.protocol.server import Server
from app.protocol.store import Tenant
from app.protocol.wire import HoldReply, Reply, Request
from tests.sim import comparison, counter, going_back, office
from tests.sim.machine import Machine, machine
from tests.sim.memory import MemoryStore
from tests.sim.oracle import Oracle
from tests.sim.settings import DAY, HOUR, MINUTE, Settings

START_MS: Final = 20_000 * DAY + 9 * HOUR
BUCKETS: Final = ("north", "south")
ROUNDS_MOST: Final = 250
"""So many rounds of every till must be enough to be even again, with pages of one row too."""
WAIT_MS: Final = 5 * MINUTE
"""A request that was not answered for so long is given up; the next one takes its place."""


class World:
    """A run of one seed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.rng = random.Random(settings.seed)
        self.now_ms = START_MS
        self.counts: Counter[str] = Counter()
        self.receipts: list[bytes] = []
        self.paper: dict[bytes, bytes] = {}
        self.erased: set[bytes] = set()
        self.published: dict[str, wire.ReferenceRow] = {}
        self.backups: list[MemoryStore] = []
        self.brought: list[Machine] = []
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._serial = 0
        self._quiet = False
        tenant = Tenant(self.rng.randbytes(16), START_MS, settings.budget, START_MS)
        self.server = self.head_office(tenant)
        self.oracle = Oracle(self)
        self.members = [self.rng.randbytes(16) for _ in range(settings.members)]
        self.machines = list[Machine]()
        for _ in range(settings.tills):
            self.new_till()

    def head_office(self, tenant: Tenant) -> Server:
        """A new one with nothing in it but the tenant."""
        return Server(MemoryStore(tenant), self.settings.limits)

    # Time

    def at(self, when_ms: int, what: Callable[[], None]) -> None:
        """Let something happen later."""
        self._serial += 1
        heapq.heappush(self._heap, (when_ms, self._serial, what))

    def run(self) -> None:
        """Live through the days of the seed, then heal everything and compare."""
        end = START_MS + self.settings.days * DAY
        self._every(self.settings.act_every // 2, self._office_act)
        self._every(16 * HOUR, self._fault)
        while self._heap and self._heap[0][0] < end:
            self.now_ms, _, what = heapq.heappop(self._heap)
            what()
        self.now_ms = end
        self._heal()
        comparison.final(self.oracle)

    def _every(self, mean_ms: int, what: Callable[[], None]) -> None:
        def again() -> None:
            what()
            self.at(self.now_ms + 1 + int(self.rng.expovariate(1 / mean_ms)), again)

        self.at(self.now_ms + self.rng.randint(0, mean_ms), again)

    # Tills

    def new_till(self) -> Machine:
        """A till of its own identity, let in by head office."""
        store = self.server.store
        home = self.rng.choice(BUCKETS)
        tenant = store.tenant()
        name = f"till-{len(self.machines)}"
        buckets = self.buckets_of(home)
        made = machine(name, home, tenant.id, tenant.timeline, buckets, self.rng)
        self.machines.append(made)
        self.server.enrol(made.device, home, *buckets)
        self._every(self.settings.act_every, lambda: self._till_act(made))
        self._every(self.settings.poll_every, lambda: self.poll(made))
        return made

    def buckets_of(self, home: str) -> tuple[str, ...]:
        """What a till of a home is let in with."""
        return (home,) if self.settings.apart else BUCKETS

    def any_member(self, at: Machine) -> bytes:
        """Mostly one of a few, so that tills meet at the same members."""
        del at
        few = self.members if self.rng.random() < 0.3 else self.members[:3]
        return self.rng.choice(few)

    def live(self) -> list[Machine]:
        return [at for at in self.machines if not at.lost]

    def torn(self, at: Machine) -> bool:
        """Whether the process dies between the commit and the journal file."""
        del at
        weight = 0 if self._quiet else self.settings.faults.get("torn_commit", 0)
        return self.rng.random() < weight / 2000

    def crash(self, at: Machine, name: str) -> None:
        self.counts[f"fault {name}"] += 1
        at.crash()
        self.at(self.now_ms + self.rng.randint(1, 90) * MINUTE, lambda: self.start(at))

    def start(self, at: Machine) -> None:
        if not at.lost and not at.up:
            at.start(at.today(self.now_ms))
            self.oracle.till_step(at)

    def _till_act(self, at: Machine) -> None:
        if at.up and not at.lost and not at.store.control().revoked:
            acts = self.settings.acts
            what = self.rng.choices(list(acts), list(acts.values()))[0]
            counter.act(self, at, what)
            self.oracle.till_step(at)

    def _office_act(self) -> None:
        acts = self.settings.office
        what = self.rng.choices(list(acts), list(acts.values()))[0]
        office.act(self, what)
        self.oracle.server_step()

    def _fault(self) -> None:
        faults = self.settings.faults
        if faults:
            what = self.rng.choices(list(faults), list(faults.values()))[0]
            office.break_something(self, what)

    # Network

    def poll(self, at: Machine) -> None:
        """Sync once, if the till is there and no answer is waited for."""
        if at.up and not at.lost and self.now_ms - at.asked_ms >= WAIT_MS:
            at.asked_ms = self.now_ms
            compare = self.rng.random() < 0.2
            self.counts["compared"] += compare
            digests = at.till.digests() if compare else {}
            request = at.till.request(self.rng, written=len(at.file), digests=digests)
            self.send(at, request)

    def send(self, at: Machine, request: Request) -> None:
        """Give a request to the network."""
        if self.settings.encoded:
            request = wire.request_of(wire.to_bytes(request))
        hold = isinstance(request, wire.HoldRequest)
        for delay in self._copies(at, fast=hold):
            self.at(self.now_ms + delay, lambda: self._arrive(at, request))

    def _copies(self, at: Machine, *, fast: bool) -> list[int]:
        """When the copies of a message arrive; none: it is lost. Most questions about holds are fast."""
        rng, settings = self.rng, self.settings
        if self.now_ms < at.cut_until_ms:
            self.counts["fault cut"] += 1
            return []
        if rng.random() < settings.drop:
            self.counts["fault dropped"] += 1
            return []
        fast = fast and rng.random() < 0.8
        copies = [rng.randint(1, min(settings.delay_most, MINUTE) if fast else settings.delay_most)]
        if rng.random() < settings.duplicate:
            self.counts["fault doubled"] += 1
            copies.append(rng.randint(1, settings.delay_most * 4))
        if rng.random() < 0.1:
            self.counts["fault reordered"] += 1
            copies[0] += rng.randint(1, 30 * MINUTE)
        return copies

    def _arrive(self, at: Machine, request: Request) -> None:
        reply = self.serve(request)
        if self.settings.encoded:
            reply = wire.reply_of(wire.to_bytes(reply))
        for delay in self._copies(at, fast=isinstance(reply, HoldReply)):
            self.at(self.now_ms + delay, lambda: self.deliver(at, reply))

    def serve(self, request: Request) -> Reply:
        """One step of head office, looked at by the oracle."""
        reply = self.server.handle(request, self.now_ms, self.rng)
        self.counts[f"reply {type(reply).__name__}"] += 1
        self.oracle.served(request, reply)
        if isinstance(reply, wire.Refusal) and reply.why == "unknown":
            office.let_in_again(self, request.device)
        return reply

    def deliver(self, at: Machine, reply: Reply) -> None:
        """A reply reaches a till, if somebody is there."""
        if not at.up or at.lost:
            return
        before = at.store.control()
        taken = at.till.receive(reply, at.clock(self.now_ms), at.today(self.now_ms), self.rng)
        at.write_file()
        if taken:
            self.oracle.received(at, reply, before)
        if taken and isinstance(reply, HoldReply):
            if reply.hold in at.returning:
                going_back.served(self, at, reply)
            else:
                counter.held(self, at, reply.hold, reply.granted)
        elif taken:
            at.asked_ms = self.now_ms - WAIT_MS
            if not isinstance(reply, wire.SyncReply | wire.Refusal) and self.rng.random() < 0.8:
                self.at(self.now_ms + MINUTE, lambda: self.poll(at))
        self.oracle.till_step(at)

    # The end

    def _heal(self) -> None:
        """The network works, everybody is there, sales under way are let go: then all must become even."""
        self._quiet = True
        for at in self.live():
            at.crash()
            self.start(at)
        for at in self.machines:
            known = self.server.store.device(at.device)
            if at.lost and known is not None and known.standing == "live":
                self.server.write_off(at.device)
        for number in range(1, ROUNDS_MOST + 1):
            moved = [self._round(at) for at in self.live()]
            if not any(moved):
                self.counts["rounds to heal"] += number
                return
        self.oracle.fail("not even after so many rounds")

    def _round(self, at: Machine) -> bool:
        """One exchange; whether anything changed."""
        self.now_ms += 1000
        before = at.store.control()._replace(hlc=0)
        dirty = len(at.store.dirty())
        request = at.till.request(self.rng, written=len(at.file), digests=at.till.digests())
        self.deliver(at, self.serve(request))
        after = at.store.control()._replace(hlc=0)
        return before != after or dirty > 0 or at.store.control().acked < len(at.file)
