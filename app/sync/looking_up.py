"""Members whom this till does not hold yet, asked for by their whole phone or card number (sync.md section 4),
or by four digits of it.

What comes are their rows, as the exchange would bring them later; it changes nothing else.
"""

from __future__ import annotations

from app.protocol import endpoints
from app.protocol.few_digits import ENDING, TAKEN, Ending
from app.protocol.till import Till
from app.protocol.wire import LookReply, LookRequest
from app.queries.search import asked_for, index_visits
from app.sync.asking import Asking
from app.sync.outcome import LOOK_WITHIN_S, Offered
from db import head_office


class LookingUp(Asking):
    """What a till asks head office for members. One thread at a time."""

    def find(self, text: str) -> int | None:
        """How many members came by a whole number, who are found here from now on; None where head office could
        not be asked or didn't answer in time."""
        wanted = asked_for(text)
        return None if wanted is None else self._fetch(*wanted)

    def offer(self, ending: Ending) -> Offered | None:
        """Who fits four digits; None as above."""
        asked = self._ask(ENDING, ending.value)
        if asked is None or not (asked[1].have or asked[1].why):
            return None
        return Offered(asked[1].offered, asked[1].why)

    def take(self, ending: Ending, member: bytes) -> int | None:
        """How many came of one who was offered: 1, or 0 where they are not that any more, or the till has taken
        too many; None as above."""
        return self._fetch(TAKEN, ending.taken(member))

    def _fetch(self, field: str, value: str) -> int | None:
        asked = self._ask(field, value)
        if asked is None:
            return None
        request, reply = asked
        if not reply.rows:
            return None if reply.have is None and not reply.why else 0
        with self._ctx.write(self._ctx.ids()) as tx:
            dealings = tx.dealings
            assert dealings is not None, "nobody leaves a head office"
            if Till(dealings).found(request, reply) is None:
                return None
            dealings.show()
        while index_visits(self._ctx):
            pass
        return len(reply.rows)

    def _ask(self, field: str, value: str) -> tuple[LookRequest, LookReply] | None:
        with self._ctx.write(self._ctx.ids()) as tx:
            row, dealings = head_office.head_office(tx.conn), tx.dealings
            request = (
                None if dealings is None else Till(dealings).ask_member(field, value, self._rng)
            )
        if row is None or request is None:
            return None
        reply = self.ask(row, endpoints.LOOK, request, LOOK_WITHIN_S)
        if not isinstance(reply, LookReply) or reply.rid != request.rid:
            return None
        return request, reply
