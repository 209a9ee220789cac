"""What the window asks of returns of another till's sale. Every call blocks; each names its lane."""

from __future__ import annotations

from collections.abc import Mapping

from app.build import Till
from app.context import Session
from app.domain.documents import ForeignSale, ReturnedLine
from app.domain.moves import EntryMove
from app.domain.returns import ReturnQuote
from app.queries import counter
from app.usecases.return_goods import (
    Returned,
    ReturnGoods,
    SaleOnScreen,
    foreign_on_screen,
    preview_foreign,
    return_goods,
)
from ui.desk_exchange import ExchangeDesk


class ReturnsDesk:
    """It may raise Refused or Unavailable."""

    def __init__(self, till: Till, exchange: ExchangeDesk) -> None:
        self._ctx, self._exchange = till.context, exchange

    def find(self, number: str) -> tuple[SaleOnScreen, Mapping[str, str]]:
        """The sale of a receipt number, and the English names of its items by their codes (ask lane)."""
        sale = foreign_on_screen(self._exchange.find_sale(number))
        codes = {line.request.item for line in sale.document.lines if line.request.item}
        return sale, counter.english_names(self._ctx, codes)

    def preview(
        self, sale: ForeignSale, lines: tuple[ReturnedLine, ...]
    ) -> tuple[ReturnQuote, tuple[EntryMove, ...]]:
        """What would go back, and to which lots (db lane)."""
        return preview_foreign(self._ctx, sale, lines)

    def keep(self, sale: ForeignSale, lines: tuple[ReturnedLine, ...]) -> bytes:
        """Have head office keep units for this till (ask lane)."""
        return self._exchange.keep(sale, lines)

    def keep_no_more(self, sale: ForeignSale) -> None:
        """The return was left, or made (ask lane)."""
        self._exchange.keep_no_more(sale)

    def take_back(
        self,
        command_id: bytes,
        session: Session,
        sale: ForeignSale,
        lines: tuple[ReturnedLine, ...],
        reason: str,
        quote: ReturnQuote,
        hold: bytes,
    ) -> Returned:
        """Commit it (db lane)."""
        command = ReturnGoods(
            command_id, session, sale.event_id, lines, reason, quote.refund_minor,
            quote.balance_after, sale, hold,
        )  # fmt: skip
        return return_goods(self._ctx, command).result
