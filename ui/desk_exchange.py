"""What the window asks of the exchange with head office; a till of its own loads none of its libraries."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from app.build import Till
from app.context import Session
from app.domain.documents import ForeignSale, ReturnedLine
from app.domain.errors import Outage, Unavailable
from app.domain.rights import Right
from app.protocol.few_digits import typed
from app.queries.exchange import Standing, standing
from app.queries.readers import require_look
from app.queries.search import asked_for
from app.queries.selling_date import selling_date
from app.sync.outcome import Heard, Joined, Offered

if TYPE_CHECKING:
    from app.domain.business_day import BusinessDate
    from app.sync.connections import Connections
    from app.sync.exchange import Exchange
    from app.sync.looking_up import LookingUp
    from app.sync.returns import Returns


class ExchangeDesk:
    """Every method but `stop` blocks; any may raise Refused or Unavailable. `once` waits for the network (net
    lane), `hold` and `let_go` for some tenths of a second (hold lane), `find_sale` and `keep` for some seconds
    (ask lane).

    Attributes:
        joined: whether the till belonged to a head office when it was looked at last.
    """

    def __init__(self, till: Till) -> None:
        self._ctx = till.context
        self._connections: Connections | None = None
        self._exchange: Exchange | None = None
        self._returns: Returns | None = None
        self._looking: LookingUp | None = None
        self.joined = False
        self._stopped = False
        self._beginning = threading.Lock()

    def standing(self) -> Standing | None:
        """How it stands, None for a till of its own (db lane)."""
        found = standing(self._ctx)
        self.joined = found is not None
        return found

    def once(self) -> Heard | None:
        """Ask head office once; None for a till of its own."""
        exchange = self._begun()
        return None if exchange is None else exchange.once()

    def hold(self, member: bytes, points: int) -> bytes | None:
        """Have points reserved for a sale under way: the hold, or None where the till's own rights decide."""
        exchange = self._begun()
        if exchange is None:
            return None
        return exchange.hold(member, points, self._on())

    def let_go(self, hold: bytes) -> None:
        """The sale that a hold was for was not made."""
        exchange = self._begun()
        if exchange is not None:
            exchange.let_go(hold, self._on())

    def find_sale(self, number: str) -> ForeignSale:
        """Another till's sale, by its receipt number."""
        return self._asking().find(number)

    def keep(self, sale: ForeignSale, lines: tuple[ReturnedLine, ...]) -> bytes:
        """Have head office keep units of it for a return: the hold."""
        return self._asking().reserve(sale, lines, self._on())

    def keep_no_more(self, sale: ForeignSale) -> None:
        """The return was not made."""
        if self._returns is not None:
            self._returns.let_go(sale.event_id, self._on())

    def asks(self, text: str) -> bool:
        """Whether a text that finds nobody here is worth asking head office for; quick, from the GUI thread."""
        return self.joined and asked_for(text) is not None

    def look_up(self, text: str) -> int | None:
        """How many members of a whole phone or card number came from head office; None where it could not be
        asked (ask lane)."""
        looking = self._look()
        return None if looking is None else looking.find(text)

    def asks_by_few(self, text: str) -> bool:
        """Whether a text is four digits, with a letter at most, that head office can be asked for; quick, from
        the GUI thread."""
        return self.joined and typed(text) is not None

    def offer(self, text: str) -> Offered | None:
        """Who at head office fits such a text; None as above (ask lane)."""
        ending, looking = typed(text), self._look()
        return None if ending is None or looking is None else looking.offer(ending)

    def take(self, text: str, member: bytes) -> int | None:
        """Fetch one of those: how many came; None as above (ask lane)."""
        ending, looking = typed(text), self._look()
        return None if ending is None or looking is None else looking.take(ending, member)

    def join(self, session: Session, address: str, code: str) -> Joined:
        """Join a head office by the code that was given there. A manager's."""
        from app.sync.join import join

        with self._ctx.read() as conn:
            require_look(conn, session, Right.SETTINGS)
        return join(self._ctx, address, code)

    def stop(self) -> None:
        """Ask nothing any more, and let what is waited for go. From any thread."""
        self._stopped = True
        if self._connections is not None:
            self._connections.close()
        if self._exchange is not None:
            self._exchange.stop()

    def _on(self) -> BusinessDate:
        with self._ctx.read() as conn:
            return selling_date(self._ctx, conn)

    def _asking(self) -> Returns:
        if self._begun() is None:
            raise Unavailable(Outage.RETURN_NEEDS_LINE)
        if self._returns is None:
            from app.sync.returns import Returns

            self._returns = Returns(self._ctx, open_line=self._shared().line)
        return self._returns

    def _look(self) -> LookingUp | None:
        if self._begun() is None:
            return None
        if self._looking is None:
            from app.sync.looking_up import LookingUp

            self._looking = LookingUp(self._ctx, open_line=self._shared().line)
        return self._looking

    def _shared(self) -> Connections:
        assert self._connections is not None, "asked before it began"
        return self._connections

    def _begun(self) -> Exchange | None:
        standing = self.standing()
        if self._stopped or standing is None or standing.severed:
            return None
        with self._beginning:
            if self._exchange is None:
                from app.sync.connections import Connections
                from app.sync.exchange import Exchange

                self._connections = self._connections or Connections()
                self._exchange = Exchange(self._ctx, open_line=self._connections.line)
            return self._exchange
