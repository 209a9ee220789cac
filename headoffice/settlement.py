"""Who owes whom for points that were earned in one store and spent in another.

For each document that spent points, the lots that it took say where they were earned. What came back by a void
or a return counts no more. Kept as rows by recounting.py, once a document and anew when some of it came back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS
from app.domain.money import split_by_weight
from app.protocol.events import Event, NotCanonical
from app.protocol.facts import AMOUNT_MOST, Facts
from app.protocol.ids import forward_id
from app.protocol.open_members import survivor
from app.protocol.store import Store
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain

NOBODY: Final = bytes(16)
"""The device of points that no till earned: opening balances, and what head office itself gave."""

_DROP: Final = "DELETE FROM settlement WHERE tenant_id = ? AND dist_key = ? AND debit_event = ?"
_PUT: Final = """
INSERT INTO settlement (
    tenant_id, dist_key, debit_event, earned_device, spent_device, business_date, points, value_minor
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_REPORT: Final = """
SELECT earned.store_id, spent.store_id, CAST(sum(kept.points) AS bigint), CAST(sum(kept.value_minor) AS bigint),
    count(*)
FROM settlement AS kept
LEFT JOIN till AS earned ON earned.tenant_id = kept.tenant_id AND earned.dist_key = kept.dist_key
    AND earned.device_id = kept.earned_device
LEFT JOIN till AS spent ON spent.tenant_id = kept.tenant_id AND spent.dist_key = kept.dist_key
    AND spent.device_id = kept.spent_device
WHERE kept.tenant_id = ? AND kept.dist_key = ? AND kept.business_date BETWEEN ? AND ?
GROUP BY earned.store_id, spent.store_id
ORDER BY earned.store_id, spent.store_id
"""


class Settled(NamedTuple):
    """Points that were earned in one store and spent in another (or the same), by so many documents.

    earned, spent  store ids; None: of no store, as opening balances and what head office gave
    value_minor    what the points paid of the bills
    """

    earned: bytes | None
    spent: bytes | None
    points: int
    value_minor: int
    documents: int


def report(
    plain: Plain, tenant: bytes, first: BusinessDate, last: BusinessDate
) -> Sequence[Settled]:
    """What was spent on business dates `first` to `last`, both included, by pairs of stores."""
    values = (tenant, dist_key(tenant), int(first), int(last))
    return [Settled(*row) for row in plain.rows(_REPORT, values)]


def settle(store: Store, plain: Plain, tenant: bytes, spent: Facts, event: Event) -> None:
    """Write down where the points that a document spent were earned, as its splits now stand."""
    own = (tenant, dist_key(tenant))
    debit, kept = _debit(store, spent)
    plain.run(_DROP, (*own, debit))
    if not kept:
        return
    by_device: dict[bytes, int] = {}
    for origin, points in kept:
        device = _device_of(store, origin)
        by_device[device] = by_device.get(device, 0) + points
    points = sum(by_device.values())
    value = _value(event) * points // max(_spent(spent), 1)
    shares = split_by_weight(value, list(by_device.values()))
    for (device, part), share in zip(by_device.items(), shares, strict=True):
        at = event.device if len(event.device) == len(NOBODY) else NOBODY
        plain.run(_PUT, (*own, debit, device, at, int(spent.on), part, share))


def spends(facts: Facts) -> bool:
    """Whether a document spent points."""
    return facts.member is not None and _spent(facts) > 0


def _spent(facts: Facts) -> int:
    return sum(
        -posting.entry.amount
        for posting in facts.postings
        if posting.entry.asset == POINTS and posting.entry.kind == "redeem"
    )


def _debit(store: Store, spent: Facts) -> tuple[bytes, list[tuple[bytes, int]]]:
    """The event that the ledger has of a document, and (origin, points) of what did not come back."""
    known = store.event(spent.id)
    forwarded = known is not None and known.standing == "forwarded"
    debit = forward_id(spent.id) if forwarded else spent.id
    assert spent.member is not None
    member = store.member(survivor(store, spent.member))
    splits = () if member is None else member.state.splits
    return debit, [
        (split.origin.event, split.amount)
        for split in splits
        if split.debit.event == debit and split.kind == "redeem" and split.restored_by is None
        if split.asset == POINTS
    ]


def _device_of(store: Store, event: bytes) -> bytes:
    known = store.event(event)
    if known is None:
        return NOBODY
    try:
        device = Event.from_bytes(known.body, epoch=1, seq=1).device
    except NotCanonical:
        return NOBODY  # An event of head office's own.
    return device if len(device) == len(NOBODY) else NOBODY


def _value(event: Event) -> int:
    """What the points of a sale paid, in minor units."""
    doc: object = event.doc
    sale = doc.get("sale") if isinstance(doc, dict) else None
    value = sale.get("points_value_minor") if isinstance(sale, dict) else None
    return value if type(value) is int and 0 <= value <= AMOUNT_MOST else 0
