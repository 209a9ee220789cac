"""F5 at the amount: find an item by pinyin initials, name or code; Enter puts it on the sale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.queries.records import ItemView
from ui.errors import words_of
from ui.keyboard import PassingField, is_enter
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.widgets.basics import WrappedLabel
from ui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from ui.desk import Desk

Index = QModelIndex | QPersistentModelIndex


class PickItem(Sheet):
    """Signals:
    picked(item): stays open for the next one.
    """

    picked = Signal(object)
    wide = 600

    def __init__(self, kit: Kit, lanes: Lanes, desk: Desk) -> None:
        super().__init__(kit, lambda: kit.words.say("Pick an item"))
        self._desk = desk
        self._items: Latest[Sequence[ItemView]] = Latest(lanes, "db", interrupt=lambda: None)
        self.field = PassingField()
        self.field.setProperty("role", "search")
        self.rows = _ItemRows(kit)
        self.list = QListView()
        self.list.setModel(self.rows)
        self.list.setItemDelegate(_ItemDelegate(kit, self.rows, self.list))
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(self._pick)
        self.said = WrappedLabel(role="muted")
        self.body.addWidget(self.field)
        self.body.addWidget(self.said)
        self.body.addWidget(self.list, 1)
        self.field.textChanged.connect(self._ask)
        self.field.composing.connect(self._ask)
        self.retranslate()
        self._ask()

    def first_focus(self) -> QWidget:
        return self.field

    def height_for(self, width: int) -> int:
        return self._kit.look.px(560)

    def retranslate(self) -> None:
        super().retranslate()
        if hasattr(self, "field"):
            words = self._kit.words
            self.field.setPlaceholderText(words.say("Initials, name or code"))
            self.field.setAccessibleName(words.say("Find an item"))
            self.list.setAccessibleName(words.say("Items"))

    def _ask(self) -> None:
        at = self.field.cursorPosition()
        text = self.field.text()[:at] + self.field.preedit + self.field.text()[at:]
        self._items.ask(
            self,
            lambda: self._desk.items(text.strip()),
            ok=self._show,
            failed=lambda error: self.said.tell(lambda: words_of(self._kit, error)),
        )

    def _show(self, items: Sequence[ItemView]) -> None:
        words = self._kit.words
        self.rows.show(items)
        self.list.setCurrentIndex(self.rows.index(0))
        empty = not items
        self.said.setVisible(empty)
        self.said.tell(lambda: words.say("No item like this. Try fewer letters.") if empty else "")

    def _pick(self) -> None:
        item = self.rows.item(self.list.currentIndex().row())
        if item is not None:
            self.picked.emit(item)
            self.field.clear()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_enter(event):
            if not event.isAutoRepeat():
                if self.field.text() or self.field.preedit:
                    self._pick()
                else:
                    self.step_back()
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            step = 1 if event.key() == Qt.Key.Key_Down else -1
            row = self.list.currentIndex().row() + step
            self.list.setCurrentIndex(self.rows.index(min(max(row, 0), self.rows.rowCount() - 1)))
        else:
            super().keyPressEvent(event)


class _ItemRows(QAbstractListModel):
    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._items: tuple[ItemView, ...] = ()

    def show(self, items: Sequence[ItemView]) -> None:
        self.beginResetModel()
        self._items = tuple(items)
        self.endResetModel()

    def item(self, row: int) -> ItemView | None:
        return self._items[row] if 0 <= row < len(self._items) else None

    def name(self, item: ItemView) -> str:
        english = self._kit.words.language == "en"
        return item.name_en if english and item.name_en else item.name

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        item = self.item(index.row())
        if item is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.name(item)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self.name(item)}, {self._kit.formats.money(item.price_minor)}"
        return None


class _ItemDelegate(QStyledItemDelegate):
    def __init__(self, kit: Kit, rows: _ItemRows, parent: QWidget) -> None:
        super().__init__(parent)
        self._kit, self._rows = kit, rows

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(100, self._kit.look.px(44))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        item = self._rows.item(index.row())
        if item is None:
            return
        look = self._kit.look
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect).adjusted(0, look.px(2), 0, -look.px(2))
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.colour("accent_soft"))
            painter.drawRoundedRect(rect, look.px(8), look.px(8))
        inner = rect.adjusted(look.px(12), 0, -look.px(12), 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(look.font(14, bold=True))
        painter.setPen(look.colour("text"))
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | middle, self._rows.name(item))
        price = self._kit.formats.money(item.price_minor)
        painter.drawText(inner, Qt.AlignmentFlag.AlignRight | middle, price)
        painter.setFont(look.font(12))
        painter.setPen(look.colour("text2"))
        code = inner.adjusted(0, 0, -look.px(110), 0)
        painter.drawText(code, Qt.AlignmentFlag.AlignRight | middle, item.code)
        painter.restore()
