"""The drawer within the day's close: the blind count, then the difference and its reason; both end the shift.

The same use-cases as the sheets of the shift alone: one count, one difference, one second person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.domain.errors import Refusal
from ui.dialogs.approval import approve_first
from ui.dialogs.cash_close import DIFFERENCE_REASONS, UNCOUNTED_REASONS, EndFigures
from ui.dialogs.cash_count import CountBoard
from ui.errors import sentence, words_of
from ui.keyboard import OnceGuard
from ui.kit import Kit
from ui.lanes import Lanes
from ui.widgets.basics import Label, Text, rows
from ui.widgets.reasons import reasons
from ui.widgets.segments import Segments
from ui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from app.context import Session
    from app.domain.drawer import DrawerSums
    from app.queries.drawer import OpenDrawer
    from app.usecases.close_shift import ClosedShift
    from app.usecases.count import Counted
    from ui.desk import Desk


class DrawerPart(QWidget):
    """Signals:
    counted(): the count is kept, or nobody can count; the difference is asked now.
    ended(): the shift is closed.
    ready(): every field was gone through; the sheet's button is next.
    said(text): why it didn't work.
    """

    counted = Signal()
    ended = Signal()
    ready = Signal()
    said = Signal(object)

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        who: Callable[[], Session],
        drawer: OpenDrawer,
        sheet: Sheet,
        clock: Callable[[], float],
    ) -> None:
        super().__init__()
        self._kit, self._lanes, self._desk, self._who = kit, lanes, desk, who
        self._drawer, self._sheet = drawer, sheet
        self._guard = OnceGuard(clock)
        self._count_command, self._end_command = desk.new_command(), desk.new_command()
        self.busy = False
        self.reason: Segments | None = None
        self._inside = rows(kit.look, self, gap=12)
        self.board = CountBoard(kit, drawer.face_values, self._guard)
        self.board.finished.connect(self.ready)
        self._inside.addWidget(self.board)
        if drawer.counted is not None:
            self._show_end(drawer.counted.sums, drawer.counted.total_minor)

    @property
    def counting(self) -> bool:
        """Whether the count is still to be submitted."""
        return not self.board.isHidden()

    def first_focus(self) -> QWidget | None:
        """None: nothing is to be typed, the sheet's button is next."""
        return self.board.next_field() if self.counting else self.reason

    def submit(self) -> None:
        """Keep the count, or close the shift."""
        if self.busy or self._sheet.asking or not self._guard.lets_through():
            return
        if self.counting:
            self._count()
        else:
            self._end()

    def leave_uncounted(self) -> None:
        """Nobody can count: somebody signs for it."""
        if not (self.busy or self._sheet.asking) and self.counting:
            self._show_end(None, None)
            self.counted.emit()

    def _count(self) -> None:
        words = self._kit.words
        if self.board.is_empty:
            self.said.emit(lambda: words.say("Enter how many there are of each; 0 if none."))
            self.board.pieces[0].setFocus(Qt.FocusReason.OtherFocusReason)
            return
        session, counted = self._who(), self.board.counted()
        command_id, shift_id = self._count_command, self._drawer.shift_id

        def kept(outcome: Counted) -> None:
            self.busy = False
            self._show_end(outcome.sums, outcome.total_minor)
            self.counted.emit()

        self._run(lambda: self._desk.cash.count(command_id, session, shift_id, counted), kept)

    def _show_end(self, sums: DrawerSums | None, total: int | None) -> None:
        """Expected and counted, and a reason where something differs or nobody counted."""
        self.board.hide()
        self._inside.addWidget(EndFigures(self._kit, sums, total))
        codes: Sequence[str]
        if sums is None or total is None:
            codes = UNCOUNTED_REASONS
        elif total != sums.expected_minor:
            codes = DIFFERENCE_REASONS
        else:
            return
        words = self._kit.words
        self._inside.addWidget(Label(lambda: words.say("Reason"), role="muted"))
        self.reason = reasons(self._kit, codes)
        self.reason.entered.connect(self.submit)
        self._inside.addWidget(self.reason)

    def _end(self) -> None:
        reason = self.reason.code if self.reason is not None else ""
        if self.reason is not None and not reason:
            self.said.emit(lambda: sentence(self._kit, Refusal.REASON_NEEDED, {}))
            self.reason.setFocus()
            return
        session, command_id, shift_id = self._who(), self._end_command, self._drawer.shift_id

        def closed(_: ClosedShift) -> None:
            self.busy = False
            self.ended.emit()

        self._run(
            lambda: self._desk.cash.close(command_id, session, shift_id, reason, ("", "")), closed
        )

    def _run(self, function: Callable[[], object], ok: Callable[..., None]) -> None:
        self.busy = True
        self.said.emit(lambda: "")
        self._lanes.run(self, "db", function, ok=ok, failed=self._refused)

    def _refused(self, error: Exception) -> None:
        self.busy = False
        if not approve_first(
            self._sheet, self._kit, self._lanes, self._desk, self._who, error,
            again=self._end, declined=self._decline,
        ):  # fmt: skip
            self.said.emit(lambda: words_of(self._kit, error))

    def _decline(self, said: Text) -> None:
        self.said.emit(said)
