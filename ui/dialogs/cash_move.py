"""Cash into or out of the drawer, and the drawer opened without a sale: a reason, then done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.domain.errors import Refusal
from app.i18n import mark
from ui.dialogs.approval import approve_first
from ui.errors import sentence, words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.widgets.basics import Button, Label, Text, WrappedLabel
from ui.widgets.number_fields import AmountField
from ui.widgets.reasons import reasons
from ui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from app.context import Session
    from app.usecases.cash_move import CashMoved
    from ui.desk import Desk

IN_REASONS: Final = ("change_fetched", "float_added", "other")
OUT_REASONS: Final = ("bank", "supplier", "expense", "other")
OPEN_REASONS: Final = ("give_change", "check", "mistake", "other")
_TITLES: Final = {"in": mark("Pay in"), "out": mark("Pay out")}


class ReasonedSheet(Sheet):
    """A sheet that ends with a reason and one button; `submit` commits, `done` follows.

    Attributes:
        reason: the segments, none chosen.
        problem: why it didn't work; what was typed stays.
    """

    wide = 620

    def __init__(
        self, kit: Kit, lanes: Lanes, desk: Desk, who: Callable[[], Session], title: Text
    ) -> None:
        super().__init__(kit, title)
        self._lanes, self._desk, self._who = lanes, desk, who
        self._command_id = desk.new_command()
        self._title_of = title

    def _ask_reason(self, codes: Sequence[str]) -> None:
        words = self._kit.words
        self.body.addWidget(Label(lambda: words.say("Reason"), role="muted"))
        self.reason = reasons(self._kit, codes)
        self.body.addWidget(self.reason)
        self.problem = WrappedLabel(role="strong", tone="danger")
        self.body.addWidget(self.problem)
        self.commit = Button(self._kit, self._title_of, role="primary")
        self.foot.addWidget(self.commit, 1)
        self.commit.clicked.connect(self.submit)
        self.reason.entered.connect(self.submit)

    @property
    def busy(self) -> bool:
        return self.asking or not self.commit.isEnabled()

    def submit(self) -> None:
        """Commit, once there is a reason."""
        if self.busy:
            return
        if not self.reason.code:
            self.problem.tell(lambda: sentence(self._kit, Refusal.REASON_NEEDED, {}))
            self.reason.focus_here()
            return
        self._send()

    def _send(self) -> None:
        raise NotImplementedError

    def _run(self, function: Callable[[], object], ok: Callable[..., None]) -> None:
        self.commit.setEnabled(False)
        self._lanes.run(self, "db", function, ok=ok, failed=self._refused)

    def _refused(self, error: Exception) -> None:
        self.commit.setEnabled(True)
        if not approve_first(
            self, self._kit, self._lanes, self._desk, self._who, error,
            again=self.submit, declined=self.problem.tell,
        ):  # fmt: skip
            self.problem.tell(lambda: words_of(self._kit, error))


class CashMoveSheet(ReasonedSheet):
    """Signals:
    moved(sentence): it is done, and the drawer may open.
    """

    moved = Signal(str)

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        who: Callable[[], Session],
        direction: Literal["in", "out"],
    ) -> None:
        words = kit.words
        super().__init__(kit, lanes, desk, who, lambda: words.say(_TITLES[direction]))
        self._direction = direction
        self.body.addWidget(Label(lambda: words.say("Amount"), role="muted"))
        self.amount = AmountField(kit, lambda: words.say("Amount"), several=False)
        self.body.addWidget(self.amount)
        self._ask_reason(IN_REASONS if direction == "in" else OUT_REASONS)
        self.amount.entered.connect(self._amount_given)

    def first_focus(self) -> QWidget:
        return self.amount

    def submit(self) -> None:
        if self._amount_given():
            super().submit()

    def _amount_given(self) -> bool:
        if not self.amount.amount():
            self.problem.tell(lambda: sentence(self._kit, Refusal.CASH_AMOUNT_NEEDED, {}))
            self.amount.setFocus(Qt.FocusReason.OtherFocusReason)
            return False
        self.problem.clear()
        if self.amount.hasFocus():
            self.reason.focus_here()
        return True

    def _send(self) -> None:
        minor, reason, session = self.amount.amount() or 0, self.reason.code, self._who()
        self._run(
            lambda: self._desk.cash.move(self._command_id, session, self._direction, minor, reason),
            self._done,
        )

    def _done(self, moved: CashMoved) -> None:
        words, money = self._kit.words, self._kit.formats.money(moved.amount_minor)
        said = (
            words.say("Paid in {money}.", money=money)
            if moved.direction == "in"
            else words.say("Paid out {money}.", money=money)
        )
        self.closing.emit()
        self.moved.emit(said)


class OpenDrawerSheet(ReasonedSheet):
    """Signals:
    opened(): it is recorded; now the drawer may open.
    """

    opened = Signal()

    def __init__(self, kit: Kit, lanes: Lanes, desk: Desk, who: Callable[[], Session]) -> None:
        words = kit.words
        super().__init__(kit, lanes, desk, who, lambda: words.say("Open the drawer"))
        self._ask_reason(OPEN_REASONS)

    def first_focus(self) -> QWidget:
        return self.reason

    def _send(self) -> None:
        reason, session = self.reason.code, self._who()
        self._run(
            lambda: self._desk.cash.open(self._command_id, session, reason), lambda _: self._done()
        )

    def _done(self) -> None:
        self.closing.emit()
        self.opened.emit()
