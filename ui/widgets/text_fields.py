"""Fields for words, and ticks: Enter is the next need, never by auto-repeat."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QLineEdit, QStyle, QStyleOptionButton

from ui.keyboard import is_enter
from ui.kit import Kit
from ui.theme import set_style
from ui.widgets.basics import Text


class EnterField(QLineEdit):
    """A field with a name for screen readers; Up and Down are the sheet's.

    Signals:
        entered(): Enter, never by auto-repeat.
        stepped(step): Up or Down.
    """

    entered = Signal()
    stepped = Signal(int)

    def __init__(self, name: Text) -> None:
        super().__init__()
        self._name = name
        self.retranslate()

    def retranslate(self) -> None:
        self.setAccessibleName(self._name())

    def mark_wrong(self, wrong: bool) -> None:
        """Frame the field as wrong; its sentence stands beside it."""
        set_style(self, state="wrong" if wrong else "")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_enter(event):
            if not event.isAutoRepeat():
                self.entered.emit()
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.stepped.emit(1 if event.key() == Qt.Key.Key_Down else -1)
        else:
            super().keyPressEvent(event)


class TextField(EnterField):
    """Words, by an input method or without; so many signs are typed at most."""

    def __init__(self, name: Text) -> None:
        super().__init__(name)
        self.setMaxLength(80)

    def setText(self, text: str | None, /) -> None:
        """What stands there already is never cut: a save would take the rest away without a word."""
        self.setMaxLength(max(self.maxLength(), len(text or "")))
        super().setText(text)


class Tick(QCheckBox):
    """A consent: Space ticks, Enter goes on."""

    entered = Signal()

    def __init__(self, kit: Kit, text: Text) -> None:
        super().__init__()
        self._kit, self._text = kit, text
        self.retranslate()

    def retranslate(self) -> None:
        self.setText(self._text())
        self.setAccessibleName(self._text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_enter(event):
            if not event.isAutoRepeat():
                self.entered.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.isChecked():
            return
        # A style sheet's tick would need a picture file in each theme's colour.
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
        size = self._kit.look.px(14)
        painter = QPainter(self)
        icon = self._kit.look.pixmap("check", "on_accent", 14)
        painter.drawPixmap(box.center().x() - size // 2 + 1, box.center().y() - size // 2 + 1, icon)
        painter.end()
