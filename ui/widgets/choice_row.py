"""A row of choices that is one stop of Tab: Left and Right go from one to the next, Up and Down choose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QWidget

from ui.kit import Kit
from ui.widgets.basics import Text, columns

_OF_THE_ROW: Final = frozenset(
    {
        Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down,
        Qt.Key.Key_Return, Qt.Key.Key_Enter,
    }
)  # fmt: skip


class Choice(QPushButton):
    """One of a few values; a click takes the next.

    Signals:
        changed(): another value.
    """

    changed = Signal()

    def __init__(self, kit: Kit, name: Text, options: Sequence[tuple[object, Text]]) -> None:
        super().__init__()
        self._kit, self._name = kit, name
        self._options = list(options)
        self._at = 0
        self.setProperty("role", "segment")
        self.setAutoDefault(False)
        self.clicked.connect(lambda: self.step(1))
        self.retranslate()

    @property
    def value(self) -> object:
        return self._options[self._at][0]

    def choose(self, value: object) -> None:
        """Take a value without telling."""
        self._at = next((n for n, (each, _) in enumerate(self._options) if each == value), 0)
        self.retranslate()

    def offer(self, options: Sequence[tuple[object, Text]]) -> None:
        """Other values; the one that was chosen stays if it is among them."""
        before = self.value
        self._options = list(options)
        self.choose(before)

    def step(self, by: int) -> None:
        self._at = (self._at + by) % len(self._options)
        self.retranslate()
        self.changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _OF_THE_ROW:
            event.ignore()  # The row moves and chooses.
        else:
            super().keyPressEvent(event)

    def retranslate(self) -> None:
        said = self._options[self._at][1]()
        self.setText(f"  {self._name()}: {said}  ")
        self.setAccessibleName(f"{self._name()}: {said}")


class ChoiceRow(QWidget):
    """The choices side by side; one that is hidden is passed over.

    Signals:
        changed(): one of them has another value.
        entered(): Enter: on with what was chosen.
    """

    changed = Signal()
    entered = Signal()

    def __init__(self, kit: Kit, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._choices = list(choices)
        row = columns(kit.look, self, gap=8)
        for choice in self._choices:
            row.addWidget(choice)
            choice.changed.connect(self.changed)
            choice.pressed.connect(lambda choice=choice: self._stand_on(choice))
        row.addStretch()
        self._stand_on(self._choices[0])

    def _stand_on(self, here: Choice) -> None:
        had_focus = any(choice.hasFocus() for choice in self._choices)
        for choice in self._choices:
            stop = choice is here
            choice.setFocusPolicy(Qt.FocusPolicy.StrongFocus if stop else Qt.FocusPolicy.ClickFocus)
        self.setFocusProxy(here)
        if had_focus:
            here.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        offered = [choice for choice in self._choices if not choice.isHidden()]
        here = next((n for n, each in enumerate(offered) if each.hasFocus()), None)
        key = event.key()
        if here is None:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            step = 1 if key == Qt.Key.Key_Right else -1
            self._stand_on(offered[(here + step) % len(offered)])
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            offered[here].step(1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        else:
            super().keyPressEvent(event)
