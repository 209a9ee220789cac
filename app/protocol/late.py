"""A lost till's outbox that comes after all: read from its disk or a backup of it, brought by a person.

Head office has written off what the till held, so nothing new is promised: what it spent by those rights is
covered by W, once, and everything else is posted as it would have been. Who brings it is checked by the caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from typing import NamedTuple

from app.domain.business_day import BusinessDate
from app.protocol import chains
from app.protocol.authority import drop_local
from app.protocol.facts import NotReadable
from app.protocol.store import Device, Store, StoredEvent


class Late(NamedTuple):
    """How many events there were, were new, and of those wait in quarantine."""

    events: int
    new: int
    quarantined: int


def take_late(
    store: Store,
    device: Device,
    bodies: Iterable[bytes],
    read: chains.Reader,
    today: BusinessDate,
    *,
    last: bool,
) -> Late:
    """Take a lost till's events in their order. Those that are here change nothing, so a second time is a
    no-op; each new one gets the next place of the till's chain here. They may come in portions: after
    the `last` one nothing is reserved for the till."""
    assert device.standing == "lost", "a till that is live tells its events itself"
    events = new = quarantined = 0
    for body in bodies:
        events += 1
        if any(_is(store.event(name), body) for name in names_of(body, read)):
            continue
        device = chains.take(store, device, body, read, today)
        new += 1
        aside = store.event(_digest(body))
        quarantined += aside is not None and aside.standing == "quarantined"
    store.put_device(device)
    for member in store.members_reserved_for(device.id) if last else ():
        drop_local(store, member, device.id)
    return Late(events, new, quarantined)


def names_of(body: bytes, read: chains.Reader) -> list[bytes]:
    """Under which ids an event's bytes may be here."""
    names = [_digest(body)]  # What can't be read, or not be taken, is kept under it.
    with suppress(NotReadable):
        names.append(read(body).id)
    return names


def _is(known: StoredEvent | None, body: bytes) -> bool:
    return known is not None and known.body == body


def _digest(body: bytes) -> bytes:
    return sha256(body).digest()[:16]
