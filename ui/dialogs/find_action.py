"""F11: every action by pinyin initials or word. F1: the keys of this screen."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGridLayout

from app.i18n import mark
from ui.actions import Action, Actions
from ui.kit import Kit
from ui.models.record_rows import RecordList
from ui.widgets.basics import KeyCap, Label, WrappedLabel
from ui.widgets.filter_list import LEFT, RIGHT, FilterDelegate, FilterList
from ui.widgets.sheet import Sheet


class FindAction(FilterList[Action]):
    """A text field over the list of actions; Enter does the highlighted one."""

    def __init__(self, kit: Kit, actions: Actions) -> None:
        words, rows = kit.words, _ActionRows(kit)
        super().__init__(
            kit,
            lambda: words.say("All actions"),
            rows,
            _ActionDelegate(kit, rows),
            hint=lambda: words.say("Initials or word, then Enter"),
            field_name=lambda: words.say("Find an action"),
            list_name=lambda: words.say("Actions"),
        )
        self._actions = actions
        self.said = WrappedLabel(
            lambda: words.say("No action like this. Try fewer letters."), role="muted"
        )
        self.body.insertWidget(1, self.said)
        self.narrow()

    def narrow(self) -> None:
        found = self._actions.matching(self.typed())
        self.said.setVisible(not found)
        self.show_rows(found)

    def take(self, record: Action) -> None:
        self.closing.emit()
        self._actions.do(record.code)


class _ActionRows(RecordList[Action]):
    def title(self, record: Action) -> str:
        return self._kit.words.say(record.title)

    def spoken(self, record: Action) -> str:
        parts = (self.title(record), record.key, record.refusal())
        return ", ".join(part for part in parts if part)


class _ActionDelegate(FilterDelegate[Action]):
    def write(self, painter: QPainter, rect: QRectF, record: Action) -> None:
        look, words = self._kit.look, self._kit.words
        reason = record.refusal()
        painter.setFont(look.font(14, bold=not reason))
        painter.setPen(look.colour("muted" if reason else "text"))
        title = self._rows.title(record)
        painter.drawText(rect, LEFT, title)
        title_wide = painter.fontMetrics().horizontalAdvance(title)
        painter.setFont(look.font(12))
        painter.setPen(look.colour("text2"))
        initials = record.initials if words.language == "zh_CN" else ""
        tail = "   ".join(part for part in (reason, initials, record.key) if part)
        room = int(rect.width()) - title_wide - look.px(16)
        tail = painter.fontMetrics().elidedText(tail, Qt.TextElideMode.ElideRight, room)
        painter.drawText(rect, RIGHT, tail)


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
    gives_way = True

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
