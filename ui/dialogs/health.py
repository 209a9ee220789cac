"""The health of the till on one sheet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtWidgets import QWidget

from app.domain.business_day import BusinessDate
from app.queries.health import Health
from ui.kit import Kit
from ui.models.health_rows import HealthRows, health_lines
from ui.widgets.sheet import Sheet
from ui.widgets.table import RecordTable


class HealthSheet(Sheet):
    """Reading only; Esc closes it."""

    wide = 760

    def __init__(
        self, kit: Kit, found: Health, now: datetime, today: Callable[[], BusinessDate]
    ) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Health of the till"))
        self.rows = HealthRows(kit, today)
        self.rows.show(health_lines(kit, found, now, today()))
        self.table = RecordTable(kit, self.rows, lambda: words.say("Health of the till"))
        self.table.selectRow(0)
        self.body.addWidget(self.table, 1)

    def first_focus(self) -> QWidget:
        return self.table

    def height_for(self, width: int) -> int:
        return self._kit.look.px(520)
