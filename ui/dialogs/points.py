"""Looking into a member's points: why these, which lots, the whole ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.domain.business_day import BusinessDate
from app.queries.records import LedgerLine, LotLine
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.models.ledger_rows import LedgerRows
from ui.models.lot_rows import LotRows
from ui.widgets.basics import Button, Label, WrappedLabel, card, rows
from ui.widgets.sheet import Sheet
from ui.widgets.table import RecordTable

if TYPE_CHECKING:
    from app.queries.why import Why


class WhyPoints(Sheet):
    """The working of one document's points: one sentence, then every step; `answers` by language."""

    wide = 640

    def __init__(self, kit: Kit, answers: Mapping[str, Why]) -> None:
        super().__init__(kit, lambda: kit.words.say("Why these points?"))
        self._answers = answers
        answer = self._answer()
        band = card("band", tone="accent")
        inside = rows(kit.look, band, margins=(16, 12, 16, 12))
        inside.addWidget(WrappedLabel(lambda: self._answer().headline, role="strong"))
        self.body.addWidget(band)
        for at in range(len(answer.working)):
            self.body.addWidget(WrappedLabel(partial(self._step, at), role="text2"))
        self.body.addStretch()
        if answer.receipt_no:
            self.foot.addWidget(
                Label(
                    lambda: kit.words.say("Receipt {number}", number=answer.receipt_no),
                    role="caption",
                )
            )
        self.foot.addStretch()
        self.done = Button(kit, lambda: kit.words.say("Close"))
        self.done.clicked.connect(self.step_back)
        self.foot.addWidget(self.done)

    def _answer(self) -> Why:
        return self._answers[self._kit.words.language]

    def _step(self, at: int) -> str:
        return self._answer().working[at]

    def first_focus(self) -> QWidget:
        return self.done


class Ledger(Sheet):
    """Signals:
    why_wanted(event_id): explain the opened entry.
    """

    why_wanted = Signal(object)
    wide = 900

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        lines: Sequence[LedgerLine],
        older: Callable[[LedgerLine], Sequence[LedgerLine]],
        today: Callable[[], BusinessDate],
    ) -> None:
        super().__init__(kit, lambda: kit.words.say("Ledger"))
        self._lanes, self._older = lanes, older
        self._lines = list(lines)
        self._whole = not lines
        self._rows = LedgerRows(kit, today, operator=True)
        self._rows.show(self._lines)
        self.table = RecordTable(kit, self._rows, lambda: kit.words.say("Ledger"), whole=(0,))
        self.table.opened.connect(self._open)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._at_row())
        self.table.selectRow(0)
        self.body.addWidget(self.table, 1)
        self.hint = Label(lambda: kit.words.say("Enter explains an entry."), role="caption")
        self.foot.addWidget(self.hint)
        self.foot.addStretch()

    def first_focus(self) -> QWidget:
        return self.table

    def height_for(self, width: int) -> int:
        return self._kit.look.px(620)

    def _at_row(self) -> None:
        """At the last line: the part that follows it, if there is one."""
        if self._whole or self.table.currentIndex().row() < len(self._lines) - 1:
            return
        self._whole, last = True, self._lines[-1]
        self._lanes.run(
            self, "db", lambda: self._older(last), ok=self._append, failed=self._try_again
        )

    def _try_again(self, error: Exception) -> None:
        self._whole = False  # The next move to the last line asks once more.
        self.hint.tell(lambda: words_of(self._kit, error))

    def _append(self, lines: Sequence[LedgerLine]) -> None:
        if not lines:
            return
        at = self.table.currentIndex().row()
        self._lines += lines
        self._whole = False
        self._rows.show(self._lines)
        self.table.selectRow(at)

    def _open(self, row: int) -> None:
        line = self._rows.record(row)
        if line is not None:
            self.why_wanted.emit(line.event_id)


class Lots(Sheet):
    """Every open lot with its expiry and where it came from."""

    wide = 820

    def __init__(
        self, kit: Kit, lines: Sequence[LotLine], today: Callable[[], BusinessDate]
    ) -> None:
        super().__init__(kit, lambda: kit.words.say("Points by lot"))
        self._rows = LotRows(kit, today)
        self._rows.show(lines)
        self.table = RecordTable(
            kit, self._rows, lambda: kit.words.say("Points by lot"), whole=(1,)
        )
        self.table.selectRow(0)
        self.body.addWidget(self.table, 1)
        if not lines:
            self.body.addWidget(WrappedLabel(lambda: kit.words.say("No points yet."), role="muted"))

    def first_focus(self) -> QWidget:
        return self.table

    def height_for(self, width: int) -> int:
        return self._kit.look.px(560)
