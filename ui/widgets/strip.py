"""One line over the foot of the window: good news fades, what needs a hand stays (law 6).

It never takes the focus and never asks; at most it offers one button (undo, print again).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.domain.errors import Unavailable
from ui.errors import words_of
from ui.kit import Kit
from ui.theme import set_style
from ui.widgets.basics import Button, Label, Picture, Text, columns, nothing

GOOD_NEWS_MS: Final = 4_000
UNDO_MS: Final = 10_000


class Strip(QFrame):
    """The message strip of a window. Good news lie over `over` for a moment, at its foot, in the middle; what
    stays or can be undone has `room` to itself, a widget of the layout below, so that it never covers anything.
    """

    def __init__(self, kit: Kit, over: QWidget, room: QWidget | None = None) -> None:
        super().__init__(over)
        self._kit = kit
        self._over, self._room = over, room
        for ground in (over, room):
            if ground is not None:
                ground.installEventFilter(self)
        if room is not None:
            room.setFixedHeight(0)
        self._undo: Callable[[], None] | None = None
        self._said: Text = nothing
        self._warnings: list[Text] = []
        """What needs a hand, the newest last; it is there again after whatever is said over it."""
        self.setProperty("role", "strip")
        layout: QHBoxLayout = columns(kit.look, self, margins=(16, 4, 8, 4), gap=10)
        self._icon = Picture(kit.look, "info", tone="surface")
        self._label = Label()
        self._label.setMinimumHeight(kit.look.px(40))
        self._button = Button(kit, lambda: kit.words.say("Undo"))
        self._close = Button(
            kit,
            lambda: "",
            role="icon",
            icon="x",
            icon_tone="surface",
            name=lambda: kit.words.say("Close message"),
        )
        for widget in (self._icon, self._label, self._button, self._close):
            layout.addWidget(widget)
        self._button.clicked.connect(self._undo_now)
        self._close.clicked.connect(self.seen)
        for button in (self._button, self._close):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._pass)
        self.hide()

    @property
    def text(self) -> str:
        """What it says; empty while it is hidden."""
        return "" if self.isHidden() else self._label.text()

    def says(self, text: Text) -> bool:
        """Whether this very sentence stands there."""
        return not self.isHidden() and self._said == text

    def good_news(self, text: Text) -> None:
        """Say it and fade."""
        self._show(text, icon="circle-check", tone="", fade_ms=GOOD_NEWS_MS)

    def tell(self, text: Text) -> None:
        """Say what is being done; what comes of it takes its place."""
        self._show(text, icon="info", tone="", fade_ms=GOOD_NEWS_MS)

    def warn(self, text: Text) -> None:
        """Say what needs a hand; stays, behind good news too, until it is seen or `withdraw` says that it is
        done with."""
        said = text()
        self._warnings = [warning for warning in self._warnings if warning() != said]
        self._warnings.append(text)
        self._show_problem(text)

    def refuse(self, text: Text) -> None:
        """Say why what was just asked for isn't done; stays until something else is said."""
        self._show_problem(text)

    def fail(self, error: Exception) -> None:
        """Say why something didn't work: the world's no needs a hand, the rules' is an answer."""
        said = partial(words_of, self._kit, error)
        if isinstance(error, Unavailable):
            self.warn(said)
        else:
            self.refuse(said)

    def withdraw(self, text: Text) -> None:
        """What needed a hand is done with."""
        if text in self._warnings:
            self._warnings.remove(text)
            if self._said == text:
                self._pass()

    def seen(self) -> None:
        """Somebody has read what stands there: away with it. Not with what fades by itself."""
        if self._timer.isActive():
            return
        if self._said in self._warnings:
            self._warnings.remove(self._said)
        self._pass()

    def offer_undo(self, text: Text, undo: Callable[[], None]) -> None:
        """Say what was done and let it be undone for ten seconds."""
        self._show(text, icon="info", tone="", fade_ms=UNDO_MS, undo=undo)

    def drop_news(self) -> None:
        """Another page: good news of the one before would only cover it. What can be undone or needs a hand
        stays."""
        if self._timer.isActive() and self._undo is None:
            self._pass()

    def drop_passing(self) -> None:
        """Another need: only what needs a hand stays."""
        self._pass()

    def lapse_undo(self) -> None:
        """Something else was done since: what stands there can no longer be undone."""
        if self._undo is not None:
            self._pass()

    def _undo_now(self) -> None:
        undo = self._undo
        self._pass()
        if undo is not None:
            undo()

    def _pass(self) -> None:
        """What was said over it is past: what needs a hand is there again."""
        self._timer.stop()
        self._undo = None
        if self._warnings:
            self._show_problem(self._warnings[-1])
        else:
            self.hide()

    def _show_problem(self, text: Text) -> None:
        self._show(text, icon="triangle-alert", tone="danger", fade_ms=0)

    def _show(
        self,
        text: Text,
        *,
        icon: str,
        tone: str,
        fade_ms: int,
        undo: Callable[[], None] | None = None,
    ) -> None:
        self._undo = undo
        self._button.setVisible(undo is not None)
        self._close.setVisible(not fade_ms)
        self._said = text
        self._label.tell(text)
        self._icon.show_icon(icon, "surface")
        set_style(self, tone=tone)
        self._timer.stop()
        if fade_ms:
            self._timer.start(fade_ms)
        covers = fade_ms and undo is None
        ground = self._over if covers or self._room is None else self._room
        if self.parentWidget() is not ground:
            self.setParent(ground)
        self.setAccessibleName(self._label.text())
        self.show()
        self._place()

    def _place(self) -> None:
        self.ensurePolished()
        self.adjustSize()
        ground, gap = self.parentWidget() or self._over, self._kit.look.px(8)
        if self._room is not None and ground is self._room:
            ground.setFixedHeight(self.height() + gap)
        elif self._room is not None:
            self._room.setFixedHeight(0)
        self.move((ground.width() - self.width()) // 2, ground.height() - self.height() - gap)
        self.raise_()

    def retranslate(self) -> None:
        if self.isHidden():
            return
        if (
            not self._label.text()
        ):  # The reason why it was refused is gone: there is nothing to say again.
            self._pass()
            return
        self.setAccessibleName(self._label.text())
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        resized = event.type() == QEvent.Type.Resize and watched is self.parentWidget()
        if resized and not self.isHidden():
            self._place()
        return False

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        # Its window's being hidden, as by a lock, is no reason to forget what needs a hand.
        if self.isHidden() and self._room is not None:
            self._room.setFixedHeight(0)
