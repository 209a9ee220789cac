"""The port's records as rows and back, columns as in statements.py. The same for every database."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from app.domain.business_day import BusinessDate
from app.domain.entries import Entry, EntryId
from app.protocol.links import Link, Place
from app.protocol.store import CellRecord, Device, Hold, Member, SaleReturn
from app.protocol.wire import Cell
from headoffice.store.packing import (
    BUCKETS,
    CELL,
    LINES,
    MEMBER,
    PARTS,
    SEEN,
    TIMES,
    MemberRest,
)

Row: TypeAlias = tuple[Any, ...]


class Feed(NamedTuple):
    """Where a bucket's feed stands: its last number, and up to where tombstones may be gone."""

    head: int = 0
    floor: int = 0


def device_of(row: Row) -> Device:
    (
        device, home, buckets, epoch, seq, chain, reported, standing, fenced, nonce, common, rebased,
        seen,
    ) = row  # fmt: skip
    return Device(
        device, home, BUCKETS.unpack(buckets), Place(epoch, seq, chain), reported, standing,
        bool(fenced), nonce, common, TIMES.unpack(rebased), SEEN.unpack(seen),
    )  # fmt: skip


def device_row(device: Device) -> Row:
    return (
        device.id, device.home, BUCKETS.pack(device.buckets), *device.place, device.reported,
        device.standing, device.fenced, device.nonce, device.common, TIMES.pack(device.rebased_ms),
        SEEN.pack(device.seen),
    )  # fmt: skip


def link_of(row: Row) -> Link:
    return Link(*row[1:])


def member_of(row: Row, reservations: list[Row]) -> Member:
    """A member of its own row and those of its reservations."""
    member, bucket, feed, alias, erased_at, rest, _ = row
    state, accounts, cells, merged, visited = MEMBER.unpack(rest)
    reserved, local = {}, {}
    for _, asset, device, amount, part in reservations:
        reserved[asset, device] = amount
        if part is not None:
            local[asset, device] = part
    return Member(
        member,
        bucket,
        feed,
        state,
        accounts,
        reserved,
        local,
        cells,
        alias,
        erased_at,
        merged,
        visited,
    )


def member_row(member: Member, wire: bytes) -> Row:
    """`wire`: the row as tills see it, packed (unit.py)."""
    rest = MemberRest(
        member.state, dict(member.accounts), dict(member.cells), member.merged, member.visited
    )
    return (
        member.id, member.bucket, member.feed, member.alias, member.erased_at, MEMBER.pack(rest),
        wire,
    )  # fmt: skip


def reservation_rows(member: Member) -> dict[Row, Row]:
    """By their keys."""
    return {
        (member.id, *key): (member.id, *key, amount, member.local.get(key))
        for key, amount in member.reserved.items()
    }


def entry_of(row: Row) -> Entry:
    _, _, event, n, asset, kind, amount, on, available, expires, minimum, ref_event, ref_n = row
    return Entry(
        EntryId(event, n), asset, kind, amount, BusinessDate(on), _date(available), _date(expires),
        _date(minimum), None if ref_event is None else EntryId(ref_event, ref_n),
    )  # fmt: skip


def entry_row(member: bytes, number: int, entry: Entry) -> Row:
    return (member, number, *entry.id, *entry[1:8], *(entry.refers_to or (None, None)))


def _date(day: int | None) -> BusinessDate | None:
    return None if day is None else BusinessDate(day)


def hold_of(row: Row) -> Hold:
    hold, device, epoch, standing, member, asset, amount, on, sale, lines = row
    return Hold(
        hold, device, epoch, standing, member, asset, amount, BusinessDate(on), sale,
        LINES.unpack(lines),
    )  # fmt: skip


def hold_row(hold: Hold) -> Row:
    return (*hold[:-1], LINES.pack(hold.lines))


def return_of(row: Row) -> SaleReturn:
    _, _, event, member, on, parts = row
    return SaleReturn(event, member, BusinessDate(on), PARTS.unpack(parts))


def return_row(sale: bytes, number: int, entry: SaleReturn) -> Row:
    return (sale, number, entry.event, entry.member, entry.on, PARTS.pack(entry.parts))


def cell_of(row: Row) -> CellRecord:
    member, _, *sent, decides, conflict = row
    return CellRecord(
        Cell(member, *sent), decides, None if conflict is None else CELL.unpack(conflict)
    )


def cell_row(member: bytes, number: int, record: CellRecord) -> Row:
    sent, conflict = record.sent, record.conflict
    packed = None if conflict is None else CELL.pack(conflict)
    return (member, number, *sent[1:], record.decides, packed)
