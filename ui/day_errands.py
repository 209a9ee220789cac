"""What F11 starts around the day: the close, a backup now; and what the till did by itself at night."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from ui.follow_up import FollowUp
from ui.kit import Kit
from ui.lanes import Lanes
from ui.night import Night
from ui.paper import Paper
from ui.widgets.sheet import Sheet, SheetHost
from ui.widgets.strip import Strip

CART: Final = "cart"

if TYPE_CHECKING:
    from app.backup import Backup
    from app.context import Session
    from app.usecases.close_day import Closed
    from ui.desk import Desk
    from ui.desk_day import DayView


class DayErrands(QObject):
    """Signals:
    closed(sentence): a date is closed; its Z waits for paper.
    shift_ended(): its shift was closed with it; nobody has one now.
    followed(): what follows a Z is done: reports may wait for paper, something may need a hand.
    """

    closed = Signal(str)
    shift_ended = Signal()
    followed = Signal()

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        sheets: SheetHost,
        strip: Strip,
        session: Callable[[], Session | None],
        paper: Paper,
        settle: Callable[[str], None],
        *,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(sheets)
        self._kit, self._lanes, self._desk = kit, lanes, desk
        self._sheets, self._strip, self._session = sheets, strip, session
        self._paper, self._settle, self._clock = paper, settle, clock
        self._of_night: tuple[Closed, ...] = ()
        self.night = Night(sheets, lanes, desk.day, taken=lambda: sheets.busy, clock=clock)
        self.night.failed.connect(self._warn)
        self.night.closed.connect(self._closed_at_night)
        self.night.followed.connect(self.followed)

    def close_day(self) -> None:
        """F11 `rj`: the oldest date that is not closed yet."""
        from ui.dialogs.close_day import CloseDay

        def seen(view: DayView) -> None:
            sheet = CloseDay(self._kit, self._lanes, self._desk, self._who, view, self._clock)
            sheet.closed.connect(partial(self._closed, view))
            sheet.shift_ended.connect(self.shift_ended)
            sheet.settle_wanted.connect(partial(self._to_item, sheet))
            self._paper.changed.connect(sheet.paper_changed)
            self._sheets.open(sheet)

        words = self._kit.words
        if self.night.closing:
            self._strip.refuse(
                lambda: words.say(
                    "The till closes a date by itself just now. Try again in a moment."
                )
            )
        elif self._session() is not None:
            self._lanes.run(self._sheets, "db", self._desk.day.look, ok=seen, failed=self._warn)

    def _to_item(self, sheet: Sheet, code: str) -> None:
        if code == CART:
            sheet.step_back()
        self._settle(code)

    def _closed(self, view: DayView, said: str) -> None:
        self.closed.emit(said)
        on = view.on
        assert on is not None, "a date was closed"
        FollowUp(
            self._sheets, self._lanes, self._desk.day, on,
            done=self.followed.emit, failed=self._warn,
        ).start()  # fmt: skip

    def back_up(self) -> None:
        """F11 `bf`: a backup now, while the counter goes on."""
        session = self._session()
        if session is None:
            return
        words, day, lanes, here = self._kit.words, self._desk.day, self._lanes, self._sheets

        def noted(made: Backup) -> None:
            self._strip.good_news(lambda: words.say("Backup {name} is made.", name=made.name))

        def made(backup: Backup) -> None:
            lanes.run(here, "db", lambda: day.note(backup, session), ok=noted, failed=self._warn)

        def allowed(_: None) -> None:
            lanes.run(here, "backup", day.back_up, ok=made, failed=self._warn)

        lanes.run(here, "db", lambda: day.may_back_up(session), ok=allowed, failed=self._warn)

    def tell_of_night(self) -> None:
        """After a sign-in: the first hears of the closes that the till made by itself."""
        self._of_night = ()
        self._lanes.run(
            self._sheets, "db", self._desk.day.closed_unseen,
            ok=self._tell, failed=self._warn,
        )  # fmt: skip

    def _who(self) -> Session:
        session = self._session()
        assert session is not None, "a sheet is open only while somebody is signed in"
        return session

    def _closed_at_night(self, closed: Closed) -> None:
        """One date after the other, and nobody has to be there: the notice is of all of them."""
        self._of_night = (*self._of_night, closed)
        self._tell(self._of_night)

    def _tell(self, closes: tuple[Closed, ...]) -> None:
        """One notice of all of them, which names each date whose drawer nobody counted."""
        if not closes:
            return
        words, last = self._kit.words, closes[-1]
        uncounted = ", ".join(closed.on.iso() for closed in closes if closed.uncounted)

        def say() -> str:
            told = words.count(
                "The till closed {date} itself (Z {number}).",
                "The till closed {count} dates itself, the last one {date} (Z {number}).",
                len(closes),
                count=len(closes),
                date=last.on.iso(),
                number=f"{last.number:06d}",
            )
            if not uncounted:
                return told
            return f"{told} " + words.say("Drawer not counted: {dates}.", dates=uncounted)

        self._strip.warn(say)

    def _warn(self, error: Exception) -> None:
        self._strip.fail(error)
