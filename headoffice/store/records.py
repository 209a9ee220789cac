"""The store port for every database: what a transaction reads is asked for once, what it puts written once.

It keeps records and decides nothing. Puts stay in memory until the transaction ends and every read sees them;
then they are written in bulk (unit.py). No other writer of the same tenant may be beside the transaction: that
is the database's part (rows.py). Why columns here and bytes there: docs/decisions/head-office-store.md.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from app.domain.entries import Entry
from app.protocol.links import Link
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
from app.protocol.wire import ReferenceRow, Request
from headoffice.store import statements as sql
from headoffice.store.asked import fetch
from headoffice.store.feeds import Feeds
from headoffice.store.known import Groups
from headoffice.store.rows import Rows
from headoffice.store.snapshots import Snapshots
from headoffice.store.unit import Unit

PAGE: Final = 500
"""So many members are read at a time where all are asked for."""


class Records(ABC):
    """Implements app.protocol.store.Store for one tenant, inside the transactions that a database opens."""

    def __init__(self, rows: Rows, tenant: bytes) -> None:
        self._rows = rows
        self._tenant = tenant
        self._unit = Unit(rows)
        self._feeds = Feeds(self._unit)
        self._snapshots = Snapshots(self._unit, self._feeds)
        self._mode = ""
        self.noticing: Callable[[Records], None] | None = None
        """Hears of each writing transaction before it ends, inside it."""

    @abstractmethod
    def writing(
        self, requests: Iterable[Request] = (), *, wait_ms: int | None = None
    ) -> AbstractContextManager[None]:
        """One transaction, kept whole when the block ends and not at all when it raises. What `requests` will
        ask is read in a few statements first; the caller then handles them. `wait_ms`: for another writer,
        where not as long as usual. Raises StoreBusy or StoreGone."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[None]:
        """One snapshot of the store, beside any writer: rows and heads in it belong together."""

    @contextmanager
    def _transaction(self, mode: str, requests: Iterable[Request] = ()) -> Iterator[None]:
        """The records are usable inside; what was put is written at the end of a writing one."""
        assert not self._mode, "a store has one transaction at a time"
        self._mode = mode
        try:
            fetch(self._unit, self._feeds, list(requests))
            yield
            if mode == "writing":
                if self.noticing is not None:
                    self.noticing(self)
                with self._rows.together():
                    self._unit.write()
        finally:
            self._mode = ""
            self._unit.clear()
            self._feeds.clear()

    def _read(self) -> Unit:
        assert self._mode, "records are read inside writing() or reading()"
        return self._unit

    def _write(self) -> Unit:
        assert self._mode == "writing", "records are put inside writing()"
        return self._unit

    # Tenant and devices

    def tenant(self) -> Tenant:
        tenant = self._read().tenants.get(self._tenant)
        assert tenant is not None, "the tenant was never put"
        return tenant

    def put_tenant(self, tenant: Tenant) -> None:
        assert tenant.id == self._tenant, "a store is one tenant's"
        unit = self._write()
        if unit.tenants.get(tenant.id) is None:
            # Rows of others on this connection may refer to it before the transaction ends.
            unit.rows.write(sql.TENANT, [tenant])
        unit.tenants.put(tenant.id, tenant)

    def device(self, device: bytes) -> Device | None:
        return self._read().devices.get(device)

    def put_device(self, device: Device) -> None:
        self._write().devices.put(device.id, device)

    def devices(self) -> Iterable[Device]:
        return self._read().all_devices()

    def unreported(self, timeline: int) -> bool:
        devices = self._read().devices
        keys = [*self._unit.unreported.keys(timeline), *devices.changed()]
        found = [devices.get(key) for key in keys]
        return any(each and each.standing == "live" and each.reported < timeline for each in found)

    # Links and events

    def link(self, device: bytes, epoch: int, seq: int) -> Link | None:
        return self._read().links.get((device, epoch, seq))

    def put_link(self, device: bytes, link: Link) -> None:
        self._write().links.add((device, link.epoch, link.seq), link)

    def event(self, event: bytes) -> StoredEvent | None:
        return self._read().events.get(event)

    def put_event(self, event: StoredEvent) -> None:
        self._write().events.add(event.id, event)

    # Members and their ledgers

    def member(self, member: bytes) -> Member | None:
        return self._read().members.get(member)

    def look_up(self, members: Sequence[bytes]) -> None:
        self._read().members.fetch(members)

    def members(self) -> Iterator[bytes]:
        unit = self._read()
        put = sorted(unit.members.changed())
        last, more = b"", True
        while more:
            page = unit.whole(unit.rows.ask(sql.MEMBERS_AFTER, last, PAGE))
            more = len(page) == PAGE
            for each in page:
                unit.members.found(each.id, each)
            ids = {each.id for each in page}
            upper = page[-1].id if more else None
            ids.update(key for key in put if last < key and (upper is None or key <= upper))
            yield from sorted(ids)
            last = upper or last

    def members_after(self, member: bytes, most: int) -> Sequence[bytes]:
        """The stored members whose ids follow, by id: for who goes through all of them in many transactions."""
        unit = self._read()
        page = unit.whole(unit.rows.ask(sql.MEMBERS_AFTER, member, most))
        return [unit.members.found(each.id, each).id for each in page]

    def put_member(self, member: Member, entries: Sequence[Entry] = ()) -> None:
        unit = self._write()
        unit.members.get(member.id)
        number = self._feeds.number(member.bucket, member.id)
        numbered = member.numbered(number)
        unit.members.put(member.id, numbered)
        for row in copies(numbered):
            self.put_reference(row)
        for _, device in member.reserved:
            unit.reserved.put(device, member.id)
        if entries:
            unit.ledger.add(member.id, entries)

    def ledger(self, member: bytes) -> Sequence[Entry]:
        return self._read().ledger.all(member)

    def members_reserved_for(self, device: bytes) -> Sequence[bytes]:
        unit = self._read()
        found = [(key, unit.members.get(key)) for key in sorted(unit.reserved.keys(device))]
        return [
            key
            for key, member in found
            if member is not None and any(owner == device for _, owner in member.reserved)
        ]

    def changed_members(self) -> Iterator[tuple[Member | None, Member, frozenset[str]]]:
        """Each member that this transaction has put: before, now, and of which assets it posted entries."""
        members, added = self._read().members, self._unit.ledger.added()
        for key, member in members.changed().items():
            assets = frozenset(entry.asset for entry in added.get(key, ()))
            yield members.before(key), member, assets

    def changed_figures(self) -> tuple[Tenant | None, dict[str, int]]:
        """The tenant's figures, where this transaction has put them, and the heads that it has raised."""
        feeds = self._read().feeds.changed()
        tenant = self._unit.tenants.changed().get(self._tenant)
        return tenant, {bucket: feed.head for bucket, feed in feeds.items()}

    # Holds, grants and returns

    def hold(self, hold: bytes) -> Hold | None:
        return self._read().holds.get(hold)

    def put_hold(self, hold: Hold) -> None:
        unit = self._write()
        unit.holds.put(hold.id, hold)
        unit.device_holds.put(hold.device, hold.id)
        if hold.sale is not None:
            unit.line_holds.put(hold.sale, hold.id)

    def open_holds(self, device: bytes) -> Sequence[Hold]:
        return [
            hold for hold in self._open(self._read().device_holds, device) if hold.device == device
        ]

    def open_line_holds(self, sale: bytes) -> Sequence[Hold]:
        return [hold for hold in self._open(self._read().line_holds, sale) if hold.sale == sale]

    def _open(self, among: Groups[bytes, bytes], group: bytes) -> list[Hold]:
        """The open holds of a group, by id; one that was put since may be another group's now."""
        found = [self._unit.holds.get(key) for key in sorted(among.keys(group))]
        return [hold for hold in found if hold and hold.standing == "open"]

    def grant(self, grant: bytes) -> GrantRow | None:
        return self._read().grants.get(grant)

    def put_grant(self, grant: GrantRow) -> None:
        unit = self._write()
        unit.grants.put(grant.id, grant)
        unit.device_grants.put(grant.device, grant.id)

    def open_grant(self, device: bytes) -> GrantRow | None:
        unit = self._read()
        found = [unit.grants.get(key) for key in unit.device_grants.keys(device)]
        still = [each for each in found if each and each.standing == "open"]
        return still[0] if still else None

    def returns(self, sale: bytes) -> Sequence[SaleReturn]:
        return self._read().returns.all(sale)

    def add_return(self, sale: bytes, entry: SaleReturn) -> None:
        self._write().returns.add(sale, [entry])

    # Cells

    def cell(self, member: bytes, name: str, device: bytes, hlc: int) -> CellRecord | None:
        unit = self._read()
        for record in unit.cells.added().get(member, ()):
            sent = record.sent
            if (sent.field, sent.device, sent.hlc) == (name, device, hlc):
                return record
        if member in unit.cells.dropped():
            return None
        return unit.sent_cells.get((member, name, device, hlc))

    def add_cell(self, record: CellRecord) -> None:
        self._write().cells.add(record.sent.member, [record])

    def cells(self, member: bytes) -> Sequence[CellRecord]:
        return self._read().cells.all(member)

    def new_cells(self) -> list[CellRecord]:
        """The cells that this transaction has added: no index has them yet."""
        return [record for added in self._read().cells.added().values() for record in added]

    def drop_cells(self, member: bytes) -> None:
        self._write().cells.drop(member)

    # Reference data and feeds

    def reference(self, key: str) -> ReferenceRow | None:
        return self._read().references.get(key)

    def put_reference(self, row: ReferenceRow) -> None:
        unit = self._write()
        number = self._feeds.number(row.bucket, row.key)
        unit.references.put(row.key, row._replace(feed=number))

    def rows(self, bucket: str, after: int, limit: int) -> Sequence[Member | ReferenceRow]:
        self._read()
        return self._feeds.rows(bucket, after, limit)

    def page(self, bucket: str, after: int, room: int) -> FeedPage:
        self._read()
        return self._feeds.page(bucket, after, room)

    def head(self, bucket: str) -> int:
        self._read()
        return self._feeds.feed(bucket).head

    def look_at_feeds(self, buckets: Iterable[str]) -> None:
        """Read the heads and floors of many buckets in one go."""
        self._read().feeds.fetch(buckets)

    def floor(self, bucket: str) -> int:
        self._read()
        return self._feeds.feed(bucket).floor

    def prune(self, bucket: str, up_to: int) -> None:
        self._write()
        self._feeds.raise_floor(bucket, up_to)

    # Snapshots

    @property
    def snapshots(self) -> Snapshots:
        """What makes and drops them in portions."""
        self._read()
        return self._snapshots

    def snapshot(self, bucket: str, snapshot: int) -> Snapshot | None:
        return self.snapshots.find(bucket, snapshot)

    def put_snapshot(self, snapshot: Snapshot) -> None:
        self._write()
        self._snapshots.put(snapshot)
