"""What was sold and returned, as head office knows it: what is left to return, and what was returned twice.

Two tills that returned the same lines offline both stand; the owner posts the opposite `adjust` for the excess
(domain.md section 2, Documents).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from app.domain.entries import POINTS, Entry, EntryId, owner_event_id
from app.domain.state import EMPTY, Split
from app.protocol.facts import Facts, NotReadable, Returned, read
from app.protocol.ids import forward_id
from app.protocol.open_members import way_to_survivor
from app.protocol.pull import row_of
from app.protocol.store import Device, SaleReturn, Store
from app.protocol.wire import MemberRow, SaleReply


class Correction(NamedTuple):
    """What the owner posts for one return that exceeded what was left of its sale."""

    member: bytes
    event: bytes
    entries: tuple[Entry, ...]


def sale_facts(store: Store, sale: bytes) -> Facts | None:
    """The facts of a sale that has come; None while it has not."""
    event = store.event(sale)
    if event is None or event.standing == "quarantined":
        return None
    try:
        return read(event.body)
    except NotReadable:
        return None


def sold_lines(store: Store, sale: bytes) -> tuple[tuple[int, int], ...]:
    """Lines and quantities of a sale; none while it has not come."""
    facts = sale_facts(store, sale)
    return () if facts is None else facts.sold


def returned_lines(store: Store, sale: bytes) -> dict[int, int]:
    """What was returned of a sale so far, by line."""
    sums: dict[int, int] = {}
    for entry in store.returns(sale):
        for part in entry.parts:
            sums[part.line] = sums.get(part.line, 0) + part.quantity
    return sums


def held_elsewhere(store: Store, sale: bytes, device: bytes) -> bool:
    """Whether a device other than this one has lines of a sale reserved for a return."""
    return any(hold.device != device for hold in store.open_line_holds(sale))


def find_sale(store: Store, device: Device, rid: bytes, found: Sequence[bytes]) -> SaleReply:
    """What a till needs to take goods of another till's sale back; `found`: the sales of its receipt number."""
    facts = {sale: sale_facts(store, sale) for sale in found}
    sales = [(sale, read) for sale, read in facts.items() if read is not None and read.sold]
    if len(sales) != 1:
        return SaleReply(rid, "ambiguous" if sales else "unknown")
    sale, read = sales[0]
    event = store.event(sale)
    assert event is not None, "its facts were read"
    return SaleReply(
        rid,
        "",
        sale,
        event.body,
        splits_of(store, sale),
        tuple(sorted(returned_lines(store, sale).items())),
        held_elsewhere(store, sale, device.id),
        () if read.member is None else rows_of(store, read.member),
        device.place,
    )


def rows_of(store: Store, member: bytes) -> tuple[MemberRow, ...]:
    """A member's row, and those of the members that they go on as."""
    found = list[MemberRow]()
    at: bytes | None = member
    while at is not None and (known := store.member(at)) is not None:
        found.append(row_of(known))
        at = known.alias
    return tuple(found)


def splits_of(store: Store, sale: bytes) -> tuple[Split, ...]:
    """Which lots the sale's debits took, and where restores of them went: rows of members leave splits out.

    Whoever has them since a merge, and whatever they are called there, the debits are named as the sale does.
    """
    facts, event = sale_facts(store, sale), store.event(sale)
    if facts is None or facts.member is None or event is None:
        return ()
    posted = forward_id(sale) if event.standing == "forwarded" else sale
    found = list[Split]()
    for member in (facts.member, *(into for _, into in way_to_survivor(store, facts.member))):
        known = store.member(member)
        state = EMPTY if known is None else known.state
        first = dict(state.arrived)
        for split in state.splits:
            debit = first.get(split.debit, split.debit)
            if debit.event == posted:
                found.append(split._replace(debit=EntryId(sale, debit.n)))
    return tuple(found)


def corrections(store: Store, sale: bytes) -> list[Correction]:
    """The corrections that a sale and its returns ask for, in the order of arrival, posted ones included.

    Of `q` units that a return took of a line, the last ones are in excess; their share of its points is rounded
    up, so that what stands is floor(points * kept / q) like every other share. A return that is voided was in
    nobody's way: what was corrected because of it is posted back with the void.
    """
    returns = store.returns(sale)
    facts = sale_facts(store, sale) if returns else None
    if facts is None:
        return []
    found, standing, before = list[Correction](), list[SaleReturn](), (0, 0)
    left, sums = dict(facts.sold), (0, 0)
    for each in returns:
        undone = _undone(store, each, standing)
        if undone is None:
            standing.append(each)
            taken, restored = _in_excess(each, left)
            sums = sums[0] + taken, sums[1] + restored
        else:
            standing.remove(undone)
            left, sums = dict(facts.sold), (0, 0)
            for other in standing:
                taken, restored = _in_excess(other, left)
                sums = sums[0] + taken, sums[1] + restored
        taken, restored = sums[0] - before[0], sums[1] - before[1]
        if each.member is not None and (taken or restored):
            found.append(_correction(facts, each, each.member, taken, restored))
            before = sums
    return found


def _in_excess(each: SaleReturn, left: dict[int, int]) -> tuple[int, int]:
    """Points that a return took back and restored of units that were not `left`, which it lowers."""
    taken = restored = 0
    for part in each.parts:
        kept = min(part.quantity, max(left.get(part.line, 0), 0))
        left[part.line] = left.get(part.line, 0) - part.quantity
        taken += _excess(part.taken, kept, part)
        restored += _excess(part.restored, kept, part)
    return taken, restored


def _undone(store: Store, each: SaleReturn, standing: Sequence[SaleReturn]) -> SaleReturn | None:
    """The return that a void undoes: the one that its entries name, else the last one of just these units."""
    if not any(part.quantity < 0 for part in each.parts):
        return None
    units = sorted((part.line, -part.quantity) for part in each.parts)
    fitting = [
        other
        for other in standing
        if sorted((part.line, part.quantity) for part in other.parts) == units
    ]
    facts = sale_facts(store, each.event)
    named = {
        posting.entry.refers_to.event
        for posting in (() if facts is None else facts.postings)
        if posting.entry.refers_to is not None
    }
    # A return of somebody who was merged counts under its forward's id; a void after an un-merge names its own.
    named |= {forward_id(event) for event in named}
    return next(
        (other for other in fitting if other.event in named), fitting[-1] if fitting else None
    )


def _excess(points: int, kept: int, part: Returned) -> int:
    return points - (points * kept // part.quantity if part.quantity else 0)


def _correction(
    sale: Facts, each: SaleReturn, member: bytes, taken: int, restored: int
) -> Correction:
    """Give back what was taken too much, with the dates of the sale's own earning; take what was restored."""
    event = owner_event_id(member, f"correction:{each.event.hex()}")
    earned = [entry for entry, _ in sale.postings if entry.asset == POINTS and entry.amount > 0]
    start = earned[0].available_from if earned else each.on
    until = earned[0].expires if earned else None
    entries = list[Entry]()
    for points in (taken, -restored):
        name = EntryId(event, len(entries))
        if points > 0:
            entries.append(Entry(name, POINTS, "adjust", points, each.on, start, until))
        elif points:
            entries.append(Entry(name, POINTS, "adjust", points, each.on))
    return Correction(member, event, tuple(entries))
