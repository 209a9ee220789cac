"""The store port on SQLite: the store of a head office that nobody had to install a database for.

It keeps records and decides nothing. Every call happens inside `writing()` or `reading()`; one `writing()` is
one transaction, and the caller answers a till after it. Feed numbers are taken last: rows that were put wait
for theirs until somebody reads the feed or the transaction ends, so `Member.feed` of a row that was put in the
same transaction is its former one. Why columns here and bytes there: docs/decisions/head-office-store.md.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, overload

from app.domain.business_day import BusinessDate
from app.domain.entries import Entry, EntryId
from app.protocol.links import Link, Place
from app.protocol.store import (
    CellRecord,
    Device,
    GrantRow,
    Hold,
    Member,
    SaleReturn,
    Snapshot,
    StoredEvent,
    Tenant,
)
from app.protocol.wire import Cell, MemberRow, ReferenceRow
from headoffice.store import statements as sql
from headoffice.store.distribution import dist_key
from headoffice.store.opening import WAIT_MS, transaction
from headoffice.store.packing import (
    BUCKETS,
    CELL,
    FRAME,
    LINES,
    MEMBER,
    PARTS,
    PLACES,
    REFERENCES,
    SEEN,
    TIMES,
    MemberRest,
)

_UNNUMBERED: Final = 0


class SqliteStore:
    """Implements app.protocol.store.Store for one tenant of an open database (opening.py)."""

    def __init__(self, raw: sqlite3.Connection, tenant: bytes, *, wait_ms: int = WAIT_MS) -> None:
        self._raw = raw
        self._own = (tenant, dist_key(tenant))
        self._wait_ms = wait_ms
        self._writing = False
        self._unnumbered: dict[str, list[bytes | str]] = {}

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, kept whole when the block ends and not at all when it raises. Raises StoreBusy."""
        with transaction(self._raw, self._wait_ms):
            self._writing = True
            try:
                yield
                self._number_feeds()
            finally:
                self._writing = False
                self._unnumbered.clear()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One snapshot of the store, beside any writer: rows and heads in it belong together."""
        self._raw.execute("BEGIN")
        try:
            yield
        finally:
            self._raw.execute("ROLLBACK")

    def _read(self, statement: str, *values: Any) -> sqlite3.Cursor:
        assert self._raw.in_transaction, "records are read inside writing() or reading()"
        return self._raw.execute(statement, (*self._own, *values))

    def _write(self, statement: str, *values: Any) -> sqlite3.Cursor:
        assert self._writing, "records are put inside writing()"
        return self._raw.execute(statement, (*self._own, *values))

    # Tenant and devices

    def tenant(self) -> Tenant:
        assert self._raw.in_transaction, "records are read inside writing() or reading()"
        row = self._raw.execute(sql.TENANT, self._own[:1]).fetchone()
        assert row is not None, "the tenant was never put"
        return Tenant(*row)

    def put_tenant(self, tenant: Tenant) -> None:
        assert tenant.id == self._own[0], "a store is one tenant's"
        assert self._writing, "records are put inside writing()"
        self._raw.execute(sql.PUT_TENANT, tenant)

    def device(self, device: bytes) -> Device | None:
        row = self._read(sql.DEVICE, device).fetchone()
        return None if row is None else _device(row)

    def put_device(self, device: Device) -> None:
        self._write(
            sql.PUT_DEVICE,
            device.id, device.home, BUCKETS.pack(device.buckets), *device.place, device.reported,
            device.standing, device.fenced, device.nonce, device.common, TIMES.pack(device.rebased_ms),
            SEEN.pack(device.seen),
        )  # fmt: skip

    def devices(self) -> Iterable[Device]:
        return [_device(row) for row in self._read(sql.DEVICES)]

    # Links and events

    def link(self, device: bytes, epoch: int, seq: int) -> Link | None:
        row = self._read(sql.LINK, device, epoch, seq).fetchone()
        return None if row is None else Link(*row)

    def put_link(self, device: bytes, link: Link) -> None:
        self._write(sql.PUT_LINK, device, *link)

    def event(self, event: bytes) -> StoredEvent | None:
        row = self._read(sql.EVENT, event).fetchone()
        return None if row is None else StoredEvent(*row)

    def put_event(self, event: StoredEvent) -> None:
        self._write(sql.PUT_EVENT, *event)

    # Members and their ledgers

    def member(self, member: bytes) -> Member | None:
        row = self._read(sql.MEMBER, member).fetchone()
        return None if row is None else self._member(row)

    def members(self) -> Iterable[bytes]:
        return [member for (member,) in self._read(sql.MEMBERS)]

    def put_member(self, member: Member, entries: Sequence[Entry] = ()) -> None:
        rest = MemberRest(member.state, dict(member.accounts), dict(member.cells))
        self._write(
            sql.PUT_MEMBER,
            member.id, member.bucket, _UNNUMBERED, member.alias, member.erased_at, MEMBER.pack(rest),
        )  # fmt: skip
        self._write(sql.DROP_RESERVATIONS, member.id)
        for (asset, device), amount in member.reserved.items():
            local = member.local.get((asset, device))
            self._write(sql.ADD_RESERVATION, member.id, asset, device, amount, local)
        if entries:
            self._add_entries(member.id, entries)
        self._unnumbered.setdefault(member.bucket, []).append(member.id)

    def ledger(self, member: bytes) -> Sequence[Entry]:
        return tuple([_entry(row) for row in self._read(sql.LEDGER, member)])

    def members_reserved_for(self, device: bytes) -> Sequence[bytes]:
        return [member for (member,) in self._read(sql.RESERVED_FOR, device)]

    def _member(self, row: tuple[Any, ...]) -> Member:
        member, bucket, feed, alias, erased_at, rest = row
        state, accounts, cells = MEMBER.unpack(rest)
        reserved, local = {}, {}
        for asset, device, amount, part in self._read(sql.RESERVATIONS, member):
            reserved[asset, device] = amount
            if part is not None:
                local[asset, device] = part
        return Member(
            member, bucket, feed, state, accounts, reserved, local, cells, alias, erased_at
        )

    def _add_entries(self, member: bytes, entries: Sequence[Entry]) -> None:
        last = self._read(sql.LAST_ENTRY, member).fetchone()[0]
        for number, entry in enumerate(entries, last + 1):
            self._write(sql.ADD_ENTRY, member, number, *entry.id, *entry[1:8], *_ref(entry))

    # Holds, grants and returns

    def hold(self, hold: bytes) -> Hold | None:
        row = self._read(sql.HOLD, hold).fetchone()
        return None if row is None else _hold(row)

    def put_hold(self, hold: Hold) -> None:
        self._write(sql.PUT_HOLD, *hold[:-1], LINES.pack(hold.lines))

    def open_holds(self, device: bytes) -> Sequence[Hold]:
        return [_hold(row) for row in self._read(sql.OPEN_HOLDS, device)]

    def open_line_holds(self, sale: bytes) -> Sequence[Hold]:
        return [_hold(row) for row in self._read(sql.OPEN_LINE_HOLDS, sale)]

    def grant(self, grant: bytes) -> GrantRow | None:
        row = self._read(sql.GRANT, grant).fetchone()
        return None if row is None else GrantRow(*row)

    def put_grant(self, grant: GrantRow) -> None:
        self._write(sql.PUT_GRANT, *grant)

    def open_grant(self, device: bytes) -> GrantRow | None:
        row = self._read(sql.OPEN_GRANT, device).fetchone()
        return None if row is None else GrantRow(*row)

    def returns(self, sale: bytes) -> Sequence[SaleReturn]:
        return tuple(
            SaleReturn(event, member, BusinessDate(on), PARTS.unpack(parts))
            for event, member, on, parts in self._read(sql.RETURNS, sale)
        )

    def add_return(self, sale: bytes, entry: SaleReturn) -> None:
        number = self._read(sql.LAST_RETURN, sale).fetchone()[0] + 1
        event, member, on, parts = entry
        self._write(sql.ADD_RETURN, sale, number, event, member, on, PARTS.pack(parts))

    # Cells

    def cell(self, member: bytes, name: str, device: bytes, hlc: int) -> CellRecord | None:
        row = self._read(sql.CELL, member, name, device, hlc).fetchone()
        return None if row is None else _cell(row)

    def add_cell(self, record: CellRecord) -> None:
        sent, conflict = record.sent, record.conflict
        number = self._read(sql.LAST_CELL, sent.member).fetchone()[0] + 1
        packed = None if conflict is None else CELL.pack(conflict)
        self._write(sql.ADD_CELL, sent.member, number, *sent[1:], record.decides, packed)

    def cells(self, member: bytes) -> Sequence[CellRecord]:
        return tuple([_cell(row) for row in self._read(sql.CELLS, member)])

    def drop_cells(self, member: bytes) -> None:
        self._write(sql.DROP_CELLS, member)

    # Reference data and feeds

    def reference(self, key: str) -> ReferenceRow | None:
        row = self._read(sql.REFERENCE, key).fetchone()
        return None if row is None else ReferenceRow(*row)

    def put_reference(self, row: ReferenceRow) -> None:
        self._write(sql.PUT_REFERENCE, row.key, row.bucket, _UNNUMBERED, row.version, row.body)
        self._unnumbered.setdefault(row.bucket, []).append(row.key)

    def rows(self, bucket: str, after: int, limit: int) -> Sequence[Member | ReferenceRow]:
        self._number_feeds()
        found = list[Member | ReferenceRow]()
        found += [self._member(row) for row in self._read(sql.MEMBER_ROWS, bucket, after, limit)]
        floor = self.floor(bucket)
        references = self._read(sql.REFERENCE_ROWS, bucket, after, floor, limit)
        found += [ReferenceRow(*row) for row in references]
        return sorted(found, key=lambda row: row.feed)[:limit]

    def head(self, bucket: str) -> int:
        return self._feed(bucket)[0] + len(self._unnumbered.get(bucket, ()))

    def floor(self, bucket: str) -> int:
        return self._feed(bucket)[1]

    def prune(self, bucket: str, up_to: int) -> None:
        self._number_feeds()
        self._write(sql.RAISE_FLOOR, bucket, up_to)

    def _feed(self, bucket: str) -> tuple[int, int]:
        """Head and floor."""
        row = self._read(sql.FEED, bucket).fetchone()
        return (0, 0) if row is None else row

    def _number_feeds(self) -> None:
        """Give the rows that were put the next numbers of their buckets, bucket after bucket in one order.

        A row that was put more than once uses up as many numbers and keeps the last, as in memory.
        """
        for bucket in sorted(self._unnumbered):
            keys = self._unnumbered.pop(bucket)
            before = self._take_numbers(bucket, len(keys)) - len(keys)
            for key, number in {key: number for number, key in enumerate(keys, before + 1)}.items():
                self._write(
                    sql.NUMBER_MEMBER if isinstance(key, bytes) else sql.NUMBER_REFERENCE,
                    number,
                    key,
                )

    def _take_numbers(self, bucket: str, count: int) -> int:
        """Raise a bucket's head and answer the new one. Nobody else sees it before the rows that it counts:
        both become true in one commit."""
        head: int = self._write(sql.RAISE_HEAD, bucket, count).fetchone()[0]
        return head

    # Snapshots

    def snapshot(self, bucket: str, snapshot: int) -> Snapshot | None:
        row = (
            self._read(sql.SNAPSHOT, bucket, snapshot)
            if snapshot
            else self._read(sql.NEWEST_SNAPSHOT, bucket)
        ).fetchone()
        if row is None:
            return None
        number, timeline, feed, have, frames, references = row
        return Snapshot(
            number, bucket, timeline, feed, dict(PLACES.unpack(have)),
            _Frames(self, bucket, number, frames), REFERENCES.unpack(references),
        )  # fmt: skip

    def put_snapshot(self, snapshot: Snapshot) -> None:
        self._write(sql.DROP_FRAMES, snapshot.bucket, snapshot.id)
        self._write(
            sql.PUT_SNAPSHOT,
            snapshot.bucket, snapshot.id, snapshot.timeline, snapshot.feed,
            PLACES.pack(tuple(sorted(snapshot.have.items()))), len(snapshot.frames),
            REFERENCES.pack(snapshot.references),
        )  # fmt: skip
        for number, rows in enumerate(snapshot.frames):
            self._write(sql.ADD_FRAME, snapshot.bucket, snapshot.id, number, FRAME.pack(rows))

    def frame(self, bucket: str, snapshot: int, number: int) -> tuple[MemberRow, ...]:
        """The rows of one frame of a snapshot."""
        row = self._read(sql.FRAME, bucket, snapshot, number).fetchone()
        return FRAME.unpack(row[0])


class _Frames(Sequence[tuple[MemberRow, ...]]):
    """A snapshot's frames, each read when it is asked for: a till asks for one at a time."""

    def __init__(self, store: SqliteStore, bucket: str, snapshot: int, count: int) -> None:
        self._store, self._bucket, self._snapshot, self._count = store, bucket, snapshot, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> tuple[MemberRow, ...]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[tuple[MemberRow, ...]]: ...
    def __getitem__(
        self, at: int | slice
    ) -> tuple[MemberRow, ...] | Sequence[tuple[MemberRow, ...]]:
        if isinstance(at, slice):
            return tuple(self[number] for number in range(*at.indices(self._count)))
        if not 0 <= at < self._count:
            raise IndexError(at)
        return self._store.frame(self._bucket, self._snapshot, at)


def _device(row: tuple[Any, ...]) -> Device:
    (
        device, home, buckets, epoch, seq, chain, reported, standing, fenced, nonce, common, rebased,
        seen,
    ) = row  # fmt: skip
    return Device(
        device, home, BUCKETS.unpack(buckets), Place(epoch, seq, chain), reported, standing,
        bool(fenced), nonce, common, TIMES.unpack(rebased), SEEN.unpack(seen),
    )  # fmt: skip


def _entry(row: tuple[Any, ...]) -> Entry:
    event, n, asset, kind, amount, on, available, expires, minimum, ref_event, ref_n = row
    return Entry(
        EntryId(event, n), asset, kind, amount, BusinessDate(on), _date(available), _date(expires),
        _date(minimum), None if ref_event is None else EntryId(ref_event, ref_n),
    )  # fmt: skip


def _ref(entry: Entry) -> tuple[bytes | None, int | None]:
    return (None, None) if entry.refers_to is None else entry.refers_to


def _date(day: int | None) -> BusinessDate | None:
    return None if day is None else BusinessDate(day)


def _hold(row: tuple[Any, ...]) -> Hold:
    hold, device, epoch, standing, member, asset, amount, on, sale, lines = row
    return Hold(
        hold, device, epoch, standing, member, asset, amount, BusinessDate(on), sale,
        LINES.unpack(lines),
    )  # fmt: skip


def _cell(row: tuple[Any, ...]) -> CellRecord:
    *sent, decides, conflict = row
    return CellRecord(Cell(*sent), decides, None if conflict is None else CELL.unpack(conflict))
