"""Bring a till back: which backup, by which passphrase to where, what will come back exactly, and the end.

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

from app.domain.errors import Outage, Unavailable
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.screens.restore_choice import PATH_MOST, BackupChoice
from ui.theme import set_style
from ui.widgets.basics import Button, Label, Text, WrappedLabel, card, columns, nothing, rows
from ui.widgets.number_fields import CodeField
from ui.widgets.text_fields import EnterField, TextField

if TYPE_CHECKING:
    from app.found_backups import FoundBackup
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
        self._taken: FoundBackup | None = None
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
        self.choice = BackupChoice(kit, self._lanes)
        self.choice.said.connect(lambda said, tone: self._say(said, tone=tone))
        self.choice.taken.connect(self._take)
        column.addWidget(self.choice)
        self.fields = QWidget()
        self.fields.setProperty("role", "clear")
        self._add_fields(rows(kit.look, self.fields, gap=6), target)
        self.fields.hide()
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
        self.which = WrappedLabel(nothing, role="strong")
        inside.addWidget(self.which)
        names: tuple[Text, ...] = (
            lambda: words.say("The passphrase of this till"),
            lambda: words.say(
                "Folder of the old till's journal, if it can be read (may stay empty)"
            ),
            lambda: words.say("Empty folder to bring it back into"),
        )
        self.passphrase = CodeField(names[0])
        self.journal, self.target = TextField(names[1]), TextField(names[2])
        fields: tuple[EnterField, ...] = (self.passphrase, self.journal, self.target)
        for field in fields:
            field.setMaxLength(PATH_MOST)
        self.passphrase.setEchoMode(QLineEdit.EchoMode.Password)
        self.target.setText(str(target))
        for field, following in pairwise(fields):
            field.entered.connect(partial(following.setFocus, Qt.FocusReason.TabFocusReason))
        self.target.entered.connect(self.step_on)
        for name, field in zip(names, fields, strict=True):
            inside.addWidget(Label(name, role="muted"))
            inside.addWidget(field)

    def begin(self) -> None:
        self.choice.begin()

    @property
    def busy(self) -> bool:
        """Whether a lane works for it: it can't be left just now."""
        return self._working

    # Going on and back ------------------------------------------------------------------------

    def step_on(self) -> None:
        """Choose; look what would come back; bring it back; open it."""
        if self._working:
            return
        if self._done and self._prepared is not None:
            self.restored.emit(self._prepared.target)
        elif self._prepared is not None:
            self._bring_back(self._prepared)
        elif self._taken is None:
            self.choice.go_on()
        elif (missing := self._missing()) is not None:
            self._say(lambda: self._kit.words.say("Fill this in first."), tone="danger")
            missing.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self._look(self._taken)

    def step_back(self) -> None:
        """To the fields, to the list, and from there away; nothing is left of what was prepared."""
        if self._working or self._done:
            return
        if self._taken is None:
            self.left.emit()
            return
        if self._prepared is None:
            self._choose_again()
            return
        from app.restore import give_up

        prepared, self._prepared = self._prepared, None
        self._run("db", partial(give_up, prepared), lambda _: self._show_fields(self.passphrase))

    def give_up(self) -> None:
        """The window closes: whatever the lane still makes, nothing is left behind."""
        if self._place is not None and not self._done:
            from app.restore import sweep

            place = self._place
            self._lanes.run(
                self, "db", lambda: sweep(place), ok=lambda _: None, failed=lambda _: None
            )

    def _take(self, found: FoundBackup) -> None:
        """This one: on to the passphrase."""
        from app.commands.restore import taken_at, whose

        words = self._kit.words
        self._taken = found
        self.which.tell(
            lambda: words.say(
                "Backup of {at}: {whose}", at=taken_at(found), whose=whose(found, words)
            )
        )
        self._show_fields(self.passphrase)

    def _choose_again(self) -> None:
        self._taken = None
        self.fields.hide()
        self.choice.show()
        self._say(nothing, tone="muted")
        self._say_next()
        self.choice.begin()

    def _missing(self) -> QWidget | None:
        needed = (self.passphrase, self.target)
        return next((field for field in needed if not field.text().strip()), None)

    def _look(self, taken: FoundBackup) -> None:
        from app.restore import Place

        journal = self.journal.text().strip()
        place = Place(
            taken.path,
            Path(self.target.text().strip()).expanduser(),
            Path(journal).expanduser() if journal else None,
        )
        self._place = place
        passphrase = self.passphrase.text()
        tell = self._lanes.teller(self, self._percent)
        self._percent(0)

        def prepared() -> Prepared | None:
            if place.journal is not None and not place.journal.is_dir():
                return None
            return self._prepare(place, passphrase, tell)

        self._run("db", prepared, self._looked)

    def _looked(self, prepared: Prepared | None) -> None:
        words = self._kit.words
        if prepared is not None:
            self._show_facts(prepared)
            return
        self._say(
            lambda: words.say(
                "There is no such folder. Leave it empty if the old disk can't be read."
            ),
            tone="danger",
        )
        self.journal.setFocus(Qt.FocusReason.OtherFocusReason)

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
        for widget in (self.choice, self.fields, self.go_on, self.back):
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

    def _show_fields(self, first: QWidget) -> None:
        self.choice.hide()
        self.facts.hide()
        self.fields.show()
        self._say(nothing, tone="danger")
        self._say_next()
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _say_next(self) -> None:
        words = self._kit.words
        if self._done:
            self.go_on.tell(lambda: words.say("Open the till"))
        elif self._prepared is not None:
            self.go_on.tell(lambda: words.say("Bring it back"))
        elif self._taken is None:
            self.go_on.tell(lambda: words.say("Go on"))
        else:
            self.go_on.tell(lambda: words.say("Show what comes back"))

    def _say(self, said: Text, *, tone: str) -> None:
        set_style(self.problem, tone=tone)
        self.problem.tell(said)

    def _refused(self, error: Exception) -> None:
        self._working = False
        self._allow(True)
        code = error.code if isinstance(error, Unavailable) else None
        if code is Outage.BACKUP_UNSOUND and self._taken is not None:
            tried = self._taken.path
            self._choose_again()
            self.choice.not_whole(tried)
            return
        self._say(lambda: words_of(self._kit, error), tone="danger")
        if self._prepared is not None:
            first: QWidget = self.go_on
        else:
            first = self.target if code is Outage.STORE_EXISTS else self.passphrase
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not event.isAutoRepeat():
            self.step_back()
        else:
            super().keyPressEvent(event)
