"""The last slip once more (flow 20): why, with the usual reason chosen, so that F10 Enter prints.

Whom the matrix asks for no reason never sees this sheet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.queries.records import DocumentLine
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.widgets.basics import Button, WrappedLabel
from ui.widgets.reasons import reasons
from ui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from app.context import Session
    from ui.desk import Desk

USUAL = "customer"
"""Chosen when the sheet opens. Reasons start unchosen where money or points move; a marked copy moves none."""


class PrintAgain(Sheet):
    """Signals:
    printed(copy): that copy is queued.
    none(): this shift has no slip yet.
    """

    printed = Signal(int)
    none = Signal()
    wide = 640

    def __init__(self, kit: Kit, lanes: Lanes, desk: Desk, who: Callable[[], Session]) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Print again"))
        self._lanes, self._desk, self._who = lanes, desk, who
        self._command_id = desk.new_command()
        self._document: DocumentLine | None = None
        self._wanted = False
        self.slip_said = WrappedLabel(role="strong")
        self.body.addWidget(self.slip_said)
        self.reason = reasons(kit, (USUAL, "lost", "unreadable", "other"))
        self.reason.choose(USUAL)
        self.body.addWidget(self.reason)
        self.problem = WrappedLabel(role="strong", tone="danger")
        self.body.addWidget(self.problem)
        self.commit = Button(kit, lambda: words.say("Print a copy"), role="primary")
        self.foot.addWidget(self.commit, 1)
        self.commit.clicked.connect(self.submit)
        self.reason.entered.connect(self.submit)
        self._asking = False
        self._look()

    @property
    def busy(self) -> bool:
        return not self.commit.isEnabled()

    def first_focus(self) -> QWidget:
        return self.reason

    def takes_key(self, key: str) -> bool:
        """F10 once more is Enter."""
        if key == "F10":
            self.submit()
        return key == "F10"

    def submit(self) -> None:
        """Queue the copy; at once when the slip is known, else as soon as it is."""
        if self._document is None:
            self._wanted = True
            self._look()
            return
        if self.busy:
            return
        self.commit.setEnabled(False)
        session, event_id, reason = self._who(), self._document.event_id, self.reason.code
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.slips.reprint(self._command_id, session, event_id, reason),
            ok=self._done,
            failed=self._refused,
        )

    def _look(self) -> None:
        """Which slip it is; asked again by Enter where the store couldn't say."""
        if not self._asking:
            self._asking = True
            self._lanes.run(
                self, "db", self._desk.slips.newest, ok=self._found, failed=self._not_found
            )

    def _not_found(self, error: Exception) -> None:
        self._wanted = self._asking = False
        self._refused(error)

    def _found(self, document: DocumentLine | None) -> None:
        if document is None:
            self.closing.emit()
            self.none.emit()
            return
        self._document = document
        words, money = self._kit.words, self._kit.formats.money(document.total_minor)
        self.slip_said.tell(
            lambda: words.say(
                "Slip {number}, {money}. The copy is marked as one.",
                number=document.receipt_no,
                money=money,
            )
        )
        if self._wanted:
            self.submit()

    def _done(self, copy: int) -> None:
        self.closing.emit()
        self.printed.emit(copy)

    def _refused(self, error: Exception) -> None:
        self.commit.setEnabled(True)
        self.problem.tell(lambda: words_of(self._kit, error))
