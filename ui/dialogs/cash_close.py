"""The end of a shift: the difference with its reason, or a signature where nobody counted; who takes over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.domain.drawer import DrawerSums
from app.domain.errors import Refusal, Refused
from ui.desk_records import Scan
from ui.dialogs.cash_move import ReasonedSheet
from ui.kit import Kit
from ui.lanes import Lanes
from ui.widgets.basics import Label, Text, WrappedLabel, columns, rows
from ui.widgets.number_fields import CodeField, PinField

if TYPE_CHECKING:
    from app.context import Session
    from app.queries.records import StaffView
    from app.usecases.close_shift import ClosedShift
    from ui.desk import Desk

DIFFERENCE_REASONS: Final = ("wrong_change", "not_entered", "unknown", "other")
UNCOUNTED_REASONS: Final = ("power_cut", "person_gone", "other")
_OF_THE_NEXT: Final = (
    Refusal.PIN_WRONG,
    Refusal.PIN_LOCKED,
    Refusal.PIN_BLOCKED,
    Refusal.APPROVAL_OWN,
)


@dataclass(frozen=True, slots=True)
class Ending:
    """The shift that ends. `sums` and `total_minor` are None where nobody counted."""

    shift_id: bytes
    sums: DrawerSums | None
    total_minor: int | None


class EndFigures(QFrame):
    """Expected and counted, and the sentence over them (S34); where nobody counted, only that.

    Attributes:
        said: the sentence.
    """

    def __init__(self, kit: Kit, sums: DrawerSums | None, total: int | None) -> None:
        super().__init__()
        words, self._kit = kit.words, kit
        difference = 0 if sums is None or total is None else total - sums.expected_minor
        tone = "danger" if difference or total is None else ""
        self.setProperty("role", "band")
        if tone:
            self.setProperty("tone", tone)
        inside = rows(kit.look, self, margins=(16, 12, 16, 12), gap=6)
        if sums is None or total is None:
            self.said = WrappedLabel(
                lambda: words.say("Nobody counted this drawer. A manager signs for it."),
                role="strong",
            )
            inside.addWidget(self.said)
            return
        line = columns(kit.look, gap=24)
        line.addLayout(self._figure(lambda: words.say("Expected"), sums.expected_minor), 1)
        line.addLayout(self._figure(lambda: words.say("Counted"), total), 1)
        inside.addLayout(line)
        money = ("+" if difference > 0 else "") + kit.formats.money(difference)
        self.said = WrappedLabel(
            lambda: (
                words.say("Count submitted. Difference {money}: choose a reason.", money=money)
                if difference
                else words.say("Count submitted. Nothing differs.")
            ),
            role="strong",
            tone=tone,
        )
        inside.addWidget(self.said)

    def _figure(self, name: Text, minor: int) -> QVBoxLayout:
        pair = rows(self._kit.look, gap=0)
        pair.addWidget(Label(name, role="muted"))
        pair.addWidget(Label(lambda: self._kit.formats.money(minor), role="figure"))
        return pair


class CloseShiftSheet(ReasonedSheet):
    """Signals:
    closed(session, staff): the shift is over; both None, or who took over and is at the till now.
    """

    closed = Signal(object, object)
    wide = 760

    def __init__(
        self, kit: Kit, lanes: Lanes, desk: Desk, who: Callable[[], Session], ending: Ending
    ) -> None:
        words = kit.words
        super().__init__(kit, lanes, desk, who, lambda: words.say("Close the shift"))
        self._ending = ending
        sums, total = ending.sums, ending.total_minor
        self._difference = 0 if sums is None or total is None else total - sums.expected_minor
        self._uncounted = total is None
        figures = EndFigures(kit, sums, total)
        self.difference = figures.said
        self.body.addWidget(figures)
        self.body.addLayout(self._taking_over())
        self._ask_reason(UNCOUNTED_REASONS if self._uncounted else DIFFERENCE_REASONS)
        needed = self._uncounted or self._difference != 0
        self.reason.setVisible(needed)
        self._needs_reason = needed
        self.next_who.entered.connect(self.next_pin.setFocus)
        self.next_pin.entered.connect(self.submit)

    def _taking_over(self) -> QVBoxLayout:
        """Who comes next signs with their own PIN; left empty, the shift just ends."""
        words = self._kit.words
        part = rows(self._kit.look, gap=6)
        hint = Label(lambda: words.say("Handed over to (may stay empty)"), role="muted")
        self.next_who = CodeField(lambda: words.say("Initials or badge"), role="search")
        self.next_pin = PinField(lambda: words.say("PIN of who takes over"))
        line = columns(self._kit.look, gap=12)
        line.addWidget(self.next_who, 1)
        line.addWidget(self.next_pin, 1)
        self.next_who.setPlaceholderText(words.say("Initials or badge"))
        self.next_pin.setPlaceholderText(words.say("PIN"))
        part.addWidget(hint)
        part.addLayout(line)
        return part

    def first_focus(self) -> QWidget:
        return self.reason if self._needs_reason else self.commit

    def takes_scan(self, scan: Scan) -> bool:
        """A badge names who takes over; their PIN is still asked."""
        if scan.kind != "staff":
            return False
        self.next_who.setText(scan.code)
        self.next_pin.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def submit(self) -> None:
        """Close; the reason is asked where something differs or nobody counted."""
        if self._needs_reason or not self.commit.isEnabled():
            super().submit()
        else:
            self._send()

    def _send(self) -> None:
        session, desk, ending = self._who(), self._desk, self._ending
        reason, command_id = self.reason.code, self._command_id
        to = (self.next_who.text().strip(), self.next_pin.text())

        def close() -> tuple[ClosedShift, tuple[Session, StaffView] | None]:
            closed = desk.cash.close(command_id, session, ending.shift_id, reason, to)
            return closed, desk.sign_in(desk.new_command(), *to) if to[0] else None

        self._run(close, self._done)

    def _done(self, result: tuple[ClosedShift, tuple[Session, StaffView] | None]) -> None:
        session, staff = result[1] or (None, None)
        self.closing.emit()
        self.closed.emit(session, staff)

    def _refused(self, error: Exception) -> None:
        super()._refused(error)
        if isinstance(error, Refused) and error.code in _OF_THE_NEXT:
            self.next_pin.clear()
            self.next_pin.setFocus(Qt.FocusReason.OtherFocusReason)
