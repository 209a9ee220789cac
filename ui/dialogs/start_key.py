"""The start key of the audit, shown once, for the sheet in the owner's safe (security.md section 5)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.protocol.evolving import BadStartKey, StartKey
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.widgets.basics import Button, Label, WrappedLabel
from ui.widgets.sheet import Sheet
from ui.widgets.text_fields import TextField

if TYPE_CHECKING:
    from app.context import Session
    from ui.desk import Desk

_LINE = 20
"""Four groups of four to a line."""


class StartKeySheet(Sheet):
    """Nothing is forgotten until the last line was typed back from the paper.

    Signals:
        kept(): it is in the safe, and the store has it no longer.
    """

    kept = Signal()
    wide = 720

    def __init__(
        self, kit: Kit, lanes: Lanes, desk: Desk, who: Callable[[], Session], key: StartKey
    ) -> None:
        words = kit.words
        super().__init__(kit, lambda: words.say("Key for the safe"))
        self._lanes, self._desk, self._who, self._key = lanes, desk, who, key
        self._command = desk.new_command()
        self.body.addWidget(
            WrappedLabel(
                lambda: words.say(
                    "Write these four lines on paper and put it into the safe. With them anybody can"
                    " prove later that no past entry of this till was changed. The till forgets them."
                ),
                role="text2",
            )
        )
        text = key.text()
        self.lines = [text[at : at + _LINE].strip() for at in range(0, len(text), _LINE)]
        for line in self.lines:
            self.body.addWidget(Label(partial(str, line), role="figure"))
        self.body.addWidget(
            WrappedLabel(lambda: words.say("Type the last line from your paper."), role="strong")
        )
        self.typed = TextField(lambda: words.say("The last line"))
        self.typed.entered.connect(self._keep)
        self.body.addWidget(self.typed)
        self.problem = WrappedLabel(role="strong", tone="danger")
        self.body.addWidget(self.problem)
        self.keep = Button(kit, lambda: words.say("It is in the safe"), role="primary")
        self.keep.clicked.connect(self._keep)
        self.foot.addStretch()
        self.foot.addWidget(self.keep)

    @property
    def busy(self) -> bool:
        return not self.keep.isEnabled()

    def first_focus(self) -> QWidget:
        return self.typed

    def _keep(self) -> None:
        if self.busy:
            return
        words = self._kit.words
        try:
            whole = " ".join([*self.lines[:-1], self.typed.text()])
            same = StartKey.of_text(whole) == self._key
        except BadStartKey:
            same = False
        if not same:
            self.problem.tell(lambda: words.say("That is not the last line."))
            self.typed.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.keep.setEnabled(False)
        command, session = self._command, self._who()
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.audit.keep_start_key(command, session),
            ok=lambda _: self._kept(),
            failed=self._refused,
        )

    def _kept(self) -> None:
        self.keep.setEnabled(True)
        self.closing.emit()
        self.kept.emit()

    def _refused(self, error: Exception) -> None:
        self.keep.setEnabled(True)
        self.problem.tell(lambda: words_of(self._kit, error))
