"""The journal: who, when, what, by filters, a page at a time (issue 3 section 6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout

from app.documents.audit_words import GROUPS
from app.formats import number
from app.i18n import mark
from app.queries.audit import AuditFilter, AuditPage
from ui.dialogs.audit_event import EVENT_COLUMNS, EventOpener
from ui.errors import words_of
from ui.kit import Kit
from ui.models.audit_rows import AuditRows
from ui.screens.rail_page import RailPage, Surroundings
from ui.widgets.basics import Button, WrappedLabel, card, columns, nothing, rows
from ui.widgets.segments import Segment, Segments
from ui.widgets.table import RecordTable
from ui.widgets.text_fields import TextField

if TYPE_CHECKING:
    from app.queries.records import StaffView

PERIODS: Final = {
    "1": mark("Today"), "7": mark("7 days"), "28": mark("4 weeks"), "0": mark("All days"),
}  # fmt: skip
NEWEST: Final = 1 << 62


class AuditPageView(RailPage):
    """Enter on an event opens it; the filters are read anew as they change."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        kit, words = around.kit, around.kit.words
        self._before = [NEWEST]
        """Where each page that was turned to begins, the shown one last."""
        self._next = 0
        self._asked = AuditFilter()
        self._opener = EventOpener(kit, around.lanes, around.desk, around.who, around.today)
        outer = rows(kit.look, self, margins=16, gap=12)
        frame = card()
        inside = rows(kit.look, frame, margins=20, gap=12)
        self.period = _segments(kit, mark("Period"), PERIODS)
        self.group = _segments(kit, mark("Kind"), {code: code for code in GROUPS})
        self.person = TextField(lambda: words.say("Initials of a person"))
        self.member = TextField(lambda: words.say("Phone, card or name of a member"))
        self._lay_out_filters(inside)
        self.problem = WrappedLabel(nothing, role="strong", tone="danger")
        inside.addWidget(self.problem)
        self.rows = AuditRows(kit, around.today)
        self.table = RecordTable(
            kit, self.rows, lambda: words.say("The journal"), whole=EVENT_COLUMNS
        )
        self.table.opened.connect(self._open)
        inside.addWidget(self.table, 1)
        self._lay_out_foot(inside)
        outer.addWidget(frame, 1)
        self.retranslate()
        for segments in (self.period, self.group):
            segments.chosen.connect(lambda _: self.fill_anew())
        for field in (self.person, self.member):
            field.entered.connect(self.fill_anew)

    def retranslate(self) -> None:
        words = self._kit.words
        self.person.setPlaceholderText(words.say("Initials of a person"))
        self.member.setPlaceholderText(words.say("Phone, card or name of a member"))

    def _lay_out_filters(self, inside: QVBoxLayout) -> None:
        first, second = columns(self._kit.look, gap=12), columns(self._kit.look, gap=12)
        first.addWidget(self.period)
        first.addStretch()
        for field in (self.person, self.member):
            first.addWidget(field)
        self.member.setMinimumWidth(self._kit.look.px(260))
        second.addWidget(self.group)
        second.addStretch()
        inside.addLayout(first)
        inside.addLayout(second)

    def _lay_out_foot(self, inside: QVBoxLayout) -> None:
        words = self._kit.words
        self.status = WrappedLabel(nothing, role="muted")
        self.newer = Button(self._kit, lambda: words.say("Newer"))
        self.older = Button(self._kit, lambda: words.say("Older"))
        self.csv = Button(self._kit, lambda: words.say("Save as CSV"))
        self.xlsx = Button(self._kit, lambda: words.say("Save as XLSX"))
        self.newer.clicked.connect(self._turn_back)
        self.older.clicked.connect(self._turn_on)
        self.csv.clicked.connect(lambda: self._export("csv"))
        self.xlsx.clicked.connect(lambda: self._export("xlsx"))
        foot = columns(self._kit.look, gap=12)
        foot.addWidget(self.status, 1)
        for button in (self.newer, self.older, self.csv, self.xlsx):
            foot.addWidget(button)
        inside.addLayout(foot)

    # Reading --------------------------------------------------------------------------------------

    def fill_anew(self) -> None:
        """On each visit, and when a filter changes: from the newest event on."""
        days, today = int(self.period.code), self._today()
        since = today.plus(1 - days) if days else None
        self._asked = AuditFilter(since, None, frozenset(GROUPS[self.group.code]))
        self._before = [NEWEST]
        who, member = self.person.text().strip(), self.member.text().strip()
        self.problem.clear()
        self._lanes.run(
            self, "db", lambda: self._names(who, member), ok=self._named, failed=self._refused
        )

    def _names(self, who: str, member: str) -> tuple[StaffView | None, tuple[bytes, ...]]:
        staff = self._desk.find_staff(who) if who else None
        hits = self._desk.search(member).hits if member else ()
        return staff, tuple(hit.member_id for hit in hits)

    def _named(self, found: tuple[StaffView | None, tuple[bytes, ...]]) -> None:
        words, (staff, members) = self._kit.words, found
        if self.person.text().strip() and staff is None:
            return self._stop(lambda: words.say("Nobody signs like this."))
        if self.member.text().strip() and len(members) != 1:
            return self._stop(lambda: words.say("That is not exactly one member. Type more."))
        self._asked = replace(
            self._asked,
            staff_id=staff.staff_id if staff else None,
            member_id=members[0] if members else None,
        )
        return self._read()

    def _stop(self, why: Callable[[], str]) -> None:
        self.rows.show(())
        self.status.clear()
        self.problem.tell(why)

    def _read(self) -> None:
        words, session = self._kit.words, self._who()
        asked, before = self._asked, self._before[-1]
        self.status.tell(lambda: words.say("Reading the journal …"))
        self._lanes.run(
            self,
            "report",
            lambda: self._desk.audit.page(session, asked, before),
            ok=self._show,
            failed=self._refused,
        )

    def _show(self, page: AuditPage) -> None:
        self._next = page.next_before
        self.rows.show(page.lines)
        self.table.selectRow(0)
        self.older.setEnabled(bool(page.next_before))
        self.newer.setEnabled(len(self._before) > 1)
        for button in (self.csv, self.xlsx):
            button.setEnabled(True)
        self.status.tell(partial(self._summary, page))
        if self._sheets.top is None and not (self.person.hasFocus() or self.member.hasFocus()):
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _summary(self, page: AuditPage) -> str:
        words = self._kit.words
        if page.lines:
            first, last = page.lines[0].seq, page.lines[-1].seq
            return words.say(
                "Events {last} to {first}. Enter opens one.",
                first=number(first), last=number(last),
            )  # fmt: skip
        if page.next_before:
            return words.say("Nothing down to event {seq}.", seq=number(page.next_before))
        return words.say("Nothing here.")

    def _refused(self, error: Exception) -> None:
        self._stop(lambda: words_of(self._kit, error))
        for button in (self.newer, self.older, self.csv, self.xlsx):
            button.setEnabled(False)

    def _turn_on(self) -> None:
        if self._next:
            self._before.append(self._next)
            self._read()

    def _turn_back(self) -> None:
        if len(self._before) > 1:
            self._before.pop()
            self._read()

    # One event, and all of them -------------------------------------------------------------------

    def _open(self, row: int) -> None:
        line = self.rows.record(row)
        if line is None:
            return
        self._opener.open(self, self._sheets, line, self._refused)

    def _export(self, form: Literal["csv", "xlsx"]) -> None:
        session, asked, command = self._who(), self._asked, self._desk.new_command()
        words = self._kit.words
        language = words.language

        def saved(path: Path) -> None:
            self._strip.good_news(lambda: words.say("Saved: {path}", path=str(path)))

        taking = self._desk.audit.export(command, session, asked, form, language)
        taking.start(self, self._lanes, ok=saved, failed=self._strip.fail)


def _segments(kit: Kit, name: str, choices: dict[str, str]) -> Segments:
    return Segments(
        kit,
        partial(kit.words.say, name),
        [Segment(code, partial(kit.words.say, text)) for code, text in choices.items()],
    )
