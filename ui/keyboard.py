"""Keys: scanner bursts told from typing, and money keys that count once.

The scanner is a keyboard wedge (counter-ui.md section 7). A burst is at least six printable keys with
short gaps, closed by Enter or Tab. Laws 2 and 4 of counter-flows.md live here. What a key means is
in ui.actions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QInputMethodEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

BURST_GAP_MS: Final = 35
BURST_KEYS_MIN: Final = 6
REPLAY_AFTER_MS: Final = 40
BOUNCE_MS: Final = 100
_ENDS: Final = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab)
_SHIFTS: Final = (Qt.Key.Key_Shift, Qt.Key.Key_CapsLock)
_CHORD: Final = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)


@dataclass(frozen=True, slots=True)
class _Key:
    key: int
    modifiers: Qt.KeyboardModifier
    text: str


@dataclass(frozen=True, slots=True)
class _Typed:
    """What a search box held before a burst, so that the burst leaves no trace in it."""

    text: str
    cursor: int
    preedit: str


class PassingField(QLineEdit):
    """A field that must not wait for the burst to be decided: keys pass, a scan is undone.

    Attributes:
        preedit: letters that an input method still has in composition.
    """

    composing = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.preedit = ""

    def remember(self) -> _Typed:
        return _Typed(self.text(), self.cursorPosition(), self.preedit)

    def put_back(self, typed: _Typed) -> None:
        self.setText(typed.text)
        self.setCursorPosition(typed.cursor)
        if typed.preedit:
            QCoreApplication.sendEvent(self, QInputMethodEvent(typed.preedit, []))

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        super().inputMethodEvent(event)
        self.preedit = event.preeditString()
        self.composing.emit(self.preedit)


class Scanner(QObject):
    """An application event filter that turns bursts into `scanned(code)`.

    In a PassingField the keys go through and what the burst typed is taken back. Everywhere else
    they are held while a burst is possible, and given to the old focus when it was typing after all.
    The Enter of a burst never reaches a widget.
    """

    scanned = Signal(str)

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        prefix: str = "",
        gap_most_ms: int = BURST_GAP_MS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._prefix = prefix
        self._gap_most_ms = gap_most_ms
        self._clock = clock
        self._held: list[_Key] = []
        self._target: QWidget | None = None
        self._before: _Typed | None = None
        self._last_key_at = 0.0
        self._last_stamp_ms = 0
        self._replaying = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(gap_most_ms + REPLAY_AFTER_MS - BURST_GAP_MS)
        self._timer.timeout.connect(self._look_again)

    def _pressed(self, widget: QWidget, event: QKeyEvent) -> bool:
        """Decide about one key press; True keeps it from the widget."""
        if event.key() in _SHIFTS:
            return False  # A scanner shifts for each capital letter: not a key of the code itself.
        if event.isAutoRepeat():
            self._replay()
            return False
        gap_ms = self._gap_ms(event)
        if self._held and (gap_ms > self._gap_most_ms or widget is not self._target):
            self._replay()
        if event.key() in _ENDS and self._held:
            return self._ended()
        if not _is_printable(event):
            self._replay()
            return False
        return self._began_or_went_on(widget, event)

    def _gap_ms(self, event: QKeyEvent) -> float:
        """Since the key before, by the system's time stamps where both have one: keys that waited
        behind a busy moment of the window are still a burst."""
        now, stamp_ms = self._clock(), event.timestamp()
        gap_ms = (now - self._last_key_at) * 1000
        if stamp_ms and self._last_stamp_ms:
            gap_ms = float(stamp_ms - self._last_stamp_ms)
        self._last_key_at, self._last_stamp_ms = now, stamp_ms
        return gap_ms

    def _look_again(self) -> None:
        """The wait is over: let keys that are queued already come first, then decide."""
        seen = self._last_key_at

        def decide() -> None:
            if self._last_key_at == seen:
                self._replay()

        if self._before is None:
            QTimer.singleShot(0, self, decide)

    def _began_or_went_on(self, widget: QWidget, event: QKeyEvent) -> bool:
        passing = isinstance(widget, PassingField)
        if not self._held:
            self._target = widget
            self._before = widget.remember() if isinstance(widget, PassingField) else None
        self._held.append(_Key(event.key(), event.modifiers(), event.text()))
        self._timer.start()
        return not passing

    def _ended(self) -> bool:
        if len(self._held) < BURST_KEYS_MIN:
            self._replay()
            return False
        code = "".join(key.text for key in self._held)
        target, before = self._target, self._before
        self._forget()
        if before is not None and isinstance(target, PassingField):
            target.put_back(before)
        self.scanned.emit(code.removeprefix(self._prefix))
        return True

    def _replay(self) -> None:
        held, target, passed = self._held, self._target, self._before is not None
        self._forget()
        if passed or target is None or not shiboken6.isValid(target):
            return
        self._replaying = True
        try:
            for key in held:
                for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                    event = QKeyEvent(kind, key.key, key.modifiers, key.text)
                    QCoreApplication.sendEvent(target, event)
        finally:
            self._replaying = False

    def _forget(self) -> None:
        self._timer.stop()
        self._held, self._target, self._before = [], None, None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._replaying or not isinstance(event, QKeyEvent) or not isinstance(watched, QWidget):
            return False
        focus = QApplication.focusWidget()
        if focus is not None and watched is not focus:
            return False  # A key that a widget left is sent to its parents: decide about it once.
        if event.type() == QEvent.Type.ShortcutOverride:
            holding = bool(self._held) and (_is_printable(event) or event.key() in _ENDS)
            if holding:
                event.accept()
            return holding
        if event.type() == QEvent.Type.KeyRelease:
            return self._before is None and any(key.key == event.key() for key in self._held)
        return event.type() == QEvent.Type.KeyPress and self._pressed(watched, event)


def _is_printable(event: QKeyEvent) -> bool:
    text = event.text()
    return len(text) == 1 and text.isprintable() and not event.modifiers() & _CHORD


class OnceGuard:
    """Lets one money key through: no auto-repeat, no second one within BOUNCE_MS (law 2)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_at: float | None = None

    def lets_through(self, *, auto_repeat: bool = False) -> bool:
        """Ask at every press of a money key. A refused press starts the wait anew."""
        now = self._clock()
        bounced = self._last_at is not None and (now - self._last_at) * 1000 < BOUNCE_MS
        self._last_at = now
        return not (auto_repeat or bounced)


def is_numpad(event: QKeyEvent) -> bool:
    return bool(event.modifiers() & Qt.KeyboardModifier.KeypadModifier)


def is_enter(event: QKeyEvent) -> bool:
    return event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
