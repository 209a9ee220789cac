"""F10 while slips wait: what waits, why, and one next step each (flow 20)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.domain.errors import Outage
from app.queries.records import PrintStatus
from ui.errors import sentence
from ui.kit import Kit
from ui.lanes import Lanes
from ui.widgets.basics import Button, Label, WrappedLabel, columns
from ui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from ui.desk import Desk


class PaperList(Sheet):
    """Signals:
    retry(): try what waits now.
    """

    retry = Signal()
    wide = 640

    def __init__(self, kit: Kit, lanes: Lanes, desk: Desk, status: PrintStatus) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Slips waiting for paper"))
        self._lanes, self._desk = lanes, desk
        count = status.waiting
        self.body.addWidget(
            Label(
                lambda: words.count("1 slip waits.", "{count} slips wait.", count, count=count),
                role="strong",
            )
        )
        if status.problem:
            code = Outage(status.problem)
            self.body.addWidget(WrappedLabel(lambda: sentence(kit, code, {}), tone="danger"))
        for job_id, receipt in status.uncertain:
            self._add_uncertain(job_id, receipt)
        self.body.addStretch()
        self.again = Button(kit, lambda: words.say("Try again now"), role="primary")
        self.again.clicked.connect(self._retry)
        self.foot.addWidget(self.again, 1)

    def _add_uncertain(self, job_id: int, receipt: str) -> None:
        """S39: two buttons, none preselected."""
        words = self._kit.words
        self.body.addWidget(
            WrappedLabel(
                lambda: words.say(
                    "Slip {number} may have printed. Look for it, then say.", number=receipt
                ),
                role="text2",
            )
        )
        line = columns(self._kit.look, gap=8)
        line.addStretch()
        for printed, text in (
            (True, lambda: words.say("It printed")),
            (False, lambda: words.say("Not there")),
        ):
            button = Button(self._kit, text)
            button.clicked.connect(partial(self._confirm, job_id, printed))
            line.addWidget(button)
        self.body.addLayout(line)

    def first_focus(self) -> QWidget:
        return self.again

    def takes_key(self, key: str) -> bool:
        """F10 once more is Enter."""
        if key == "F10":
            self._retry()
        return key == "F10"

    def _retry(self) -> None:
        self.closing.emit()
        self.retry.emit()

    def _confirm(self, job_id: int, printed: bool) -> None:
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.slips.confirm(job_id, printed=printed),
            ok=lambda _: self._retry(),
            failed=lambda error: None,
        )
