"""The start key of the audit, shown once, for the sheet in the owner's safe (security.md section 5)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.documents.safe_sheet import key_lines
from app.protocol.evolving import BadStartKey, StartKey
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.theme import set_style
from ui.widgets.basics import Button, Label, WrappedLabel
from ui.widgets.sheet import Sheet
from ui.widgets.text_fields import TextField

if TYPE_CHECKING:
    from app.context import Session
    from ui.desk import Desk


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
                    "Print these four lines or write them down, and put the paper into the safe. With"
                    " them anybody can prove later that no past entry of this till was changed. The"
                    " till forgets them."
                ),
                role="text2",
            )
        )
        self.lines = key_lines(key.text())
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
        self.save = Button(kit, lambda: words.say("Save as a page to print"))
        self.print_ = Button(kit, lambda: words.say("Print on the receipt printer"))
        self.save.clicked.connect(self._save)
        self.print_.clicked.connect(self._print)
        self.foot.addWidget(self.save)
        self.foot.addWidget(self.print_)
        if not desk.settings().receipt.printer:
            self.print_.hide()
        self.foot.addStretch()
        self.foot.addWidget(self.keep)

    @property
    def busy(self) -> bool:
        return not self.keep.isEnabled()

    def first_focus(self) -> QWidget:
        return self.typed

    def _print(self) -> None:
        session, command, words = self._who(), self._desk.new_command(), self._kit.words
        self._work(
            "print",
            lambda: self._desk.audit.print_safe_sheet(session, command, words.language),
            lambda _: words.say("Printed. Check that every sign can be read."),
        )

    def _save(self) -> None:
        session, command, words = self._who(), self._desk.new_command(), self._kit.words
        self._work(
            "db",
            lambda: self._desk.audit.save_safe_sheet(session, command, words.language),
            lambda path: words.say(
                "Print {path} now: the file is removed when this sheet closes.", path=str(path)
            ),
        )

    def _work(
        self, lane: str, function: Callable[[], object], said: Callable[[object], str]
    ) -> None:
        """Buttons wait, then the sheet says what came of it."""
        self._allow(False)

        def done(answer: object) -> None:
            self._allow(True)
            set_style(self.problem, tone="accent")
            self.problem.tell(lambda: said(answer))
            self.typed.setFocus(Qt.FocusReason.OtherFocusReason)

        self._lanes.run(self, lane, function, ok=done, failed=self._refused)

    def _allow(self, may: bool) -> None:
        for button in (self.save, self.print_, self.keep):
            button.setEnabled(may)

    def gone(self) -> None:
        """However the sheet went, no page with the key stays."""
        host = self.parentWidget() or self
        self._lanes.run(
            host, "db", self._desk.audit.remove_safe_sheet,
            ok=lambda _: None, failed=lambda error: None,
        )  # fmt: skip

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
            set_style(self.problem, tone="danger")
            self.problem.tell(lambda: words.say("That is not the last line."))
            self.typed.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self._allow(False)
        command, session = self._command, self._who()
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.audit.keep_start_key(command, session),
            ok=lambda _: self._kept(),
            failed=self._refused,
        )

    def _kept(self) -> None:
        self._allow(True)
        self.closing.emit()
        self.kept.emit()

    def _refused(self, error: Exception) -> None:
        self._allow(True)
        set_style(self.problem, tone="danger")
        self.problem.tell(lambda: words_of(self._kit, error))
