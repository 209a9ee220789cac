"""What tills fetch: pages of changed rows behind their cursors, and snapshots to begin with (sync.md 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from app.protocol.limits import Limits
from app.protocol.links import Place, genesis
from app.protocol.references import is_for, is_visited, visited_bucket
from app.protocol.store import Device, Member, Snapshot, Store
from app.protocol.wire import (
    FRAME_BYTES_MOST,
    FRAMES_MOST,
    START,
    Cell,
    Cursor,
    MemberRow,
    ReferenceRow,
    Reserved,
    SentRow,
    SnapshotReply,
    SnapshotRequest,
    SyncRequest,
    digest,
    frame_of,
    unpack_row,
)


class Page(NamedTuple):
    """Rows of one reply, the cursors behind them, buckets to begin anew, and whether there is more."""

    rows: tuple[SentRow, ...]
    references: tuple[ReferenceRow, ...]
    cursors: dict[str, Cursor]
    refetch: tuple[str, ...]
    more: bool


def row_of(member: Member) -> MemberRow:
    """The member as tills see it: splits stay with the documents that made them, names with the owner."""
    state, reserved, cells = member.state, tuple[Reserved, ...](), tuple[Cell, ...]()
    if member.reserved:
        reserved = tuple(sorted(Reserved(*key, amount) for key, amount in member.reserved.items()))
    if member.cells:
        cells = tuple([cell for _, cell in sorted(member.cells.items())])
    return MemberRow(
        member.id,
        member.bucket,
        member.feed,
        replace(state, splits=(), arrived=()) if state.splits or state.arrived else state,
        reserved,
        member.alias,
        member.erased,
        cells,
    )


def page(store: Store, device: Device, cursors: Mapping[str, Cursor], limits: Limits) -> Page:
    """The next rows of each bucket that the device has a cursor for; no more than a page in all."""
    members, references = list[SentRow](), list[ReferenceRow]()
    after, refetch, more = dict[str, Cursor](), list[str](), False
    for bucket in device.buckets:
        cursor = cursors.get(bucket)
        if cursor is None:
            continue
        if cursor == START:
            cursor = Cursor(0, store.head(bucket))
        if max(cursor) < store.floor(bucket):
            refetch.append(bucket)
            continue
        room = limits.page_rows - len(members) - len(references)
        found = store.page(bucket, cursor.feed, room)
        more = more or found.more
        members += found.members
        references += [each for each in found.references if is_for(each.key, device.id)]
        # The newest number may be that of a tombstone that is gone: whoever has all stands at the head.
        last = found.last if found.more else store.head(bucket)
        after[bucket] = cursor._replace(feed=last)
    return Page(tuple(members), tuple(references), after, tuple(refetch), more)


def differing(store: Store, device: Device, request: SyncRequest) -> tuple[str, ...]:
    """Buckets whose rows at a till that stands at the head are not those that are here."""
    found = []
    for bucket in device.buckets:
        theirs, cursor = request.digests.get(bucket), request.cursors.get(bucket)
        if theirs is not None and cursor is not None and cursor.feed == store.head(bucket):
            rows = store.rows(bucket, 0, cursor.feed)
            held = [row for each in rows if (row := _as_held(each)) is not None]
            ours = digest(row for row in held if _bucket_at(device, row) == bucket)
            found += [bucket] if ours != theirs else []
    return tuple(found)


def _bucket_at(device: Device, row: MemberRow) -> str:
    """The bucket by which a till counts a row that may come by two."""
    return row.bucket if row.bucket in device.buckets else visited_bucket(device.home)


def _as_held(row: Member | ReferenceRow) -> MemberRow | None:
    """The member's row that a till has by a row of a feed."""
    if isinstance(row, Member):
        return row_of(row)
    return unpack_row(row.body) if is_visited(row.bucket) and row.body is not None else None


def take_snapshot(store: Store, bucket: str, number: int, limits: Limits) -> Snapshot:
    """A bucket's rows as they are now, in frames, for all tills that begin with it."""
    rows = list[MemberRow]()
    references = list[ReferenceRow]()
    for row in store.rows(bucket, 0, store.head(bucket)):
        if isinstance(row, Member):
            rows.append(row_of(row))
        elif row.body is not None:
            references.append(row)
    rows.sort(key=lambda row: row.member)
    size = limits.frame_rows
    frames = tuple(frame_of(rows[at : at + size]) for at in range(0, len(rows) or 1, size))
    have = {device.id: device.place for device in store.devices() if device.fenced}
    snapshot = Snapshot(
        number, bucket, store.tenant().timeline, store.head(bucket), have, frames, tuple(references)
    )
    store.put_snapshot(snapshot)
    return snapshot


def frame(store: Store, device: Device, request: SnapshotRequest) -> SnapshotReply | None:
    """Frames of a snapshot that this device can begin with; None: page from the start.

    A snapshot from before the device's epoch does not say which of its events are in it.
    """
    if request.bucket not in device.buckets:
        return None
    snapshot = store.snapshot(request.bucket, request.snapshot)
    tenant = store.tenant()
    if snapshot is None or snapshot.timeline != tenant.timeline or not device.fenced:
        return None
    if snapshot.feed < store.floor(request.bucket):
        return None
    have = snapshot.have.get(device.id) or _at_first(tenant.id, device)
    if have.epoch != device.place.epoch or not 0 <= request.frame < len(snapshot.frames):
        return None
    return SnapshotReply(
        rid=request.rid,
        bucket=request.bucket,
        timeline=snapshot.timeline,
        snapshot=snapshot.id,
        feed=snapshot.feed,
        have=have,
        frame=request.frame,
        of=len(snapshot.frames),
        frames=_from(snapshot.frames, request.frame, request.most),
        references=_of_device(snapshot, device) if request.frame == 0 else (),
    )


def _of_device(snapshot: Snapshot, device: Device) -> tuple[ReferenceRow, ...]:
    """One snapshot is every till's; not each of its sets is."""
    return tuple(each for each in snapshot.references if is_for(each.key, device.id))


def _from(frames: Sequence[bytes], first: int, most: int) -> tuple[bytes, ...]:
    """Frames from one on: so many, and so large, as an answer may be."""
    found, size = list[bytes](), 0
    for each in frames[first : first + max(1, min(most, FRAMES_MOST))]:
        size += len(each)
        if found and size > FRAME_BYTES_MOST:
            break
        found.append(each)
    return tuple(found)


def _at_first(tenant: bytes, device: Device) -> Place:
    """A device that the snapshot doesn't know was enrolled after it."""
    return genesis(tenant, device.id, 1)
