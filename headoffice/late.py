"""Documents of a date that its till had closed already: the Z does not have them, the till's next one does.

One row each, written where head office walks each till's chain (recounting.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from app.domain.figures import money_of_event, points_moved
from app.protocol.events import Event
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain

_MONEY: Final = frozenset(("sale", "return", "void"))
_POINTS: Final = frozenset(("adjust", "opening", "expire", "unexpire"))
_MOST: Final = 1 << 53
_UNREADABLE: Final = (KeyError, TypeError, ValueError, IndexError, AttributeError)
_CLOSED_BY: Final = """
SELECT event_id, epoch, seq FROM till_close
WHERE tenant_id = ? AND dist_key = ? AND device_id = ? AND business_date >= ?
ORDER BY business_date, number, event_id LIMIT 1
"""
# A till that was given a new epoch sends again what head office had no link for; what came before the Z the
# first time is not late the second time. Asked for such events alone.
_CAME_BEFORE: Final = """
SELECT count(*) FROM link WHERE tenant_id = ? AND dist_key = ? AND device_id = ? AND event_id = ?
    AND (epoch < ? OR (epoch = ? AND seq < ?))
"""
_PUT: Final = """
INSERT INTO late_event (tenant_id, dist_key, event_id, close_event, kind, at_us, paid, issued, redeemed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, event_id) DO NOTHING
"""
_SUMS: Final = """
SELECT close_event, count(*), CAST(sum(paid) AS bigint), CAST(sum(issued) AS bigint),
    CAST(sum(redeemed) AS bigint)
FROM late_event WHERE tenant_id = ? AND dist_key = ? GROUP BY close_event
"""
OF_CLOSE: Final = """
SELECT event_id, kind, at_us, paid, issued, redeemed, (
    SELECT body FROM event WHERE event.tenant_id = late_event.tenant_id AND event.dist_key = late_event.dist_key
        AND event.event_id = late_event.event_id
)
FROM late_event WHERE tenant_id = ? AND dist_key = ? AND close_event = ? ORDER BY at_us, event_id LIMIT ?
"""


class Late(NamedTuple):
    """A document that came behind a Z. Money in minor units, points issued and redeemed, signed as a Z has
    them; body: the event."""

    event: bytes
    kind: str
    at_us: int
    paid: int
    issued: int
    redeemed: int
    body: bytes


class Sums(NamedTuple):
    """What all documents that came behind a Z add."""

    documents: int
    paid: int
    issued: int
    redeemed: int


def take(plain: Plain, tenant: bytes, device: bytes, event: Event) -> None:
    """Write a document down that came behind the Z of its date; the same one again changes nothing."""
    if event.kind not in _MONEY | _POINTS:
        return
    own = (tenant, dist_key(tenant))
    closed = plain.rows(_CLOSED_BY, (*own, device, event.business_date))
    # Without a place it is of before places were kept: nobody knows what came behind it.
    if not closed or closed[0][1] is None:
        return
    close, epoch, seq = closed[0]
    if (event.epoch, event.seq) <= (epoch, seq):
        return
    if event.epoch > epoch:
        ((before,),) = plain.rows(_CAME_BEFORE, (*own, device, event.id, epoch, epoch, seq))
        if before:
            return
    figures = _figures(event)
    if figures is not None and (event.kind in _MONEY or any(figures)):
        plain.run(_PUT, (*own, event.id, close, event.kind, event.at_us, *figures))


def sums(plain: Plain, tenant: bytes) -> dict[bytes, Sums]:
    """What came behind each Z, by the Z's event."""
    rows = plain.rows(_SUMS, (tenant, dist_key(tenant)))
    return {bytes(close): Sums(*map(int, figures)) for close, *figures in rows}


def behind(plain: Plain, tenant: bytes, close: bytes, most: int) -> Sequence[Late]:
    """What came behind one Z, in the order in which it was made."""
    rows = plain.rows(OF_CLOSE, (tenant, dist_key(tenant), close, most))
    return [Late(*row) for row in rows]


def _figures(event: Event) -> tuple[int, int, int] | None:
    try:
        moved = points_moved(event.entries)
        figures = (money_of_event(event.kind, event.doc).paid, moved.issued, moved.redeemed)
    except _UNREADABLE:
        return None
    fits = all(type(each) is int and abs(each) < _MOST for each in (*figures, event.at_us))
    return figures if fits else None
