"""A bucket's snapshots: made frame by frame, once for all tills, fetched as they are, dropped in portions.

A snapshot holds the rows at or below the feed number at which it was begun. A row that changes while it is
made gets a higher number and comes to the tills by the pages behind that number; so its frames may be written
in many transactions, days apart, and together they are as good as if they had been read at once. Rows stand in
the order of their members: a till writes them to the ends of its tables, not all over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, overload

from msgspec import Raw

from app.protocol.store import Device, Snapshot
from app.protocol.wire import ReferenceRow
from headoffice.store import statements as sql
from headoffice.store.feeds import Feeds
from headoffice.store.packing import FRAME, PLACES, REFERENCES, frame_kept, kept_frame
from headoffice.store.row_records import Row
from headoffice.store.unit import Unit

KEPT: Final = 2
"""So many snapshots of a bucket stay: the newest, and the one that tills may be in the midst of."""
DROPPED_AT_ONCE: Final = 8
"""So many frames are dropped in one transaction: their pages are overwritten with zeros."""


class Begun(NamedTuple):
    """A snapshot that is being made. `after`: the last member in it, `frames` that are written.

    timeline   in which it was begun: in another one it is of no use
    """

    number: int
    timeline: int
    feed: int
    after: bytes = b""
    frames: int = 0


class Snapshots:
    """The snapshots of one tenant, inside its store's transactions. They are read and written at once, for
    they are large and nothing else refers to them."""

    def __init__(self, unit: Unit, feeds: Feeds) -> None:
        self._unit = unit
        self._feeds = feeds

    def find(self, bucket: str, number: int) -> Snapshot | None:
        """A snapshot that is whole; number 0: the newest."""
        rows = self._unit.rows
        found = (
            rows.find(sql.SNAPSHOTS, [(bucket, number)])
            if number
            else rows.ask(sql.NEWEST_SNAPSHOT, bucket)
        )
        if not found:
            return None
        _, number, timeline, feed, have, frames, references, _ = found[0]
        return Snapshot(
            number, bucket, timeline, feed, dict(PLACES.unpack(have)),
            _Frames(self, bucket, number, frames), REFERENCES.unpack(references),
        )  # fmt: skip

    def put(self, snapshot: Snapshot) -> None:
        """Keep a snapshot, whole."""
        rows, key = self._unit.rows, (snapshot.bucket, snapshot.id)
        rows.drop(sql.FRAMES, [key])
        rows.write(sql.SNAPSHOT, [_row(snapshot, len(snapshot.frames), whole=True)])
        for number, frame in enumerate(snapshot.frames):
            rows.write(sql.FRAME, [(*key, number, kept_frame(frame))])

    def frames(self, bucket: str, number: int, first: int, end: int) -> tuple[bytes, ...]:
        """The frames of a snapshot from one up to and without another."""
        found = self._unit.rows.ask(sql.SOME_FRAMES, bucket, number, first, end)
        return tuple([frame_kept(body) for (body,) in found])

    # In portions

    def begin(self, bucket: str, timeline: int, devices: Sequence[Device]) -> Begun:
        """Begin a snapshot of what the bucket has now; nobody is given it before `finish`."""
        rows, feed = self._unit.rows, self._feeds.feed(bucket)
        number = max((row[0] for row in rows.ask(sql.SNAPSHOT_NUMBERS, bucket)), default=0) + 1
        found = rows.ask(sql.REFERENCE_ROWS, bucket, 0, feed.floor, feed.head)
        references = tuple(row for row in map(ReferenceRow._make, found) if row.body is not None)
        have = {device.id: device.place for device in devices if device.fenced}
        begun = Snapshot(number, bucket, timeline, feed.head, have, (), references)
        rows.write(sql.SNAPSHOT, [_row(begun, 1, whole=False)])
        return Begun(number, timeline, feed.head)

    def add(self, bucket: str, begun: Begun, size: int) -> tuple[Begun, bool]:
        """Write the next frame, of `size` rows at most. True: it was the last one, all is there."""
        found = self._feeds.by_member(bucket, begun.after, size)
        wire, most = self._feeds.wire, begun.feed
        frame = FRAME.pack(
            tuple([Raw(row or wire(key)) for feed, key, row in found if feed <= most])
        )
        row = (bucket, begun.number, begun.frames, kept_frame(frame))
        self._unit.rows.write(sql.FRAME, [row])
        after = found[-1][1] if found else begun.after
        begun = begun._replace(after=after, frames=begun.frames + 1)
        done = len(found) < size
        if done:
            self._mark(bucket, begun.number, frames=begun.frames, whole=True)
        return begun, done

    def drop_old(self, bucket: str) -> bool:
        """Drop a portion of what is older than the last `KEPT`, or never became whole. True: there is more."""
        rows = self._unit.rows
        numbers = rows.ask(sql.SNAPSHOT_NUMBERS, bucket)
        kept = [number for number, whole in numbers if whole][:KEPT]
        old = [(number, whole) for number, whole in numbers if number not in kept]
        if not old:
            return False
        number, whole = old[-1]
        if whole:
            # Nobody may be given a snapshot that lacks frames.
            self._mark(bucket, number, whole=False)
        frames = rows.ask(sql.FRAME_NUMBERS, bucket, number, DROPPED_AT_ONCE)
        rows.drop(sql.FRAMES_AT, [(bucket, number, frame) for (frame,) in frames])
        if len(frames) < DROPPED_AT_ONCE:
            rows.drop(sql.ANY_SNAPSHOT, [(bucket, number)])
        return len(old) > 1 or len(frames) == DROPPED_AT_ONCE

    def _mark(self, bucket: str, number: int, *, whole: bool, frames: int | None = None) -> None:
        rows = self._unit.rows
        *first, had, references, _ = rows.find(sql.ANY_SNAPSHOT, [(bucket, number)])[0]
        rows.write(sql.SNAPSHOT, [(*first, had if frames is None else frames, references, whole)])


def _row(snapshot: Snapshot, frames: int, *, whole: bool) -> Row:
    return (
        snapshot.bucket, snapshot.id, snapshot.timeline, snapshot.feed,
        PLACES.pack(tuple(sorted(snapshot.have.items()))), frames,
        REFERENCES.pack(snapshot.references), whole,
    )  # fmt: skip


class _Frames(Sequence[bytes]):
    """A snapshot's frames, each read when it is asked for: a till asks for a few at a time."""

    def __init__(self, snapshots: Snapshots, bucket: str, snapshot: int, count: int) -> None:
        self._snapshots, self._bucket = snapshots, bucket
        self._snapshot, self._count = snapshot, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[bytes]: ...
    def __getitem__(self, at: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(at, slice):
            first, end, step = at.indices(self._count)
            assert step == 1
            return self._snapshots.frames(self._bucket, self._snapshot, first, end)
        if not 0 <= at < self._count:
            raise IndexError(at)
        return self[at : at + 1][0]
