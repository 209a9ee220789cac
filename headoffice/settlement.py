"""Who owes whom for points that were earned in one store and spent in another.

For each document that spent points, the lots that it took say where they were earned. Rows are dated by what
moved them: by the document's own date, or by the date of the credit that paid what was a debt at first; what
came back by a void or a return counts below zero, by the date of that. So a month that was settled stays as it
was, but for what tills send late. Rows follow from the member's ledger alone: made again they are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from app.domain.business_day import BusinessDate
from app.domain.entries import CARRIED_PART, POINTS, EntryId
from app.domain.state import Split
from app.protocol.events import Event, NotCanonical
from app.protocol.facts import AMOUNT_MOST, TRANSFERS, Facts, NotReadable, read
from app.protocol.ids import forward_id
from app.protocol.merging import current
from app.protocol.open_members import survivor
from app.protocol.store import Store
from headoffice import flags
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain

NOBODY: Final = bytes(16)
"""The store of points that none gave: opening balances, and what head office itself gave."""
_WAY_MOST: Final = 64
"""So many merges and forwards are followed back to where points were earned."""

_DROP: Final = "DELETE FROM settlement WHERE tenant_id = ? AND dist_key = ? AND debit_event = ?"
_PUT: Final = """
INSERT INTO settlement (
    tenant_id, dist_key, debit_event, business_date, earned_store, spent_store, points, value_minor
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_REPORT: Final = """
SELECT earned_store, spent_store, CAST(sum(points) AS bigint), CAST(sum(value_minor) AS bigint),
    count(DISTINCT debit_event)
FROM settlement
WHERE tenant_id = ? AND dist_key = ? AND business_date BETWEEN ? AND ?
GROUP BY earned_store, spent_store
HAVING sum(points) <> 0 OR sum(value_minor) <> 0
ORDER BY earned_store, spent_store
"""
_STORE: Final = "SELECT store_id FROM till WHERE tenant_id = ? AND dist_key = ? AND device_id = ?"
_IS_STORE: Final = "SELECT 1 FROM store WHERE tenant_id = ? AND dist_key = ? AND store_id = ?"


class Settled(NamedTuple):
    """Points that were earned in one store and spent in another (or the same), by so many documents.

    earned, spent  store ids; None: of no store, as opening balances and what head office gave
    points         below zero where more came back than was spent
    value_minor    what the points paid of the bills
    """

    earned: bytes | None
    spent: bytes | None
    points: int
    value_minor: int
    documents: int


class _Move(NamedTuple):
    """Points of one lot that a document took (above zero) or that came back to it, on a date."""

    on: BusinessDate
    origin: EntryId
    points: int


def report(
    plain: Plain, tenant: bytes, first: BusinessDate, last: BusinessDate
) -> Sequence[Settled]:
    """What moved on business dates `first` to `last`, both included, by pairs of stores."""
    values = (tenant, dist_key(tenant), int(first), int(last))
    return [
        Settled(_or_none(earned), _or_none(spent), *figures)
        for earned, spent, *figures in plain.rows(_REPORT, values)
    ]


def settle(store: Store, plain: Plain, tenant: bytes, spent: Facts, event: Event) -> None:
    """Write down where the points that a document spent were earned, as its splits now stand."""
    own = (tenant, dist_key(tenant))
    debit, splits = _debit(store, spent)
    moves = _moves(store, spent.on, splits)
    there = _store_of(plain, tenant, event)
    rows: dict[tuple[int, bytes], tuple[int, int]] = {}
    for move, value in zip(moves, _values(moves, _value(event), _spent(spent)), strict=True):
        key = int(move.on), _earned_in(store, plain, tenant, move.origin)
        points, worth = rows.get(key, (0, 0))
        rows[key] = points + move.points, worth + value
    plain.run(_DROP, (*own, debit))
    for (on, earned), (points, worth) in rows.items():
        if points or worth:
            plain.run(_PUT, (*own, debit, on, earned, there, points, worth))


def spends(facts: Facts) -> bool:
    """Whether a document spent points."""
    return facts.member is not None and _spent(facts) > 0


def settle_again(store: Store, plain: Plain, tenant: bytes, documents: Iterable[bytes]) -> None:
    """The same of documents that came before, by their events: something else has changed what they took."""
    for document in documents:
        known = store.event(document)
        if known is None or known.standing == "quarantined":
            continue
        try:
            spent, event = read(known.body), Event.from_bytes(known.body, epoch=1, seq=1)
        except (NotCanonical, NotReadable):
            continue
        if spends(spent):
            settle(store, plain, tenant, spent, event)


def merged(store: Store, plain: Plain, tenant: bytes, loser: bytes, winner: bytes) -> None:
    """Two members were merged: what one had pays what the other owed, and no till will tell of it."""
    event = current(store, loser, winner)
    # With both by the merge it is a part that went along: what paid it is as it was.
    paid = _splits_of(
        store, winner, lambda each: (each.origin.event == event) != (each.debit.event == event)
    )
    settle_again(store, plain, tenant, sorted({_document(store, split) for split in paid}))


def adjusted(store: Store, plain: Plain, tenant: bytes, member: bytes, event: bytes) -> None:
    """Head office gave points by an event of its own: they pay what was owed, and no till will tell of it."""
    paid = _splits_of(store, survivor(store, member), lambda each: each.origin.event == event)
    settle_again(store, plain, tenant, sorted({_document(store, split) for split in paid}))


def paid_by(store: Store, credit: Facts) -> set[bytes]:
    """The documents that took points of a credit's lots: some may have been a debt until it came."""
    gives = any(
        posting.entry.asset == POINTS and posting.entry.amount > 0 for posting in credit.postings
    )
    if credit.member is None or not gives:
        return set()
    event = _posted_as(store, credit.id)
    member = survivor(store, credit.member)
    paid = _splits_of(store, member, lambda each: each.origin.event == event)
    return {_document(store, split) for split in paid}


def _spent(facts: Facts) -> int:
    return sum(
        -posting.entry.amount
        for posting in facts.postings
        if posting.entry.asset == POINTS and posting.entry.kind == "redeem"
    )


def _debit(store: Store, spent: Facts) -> tuple[bytes, list[Split]]:
    """The event that the ledger has of a document, and the splits of its points that took a lot."""
    debit = _posted_as(store, spent.id)
    assert spent.member is not None
    found, members, seen = list[Split](), [spent.member], set[bytes]()
    while members:
        member = members.pop()
        if member in seen:
            continue
        seen.add(member)
        known = store.member(member)
        if known is not None and known.alias is not None:
            members.append(known.alias)
        first = {} if known is None else dict(known.state.arrived)
        for split in _splits_of(store, member, partial(_is_of, first, debit)):
            members += _carried(store, split.debit)[1]
            found.append(_as_it_was(store, split))
    return debit, found


def _is_of(first: Mapping[EntryId, EntryId], debit: bytes, split: Split) -> bool:
    """Whether a split is of a document, whatever its debit is called since a merge."""
    return first.get(split.debit, split.debit).event == debit


def _splits_of(store: Store, member: bytes, wanted: Callable[[Split], bool]) -> list[Split]:
    """What a member's spends took of lots, and what debts of spends took that came by a merge; of these what is
    `wanted`, which is asked first: all else reads events."""
    known = store.member(member)
    return [
        split
        for split in (() if known is None else known.state.splits)
        if split.asset == POINTS and split.kind in ("redeem", "adjust") and wanted(split)
        if not _was_owed(store, split)
        if split.kind == "redeem" or _carried(store, split.debit)[1]
        if not _is_carrying(store, split)
    ]


def _carried(store: Store, debit: EntryId) -> tuple[EntryId, list[bytes]]:
    """The spend that a debt is of, through merges and what was undone of them, and whose it was on that way."""
    way = list[bytes]()
    for _ in range(_WAY_MOST):
        known = store.event(debit.event)
        facts = None if known is None else _facts(known.body)
        came = _came_from(facts, debit) if facts is not None and facts.kind in TRANSFERS else None
        if facts is None or came is None:
            break
        way.append(facts.member or NOBODY)
        debit = came
    return debit, way


def _was_owed(store: Store, split: Split) -> bool:
    """Whether it was a debt still when it came back: by what both were called before all merges."""
    return _carried(store, split.origin)[0] == _carried(store, split.debit)[0]


def _as_it_was(store: Store, split: Split) -> Split:
    """A part as it was before it went along with merges: the lot's name says when it was paid."""
    while True:
        known = store.event(split.debit.event)
        facts = None if known is None else _facts(known.body)
        if facts is None or facts.kind not in TRANSFERS:
            return split
        entry = facts.postings[split.debit.n].entry
        lot = _came_from(facts, split.origin)
        if not entry.asset.startswith(CARRIED_PART) or entry.refers_to is None or lot is None:
            return split
        split = split._replace(debit=entry.refers_to, origin=lot)


def _is_carrying(store: Store, split: Split) -> bool:
    """Whether nothing was paid: the debt went to another member by this credit."""
    known = store.event(split.origin.event)
    facts = None if known is None else _facts(known.body)
    carries = facts is not None and facts.kind in TRANSFERS
    return facts is not None and carries and _came_from(facts, split.origin) == split.debit


def _document(store: Store, split: Split) -> bytes:
    """The till's event of the spend that a split is of."""
    return _came_as(store, _carried(store, split.debit)[0].event)


def _moves(store: Store, on: BusinessDate, splits: Iterable[Split]) -> list[_Move]:
    """What was taken of each lot, in the order of dates, then what came back to each, likewise."""
    taken: dict[EntryId, int] = {}
    back: dict[tuple[BusinessDate, EntryId], int] = {}
    for split in splits:
        taken[split.origin] = taken.get(split.origin, 0) + split.amount
        if split.restored_by is not None:
            key = _date_of(store, split.restored_by, on), split.origin
            back[key] = back.get(key, 0) + split.amount
    dated = [
        _Move(max(on, _date_of(store, origin, on)), origin, points)
        for origin, points in taken.items()
    ]
    return sorted(dated) + [_Move(*key, -points) for key, points in sorted(back.items())]


def _values(moves: Sequence[_Move], value: int, spent: int) -> list[int]:
    """What each move's points paid, in minor units: each rounded so that what is before it never changes, and
    all that comes back is what was taken."""
    found, sum_taken, whole = list[int](), 0, dict[EntryId, tuple[int, int]]()
    came: dict[EntryId, int] = {}
    for move in moves:
        if move.points > 0:
            before, sum_taken = sum_taken, sum_taken + move.points
            worth = value * sum_taken // spent - value * before // spent
            whole[move.origin] = (move.points, worth)
        else:
            points, all_of_it = whole[move.origin]
            already = came.get(move.origin, 0)
            came[move.origin] = already - move.points
            worth = all_of_it * already // points - all_of_it * came[move.origin] // points
        found.append(worth)
    return found


def _earned_in(store: Store, plain: Plain, tenant: bytes, origin: EntryId) -> bytes:
    """The store where a lot's points were earned, through merges and forwards."""
    for _ in range(_WAY_MOST):
        known = store.event(origin.event)
        if known is None:
            return NOBODY
        try:
            return _store_of(plain, tenant, Event.from_bytes(known.body, epoch=1, seq=1))
        except NotCanonical:
            facts = _facts(known.body)  # An event of head office's own.
        came = None if facts is None else _came_from(facts, origin)
        if came is None:
            return NOBODY
        origin = came
    return NOBODY


def _came_from(facts: Facts, origin: EntryId) -> EntryId | None:
    """The entry that one of head office's own stands for: of a merged member's lot, of a till's late event."""
    if facts.kind in TRANSFERS:
        there = 0 <= origin.n < len(facts.postings)  # They are numbered from 0.
        return facts.postings[origin.n].entry.refers_to if there else None
    return EntryId(facts.source, origin.n) if facts.source else None


def _store_of(plain: Plain, tenant: bytes, event: Event) -> bytes:
    """The store of the till in whose chain an event came; of another system's order, the one that it names."""
    own, device = (tenant, dist_key(tenant)), flags.device_of(plain, tenant, event)
    found = plain.rows(_STORE, (*own, device))
    if found:
        return bytes(found[0][0])
    doc: object = event.doc
    named: Any = doc.get("store") if isinstance(doc, dict) else None
    try:
        shop = bytes.fromhex(named)
    except (TypeError, ValueError):
        return NOBODY
    return shop if plain.rows(_IS_STORE, (*own, shop)) else NOBODY


def _posted_as(store: Store, event: bytes) -> bytes:
    known = store.event(event)
    return forward_id(event) if known is not None and known.standing == "forwarded" else event


def _came_as(store: Store, event: bytes) -> bytes:
    """The till's event of one that the ledger has."""
    known = store.event(event)
    facts = None if known is None else _facts(known.body)
    if facts is None or facts.kind in TRANSFERS or not facts.source:
        return event
    return facts.source


def _date_of(store: Store, entry: EntryId, otherwise: BusinessDate) -> BusinessDate:
    known = store.event(entry.event)
    facts = None if known is None else _facts(known.body)
    if facts is None:
        return otherwise
    # A merge is of no date; its entries are.
    own = (each.entry.business_date for each in facts.postings if each.entry.id == entry)
    return next(own, facts.on) if facts.kind in TRANSFERS else facts.on


def _facts(body: bytes) -> Facts | None:
    try:
        return read(body)
    except NotReadable:
        return None


def _or_none(store: Any) -> bytes | None:
    return None if bytes(store) == NOBODY else bytes(store)


def _value(event: Event) -> int:
    """What the points of a sale paid, in minor units."""
    doc: object = event.doc
    sale = doc.get("sale") if isinstance(doc, dict) else None
    value = sale.get("points_value_minor") if isinstance(sale, dict) else None
    return value if type(value) is int and 0 <= value <= AMOUNT_MOST else 0
