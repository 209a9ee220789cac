"""Sheets: work that lies over the counter inside its window, never modal (law 1).

A sheet keeps Tab inside, gives Esc one step back, and leaves scans and F-keys to the window.
"""

from __future__ import annotations

from typing import TypeVar

import shiboken6
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from ui.desk_records import Scan
from ui.kit import Kit
from ui.widgets.basics import Button, ElidedLabel, Text, columns, rows


class Sheet(QFrame):
    """One sheet: a title, a body and a foot.

    Signals:
        closing(): it wants to go; the host takes it away.
        resized(): its content wants another height; the host gives it.

    Attributes:
        body: fill it with the work.
        foot: fill it with buttons, the main one last.
        wide: design width in pixels.
        gives_way: F12 closes it and goes on to Pay: nothing in it can be lost.
        asking: a second person is asked for what was sent from it: until they answered it is busy.
        about: the member whom alone it is about; it goes when another one is attached behind it.
    """

    closing = Signal()
    resized = Signal()
    wide = 560
    gives_way = False
    asking = False
    about: bytes | None = None

    def __init__(self, kit: Kit, title: Text) -> None:
        super().__init__()
        self._kit = kit
        self._title_text = title = kit.titled(title)
        self.setProperty("role", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        outer = rows(kit.look, self, margins=(24, 16, 24, 20), gap=12)
        self._head: QHBoxLayout = columns(kit.look, gap=12)
        self._title = ElidedLabel(title, role="title")
        self._leave = Button(
            kit, lambda: "", role="icon", icon="x", name=lambda: kit.words.say("Close (Esc)")
        )
        self._leave.clicked.connect(self.step_back)
        self._head.addWidget(self._title)
        self._head.addStretch()
        self.body: QVBoxLayout = rows(kit.look, gap=12)
        self.foot: QHBoxLayout = columns(kit.look, gap=12)
        outer.addLayout(self._head)
        outer.addLayout(self.body, 1)
        outer.addLayout(self.foot)
        self._head.addWidget(self._leave)
        self.retranslate()

    @property
    def busy(self) -> bool:
        """True while its work is being written: then it stays until the answer is there."""
        return False

    def first_focus(self) -> QWidget:
        """Who gets the focus when the sheet opens."""
        return self._leave

    def takes_scan(self, scan: Scan) -> bool:
        """Use a scanned code for the sheet's own work; False leaves it to the counter."""
        return False

    def takes_key(self, key: str) -> bool:
        """Use an F-key for the sheet's own next step; False leaves it to the window."""
        return False

    def height_for(self, width: int) -> int:
        """How high it wants to be at `width` pixels; a sheet with a list asks for all there is."""
        layout = self.layout()
        assert layout is not None
        layout.activate()
        return (
            layout.heightForWidth(width)
            if layout.hasHeightForWidth()
            else layout.sizeHint().height()
        )

    def step_back(self) -> None:
        """Esc: by default the sheet goes. One that has steps goes one back first."""
        if not self.busy:
            self.closing.emit()

    def gone(self) -> None:
        """It was taken away, by itself, by a key of the window or by a lock: leave nothing behind."""

    def retranslate(self) -> None:
        self.setAccessibleName(self._title_text())

    def focusNextPrevChild(self, forward: bool) -> bool:
        # Tab stays in the sheet: from the last control to the first, under nobody's scrim.
        stops = tab_stops(self)
        here = QApplication.focusWidget()
        if not stops:
            return True
        at = stops.index(here) if here in stops else (-1 if forward else 0)
        reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
        stops[(at + (1 if forward else -1)) % len(stops)].setFocus(reason)
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if not event.isAutoRepeat():
                self.step_back()
        else:
            super().keyPressEvent(event)


def tab_stops(root: QWidget) -> list[QWidget]:
    """The widgets inside `root` that Tab visits, in the window's focus chain order."""
    found: list[QWidget] = []
    widget = root.nextInFocusChain()
    while widget is not None and widget is not root:
        takes_tab = widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value
        if (
            root.isAncestorOf(widget)
            and takes_tab
            and widget.focusProxy() is None
            and widget.isEnabled()
            and widget.isVisibleTo(root)
        ):
            found.append(widget)
        widget = widget.nextInFocusChain()
    return found


OneSheet = TypeVar("OneSheet", bound=Sheet)


class SheetHost(QWidget):
    """The layer over a page that sheets lie on, the newest on top.

    Signals:
        emptied(): the last sheet went away.
    """

    emptied = Signal()

    def __init__(self, kit: Kit, over: QWidget) -> None:
        super().__init__(over)
        self._kit = kit
        self._over = over
        self._sheets: list[Sheet] = []
        self._before: QWidget | None = None
        """What had the focus when the first of them was laid."""
        over.installEventFilter(self)
        self.hide()

    @property
    def top(self) -> Sheet | None:
        return self._sheets[-1] if self._sheets else None

    def lying(self, kind: type[OneSheet]) -> OneSheet | None:
        """The newest sheet of this kind, also where others lie over it."""
        for sheet in reversed(self._sheets):
            if isinstance(sheet, kind):
                return sheet
        return None

    def top_but(self, kind: type[Sheet]) -> Sheet | None:
        """The top sheet, one of this kind not counted."""
        return next(
            (sheet for sheet in reversed(self._sheets) if not isinstance(sheet, kind)), None
        )

    def top_over(self, widget: QWidget) -> Sheet | None:
        """The top sheet, where this is a widget of one that it lies over."""
        below = any(sheet.isAncestorOf(widget) for sheet in self._sheets[:-1])
        return self._sheets[-1] if below else None

    def open(self, sheet: Sheet) -> None:
        """Lay a sheet on top and give it the focus."""
        if not self._sheets:
            self._before = QApplication.focusWidget()
        for below in self._sheets:
            below.hide()
        self._sheets.append(sheet)
        sheet.setParent(self)
        sheet.closing.connect(lambda: self.close_sheet(sheet))
        sheet.resized.connect(lambda: self._place(sheet))
        self.setGeometry(self._over.rect())
        self._place(sheet)
        self.show()
        self.raise_()
        sheet.show()
        sheet.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)

    def close_sheet(self, sheet: Sheet) -> None:
        """Take a sheet away; the one below, if any, comes back with the focus."""
        if sheet not in self._sheets:
            return
        self._sheets.remove(sheet)
        sheet.gone()
        sheet.hide()
        sheet.deleteLater()
        if self._sheets:
            below = self._sheets[-1]
            below.show()
            below.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.hide()
            self._give_back_focus()
            self.emptied.emit()

    def _give_back_focus(self) -> None:
        """To what had it before the sheets, or to the page's first stop: never to nothing that is seen."""
        back, self._before = self._before, None
        if not self._over.isVisible():
            return
        if back is None or not (shiboken6.isValid(back) and back.isVisible()):
            back = next(iter(tab_stops(self._over)), None)
        if back is not None:
            back.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def busy(self) -> bool:
        """True while the work of any sheet is being written."""
        return any(sheet.busy for sheet in self._sheets)

    def close_all(self) -> None:
        """Take the sheets away, from the top down to one whose work is being written."""
        while self._sheets and not self._sheets[-1].busy:
            self.close_sheet(self._sheets[-1])

    def leave_others(self, member_id: bytes | None) -> None:
        """Take away what is about another member and what lies on it, but not what is being written."""
        other = next((each for each in self._sheets if each.about not in (None, member_id)), None)
        while other in self._sheets and not self._sheets[-1].busy:
            self.close_sheet(self._sheets[-1])

    def _place(self, sheet: Sheet) -> None:
        look, room = self._kit.look, self.rect()
        edge = look.px(16)
        sheet.ensurePolished()
        wide = min(look.px(sheet.wide), room.width() - 2 * edge)
        high = min(
            max(sheet.height_for(wide), sheet.minimumSizeHint().height()), room.height() - 2 * edge
        )
        sheet.setGeometry(
            (room.width() - wide) // 2, max(edge, (room.height() - high) // 3), wide, high
        )

    def retranslate(self) -> None:
        """Other words want another height."""
        for sheet in self._sheets:
            self._place(sheet)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._over:
            self.setGeometry(self._over.rect())
            for sheet in self._sheets:
                self._place(sheet)
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._kit.look.colour("scrim", alpha=110))
        painter.end()
