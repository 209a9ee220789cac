"""The closes of days that tills sent: one row a Z, read once from its event, for who looks over all stores.

A Z that can't be read is left out; its event stays. Written inside the store's `writing()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from app.protocol.events import Event
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain

DAY_CLOSE: Final = "day_close"
_MOST: Final = 1 << 53
_PUT: Final = """
INSERT INTO till_close (tenant_id, dist_key, event_id, device_id, business_date, number, at_us, unattended,
    paid, issued, redeemed, difference, uncounted, epoch, seq)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, event_id) DO NOTHING
"""
_CLOSES: Final = """
SELECT event_id, device_id, business_date, number, at_us, unattended, paid, issued, redeemed, difference,
    uncounted, epoch, seq
FROM till_close WHERE tenant_id = ? AND dist_key = ?
"""
_LATEST: Final = """
SELECT event_id, device_id, business_date, number, at_us, unattended, paid, issued, redeemed, difference,
    uncounted, epoch, seq, (
        SELECT earlier.number FROM till_close AS earlier
        WHERE earlier.tenant_id = till_close.tenant_id AND earlier.dist_key = till_close.dist_key
            AND earlier.device_id = till_close.device_id AND earlier.number <= till_close.number
            AND (earlier.number < till_close.number OR earlier.event_id < till_close.event_id)
        ORDER BY earlier.number DESC LIMIT 1
    ) AS before
FROM (
    SELECT * FROM till_close
    WHERE tenant_id = ? AND dist_key = ? AND business_date >= ? AND business_date <= ? {}
        AND (business_date < ? OR (device_id, -number, event_id) > (?, ?, ?))
    ORDER BY business_date DESC, device_id, number DESC, event_id LIMIT ?
) AS till_close
ORDER BY business_date DESC, device_id, number DESC, event_id
"""
# The one before is looked for of those that are shown alone.
_OF_TILLS: Final = "AND device_id IN ({})"
_LAST_DATES: Final = """
SELECT device_id, (
    SELECT max(business_date) FROM till_close WHERE till_close.tenant_id = till.tenant_id
        AND till_close.dist_key = till.dist_key AND till_close.device_id = till.device_id
)
FROM till WHERE tenant_id = ? AND dist_key = ?
"""
_ONE: Final = f"{_CLOSES} AND event_id = ?"
_OF_TILL: Final = f"{_CLOSES} AND device_id = ? ORDER BY number, epoch, seq, event_id"


class Close(NamedTuple):
    """A Z. Money in minor units of the till's currency; difference: what was counted less what was expected,
    of the shifts that were counted; uncounted: how many were not. epoch, seq: its place in the till's chain,
    where it came first."""

    event: bytes
    device: bytes
    on: int
    number: int
    at_us: int
    unattended: int
    paid: int
    issued: int
    redeemed: int
    difference: int
    uncounted: int
    epoch: int | None
    seq: int | None


def take(plain: Plain, tenant: bytes, device: bytes, event: Event) -> None:
    """Write a Z down; the same one again changes nothing."""
    close = _read(device, event)
    if close is not None:
        plain.run(_PUT, (tenant, dist_key(tenant), *close))


class Wanted(NamedTuple):
    """Which Zs are meant: of these business dates, and of these tills alone; None: of all."""

    first: int
    last: int
    tills: Sequence[bytes] | None = None


def latest(
    plain: Plain, tenant: bytes, wanted: Wanted, behind: tuple[Close, int | None] | None, most: int
) -> Sequence[tuple[Close, int | None]]:
    """The last Zs, the last date first, each with the number of the one before it of the same till; from the
    beginning or behind one of them."""
    last, begin = wanted.last, (wanted.last + 1, b"", 0, b"")
    if behind is not None:
        close = behind[0]
        last, begin = close.on, (close.on, close.device, -close.number, close.event)
    of_tills = "" if wanted.tills is None else _OF_TILLS.format(", ".join("?" * len(wanted.tills)))
    values = (wanted.first, last, *(wanted.tills or ()), *begin, most)
    found = plain.rows(_LATEST.format(of_tills), (tenant, dist_key(tenant), *values))
    return [(Close(*row[:-1]), row[-1]) for row in found]


def last_dates(plain: Plain, tenant: bytes) -> dict[bytes, int]:
    """The last business date that each till closed."""
    rows = plain.rows(_LAST_DATES, (tenant, dist_key(tenant)))
    return {device: on for device, on in rows if on is not None}


def one(plain: Plain, tenant: bytes, event: bytes) -> Close | None:
    """The Z of an event."""
    rows = plain.rows(_ONE, (tenant, dist_key(tenant), event))
    return Close(*rows[0]) if rows else None


def beside(plain: Plain, tenant: bytes, close: Close) -> tuple[Close | None, Close | None]:
    """The Z before and the one after it, of the same till."""
    found = [Close(*row) for row in plain.rows(_OF_TILL, (tenant, dist_key(tenant), close.device))]
    at = found.index(close)
    return (found[at - 1] if at else None), (found[at + 1] if at + 1 < len(found) else None)


def _read(device: bytes, event: Event) -> Close | None:
    try:
        doc: dict[str, Any] = event.doc
        sums, shifts = doc["sums"], doc["sums"]["shifts"]
        differences = [shift["difference"] for shift in shifts if shift["difference"] is not None]
        figures = (
            doc["date"], doc["number"], event.at_us, int(bool(doc["unattended"])), sums["paid"],
            sums["issued"], sums["redeemed"], sum(differences), len(shifts) - len(differences),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError):
        return None
    if any(type(each) is not int or abs(each) >= _MOST for each in figures):
        return None
    return Close(event.id, device, *figures, event.epoch, event.seq)
