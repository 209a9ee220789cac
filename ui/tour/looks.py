"""What is wrong with a picture: text that is cut off, and text that lies on other text.

Read from the widgets at the moment of the picture, so it is exact where eyes are not; eyes still look.
"""

from __future__ import annotations

from itertools import combinations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QLabel, QWidget

from ui.widgets.sheet import Sheet
from ui.widgets.strip import Strip

_SLACK_PX = 1


def faults(window: QWidget) -> list[str]:
    """Clipped or overlapping texts of everything visible in a window, one sentence each."""
    found = []
    places: list[tuple[QWidget, QRect, str]] = []
    for widget in window.findChildren(QWidget):
        text = _text(widget)
        if not text or not _shown(widget, window):
            continue
        needed = _needed(widget, text)
        if needed.width() > widget.contentsRect().width() + _SLACK_PX:
            found.append(
                f"clipped: {text!r} needs {needed.width()} of {widget.contentsRect().width()} px"
            )
        if needed.height() > widget.contentsRect().height() + _SLACK_PX:
            found.append(
                f"too low: {text!r} needs {needed.height()} of {widget.contentsRect().height()} px"
            )
        places.append((widget, QRect(widget.mapTo(window, QPoint(0, 0)), widget.size()), text))
    for (one, here, text), (other, there, second) in combinations(places, 2):
        if _related(one, other) or _layer(one, window) is not _layer(other, window):
            continue  # A sheet or the strip lies over the counter on purpose.
        shared = here.intersected(there)
        if shared.width() > _SLACK_PX and shared.height() > _SLACK_PX:
            found.append(f"overlap: {text!r} and {second!r}")
    return found


def _text(widget: QWidget) -> str:
    if isinstance(widget, QLabel):
        return "" if not widget.pixmap().isNull() else widget.text().strip()
    if isinstance(widget, QAbstractButton):
        return widget.text().replace("&", "").strip()
    return ""


def _needed(widget: QWidget, text: str) -> QRect:
    metrics = QFontMetrics(widget.font())
    if isinstance(widget, QLabel):
        if widget.wordWrap() or "\n" in text:
            flags = Qt.TextFlag.TextWordWrap
            return metrics.boundingRect(0, 0, widget.contentsRect().width(), 10_000, flags, text)
        if widget.textFormat() is Qt.TextFormat.RichText or "<" in text:
            hint = widget.sizeHint()
            return QRect(0, 0, hint.width(), hint.height())
    return QRect(0, 0, metrics.horizontalAdvance(text), metrics.ascent())


def _shown(widget: QWidget, window: QWidget) -> bool:
    """Visible, and not scrolled out: of what a scroll area cuts, the user sees the rest by scrolling."""
    if not widget.isVisibleTo(window) or widget.visibleRegion().isEmpty():
        return False
    parent = widget.parentWidget()
    while parent is not None and parent is not window:
        if isinstance(parent, QAbstractScrollArea):
            inside = QRect(widget.mapTo(parent.viewport(), QPoint(0, 0)), widget.size())
            return parent.viewport().rect().contains(inside)
        parent = parent.parentWidget()
    return True


def _layer(widget: QWidget, window: QWidget) -> QWidget:
    """What a text lies on: a sheet, the strip, or the window itself."""
    parent: QWidget | None = widget
    while parent is not None and parent is not window:
        if isinstance(parent, Sheet | Strip):
            return parent
        parent = parent.parentWidget()
    return window


def _related(one: QWidget, other: QWidget) -> bool:
    return one.isAncestorOf(other) or other.isAncestorOf(one)
