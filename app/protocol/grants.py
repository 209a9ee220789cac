"""Grants at head office: a till's bounded right to spend offline, out of the tenant's risk budget (RISK)."""

from __future__ import annotations

import random

from app.protocol.ids import random_id
from app.protocol.limits import Limits
from app.protocol.store import Device, GrantRow, Store


def issue_grant(
    store: Store, device: Device, limits: Limits, now_ms: int, rng: random.Random
) -> GrantRow | None:
    """The device's open grant, or a new one out of the room left. At most one is open per device."""
    grant = store.open_grant(device.id)
    if grant is not None or not device.fenced:
        return grant
    tenant = store.tenant()
    amount = min(limits.grant_most, tenant.room)
    # Whether there is room is the cheaper question, and mostly there is none.
    if amount <= 0 or recovering(store):
        return None
    until = now_ms + limits.lease_ms
    grant = GrantRow(random_id(rng), device.id, device.place.epoch, amount, limits.cap, until)
    store.put_grant(grant)
    store.put_tenant(tenant._replace(left=tenant.left + amount))
    return grant


def recovering(store: Store) -> bool:
    """After a restore nothing is promised until every live till has told what it still had."""
    return store.unreported(store.tenant().timeline)


def use_grant(store: Store, grant_id: bytes, device: bytes, amount: int) -> int:
    """Lower a grant. D was posted before, so that their sum never falls short in between."""
    grant = store.grant(grant_id)
    if grant is None or grant.device != device or grant.standing == "closed":
        return 0
    used = min(amount, grant.left)
    store.put_grant(grant._replace(left=grant.left - used))
    if grant.standing == "open":
        tenant = store.tenant()
        store.put_tenant(tenant._replace(left=tenant.left - used))
    return used


def close_grant(store: Store, grant_id: bytes, device: bytes) -> None:
    """End an open grant of the device: its room is free for others."""
    grant = store.grant(grant_id)
    if grant is None or grant.device != device or grant.standing != "open":
        return
    tenant = store.tenant()
    store.put_tenant(tenant._replace(left=tenant.left - grant.left))
    store.put_grant(grant._replace(left=0, standing="closed"))
