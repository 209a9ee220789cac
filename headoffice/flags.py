"""Documents that head office worked out again and found different (recounting.py), and who looked at them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from app.domain.recount import Difference
from app.protocol.events import Event
from app.protocol.facts import Facts
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain, Spelt

NOBODY: Final = bytes(16)
"""The member of a document that has none."""
OTHER_DEVICE: Final = "other_device"
_NUMBER_MOST: Final = 1 << 62
_PUT: Final = """
INSERT INTO recount_flag (
    tenant_id, dist_key, event_id, what, device_id, member_id, business_date, claimed, ours, noted_ms
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, event_id, what) DO NOTHING
"""
_COUNTED: Final = """
SELECT CASE what WHEN 'returned_twice' THEN 1 ELSE 0 END, count(*), max(noted_ms) FROM {}
WHERE tenant_id = ? AND dist_key = ? AND seen_ms IS NULL GROUP BY 1
"""
# SQLite would read all flags that there ever were.
_BY_UNSEEN: Final = "recount_flag INDEXED BY recount_flag_unseen"
_UNSEEN: Final = Spelt(
    sqlite=_COUNTED.format(_BY_UNSEEN),
    postgresql=_COUNTED.format("recount_flag"),
)
_LOOKED: Final = """
SELECT seen_ms FROM recount_flag WHERE tenant_id = ? AND dist_key = ? AND seen_ms IS NOT NULL
ORDER BY seen_ms DESC LIMIT 1
"""
_FLAGS: Final = """
SELECT event_id, what, device_id, member_id, business_date, claimed, ours, noted_ms, recount_flag.seen_ms,
    initials
FROM recount_flag LEFT JOIN console_staff ON console_staff.tenant_id = recount_flag.tenant_id
    AND console_staff.dist_key = recount_flag.dist_key AND console_staff.staff_id = recount_flag.seen_by
WHERE recount_flag.tenant_id = ? AND recount_flag.dist_key = ?
"""
_CHOSEN: Final = """business_date >= ? AND business_date <= ? AND (? = '' OR what = ?)
    AND (? = 0 OR device_id = ?) AND (? = 0 OR recount_flag.seen_ms IS NULL)
    AND (? = 0 OR recount_flag.seen_ms IS NOT NULL)"""
_NEWEST: Final = f"""{_FLAGS} AND {_CHOSEN}
    AND noted_ms <= ? AND (noted_ms < ? OR (event_id, what) > (?, ?))
ORDER BY noted_ms DESC, event_id, what LIMIT ?"""
_COUNT: Final = """
SELECT count(DISTINCT event_id), coalesce(max(noted_ms), 0) FROM {}
WHERE tenant_id = ? AND dist_key = ? AND seen_ms IS NULL AND {}
"""
_NAMED: Final = """
SELECT DISTINCT event_id FROM {}
WHERE tenant_id = ? AND dist_key = ? AND seen_ms IS NULL AND {} AND noted_ms <= ? LIMIT ?
"""
_PILE: Final = Spelt(
    sqlite=_COUNT.format(_BY_UNSEEN, _CHOSEN), postgresql=_COUNT.format("recount_flag", _CHOSEN)
)
_DOCUMENTS: Final = Spelt(
    sqlite=_NAMED.format(_BY_UNSEEN, _CHOSEN), postgresql=_NAMED.format("recount_flag", _CHOSEN)
)
_OF_EVENT: Final = f"{_FLAGS} AND event_id = ? ORDER BY what"
_SEEN: Final = """
UPDATE recount_flag SET seen_by = ?, seen_ms = ?
WHERE tenant_id = ? AND dist_key = ? AND event_id = ? AND seen_ms IS NULL AND noted_ms <= ?
"""


_DEVICE: Final = """
SELECT device_id FROM recount_flag WHERE tenant_id = ? AND dist_key = ? AND event_id = ? AND what = ?
"""


class Flag(NamedTuple):
    """A difference of a document, by its code. seen_by: initials of who looked at it; seen_ms None: nobody did.

    claimed, ours: points, minor units, days since 1970, versions or ranks, by `what`
    """

    event: bytes
    what: str
    device: bytes
    member: bytes
    on: int
    claimed: int
    ours: int
    noted_ms: int
    seen_ms: int | None
    seen_by: str | None


class Pile(NamedTuple):
    """Differences of one sort that nobody has looked at, and when the last one was noted."""

    size: int = 0
    newest_ms: int = 0


class Unseen(NamedTuple):
    """What nobody has looked at, and when somebody last looked at anything of the list; 0: never.

    over_returned: sales of which more came back than was sold; others: every other difference.
    """

    over_returned: Pile = Pile()
    others: Pile = Pile()
    looked_ms: int = 0


def put(
    plain: Plain,
    tenant: bytes,
    device: bytes,
    read: Facts,
    found: Sequence[Difference],
    now_ms: int,
) -> None:
    """Keep what differs of a document; what is known already changes nothing."""
    for what, claimed, ours in found:
        fits = type(claimed) is int and max(abs(claimed), abs(ours)) < _NUMBER_MOST
        figures = (claimed, ours) if fits else (0, 0)
        values = (read.id, what, device, read.member or NOBODY, int(read.on), *figures, now_ms)
        plain.run(_PUT, (tenant, dist_key(tenant), *values))


def device_of(plain: Plain, tenant: bytes, event: Event) -> bytes:
    """The till in whose chain an event came: a till may write any other one into its event (OTHER_DEVICE)."""
    found = plain.rows(_DEVICE, (tenant, dist_key(tenant), event.id, OTHER_DEVICE))
    return bytes(found[0][0]) if found else event.device


def unseen(plain: Plain, tenant: bytes) -> Unseen:
    """What nobody has looked at."""
    own = (tenant, dist_key(tenant))
    piles = {over: Pile(count, newest) for over, count, newest in plain.rows(_UNSEEN, own)}
    if not piles:
        return Unseen()
    looked = plain.rows(_LOOKED, own)
    return Unseen(piles.get(1, Pile()), piles.get(0, Pile()), looked[0][0] if looked else 0)


class Wanted(NamedTuple):
    """Which differences are meant: of these business dates, of one sort, of one till, looked at or not; of all
    where nothing is said."""

    first: int
    last: int
    what: str = ""
    device: bytes = b""
    seen: bool | None = None


def newest(
    plain: Plain, tenant: bytes, wanted: Wanted, behind: Flag | None, most: int
) -> list[Flag]:
    """The last ones first, from the beginning or behind one of them."""
    begin = (
        (_NUMBER_MOST, _NUMBER_MOST, b"", "")
        if behind is None
        else (behind.noted_ms, behind.noted_ms, behind.event, behind.what)
    )
    values = (tenant, dist_key(tenant), *_choice(wanted), *begin, most)
    return [Flag(*row) for row in plain.rows(_NEWEST, values)]


def unseen_of(plain: Plain, tenant: bytes, wanted: Wanted) -> Pile:
    """How many documents are meant, and when the last of their differences was noted."""
    (found,) = plain.rows(_PILE, (tenant, dist_key(tenant), *_choice(wanted)))
    return Pile(*found)


def of_event(plain: Plain, tenant: bytes, event: bytes) -> list[Flag]:
    """What differs of one document."""
    return [Flag(*row) for row in plain.rows(_OF_EVENT, (tenant, dist_key(tenant), event))]


def say_seen(
    plain: Plain, tenant: bytes, event: bytes, until_ms: int, by: bytes, now_ms: int
) -> None:
    """Somebody has looked at what was noted of a document until then; who did first stays. An over-return may
    be noted of an old sale while somebody reads of its points."""
    plain.run(_SEEN, (by, now_ms, tenant, dist_key(tenant), event, until_ms))


def say_many_seen(
    plain: Plain, tenant: bytes, wanted: Wanted, until_ms: int, most: int, by: bytes, now_ms: int
) -> int:
    """Somebody has looked at the documents that are meant and were noted until then, so many at most; of how
    many it was written down."""
    found = plain.rows(_DOCUMENTS, (tenant, dist_key(tenant), *_choice(wanted), until_ms, most))
    own = (by, now_ms, tenant, dist_key(tenant))
    plain.run_many(_SEEN, [(*own, event, until_ms) for (event,) in found])
    return len(found)


def _choice(wanted: Wanted) -> tuple[object, ...]:
    """The values of _CHOSEN."""
    first, last, what, device, seen = wanted
    tail = (int(bool(device)), device, int(seen is False), int(seen is True))
    return first, last, what, what, *tail
