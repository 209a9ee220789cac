"""A small chain whose network does what a test says: for scenarios that name one thing."""

from __future__ import annotations

import random
from typing import Final

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.domain.state import view
from app.protocol import overlay
from app.protocol.facts import Authority, Facts, Posting, write
from app.protocol.limits import Limits
from app.protocol.server import Server
from app.protocol.store import Member, Tenant
from app.protocol.wire import HoldReply, Reply, Request
from tests.sim.machine import Machine, machine
from tests.sim.memory import MemoryStore
from tests.sim.settings import DAY

NOON: Final = 20_000 * DAY + DAY // 2
TODAY: Final = BusinessDate(20_000)
ANNA, BELA = b"anna" * 4, b"bela" * 4


class SmallChain:
    """Head office and some tills in one bucket, all on one clock that a test may move."""

    def __init__(self, tills: int = 2, *, budget: int = 100, limits: Limits | None = None) -> None:
        self.rng = random.Random(1)
        self.now_ms = NOON
        tenant = Tenant(b"t" * 16, 1, budget, NOON)
        chosen = limits or Limits(grant_most=60, cap=60, page_rows=3, frame_rows=2)
        self.server = Server(MemoryStore(tenant), chosen)
        self.tills = [self.new_till(f"till-{n}") for n in range(tills)]

    @property
    def store(self) -> MemoryStore:
        assert isinstance(self.server.store, MemoryStore)
        return self.server.store

    @property
    def tenant(self) -> Tenant:
        return self.store.tenant()

    def new_till(self, name: str) -> Machine:
        """A till that head office has let in. Its clock is right."""
        tenant = self.store.tenant()
        made = machine(name, "all", tenant.id, tenant.timeline, ("all",), self.rng)
        made.skew_ms = 0
        self.server.enrol(made.device, "all")
        return made

    # At the counter

    def write(self, at: Machine, facts: Facts) -> Facts:
        """Commit an event."""
        at.commit(facts, write(facts))
        return facts

    def earn(
        self,
        at: Machine,
        member: bytes,
        points: int,
        *,
        asset: str = POINTS,
        by: Authority | None = None,
        pending: int = 0,
        good_for: int = 90,
        lines: int = 0,
    ) -> Facts:
        """A sale or top-up that credits."""
        event, on = self.rng.randbytes(16), at.today(self.now_ms)
        entry = Entry(
            EntryId(event, 0), asset, "earn", points, on, on.plus(pending), on.plus(good_for)
        )
        sold = tuple((line, 2) for line in range(lines))
        return self.write(at, Facts(event, "sale", member, on, (Posting(entry, by),), sold=sold))

    def spend(self, at: Machine, member: bytes, amount: int, by: Authority | None) -> Facts:
        """A spend by the authority that is named."""
        event, on = self.rng.randbytes(16), at.today(self.now_ms)
        entry = Entry(EntryId(event, 0), POINTS, "redeem", -amount, on)
        return self.write(at, Facts(event, "spend", member, on, (Posting(entry, by),)))

    def right(self, at: Machine, member: bytes, amount: int) -> Authority | None:
        """The right by which the till may spend points now, offline."""
        on = at.today(self.now_ms)
        return overlay.right_to_spend(at.store, member, POINTS, amount, on, self.now_ms)

    def shown(self, at: Machine, member: bytes) -> int:
        """The points that a till shows."""
        return overlay.shown(at.store, member).balance()

    # Over the network

    def ask(self, at: Machine, *, compare: bool = False) -> Request:
        """What the till sends now."""
        digests = at.till.digests() if compare else {}
        return at.till.request(self.rng, written=len(at.file), digests=digests)

    def serve(self, request: Request) -> Reply:
        """Head office's answer."""
        return self.server.handle(request, self.now_ms, self.rng)

    def hear(self, at: Machine, reply: Reply) -> bool:
        """The reply reaches the till; whether it is taken."""
        taken = at.till.receive(reply, self.now_ms, at.today(self.now_ms), self.rng)
        at.write_file()
        return taken

    def sync(self, *tills: Machine) -> None:
        """Exchange until nothing changes, all tills if none is named."""
        for _ in range(40):
            before = [(at.store.control()._replace(hlc=0), at.store.top()) for at in self.tills]
            for at in tills or self.tills:
                self.hear(at, self.serve(self.ask(at)))
            after = [(at.store.control()._replace(hlc=0), at.store.top()) for at in self.tills]
            if before == after:
                return
        raise AssertionError("no end of exchanges")

    def hold(self, at: Machine, member: bytes, amount: int) -> Authority | None:
        """Ask for a hold and hear the answer."""
        on = at.today(self.now_ms)
        request = at.till.ask_hold(member, POINTS, amount, on, self.rng)
        assert request is not None
        reply = self.serve(request)
        assert isinstance(reply, HoldReply)
        self.hear(at, reply)
        return Authority("hold", request.hold) if reply.granted else None

    # At head office

    def member(self, member: bytes) -> Member:
        found = self.store.member(member)
        assert found is not None
        return found

    def points(self, member: bytes) -> int:
        """The member's points at head office."""
        return self.member(member).state.balance()

    def available(self, member: bytes) -> int:
        """What is good today at head office."""
        return view(self.member(member).state, BusinessDate(self.now_ms // DAY)).available
