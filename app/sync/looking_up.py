"""Members whom this till does not hold yet, asked for by their whole phone or card number (sync.md section 4).

What comes are their rows, as the exchange would bring them later; it changes nothing else.
"""

from __future__ import annotations

from app.protocol import endpoints
from app.protocol.till import Till
from app.protocol.wire import LookReply
from app.queries.search import asked_for, index_visits
from app.sync.asking import Asking
from app.sync.outcome import LOOK_WITHIN_S
from db import head_office


class LookingUp(Asking):
    """What a till asks head office for members. One thread at a time."""

    def find(self, text: str) -> int | None:
        """How many members came, who are found here from now on; None where head office could not be asked or
        didn't answer in time."""
        wanted = asked_for(text)
        if wanted is None:
            return None
        with self._ctx.write(self._ctx.ids()) as tx:
            row, dealings = head_office.head_office(tx.conn), tx.dealings
            request = None if dealings is None else Till(dealings).ask_member(*wanted, self._rng)
        if row is None or request is None:
            return None
        reply = self.ask(row, endpoints.LOOK, request, LOOK_WITHIN_S)
        if not isinstance(reply, LookReply) or reply.rid != request.rid:
            return None
        if not reply.rows:
            return None if reply.have is None else 0
        with self._ctx.write(self._ctx.ids()) as tx:
            dealings = tx.dealings
            assert dealings is not None, "nobody leaves a head office"
            if Till(dealings).found(request, reply) is None:
                return None
            dealings.show()
        while index_visits(self._ctx):
            pass
        return len(reply.rows)
