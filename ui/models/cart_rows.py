"""The lines of the open sale, the newest on top."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.domain.documents import LineRequest
from app.domain.money import round_ratio
from app.formats import number
from ui.cart import Cart, CartLine
from ui.kit import Kit

Index = QModelIndex | QPersistentModelIndex


class CartRows(QAbstractListModel):
    """Rows of a Cart; `line_number` tells which line a row is."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._shown: list[tuple[int | None, CartLine]] = []

    def show(self, cart: Cart) -> None:
        """Lines, then the typed amounts as long as there are several of them."""
        self.beginResetModel()
        typed = cart.typed if len(cart.typed) > 1 or cart.lines else ()
        self._shown = [
            *((None, CartLine(LineRequest(unit_price_minor=minor))) for minor in reversed(typed)),
            *reversed(list(enumerate(cart.lines))),
        ]
        self.endResetModel()

    def line_number(self, row: int) -> int | None:
        """The cart's line in a row; None for an amount that is still typed."""
        return self._shown[row][0] if 0 <= row < len(self._shown) else None

    def row_of(self, line: int) -> int:
        return next((row for row, (at, _) in enumerate(self._shown) if at == line), -1)

    def line(self, row: int) -> CartLine | None:
        return self._shown[row][1] if 0 <= row < len(self._shown) else None

    def name(self, line: CartLine) -> str:
        words = self._kit.words
        if line.unknown:
            return words.say("Unknown code {code}", code=line.code)
        english = line.name_en if words.language == "en" else ""
        return english or line.request.name or words.say("Amount")

    def amount(self, line: CartLine) -> str:
        if line.unknown:
            return "?"
        asked = line.request
        gross = round_ratio(asked.unit_price_minor * asked.quantity, asked.per_quantity, "half_up")
        return self._kit.formats.money(gross)

    def quantity(self, line: CartLine) -> str:
        asked = line.request
        if line.unknown or not asked.item:
            return ""
        return f"{number(asked.quantity)} × {self._kit.formats.money(asked.unit_price_minor)}"

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        line = self.line(index.row())
        if line is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.name(line)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            parts = (self.name(line), self.quantity(line), self.amount(line))
            return ", ".join(part for part in parts if part)
        return None


class CartRowDelegate(QStyledItemDelegate):
    """Paints a line: name and amount, quantity below; a code that nobody knows in red, in words."""

    def __init__(self, kit: Kit, rows: CartRows) -> None:
        super().__init__()
        self._kit, self._rows = kit, rows

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        line = self._rows.line(index.row())
        high = 44 if line is not None and self._rows.quantity(line) else 32
        return QSize(120, self._kit.look.px(high))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        line = self._rows.line(index.row())
        if line is None:
            return
        look = self._kit.look
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect).adjusted(1, 1, -1, -1)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        painter.setPen(Qt.PenStyle.NoPen)
        if line.unknown:
            painter.setBrush(look.colour("danger_soft"))
            painter.drawRoundedRect(rect, look.px(4), look.px(4))
        elif selected and focused:
            painter.setBrush(look.colour("accent_soft"))
            painter.drawRoundedRect(rect, look.px(4), look.px(4))
        if selected and focused:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(look.colour("focus"), 2))
            painter.drawRoundedRect(rect, look.px(4), look.px(4))
        self._texts(painter, rect.adjusted(look.px(6), 0, -look.px(6), 0), line)
        painter.restore()

    def _texts(self, painter: QPainter, rect: QRectF, line: CartLine) -> None:
        look = self._kit.look
        quantity = self._rows.quantity(line)
        top = QRectF(rect)
        if quantity:
            top.setHeight(rect.height() * 0.56)
        middle = Qt.AlignmentFlag.AlignVCenter
        amount = self._rows.amount(line)
        painter.setFont(look.font(14, bold=True))
        painter.setPen(look.colour("danger" if line.unknown else "text"))
        painter.drawText(top, Qt.AlignmentFlag.AlignRight | middle, amount)
        room = int(rect.width()) - painter.fontMetrics().horizontalAdvance(amount) - look.px(8)
        painter.setFont(look.font(14, bold=line.unknown))
        name = painter.fontMetrics().elidedText(
            self._rows.name(line), Qt.TextElideMode.ElideRight, room
        )
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft | middle, name)
        if quantity:
            foot = QRectF(rect.left(), top.bottom(), rect.width(), rect.bottom() - top.bottom())
            painter.setFont(look.font(12))
            painter.setPen(look.colour("muted"))
            painter.drawText(foot, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, quantity)
