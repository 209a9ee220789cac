"""The blind count (counter-flows.md section 5): pieces by face value, and the sum of what was counted.

No other figure stands on this sheet. What the drawer should hold comes with the answer, after the one submit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.errors import words_of
from ui.keyboard import OnceGuard
from ui.kit import Kit
from ui.lanes import Lanes
from ui.widgets.basics import Button, Label, Text, WrappedLabel, card, columns, rows
from ui.widgets.number_fields import WholeField
from ui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from app.context import Session
    from app.queries.drawer import OpenDrawer
    from app.usecases.count import Counted
    from ui.desk import Desk


class CountBoard(QWidget):
    """Pieces by face value, and the sum of what is typed. No other figure stands on it.

    Signals:
    finished(): Enter in the last field.
    """

    finished = Signal()

    def __init__(self, kit: Kit, face_values: tuple[int, ...], guard: OnceGuard) -> None:
        super().__init__()
        self._kit, self._values, self._guard = kit, face_values, guard
        self.setProperty("role", "clear")
        inside = rows(kit.look, self, gap=12)
        self.pieces = [self._field(value) for value in face_values]
        self._amounts = [Label() for _ in face_values]
        inside.addLayout(self._grid())
        inside.addWidget(self._sums())
        self._show()

    def _field(self, value: int) -> WholeField:
        words, formats = self._kit.words, self._kit.formats
        name = partial(formats.money_short, value)
        field = WholeField(
            lambda: words.say("Pieces of {money}", money=name()), digits=5, role="pieces"
        )
        field.changed.connect(self._show)
        field.entered.connect(partial(self._next, field))
        field.stepped.connect(partial(self._step, field))
        return field

    def _grid(self) -> QGridLayout:
        look, formats = self._kit.look, self._kit.formats
        grid = QGridLayout()
        grid.setHorizontalSpacing(look.px(12))
        grid.setVerticalSpacing(look.px(6))
        half = (len(self.pieces) + 1) // 2  # Two columns: a small screen has no room for one.
        for at, value in enumerate(self._values):
            row, group = at % half, at // half * 5
            label = Label(partial(formats.money_short, value), role="strong")
            label.setMinimumWidth(look.px(64))
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            grid.addWidget(label, row, group, right)
            grid.addWidget(Label(lambda: "×", role="muted"), row, group + 1)
            self.pieces[at].setMaximumWidth(look.px(120))
            grid.addWidget(self.pieces[at], row, group + 2)
            self._amounts[at].setMinimumWidth(look.px(96))
            self._amounts[at].setAlignment(right)
            grid.addWidget(self._amounts[at], row, group + 3, right)
        grid.setColumnMinimumWidth(4, look.px(24))
        grid.setColumnStretch(9, 1)
        return grid

    def _sums(self) -> QWidget:
        words, look = self._kit.words, self._kit.look
        band = card("band")
        line = columns(look, band, margins=(16, 10, 16, 10), gap=16)
        counted, expected = rows(look, gap=0), rows(look, gap=0)
        counted.addWidget(Label(lambda: words.say("Counted so far"), role="muted"))
        self.total = Label(role="pay")
        counted.addWidget(self.total)
        counted.addStretch()
        expected.addWidget(Label(lambda: words.say("Expected"), role="muted"))
        expected.addWidget(Label(lambda: words.say("shown after you submit")))
        expected.addStretch()
        line.addLayout(counted, 1)
        line.addLayout(expected, 1)
        return band

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed at all."""
        return not any(field.text() for field in self.pieces)

    def next_field(self) -> WholeField | None:
        """The first one that says nothing yet."""
        return next((field for field in self.pieces if not field.text()), None)

    def counted(self) -> tuple[tuple[int, int], ...]:
        """(face value, pieces) of each."""
        pairs = zip(self._values, self.pieces, strict=True)
        return tuple((value, field.value() or 0) for value, field in pairs)

    def total_minor(self) -> int:
        """The sum of what is typed."""
        return sum(value * pieces for value, pieces in self.counted())

    def _next(self, field: WholeField) -> None:
        self._guard.lets_through()  # It remembers this Enter: its bounce must not submit.
        at = self.pieces.index(field)
        if at + 1 < len(self.pieces):
            self.pieces[at + 1].setFocus(Qt.FocusReason.TabFocusReason)
        else:
            self.finished.emit()

    def _step(self, field: WholeField, step: int) -> None:
        at = min(max(self.pieces.index(field) + step, 0), len(self.pieces) - 1)
        self.pieces[at].setFocus(Qt.FocusReason.TabFocusReason)

    def _show(self) -> None:
        formats = self._kit.formats
        for label, (value, pieces) in zip(self._amounts, self.counted(), strict=True):
            said = formats.money(value * pieces) if pieces else ""
            label.tell(self._constant(said))
        total = formats.money(self.total_minor())
        self.total.tell(lambda: total)

    @staticmethod
    def _constant(said: str) -> Text:
        return lambda: said


class CountSheet(Sheet):
    """Signals:
    counted(outcome): the count is kept; what was expected is known now.
    uncounted(): nobody can count; the shift is to be signed for.
    """

    counted = Signal(object)
    uncounted = Signal()
    wide = 760

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        who: Callable[[], Session],
        drawer: OpenDrawer,
        *,
        earlier: bool,
        clock: Callable[[], float],
    ) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Count the drawer"))
        self._lanes, self._desk, self._who, self._drawer = lanes, desk, who, drawer
        self._command_id = desk.new_command()
        self._guard = OnceGuard(clock)
        if earlier:
            day = drawer.business_date.iso()
            self.body.addWidget(
                WrappedLabel(
                    lambda: words.say("The shift of {day} isn't closed. Count it first.", day=day),
                    role="strong",
                    tone="warn",
                )
            )
        self.board = CountBoard(kit, drawer.face_values, self._guard)
        self.pieces, self.total = self.board.pieces, self.board.total
        self.body.addWidget(self.board)
        self.problem = WrappedLabel(role="strong", tone="danger")
        self.body.addWidget(self.problem)
        self.without = Button(kit, lambda: words.say("Close without counting"))
        self.commit = Button(kit, lambda: words.say("Submit the count"), role="primary")
        self.foot.addWidget(self.without)
        self.foot.addWidget(self.commit, 1)
        self.without.clicked.connect(self._leave_uncounted)
        self.commit.clicked.connect(self.submit)
        self.board.finished.connect(lambda: self.commit.setFocus(Qt.FocusReason.TabFocusReason))

    @property
    def busy(self) -> bool:
        return not self.commit.isEnabled()

    def first_focus(self) -> QWidget:
        return self.board.next_field() or self.commit

    def submit(self) -> None:
        """Keep the count; there is no second one."""
        if not self.commit.isEnabled() or not self._guard.lets_through():
            return
        if self.board.is_empty:
            words = self._kit.words
            self.problem.tell(lambda: words.say("Enter how many there are of each; 0 if none."))
            self.pieces[0].setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.commit.setEnabled(False)
        session, counted = self._who(), self.board.counted()
        shift_id = self._drawer.shift_id
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.cash.count(self._command_id, session, shift_id, counted),
            ok=self._done,
            failed=self._refused,
        )

    def _leave_uncounted(self) -> None:
        self.closing.emit()
        self.uncounted.emit()

    def _done(self, outcome: Counted) -> None:
        self.closing.emit()
        self.counted.emit(outcome)

    def _refused(self, error: Exception) -> None:
        self.commit.setEnabled(True)
        self.problem.tell(lambda: words_of(self._kit, error))
        self.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)
