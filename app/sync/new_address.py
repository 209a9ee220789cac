"""Head office moves to another address: it tells its tills, signed like everything of it, and each goes there
once it was answered there by the same key. Until then the old address stands.
"""

from __future__ import annotations

import time
from typing import Final

from sqlcipher3.dbapi2 import Connection

from app.queries.exchange import told_address
from app.sync.client import is_secure
from db import head_office

AGAIN_S: Final = 300
"""After a try that failed: it may take its five seconds, and the old address is asked meanwhile."""


class NewAddress:
    """Of one exchange."""

    def __init__(self) -> None:
        self._tried_s: float | None = None

    def due(self, conn: Connection, row: head_office.HeadOfficeRow) -> str:
        """The address that is to be tried now, "": none is."""
        told = told_address(conn, row)
        tried_s = self._tried_s
        soon = tried_s is not None and time.monotonic() - tried_s < AGAIN_S
        return told if told and not soon and is_secure(told) else ""

    def put_off(self) -> None:
        """Nobody answered there, or somebody else did."""
        self._tried_s = time.monotonic()
