"""What the keys around the drawer set going: in, out, open, X report, count, end of a shift."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

from app.domain.business_day import BusinessDate
from app.domain.drawer import DrawerSums
from app.i18n import mark
from ui.actions import Action
from ui.desk_records import TillView
from ui.kit import Kit
from ui.lanes import Lanes
from ui.paper import Paper
from ui.screens.counter import Counter

if TYPE_CHECKING:
    from app.context import Session
    from app.queries.drawer import OpenDrawer, XReport
    from app.queries.records import StaffView
    from app.usecases.count import Counted
    from app.usecases.sell import Sold
    from ui.desk import Desk


class CashErrands:
    """The drawer of one counter.

    Attributes:
        shift_ended: told (session, staff) of who goes on at the till, and whether a shift of today is
            wanted at once; the shell's.
    """

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        counter: Counter,
        paper: Paper,
        *,
        who: Callable[[], Session],
        till: Callable[[], TillView],
        refusal: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kit, self._lanes, self._desk = kit, lanes, desk
        self._counter, self._paper = counter, paper
        self._sheets, self._strip = counter.sheets, counter.strip
        self._who, self._till, self._refusal, self._clock = who, till, refusal, clock
        self.shift_ended: Callable[[Session | None, StaffView | None, bool], None] = _nobody

    def actions(self) -> tuple[Action, ...]:
        """What F11 has of the drawer."""
        free = self._refusal
        pay_in, pay_out = partial(self.move, "in"), partial(self.move, "out")
        return (
            Action("pay_in", mark("Pay cash in"), "cr", pay_in, refusal=free),
            Action("pay_out", mark("Pay cash out"), "zc", pay_out, refusal=free),
            Action("drawer", mark("Open the drawer"), "qx", self.open_drawer, refusal=free),
            Action("x_report", mark("X report of the shift"), "xb", self.x_report, refusal=free),
            Action(
                "end_shift",
                mark("Hand over or close the shift"),
                "jb",
                self.end_shift,
                refusal=free,
            ),
        )

    def move(self, direction: Literal["in", "out"]) -> None:
        from ui.dialogs.cash_move import CashMoveSheet

        sheet = CashMoveSheet(self._kit, self._lanes, self._desk, self._who, direction)
        sheet.moved.connect(self._moved)
        self._sheets.open(sheet)

    def open_drawer(self) -> None:
        from ui.dialogs.cash_move import OpenDrawerSheet

        sheet = OpenDrawerSheet(self._kit, self._lanes, self._desk, self._who)
        sheet.opened.connect(self._opened)
        self._sheets.open(sheet)

    def x_report(self) -> None:
        from ui.dialogs.cash_x import XSheet

        def opened(report: XReport) -> None:
            sheet = XSheet(self._kit, self._lanes, self._desk, self._who, report)
            sheet.printed.connect(self._x_printed)
            self._sheets.open(sheet)

        self._ask(self._desk.cash.x_report, opened)

    def end_shift(self) -> None:
        """Count, then close; a drawer that was counted already goes on where it was."""
        from ui.dialogs.cash_count import CountSheet

        def opened(drawer: OpenDrawer | None) -> None:
            if drawer is None:
                return
            if drawer.counted is not None:
                self._close(drawer, drawer.counted.sums, drawer.counted.total_minor)
                return
            sheet = CountSheet(
                self._kit,
                self._lanes,
                self._desk,
                self._who,
                drawer,
                earlier=drawer.business_date < self._till().calendar,
                clock=self._clock,
            )
            sheet.counted.connect(partial(self._counted, drawer))
            sheet.uncounted.connect(lambda: self._close(drawer, None, None))
            self._sheets.open(sheet)

        self._ask(self._desk.cash.drawer, opened)

    def sold(self, sold: Sold) -> None:
        """Cash was taken: the drawer opens (flow 5)."""
        if any(tender.kind == "cash" for tender in sold.document.tenders):
            self.kick()

    def kick(self) -> None:
        """Open the drawer, in its turn on the print lane; nobody waits for it."""
        asked_s = time.monotonic()
        self._lanes.run(
            self._paper,
            "print",
            lambda: self._desk.cash.kick(asked_s),
            ok=lambda _: None,
            failed=lambda _: None,
        )

    def _counted(self, drawer: OpenDrawer, outcome: Counted) -> None:
        self._paper.print_waiting()
        self._close(drawer, outcome.sums, outcome.total_minor)

    def _close(self, drawer: OpenDrawer, sums: DrawerSums | None, total: int | None) -> None:
        from ui.dialogs.cash_close import CloseShiftSheet, Ending

        ending = Ending(drawer.shift_id, sums, total)
        sheet = CloseShiftSheet(self._kit, self._lanes, self._desk, self._who, ending)
        sheet.closed.connect(partial(self._closed, drawer.business_date))
        self._sheets.open(sheet)

    def _closed(self, on: BusinessDate, session: Session | None, staff: StaffView | None) -> None:
        words = self._kit.words
        self._strip.good_news(lambda: words.say("The shift is closed."))
        self._paper.print_waiting()
        self.shift_ended(session, staff, on < self._till().calendar)

    def _moved(self, said: str) -> None:
        self._strip.good_news(lambda: said)
        self.kick()
        self._paper.print_waiting()

    def _opened(self) -> None:
        words = self._kit.words
        has_printer = bool(self._desk.settings().receipt.printer)
        self._strip.good_news(
            lambda: (
                words.say("The drawer opens.")
                if has_printer
                else words.say("Recorded. Open the drawer with its key.")
            )
        )
        self.kick()

    def _x_printed(self) -> None:
        words = self._kit.words
        self._strip.good_news(lambda: words.say("The X report is printing."))
        self._paper.print_waiting()

    def _ask(self, function: Callable[[], object], ok: Callable[..., None]) -> None:
        self._lanes.run(self._counter, "db", function, ok=ok, failed=self._warn)

    def _warn(self, error: Exception) -> None:
        self._strip.fail(error)


def _nobody(session: Session | None, staff: StaffView | None, again: bool) -> None:
    del session, staff, again
