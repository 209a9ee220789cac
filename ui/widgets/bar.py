"""A thin bar filled to a share: how far to the next tier."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.kit import Kit


class ShareBar(QWidget):
    """`part` of `whole`; over-full shows full. Its meaning stands in words beside it."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._part, self._whole = 0, 1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_share(self, part: int, whole: int) -> None:
        self._part, self._whole = max(0, part), max(1, whole)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._kit.look.px(60), self._kit.look.px(8))

    def paintEvent(self, event: QPaintEvent) -> None:
        look = self._kit.look
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        high = look.px(6)
        groove = QRectF(0, (self.height() - high) / 2, self.width(), high)
        # Where edges are white the filled part would not stand out from a groove of their colour.
        painter.setBrush(look.colour("sunken" if look.theme == "contrast" else "border"))
        painter.drawRoundedRect(groove, high / 2, high / 2)
        filled = min(self._part, self._whole) * self.width() // self._whole
        if filled:
            groove.setWidth(max(filled, high))
            painter.setBrush(look.colour("accent"))
            painter.drawRoundedRect(groove, high / 2, high / 2)
        painter.end()
