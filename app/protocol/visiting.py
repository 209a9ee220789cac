"""Members of another bucket whom a store's tills have seen: their rows and all later changes come down, too.

A till has its home's bucket and, beside it, `visited:<home>`. That feed holds a copy of the row of each member
of other buckets who was looked up, sold to or had goods taken back at this home within `visited_days` (sync.md
section 4). The store itself puts the copy, under the next number of that feed, whenever the member is put; so
it is as free of gaps as any feed. Who was not seen for so long leaves by an empty copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from app.domain.business_day import BusinessDate
from app.protocol.open_members import gone_into, survivor
from app.protocol.pull import row_of
from app.protocol.references import is_visited, visited_bucket
from app.protocol.store import Device, Member, Store, Visit
from app.protocol.wire import ReferenceRow, pack_row


def copies(member: Member) -> Iterator[ReferenceRow]:
    """The rows that go with a member who is put, one for each home that has seen them."""
    for home, on in member.visited:
        yield _copy(home, member.id, on, pack_row(row_of(member)))


def visit(store: Store, device: Device, member: bytes, on: BusinessDate) -> Device:
    """A till has to do with a member, and with who goes on for them; returns the till, which may have one more
    bucket now. Nothing is written for members of its own buckets, nor twice a day."""
    at: bytes | None = member
    while at is not None and (known := store.member(at)) is not None:
        if known.bucket not in device.buckets:
            device = _see(store, device, known, on)
        at = known.alias
    return device


def follow(store: Store, loser: bytes, on: BusinessDate) -> None:
    """After a merge: whoever has the row of the one that is gone gets that of who goes on for them."""
    gone, stays = store.member(loser), store.member(survivor(store, loser))
    assert gone is not None
    assert stays is not None
    homes = {gone.bucket, *(home for home, _ in gone.visited)} - {stays.bucket}
    if not homes:
        return
    _put(store, stays, {**dict(stays.visited), **dict.fromkeys(homes, on)})
    for home in homes:
        subscribe(store, home)


def leave(store: Store, member: bytes, on: BusinessDate, days: int) -> bool:
    """Let a member leave the homes that have not seen them for `days`. Not while anything is reserved, where a
    merged member's row points at them, or where a till has yet to hear that they came: it could not tell a
    field that it wrote itself from one that is of no use any more."""
    known = store.member(member)
    if known is None or not known.visited or known.reserved:
        return False
    gone = [each for each in map(store.member, gone_into(store, member)) if each is not None]
    held = {home for each in gone for home in (each.bucket, *(home for home, _ in each.visited))}
    left = [
        each
        for each in known.visited
        if each.on <= on.plus(-days)
        and each.home not in held
        and _is_there(store, member, each.home)
    ]
    if not left:
        return False
    for home, last in left:
        store.put_reference(_copy(home, member, last, None))
    _put(store, known, {home: day for home, day in known.visited if (home, day) not in left})
    return True


def subscribe(store: Store, home: str) -> None:
    """Every till of a home gets the bucket of its visited members."""
    bucket = visited_bucket(home)
    for device in store.devices():
        if device.home == home and bucket not in device.buckets:
            store.put_device(device._replace(buckets=(*device.buckets, bucket)))


def has_last(store: Store, member: bytes, devices: Iterable[Device]) -> bool:
    """Whether each of these tills has applied the last copy that was put for its home."""
    for device in devices:
        bucket = visited_bucket(device.home)
        copy = store.reference(_key(bucket, member)) if bucket in device.buckets else None
        if copy is not None and device.seen_of(bucket) < copy.feed:
            return False
    return True


def copies_seen(store: Store, member: bytes, seen: Mapping[str, int]) -> bool:
    """Whether the slowest tills have applied the last copies that were put for their homes. A feed that they
    have to its end has none for them."""
    for bucket in filter(is_visited, seen):
        if seen[bucket] < store.head(bucket):
            copy = store.reference(_key(bucket, member))
            if copy is not None and seen[bucket] < copy.feed:
                return False
    return True


def _is_there(store: Store, member: bytes, home: str) -> bool:
    """Whether every till of a home that is not lost has the copy of a member."""
    tills = [each for each in store.devices() if each.home == home and each.standing != "lost"]
    return has_last(store, member, tills)


def _see(store: Store, device: Device, known: Member, on: BusinessDate) -> Device:
    visited = dict(known.visited)
    if visited.get(device.home) != on:
        _put(store, known, {**visited, device.home: on})
    if visited_bucket(device.home) in device.buckets:
        return device
    subscribe(store, device.home)
    return device._replace(buckets=(*device.buckets, visited_bucket(device.home)))


def _put(store: Store, known: Member, visited: dict[str, BusinessDate]) -> None:
    seen = tuple(Visit(home, on) for home, on in sorted(visited.items()))
    store.put_member(replace(known, visited=seen))


def _copy(home: str, member: bytes, on: BusinessDate, body: bytes | None) -> ReferenceRow:
    bucket = visited_bucket(home)
    return ReferenceRow(_key(bucket, member), bucket, 0, int(on), body)


def _key(bucket: str, member: bytes) -> str:
    return f"{bucket}:{member.hex()}"
