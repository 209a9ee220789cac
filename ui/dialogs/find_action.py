"""F11: every action by pinyin initials or word. F1: the keys of this screen."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.i18n import mark
from ui.actions import Action, Actions
from ui.keyboard import PassingField, is_enter
from ui.kit import Kit
from ui.widgets.basics import KeyCap, Label, WrappedLabel
from ui.widgets.sheet import Sheet

Index = QModelIndex | QPersistentModelIndex


class FindAction(Sheet):
    """A text field over the list of actions; Enter does the highlighted one."""

    wide = 560

    def __init__(self, kit: Kit, actions: Actions) -> None:
        super().__init__(kit, lambda: kit.words.say("All actions"))
        self._actions = actions
        self.field = PassingField()
        self.field.setProperty("role", "search")
        self.list = QListView()
        self._rows = _ActionRows(kit)
        self.list.setModel(self._rows)
        self.list.setItemDelegate(_ActionDelegate(kit, self._rows, self.list))
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(self._do_current)
        self.body.addWidget(self.field)
        self.body.addWidget(self.list, 1)
        self.field.textChanged.connect(self._narrow)
        self.field.composing.connect(self._narrow)
        self._narrow()
        self.retranslate()

    def first_focus(self) -> QWidget:
        return self.field

    def height_for(self, width: int) -> int:
        return self._kit.look.px(560)

    def retranslate(self) -> None:
        super().retranslate()
        if hasattr(self, "field"):
            hint = self._kit.words.say("Initials or word, then Enter")
            self.field.setPlaceholderText(hint)
            self.field.setAccessibleName(self._kit.words.say("Find an action"))
            self.list.setAccessibleName(self._kit.words.say("Actions"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_enter(event):
            if not event.isAutoRepeat():
                self._do_current()
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self._move(1 if event.key() == Qt.Key.Key_Down else -1)
        else:
            super().keyPressEvent(event)

    def _narrow(self) -> None:
        self._rows.show(self._actions.matching(self.field.text() + self.field.preedit))
        self.list.setCurrentIndex(self._rows.index(0))

    def _move(self, step: int) -> None:
        row = min(max(self.list.currentIndex().row() + step, 0), self._rows.rowCount() - 1)
        self.list.setCurrentIndex(self._rows.index(row))

    def _do_current(self) -> None:
        action = self._rows.action(self.list.currentIndex().row())
        if action is not None:
            self.closing.emit()
            self._actions.do(action.code)


class _ActionRows(QAbstractListModel):
    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._shown: list[Action] = []

    def show(self, actions: list[Action]) -> None:
        self.beginResetModel()
        self._shown = actions
        self.endResetModel()

    def action(self, row: int) -> Action | None:
        return self._shown[row] if 0 <= row < len(self._shown) else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        action = self.action(index.row())
        if action is None:
            return None
        title = self._kit.words.say(action.title)
        if role == Qt.ItemDataRole.DisplayRole:
            return title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            reason = action.refusal()
            return ", ".join(part for part in (title, action.key, reason) if part)
        return None


class _ActionDelegate(QStyledItemDelegate):
    def __init__(self, kit: Kit, rows: _ActionRows, parent: QWidget) -> None:
        super().__init__(parent)
        self._kit, self._rows = kit, rows

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(100, self._kit.look.px(44))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        action = self._rows.action(index.row())
        if action is None:
            return
        look, words = self._kit.look, self._kit.words
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect).adjusted(0, look.px(2), 0, -look.px(2))
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.colour("accent_soft"))
            painter.drawRoundedRect(rect, look.px(8), look.px(8))
        inner = rect.adjusted(look.px(12), 0, -look.px(12), 0)
        reason = action.refusal()
        painter.setFont(look.font(14, bold=not reason))
        painter.setPen(look.colour("muted" if reason else "text"))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        title = words.say(action.title)
        painter.drawText(inner, left, title)
        title_wide = painter.fontMetrics().horizontalAdvance(title)
        painter.setFont(look.font(12))
        painter.setPen(look.colour("text2"))
        initials = action.initials if words.language == "zh_CN" else ""
        tail = "   ".join(part for part in (reason, initials, action.key) if part)
        room = int(inner.width()) - title_wide - look.px(16)
        tail = painter.fontMetrics().elidedText(tail, Qt.TextElideMode.ElideRight, room)
        painter.drawText(inner, right, tail)
        painter.restore()


_FIELD_KEYS = (
    ("Enter", mark("Accept, go to the next need")),
    ("Esc", mark("One step back; a sale with lines stays")),
    ("Tab", mark("Next control")),
    ("↑ ↓", mark("Choose a row")),
    ("+", mark("Numpad: one more amount")),
    ("−", mark("Numpad: one step back")),
    ("*", mark("Numpad: quantity, or next tender")),
    ("/", mark("Numpad: points")),
)


class Help(Sheet):
    """The keys of this screen: every action with a key, then what keys do inside fields."""

    wide = 880

    def __init__(self, kit: Kit, actions: Actions) -> None:
        super().__init__(kit, lambda: kit.words.say("Keys"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(kit.look.px(12))
        grid.setVerticalSpacing(kit.look.px(8))
        keys = [(action.key, action.title) for action in actions.everything() if action.key]
        keys += _FIELD_KEYS
        half = (len(keys) + 1) // 2
        for at, (key, message) in enumerate(keys):
            row, side = at % half, 2 * (at // half)
            grid.addWidget(KeyCap(kit.look, key), row, side, Qt.AlignmentFlag.AlignLeft)
            grid.addWidget(Label(partial(kit.words.say, message), role="text2"), row, side + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        self.body.addLayout(grid)
        self.body.addWidget(
            WrappedLabel(
                lambda: kit.words.say("A scanned code works everywhere; it is never text."),
                role="muted",
            )
        )
        self.body.addStretch()
