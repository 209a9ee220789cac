"""Tills' chains at head office: is it the chain that we know, what is new in it, and where a new epoch begins.

Forks are answered, never repaired by guessing: the till asks for a new epoch and chains its events anew, with
their ids and bytes (sync.md section 4).
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Final

from app.domain.business_day import BusinessDate
from app.protocol import authority, holds, owner, visiting
from app.protocol.facts import CONTROL, FENCE, Facts, NotReadable
from app.protocol.hlc import HOUR_MS
from app.protocol.limits import Limits
from app.protocol.links import Place, genesis, link, place
from app.protocol.store import Device, Store, StoredEvent
from app.protocol.wire import RebaseRequest, SyncRequest

DAY_MS: Final = 24 * HOUR_MS
EPOCH_MOST: Final = 1 << 31
"""No till has come so far by itself."""
Reader = Callable[[bytes], Facts]
"""Reads an event's facts; raises NotReadable."""


def forked(store: Store, device: Device, request: SyncRequest) -> bool:
    """Whether the till's chain is another than the one that came before: an old epoch, a shorter chain, another
    hash where it was acknowledged, or another event where we have one."""
    have, acked = device.place, request.acked
    if acked.epoch != have.epoch or request.top < have.seq or not 0 <= acked.seq <= have.seq:
        return True
    if _chain_at(store, device, acked.seq) != acked.chain:
        return True
    at = acked
    for body in request.events[: have.seq - acked.seq]:
        at = place(link(at, b"", body))
        if _chain_at(store, device, at.seq) != at.chain:
            return True
    return False


def _chain_at(store: Store, device: Device, seq: int) -> bytes:
    epoch = device.place.epoch
    if seq == device.place.seq:
        return device.place.chain
    if not seq:
        return genesis(store.tenant().id, device.id, epoch).chain
    row = store.link(device.id, epoch, seq)
    assert row is not None, "a chain has no gap"
    return row.chain


def push(
    store: Store, device: Device, request: SyncRequest, read: Reader, today: BusinessDate
) -> Device:
    """Take the events that are new in the chain. Each is kept and acknowledged; what can't be applied waits in
    quarantine and dams nothing."""
    new = request.events[device.place.seq - request.acked.seq :]
    for body in new:
        device = take(store, device, body, read, today)
    if device.place.seq == request.top and device.fenced:
        device = device._replace(reported=store.tenant().timeline)
    store.put_device(device)
    return device


def take(store: Store, device: Device, body: bytes, read: Reader, today: BusinessDate) -> Device:
    """Give an event the next place of the chain and post it; one that is here already gets its place alone."""
    try:
        facts = read(body)
    except NotReadable:
        facts = None
    if facts is not None and facts.only_ours:
        facts = None
    event = sha256(body).digest()[:16] if facts is None else facts.id
    known = store.event(event)
    if facts is not None and known is not None and known.body != body:
        facts, event = None, sha256(body).digest()[:16]
        known = store.event(event)
    row = link(device.place, event, body)
    store.put_link(device.id, row)
    device = device.at(place(row))
    if known is not None:
        return device
    if facts is None:
        store.put_event(StoredEvent(event, body, "quarantined"))
    elif facts.kind in CONTROL:
        store.put_event(StoredEvent(event, body, "posted"))
        device = _control(store, device, facts)
    else:
        owner.accept(store, device, facts, body, today)
        if facts.member is not None:
            device = visiting.visit(store, device, facts.member, today)
        if facts.hold is not None:
            holds.capture_lines(store, device, facts.hold)
    return device


def _control(store: Store, device: Device, facts: Facts) -> Device:
    if facts.kind == FENCE:
        return authority.fence(store, device, facts.nonce)
    authority.apply_control(store, device, facts)
    return device


def rebase(
    store: Store, device: Device, request: RebaseRequest, limits: Limits, now_ms: int
) -> Device:
    """Give the till a new epoch after the newest of its events that we have; the same nonce gets the same.

    More than `rebases_a_day` look like two tills that share an identity: the device is locked.
    """
    if device.nonce == request.nonce:
        return device
    lately = tuple(at for at in device.rebased_ms if at > now_ms - DAY_MS)
    if len(lately) >= limits.rebases_a_day:
        device = device._replace(standing="locked")
        store.put_device(device)
        return device
    epoch = max(device.place.epoch, min(request.epoch, EPOCH_MOST)) + 1
    device = device._replace(
        place=genesis(store.tenant().id, device.id, epoch),
        nonce=request.nonce,
        common=_common(store, device, request),
        fenced=False,
        rebased_ms=(*lately, now_ms),
    )
    store.put_device(device)
    return device


def _common(store: Store, device: Device, request: RebaseRequest) -> int:
    for anchor in request.anchors:
        row = store.link(device.id, anchor.epoch, anchor.seq)
        if row is not None and row.chain == anchor.chain:
            return anchor.number
    return 0


def enrolled(tenant: bytes, device: bytes, home: str, timeline: int, *buckets: str) -> Device:
    """A till that head office has never heard of, in its first epoch."""
    return Device(device, home, buckets or (home,), Place(*genesis(tenant, device, 1)), timeline)
