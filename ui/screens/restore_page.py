"""Bring a till back, in three looks: from where, what will come back exactly, and that it is done.

Everything is proven beside the target before anything takes its place; Esc leaves nothing behind. It never
writes over a store: the folder that it goes to must be empty.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.theme import set_style
from ui.widgets.basics import Button, Label, Text, WrappedLabel, card, columns, nothing, rows
from ui.widgets.number_fields import CodeField

if TYPE_CHECKING:
    from app.restore import Place, Prepared, Restored

Prepare = Callable[["Place", str, Callable[[int], None]], "Prepared"]
"""(from where to where, passphrase, who hears the percents): made on a lane."""


class RestorePage(QWidget):
    """Signals:
    left(): nothing was brought back.
    restored(folder): a till is whole in there.
    """

    left = Signal()
    restored = Signal(object)

    def __init__(self, kit: Kit, lanes: Lanes, target: Path, prepare: Prepare) -> None:
        super().__init__()
        self._kit, self._lanes, self._prepare = kit, lanes, prepare
        self._prepared: Prepared | None = None
        self._done = self._working = False
        self._place: Place | None = None
        self.setObjectName("root")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        outer = rows(kit.look, self)
        outer.addStretch(2)
        middle = columns(kit.look)
        middle.addStretch()
        middle.addWidget(self._card(target))
        middle.addStretch()
        outer.addLayout(middle)
        outer.addStretch(3)

    def _card(self, target: Path) -> QWidget:
        kit, words = self._kit, self._kit.words
        frame = card()
        frame.setFixedWidth(kit.look.px(720))
        column = rows(kit.look, frame, margins=(36, 28, 36, 28), gap=8)
        column.addWidget(Label(lambda: words.say("Bring a till back"), role="h1"))
        self.fields = QWidget()
        self.fields.setProperty("role", "clear")
        self._add_fields(rows(kit.look, self.fields, gap=6), target)
        column.addWidget(self.fields)
        self.facts = WrappedLabel(nothing)
        self.facts.hide()
        column.addWidget(self.facts)
        self.problem = WrappedLabel(nothing, role="strong", tone="danger")
        self.problem.setMinimumHeight(kit.look.px(44))
        column.addWidget(self.problem)
        foot = columns(kit.look, gap=12)
        self.back = Button(kit, lambda: words.say("Back"))
        self.go_on = Button(kit, nothing, role="primary")
        self.back.clicked.connect(self.step_back)
        self.go_on.clicked.connect(self.step_on)
        foot.addWidget(self.back)
        foot.addWidget(self.go_on, 1)
        column.addLayout(foot)
        self._say_next()
        return frame

    def _add_fields(self, inside: QVBoxLayout, target: Path) -> None:
        words = self._kit.words
        names: tuple[Text, ...] = (
            lambda: words.say("Folder of the backups, or one backup"),
            lambda: words.say("The passphrase of this till"),
            lambda: words.say(
                "Folder of the old till's journal, if it can be read (may stay empty)"
            ),
            lambda: words.say("Empty folder to bring it back into"),
        )
        fields = tuple(_field(name) for name in names)
        self.source, self.passphrase, self.journal, self.target = fields
        self.passphrase.setEchoMode(QLineEdit.EchoMode.Password)
        self.target.setText(str(target))
        for field, following in pairwise(fields):
            field.entered.connect(partial(following.setFocus, Qt.FocusReason.TabFocusReason))
        self.target.entered.connect(self.step_on)
        for name, field in zip(names, fields, strict=True):
            inside.addWidget(Label(name, role="muted"))
            inside.addWidget(field)

    def begin(self) -> None:
        self.source.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def busy(self) -> bool:
        """Whether a lane works for it: it can't be left just now."""
        return self._working

    # Going on and back ------------------------------------------------------------------------

    def step_on(self) -> None:
        """Look what would come back; bring it back; open it."""
        if self._working:
            return
        if self._done and self._prepared is not None:
            self.restored.emit(self._prepared.target)
        elif self._prepared is not None:
            self._bring_back(self._prepared)
        elif (missing := self._missing()) is not None:
            field, said = missing
            self._say(said, tone="danger")
            field.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self._look()

    def step_back(self) -> None:
        """To the fields, and from them away; nothing is left of what was prepared."""
        if self._working or self._done:
            return
        if self._prepared is None:
            self.left.emit()
            return
        from app.restore import give_up

        prepared, self._prepared = self._prepared, None
        self._run("db", partial(give_up, prepared), lambda _: self._show_fields())

    def give_up(self) -> None:
        """The window closes: whatever the lane still makes, nothing is left behind."""
        if self._place is not None and not self._done:
            from app.restore import sweep

            place = self._place
            self._lanes.run(
                self, "db", lambda: sweep(place), ok=lambda _: None, failed=lambda _: None
            )

    def _missing(self) -> tuple[QWidget, Text] | None:
        words = self._kit.words
        for field in (self.source, self.passphrase, self.target):
            if not field.text().strip():
                return field, lambda: words.say("Fill this in first.")
        if not Path(self.source.text().strip()).expanduser().is_dir():
            return self.source, lambda: words.say(
                "There is no such folder. Is the disk plugged in?"
            )
        journal = self.journal.text().strip()
        if journal and not Path(journal).expanduser().is_dir():
            return self.journal, lambda: words.say(
                "There is no such folder. Leave it empty if the old disk can't be read."
            )
        return None

    def _look(self) -> None:
        from app.restore import Place

        journal = self.journal.text().strip()
        place = Place(
            Path(self.source.text().strip()).expanduser(),
            Path(self.target.text().strip()).expanduser(),
            Path(journal).expanduser() if journal else None,
        )
        self._place = place
        passphrase = self.passphrase.text()
        tell = self._lanes.teller(self, self._percent)
        self._percent(0)
        self._run("db", lambda: self._prepare(place, passphrase, tell), self._show_facts)

    def _bring_back(self, prepared: Prepared) -> None:
        from app.restore import bring_back

        self._run("db", partial(bring_back, prepared), self._brought)

    def _run(self, lane: str, function: Callable[[], object], ok: Callable[..., None]) -> None:
        self._working = True
        self._allow(False)

        def done(answer: object) -> None:
            self._working = False
            self._allow(True)
            ok(answer)

        self._lanes.run(self, lane, function, ok=done, failed=self._refused)

    def _allow(self, may: bool) -> None:
        for widget in (self.fields, self.go_on, self.back):
            widget.setEnabled(may)

    # What it says -----------------------------------------------------------------------------

    def _percent(self, percent: int) -> None:
        words = self._kit.words
        if self._working or not percent:
            self._say(
                lambda: words.say(
                    "Reading, checking and putting together: {percent} %", percent=percent
                ),
                tone="muted",
            )

    def _show_facts(self, prepared: Prepared) -> None:
        """What will come back, exactly; nothing has taken its place yet."""
        self._prepared = prepared
        self.fields.hide()
        self.facts.show()
        self.facts.tell(partial(self._facts_of, prepared.found))
        words = self._kit.words
        lost = prepared.found.missing is not None

        def warning() -> str:
            if prepared.found.newer:
                return words.say(
                    "Something newer lies beside this backup. Is it the right one? Keep the old disk."
                )
            if lost:
                return words.say("Some entries can't be brought back. Keep the old disk.")
            return words.say("Nothing is in its place yet. Never let two tills of one store sell.")

        self._say(warning, tone="danger" if lost or prepared.found.newer else "warn")
        self._say_next()
        self.go_on.setFocus(Qt.FocusReason.OtherFocusReason)

    def _facts_of(self, found: Restored) -> str:
        from app.commands.restore import shop_report

        return "\n".join(shop_report(found, self._kit.words))

    def _brought(self, found: Restored) -> None:
        del found
        self._done = True
        self.back.hide()
        words = self._kit.words
        self._say(
            lambda: words.say(
                "The till is back. Sign in, set backups and printer in the settings, and back up."
            ),
            tone="accent",
        )
        self._say_next()
        self.go_on.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_fields(self) -> None:
        self.facts.hide()
        self.fields.show()
        self._say(nothing, tone="danger")
        self._say_next()
        self.source.setFocus(Qt.FocusReason.OtherFocusReason)

    def _say_next(self) -> None:
        words = self._kit.words
        if self._done:
            self.go_on.tell(lambda: words.say("Open the till"))
        elif self._prepared is not None:
            self.go_on.tell(lambda: words.say("Bring it back"))
        else:
            self.go_on.tell(lambda: words.say("Show what comes back"))

    def _say(self, said: Text, *, tone: str) -> None:
        set_style(self.problem, tone=tone)
        self.problem.tell(said)

    def _refused(self, error: Exception) -> None:
        self._working = False
        self._allow(True)
        self._say(lambda: words_of(self._kit, error), tone="danger")
        first = self.go_on if self._prepared is not None else self.passphrase
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not event.isAutoRepeat():
            self.step_back()
        else:
            super().keyPressEvent(event)


def _field(name: Text) -> CodeField:
    field = CodeField(name)
    field.setMaxLength(400)
    return field
