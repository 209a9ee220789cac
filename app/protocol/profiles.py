"""Profiles at head office: cells decide field by field, losers are kept for people to see, erasure is final."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.protocol.cells import conflict, settled, winner
from app.protocol.hlc import STAMP_MOST
from app.protocol.open_members import survivor
from app.protocol.store import CellRecord, Member, Store
from app.protocol.wire import ID_BYTES, Cell, CellTaken, is_name, keepable


def take_cells(
    store: Store, cells: Iterable[Cell], home: str, now_ms: int
) -> tuple[CellTaken, ...]:
    """Take what a till sends. What came before changes nothing; cells of an erased member are dropped."""
    return tuple([_take(store, cell, home, now_ms) for cell in cells])


def _take(store: Store, cell: Cell, home: str, now_ms: int) -> CellTaken:
    if not is_cell(cell):
        return CellTaken(cell.member, cell.field, cell.hlc, None)
    member = survivor(store, cell.member)
    known = store.member(member) or Member(member, home)
    seen = store.cell(member, cell.field, cell.device, cell.hlc)
    if known.erased or seen is not None or not 0 < cell.hlc <= STAMP_MOST:
        return CellTaken(cell.member, cell.field, cell.hlc, known.cells.get(cell.field))
    counted = settled(cell, now_ms)._replace(member=member)
    stood = known.cells.get(cell.field)
    stands = winner(stood, counted)
    lost = conflict(stood, counted)
    record = CellRecord(cell._replace(member=member), counted.hlc, stood if lost else None)
    store.add_cell(record)
    if stands != stood:
        store.put_member(replace(known, cells={**known.cells, cell.field: stands}))
    return CellTaken(cell.member, cell.field, cell.hlc, stands)


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
    store.drop_cells(member)
    tombstone = store.head(known.bucket) + 1
    store.put_member(replace(known, cells={}, erased_at=tombstone))


def erasure_done(store: Store, member: bytes) -> bool:
    """Whether every till that may have known the person has applied the tombstone, or is lost."""
    known = store.member(member)
    if known is None or not known.erased:
        return False
    return all(
        device.seen_of(known.bucket) >= known.erased_at
        for device in store.devices()
        if device.standing != "lost" and known.bucket in device.buckets
    )


def merge_cells(store: Store, loser: bytes, winner_id: bytes) -> None:
    """The survivor takes the fields that it lacks or that were written later; the loser's values go."""
    losing, winning = store.member(loser), store.member(winner_id)
    assert losing is not None
    assert winning is not None
    for record in store.cells(loser):
        sent = record.sent._replace(member=winner_id)
        if store.cell(winner_id, sent.field, sent.device, sent.hlc) is None:
            store.add_cell(record._replace(sent=sent, conflict=None))
    fields = dict(winning.cells)
    for name, cell in losing.cells.items():
        fields[name] = winner(fields.get(name), cell._replace(member=winner_id))
    store.drop_cells(loser)
    store.put_member(replace(winning, cells=fields))
    store.put_member(replace(losing, cells={}))
