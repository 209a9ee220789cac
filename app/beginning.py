"""What a joined till does once after a start, in the transaction of its first command and before anything else
is recorded (sync.md section 3).

Rights that came after what is lost are unknown, so a till that may have lost something gives all up: whose
events came back from the journal file, which is older than its side file, or was brought back from a backup.
"""

from __future__ import annotations

import os
from typing import Final

from sqlcipher3.dbapi2 import Connection

from app import posting
from app.dealings import Dealings, place_missing
from app.domain.business_day import BusinessDate
from app.protocol import own_chain
from app.told_fields import tell_again
from db import people, rows

_RESTORES: Final = "sync_restores"


def begin(conn: Connection, dealings: Dealings, on: BusinessDate, *, behind: bool) -> None:
    """Place what came back, give up what is unknown, let go what a process that died had reserved.

    `behind`: the store is older than its side file says.
    """
    # While the events of before the joining are being placed, no right was ever had and nothing was told yet.
    new_here = dealings.control().placing
    came_back = [] if new_here else [posting.event_of(row) for row in place_missing(conn, dealings)]
    tell_again(conn, dealings, came_back)
    restores = str(posting.restores(conn))
    known = rows.meta(conn, _RESTORES)
    if restores != known:
        rows.set_meta(conn, _RESTORES, restores)
    if came_back or (not new_here and (behind or known not in (None, restores))):
        own_chain.give_up(dealings, os.urandom(16))
        # It doesn't know which numbers it gave out since: the next ones are of a new block.
        people.end_card_blocks(conn)
    for hold in dealings.control().holds:
        if hold.standing != "ended":
            own_chain.void_hold(dealings, hold.id, os.urandom(16), on)
