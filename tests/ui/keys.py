"""Real key events for tests."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget


def focus() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None, "nothing has the focus"
    return widget


def press(key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Press a key where the focus is."""
    QTest.keyClick(focus(), key, modifier)


def write(text: str) -> None:
    """Type where the focus is, key by key; the focus may move on the way.

    The Control at the end tells the scanner filter that it was no burst, so it holds nothing back.
    """
    assert text.isascii(), "QTest aborts at any other character; insert such text instead"
    for character in text:
        QTest.keyClicks(focus(), character)
    QTest.keyClick(focus(), Qt.Key.Key_Control)


def keypad(widget: QWidget, key: Qt.Key, text: str) -> None:
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        event = QKeyEvent(kind, key, Qt.KeyboardModifier.KeypadModifier, text)
        QApplication.sendEvent(widget, event)
    QTest.keyClick(widget, Qt.Key.Key_Control)


def hold(key: Qt.Key, text: str = "", *, widget: QWidget | None = None, times: int = 90) -> None:
    """Hold a key for about three seconds: one press, then auto-repeat, in whatever has the focus."""
    for turn in range(times):
        event = QKeyEvent(
            QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, text, autorep=turn > 0
        )
        QApplication.sendEvent(widget or focus(), event)
