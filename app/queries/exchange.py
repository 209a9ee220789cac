"""How the exchange with head office stands, for the screen: what waits, since when, by which right to sell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from sqlcipher3.dbapi2 import Connection

from app import bases, posting
from app.context import Context
from app.protocol.events import instant_of
from app.protocol.references import OFFICE_ADDRESS, address_of
from app.protocol.till_store import Control
from app.shut import why_shut
from db import head_office, rows


class Progress(NamedTuple):
    """How far something long is: `done` of `total`.

    what   "placing": events of before the joining, "telling": members whose fields are written for head
           office, "fetching": members who come from there; then `total` is about so many
    """

    what: Literal["placing", "telling", "fetching"]
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A till's dealings with head office.

    waiting      own events that head office has not acknowledged       oldest   when the first of them was made
    fields       profile fields that it has not answered                heard    its last answer
    grant_left   points that may still be spent without it, 0 for none  lease    until when
    anew         the till is being placed anew: it holds no rights meanwhile
    locked_days  members are not shown, for head office was not heard for so many days; 0: they are
    severed      an older database is back, of before the joining: the till has to be let in again
    told         where head office says that it is now; it was not reached there yet
    progress     what the till has to do before it is all there, None when it is
    """

    address: str
    waiting: int
    oldest: datetime | None
    fields: int
    heard: datetime | None
    grant_left: int
    lease: datetime | None
    anew: bool
    revoked: bool
    locked_days: int = 0
    severed: bool = False
    told: str = ""
    progress: Progress | None = None


def standing(ctx: Context) -> Standing | None:
    """How it stands; None for a till of its own. Raises Unavailable."""
    with ctx.read() as conn:
        row = head_office.head_office(conn)
        if row is None:
            return None if ctx.owns_ledger(conn) else _severed(conn)
        control = bases.CONTROL.unpack(row.control)
        first = rows.event_by_seq(conn, control.acked + 1)
        at = None if first is None else posting.event_of(first).at_us
        grant = control.grant
        shut = why_shut(conn, ctx.clock())
        return Standing(
            address=row.address,
            waiting=(rows.head(conn) or (0, b""))[0] - control.acked,
            oldest=None if at is None else instant_of(at),
            fields=head_office.dirty_count(conn),
            heard=None if row.heard_us is None else instant_of(row.heard_us),
            grant_left=0 if grant is None else grant.left,
            lease=None if grant is None else instant_of(grant.lease_until_ms * 1000),
            anew=not control.settled,
            revoked=control.revoked,
            locked_days=0 if shut is None else int(shut.facts.get("days") or 0),
            told=told_address(conn, row),
            progress=_progress(conn, control),
        )


def told_address(conn: Connection, row: head_office.HeadOfficeRow) -> str:
    """Where head office says that it is, if the till does not ask there yet."""
    kept = head_office.reference_set(conn, OFFICE_ADDRESS)
    told = address_of(None if kept is None else bases.REFERENCE.unpack(kept).body)
    return "" if told == row.address else told


def _progress(conn: Connection, control: Control) -> Progress | None:
    settling, begun = control.settling, control.begun
    if settling is not None and settling.placing:
        head = rows.head(conn)
        placed = head_office.last_link(conn, control.epoch)
        return Progress("placing", placed, 0 if head is None else head[0])
    if settling is not None:
        return Progress("telling", settling.told, max(settling.members, settling.told))
    if begun is None or not begun.frame:
        return None
    return Progress("fetching", begun.rows, begun.rows * begun.of // begun.frame)


def _severed(conn: Connection) -> Standing:
    head = rows.head(conn)
    waiting = 0 if head is None else head[0]
    return Standing("", waiting, None, 0, None, 0, None, anew=True, revoked=False, severed=True)
