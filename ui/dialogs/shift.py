"""Open a shift (flow 15), and switch the person at the till without losing the sale (flow 16)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.queries.records import StaffView
from ui.desk_records import TillView
from ui.dialogs.approval import approve_first
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.widgets.basics import Button, Label, WrappedLabel, nothing
from ui.widgets.number_fields import AmountField, PinField
from ui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from pathlib import Path

    from app.context import Session
    from ui.desk import Desk


class OpenShift(Sheet):
    """Signals:
    opened(session): the shift is open.
    """

    opened = Signal(object)
    wide = 480

    def __init__(
        self, kit: Kit, lanes: Lanes, desk: Desk, who: Callable[[], Session], till: TillView
    ) -> None:
        super().__init__(kit, lambda: kit.words.say("Open shift"))
        self._lanes, self._desk, self._who = lanes, desk, who
        self._command_id = desk.new_command()
        words = kit.words
        day = till.today.iso()
        self.body.addWidget(Label(lambda: words.say("Business date {day}", day=day), role="strong"))
        self.last_close = WrappedLabel(partial(_last_close, kit, till), role="text2")
        self.body.addWidget(self.last_close)
        self.body.addWidget(Label(lambda: words.say("Float in the drawer"), role="muted"))
        self.float = AmountField(kit, lambda: words.say("Float in the drawer"), several=False)
        self.body.addWidget(self.float)
        self.problem = WrappedLabel(role="strong", tone="danger")
        self.body.addWidget(self.problem)
        self.patience = WrappedLabel(role="text2")
        self.patience.hide()
        self.body.addWidget(self.patience)
        self.begin = Button(kit, lambda: words.say("Open shift"), role="primary")
        self.foot.addWidget(self.begin, 1)
        self.float.entered.connect(self._float_given)
        self.begin.clicked.connect(self._open)

    @property
    def busy(self) -> bool:
        return self.asking or not self.begin.isEnabled()

    def first_focus(self) -> QWidget:
        return self.float

    def _float_given(self) -> None:
        amount = self.float.amount()
        if amount is None:
            words = self._kit.words
            self.problem.tell(lambda: words.say("Count the drawer and enter the float; 0 if none."))
            return
        self.float.show_amount(amount)
        self.begin.setFocus(Qt.FocusReason.OtherFocusReason)

    def _open(self) -> None:
        if self.busy:
            return
        amount = self.float.amount()
        if amount is None:
            self._float_given()
            return
        self.begin.setEnabled(False)
        self._lanes.run(
            self,
            "db",
            self._desk.shift_takes_long,
            ok=partial(self._open_with, amount),
            failed=self._refused,
        )

    def _open_with(self, amount: int, takes_long: bool) -> None:
        session, command_id, words = self._who(), self._command_id, self._kit.words
        self.problem.tell(nothing)
        if takes_long:
            self.patience.show()
            self.patience.tell(
                lambda: words.say(
                    "The members that came from head office are sorted first, this once: wait some seconds."
                )
            )
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.open_shift(command_id, session, amount),
            ok=self._opened,
            failed=self._refused,
        )

    def _opened(self, session: Session) -> None:
        self.closing.emit()
        self.opened.emit(session)

    def _refused(self, error: Exception) -> None:
        self.begin.setEnabled(True)
        self.patience.hide()
        if approve_first(
            self, self._kit, self._lanes, self._desk, self._who, error,
            again=self._open, declined=self.problem.tell,
        ):  # fmt: skip
            return
        self.problem.tell(lambda: words_of(self._kit, error))
        self.float.setFocus(Qt.FocusReason.OtherFocusReason)


def _last_close(kit: Kit, till: TillView) -> str:
    words, close = kit.words, till.last_close
    if close is None:
        return words.say("No day was closed at this till yet.")
    at = kit.formats.moment(close.at, today=till.calendar.to_date())
    return words.say(
        "Last close: Z {number} of {day}, {at}", number=close.number, day=close.on.iso(), at=at
    )


class SwitchPerson(Sheet):
    """Signals:
    switched(session, staff): the same cart, another name.
    """

    switched = Signal(object, object)
    wide = 420

    def __init__(self, kit: Kit, lanes: Lanes, desk: Desk, staff: StaffView, who: str) -> None:
        super().__init__(kit, lambda: kit.words.say("Switch to {name}", name=staff.name))
        self._lanes, self._desk, self._who = lanes, desk, who
        words = kit.words
        self.body.addWidget(Label(lambda: words.say("PIN"), role="muted"))
        self.pin = PinField(lambda: words.say("PIN"))
        self.body.addWidget(self.pin)
        self.problem = WrappedLabel(nothing, role="strong", tone="danger")
        self.body.addWidget(self.problem)
        self.pin.entered.connect(self._check)

    def first_focus(self) -> QWidget:
        return self.pin

    def _check(self) -> None:
        if not self.pin.text() or not self.pin.isEnabled():
            return
        self.pin.setEnabled(False)
        command_id, pin = self._desk.new_command(), self.pin.text()
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.sign_in(command_id, self._who, pin),
            ok=self._signed_in,
            failed=self._refused,
        )

    def _signed_in(self, result: tuple[Session, StaffView]) -> None:
        self.closing.emit()
        self.switched.emit(*result)

    def _refused(self, error: Exception) -> None:
        self.pin.setEnabled(True)
        self.pin.clear()
        self.problem.tell(lambda: words_of(self._kit, error))
        self.pin.setFocus(Qt.FocusReason.OtherFocusReason)


class BeginTraining(Sheet):
    """Signals:
    begun(folder, passphrase): the store to practise in is ready.
    """

    begun = Signal(object, object)
    wide = 480

    def __init__(self, kit: Kit, lanes: Lanes, desk: Desk, staff: StaffView) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Practise"))
        self._lanes, self._desk, self._staff = lanes, desk, staff
        self.body.addWidget(
            WrappedLabel(
                lambda: words.say(
                    "A shop of its own with your items and no member. Nothing of it is real, and the "
                    "live till waits. F11 lx ends it."
                )
            )
        )
        self.body.addWidget(Label(lambda: words.say("{name}: your PIN", name=staff.name)))
        self.pin = PinField(lambda: words.say("PIN"))
        self.body.addWidget(self.pin)
        self.problem = WrappedLabel(nothing, role="strong", tone="danger")
        self.body.addWidget(self.problem)
        self.pin.entered.connect(self._begin)

    def first_focus(self) -> QWidget:
        return self.pin

    @property
    def busy(self) -> bool:
        return not self.pin.isEnabled()

    def _begin(self) -> None:
        if not self.pin.text() or not self.pin.isEnabled():
            return
        self.pin.setEnabled(False)
        who, pin = self._staff.initials, self.pin.text()
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.staff.begin_training(who, pin),
            ok=self._begun,
            failed=self._refused,
        )

    def _begun(self, store: tuple[Path, str]) -> None:
        self.pin.setEnabled(True)
        self.closing.emit()
        self.begun.emit(*store)

    def _refused(self, error: Exception) -> None:
        self.pin.setEnabled(True)
        self.pin.clear()
        self.problem.tell(lambda: words_of(self._kit, error))
        self.pin.setFocus(Qt.FocusReason.OtherFocusReason)
