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
from app.protocol.store import Device, Store


class Late(NamedTuple):
    """How many events there were, were new, and of those wait in quarantine."""

    events: int
    new: int
    quarantined: int


def take_late(
    store: Store, device: Device, bodies: Iterable[bytes], read: chains.Reader, today: BusinessDate
) -> Late:
    """Take a lost till's events in their order. Those that are here change nothing, so a second time is a
    no-op; each new one gets the next place of the till's chain here. At last nothing is reserved for it."""
    assert device.standing == "lost", "a till that is live tells its events itself"
    events = new = quarantined = 0
    for body in bodies:
        events += 1
        if _is_known(store, body, read):
            continue
        device = chains.take(store, device, body, read, today)
        new += 1
        aside = store.event(_digest(body))
        quarantined += aside is not None and aside.standing == "quarantined"
    store.put_device(device)
    for member in store.members_reserved_for(device.id):
        drop_local(store, member, device.id)
    return Late(events, new, quarantined)


def _is_known(store: Store, body: bytes, read: chains.Reader) -> bool:
    names = [_digest(body)]  # What can't be read, or not be taken, is kept under it.
    with suppress(NotReadable):
        names.append(read(body).id)
    found = [store.event(name) for name in names]
    return any(each is not None and each.body == body for each in found)


def _digest(body: bytes) -> bytes:
    return sha256(body).digest()[:16]
