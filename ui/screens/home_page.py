"""Home (counter-flows.md section 5): today at a glance, what is to do, what needs a hand, how the machine is.

Four lists and the curve of visits, each one stop of Tab; Enter opens what a line is about. It asks once a
visit, on the report lane.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame

from app.documents.report import Figure, ReportCode
from app.usecases.read_home import Home
from ui.attention import Attention
from ui.errors import words_of
from ui.lanes import Latest
from ui.models.health_rows import HealthRows
from ui.models.home_rows import (
    REPORT_OF,
    AlarmRows,
    GlanceRows,
    TaskRows,
    machine_lines,
    tasks,
    visits_chart,
)
from ui.screens.rail_page import RailPage, Surroundings
from ui.widgets.basics import Label, Text, WrappedLabel, card, columns, rows
from ui.widgets.chart import ChartView
from ui.widgets.table import RecordTable

ALARMS_LEAST: Final = 3
"""So many lines of what needs a hand are seen on a small screen too."""


@dataclass(frozen=True, slots=True)
class Openers:
    """Where Enter leads: a report of today, the events of a figure, a member at the counter."""

    report: Callable[[ReportCode], object]
    figure: Callable[[ReportCode, Figure], None]
    member: Callable[[bytes], None]


class HomePage(RailPage):
    """`home` is None until it was read, and for who may not."""

    def __init__(self, around: Surroundings, attention: Attention, openers: Openers) -> None:
        super().__init__(around)
        kit, today = around.kit, around.today
        self._attention, self._open = attention, openers
        self._latest: Latest[Home] = Latest(
            around.lanes, "report", interrupt=around.desk.reports.call_off
        )
        self.home: Home | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.glance_rows, self.task_rows = GlanceRows(kit, today), TaskRows(kit, today)
        self.alarm_rows, self.machine_rows = AlarmRows(kit, today), HealthRows(kit, today)
        self._make_tables()
        self._lay_out()
        self.glance.opened.connect(self._open_figure)
        self.visits.opened.connect(lambda _: openers.report("hours"))
        self.tasks.opened.connect(self._open_task)
        self.alarms.opened.connect(self._open_alarm)
        attention.changed.connect(self._needs_changed)

    def _make_tables(self) -> None:
        kit, words = self._kit, self._kit.words
        self.glance = RecordTable(
            kit, self.glance_rows, lambda: words.say("Today at a glance"), whole=(1, 2, 3)
        )
        self.tasks = RecordTable(kit, self.task_rows, lambda: words.say("What is to do"))
        self.alarms = RecordTable(
            kit, self.alarm_rows, lambda: words.say("Needs attention"), whole=(0, 2)
        )
        line, head = kit.look.dense(38, 32), kit.look.dense(38, 32) + kit.look.px(14)
        # Its figures are always as many: the room that is left is for what is to do.
        self.glance.setFixedHeight(head + line * len(REPORT_OF))
        self.alarms.setMinimumHeight(head + line * ALARMS_LEAST)
        self.visits = ChartView(kit, low=True)
        self.machine = RecordTable(kit, self.machine_rows, lambda: words.say("Health of the till"))

    def _lay_out(self) -> None:
        kit, words = self._kit, self._kit.words
        page = rows(kit.look, self, margins=16, gap=10)
        sides = columns(kit.look, gap=12)
        left, right = rows(kit.look, gap=12), rows(kit.look, gap=12)
        alarms = self._framed(lambda: words.say("Needs attention"), self.alarms)
        self.nothing = Label(role="muted")
        inside = alarms.layout()
        assert inside is not None, "a frame has its rows"
        inside.addWidget(self.nothing)
        left.addWidget(self._framed(lambda: words.say("Today at a glance"), self.glance))
        left.addWidget(self._framed(lambda: words.say("What is to do"), self.tasks), 1)
        right.addWidget(alarms, 3)
        self.curve = card()
        rows(kit.look, self.curve, margins=(12, 4, 12, 8)).addWidget(self.visits)
        right.addWidget(self.curve)
        right.addWidget(self._framed(lambda: words.say("Health of the till"), self.machine), 5)
        sides.addLayout(left, 1)
        sides.addLayout(right, 1)
        page.addLayout(sides, 1)
        self.status = WrappedLabel(role="muted")
        page.addWidget(self.status)

    def _framed(self, title: Text, table: RecordTable) -> QFrame:
        frame = card()
        inside = rows(self._kit.look, frame, margins=12, gap=6)
        inside.addWidget(Label(title, role="strong"))
        inside.addWidget(table, 1)
        return frame

    def fill_anew(self) -> None:
        """On each visit."""
        session, words = self._who(), self._kit.words
        self.status.tell(lambda: words.say("Reading the journal …"))
        self._latest.ask(
            self, lambda: self._desk.home.read(session), ok=self._show, failed=self._refused
        )
        self.glance.setFocus(Qt.FocusReason.OtherFocusReason)

    def retranslate(self) -> None:
        """Some words are made with the lines."""
        if self.home is not None:
            self._show(self.home)

    def _show(self, home: Home) -> None:
        self.home = home
        self.glance_rows.show(home.glance)
        self.task_rows.show(tasks(self._kit, home))
        self.machine_rows.show(machine_lines(self._kit, home))
        visits = visits_chart(self._kit, home)
        self.visits.show_chart(visits)
        self.curve.setVisible(visits is not None)
        self._show_alarms()
        for table in (self.glance, self.tasks, self.machine):
            table.selectRow(0)
        self.status.tell(self._summary)

    def _summary(self) -> str:
        words, home = self._kit.words, self.home
        if home is None:
            return ""
        return words.say(
            "Business date {date}, against the whole day a week before. Enter opens a line.",
            date=home.on.iso(),
        )

    def _needs_changed(self, count: int) -> None:
        del count
        self._show_alarms()

    def _show_alarms(self) -> None:
        """Nothing of it for who may not see the page."""
        lines = self._attention.lines() if self.home is not None else []
        self.alarm_rows.show(lines)
        self.alarms.selectRow(0)
        quiet = self.home is not None and not lines
        self.nothing.tell(lambda: self._kit.words.say("Nothing needs a hand.") if quiet else "")

    def _refused(self, error: Exception) -> None:
        """Another person may have read it before: nothing of theirs stays."""
        self.home = None
        for model in (self.glance_rows, self.task_rows, self.machine_rows, self.alarm_rows):
            model.show(())
        self.visits.show_chart(None)
        self.curve.hide()
        self.status.tell(lambda: words_of(self._kit, error))

    def _open_figure(self, row: int) -> None:
        """The report that tells more of it, of today and of everybody as here."""
        line = self.glance_rows.record(row)
        if line is not None:
            self._open.report(REPORT_OF[str(line.key)])

    def _open_task(self, row: int) -> None:
        task = self.task_rows.record(row)
        if task is not None and task.member_id is not None:
            self._open.member(task.member_id)
        elif task is not None and task.figure is not None:
            self._open.figure("points", task.figure)

    def _open_alarm(self, row: int) -> None:
        line = self.alarm_rows.record(row)
        if line is not None:
            line.settle()
