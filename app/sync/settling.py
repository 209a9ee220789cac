"""What a till had before it joined: its old events are placed and its members' fields told, portion by portion.

Each portion is a transaction of its own with the place that it has come to, and sales go in between; a till
that is killed goes on at that place. Nothing is sent before all is done, so nothing is sent out of order.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from sqlcipher3.dbapi2 import Connection

from app.dealings import Dealings, place_missing
from app.protocol.till_store import Settling
from app.told_fields import tell_fields
from db import people

PORTION_S: Final = 0.03
"""So long a portion may take before it is committed: a sale may wait for it."""


def settle_portion(conn: Connection, dealings: Dealings) -> bool:
    """Do a portion, inside a transaction; False where there is nothing to do any more."""
    settling = dealings.control().settling
    if settling is None:
        return False
    after = (
        _place(conn, dealings, settling) if settling.placing else _tell(conn, dealings, settling)
    )
    dealings.put_control(dealings.control()._replace(settling=after))
    return True


def _place(conn: Connection, dealings: Dealings, at: Settling) -> Settling:
    going = _in_time()
    for _ in place_missing(conn, dealings):
        if not next(going):
            return at
    return at._replace(placing=False)


def _tell(conn: Connection, dealings: Dealings, at: Settling) -> Settling | None:
    going = _in_time()
    for member in people.members_between(conn, at.member, None):
        if member == at.member:
            continue
        tell_fields(conn, dealings, [member], at.at_ms)
        at = at._replace(member=member, told=at.told + 1)
        if not next(going):
            return at
    return None


def _in_time() -> Iterator[bool]:
    until_s = time.monotonic() + PORTION_S
    while True:
        yield time.monotonic() < until_s
