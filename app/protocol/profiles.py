"""Profiles at head office: cells decide field by field, losers are kept for people to see, erasure is final."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from app.protocol.cells import conflict, settled, winner
from app.protocol.hlc import STAMP_MOST
from app.protocol.open_members import gone_into, survivor
from app.protocol.store import CellRecord, Device, Member, Store
from app.protocol.visiting import copies_seen
from app.protocol.wire import ID_BYTES, Cell, CellTaken, is_name, keepable

FEED_MOST: Final = 1 << 62
"""Above the number of any row of a feed."""


def take_cells(
    store: Store, cells: Iterable[Cell], home: str, now_ms: int
) -> tuple[CellTaken, ...]:
    """Take what a till sends. What came before changes nothing; cells of an erased member are dropped."""
    return tuple([_take(store, cell, home, now_ms) for cell in cells])


def _take(store: Store, cell: Cell, home: str, now_ms: int) -> CellTaken:
    if not is_cell(cell):
        return CellTaken(cell.member, cell.field, cell.hlc, None, cell.member)
    member = survivor(store, cell.member)
    known = store.member(member) or Member(member, home)
    seen = store.cell(member, cell.field, cell.device, cell.hlc)
    if known.erased or seen is not None or not 0 < cell.hlc <= STAMP_MOST:
        return CellTaken(cell.member, cell.field, cell.hlc, known.cells.get(cell.field), member)
    counted = settled(cell, now_ms)
    stood = known.cells.get(cell.field)
    stands = winner(stood, counted)
    lost = conflict(stood, counted)
    record = CellRecord(cell._replace(member=member), counted.hlc, stood if lost else None)
    store.add_cell(record)
    _remember(store, cell, counted.hlc)
    if stands != stood:
        store.put_member(replace(known, cells={**known.cells, cell.field: stands}))
    return CellTaken(cell.member, cell.field, cell.hlc, stands, member)


def _remember(store: Store, cell: Cell, decides: int) -> None:
    """A cell of a merged member is kept for them too, for the day when the merge is undone."""
    owner = cell.member
    while (known := store.member(owner)) is not None and known.alias is not None:
        if store.cell(owner, cell.field, cell.device, cell.hlc) is None:
            store.add_cell(CellRecord(cell._replace(member=owner), decides, None))
        owner = known.alias


def is_cell(cell: Cell) -> bool:
    """Whether a till of ours could have written it. Another one changes nothing and dams nothing."""
    return (
        len(cell.member) == ID_BYTES
        and len(cell.device) <= ID_BYTES
        and is_name(cell.field)
        and keepable(cell.value or "")
    )


def erase(store: Store, member: bytes, home: str) -> None:
    """Forget the person: cells and conflicts go, the row stays as a tombstone, the ledger keeps its ids.

    A restored store may not know the person yet whose erasure is asked for again: the tombstone comes first.
    """
    member = survivor(store, member)
    known = store.member(member) or Member(member, home)
    if known.erased:
        return
    for each in (member, *gone_into(store, member)):
        store.drop_cells(each)
    tombstone = store.head(known.bucket) + 1
    store.put_member(replace(known, cells={}, erased_at=tombstone))


def slowest(tills: Iterable[Device]) -> dict[str, int]:
    """How far the slowest of the tills that are not lost has come in each bucket that they hold."""
    found: dict[str, int] = {}
    for device in tills:
        if device.standing != "lost":
            seen = dict(device.seen)
            for bucket in device.buckets:
                found[bucket] = min(found.get(bucket, FEED_MOST), seen.get(bucket, 0))
    return found


def erasure_done(store: Store, member: bytes, seen: Mapping[str, int] | None = None) -> bool:
    """Whether every till that may have known the person has applied the tombstone, or is lost. seen: how far
    the slowest tills had come, where who asks for many people has read it once. Who was erased since then is
    not forgotten by it, for no till had come so far: unless no till had the bucket, and then they are read."""
    known = store.member(member)
    if known is None or not known.erased:
        return False
    rows = _gone_rows(store, member)
    if seen is None or any(row.bucket not in seen for row in rows):
        seen = slowest(store.devices())
    return _forgotten(store, rows, seen)


def erasure_waits(store: Store, member: bytes) -> Sequence[bytes]:
    """The tills that may have known an erased person and have not applied the tombstone yet."""
    rows = _gone_rows(store, member)
    return [
        device.id for device in store.devices() if not _forgotten(store, rows, slowest([device]))
    ]


def _gone_rows(store: Store, member: bytes) -> list[Member]:
    """An erased person's rows: of those who went on as them a till has forgotten the fields once it knows of
    the merge."""
    rows = [store.member(each) for each in (member, *gone_into(store, member))]
    return [row for row in rows if row is not None]


def _forgotten(store: Store, rows: Sequence[Member], seen: Mapping[str, int]) -> bool:
    behind = any(seen.get(row.bucket, FEED_MOST) < (row.erased_at or row.feed) for row in rows)
    return not behind and (not rows or copies_seen(store, rows[0].id, seen))


def merge_cells(store: Store, loser: bytes, winner_id: bytes) -> None:
    """The survivor takes the fields that it lacks or that were written later; the loser shows none any more,
    but what was written for them is kept. A field goes on under the name that it was written for: a till that
    sends it again to a restored head office, which may not know of the merge, gives it to that person."""
    losing, winning = store.member(loser), store.member(winner_id)
    assert losing is not None
    assert winning is not None
    for record in store.cells(loser):
        sent = record.sent._replace(member=winner_id)
        if store.cell(winner_id, sent.field, sent.device, sent.hlc) is None:
            store.add_cell(record._replace(sent=sent, conflict=None))
    fields = dict(winning.cells)
    for name, cell in losing.cells.items():
        fields[name] = winner(fields.get(name), cell)
    store.put_member(replace(winning, cells=fields))
    store.put_member(replace(losing, cells={}))


def part_cells(store: Store, loser: bytes, winner_id: bytes) -> None:
    """After an un-merge each has the fields that were written for them, and the loser's are nowhere else."""
    losing, winning = store.member(loser), store.member(winner_id)
    assert losing is not None
    assert winning is not None
    theirs = store.cells(loser)
    named = {_name(record.sent) for record in theirs}
    kept = [record for record in store.cells(winner_id) if _name(record.sent) not in named]
    store.drop_cells(winner_id)
    for record in kept:
        lost = record.conflict
        foreign = lost is not None and _name(lost) in named
        store.add_cell(record._replace(conflict=None) if foreign else record)
    for known, records in ((losing, theirs), (winning, kept)):
        fields = _standing(records, _written_for(store, known.id))
        store.put_member(replace(known, cells=fields))


def _name(cell: Cell) -> tuple[str, bytes, int]:
    return cell.field, cell.device, cell.hlc


def _written_for(store: Store, member: bytes) -> dict[tuple[str, bytes, int], bytes]:
    """For whom each cell of a member was written: for those, too, who go on as this one."""
    known = store.member(member)
    found = {_name(record.sent): member for record in store.cells(member)}
    for each in () if known is None else known.merged:
        found |= _written_for(store, each)
    return found


def _standing(
    records: Iterable[CellRecord], written_for: Mapping[tuple[str, bytes, int], bytes]
) -> dict[str, Cell]:
    fields: dict[str, Cell] = {}
    for record in records:
        cell = record.sent._replace(hlc=record.decides, member=written_for[_name(record.sent)])
        fields[cell.field] = winner(fields.get(cell.field), cell)
    return fields
