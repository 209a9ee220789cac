"""The connections of a till to its head office, one pool for all lanes.

The exchange's polls keep one open, and a question that somebody at the counter waits for goes over it.
"""

from __future__ import annotations

import threading

from app.context import Context
from app.sync.client import HeadOffice, NoAnswer, Pool, connections_to
from db.head_office import HeadOfficeRow


class Connections:
    """From any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._address = ""
        self._http: Pool | None = None
        self._over = False

    def line(self, ctx: Context, row: HeadOfficeRow) -> HeadOffice:
        """A line to the head office that the till belongs to. Raises NoAnswer once all were let go."""
        with self._lock:
            if self._over:
                raise NoAnswer("over")
            if self._http is None or row.address != self._address:
                self._close()
                self._http, self._address = connections_to(row.address), row.address
            return HeadOffice(
                row.address,
                ctx.till.device,
                row.seed,
                row.their_key,
                lambda: ctx.clock().timestamp(),
                self._http,
            )

    def close(self) -> None:
        """Let all go for good, what is waited for too."""
        with self._lock:
            self._over = True
            self._close()

    def _close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None
