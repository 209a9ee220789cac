"""The X report of the open shift on screen; F10 prints it. Cash is a word until the drawer was counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.documents.day_slips import TENDER_WORDS
from app.formats import number
from app.i18n import mark
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.widgets.basics import Button, Label, Text, WrappedLabel, rule
from ui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from app.context import Session
    from app.queries.drawer import XReport
    from ui.desk import Desk

_DOCUMENTS: Final = (mark("Sales"), mark("Returns"), mark("Voids"))


class XSheet(Sheet):
    """Signals:
    printed(): it is on its way to paper.
    """

    printed = Signal()
    wide = 620

    def __init__(
        self, kit: Kit, lanes: Lanes, desk: Desk, who: Callable[[], Session], report: XReport
    ) -> None:
        words, formats = kit.words, kit.formats
        super().__init__(kit, lambda: words.say("X report"))
        self._lanes, self._desk, self._who = lanes, desk, who
        self._command_id = desk.new_command()
        since = formats.time(report.opened_at)
        self.body.addWidget(
            Label(
                lambda: words.say(
                    "Shift of {who} since {time}, business date {day}",
                    who=report.staff,
                    time=since,
                    day=report.business_date.iso(),
                ),
                role="strong",
            )
        )
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(kit.look.px(24))
        self._grid.setVerticalSpacing(kit.look.px(6))
        self._grid.setColumnStretch(0, 1)
        self.body.addLayout(self._grid)
        self._fill(report)
        self.problem = WrappedLabel(role="strong", tone="danger")
        self.body.addWidget(self.problem)
        self.print_it = Button(kit, lambda: words.say("Print (F10)"), role="primary")
        self.foot.addWidget(self.print_it, 1)
        self.print_it.clicked.connect(self.submit)

    def _fill(self, report: XReport) -> None:
        words, formats = self._kit.words, self._kit.formats
        counts = (report.sales, report.returns, report.voids)
        for name, count in zip(_DOCUMENTS, counts, strict=True):
            self._line(name, number(count))
        for kind, minor in report.tenders:
            self._line(TENDER_WORDS.get(kind, kind), formats.money(minor))
        self._line(mark("Drawer opened without a sale"), number(report.openings))
        self._grid.addWidget(rule(), self._grid.rowCount(), 0, 1, 2)
        self._line(mark("Float"), formats.money(report.float_minor))
        self._line(mark("Paid in"), formats.money(report.paid_in_minor))
        self._line(mark("Paid out"), formats.money(-report.paid_out_minor))
        if report.cash is None:
            said = WrappedLabel(
                lambda: words.say("Cash sales are shown after the count."), role="text2"
            )
            self._grid.addWidget(said, self._grid.rowCount(), 0, 1, 2)
            return
        sums = report.cash.sums
        self._line(mark("Cash sales"), formats.money(sums.sales_minor))
        self._line(mark("Cash given back"), formats.money(-sums.refunds_minor))
        self._line(mark("Expected in the drawer"), formats.money(sums.expected_minor))
        self._line(mark("Counted"), formats.money(report.cash.total_minor))
        difference = report.cash.difference_minor
        sign = "+" if difference > 0 else ""
        self._line(mark("Difference"), f"{sign}{formats.money(difference)}")

    def _line(self, name: str, value: str) -> None:
        row = self._grid.rowCount()
        self._grid.addWidget(Label(self._said(name)), row, 0)
        figure = Label(lambda: value, role="strong")
        self._grid.addWidget(figure, row, 1, Qt.AlignmentFlag.AlignRight)

    def _said(self, name: str) -> Text:
        return lambda: self._kit.words.say(name)

    @property
    def busy(self) -> bool:
        return not self.print_it.isEnabled()

    def first_focus(self) -> QWidget:
        return self.print_it

    def takes_key(self, key: str) -> bool:
        """F10 prints what is on the sheet."""
        if key != "F10":
            return False
        self.submit()
        return True

    def submit(self) -> None:
        """Queue it for the printer, once."""
        if not self.print_it.isEnabled():
            return
        self.print_it.setEnabled(False)
        session = self._who()
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.cash.print_x(self._command_id, session),
            ok=lambda _: self._done(),
            failed=self._refused,
        )

    def _done(self) -> None:
        self.print_it.setEnabled(True)
        self.closing.emit()
        self.printed.emit()

    def _refused(self, error: Exception) -> None:
        self.print_it.setEnabled(True)
        self.problem.tell(lambda: words_of(self._kit, error))
