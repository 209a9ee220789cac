"""The little that the counter reads for the guard before it commits. The rules themselves are app/domain/fraud;
what they look at afterwards is app.queries.guard_facts'.
"""

from __future__ import annotations

from typing import Final

from sqlcipher3.dbapi2 import Connection

from app import posting
from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS
from app.domain.fraud.limits import GuardLimits
from app.domain.fraud.verdicts import Stop, redeem_after_change, repeat_earn
from app.queries.guard_facts import SECOND_US
from db import people, rows, till

_RECENT: Final = 30
"""Documents of a member that are looked at: more than any sensible limit of a day's sales."""
_CHANGES: Final = 8
_DAYS_MORE: Final = 2
"""Business dates are looked at beyond the waiting time: one begins and ends at a cut-off hour, and a shift
keeps its own over midnight. Dates never go back along the journal, whatever the clock does."""


def sale_stops(
    conn: Connection,
    limits: GuardLimits,
    member_id: bytes,
    *,
    on: BusinessDate,
    now_s: int,
    earned: int,
    spent: int,
) -> tuple[Stop, ...]:
    """What speaks against a member's sale going through on one person's word (F2, F7). Two small
    indexed reads at most, whose pages were read when the member was attached."""
    stops = []
    if earned > 0 and (limits.earn_block_per_day or limits.earn_block_minutes):
        stops.append(repeat_earn(_earns_of(conn, member_id, on), now_s, limits))
    if spent > 0 and limits.redeem_wait_hours:
        stops.append(redeem_after_change(_changed_s(conn, limits, member_id, on), now_s, limits))
    return tuple(stop for stop in stops if stop is not None)


def read_ahead(conn: Connection, limits: GuardLimits, member_id: bytes, on: BusinessDate) -> None:
    """Read what `sale_stops` will ask, so that the disk isn't waited for when somebody pays. It decides
    nothing: the sale asks again in its own transaction. F2 finds its pages among those of the ledger, which
    whoever shows a member has read."""
    if limits.redeem_wait_hours:
        _changed_s(conn, limits, member_id, on)


def _earns_of(conn: Connection, member_id: bytes, on: BusinessDate) -> list[int]:
    """The instants of a member's standing sales of a business date that earned."""
    since = till.opened_before(conn, on)
    recent = rows.documents_that_earned(conn, member_id, POINTS, _RECENT, after=since)
    today = [row for row in recent if row.business_date == on]
    voided = {row.refers_to for row in today if row.kind == posting.VOID}
    return [
        row.at_us // SECOND_US
        for row in today
        if row.kind == posting.SALE and row.points_earned > 0 and row.event_id not in voided
    ]


def _changed_s(
    conn: Connection, limits: GuardLimits, member_id: bytes, on: BusinessDate
) -> int | None:
    """When the member's phone was changed last, as far back as it is asked for. An edit that changes it says
    the member's consents again, so their rows, which are indexed by member, lead to the events."""
    days = limits.redeem_wait_hours // 24 + _DAYS_MORE
    since = till.opened_before(conn, on.plus(-days))
    for seq in people.newest_consent_seqs(conn, member_id, _CHANGES, after=since):
        row = rows.event_by_seq(conn, seq)
        assert row is not None, "a consent row has its event"
        if row.kind == posting.PROFILE:
            event = posting.event_of(row)
            if "phone" in event.doc["changed"]:
                return event.at_us // SECOND_US
    return None
