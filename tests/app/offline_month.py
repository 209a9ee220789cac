"""A till sells for a month without a line to head office, then finds it again: nothing lost, nothing twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from app.domain.entries import POINTS
from app.protocol.wire import EVENT_BYTES_MOST, EVENTS_MOST, SyncRequest, request_of
from app.queries.exchange import standing
from app.queries.members import member_panel
from app.sync.exchange import Exchange
from app.usecases.enrol import ProfileInput
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.sell import sell
from app.usecases.verify import verify
from tests.app.chain import Chain, settle
from tests.app.kiosk import Kiosk, sale_command

MEMBERS = 20
_OVERHEAD = 200_000
"""Bytes of a request beside its events: profile fields, cursors."""


@dataclass(frozen=True, slots=True)
class Month:
    """What was sold, and what the way back took."""

    sales: int
    waiting: int
    requests: int
    largest_events: int
    largest_bytes: int


def live(kiosk: Kiosk, chain: Chain, exchange: Exchange, *, days: int, sales_a_day: int) -> Month:
    """Sell to some members every day, nothing answered; then settle, and compare everything."""
    members = trade(kiosk, chain, exchange, days=days, sales_a_day=sales_a_day)
    stands = standing(kiosk.ctx)
    assert stands is not None
    before = balances(kiosk, members)
    chain.heard.clear()
    settle(exchange)
    compare(kiosk, chain, before)
    return told(chain, days * sales_a_day, stands.waiting)


def trade(
    kiosk: Kiosk, chain: Chain, exchange: Exchange, *, days: int, sales_a_day: int
) -> list[bytes]:
    """The month itself; then there is a line again. The members that were sold to."""
    members = [kiosk.member_id]
    chain.cut = True
    for day in range(days):
        if day:
            kiosk.end_shift()
            kiosk.clock.now += timedelta(days=1)
            open_shift(kiosk.ctx, OpenShift(kiosk.ctx.ids(), kiosk.session, 0))
        if len(members) < MEMBERS:
            found = kiosk.enrol(ProfileInput(f"Guest {day}", f"139000{day:05d}")).result
            members.append(found.member_id)
        for number in range(sales_a_day):
            sell_at(kiosk, members[number % len(members)], 1000 + number)
        heard = exchange.once()
        assert heard is not None
        assert heard.why == "gone"
    chain.cut = False
    return members


def balances(kiosk: Kiosk, members: list[bytes]) -> dict[bytes, int]:
    """What the till shows."""
    return {member: member_panel(kiosk.ctx, member).points_balance for member in members}


def told(chain: Chain, sales: int, waiting: int) -> Month:
    """The way back, from what head office heard."""
    asked = [request_of(body) for body in chain.heard]
    pushes = [len(each.events) for each in asked if isinstance(each, SyncRequest)]
    return Month(sales, waiting, len(asked), max(pushes), max(map(len, chain.heard)))


def sell_at(kiosk: Kiosk, member: bytes, minor: int) -> None:
    sell(kiosk.ctx, sale_command(kiosk.ctx, kiosk.session, member, minor))


def compare(kiosk: Kiosk, chain: Chain, before: dict[bytes, int]) -> None:
    """Head office has each event once, and every balance is the same on both sides as it was shown offline."""
    store = chain.server.store
    events = kiosk.events()
    device = store.device(kiosk.ctx.till.device)
    assert device is not None
    assert device.place.seq == len(events)
    for record in events:
        link = store.link(device.id, device.place.epoch, record.seq)
        assert link is not None
        kept = store.event(link.event)
        assert kept is not None
        assert (kept.body, kept.standing) == (record.body, "posted")
    for member, shown in before.items():
        assert chain.member(member).state.balance(POINTS) == shown
        assert member_panel(kiosk.ctx, member).points_balance == shown
    assert verify(kiosk.ctx).findings == []


def bounded(month: Month) -> None:
    """No request is larger than the protocol says."""
    assert month.largest_events <= EVENTS_MOST
    assert month.largest_bytes <= EVENT_BYTES_MOST + _OVERHEAD
