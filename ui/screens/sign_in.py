"""Who works here: initials or badge, then the PIN. Also the lock, and the passphrase when the key
store can't open the till. Painted before the store's libraries are loaded: typing may begin at once.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from app.queries.records import StaffView
from ui.kit import Kit
from ui.theme import set_style
from ui.widgets.basics import (
    Button,
    ElidedLabel,
    KeyCap,
    Label,
    Picture,
    Text,
    WrappedLabel,
    card,
    columns,
    nothing,
    rows,
)
from ui.widgets.number_fields import CodeField, PinField
from ui.widgets.sheet import SheetHost


class SignIn(QWidget):
    """Signals:
    who_given(text): initials or a badge.
    pin_given(who, pin): check them.
    passphrase_given(text): open the till with it.
    forgotten(): a manager's PIN, where it was offered.
    again_wanted(): open the till once more.
    restore_wanted(): bring it back from a backup, where it stays shut.

    Attributes:
        sheets: what lies over this page.
    """

    who_given = Signal(str)
    pin_given = Signal(str, str)
    passphrase_given = Signal(str)
    forgotten = Signal()
    again_wanted = Signal()
    restore_wanted = Signal()

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._who = ""
        self._given = False
        """Whether a PIN or passphrase is being checked: Enter counts once until the answer."""
        self._wait_left_s = 0
        self._wait_sentence: Callable[[int], str] = str
        self._second = QTimer(self)
        self._second.setInterval(1000)
        # A coarse timer may ring early, and the till would refuse once more.
        self._second.setTimerType(Qt.TimerType.PreciseTimer)
        self._second.timeout.connect(self._count_down)
        self.setObjectName("root")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        outer = rows(kit.look, self)
        outer.addStretch(2)
        middle = columns(kit.look)
        middle.addStretch()
        middle.addWidget(self._card())
        middle.addStretch()
        outer.addLayout(middle)
        outer.addStretch(3)
        self.sheets = SheetHost(kit, self)
        self.sheets.emptied.connect(self._back_to_field)
        self.ask_who()

    def _card(self) -> QWidget:
        look, words = self._kit.look, self._kit.words
        frame = card()
        frame.setFixedWidth(look.px(440))
        column = rows(look, frame, margins=(36, 32, 36, 28), gap=12)
        head = columns(look, gap=12)
        head.addWidget(Picture(look, "store", tone="accent_text", size=32))
        titles = rows(look, gap=0)
        titles.addWidget(Label(lambda: words.say("Regulars"), role="h1"))
        self._place = ElidedLabel(role="muted")
        self._place.hide()
        titles.addWidget(self._place)
        head.addLayout(titles, 1)
        column.addLayout(head)
        self._kept = WrappedLabel(tone="accent")
        column.addWidget(self._kept)
        self._asked = Label(role="strong")
        column.addWidget(self._asked)
        self.who = CodeField(lambda: words.say("Initials or badge"), role="search")
        self.pin = PinField(lambda: words.say("PIN"), digits=12)  # A first code is so long.
        self.passphrase = CodeField(lambda: words.say("Passphrase"), role="search")
        self.passphrase.setEchoMode(QLineEdit.EchoMode.Password)
        for field in (self.who, self.pin, self.passphrase):
            column.addWidget(field)
        self._said = WrappedLabel(role="strong", tone="danger")
        self._said.setMinimumHeight(look.px(44))
        self._said.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(self._said)
        self.again = Button(self._kit, lambda: words.say("Try again"), role="primary")
        self.again.clicked.connect(self._try_again)
        column.addWidget(self.again)
        self.restore = Button(self._kit, lambda: words.say("Bring it back from a backup"))
        self.restore.clicked.connect(self.restore_wanted)
        self.restore.hide()
        column.addWidget(self.restore)
        foot = columns(look, gap=8)
        self._back = Button(self._kit, lambda: words.say("Someone else"), role="ghost")
        self._back.clicked.connect(self.ask_who)
        foot.addWidget(self._back)
        foot.addStretch()
        foot.addWidget(KeyCap(look, "Enter"))
        foot.addWidget(Label(lambda: words.say("Go on"), role="caption"))
        column.addLayout(foot)
        self.forgot = Button(
            self._kit, lambda: words.say("A manager's PIN is forgotten (F11)"), role="ghost"
        )
        self.forgot.clicked.connect(self.forgotten)
        self.forgot.hide()
        column.addWidget(self.forgot)
        self.who.entered.connect(self._give_who)
        self.pin.entered.connect(self._give_pin)
        self.passphrase.entered.connect(self._give_passphrase)
        return frame

    def show_place(self, text: str, *, kept: bool = False) -> None:
        """Store and till; `kept` says that a sale is waiting behind the lock (S43)."""
        self._place.tell(lambda: text)
        self._place.show()
        self._kept.setVisible(kept)
        self._kept.tell(lambda: self._kit.words.say("Locked; the sale is kept."))

    def offer_reset(self) -> None:
        """The till is open, so a forgotten PIN can be helped."""
        self.forgot.show()

    def ask_who(self) -> None:
        self._show(self.who, lambda: self._kit.words.say("Type your initials or scan your badge"))
        self.who.clear()
        self.pin.clear()
        self._back.hide()

    def ask_pin(self, staff: StaffView, who: str) -> None:
        self._who = who
        self.pin.clear()
        self._show(self.pin, lambda: self._kit.words.say("{name}: your PIN", name=staff.name))
        self._back.show()

    def ask_passphrase(self) -> None:
        self._show(self.passphrase, lambda: self._kit.words.say("The passphrase of this till"))
        self._back.hide()

    def stay_shut(self, sentence: Text, *, restore: bool = False) -> None:
        """The till can't be opened: why, what to do, and Enter tries again. Nobody can sign in meanwhile."""
        self._show(None, lambda: self._kit.words.say("The till isn't open"))
        self._back.hide()
        self.again.setEnabled(True)
        self.again.show()
        self.restore.setVisible(restore)
        self._say(sentence, tone="danger")
        self.again.setFocus(Qt.FocusReason.OtherFocusReason)

    def wait(self, sentence: Text) -> None:
        """Something is on its way (opening, checking); what is typed stays."""
        self._say(sentence, tone="muted")

    def refuse(self, sentence: Text, *, again: bool = True) -> None:
        """Say why not; the field is selected for another try, unless a scan was refused: what was
        typed before it goes on.
        """
        self._given = False
        self._say(sentence, tone="danger")
        for field in (self.who, self.pin, self.passphrase):
            field.setEnabled(True)
        if again:
            asked = self.field
            asked.setFocus(Qt.FocusReason.OtherFocusReason)
            if isinstance(asked, QLineEdit):
                asked.selectAll()

    def refuse_for(self, wait_s: int, sentence: Callable[[int], str]) -> None:
        """Say why not and for how many seconds more; the passphrase is not taken before they are over."""
        self._wait_left_s, self._wait_sentence = wait_s, sentence
        self.refuse(lambda: sentence(self._wait_left_s))
        self._second.start()

    def _count_down(self) -> None:
        self._wait_left_s -= 1
        if self._wait_left_s > 0:
            self._say(lambda: self._wait_sentence(self._wait_left_s), tone="danger")
            return
        self._second.stop()
        self._say(lambda: self._kit.words.say("You can try again now."), tone="muted")

    @property
    def field(self) -> QWidget:
        """What is asked now: a field, or whether to try again."""
        asked = (self.who, self.pin, self.passphrase, self.again)
        return next(f for f in asked if not f.isHidden())

    @property
    def given(self) -> tuple[str, str]:
        """Who is signing in, and what they typed for their PIN."""
        return self._who, self.pin.text()

    @property
    def takes_badge(self) -> bool:
        """Whether a scanned badge can answer what is asked here."""
        asked = self.passphrase.isHidden() and self.again.isHidden()
        return self.isVisible() and asked and self.sheets.top is None

    def _back_to_field(self) -> None:
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _say(self, sentence: Text, *, tone: str) -> None:
        set_style(self._said, tone=tone)
        self._said.tell(sentence)

    def _try_again(self) -> None:
        self.again.setEnabled(False)
        self._say(lambda: self._kit.words.say("Opening the till…"), tone="muted")
        self.again_wanted.emit()

    def _show(self, shown: QLineEdit | None, asked: Text) -> None:
        self._given = False
        for field in (self.who, self.pin, self.passphrase):
            field.setVisible(field is shown)
        self._asked.tell(asked)
        self.again.hide()
        self.restore.hide()
        self._said.tell(nothing)
        if shown is not None:
            shown.setFocus(Qt.FocusReason.OtherFocusReason)

    def _give_who(self) -> None:
        if self.who.text().strip():
            self.who_given.emit(self.who.text().strip())

    def _give_pin(self) -> None:
        if self.pin.text() and not self._given:
            self._given = True
            self.pin_given.emit(self._who, self.pin.text())

    def _give_passphrase(self) -> None:
        if self.passphrase.text() and not (self._given or self._second.isActive()):
            self._given = True
            self.passphrase_given.emit(self.passphrase.text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.pin.isHidden():
            self.ask_who()
        elif event.key() == Qt.Key.Key_F11 and not self.forgot.isHidden():
            if self.sheets.top is None and not event.isAutoRepeat():
                self.forgotten.emit()
        else:
            super().keyPressEvent(event)
