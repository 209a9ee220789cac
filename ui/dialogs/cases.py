"""The cases of the exception report, and one case: its events, what was said of it, and a word about it.

There is no way to take a case away; "seen" and "explained" are all that can be said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.documents.event_codes import CASE_REASONS, CASE_STATES
from app.domain.business_day import BusinessDate
from app.queries.audit import AuditLine
from app.queries.exceptions import CaseLine, Word
from ui.dialogs.audit_event import EVENT_COLUMNS
from ui.errors import words_of
from ui.guard_words import case_sentence, rule_name
from ui.kit import Kit
from ui.lanes import Lanes
from ui.models.audit_rows import AuditRows
from ui.models.exception_rows import CaseRows
from ui.widgets.basics import Button, Label, Text, WrappedLabel, card, rows
from ui.widgets.segments import Segment, Segments
from ui.widgets.sheet import Sheet
from ui.widgets.table import RecordTable

if TYPE_CHECKING:
    from app.context import Session
    from ui.desk import Desk


class CaseList(Sheet):
    """Signals:
    case_wanted(line): look into this one.
    """

    case_wanted = Signal(object)
    wide = 1240

    def __init__(
        self,
        kit: Kit,
        title: Text,
        lines: Sequence[CaseLine],
        found: int,
        today: Callable[[], BusinessDate],
    ) -> None:
        super().__init__(kit, title)
        self._found = found
        self.rows = CaseRows(kit, today)
        self.table = RecordTable(kit, self.rows, title, whole=(0, 1, 3, 4, 5))
        self.table.opened.connect(self._open)
        self.body.addWidget(self.table, 1)
        self.hint = Label(self._hint, role="caption")
        self.foot.addWidget(self.hint)
        self.foot.addStretch()
        self.show_lines(lines, found)

    def _hint(self) -> str:
        words, listed = self._kit.words, self.rows.rowCount()
        if listed == self._found:
            return words.say("Enter opens the case. No case goes away.")
        return words.say(
            "{listed} of {found} cases are listed; seen ones are left out first. A shorter period has all.",
            listed=listed,
            found=self._found,
        )

    def show_lines(self, lines: Sequence[CaseLine], found: int) -> None:
        """The list anew, on the same row; `found` are all that there are."""
        self._found = found
        row = max(0, self.table.currentIndex().row())
        self.rows.show(lines)
        self.table.selectRow(min(row, len(lines) - 1))
        self.hint.retranslate()

    def first_focus(self) -> QWidget:
        return self.table

    def height_for(self, width: int) -> int:
        return self._kit.look.px(600)

    def _open(self, row: int) -> None:
        line = self.rows.record(row)
        if line is not None:
            self.case_wanted.emit(line)


class CaseSheet(Sheet):
    """`may_judge` False (an auditor): to read only.

    Signals:
        said(): something was said of the case.
        wanted(line): open this event of it.
    """

    said = Signal()
    wanted = Signal(object)
    wide = 1240

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        who: Callable[[], Session],
        line: CaseLine,
        journal: Sequence[AuditLine],
        today: Callable[[], BusinessDate],
        *,
        may_judge: bool,
    ) -> None:
        words = kit.words
        super().__init__(kit, lambda: rule_name(kit, line.case.rule))
        self._lanes, self._desk, self._who, self._line = lanes, desk, who, line
        self._today = today
        self._command = desk.new_command()
        band = card("band", tone="accent")
        inside = rows(kit.look, band, margins=(16, 12, 16, 12), gap=4)
        inside.addWidget(WrappedLabel(lambda: case_sentence(kit, line.case), role="strong"))
        inside.addWidget(WrappedLabel(self._about, role="text2"))
        for word in line.words or (None,):
            inside.addWidget(WrappedLabel(partial(self._word, word), role="text2"))
        self.body.addWidget(band)
        self.rows = AuditRows(kit, today)
        self.rows.show(journal)
        self.table = RecordTable(
            kit, self.rows, lambda: words.say("Events behind the case"), whole=EVENT_COLUMNS
        )
        self.table.opened.connect(self._open)
        self.table.selectRow(0)
        self.body.addWidget(self.table, 1)
        self.problem = WrappedLabel(role="strong", tone="danger")
        self.body.addWidget(self.problem)
        self._make_foot(may_judge=may_judge)

    def _make_foot(self, *, may_judge: bool) -> None:
        kit, words = self._kit, self._kit.words
        self.reason = Segments(
            kit,
            lambda: words.say("Reason"),
            [Segment(code, partial(words.say, text)) for code, text in CASE_REASONS.items()],
            open_=True,
        )
        self.body.addWidget(self.reason)
        self.seen = Button(kit, lambda: words.say("Seen"))
        self.explain = Button(kit, lambda: words.say("Explain"), role="primary")
        self.seen.clicked.connect(lambda: self._say("seen"))
        self.explain.clicked.connect(lambda: self._say("explained"))
        self.reason.entered.connect(lambda: self._say("explained"))
        self.foot.addWidget(self.seen)
        self.foot.addWidget(self.explain, 1)
        for part in (self.reason, self.seen, self.explain):
            part.setVisible(may_judge)

    @property
    def busy(self) -> bool:
        return not self.seen.isEnabled()

    def first_focus(self) -> QWidget:
        return self.table

    def height_for(self, width: int) -> int:
        return self._kit.look.px(600)

    def warn(self, error: Exception) -> None:
        """What was asked for here can't be shown."""
        self.problem.tell(lambda: words_of(self._kit, error))

    def _open(self, row: int) -> None:
        line = self.rows.record(row)
        if line is not None:
            self.wanted.emit(line)

    def _about(self) -> str:
        words, line = self._kit.words, self._line
        if not line.member_name:
            return words.say("By {name}", name=line.staff.name)
        return words.say(
            "By {name}, member {member}", name=line.staff.name, member=line.member_name
        )

    def _word(self, word: Word | None) -> str:
        words = self._kit.words
        if word is None:
            return words.say("Nobody has looked at it yet.")
        state = words.say(CASE_STATES[word.state])
        at = self._kit.formats.moment(word.at, today=self._today().to_date())
        known = CASE_REASONS.get(word.reason)
        reason = words.say(known) if known else ""
        return " · ".join(part for part in (state, word.by.name, at, reason) if part)

    def _say(self, state: Literal["seen", "explained"]) -> None:
        if self.busy:
            return
        reason = self.reason.code if state == "explained" else ""
        if state == "explained" and not reason:
            words = self._kit.words
            self.problem.tell(lambda: words.say("Choose a reason."))
            self.reason.focus_here()
            return
        self._enable(False)
        command, session, key = self._command, self._who(), self._line.case.key
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.guard.say(command, session, key, state, reason),
            ok=lambda _: self._written(),
            failed=self._refused,
        )

    def _enable(self, on: bool) -> None:
        for button in (self.seen, self.explain):
            button.setEnabled(on)

    def _written(self) -> None:
        self._enable(True)
        self.closing.emit()
        self.said.emit()

    def _refused(self, error: Exception) -> None:
        self._enable(True)
        self.warn(error)
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)
