"""Why an action is not possible now, each in a sentence; "" when it is (counter-flows.md section 2)."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QStackedWidget

from ui.desk_records import TillView
from ui.dialogs.find_action import FindAction
from ui.dialogs.pay import Pay
from ui.kit import Kit
from ui.pages import COUNTER, exporting
from ui.screens.counter import Counter
from ui.widgets.sheet import Sheet


class Refusals:
    """Asked at each key press, so they only look at what is on screen."""

    def __init__(
        self, kit: Kit, counter: Counter, pages: QStackedWidget, till: Callable[[], TillView]
    ) -> None:
        self._kit, self._counter, self._pages, self._till = kit, counter, pages, till
        self._sheets = counter.sheets

    def _top(self) -> Sheet | None:
        """The list of actions goes before the action that was found in it."""
        return self._sheets.top_but(FindAction)

    def sheet(self) -> str:
        if self._top() is None and self._pages.currentIndex() == COUNTER:
            return ""
        return self._kit.words.say("Finish this first, or leave it with Esc.")

    def shift(self) -> str:
        return "" if self._till().shift else self._kit.words.say("Open a shift first.")

    def member(self) -> str:
        return "" if self._counter.attached else self._kit.words.say("Find a member first (F2).")

    def points(self) -> str:
        return self.sheet() or self._counter.redeeming.refusal()

    def return_goods(self) -> str:
        if self.sheet() or self.shift():
            return self.sheet() or self.shift()
        if not self._counter.cart.is_empty:
            return self._kit.words.say("A sale is open. Charge it or clear it first.")
        return ""

    def void(self) -> str:
        return self.sheet() or self.shift()

    def no_shift(self) -> str:
        if self._till().shift is None:
            return self.sheet()
        return self._kit.words.say("A shift is open already. Go on with it.")

    def pay(self) -> str:
        if isinstance(self._top(), Pay):
            return ""
        return self._kit.words.say("Tenders are chosen in Pay (F12).")

    def slip(self) -> str:
        if self._counter.charging.last_sale is not None:
            return ""
        return self._kit.words.say("No slip of this shift to print again.")

    def export(self) -> str:
        if exporting(self._pages.currentWidget()) is not None:
            return ""
        return self._kit.words.say("Open the reports first.")
