"""The rail of pages, left."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QWidget

from ui.kit import Kit
from ui.widgets.basics import Picture, Text, rows


class Rail(QWidget):
    """Signals:
    chosen(n): page n, please.
    """

    chosen = Signal(int)

    def __init__(self, kit: Kit, pages: Sequence[tuple[str, Text]]) -> None:
        super().__init__()
        self.setObjectName("rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(kit.look.px(80))
        column = rows(kit.look, self, margins=(8, 12, 8, 12), gap=6)
        column.addWidget(
            Picture(kit.look, "store", tone="rail_mark", size=28), 0, Qt.AlignmentFlag.AlignHCenter
        )
        column.addSpacing(kit.look.px(12))
        self._buttons = [_Page(kit, icon, text) for icon, text in pages]
        for at, button in enumerate(self._buttons):
            if at == len(pages) - 1:
                column.addStretch()
            column.addWidget(button)
            button.clicked.connect(lambda checked=False, at=at: self.chosen.emit(at))
        self.show_page(0)

    def show_page(self, page: int) -> None:
        for at, button in enumerate(self._buttons):
            button.setChecked(at == page)
            button.update()


class _Page(QPushButton):
    """An icon over a word. Painted by hand: a push button can't stack them."""

    def __init__(self, kit: Kit, icon: str, text: Text) -> None:
        super().__init__()
        self._kit, self._icon, self._text = kit, icon, text
        self.setCheckable(True)
        self.setAutoDefault(False)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedSize(kit.look.px(64), kit.look.px(60))
        self.retranslate()

    def retranslate(self) -> None:
        self.setAccessibleName(self._text())
        self.update()

    def nextCheckState(self) -> None:
        """The window decides which page is shown."""

    def sizeHint(self) -> QSize:
        return QSize(self._kit.look.px(64), self._kit.look.px(60))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        look = self._kit.look
        tone = "rail_active" if self.isChecked() else "rail_text"
        painter = QPainter(self)
        icon = look.pixmap(self._icon, tone, 24)
        painter.drawPixmap((self.width() - look.px(24)) // 2, look.px(10), icon)
        painter.setPen(look.colour(tone))
        painter.setFont(look.font(12, bold=self.isChecked()))
        label = self.rect().adjusted(0, look.px(36), 0, -look.px(4))
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, self._text())
        painter.end()
