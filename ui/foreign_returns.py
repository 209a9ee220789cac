"""From another till's receipt to its return here: head office is asked, and the sheet opens with its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from app.domain.errors import Refusal, Refused
from ui.errors import sentence, words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.screens.counter import Counter
from ui.sounds import REFUSED, UNKNOWN

if TYPE_CHECKING:
    from app.context import Session
    from app.domain.documents import ForeignSale
    from app.usecases.return_goods import SaleOnScreen
    from ui.desk import Desk


class ForeignReturns:
    """Of one counter. `returned` is told the sentence of a return that was made.

    Attributes:
        asking: the number that head office is asked for, "" while it isn't.
    """

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        counter: Counter,
        *,
        who: Callable[[], Session],
        returned: Callable[[str], None],
    ) -> None:
        self._kit, self._lanes, self._desk, self._counter = kit, lanes, desk, counter
        self._who, self._returned = who, returned
        self.asking = ""

    def ask(self, number: str) -> None:
        """Ask head office for the sale of a receipt number; one question at a time."""
        if not self.asking:
            self._ask(number, self._found, self._not_found)

    def look_elsewhere(self, sale: SaleOnScreen, return_here: Callable[[], None]) -> None:
        """Before goods of an own sale come back: whether some of it came back at another till. Where head
        office doesn't answer or knows no more than this till, `return_here` goes on as ever."""

        def found(answer: tuple[SaleOnScreen, Mapping[str, str]]) -> None:
            if answer[0].kept == sale.kept:
                self._heard()
                return_here()
            else:
                self._found(answer)

        def failed(error: Exception) -> None:
            if isinstance(error, Refused) and error.code is Refusal.RETURN_ELSEWHERE:
                self._not_found(error)
            else:
                self._heard()
                return_here()

        if not self.asking:
            self._ask(sale.receipt_no, found, failed)

    def _ask(
        self,
        number: str,
        ok: Callable[[tuple[SaleOnScreen, Mapping[str, str]]], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self.asking, words = number, self._kit.words
        self._counter.strip.tell(
            lambda: words.say("Asking head office for {number}…", number=number)
        )
        self._lanes.run(
            self._counter, "ask", partial(self._desk.returns.find, number), ok=ok, failed=failed
        )

    def _heard(self) -> None:
        self.asking = ""
        self._counter.strip.drop_passing()

    def _found(self, answer: tuple[SaleOnScreen, Mapping[str, str]]) -> None:
        from ui.dialogs.foreign_return import ForeignReturn

        self._heard()
        sale, names_en = answer
        if not any(sale.kept):
            nothing_left = partial(sentence, self._kit, Refusal.RETURN_NOTHING_LEFT, {})
            self._counter.strip.refuse(nothing_left)
        elif self._counter.sheets.top is None:  # Else the cashier has gone on.
            assert sale.foreign is not None, "head office gave it"
            sheet = ForeignReturn(
                self._kit, self._lanes, self._desk, self._who, sale, names_en,
                partial(self._let_go, sale.foreign),
            )  # fmt: skip
            sheet.returned.connect(self._returned)
            sheet.scan_refused.connect(partial(self._counter.sounds.play, UNKNOWN))
            self._counter.sheets.open(sheet)

    def _not_found(self, error: Exception) -> None:
        self.asking = ""
        self._counter.sounds.play(REFUSED)
        self._counter.strip.refuse(partial(words_of, self._kit, error))

    def _let_go(self, sale: ForeignSale) -> None:
        """Head office hears of it at once: somebody may wait for these goods elsewhere."""
        self._lanes.run(
            self._counter, "ask", partial(self._desk.returns.keep_no_more, sale),
            ok=lambda _: self._counter.hold_ended.emit(), failed=self._counter.warn,
        )  # fmt: skip
