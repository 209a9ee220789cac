"""When a till may not show its members any more (sync.md section 7): head office has shut it out, or has not
been heard for so long that the till may be lost. Anonymous sales go on in the second case alone.

Each clock is compared with itself, as it stood when head office was last heard: so neither setting the till's
clock back gains anything, nor does a clock that was once far ahead, and one answer opens the members again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlcipher3.dbapi2 import Connection

from app import bases, posting
from app.domain.errors import Refusal, Refused
from app.protocol.events import micros
from app.protocol.hlc import ms_of
from app.protocol.references import OFFLINE_LEASE, lease_days_of
from app.protocol.till_store import Control
from db import head_office, people, rows

DAY_MS: Final = 86_400_000
_HEARD: Final = "head_office_heard"
"""Of meta: the till's clock, the newest stamp and the newest event when head office was last heard, in ms."""


def note_heard(conn: Connection, now: datetime) -> None:
    """Head office answered. Called in the transaction of the answer."""
    rows.set_meta(conn, _HEARD, " ".join(map(str, _clocks(conn, _control(conn), now))))


def why_shut(conn: Connection, now: datetime) -> Refused | None:
    """TILL_REVOKED, MEMBERS_LOCKED with the days of the lease, or None while members may be shown."""
    control = _control(conn)
    if control is None:
        return None
    if control.revoked:
        return Refused(Refusal.TILL_REVOKED)
    heard = rows.meta(conn, _HEARD)
    if heard is None:
        return None
    body = head_office.reference_set(conn, OFFLINE_LEASE)
    days = lease_days_of(None if body is None else bases.REFERENCE.unpack(body).body)
    then = map(int, heard.split())
    clocks = zip(_clocks(conn, control, now), then, strict=True)
    passed = max(at - was for at, was in clocks if was)
    return None if passed < days * DAY_MS else Refused(Refusal.MEMBERS_LOCKED, {"days": days})


def require_members(conn: Connection, now: datetime) -> None:
    """Raises Refused(TILL_REVOKED | MEMBERS_LOCKED)."""
    shut = why_shut(conn, now)
    if shut is not None:
        raise shut


def require_trade(conn: Connection) -> None:
    """A till that was shut out sells nothing more: nobody would ever hear of it.

    Raises Refused(TILL_REVOKED).
    """
    control = _control(conn)
    if control is not None and control.revoked:
        raise Refused(Refusal.TILL_REVOKED)


def profile_shown(
    conn: Connection, member_id: bytes | None, now: datetime
) -> people.ProfileRow | None:
    """The person of a line on a list; None for nobody, once erased, and while members are not shown."""
    if member_id is None or why_shut(conn, now) is not None:
        return None
    return people.profile(conn, member_id)


def _control(conn: Connection) -> Control | None:
    body = head_office.control(conn)
    return None if body is None else bases.CONTROL.unpack(body)


def _clocks(conn: Connection, control: Control | None, now: datetime) -> tuple[int, int, int]:
    head = rows.head(conn)
    last = None if head is None else rows.event_by_seq(conn, head[0])
    return (
        micros(now) // 1000,
        0 if control is None else ms_of(control.hlc),
        0 if last is None else posting.event_of(last).at_us // 1000,
    )
