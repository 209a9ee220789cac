"""Tills of a chain over real stores, and a head office that answers them without a network: the protocol's own
server on the simulator's store. Messages go through their bytes both ways."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from app.context import Context
from app.protocol import facts, wire
from app.protocol.card_leases import Block, CardsRequest, Lease, answer, is_heads
from app.protocol.endpoints import ROTATE, Enrolled, Problem, Rotate, Rotated, message_of, to_bytes
from app.protocol.limits import Limits
from app.protocol.references import OFFLINE_LEASE, REFERENCE_BUCKET
from app.protocol.server import Server
from app.protocol.store import Member, Tenant
from app.protocol.wire import ReferenceRow
from app.queries.exchange import standing
from app.sync.client import ANSWER_S, NoAnswer, Refused, public_key_of
from app.sync.exchange import Exchange
from app.sync.join import take_in
from app.sync.looking_up import LookingUp
from app.sync.outcome import Heard
from app.sync.returns import Returns
from db import head_office
from tests.app.kiosk import Kiosk
from tests.sim.memory import MemoryStore

BUCKET = "north"
ROUNDS_MOST = 60


class MemoryLeases:
    """Leases of card numbers in memory. elsewhere: (number without check digit, who gave it out)."""

    def __init__(self, begin: int = 0) -> None:
        self.begin = begin
        self.all: list[Lease] = []
        self.elsewhere: set[tuple[str, bytes]] = set()
        self.replaced: dict[bytes, bytes] = {}
        """Who was written off where a device stands now."""

    def of(self, device: bytes) -> list[Lease]:
        return [each for each in self.all if each.device == device]

    def before(self, device: bytes) -> list[Lease]:
        former = self.replaced.get(device)
        return [] if former is None else self.of(former)

    def overlaps(self, block: Block) -> bool:
        return any(
            each.block.lowest <= block.highest and each.block.highest >= block.lowest
            for each in self.all
        )

    def given_elsewhere(self, block: Block, device: bytes) -> bool:
        return any(
            block.lowest <= number <= block.highest and who != device
            for number, who in self.elsewhere
        )

    def newest(self) -> str | None:
        heads = [each.block.prefix for each in self.all if each.timeline and is_heads(each.block)]
        return max(heads, default=None)

    def leased_in(self, timeline: int) -> bool:
        return any(each.timeline == timeline for each in self.all)

    def put(self, lease: Lease) -> None:
        assert not self.overlaps(lease.block)
        self.all.append(lease)


@dataclass
class Chain:
    """A head office with a risk budget, reached unless `cut`; `lost` replies are those that never arrive."""

    budget: int = 10_000
    limits: Limits = field(default_factory=Limits)
    cut: bool = False
    lost: int = 0
    rng: random.Random = field(default_factory=lambda: random.Random(7))
    now_ms: int = 1_795_000_000_000
    leasing: bool = False
    """Whether it leases card numbers."""
    leases: MemoryLeases = field(default_factory=MemoryLeases)
    before_reply: Callable[[], object] | None = None
    """Called once, with a reply in hand that the till has not got yet."""

    def __post_init__(self) -> None:
        self.heard: list[bytes] = []
        self.said: list[int] = []
        """Bytes of each answer to what it heard."""
        self.keys: dict[bytes, list[bytes]] = {}
        """By which keys each till is known: the one in use, and the one that it changes to."""
        tenant = Tenant(self.rng.randbytes(16), 1, self.budget, 1)
        self.server = Server(
            MemoryStore(tenant),
            self.limits,
            offset_ms=8 * 3_600_000,
            people=self._people,
            receipts=self._sales_of,
            cards=self._lease if self.leasing else lambda *_: None,
        )

    def forget(self) -> None:
        """Let go of all that head office has and heard, and of what it remembers of events."""
        self.server = Server(MemoryStore(self.server.store.tenant()), self.limits)
        self.heard.clear()
        facts.read.cache_clear()

    def let_in(self, kiosk: Kiosk, home: str = BUCKET) -> Exchange:
        """The till joins and places what it had before; its exchange."""
        exchange = self.begin(kiosk, home)
        while (stands := standing(kiosk.ctx)) is not None:
            if stands.progress is None or stands.progress.what == "fetching":
                break
            exchange.once()
        return exchange

    def begin(self, kiosk: Kiosk, home: str = BUCKET) -> Exchange:
        """The till joins, and its exchange."""
        ctx = kiosk.ctx
        store = self.server.store
        self.server.enrol(ctx.till.device, home, home, REFERENCE_BUCKET)
        tenant = store.tenant()
        answer = Enrolled(
            bytes(16), tenant.id, "chain", "S1", "01", home, (home, REFERENCE_BUCKET),
            tenant.timeline, 1, bytes(32),
        )  # fmt: skip
        self.keys[ctx.till.device] = [public_key_of(bytes(32))]
        take_in(ctx, "memory:", bytes(32), answer, self.rng)
        return self.exchange(kiosk)

    def lease(self, days: int) -> None:
        """After so many days without an answer tills show no members."""
        row = ReferenceRow(OFFLINE_LEASE, REFERENCE_BUCKET, 0, 1, str(days).encode())
        self.server.store.put_reference(row)

    def exchange(self, kiosk: Kiosk) -> Exchange:
        """The exchange of a till that was opened."""
        return Exchange(kiosk.ctx, rng=self.rng, open_line=self._line)

    def returns(self, kiosk: Kiosk) -> Returns:
        """What an opened till asks for returns."""
        return Returns(kiosk.ctx, rng=self.rng, open_line=self._line)

    def looking_up(self, kiosk: Kiosk) -> LookingUp:
        """What an opened till asks for members."""
        return LookingUp(kiosk.ctx, rng=self.rng, open_line=self._line)

    def _people(self, field: str, value: str) -> list[bytes]:
        del field, value
        return list(self.server.store.members())

    def _sales_of(self, number: str) -> list[bytes]:
        stored = vars(self.server.store)["_events"].values()
        bodies = {each.id: each.body for each in stored if b'"kind":"sale"' in each.body}
        return [sale for sale, body in bodies.items() if f'"{number}"'.encode() in body]

    def _lease(self, request: CardsRequest, recovering: bool) -> tuple[Block, ...] | None:
        timeline = None if recovering else self.server.store.tenant().timeline
        return answer(self.leases, request, timeline, self.now_ms)

    def member(self, member: bytes) -> Member:
        """A member at head office."""
        found = self.server.store.member(member)
        assert found is not None, "head office has never heard of them"
        return found

    def _line(self, ctx: Context, row: head_office.HeadOfficeRow) -> _Line:
        assert row.address == "memory:"
        return _Line(self, ctx, public_key_of(row.seed))


@dataclass
class _Line:
    chain: Chain
    ctx: Context
    key: bytes

    def ask(
        self, path: str, rid: bytes, epoch: int, message: bytes, *, within_s: float = ANSWER_S
    ) -> bytes:
        if self.chain.cut:
            raise NoAnswer("cut")
        known = self.chain.keys[self.ctx.till.device]
        if self.key not in known:
            raise Refused(Problem("bad_signature", self.chain.now_ms))
        known[:] = known[known.index(self.key) :]
        if path == ROTATE:
            return self._rotated(message_of(message, Rotate), known)
        self.chain.heard.append(message)
        self.chain.now_ms = int(self.ctx.clock().timestamp() * 1000)
        reply = self.chain.server.handle(
            wire.request_of(message), self.chain.now_ms, self.chain.rng
        )
        answer = wire.to_bytes(reply)
        self.chain.said.append(len(answer))
        if self.chain.before_reply is not None:
            call, self.chain.before_reply = self.chain.before_reply, None
            call()
        if self.chain.lost:
            self.chain.lost -= 1
            raise NoAnswer("lost")
        return answer

    def _rotated(self, message: Rotate, known: list[bytes]) -> bytes:
        known[:] = dict.fromkeys([self.key, message.public_key])
        if self.chain.lost:
            self.chain.lost -= 1
            raise NoAnswer("lost")
        return to_bytes(Rotated(message.rid))

    def close(self) -> None: ...


def settle(*exchanges: Exchange) -> None:
    """Ask until nobody has anything to tell or to fetch, twice over: what one tells another hears."""
    for _ in range(2):
        for each in exchanges:
            for _ in range(ROUNDS_MOST):
                heard = each.once()
                assert isinstance(heard, Heard)
                assert not heard.why, heard
                if heard.again_s > 1:
                    break
            else:
                raise AssertionError("a till never comes to rest")
