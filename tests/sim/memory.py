"""The store port kept in dictionaries: for the simulator, and the measure for the stores on disk.

`copy()` is a backup: records are values, so copying the dictionaries is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.domain.entries import Entry
from app.protocol.links import Link
from app.protocol.pull import row_of
from app.protocol.store import (
    CellRecord,
    Device,
    FeedPage,
    GrantRow,
    Hold,
    Member,
    SaleReturn,
    Snapshot,
    StoredEvent,
    Tenant,
)
from app.protocol.visiting import copies
from app.protocol.wire import ReferenceRow


class MemoryStore:
    """Implements app.protocol.store.Store."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._devices: dict[bytes, Device] = {}
        self._links: dict[tuple[bytes, int, int], Link] = {}
        self._events: dict[bytes, StoredEvent] = {}
        self._members: dict[bytes, Member] = {}
        self._ledger: dict[bytes, tuple[Entry, ...]] = {}
        self._holds: dict[bytes, Hold] = {}
        self._grants: dict[bytes, GrantRow] = {}
        self._returns: dict[bytes, tuple[SaleReturn, ...]] = {}
        self._cells: dict[bytes, tuple[CellRecord, ...]] = {}
        self._references: dict[str, ReferenceRow] = {}
        self._feeds: dict[str, dict[bytes | str, int]] = {}
        self._heads: dict[str, int] = {}
        self._floors: dict[str, int] = {}
        self._snapshots: dict[tuple[str, int], Snapshot] = {}

    def copy(self) -> MemoryStore:
        """A backup of this moment."""
        other = MemoryStore(self._tenant)
        for name, value in vars(self).items():
            if isinstance(value, dict):
                setattr(other, name, dict(value))
        other._feeds = {bucket: dict(feed) for bucket, feed in self._feeds.items()}
        return other

    def tenant(self) -> Tenant:
        return self._tenant

    def put_tenant(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def device(self, device: bytes) -> Device | None:
        return self._devices.get(device)

    def put_device(self, device: Device) -> None:
        self._devices[device.id] = device

    def devices(self) -> Iterable[Device]:
        return [self._devices[key] for key in sorted(self._devices)]

    def unreported(self, timeline: int) -> bool:
        return any(
            device.standing == "live" and device.reported < timeline
            for device in self._devices.values()
        )

    def link(self, device: bytes, epoch: int, seq: int) -> Link | None:
        return self._links.get((device, epoch, seq))

    def put_link(self, device: bytes, link: Link) -> None:
        key = (device, link.epoch, link.seq)
        assert key not in self._links, "a link is written once"
        self._links[key] = link

    def event(self, event: bytes) -> StoredEvent | None:
        return self._events.get(event)

    def put_event(self, event: StoredEvent) -> None:
        assert event.id not in self._events, "an event is written once"
        self._events[event.id] = event

    def member(self, member: bytes) -> Member | None:
        return self._members.get(member)

    def look_up(self, members: Sequence[bytes]) -> None:
        pass  # They are here.

    def members(self) -> Iterable[bytes]:
        return sorted(self._members)

    def put_member(self, member: Member, entries: Sequence[Entry] = ()) -> None:
        feed = self._numbered(member.bucket, member.id)
        self._members[member.id] = member.numbered(feed)
        for row in copies(self._members[member.id]):
            self.put_reference(row)
        if entries:
            self._ledger[member.id] = (*self._ledger.get(member.id, ()), *entries)

    def ledger(self, member: bytes) -> Sequence[Entry]:
        return self._ledger.get(member, ())

    def members_reserved_for(self, device: bytes) -> Sequence[bytes]:
        return sorted(
            member.id
            for member in self._members.values()
            if any(key[1] == device for key in member.reserved)
        )

    def hold(self, hold: bytes) -> Hold | None:
        return self._holds.get(hold)

    def put_hold(self, hold: Hold) -> None:
        self._holds[hold.id] = hold

    def open_holds(self, device: bytes) -> Sequence[Hold]:
        return sorted(
            h for h in self._holds.values() if h.standing == "open" and h.device == device
        )

    def open_line_holds(self, sale: bytes) -> Sequence[Hold]:
        return sorted(h for h in self._holds.values() if h.standing == "open" and h.sale == sale)

    def grant(self, grant: bytes) -> GrantRow | None:
        return self._grants.get(grant)

    def put_grant(self, grant: GrantRow) -> None:
        self._grants[grant.id] = grant

    def open_grant(self, device: bytes) -> GrantRow | None:
        for grant in self._grants.values():
            if grant.standing == "open" and grant.device == device:
                return grant
        return None

    def returns(self, sale: bytes) -> Sequence[SaleReturn]:
        return self._returns.get(sale, ())

    def add_return(self, sale: bytes, entry: SaleReturn) -> None:
        self._returns[sale] = (*self._returns.get(sale, ()), entry)

    def cell(self, member: bytes, name: str, device: bytes, hlc: int) -> CellRecord | None:
        for record in self._cells.get(member, ()):
            sent = record.sent
            if (sent.field, sent.device, sent.hlc) == (name, device, hlc):
                return record
        return None

    def add_cell(self, record: CellRecord) -> None:
        member = record.sent.member
        self._cells[member] = (*self._cells.get(member, ()), record)

    def cells(self, member: bytes) -> Sequence[CellRecord]:
        return self._cells.get(member, ())

    def drop_cells(self, member: bytes) -> None:
        self._cells.pop(member, None)

    def reference(self, key: str) -> ReferenceRow | None:
        return self._references.get(key)

    def put_reference(self, row: ReferenceRow) -> None:
        self._references[row.key] = row._replace(feed=self._numbered(row.bucket, row.key))

    def rows(self, bucket: str, after: int, limit: int) -> Sequence[Member | ReferenceRow]:
        newest_first = []
        feed = self._feeds.get(bucket, {})
        for key in reversed(feed):
            if feed[key] <= after:
                break
            newest_first.append(key)
        wanted = newest_first[::-1][:limit]
        return [
            self._references[key] if isinstance(key, str) else self._members[key] for key in wanted
        ]

    def page(self, bucket: str, after: int, room: int) -> FeedPage:
        found = self.rows(bucket, after, room + 1)
        taken = found[:room]
        members = [row_of(row) for row in taken if isinstance(row, Member)]
        references = [row for row in taken if isinstance(row, ReferenceRow)]
        last = taken[-1].feed if taken else after
        return FeedPage(members, references, last, len(found) > room)

    def head(self, bucket: str) -> int:
        return self._heads.get(bucket, 0)

    def floor(self, bucket: str) -> int:
        return self._floors.get(bucket, 0)

    def prune(self, bucket: str, up_to: int) -> None:
        feed = self._feeds.get(bucket, {})
        gone = [
            key
            for key, number in feed.items()
            if isinstance(key, str) and number <= up_to and self._references[key].body is None
        ]
        for key in gone:
            del feed[key]
        self._floors[bucket] = max(self.floor(bucket), up_to)

    def snapshot(self, bucket: str, snapshot: int) -> Snapshot | None:
        if snapshot:
            return self._snapshots.get((bucket, snapshot))
        newest = max((key[1] for key in self._snapshots if key[0] == bucket), default=0)
        return self._snapshots.get((bucket, newest))

    def put_snapshot(self, snapshot: Snapshot) -> None:
        self._snapshots[snapshot.bucket, snapshot.id] = snapshot

    def _numbered(self, bucket: str, key: bytes | str) -> int:
        """The next feed number for a row, whose last one is forgotten: a feed holds each row once."""
        number = self._heads[bucket] = self.head(bucket) + 1
        feed = self._feeds.setdefault(bucket, {})
        feed.pop(key, None)
        feed[key] = number
        return number
