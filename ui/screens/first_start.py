"""The first start: language, shop, folders, passphrase and the owner, one step at a time, then the counter.

Enter goes on, Esc goes back. Nothing is made before the last step, and nothing has a default that opens a door.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from app.commands.set_up import CURRENCIES, Answers, passphrase_problem
from app.i18n import mark
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.theme import set_style
from ui.widgets.basics import Button, Label, Text, WrappedLabel, card, columns, nothing, rows
from ui.widgets.number_fields import CodeField, PinField, WholeField
from ui.widgets.segments import Segment, Segments
from ui.widgets.text_fields import TextField

if TYPE_CHECKING:
    from ui.desk import Desk

_TITLES: Final = (
    mark("Welcome"),
    mark("Your shop"),
    mark("Where the data lies"),
    mark("Passphrase"),
    mark("The owner"),
)
_STRENGTH: Final = {
    "short": mark("At least 12 characters. A sentence that only you know is good."),
    "common": mark("Easy to guess. Take words that don't belong together."),
    "": mark("Good. Write it down and keep it in a safe."),
}


class FirstStart(QWidget):
    """Signals:
    language_chosen(code): the window speaks it at once.
    made(desk, initials, pin): the store is open; its owner may sign in.
    restore_wanted(): there was a till before: bring it back instead.
    """

    language_chosen = Signal(str)
    made = Signal(object, str, str)
    restore_wanted = Signal()

    def __init__(
        self, kit: Kit, lanes: Lanes, folder: Path, make: Callable[[Answers], Desk]
    ) -> None:
        super().__init__()
        self._kit, self._lanes, self._usual, self._make_desk = kit, lanes, folder, make
        self.setObjectName("root")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._first: list[QWidget] = []
        outer = rows(kit.look, self)
        outer.addStretch(2)
        middle = columns(kit.look)
        middle.addStretch()
        middle.addWidget(self._card())
        middle.addStretch()
        outer.addLayout(middle)
        outer.addStretch(3)

    def _card(self) -> QWidget:
        kit, words = self._kit, self._kit.words
        frame = card()
        frame.setFixedWidth(kit.look.px(640))
        column = rows(kit.look, frame, margins=(36, 32, 36, 28), gap=12)
        self._where = Label(role="muted")
        self._title = Label(role="h1")
        column.addWidget(self._where)
        column.addWidget(self._title)
        self.steps = QStackedWidget()
        for build in (self._language, self._shop, self._folders, self._secret, self._owner):
            page = QWidget()
            page.setProperty("role", "clear")
            inside = rows(kit.look, page, gap=8)
            self._first.append(build(inside))
            inside.addStretch()
            self.steps.addWidget(page)
        column.addWidget(self.steps)
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
        return frame

    # The steps --------------------------------------------------------------------------------

    def _language(self, inside: QVBoxLayout) -> QWidget:
        words = self._kit.words
        inside.addWidget(
            WrappedLabel(
                lambda: words.say("Five steps, then the counter is open. Enter goes on, Esc back.")
            )
        )
        self.language = Segments(
            self._kit,
            lambda: words.say("Language"),
            (Segment("zh_CN", lambda: "中文"), Segment("en", lambda: "English")),
        )
        self.language.choose(words.language)
        self.language.chosen.connect(self._speak)
        self.language.entered.connect(self.step_on)
        inside.addWidget(self.language)
        self.restore = Button(
            self._kit, lambda: words.say("Bring a till back from a backup"), role="ghost"
        )
        self.restore.clicked.connect(self.restore_wanted)
        inside.addWidget(self.restore)
        return self.language

    def _shop(self, inside: QVBoxLayout) -> QWidget:
        words = self._kit.words
        self.shop = TextField(lambda: words.say("Shop name"))
        self.currency = Segments(
            self._kit,
            lambda: words.say("Currency"),
            [Segment(code, partial(str, code)) for code in CURRENCIES],
        )
        self.till_no = WholeField(lambda: words.say("Till number"), digits=2)
        self.till_no.show_value(1)
        self._add(inside, lambda: words.say("Shop name"), self.shop)
        self._add(inside, lambda: words.say("Currency"), self.currency)
        self._add(inside, lambda: words.say("Till number, 1 to 99"), self.till_no)
        self.shop.entered.connect(self.currency.setFocus)
        self.currency.entered.connect(self.till_no.setFocus)
        self.till_no.entered.connect(self.step_on)
        return self.shop

    def _folders(self, inside: QVBoxLayout) -> QWidget:
        words = self._kit.words
        self.folder = _path_field(lambda: words.say("Folder of the data"))
        self.folder.setText(str(self._usual))
        self.backup = _path_field(lambda: words.say("Folder of the backups"))
        self._add(inside, lambda: words.say("Folder of the data"), self.folder)
        self._add(inside, lambda: words.say("Folder of the backups"), self.backup)
        inside.addWidget(
            WrappedLabel(
                lambda: words.say(
                    "Another disk or a stick is best. Empty: beside the data, lost with the disk."
                ),
                role="caption",
            )
        )
        self.folder.entered.connect(self.backup.setFocus)
        self.backup.entered.connect(self.step_on)
        return self.folder

    def _secret(self, inside: QVBoxLayout) -> QWidget:
        words = self._kit.words
        inside.addWidget(
            WrappedLabel(
                lambda: words.say(
                    "It opens the data when the computer can't, and helps who forgot a PIN. "
                    "Nobody can bring it back."
                )
            )
        )
        self.passphrase = _secret_field(lambda: words.say("Passphrase"))
        self.passphrase_again = _secret_field(lambda: words.say("Passphrase once more"))
        self.strength = WrappedLabel(nothing, role="strong")
        self.strength.setMinimumHeight(self._kit.look.px(28))
        self._add(inside, lambda: words.say("Passphrase"), self.passphrase)
        inside.addWidget(self.strength)
        self._add(inside, lambda: words.say("Passphrase once more"), self.passphrase_again)
        self.passphrase.textChanged.connect(self._say_strength)
        self.passphrase.entered.connect(self.passphrase_again.setFocus)
        self.passphrase_again.entered.connect(self.step_on)
        return self.passphrase

    def _owner(self, inside: QVBoxLayout) -> QWidget:
        words = self._kit.words
        self.initials = CodeField(lambda: words.say("Initials"))
        self.name = TextField(lambda: words.say("Name"))
        self.pin = PinField(lambda: words.say("PIN"))
        self.pin_again = PinField(lambda: words.say("PIN once more"))
        for name, field in (
            (lambda: words.say("Initials"), self.initials),
            (lambda: words.say("Name"), self.name),
            (lambda: words.say("PIN, six digits"), self.pin),
            (lambda: words.say("PIN once more"), self.pin_again),
        ):
            self._add(inside, name, field)
        self.initials.entered.connect(self.name.setFocus)
        self.name.entered.connect(self.pin.setFocus)
        self.pin.entered.connect(self.pin_again.setFocus)
        self.pin_again.entered.connect(self.step_on)
        return self.initials

    def _add(self, inside: QVBoxLayout, name: Text, field: QWidget) -> None:
        inside.addWidget(Label(name, role="muted"))
        inside.addWidget(field)

    # Going on and back ------------------------------------------------------------------------

    def begin(self) -> None:
        self._show(0)

    def step_on(self) -> None:
        """The next step, or the store; says what is missing instead."""
        at = self.steps.currentIndex()
        if not self.go_on.isEnabled():
            return
        missing = self._missing(at)
        if missing is not None:
            field, said = missing
            self.problem.tell(said)
            field.setFocus(Qt.FocusReason.OtherFocusReason)
        elif at < len(_TITLES) - 1:
            self._show(at + 1)
        else:
            self._make()

    def step_back(self) -> None:
        if self.go_on.isEnabled() and self.steps.currentIndex():
            self._show(self.steps.currentIndex() - 1)

    def _missing(self, at: int) -> tuple[QWidget, Text] | None:
        words = self._kit.words
        if at == 1 and not self.shop.text().strip():
            return self.shop, lambda: words.say("Enter the name of the shop.")
        if at == 1 and not 1 <= (self.till_no.value() or 0) <= 99:
            return self.till_no, lambda: words.say("A till has a number from 1 to 99.")
        if at == 2 and not self.folder.text().strip():
            return self.folder, lambda: words.say("Say where the data shall lie.")
        if at == 3 and passphrase_problem(self.passphrase.text()):
            return self.passphrase, self.strength.text
        if at == 3 and self.passphrase.text() != self.passphrase_again.text():
            return self.passphrase_again, lambda: words.say("The two passphrases differ.")
        if at == 4 and self.pin.text() != self.pin_again.text():
            return self.pin_again, lambda: words.say("The two PINs differ. Type both again.")
        return None

    def _show(self, at: int) -> None:
        words = self._kit.words
        self.steps.setCurrentIndex(at)
        self.problem.clear()
        self._where.tell(lambda: words.say("Step {n} of {count}", n=at + 1, count=len(_TITLES)))
        self._title.tell(lambda: words.say(_TITLES[at]))
        self.back.setVisible(at > 0)
        last = at == len(_TITLES) - 1
        self.go_on.tell(lambda: words.say("Open the shop") if last else words.say("Go on"))
        self._first[at].setFocus(Qt.FocusReason.OtherFocusReason)

    def _speak(self, code: str) -> None:
        self.language_chosen.emit(code)

    def _say_strength(self, text: str) -> None:
        problem = passphrase_problem(text)
        set_style(self.strength, tone="danger" if problem else "accent")
        words = self._kit.words
        self.strength.tell(lambda: words.say(_STRENGTH[problem]) if text else "")

    # Making it --------------------------------------------------------------------------------

    def answers(self) -> Answers:
        """What the fields say."""
        return Answers(
            language="en" if self.language.code == "en" else "zh_CN",
            shop=self.shop.text().strip(),
            currency=self.currency.code,
            till_no=self.till_no.value() or 1,
            folder=Path(self.folder.text().strip()).expanduser(),
            backup_folder=self.backup.text().strip(),
            passphrase=self.passphrase.text(),
            initials=self.initials.text(),
            name=self.name.text().strip(),
            pin=self.pin.text(),
        )

    def _make(self) -> None:
        words, answers = self._kit.words, self.answers()
        self.go_on.setEnabled(False)
        set_style(self.problem, tone="muted")
        self.problem.tell(lambda: words.say("Making the store…"))
        self._lanes.run(
            self,
            "db",
            lambda: self._make_desk(answers),
            ok=lambda desk: self.made.emit(desk, answers.initials, answers.pin),
            failed=self._refused,
        )

    def _refused(self, error: Exception) -> None:
        self.go_on.setEnabled(True)
        set_style(self.problem, tone="danger")
        self.problem.tell(lambda: words_of(self._kit, error))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not event.isAutoRepeat():
            self.step_back()
        else:
            super().keyPressEvent(event)


def _path_field(name: Text) -> CodeField:
    field = CodeField(name)
    field.setMaxLength(400)
    return field


def _secret_field(name: Text) -> CodeField:
    field = CodeField(name)
    field.setEchoMode(QLineEdit.EchoMode.Password)
    field.setMaxLength(200)
    return field
