"""Nobody found here: head office is asked for a whole phone or card number, while the cashier goes on: what was
typed, or an unknown card that was scanned. By four digits it is asked when the cashier says so."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from app.queries.records import MemberHit, SearchResult
from app.sync.outcome import Offered
from ui.lanes import Lanes, Latest
from ui.screens.find_panel import FindPanel

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from ui.desk import Desk


class Elsewhere:
    """Of one search box. `again` searches a text once more, when its member has come."""

    def __init__(
        self, finder: FindPanel, lanes: Lanes, desk: Desk, again: Callable[[str], None]
    ) -> None:
        self._finder, self._desk, self._again = finder, desk, again
        self._asking: Latest[int | None] = Latest(lanes, "ask", interrupt=lambda: None)
        self._few: Latest[Offered | None] = Latest(lanes, "ask", interrupt=lambda: None)
        self._asked = ""
        finder.few_wanted.connect(self._ask_by_few)
        finder.offer_taken.connect(self._take)

    def typed(self, text: str) -> None:
        """Another text: what head office says of the one before is of no use."""
        if text != self._asked:
            self._asked = ""
            self._asking.drop()
            self._few.drop()

    def shown(self, result: SearchResult) -> None:
        """What the till itself has found is on the screen."""
        stands = result.text == self._finder.box.whole_text().strip()
        if not stands or result.text == self._asked:
            return
        if self._desk.exchange.asks_by_few(result.text):
            self._finder.say_elsewhere("few")
        if result.hits or not self._desk.exchange.asks(result.text):
            return
        self._asked = result.text
        self._finder.say_elsewhere("asking")
        self._asking.ask(
            self._finder,
            partial(self._desk.exchange.look_up, result.text),
            ok=partial(self._answered, result.text),
            failed=lambda error: self._finder.say_elsewhere("gone"),
        )

    def _answered(self, text: str, came: int | None) -> None:
        if came:
            self._again(text)
        else:
            self._finder.say_elsewhere("gone" if came is None else "none")

    # By four digits

    def _ask_by_few(self, text: str) -> None:
        if not self._desk.exchange.asks_by_few(text):
            return
        self._asked = text
        self._finder.say_elsewhere("asking")
        self._few.ask(
            self._finder,
            partial(self._desk.exchange.offer, text),
            ok=partial(self._offered, text),
            failed=lambda error: self._finder.say_elsewhere("gone"),
        )

    def _offered(self, text: str, offered: Offered | None) -> None:
        if offered is None or not offered.candidates:
            self._finder.say_elsewhere("gone" if offered is None else offered.why or "none")
            return
        digits = "".join(each for each in text if each.isdecimal())
        self._finder.offer(
            tuple(
                MemberHit(
                    each.member,
                    each.name,
                    f"**** {digits}",
                    "",
                    None,
                    ("phone",),
                    (),
                    (),
                    each.where,
                )
                for each in offered.candidates
            )
        )

    def _take(self, text: str, hit: MemberHit) -> None:
        self._asked = text
        self._finder.say_elsewhere("asking")
        self._asking.ask(
            self._finder,
            partial(self._desk.exchange.take, text, hit.member_id),
            ok=partial(self._taken, text, hit),
            failed=lambda error: self._finder.say_elsewhere("gone"),
        )

    def _taken(self, text: str, hit: MemberHit, came: int | None) -> None:
        if came == 0:
            self._finder.say_elsewhere("often")
            return
        self._answered(text, came)
        if came:
            self._finder.picked.emit(hit)


class CardElsewhere:
    """A scanned card that nobody has here. One at a time: the next one takes its place."""

    def __init__(self, owner: QWidget, lanes: Lanes, desk: Desk) -> None:
        self._owner, self._desk = owner, desk
        self._asking: Latest[int | None] = Latest(lanes, "ask", interrupt=lambda: None)
        self._asked = ""

    def ask(self, code: str, answered: Callable[[str], None]) -> bool:
        """Ask, if there is somebody to ask and this was not just asked; `answered` hears came, none or gone,
        unless it was dropped."""
        asked, self._asked = self._asked, ""
        if code == asked or not self._desk.exchange.asks(code):
            return False

        def heard(came: int | None) -> None:
            # Who came and isn't found by it after all is not asked for again and again.
            self._asked = code if came else ""
            answered("came" if came else "gone" if came is None else "none")

        self._asking.ask(
            self._owner,
            partial(self._desk.exchange.look_up, code),
            ok=heard,
            failed=lambda error: answered("gone"),
        )
        return True

    def drop(self) -> None:
        """Whose card it is is of no use any more."""
        self._asked = ""
        self._asking.drop()
