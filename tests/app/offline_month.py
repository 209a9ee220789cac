"""A till sells for a month without a line to head office, then finds it again and goes on selling meanwhile:
nothing lost, nothing twice, each request bounded, no more of them than there must be, and memory for one."""

from __future__ import annotations

import gc
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final, NamedTuple

from app.domain.entries import POINTS
from app.protocol.wire import EVENT_BYTES_MOST, EVENTS_MOST, SyncRequest, request_of
from app.queries.members import member_panel
from app.sync.exchange import Exchange
from app.usecases.enrol import ProfileInput
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.sell import Sold, sell
from app.usecases.verify import verify
from db import rows
from tests.app.chain import Chain
from tests.app.kiosk import Kiosk, sale_command

SALES_EACH: Final = 75
"""Of one member, whatever the size of the month: a member's state grows with their lots, at both ends."""
BESIDE_BYTES: Final = 64 * 1024
"""Of a request beside its events: profile fields of these members, cursors."""
PASSING_BYTES: Final = 8 * EVENT_BYTES_MOST
"""What a question and head office's work on it may take at once."""
PASSING_TIMES: Final = 20
"""What an answer takes at both ends, by its bytes: it holds the whole states of the members whom the question
told of, every lot of theirs. Nothing grows with what waits."""
ANSWER_BYTES: Final = 128 * 1024
LOT_BYTES: Final = 64
"""Of an answer, and of each lot of the members whom a question may tell of."""
KEPT_BYTES: Final = 4 * EVENT_BYTES_MOST
"""What a till may hold on to afterwards, what it caches of members and rules included."""
_HANG_S: Final = 60


class Push(NamedTuple):
    """A request that tells events: how many, their bytes, those of the largest and of the whole."""

    events: int
    event_bytes: int
    largest_bytes: int
    message_bytes: int


class Passing(NamedTuple):
    """Most bytes of Python's objects that a question and its answer took at once, of both halves, and the bytes
    of the answer."""

    most: int
    answer_bytes: int


class Amid(NamedTuple):
    """A sale while the till caught up: how many of the events that it tells head office had when it was
    committed and how many the till then had, and whether an answer was on its way."""

    acknowledged: int
    top: int
    in_flight: bool


@dataclass(frozen=True, slots=True)
class WayBack:
    """What it took to tell what was `waiting`, in events.

    told          with those that were made meanwhile
    requests      polls, whether they tell events or not
    passing       of each question
    kept          bytes that the till holds on to afterwards
    members       that were sold to
    """

    waiting: int
    told: int
    requests: int
    pushes: tuple[Push, ...]
    sales: tuple[Amid, ...]
    passing: tuple[Passing, ...]
    kept: int
    members: int


def trade(
    kiosk: Kiosk, chain: Chain, exchange: Exchange, *, days: int, sales_a_day: int
) -> list[bytes]:
    """The month itself, each day with a return and a void of some of its sales; then there is a line again. The
    members that were sold to."""
    members = [kiosk.member_id]
    chain.cut = True
    for day in range(days):
        if day:
            kiosk.end_shift()
            kiosk.clock.now += timedelta(days=1)
            open_shift(kiosk.ctx, OpenShift(kiosk.ctx.ids(), kiosk.session, 0))
        while len(members) * SALES_EACH < (day + 1) * sales_a_day:
            guest = len(members)
            found = kiosk.enrol(ProfileInput(f"Guest {guest}", f"139000{guest:05d}")).result
            members.append(found.member_id)
        sold = [
            sell_at(kiosk, members[number % len(members)], 1000 + number)
            for number in range(sales_a_day)
        ]
        kiosk.take_back(sold[0].event_id)
        kiosk.undo(sold[-1].event_id)
        heard = exchange.once()
        assert heard is not None
        assert heard.why == "gone"
    chain.cut = False
    return members


def balances(kiosk: Kiosk, members: list[bytes]) -> dict[bytes, int]:
    """What the till shows."""
    return {member: member_panel(kiosk.ctx, member).points_balance for member in members}


def sell_at(kiosk: Kiosk, member: bytes, minor: int) -> Sold:
    return sell(kiosk.ctx, sale_command(kiosk.ctx, kiosk.session, member, minor)).result


def catch_up(kiosk: Kiosk, chain: Chain, exchange: Exchange, members: list[bytes]) -> WayBack:
    """Tell head office everything, with a sale while each answer to a part of the backlog is on its way and
    another after it, and compare what both then have. The chain is not usable afterwards."""
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        way = _Way(kiosk, chain, exchange, members)
        way.go()
        compare(kiosk, chain, way.shown)
        chain.forget()
        gc.collect()
        return way.told(kept=tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()


class _Way:
    """Back, question by question."""

    def __init__(
        self, kiosk: Kiosk, chain: Chain, exchange: Exchange, members: list[bytes]
    ) -> None:
        self._kiosk, self._chain, self._exchange, self._members = kiosk, chain, exchange, members
        self.shown = balances(kiosk, members)
        self._first, self._wanted = self._acknowledged(), self._top()
        self._requests = 0
        self._passing: list[Passing] = []
        self._pushes: list[Push] = []
        self._sales: list[Amid] = []

    def go(self) -> None:
        # The counter has a thread of its own: one that the exchange keeps out of the store fails.
        with ThreadPoolExecutor(1) as counter:
            while self._acknowledged() < self._wanted:
                self._chain.before_reply = partial(self._sell_beside, counter)
                self._ask()
                self._sell_in(counter, in_flight=False)
        while self._acknowledged() < self._top():
            self._ask()

    def told(self, *, kept: int) -> WayBack:
        return WayBack(
            self._wanted - self._first, self._top() - self._first, self._requests,
            tuple(self._pushes), tuple(self._sales), tuple(self._passing), kept, len(self._members),
        )  # fmt: skip

    def _ask(self) -> None:
        """One question and its answer, as big as they were."""
        self._chain.heard.clear()
        self._chain.said.clear()
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        heard = self._exchange.once()
        assert heard is not None
        assert not heard.why
        most = tracemalloc.get_traced_memory()[1] - before
        self._passing.append(Passing(most, sum(self._chain.said)))
        for message in self._chain.heard:
            asked = request_of(message)
            if isinstance(asked, SyncRequest):
                self._requests += 1
            if isinstance(asked, SyncRequest) and asked.events:
                sizes = [len(body) for body in asked.events]
                self._pushes.append(Push(len(sizes), sum(sizes), max(sizes), len(message)))

    def _sell_beside(self, counter: ThreadPoolExecutor) -> None:
        """With the answer to a part of the backlog: a till that was just opened asks for its staff first."""
        if isinstance(request_of(self._chain.heard[-1]), SyncRequest):
            self._sell_in(counter, in_flight=True)
        else:
            self._chain.before_reply = partial(self._sell_beside, counter)

    def _sell_in(self, counter: ThreadPoolExecutor, *, in_flight: bool) -> None:
        counter.submit(self._sell, in_flight=in_flight).result(_HANG_S)

    def _sell(self, *, in_flight: bool) -> None:
        number = len(self._sales)
        member = self._members[number % len(self._members)]
        sold = sell_at(self._kiosk, member, 2000 + number)
        self.shown[member] += sold.document.points_earned
        self._sales.append(
            Amid(self._acknowledged() - self._first, self._top() - self._first, in_flight)
        )

    def _acknowledged(self) -> int:
        """How many of the till's events head office has."""
        device = self._chain.server.store.device(self._kiosk.ctx.till.device)
        assert device is not None
        return device.place.seq

    def _top(self) -> int:
        """How many events the till has."""
        with self._kiosk.ctx.read() as conn:
            head = rows.head(conn)
        assert head is not None
        return head[0]


def compare(kiosk: Kiosk, chain: Chain, shown: dict[bytes, int]) -> None:
    """Head office has each event once, and every balance is the same on both sides: what was shown offline and
    what came since."""
    store = chain.server.store
    events = kiosk.events()
    device = store.device(kiosk.ctx.till.device)
    assert device is not None
    assert device.place.seq == len(events)
    known = set[bytes]()
    for record in events:
        link = store.link(device.id, device.place.epoch, record.seq)
        assert link is not None
        kept = store.event(link.event)
        assert kept is not None
        assert (kept.body, kept.standing) == (record.body, "posted")
        known.add(kept.id)
    assert len(known) == len(events)
    for member, balance in shown.items():
        assert chain.member(member).state.balance(POINTS) == balance
        assert member_panel(kiosk.ctx, member).points_balance == balance
    assert verify(kiosk.ctx).findings == []


def bounded(way: WayBack) -> None:
    """No request is larger than the protocol says or smaller than it must be, none is in vain, no event is told
    twice, and memory is for one of them."""
    largest = max(push.largest_bytes for push in way.pushes)
    for push, following in zip(way.pushes, (*way.pushes[1:], None), strict=True):
        assert push.events <= EVENTS_MOST
        assert push.event_bytes <= EVENT_BYTES_MOST
        assert push.message_bytes <= push.event_bytes + BESIDE_BYTES
        if following is not None:
            full = push.event_bytes + largest > EVENT_BYTES_MOST
            assert push.events == EVENTS_MOST or full or following.events <= 2
    assert sum(push.events for push in way.pushes) == way.told
    assert way.requests == len(way.pushes)
    assert not [
        each
        for each in way.passing
        if each.most > PASSING_BYTES + PASSING_TIMES * each.answer_bytes
    ]
    lots = SALES_EACH * way.members
    assert max(each.answer_bytes for each in way.passing) <= ANSWER_BYTES + LOT_BYTES * lots
    assert way.kept <= KEPT_BYTES


def usable(way: WayBack) -> None:
    """With each part of what waited one sale was committed while its answer was on its way and one after it,
    before the next part: none waited for the end."""
    assert len(way.pushes) > 3
    heads = [sale.top for sale in way.sales]
    assert heads == sorted(set(heads))
    assert heads[0] > way.waiting
    steps = [(sale.acknowledged, sale.in_flight) for sale in way.sales]
    parts = sorted({acknowledged for acknowledged, _ in steps})
    assert steps == [(part, in_flight) for part in parts for in_flight in (True, False)]
    assert parts[-2] < way.waiting
