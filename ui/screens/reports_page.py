"""Reports (counter-flows.md section 5): filter row, chart, table; Enter opens a figure down to its events.

The page asks on the report lane and shows what comes; only the newest question counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView

from app.documents.report import (
    WITHOUT_MEMBER,
    Against,
    Drill,
    Figure,
    Part,
    Parts,
    ReportCode,
    ReportFilter,
)
from app.documents.report_words import TITLES
from app.domain.business_day import BusinessDate
from app.domain.errors import Refusal, Refused
from app.i18n import mark
from ui.dialogs.audit_event import EventOpener
from ui.dialogs.report_parts import PartsSheet
from ui.errors import words_of
from ui.lanes import Latest
from ui.models.report_rows import ReportRows
from ui.screens.rail_page import RailPage, Surroundings
from ui.widgets.basics import Label, WrappedLabel, card, rows
from ui.widgets.chart import ChartView
from ui.widgets.choice_row import Choice, ChoiceRow
from ui.widgets.date_range import DateRange
from ui.widgets.table import RecordTable

if TYPE_CHECKING:
    from app.queries.audit import AuditLine
    from app.queries.why import Why
    from app.usecases.export_report import Exported, Form
    from app.usecases.read_report import Choices
    from ui.desk_reports import Shown

OWN: Final = "own"
PERIODS: Final = {
    "today": mark("Today"),
    "yesterday": mark("Yesterday"),
    "7": mark("7 days"),
    "28": mark("4 weeks"),
    "month": mark("This month"),
    "last_month": mark("Last month"),
    "365": mark("A year"),
    OWN: mark("Own dates"),
}
AGAINST: Final = {
    "week_before": mark("Week before"),
    "year_before": mark("Year before"),
    "": mark("nothing"),
}
_EXPLAINED: Final = frozenset({"sale", "return", "void"})


class ReportsPage(RailPage):
    """The reports; `shown` is None until the first one was read.

    Signals:
        printing(): a report waits for the printer.
    """

    printing = Signal()

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        kit, words = around.kit, around.kit.words
        self._opener = EventOpener(kit, around.lanes, around.desk, around.who, around.today)
        self.shown: Shown | None = None
        self._latest: Latest[Shown] = Latest(
            around.lanes, "report", interrupt=around.desk.reports.call_off
        )
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        page = rows(kit.look, self, margins=16, gap=10)
        self._make_filters()
        page.addWidget(self.filters)
        page.addWidget(self.dates)
        page.addWidget(self._make_card(), 1)
        self.status = WrappedLabel(role="muted")
        page.addWidget(self.status)
        page.addWidget(
            Label(
                lambda: words.say("Enter opens a figure. F10 prints, F11 saves as a file."),
                role="caption",
            )
        )

    def _make_card(self) -> QFrame:
        """Chart and table on one surface."""
        kit, words = self._kit, self._kit.words
        frame = card()
        page = rows(kit.look, frame, margins=12, gap=8)
        self.chart = ChartView(kit)
        self.chart.opened.connect(self._open_point)
        page.addWidget(self.chart)
        self.rows = ReportRows(kit)
        self.table = RecordTable(kit, self.rows, lambda: words.say("Figures of the report"))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        self.table.opened.connect(self._open_cell)
        page.addWidget(self.table, 1)
        return frame

    def _make_filters(self) -> None:
        kit, words = self._kit, self._kit.words
        self.report = Choice(
            kit,
            lambda: words.say("Report"),
            [(code, partial(words.say, title)) for code, title in TITLES.items()],
        )
        self.period = Choice(
            kit,
            lambda: words.say("Period"),
            [(code, partial(words.say, title)) for code, title in PERIODS.items()],
        )
        everybody = (None, lambda: words.say("All"))
        self.staff = Choice(kit, lambda: words.say("Person"), [everybody])
        self.tier = Choice(kit, lambda: words.say("Tier"), [everybody])
        self.till = Choice(kit, lambda: words.say("Till"), [everybody])
        self.till.hide()  # Until the store is known to have documents of another one.
        self.against = Choice(
            kit,
            lambda: words.say("Against"),
            [(code, partial(words.say, title)) for code, title in AGAINST.items()],
        )
        self.filters = ChoiceRow(
            kit, (self.report, self.period, self.against, self.staff, self.tier, self.till)
        )
        self.filters.changed.connect(self._filters_changed)
        self.filters.entered.connect(self._on_from_filters)
        self.dates = DateRange(kit, self._today)
        self.dates.hide()
        self.dates.entered.connect(self._dates_entered)

    # Reading --------------------------------------------------------------------------------------

    def fill_anew(self) -> None:
        """On each visit: the people and tiers to choose from, and the report as it is now."""
        session = self._who()
        self._lanes.run(
            self,
            "report",
            lambda: self._desk.reports.choices(session),
            ok=self._offer,
            failed=self._warn,
        )
        self.read()
        self.focus_table()

    def show_today(self, code: ReportCode) -> None:
        """A report of today and of everybody, whatever was chosen before."""
        for choice, value in (
            (self.report, code), (self.period, "today"), (self.against, "week_before"),
            (self.staff, None), (self.tier, None), (self.till, None),
        ):  # fmt: skip
            choice.choose(value)
        self.dates.hide()
        self.read()

    def _filters_changed(self) -> None:
        """Own dates are typed first; they begin from what was shown before."""
        own = self.period.value == OWN
        if own and self.dates.isHidden() and self.shown is not None:
            before = self.shown.report.filter
            self.dates.show_span(before.first, before.last)
        self.dates.setVisible(own)
        self.read()

    def _on_from_filters(self) -> None:
        """Enter: to the dates where they are to be typed, else to the figures."""
        if self.period.value == OWN:
            self.dates.focus_here()
        else:
            self.focus_table()

    def _dates_entered(self) -> None:
        self.read()
        self.focus_table()

    def _offer(self, choices: Choices) -> None:
        words = self._kit.words
        chinese = words.language == "zh_CN"
        everybody = (None, lambda: words.say("All"))
        nobody = (WITHOUT_MEMBER, lambda: words.say("Without a member"))
        self.staff.offer([everybody, *((key, partial(str, name)) for key, name in choices.people)])
        tiers = ((rank, partial(str, zh if chinese else en)) for rank, zh, en in choices.tiers)
        self.tier.offer([everybody, *tiers, nobody])
        self.till.offer([everybody, *((each, partial(str, each)) for each in choices.tills)])
        self.till.setVisible(bool(choices.tills))

    def asked(self) -> ReportFilter:
        """The filter as the row has it."""
        period, today = cast(str, self.period.value), self._today()
        own = self.dates.span if period == OWN else None
        first, last = own or _span("today" if period == OWN else period, today)
        return ReportFilter(
            first, last, cast("bytes | None", self.staff.value),
            cast("int | None", self.tier.value), cast(Against, self.against.value),
            cast("str | None", self.till.value) or "",
        )  # fmt: skip

    def code(self) -> ReportCode:
        return cast(ReportCode, self.report.value)

    def read(self) -> None:
        """Read the chosen report; an answer to an older question is dropped. Dates that don't hold are
        told at their fields, and what is shown stays."""
        if self.period.value == OWN and self.dates.span is None:
            return
        session, code, asked = self._who(), self.code(), self.asked()
        language = self._kit.words.language
        self.status.tell(lambda: self._kit.words.say("Reading the journal …"))
        self._latest.ask(
            self,
            lambda: self._desk.reports.open(session, code, asked, language),
            ok=self._show,
            failed=self._not_read,
        )

    def retranslate(self) -> None:
        """The words of a report are made with it."""
        if self.shown is not None:
            self.read()

    def _show(self, shown: Shown) -> None:
        self.shown = shown
        at = self.table.currentIndex()
        self.rows.show(shown.sheet)
        # The columns are others than before, and with them their sizes are forgotten.
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.chart.show_chart(shown.sheet.chart)
        row = min(max(at.row(), 0), self.rows.rowCount() - 1)
        self.table.setCurrentIndex(
            self.rows.index(row, min(max(at.column(), 1), self.rows.columnCount() - 1))
        )
        sheet = shown.sheet
        notes = [sheet.period, *sheet.filters, *sheet.notes]
        if not sheet.rows:
            notes.append(sheet.empty)
        self.status.tell(lambda: " · ".join(notes))

    def _not_read(self, error: Exception) -> None:
        """What somebody else was shown before doesn't stay in sight of whoever may not read it."""
        self.shown = None
        self.rows.show(None)
        self.chart.show_chart(None)
        self._warn(error)

    def _warn(self, error: Exception) -> None:
        self.status.tell(lambda: words_of(self._kit, error))

    def focus_table(self) -> None:
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    # Down to the events ---------------------------------------------------------------------------

    def _open_point(self, at: int) -> None:
        if self.shown is None:
            return
        report = self.shown.report
        wide = len(report.columns) if report.chart == "heat" else 1
        line, column = divmod(at, wide)
        figure = report.lines[line].figures[column if wide > 1 else report.charted]
        self.open_figure(figure, self._label(line))

    def _open_cell(self, row: int) -> None:
        if self.shown is None:
            return
        report, column = self.shown.report, max(self.table.currentIndex().column(), 1) - 1
        figures = report.lines[row].figures if row < len(report.lines) else report.total
        self.open_figure(figures[column], self._label(row))

    def _label(self, row: int) -> str:
        """What a line is about; "" of the totals and of a figure that is named itself."""
        assert self.shown is not None, "a line is opened that was shown"
        lines = self.shown.report.lines
        if row >= len(lines) or lines[row].kind == "measure":
            return ""
        return self.shown.sheet.rows[row][0]

    def open_figure(self, figure: Figure, label: str = "") -> None:
        """The events behind a figure of a line."""
        words, drill, session = self._kit.words, figure.drill, self._who()
        if drill is None or figure.value is None:
            self._strip.refuse(lambda: words.say("This figure is worked out from others."))
            return
        title = self._title(drill, label)
        self._lanes.run(
            self,
            "report",
            lambda: self._desk.reports.parts(session, drill),
            ok=partial(self._opened, title),
            failed=self._warn,
        )

    def _title(self, drill: Drill, label: str) -> str:
        from app.documents.report_words import MEASURES, period

        words = self._kit.words
        message = MEASURES.get(drill.measure)
        name = words.say(message) if message else words.say(TITLES[self.code()])
        span = "" if drill.group == "date" else period(drill.filter, words)
        return " · ".join(part for part in (name, label, span) if part)

    def _opened(self, title: str, parts: Parts) -> None:
        sheet = PartsSheet(self._kit, title, parts, self._today)
        sheet.wanted.connect(self._explain)
        self._sheets.open(sheet)

    def _explain(self, part: Part) -> None:
        """One document: why it earned, took or returned its points; any other event: what it says."""
        from ui.dialogs.points import WhyPoints

        if part.kind not in _EXPLAINED or not part.member:
            self._open_event(part)
            return

        def answered(answers: Mapping[str, Why]) -> None:
            self._sheets.open(WhyPoints(self._kit, answers))

        self._lanes.run(
            self,
            "db",
            lambda: self._desk.why(part.event_id),
            ok=answered,
            failed=self._warn,
        )

    def _open_event(self, part: Part) -> None:
        session = self._who()
        self._lanes.run(
            self,
            "report",
            lambda: self._desk.guard.events(session, (part.seq,)),
            ok=self._open_first,
            failed=self._warn,
        )

    def _open_first(self, lines: Sequence[AuditLine]) -> None:
        """None of them where the reader may not see that day's journal."""
        if lines:
            self._opener.open(self, self._sheets, lines[0], self._warn)
        else:
            self._warn(Refused(Refusal.NOT_ALLOWED))

    # Out of the house -----------------------------------------------------------------------------

    def export(self, form: Form) -> None:
        """Print or save what is shown."""
        session, command_id = self._who(), self._desk.new_command()
        code, asked, language = self.code(), self.asked(), self._kit.words.language
        words = self._kit.words

        def exported(result: Exported) -> None:
            if result.path is None:
                self._strip.good_news(lambda: words.say("The report is being printed."))
                self.printing.emit()
            else:
                path = str(result.path)
                self._strip.good_news(lambda: words.say("Report saved: {path}", path=path))

        taking = self._desk.reports.export(command_id, session, code, asked, form, language)
        taking.start(self, self._lanes, ok=exported, failed=self._warn)


def _span(period: str, today: BusinessDate) -> tuple[BusinessDate, BusinessDate]:
    """The first and last business date of a period that ends today or before."""
    if period == "today":
        return today, today
    if period == "yesterday":
        return today.plus(-1), today.plus(-1)
    day = today.to_date()
    month = BusinessDate.of(day.replace(day=1))
    if period == "month":
        return month, today
    if period == "last_month":
        last = month.plus(-1)
        return BusinessDate.of(last.to_date().replace(day=1)), last
    return today.plus(1 - int(period)), today
