"""A choice of a few, as segments: one tab stop, arrows move inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.kit import Kit
from ui.widgets.basics import Button, Text


@dataclass(frozen=True, slots=True)
class Segment:
    code: str
    text: Text
    icon: str = ""


class Segments(QWidget):
    """Segments of which one is chosen, or with `open_` none until a person chooses. Choosing never
    commits anything.

    Signals:
        chosen(code): by key, click or `choose`; only when it changed.
        entered(): Enter on the group.
    """

    chosen = Signal(str)
    entered = Signal()

    def __init__(
        self, kit: Kit, name: Text, segments: Sequence[Segment], *, open_: bool = False
    ) -> None:
        super().__init__()
        self._name = name
        self._codes = [segment.code for segment in segments]
        self._buttons = [_SegmentButton(kit, segment) for segment in segments]
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(kit.look.px(8))
        for at, button in enumerate(self._buttons):
            layout.addWidget(button, 0, at)
            button.pressed.connect(lambda at=at: self._choose_at(at))
        self._at = -1 if open_ else 0
        self._settle()
        self.retranslate()

    @property
    def code(self) -> str:
        """The chosen one; "" while none is."""
        return self._codes[self._at] if self._at >= 0 else ""

    def choose(self, code: str) -> None:
        self._choose_at(self._codes.index(code))

    def choose_next(self, step: int = 1) -> None:
        """The next segment, from the last to the first."""
        at = 0 if self._at < 0 and step < 0 else self._at
        self._choose_at((at + step) % len(self._codes))

    def retranslate(self) -> None:
        self.setAccessibleName(self._name())

    def focus_here(self) -> None:
        self._buttons[max(self._at, 0)].setFocus(Qt.FocusReason.OtherFocusReason)

    def _choose_at(self, at: int) -> None:
        had_focus = any(button.hasFocus() for button in self._buttons)
        changed = at != self._at
        self._at = at
        self._settle()
        if had_focus:
            self.focus_here()
        if changed:
            self.chosen.emit(self.code)

    def _settle(self) -> None:
        for at, button in enumerate(self._buttons):
            here = at == self._at
            button.setChecked(here)
            button.setFocusPolicy(
                Qt.FocusPolicy.StrongFocus
                if here or (self._at < 0 and at == 0)
                else Qt.FocusPolicy.ClickFocus
            )
            button.restyle_for(here)
        self.setFocusProxy(self._buttons[max(self._at, 0)])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        forward = event.key() in (Qt.Key.Key_Right, Qt.Key.Key_Down)
        if forward or event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Up):
            self.choose_next(1 if forward else -1)
        else:
            super().keyPressEvent(event)


class _SegmentButton(Button):
    def __init__(self, kit: Kit, segment: Segment) -> None:
        super().__init__(kit, segment.text, role="segment", icon=segment.icon)
        self.setCheckable(True)

    def restyle_for(self, chosen: bool) -> None:
        self._icon_tone = "accent_text" if chosen else "text2"
        self.restyle()

    def nextCheckState(self) -> None:
        # The group decides what is checked: pressing the chosen segment keeps it.
        self.setChecked(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        group = self.parentWidget()
        arrows = (Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Down)
        if event.key() in arrows:
            event.ignore()  # The group moves.
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat() and isinstance(group, Segments):
                group.entered.emit()
        else:
            super().keyPressEvent(event)
