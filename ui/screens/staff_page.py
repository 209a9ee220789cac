"""The staff: who works here, in which role, who is at the till, and the way to change it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt

from app.queries.staff import StaffLine
from ui.errors import words_of
from ui.models.staff_rows import StaffRows
from ui.screens.rail_page import RailPage, Surroundings
from ui.widgets.basics import Button, Label, WrappedLabel, card, columns, nothing, rows
from ui.widgets.table import RecordTable


class StaffPage(RailPage):
    """Enter on a person opens them; the button below adds one."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        kit, words = around.kit, around.kit.words
        outer = rows(kit.look, self, margins=16, gap=12)
        frame = card()
        inside = rows(kit.look, frame, margins=20, gap=12)
        inside.addWidget(Label(lambda: words.say("Who works here"), role="title"))
        self.problem = WrappedLabel(nothing, role="strong", tone="danger")
        self.problem.setMinimumHeight(kit.look.px(28))
        inside.addWidget(self.problem)
        self.rows = StaffRows(kit, around.today)
        self.table = RecordTable(
            kit, self.rows, lambda: words.say("Who works here"), whole=(0, 2, 3)
        )
        self.table.opened.connect(self._open)
        inside.addWidget(self.table, 1)
        foot = columns(kit.look, gap=12)
        self.add = Button(kit, lambda: words.say("New person"), role="primary")
        self.add.clicked.connect(self._add)
        self._foot = Label(nothing, role="caption")
        foot.addWidget(self._foot, 1)
        foot.addWidget(self.add)
        inside.addLayout(foot)
        outer.addWidget(frame, 1)

    def fill_anew(self) -> None:
        """On each visit and after each change."""
        session = self._who()
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.staff.people(session),
            ok=self._show,
            failed=self._refused,
        )

    def _show(self, people: Sequence[StaffLine]) -> None:
        row = max(self.table.currentIndex().row(), 0)
        self.problem.clear()
        self.add.setEnabled(True)
        self.rows.show(people)
        above, words = any(line.above for line in people), self._kit.words
        self.add.setVisible(not above)
        self._foot.tell(
            lambda: (
                words.say("Head office says who works here. PINs and badges are set here.")
                if above
                else words.say("Enter opens a person. Nobody is ever deleted.")
            )
        )
        self.table.selectRow(min(row, len(people) - 1))
        if self._sheets.top is None:
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _refused(self, error: Exception) -> None:
        self.rows.show(())
        self.add.setEnabled(False)
        self.problem.tell(lambda: words_of(self._kit, error))

    def _open(self, row: int) -> None:
        from ui.dialogs.staff import PersonSheet

        line = self.rows.record(row)
        if line is None:
            return
        sheet = PersonSheet(self._kit, self._lanes, self._desk, self._who, line)
        sheet.changed.connect(self._changed)
        sheet.pin_wanted.connect(partial(self._new_pin, line))
        self._sheets.open(sheet)

    def _new_pin(self, line: StaffLine) -> None:
        from ui.dialogs.staff import NewPin

        sheet = NewPin(self._kit, self._lanes, self._desk, self._who, line.staff)
        sheet.changed.connect(self._changed)
        self._sheets.open(sheet)

    def _add(self) -> None:
        from ui.dialogs.staff import AddPerson

        sheet = AddPerson(self._kit, self._lanes, self._desk, self._who)
        sheet.changed.connect(self._changed)
        self._sheets.open(sheet)

    def _changed(self, said: str) -> None:
        self._strip.good_news(lambda: said)
        self.fill_anew()
