"""The list of what needs a hand (flow 19), and the incidents that a person has to have read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.domain.business_day import BusinessDate
from app.i18n import mark
from ui.attention import NeedLine
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.models.record_rows import RecordColumns
from ui.widgets.basics import Button, Label, WrappedLabel
from ui.widgets.sheet import Sheet
from ui.widgets.table import RecordTable

if TYPE_CHECKING:
    from ui.desk import Desk


class _NeedRows(RecordColumns[NeedLine]):
    heads = (mark("Since"), mark("What is so"), mark("Next step"))

    def cells(self, record: NeedLine) -> tuple[str, ...]:
        since = record.since(self._kit, self._today().to_date())
        return (since, record.what(), record.step())


class AttentionList(Sheet):
    """One line each, oldest first; Enter opens the place that settles it."""

    wide = 900

    def __init__(self, kit: Kit, lines: Sequence[NeedLine], today: date) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Needs attention"))
        self.rows = _NeedRows(kit, lambda: BusinessDate.from_iso(today.isoformat()))
        self.rows.show(lines)
        self.table = RecordTable(kit, self.rows, lambda: words.say("Needs attention"), whole=(0, 2))
        self.table.opened.connect(self._open)
        self.table.selectRow(0)
        self.body.addWidget(self.table, 1)
        self.table.setVisible(bool(lines))  # In the sheet first: alone it would be a window.
        if not lines:
            self.body.addWidget(
                WrappedLabel(lambda: words.say("Nothing needs a hand."), role="muted")
            )
        else:
            self.foot.addWidget(
                Label(lambda: words.say("Enter opens where it is settled."), role="caption")
            )
        self.foot.addStretch()

    def first_focus(self) -> QWidget:
        return self.table if self.rows.rowCount() else super().first_focus()

    def height_for(self, width: int) -> int:
        if not self.rows.rowCount():
            return super().height_for(width)
        return self._kit.look.px(200) + self.rows.rowCount() * self._kit.look.dense(38, 32)

    def _open(self, row: int) -> None:
        line = self.rows.record(row)
        if line is not None:
            self.closing.emit()
            line.settle()


class Incidents(Sheet):
    """What the till mended or found wrong by itself, to be read and marked; `last` is the highest place among
    them (app.queries.attention).

    Signals:
        seen(): they are marked.
    """

    seen = Signal()
    wide = 760

    def __init__(
        self, kit: Kit, lanes: Lanes, desk: Desk, noted: Sequence[NeedLine], last: int, today: date
    ) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Noted by the till"))
        self._lanes, self._desk, self._last = lanes, desk, last
        for line in noted:
            self.body.addWidget(WrappedLabel(partial(_said, kit, line, today)))
        self.body.addWidget(
            WrappedLabel(
                lambda: words.say("Tell the manager. What is marked stays on record."),
                role="muted",
            )
        )
        self.problem = WrappedLabel(role="strong", tone="danger")
        self.body.addWidget(self.problem)
        self.done = Button(kit, lambda: words.say("Mark as read"), role="primary")
        self.done.clicked.connect(self._mark)
        self.foot.addWidget(self.done, 1)

    @property
    def busy(self) -> bool:
        return not self.done.isEnabled()

    def first_focus(self) -> QWidget:
        return self.done

    def _mark(self) -> None:
        self.done.setEnabled(False)
        self._lanes.run(
            self, "db", lambda: self._desk.incidents_seen(self._last),
            ok=lambda _: self._marked(), failed=self._refused,
        )  # fmt: skip

    def _marked(self) -> None:
        self.closing.emit()
        self.seen.emit()

    def _refused(self, error: Exception) -> None:
        self.done.setEnabled(True)
        self.problem.tell(lambda: words_of(self._kit, error))


def _said(kit: Kit, line: NeedLine, today: date) -> str:
    return f"{kit.formats.moment(line.at, today=today)}  {line.what()}"
