"""Exceptions (counter-flows.md section 5): who does what how often against the others, and every case.

A sheet over the counter: Enter goes from a person to their cases or from a count to its events, down to one
event with before and after; Esc walks back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QAbstractItemView, QWidget

from app.domain.business_day import BusinessDate
from app.i18n import mark
from app.queries.audit import AuditLine
from app.queries.exceptions import CaseLine, Exceptions, PersonLine
from ui.dialogs.audit_event import EventList, EventOpener
from ui.dialogs.cases import CaseList, CaseSheet
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.models.exception_rows import PersonRows
from ui.widgets.basics import Button, Label, Text, WrappedLabel, columns
from ui.widgets.segments import Segment, Segments
from ui.widgets.sheet import Sheet, SheetHost
from ui.widgets.table import RecordTable

if TYPE_CHECKING:
    from app.context import Session
    from ui.desk import Desk

PERIODS: Final = {"1": mark("Today"), "7": mark("7 days"), "28": mark("4 weeks")}


class ExceptionsPage(Sheet):
    """The report of a period; `report` is None until it was read."""

    wide = 1300

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        who: Callable[[], Session],
        today: Callable[[], BusinessDate],
    ) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Exceptions"))
        self._lanes, self._desk, self._who, self._today = lanes, desk, who, today
        self._opener = EventOpener(kit, lanes, desk, who, today)
        self._reading: Latest[Exceptions] = Latest(lanes, "report", interrupt=desk.guard.call_off)
        self.report: Exceptions | None = None
        self._list: CaseList | None = None
        self._listed: PersonLine | None = None
        self.period = Segments(
            kit,
            lambda: words.say("Period"),
            [Segment(days, partial(words.say, text)) for days, text in PERIODS.items()],
        )
        self.period.choose("7")
        self.period.chosen.connect(lambda _: self.read())
        self.all = Button(kit, lambda: words.say("All cases"))
        self.all.clicked.connect(lambda: self._open_cases(None))
        filters = columns(kit.look, gap=12)
        filters.addWidget(self.period)
        filters.addStretch()
        filters.addWidget(self.all)
        self.body.addLayout(filters)
        self.rows = PersonRows(kit, today)
        figures = tuple(range(1, len(self.rows.heads)))
        self.table = RecordTable(
            kit, self.rows, lambda: words.say("People against the others"), whole=figures
        )
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        self.table.opened.connect(self._open_row)
        self.body.addWidget(self.table, 1)
        self.cell = WrappedLabel(self._cell_sentence, role="strong")
        self.body.addWidget(self.cell)
        self.table.selectionModel().currentChanged.connect(lambda *_: self.cell.retranslate())
        self.status = WrappedLabel(lambda: words.say("Reading the journal …"), role="muted")
        self.body.addWidget(self.status)
        self.foot.addWidget(
            Label(
                lambda: words.say(
                    "× is the multiple of the median; ! marks three times and more. Enter on a count opens"
                    " its events, on a name the cases."
                ),
                role="caption",
            )
        )
        self.foot.addStretch()
        self.read()

    def first_focus(self) -> QWidget:
        return self.table

    def height_for(self, width: int) -> int:
        return self._kit.look.px(640)

    def gone(self) -> None:
        self._reading.drop()

    def read(self) -> None:
        """Read the period anew; what is being read of another one is called off."""
        words, session, days = self._kit.words, self._who(), int(self.period.code)
        self.status.tell(lambda: words.say("Reading the journal …"))
        self._reading.ask(
            self,
            lambda: self._desk.guard.exceptions(session, days),
            ok=self._show,
            failed=self._warn,
        )

    def _show(self, report: Exceptions) -> None:
        self.report = report
        at = self.table.currentIndex()
        self.rows.show(report.people)
        row = min(max(0, at.row()), len(report.people) - 1)
        self.table.setCurrentIndex(self.rows.index(row, max(0, at.column())))
        self.status.tell(self._summary)
        if self._listed is not None:  # as the person stands in this report
            who = self._listed.staff.staff_id
            self._listed = next(
                (line for line in report.people if line.staff.staff_id == who), self._listed
            )
        if self._list is not None:
            self._list.show_lines(self._lines_of(self._listed), self._found_of(self._listed))

    def _summary(self) -> str:
        words, report = self._kit.words, self.report
        if report is None:
            return ""
        if not report.people:
            return words.say("Nothing in this period. Choose a longer one.")
        cases, fresh = report.found
        return words.count(
            "Till {till}, {since} to {until}: one case, {new} not seen.",
            "Till {till}, {since} to {until}: {cases} cases, {new} not seen.",
            cases,
            till=report.till,
            since=report.since.iso(),
            until=report.until.iso(),
            cases=cases,
            new=fresh,
        )

    def _warn(self, error: Exception) -> None:
        self.status.tell(lambda: words_of(self._kit, error))

    # Down to the events ---------------------------------------------------------------------------

    def _lines_of(self, person: PersonLine | None) -> tuple[CaseLine, ...]:
        cases = self.report.cases if self.report else ()
        if person is None:
            return cases
        return tuple(line for line in cases if line.staff.staff_id == person.staff.staff_id)

    def _found_of(self, person: PersonLine | None) -> int:
        """How many cases there are, those that are not listed too."""
        if person is not None:
            return person.cases
        return self.report.found[0] if self.report else 0

    def _cell_sentence(self) -> str:
        """The cell under the cursor against the others, in words."""
        at = self.table.currentIndex()
        person = self.rows.record(at.row())
        return self.rows.sentence(person, at.column()) if person is not None else ""

    def _open_row(self, row: int) -> None:
        """From a count to its events; from everything else of a person to their cases."""
        person, measure = (
            self.rows.record(row),
            self.rows.measure(self.table.currentIndex().column()),
        )
        if person is None:
            return
        if measure is None:
            self._open_cases(person)
        elif person.events[measure]:
            self._open_events(person.events[measure])
        else:
            self.status.tell(lambda: self._kit.words.say("Nothing was counted here."))

    def _open_events(self, seqs: Sequence[int]) -> None:
        session, title = self._who(), self._cell_sentence()

        def opened(lines: Sequence[AuditLine]) -> None:
            sheet = EventList(self._kit, lambda: title, lines, self._today)
            sheet.wanted.connect(
                lambda line: self._opener.open(sheet, self._host(), line, self._warn)
            )
            self._host().open(sheet)

        self._lanes.run(
            self,
            "report",
            lambda: self._desk.guard.events(session, seqs),
            ok=opened,
            failed=self._warn,
        )

    def _open_cases(self, person: PersonLine | None) -> None:
        words, lines = self._kit.words, self._lines_of(person)
        if not lines:
            self.status.tell(lambda: words.say("No case here."))
            return
        title: Text = partial(words.say, "All cases")
        if person is not None:
            title = partial(words.say, mark("Cases of {name}"), name=person.staff.name)
        self._listed = person
        self._list = CaseList(self._kit, title, lines, self._found_of(person), self._today)
        self._list.case_wanted.connect(self._open_case)
        self._list.closing.connect(self._list_closed)
        self._host().open(self._list)

    def _list_closed(self) -> None:
        self._list = None

    def _open_case(self, line: CaseLine) -> None:
        session = self._who()

        report = self.report
        assert report is not None, "a case comes from a report"

        def opened(journal: Sequence[AuditLine]) -> None:
            sheet = CaseSheet(
                self._kit, self._lanes, self._desk, self._who, line, journal, self._today,
                may_judge=report.may_judge,
            )  # fmt: skip
            sheet.said.connect(self.read)
            sheet.wanted.connect(
                lambda event: self._opener.open(sheet, self._host(), event, sheet.warn)
            )
            self._host().open(sheet)

        self._lanes.run(
            self,
            "report",
            lambda: self._desk.guard.journal(session, line.case),
            ok=opened,
            failed=self._warn,
        )

    def _host(self) -> SheetHost:
        host = self.parentWidget()
        assert isinstance(host, SheetHost), "the page lies on the sheets' layer"
        return host
