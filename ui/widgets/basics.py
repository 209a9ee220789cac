"""Small parts that every screen is put together from: labels, buttons, cards, key caps.

A text is given as a function without arguments, so that a language switch only has to call it again.
Nothing here knows members or money.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui.keyboard import is_enter
from ui.kit import Kit
from ui.theme import Look

B = TypeVar("B", bound=QBoxLayout)
Text = Callable[[], str]
Margins = int | tuple[int, int, int, int]


def nothing() -> str:
    """The text of a label that is filled later."""
    return ""


class Label(QLabel):
    """A text that can be said again in another language.

    Properties: `role` its type style, `tone` its colour, `chip` a coloured chip.
    """

    def __init__(
        self, text: Text = nothing, *, role: str = "", tone: str = "", chip: str = ""
    ) -> None:
        super().__init__()
        self._text = text
        self.setTextFormat(Qt.TextFormat.PlainText)
        for name, value in (("role", role), ("tone", tone), ("chip", chip)):
            if value:
                self.setProperty(name, value)
        if chip:
            # A chip that stretches with its row is no chip.
            self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        self.retranslate()

    def tell(self, text: Text) -> None:
        """Show another text from now on."""
        self._text = text
        self.retranslate()

    def retranslate(self) -> None:
        self.setText(self._text())


class WrappedLabel(Label):
    """A sentence that may take several lines."""

    def __init__(self, text: Text = nothing, *, role: str = "", tone: str = "") -> None:
        super().__init__(text, role=role, tone=tone)
        self.setWordWrap(True)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)


class ElidedLabel(Label):
    """A text that gives way: where room is short it ends in an ellipsis and the whole is its hint."""

    def retranslate(self) -> None:
        super().retranslate()
        self._hint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hint()

    def _hint(self) -> None:
        whole = self.width() >= self.sizeHint().width()
        self.setToolTip("" if whole else self.text())

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        painter, inside = QPainter(self), self.contentsRect()
        text = painter.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, inside.width()
        )
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter, text)


class Picture(QLabel):
    """A shipped icon as decoration; it has no name of its own for a screen reader."""

    def __init__(self, look: Look, name: str, *, tone: str = "muted", size: int = 20) -> None:
        super().__init__()
        self._look, self._name, self._tone, self._size = look, name, tone, size
        self.setFixedSize(look.px(size), look.px(size))
        self.restyle()

    def show_icon(self, name: str, tone: str) -> None:
        self._name, self._tone = name, tone
        self.restyle()

    def restyle(self) -> None:
        self.setPixmap(self._look.pixmap(self._name, self._tone, self._size))


class Button(QPushButton):
    """A push button with words; Enter and Space press it once, never by auto-repeat.

    `name` is what a screen reader says where the text is empty or too short.
    """

    def __init__(
        self,
        kit: Kit,
        text: Text,
        *,
        role: str = "",
        icon: str = "",
        icon_tone: str = "text2",
        name: Text | None = None,
    ) -> None:
        super().__init__()
        self._kit, self._text, self._icon, self._icon_tone = kit, text, icon, icon_tone
        self._name = name or text
        self.setAutoDefault(False)
        self.setAutoRepeat(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        if role:
            self.setProperty("role", role)
        self.retranslate()
        self.restyle()

    def tell(self, text: Text) -> None:
        self._text = self._name = text
        self.retranslate()

    def retranslate(self) -> None:
        text = self._text()
        # Qt has no style for the gap between icon and text; the name stays without it.
        self.setText(f" {text}" if text and self._icon else text)
        self.setAccessibleName(self._name())

    def show_icon(self, name: str) -> None:
        self._icon = name
        self.restyle()

    def restyle(self) -> None:
        if self._icon:
            size = self._kit.look.px(18)
            self.setIcon(self._kit.look.icon(self._icon, self._icon_tone, 18))
            self.setIconSize(QSize(size, size))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not event.isAutoRepeat() and is_enter(event):
            self.click()
            return
        super().keyPressEvent(event)


class KeyCap(Label):
    """A key's name in a cap: `F12`."""

    def __init__(self, look: Look, key: str, *, on_accent: bool = False) -> None:
        super().__init__(lambda: key, chip="keyaccent" if on_accent else "key")
        self.setFixedHeight(look.px(24))
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)


def card(role: Literal["card", "well", "band", "strip"] = "card", *, tone: str = "") -> QFrame:
    frame = QFrame()
    frame.setProperty("role", role)
    if tone:
        frame.setProperty("tone", tone)
    return frame


def rule() -> QFrame:
    """A hair line between two groups."""
    frame = QFrame()
    frame.setProperty("role", "rule")
    return frame


def rows(
    look: Look, parent: QWidget | None = None, *, margins: Margins = 0, gap: int = 8
) -> QVBoxLayout:
    """A vertical layout; margins and gap in design pixels."""
    layout = QVBoxLayout(parent) if parent is not None else QVBoxLayout()
    return _spaced(look, layout, margins, gap)


def columns(
    look: Look, parent: QWidget | None = None, *, margins: Margins = 0, gap: int = 8
) -> QHBoxLayout:
    """A horizontal layout; margins and gap in design pixels."""
    layout = QHBoxLayout(parent) if parent is not None else QHBoxLayout()
    return _spaced(look, layout, margins, gap)


def _spaced(look: Look, layout: B, margins: Margins, gap: int) -> B:
    left, top, right, bottom = (margins,) * 4 if isinstance(margins, int) else margins
    layout.setContentsMargins(*(look.px(m) if m else 0 for m in (left, top, right, bottom)))
    layout.setSpacing(look.px(gap) if gap else 0)
    return layout
