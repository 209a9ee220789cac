"""Head office moves to another address: it tells its tills, signed like everything of it, and each goes there
once it was answered there by the same key, by who has all that it was told. Until then the old address stands.

Where the address that stands is silent for long, the one of before is asked in the same way: a new address that
was given up, or that this shop's network does not let through, leaves no till alone. The address that tills are
told is tried on and goes before.
"""

from __future__ import annotations

import time
from typing import Final

from sqlcipher3.dbapi2 import Connection

from app.queries.exchange import told_address
from app.sync.client import is_secure
from db import head_office, rows

AGAIN_S: Final = 300
"""After a try that failed: it may take its five seconds, and the address that stands is asked meanwhile."""
SILENT_S: Final = 600
"""So long nobody answers before the address of before is asked: a line that drops now and then moves nobody."""
FORMER: Final = "head_office_former"
"""A fact of the store: the address by which the till came before this one."""


class NewAddress:
    """Of one exchange."""

    def __init__(self) -> None:
        self._tried_s: float | None = None
        self._last = ""
        self._silent_s: float | None = None

    def due(self, conn: Connection, row: head_office.HeadOfficeRow) -> str:
        """The address that is to be tried now, "": none is. Where there are two, one after the other."""
        now_s = time.monotonic()
        if self._tried_s is not None and now_s - self._tried_s < AGAIN_S:
            return ""
        found = [told_address(conn, row)]
        if self._silent_s is not None and now_s - self._silent_s >= SILENT_S:
            found.append(rows.meta(conn, FORMER) or "")
        known = [each for each in found if each and is_secure(each)]
        self._last = next((each for each in known if each != self._last), "".join(known[:1]))
        return self._last

    def put_off(self) -> None:
        """Nobody answered there, or somebody else did."""
        self._tried_s = time.monotonic()

    def go(self, conn: Connection, row: head_office.HeadOfficeRow, address: str) -> None:
        """Head office has answered there. It has some minutes before another one is tried."""
        self._tried_s = time.monotonic()
        if head_office.put_address(conn, row, address):
            rows.set_meta(conn, FORMER, row.address)
        self.answered()

    def answered(self) -> None:
        """Head office has answered at the address that stands."""
        self._silent_s = None

    def no_answer(self) -> None:
        """Nobody did."""
        if self._silent_s is None:
            self._silent_s = time.monotonic()
