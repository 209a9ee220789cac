"""A sheet with a text field over a list that the text narrows; Enter takes the highlighted row.

What the rows are, where they come from and what taking one means is its heirs' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from ui.keyboard import PassingField, is_enter
from ui.kit import Kit
from ui.models.record_rows import Index, RecordList
from ui.widgets.basics import Text
from ui.widgets.sheet import Sheet

R = TypeVar("R")
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class FilterDelegate(QStyledItemDelegate, Generic[R]):
    """Paints the ground of a row; its heirs write on it."""

    high = 44

    def __init__(self, kit: Kit, rows: RecordList[R]) -> None:
        super().__init__()
        self._kit, self._rows = kit, rows

    def write(self, painter: QPainter, rect: QRectF, record: R) -> None:
        """Write the row's texts into `rect`; the painter is put back afterwards."""
        raise NotImplementedError

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(100, self._kit.look.px(self.high))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        record = self._rows.record(index.row())
        if record is None:
            return
        look = self._kit.look
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect).adjusted(0, look.px(2), 0, -look.px(2))
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.colour("accent_soft"))
            painter.drawRoundedRect(rect, look.px(8), look.px(8))
        self.write(painter, rect.adjusted(look.px(12), 0, -look.px(12), 0), record)
        painter.restore()


class FilterList(Sheet, Generic[R]):
    """The field keeps the focus; Up and Down move in the list."""

    gives_way = True

    def __init__(
        self,
        kit: Kit,
        title: Text,
        rows: RecordList[R],
        delegate: FilterDelegate[R],
        *,
        hint: Text,
        field_name: Text,
        list_name: Text,
    ) -> None:
        self._hint, self._field_name, self._list_name = hint, field_name, list_name
        self.field = PassingField()
        self.field.setProperty("role", "search")
        self.rows, self._delegate = rows, delegate
        self.list = QListView()
        super().__init__(kit, title)
        self.list.setModel(rows)
        self.list.setItemDelegate(delegate)
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(self.take_current)
        self.body.addWidget(self.field)
        self.body.addWidget(self.list, 1)
        self.field.textChanged.connect(self.narrow)
        self.field.composing.connect(self.narrow)

    def typed(self) -> str:
        """The text with the letters that an input method still has in composition."""
        at = self.field.cursorPosition()
        text = self.field.text()
        return (text[:at] + self.field.preedit + text[at:]).strip()

    def narrow(self) -> None:
        """The text changed: bring the rows that match it."""
        raise NotImplementedError

    def take(self, record: R) -> None:
        """A row was chosen."""
        raise NotImplementedError

    def show_rows(self, records: Sequence[R]) -> None:
        self.rows.show(records)
        self.list.setCurrentIndex(self.rows.index(0))

    def take_current(self) -> None:
        record = self.rows.record(self.list.currentIndex().row())
        if record is not None:
            self.take(record)

    def first_focus(self) -> QWidget:
        return self.field

    def height_for(self, width: int) -> int:
        return self._kit.look.px(560)

    def retranslate(self) -> None:
        super().retranslate()
        self.field.setPlaceholderText(self._hint())
        self.field.setAccessibleName(self._field_name())
        self.list.setAccessibleName(self._list_name())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_enter(event):
            if not event.isAutoRepeat():
                self.take_current()
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            step = 1 if event.key() == Qt.Key.Key_Down else -1
            row = self.list.currentIndex().row() + step
            self.list.setCurrentIndex(self.rows.index(min(max(row, 0), self.rows.rowCount() - 1)))
        else:
            super().keyPressEvent(event)
