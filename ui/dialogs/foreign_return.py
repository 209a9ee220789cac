"""Return goods of another till's sale: the sheet of every return, and head office in between.

Before any money goes out head office keeps the units for this till; whatever way the sheet goes, what is kept
and was not returned is let go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from app.domain.documents import ReturnedLine
from app.domain.moves import EntryMove
from app.domain.returns import ReturnQuote
from app.numbers import parse_receipt_number
from ui.dialogs.return_goods import ReturnSheet
from ui.kit import Kit
from ui.lanes import Lanes
from ui.widgets.basics import WrappedLabel

if TYPE_CHECKING:
    from app.context import Session
    from app.usecases.return_goods import SaleOnScreen
    from ui.desk import Desk


class ForeignReturn(ReturnSheet):
    """`left` is called when the sheet went, whatever came of it."""

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        who: Callable[[], Session],
        sale: SaleOnScreen,
        names_en: Mapping[str, str],
        left: Callable[[], None],
    ) -> None:
        assert sale.foreign is not None, "own sales have their own sheet"
        self._foreign, self._left_by = sale.foreign, left
        super().__init__(kit, lanes, desk, who, sale, names_en)
        self.body.insertWidget(0, WrappedLabel(self._where_sold, role="muted"))

    def gone(self) -> None:
        self._left_by()

    def _where_sold(self) -> str:
        parsed = parse_receipt_number(self._foreign.receipt_no)
        return self._kit.words.say(
            "Sold at till {till} on {day}. Head office keeps the goods for this return.",
            till=parsed[0] if parsed else "",
            day=self._foreign.document.business_date.iso(),
        )

    def _preview_of(
        self, lines: tuple[ReturnedLine, ...]
    ) -> tuple[ReturnQuote, tuple[EntryMove, ...]]:
        return self._desk.returns.preview(self._foreign, lines)

    def _send(self, quote: ReturnQuote, lines: tuple[ReturnedLine, ...], reason: str) -> None:
        """First the goods are this till's alone; only then the return is made."""
        self._lanes.run(
            self,
            "ask",
            lambda: self._desk.returns.keep(self._foreign, lines),
            ok=partial(self._commit, quote, lines, reason),
            failed=self._refused,
        )

    def _commit(
        self, quote: ReturnQuote, lines: tuple[ReturnedLine, ...], reason: str, hold: bytes
    ) -> None:
        session = self._who()
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.returns.take_back(
                self._command_id, session, self._foreign, lines, reason, quote, hold
            ),
            ok=self._done,
            failed=self._refused,
        )
