"""Returns of another till's sale: head office finds it by its receipt number and keeps the lines for this till.

Called from one thread of its own while somebody waits, so each question has its time. Nothing of this is done
offline: two tills that pay the same goods out can't be taken back (domain.md section 2, Documents).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from app.context import Tx
from app.domain.business_day import BusinessDate
from app.domain.documents import ForeignSale, ReturnedLine, SaleDocument, UnitsBack
from app.domain.documents_plain import sale_from_plain
from app.domain.errors import Outage, Refusal, Unavailable
from app.domain.errors import Refused as RuleRefused
from app.protocol import endpoints, overlay, wire
from app.protocol.events import Event, NotCanonical
from app.protocol.till import Till
from app.protocol.wire import HoldReply, HoldRequest, SaleReply, SaleRequest
from app.standing import units_since
from app.sync.asking import Asking
from app.sync.outcome import RETURN_WITHIN_S
from db import head_office, people

_NOT_A_SALE: Final = (KeyError, TypeError, ValueError, IndexError, AttributeError, NotCanonical)
"""What comes of a document that no till of ours wrote."""
_REFUSED: Final = {
    "unknown": Refusal.SALE_NOT_KNOWN,
    "ambiguous": Refusal.SALE_AMBIGUOUS,
}


class Returns(Asking):
    """What a till asks head office for returns. One thread at a time."""

    def find(self, receipt: str) -> ForeignSale:
        """The sale of a receipt number of another till; its member is this till's from then on.

        Raises Refused(SALE_NOT_KNOWN | SALE_AMBIGUOUS | SALE_NOT_READABLE | SALE_MEMBER_GONE |
        RETURN_ELSEWHERE), Unavailable(RETURN_NEEDS_LINE).
        """
        with self._ctx.write(self._ctx.ids()) as tx:
            row, dealings = head_office.head_office(tx.conn), tx.dealings
            request = None if dealings is None else Till(dealings).ask_sale(receipt, self._rng)
        if row is None or request is None:
            raise _no_line("not settled")
        reply = self._answer(row, endpoints.SALE, request)
        if not isinstance(reply, SaleReply) or reply.rid != request.rid or reply.why == "not_now":
            raise _no_line("not now")
        if reply.why:
            raise RuleRefused(_REFUSED.get(reply.why, Refusal.SALE_NOT_KNOWN))
        if reply.elsewhere:
            raise RuleRefused(Refusal.RETURN_ELSEWHERE)
        with self._ctx.write(self._ctx.ids()) as tx:
            sale, forgotten = self._taken(tx, request, reply)
        if forgotten:
            self._ctx.forget_cells(forgotten)
        return sale

    def reserve(
        self, sale: ForeignSale, lines: tuple[ReturnedLine, ...], on: BusinessDate
    ) -> bytes:
        """Have head office keep units for a return: the hold's id. Asked again with the same lines it is the
        same hold, whether its answer came or not.

        Raises Refused(RETURN_NOT_RESERVED | RETURN_ELSEWHERE), Unavailable(RETURN_NEEDS_LINE).
        """
        with self._ctx.write(self._ctx.ids()) as tx:
            row, dealings = head_office.head_office(tx.conn), tx.dealings
            request = None
            if dealings is not None:
                plain = tuple((line, quantity) for line, quantity in lines)
                request = Till(dealings).ask_return_anew(sale.event_id, plain, on, self._rng)
        if row is None or request is None:
            raise _no_line("not settled")
        reply = self._answer(row, endpoints.HOLD, request)
        if not isinstance(reply, HoldReply) or reply.hold != request.hold:
            raise _no_line("another answer")
        with self._ctx.write(self._ctx.ids()) as tx:
            no = self._reserved(tx, sale, reply, on)
        if no is not None:
            raise RuleRefused(no)
        return request.hold

    def let_go(self, sale: bytes, on: BusinessDate) -> None:
        """End what is reserved of a sale and was not returned."""
        with self._ctx.write(self._ctx.ids()) as tx:
            dealings = tx.dealings
            holds = () if dealings is None else dealings.control().holds
            for hold in holds:
                if dealings is not None and hold.sale == sale and hold.standing != "ended":
                    Till(dealings).void_hold(hold.id, on, self._rng)

    # Inside

    def _answer(
        self, row: head_office.HeadOfficeRow, path: str, request: SaleRequest | HoldRequest
    ) -> wire.Reply:
        reply = self.ask(row, path, request, RETURN_WITHIN_S)
        if reply is None:
            raise _no_line("no answer")
        return reply

    def _taken(
        self, tx: Tx, request: SaleRequest, reply: SaleReply
    ) -> tuple[ForeignSale, frozenset[bytes]]:
        dealings = tx.dealings
        assert dealings is not None, "nobody leaves a head office"
        included = Till(dealings).found(request, reply)
        if included is None:
            raise _no_line("begun anew meanwhile")
        dealings.show()
        try:
            event = Event.from_bytes(reply.body, epoch=1, seq=1)
            document, receipt_no = sale_from_plain(event.doc["sale"]), event.doc["receipt_no"]
        except _NOT_A_SALE as error:
            raise RuleRefused(Refusal.SALE_NOT_READABLE) from error
        member = event.member_id
        if member is not None:
            member = overlay.survivor(dealings, member)
            base = dealings.base(member)
            known = people.person(tx.conn, member)
            if base is None or base.row.erased or known is None:
                raise RuleRefused(Refusal.SALE_MEMBER_GONE)
        back = _back(tx, reply.sale, document, dict(reply.returned), included)
        digest = sha256(reply.body).digest()
        sale = ForeignSale(
            reply.sale, receipt_no, event.device, digest, member, document, back, reply.splits
        )
        return sale, frozenset(dealings.forgotten)

    def _reserved(
        self, tx: Tx, sale: ForeignSale, reply: HoldReply, on: BusinessDate
    ) -> Refusal | None:
        """Take the answer to a hold; why it can't be used, None where it can."""
        dealings = tx.dealings
        assert dealings is not None, "nobody leaves a head office"
        talking, control = Till(dealings), dealings.control()
        talking.receive(reply, int(tx.now().timestamp() * 1000), on, self._rng)
        if not reply.granted:
            if any(hold.id == reply.hold for hold in dealings.control().holds):
                # Granted once, and a restored head office has forgotten it.
                talking.void_hold(reply.hold, on, self._rng)
            return Refusal.RETURN_ELSEWHERE if reply.elsewhere else Refusal.RETURN_NOT_RESERVED
        have = reply.have
        no = None
        if reply.elsewhere:
            no = Refusal.RETURN_ELSEWHERE
        elif have is None or have.epoch != control.epoch:
            no = Refusal.RETURN_NOT_RESERVED
        else:
            included = control.base + have.seq
            back = _back(tx, sale.event_id, sale.document, dict(reply.returned), included)
            no = None if back == sale.back else Refusal.RETURN_NOT_RESERVED
        if no is not None:
            talking.void_hold(reply.hold, on, self._rng)
        return no


def _back(
    tx: Tx, sale: bytes, document: SaleDocument, returned: Mapping[int, int], included: int
) -> UnitsBack:
    """What came back so far: what head office counts, and own returns and voids that it hasn't heard of. What
    came back twice is its to correct: no more than all of a line is gone."""
    own = units_since(tx.conn, sale, included)
    lines = []
    for number, line in enumerate(document.lines):
        units = returned.get(number, 0) + own.get(number, 0)
        if units > 0:
            lines.append(ReturnedLine(number, min(units, line.request.quantity)))
    return UnitsBack(tuple(lines))


def _no_line(why: str) -> Unavailable:
    return Unavailable(Outage.RETURN_NEEDS_LINE, {"why": why})
