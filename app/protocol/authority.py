"""What events do to rights at head office: spends use them up, the till's own events end them (sync.md 3).

No right ends by time. It ends by the till's own event in its chain, by the fence of a rebase, or by an
operator's write-off.
"""

from __future__ import annotations

from app.domain.entries import POINTS, Entry
from app.protocol.facts import Authority, Facts, Posting
from app.protocol.grants import close_grant, use_grant
from app.protocol.holds import (
    end_hold,
    keep_written_off,
    use_hold,
    use_written_off,
    void_hold,
)
from app.protocol.open_members import OpenMember, survivor
from app.protocol.store import Device, Store


def apply_posting(opened: OpenMember, posting: Posting, device: bytes) -> None:
    """What one entry does to its account and to the right that it names."""
    entry, authority = posting
    asset = entry.asset
    if entry.amount >= 0 and authority is not None:
        _credit_local(opened, entry, device)
    elif entry.amount >= 0:
        opened.change(asset, opened.account(asset).credited(entry.amount))
    elif authority is not None or entry.kind == "redeem":
        _spend(opened, entry, authority, device)
    else:
        opened.change(asset, opened.account(asset).taken(-entry.amount))


def _credit_local(opened: OpenMember, entry: Entry, device: bytes) -> None:
    """A credit that the till may spend by itself: owned and reserved together."""
    account = opened.account(entry.asset)
    opened.change(entry.asset, account._replace(owned=account.owned + entry.amount))
    opened.change_local(entry.asset, device, entry.amount)


def _spend(opened: OpenMember, entry: Entry, authority: Authority | None, device: bytes) -> None:
    amount, asset = -entry.amount, entry.asset
    before = opened.account(asset).overdrawn
    opened.change(asset, opened.account(asset).spent(amount))
    if authority is None:
        # Of a till that owned its ledger until it joined: it could see what there was.
        covered = amount - (opened.account(asset).overdrawn - before)
    elif authority.kind == "hold":
        covered = use_hold(opened, asset, authority.id, device, amount)
    elif authority.kind == "local":
        covered = min(amount, opened.local(asset, device))
        opened.change_local(asset, device, -covered)
        covered += use_written_off(opened.store, asset, device, amount - covered)
    elif authority.kind == "risk":
        covered = use_grant(opened.store, authority.id, device, amount)
    else:
        covered = amount
        tenant = opened.store.tenant()
        opened.store.put_tenant(tenant._replace(written_off=tenant.written_off + amount))
    if covered < amount:
        tenant = opened.store.tenant()
        opened.store.put_tenant(tenant._replace(lost=tenant.lost + amount - covered))


def apply_control(store: Store, device: Device, facts: Facts) -> None:
    """A till's own event about its rights. What it names and head office doesn't know changes nothing."""
    if facts.hold is not None:
        void_hold(store, device, facts.hold)
    if facts.grant is not None:
        close_grant(store, facts.grant, device.id)
    if facts.release is not None and facts.member is not None:
        _release(store, device, facts.member, *facts.release)


def _release(store: Store, device: Device, member: bytes, asset: str, amount: int) -> None:
    known = store.member(survivor(store, member))
    if known is None:
        return
    opened = OpenMember(store, known)
    given_up = min(amount, opened.local(asset, device.id))
    if given_up:
        opened.change_local(asset, device.id, -given_up)
        opened.save()


def fence(store: Store, device: Device, nonce: bytes | None) -> Device:
    """The end of a rebase, after the events that were chained anew: all that the device held is free."""
    if nonce != device.nonce or device.fenced:
        return device
    for hold in store.open_holds(device.id):
        end_hold(store, hold, "void")
    grant = store.open_grant(device.id)
    if grant is not None:
        close_grant(store, grant.id, device.id)
    for member in store.members_reserved_for(device.id):
        drop_local(store, member, device.id)
    fenced = device._replace(fenced=True)
    store.put_device(fenced)
    return fenced


def drop_local(store: Store, member: bytes, device: bytes) -> int:
    """Free all till-local rights of a device on a member; returns how much that was."""
    opened = _opened(store, member)
    freed = 0
    for asset, left in opened.local_of(device):
        opened.change_local(asset, device, -left)
        freed += left
    if freed:
        opened.save()
    return freed


def _opened(store: Store, member: bytes) -> OpenMember:
    known = store.member(member)
    assert known is not None
    return OpenMember(store, known)


def write_off(store: Store, device_id: bytes) -> int:
    """A till is lost: what it might still have spent is written off, and nobody hears it any more.

    Returns the amount, which W has grown by.
    """
    device = store.device(device_id)
    assert device is not None
    store.put_device(device._replace(standing="lost"))
    amount = 0
    for hold in store.open_holds(device_id):
        end_hold(store, hold, "written_off")
        amount += hold.amount
    grant = store.open_grant(device_id)
    if grant is not None:
        amount += grant.left
        tenant = store.tenant()
        store.put_tenant(tenant._replace(left=tenant.left - grant.left))
        store.put_grant(grant._replace(standing="written_off"))
    for member in store.members_reserved_for(device_id):
        for asset, left in _opened(store, member).local_of(device_id):
            keep_written_off(store, device, asset, left)
        amount += drop_local(store, member, device_id)
    tenant = store.tenant()
    store.put_tenant(tenant._replace(written_off=tenant.written_off + amount))
    return amount


def forgive(store: Store, member: bytes, asset: str = POINTS) -> int:
    """An operator writes a spend debt off: the member still owes it, the budget does not. Returns how much."""
    known = store.member(member)
    if known is None:
        return 0
    opened = OpenMember(store, known)
    debt = opened.account(asset).overdrawn
    if debt:
        opened.change(asset, opened.account(asset).forgiven(debt))
        opened.save()
        tenant = store.tenant()
        store.put_tenant(tenant._replace(written_off=tenant.written_off + debt))
    return debt
