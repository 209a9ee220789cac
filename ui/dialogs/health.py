"""The health of the till on one sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtWidgets import QWidget

from app.domain.business_day import BusinessDate
from app.queries.health import Health
from ui.kit import Kit
from ui.models.health_rows import HealthLine, HealthRows, health_lines
from ui.widgets.sheet import Sheet
from ui.widgets.table import RecordTable


class HealthSheet(Sheet):
    """Reading only; Esc closes it."""

    wide = 760

    def __init__(
        self, kit: Kit, found: Health, now: datetime, today: Callable[[], BusinessDate]
    ) -> None:
        words = kit.words
        self._found, self._now, self._today = found, now, today
        super().__init__(kit, lambda: words.say("Health of the till"))
        self.rows = HealthRows(kit, today)
        self.rows.show(self._lines())
        self.table = RecordTable(kit, self.rows, lambda: words.say("Health of the till"))
        self.table.selectRow(0)
        self.body.addWidget(self.table, 1)

    def retranslate(self) -> None:
        super().retranslate()
        if hasattr(self, "table"):  # The sheet speaks once before it is filled.
            row = self.table.currentIndex().row()
            self.rows.show(self._lines())
            self.table.selectRow(row)

    def _lines(self) -> Sequence[HealthLine]:
        return health_lines(self._kit, self._found, self._now, self._today())

    def first_focus(self) -> QWidget:
        return self.table

    def height_for(self, width: int) -> int:
        return self._kit.look.px(520)
