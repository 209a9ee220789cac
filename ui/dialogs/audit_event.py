"""One event of the journal: what it says, and what was before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QWidget

from app.documents.audit_words import kind_name
from app.domain.business_day import BusinessDate
from app.formats import number
from app.queries.audit import AuditLine, Fact
from ui.kit import Kit
from ui.models.audit_rows import FactRows
from ui.widgets.basics import WrappedLabel
from ui.widgets.sheet import Sheet
from ui.widgets.table import RecordTable


class AuditEvent(Sheet):
    """Reading only; Esc closes it."""

    wide = 900

    def __init__(
        self, kit: Kit, line: AuditLine, facts: Sequence[Fact], today: Callable[[], BusinessDate]
    ) -> None:
        words = kit.words
        super().__init__(kit, lambda: f"{number(line.seq)} · {kind_name(words, line.kind)}")

        def about() -> str:
            at = kit.formats.moment(line.at, today=today().to_date())
            name = line.staff.name if line.staff else ""
            return " · ".join(part for part in (at, name, line.member, line.detail) if part)

        self.body.addWidget(WrappedLabel(about, role="text2"))
        self.rows = FactRows(kit, today)
        self.rows.show(facts)
        self.table = RecordTable(kit, self.rows, lambda: words.say("What the event says"))
        self.table.selectRow(0)
        self.body.addWidget(self.table, 1)

    def first_focus(self) -> QWidget:
        return self.table

    def height_for(self, width: int) -> int:
        return self._kit.look.px(560)
