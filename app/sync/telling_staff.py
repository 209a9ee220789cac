"""Who works at this till is told to head office whenever it is others than it was told last: so people from
before the joining can be taken over there, and their initials are given to nobody else.

It is a state, told whole, until head office says that it has it; told twice is told once.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from app.dealings import reading
from app.protocol import endpoints
from app.protocol.shop_staff import StaffReply
from app.protocol.till import Till
from app.sync.asking import Asking
from app.sync.staff_above import works_here
from db import head_office, rows

_TOLD: Final = "staff_told"
STAFF_WITHIN_S: Final = 5.0
AGAIN_S: Final = 300
"""So long after a try that failed: nothing waits for it, and an older head office knows no such address."""


class TellingStaff(Asking):
    """What a till tells of its people. One thread at a time."""

    _failed_s = float("-inf")

    def once(self) -> bool:
        """Tell, where it is due. True: head office has something new of it."""
        now_s = self._ctx.clock().timestamp()
        if 0 <= now_s - self._failed_s < AGAIN_S:
            return False
        with self._ctx.read() as conn:
            row = head_office.head_office(conn)
            if row is None:
                return False
            dealings, people = reading(conn), works_here(conn)
            request = Till(dealings).tell_staff(people, dealings.top(), self._rng)
            if request is None:
                return False
            told = sha256(repr(people).encode()).hexdigest()
            mark = f"{request.timeline}:{request.epoch}:{told}"
            if rows.meta(conn, _TOLD) == mark:
                return False
        reply = self.ask(row, endpoints.STAFF, request, STAFF_WITHIN_S)
        if not isinstance(reply, StaffReply) or reply.rid != request.rid or not reply.kept:
            self._failed_s = now_s
            return False
        with self._ctx.write_rows() as conn:
            rows.set_meta(conn, _TOLD, mark)
        return True
