"""The events behind a figure of a report; Enter goes on to one document."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.documents.report import Part, Parts
from app.domain.business_day import BusinessDate
from app.formats import number
from ui.kit import Kit
from ui.models.report_rows import PartRows
from ui.widgets.basics import Button, Label
from ui.widgets.sheet import Sheet
from ui.widgets.table import RecordTable


class PartsSheet(Sheet):
    """Signals:
    wanted(part): open this event.
    """

    wanted = Signal(object)
    wide = 900

    def __init__(
        self, kit: Kit, title: str, parts: Parts, today: Callable[[], BusinessDate]
    ) -> None:
        super().__init__(kit, lambda: title)
        words = kit.words
        self.rows = PartRows(kit, today, parts.unit)
        self.rows.show(parts.parts)
        self.table = RecordTable(
            kit, self.rows, lambda: words.say("Events behind the figure"), whole=(0, 2, 5)
        )
        self.table.opened.connect(self._open)
        if parts.parts:
            self.table.selectRow(0)
        self.body.addWidget(self.table, 1)
        shown, count = len(parts.parts), parts.count
        self.foot.addWidget(
            Label(
                lambda: (
                    words.count("{count} event", "{count} events", count, count=number(count))
                    if shown == count
                    else words.say(
                        "The newest {shown} of {count}", shown=number(shown), count=number(count)
                    )
                ),
                role="caption",
            )
        )
        self.foot.addStretch()
        self.done = Button(kit, lambda: words.say("Close"))
        self.done.clicked.connect(self.step_back)
        self.foot.addWidget(self.done)

    def first_focus(self) -> QWidget:
        return self.table

    def height_for(self, width: int) -> int:
        return self._kit.look.px(560)

    def _open(self, row: int) -> None:
        part: Part | None = self.rows.record(row)
        if part is not None:
            self.wanted.emit(part)
