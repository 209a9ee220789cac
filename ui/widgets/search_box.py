"""The one search box: letters still in an input method's composition count as typed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from app.i18n import mark
from ui.keyboard import PassingField, is_enter
from ui.kit import Kit
from ui.theme import set_style


class SearchBox(PassingField):
    """Asks as one types.

    Signals:
        asked(text): what is in the box now, composition included; also the empty text.
        accepted(): Enter, not while composing and not by auto-repeat.
        beyond(): the same with Ctrl: what is not here.
        moved(step): Up or Down, for the list beside the box.
    """

    asked = Signal(str)
    accepted = Signal()
    beyond = Signal()
    moved = Signal(int)
    _PLACEHOLDER = mark("Phone, name, initials, card")

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._asked = ""
        self.setProperty("role", "search")
        self.setMaxLength(64)
        self._glass = QAction(self)
        self._scan = QAction(self)
        self.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self.addAction(self._scan, QLineEdit.ActionPosition.TrailingPosition)
        for child in self.children():
            if isinstance(child, QWidget):
                child.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.textChanged.connect(self._ask)
        self.composing.connect(self._ask)
        self.retranslate()
        self.restyle()

    def whole_text(self) -> str:
        """The text with what is in composition at the cursor."""
        at = self.cursorPosition()
        return self.text()[:at] + self.preedit + self.text()[at:]

    def mark_used(self) -> None:
        """Grey the text: it found the member that is attached now."""
        set_style(self, state="used")

    def retranslate(self) -> None:
        self.setPlaceholderText(self._kit.words.say(self._PLACEHOLDER))
        self.setAccessibleName(self._kit.words.say("Find member"))

    def restyle(self) -> None:
        self._glass.setIcon(self._kit.look.icon("search", "muted"))
        self._scan.setIcon(self._kit.look.icon("scan-line", "accent_text"))

    def _ask(self) -> None:
        text = self.whole_text()
        if text != self._asked:
            self._asked = text
            if self.property("state"):
                set_style(self, state="")
            self.asked.emit(text)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() != Qt.FocusReason.MouseFocusReason:
            self.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_enter(event):
            if not event.isAutoRepeat() and not self.preedit:
                control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
                (self.beyond if control else self.accepted).emit()
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.moved.emit(1 if event.key() == Qt.Key.Key_Down else -1)
        else:
            super().keyPressEvent(event)
