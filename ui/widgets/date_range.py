"""Two dates that somebody types, from and to, checked as soon as one of them is left or entered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.domain.business_day import BusinessDate
from app.intake import parse_day
from ui.kit import Kit
from ui.widgets.basics import Label, Text, columns, nothing
from ui.widgets.text_fields import TextField

LONGEST_DAYS = 3_660
"""Ten years: more than that is a slip of the hand."""


class DateRange(QWidget):
    """Signals:
    entered(): both dates hold; `span` has them.
    """

    entered = Signal()

    def __init__(self, kit: Kit, today: Callable[[], BusinessDate]) -> None:
        super().__init__()
        words = kit.words
        self._kit, self._today = kit, today
        self.first = TextField(lambda: words.say("From"))
        self.last = TextField(lambda: words.say("To"))
        self.problem = Label(nothing, role="strong", tone="danger")
        row = columns(kit.look, self, gap=8)
        for name, field in (("From", self.first), ("To", self.last)):
            row.addWidget(Label(partial(words.say, name), role="muted"))
            field.setMaximumWidth(kit.look.px(150))
            row.addWidget(field)
        row.addWidget(self.problem, 1)
        self.first.entered.connect(self._to_last)
        self.last.entered.connect(self._enter)
        for field in (self.first, self.last):
            field.editingFinished.connect(self._say)
        self.show_span(today(), today())

    @property
    def span(self) -> tuple[BusinessDate, BusinessDate] | None:
        """The dates, None while they don't hold."""
        first, last = self._dates()
        if self._fault(first, last) is not None or first is None or last is None:
            return None
        return first, last

    def show_span(self, first: BusinessDate, last: BusinessDate) -> None:
        """Begin from these."""
        self.first.setText(first.iso())
        self.last.setText(last.iso())
        self._say()

    def focus_here(self) -> None:
        self.first.setFocus(Qt.FocusReason.OtherFocusReason)
        self.first.selectAll()

    def retranslate(self) -> None:
        self._say()

    def _dates(self) -> tuple[BusinessDate | None, BusinessDate | None]:
        today = self._today().to_date()
        found = [parse_day(field.text(), today) for field in (self.first, self.last)]
        first, last = (None if day is None else BusinessDate.of(day) for day in found)
        return first, last

    def _fault(self, first: BusinessDate | None, last: BusinessDate | None) -> Text | None:
        """What is wrong with them, None where nothing is."""
        words = self._kit.words
        if first is None or last is None:
            return lambda: words.say("There is no such day. Type it as 2026-11-21 or 1121.")
        if first > last:
            return lambda: words.say("The first day is after the last one.")
        if last > self._today():
            return lambda: words.say("That day has not come yet.")
        if last - first >= LONGEST_DAYS:
            return lambda: words.say("Ten years at most.")
        return None

    def _say(self) -> None:
        first, last = self._dates()
        fault = self._fault(first, last)
        self.problem.tell(fault or nothing)
        self.first.mark_wrong(first is None)
        self.last.mark_wrong(last is None or (first is not None and fault is not None))
        for field, day in ((self.first, first), (self.last, last)):
            if day is not None and not field.hasFocus():
                field.setText(day.iso())

    def _to_last(self) -> None:
        self._say()
        if self._dates()[0] is not None:
            self.last.setFocus(Qt.FocusReason.TabFocusReason)
            self.last.selectAll()

    def _enter(self) -> None:
        self._say()
        if self.span is not None:
            self.entered.emit()
