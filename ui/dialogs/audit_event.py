"""Events of the journal: a list of some, and one with what it says and what was before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.documents.audit_words import kind_name
from app.domain.business_day import BusinessDate
from app.formats import number
from app.queries.audit import AuditLine
from app.queries.event_facts import Fact
from ui.kit import Kit
from ui.lanes import Lanes
from ui.models.audit_rows import AuditRows, FactRows
from ui.widgets.basics import Label, Text, WrappedLabel
from ui.widgets.sheet import Sheet, SheetHost
from ui.widgets.table import RecordTable

if TYPE_CHECKING:
    from app.context import Session
    from ui.desk import Desk

EVENT_COLUMNS = (0, 1, 2, 3, 4, 6, 8, 9)
"""The columns of AuditRows that are read out whole."""


@dataclass(frozen=True, slots=True)
class EventOpener:
    """Opens one event over whatever shows a list of them."""

    kit: Kit
    lanes: Lanes
    desk: Desk
    who: Callable[[], Session]
    today: Callable[[], BusinessDate]

    def open(
        self,
        asker: QWidget,
        over: SheetHost,
        line: AuditLine,
        failed: Callable[[Exception], None],
    ) -> None:
        """Read what the event says, then show it, unless `asker`, the sheet or the page that wants it and
        hears what `failed`, is gone by then."""
        session = self.who()

        def opened(facts: tuple[Fact, ...]) -> None:
            if asker.isVisible():
                over.open(AuditEvent(self.kit, line, facts, self.today))

        self.lanes.run(
            asker,
            "report",
            lambda: self.desk.audit.facts(session, line.seq),
            ok=opened,
            failed=failed,
        )


class EventList(Sheet):
    """Signals:
    wanted(line): open this event.
    """

    wanted = Signal(object)
    wide = 1240

    def __init__(
        self, kit: Kit, title: Text, lines: Sequence[AuditLine], today: Callable[[], BusinessDate]
    ) -> None:
        super().__init__(kit, title)
        self.rows = AuditRows(kit, today)
        self.rows.show(lines)
        self.table = RecordTable(kit, self.rows, title, whole=EVENT_COLUMNS)
        self.table.opened.connect(self._open)
        self.table.selectRow(0)
        self.body.addWidget(self.table, 1)
        self.foot.addWidget(
            Label(lambda: kit.words.say("Enter opens an event, Esc goes back."), role="caption")
        )
        self.foot.addStretch()

    def first_focus(self) -> QWidget:
        return self.table

    def height_for(self, width: int) -> int:
        return self._kit.look.px(600)

    def _open(self, row: int) -> None:
        line = self.rows.record(row)
        if line is not None:
            self.wanted.emit(line)


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
            parts = (at, name, line.member, line.receipt_no)
            return " · ".join(part for part in parts if part)

        self.body.addWidget(WrappedLabel(about, role="text2"))
        self.rows = FactRows(kit, today, line.kind)
        self.rows.show(facts)
        self.table = RecordTable(kit, self.rows, lambda: words.say("What the event says"))
        self.table.selectRow(0)
        self.body.addWidget(self.table, 1)

    def first_focus(self) -> QWidget:
        return self.table

    def height_for(self, width: int) -> int:
        return self._kit.look.px(560)
