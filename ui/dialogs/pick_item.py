"""F5 at the amount: find an item by name, pinyin, initials, code or barcode; Enter puts it on the sale."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter

from app.queries.records import ITEMS_SHOWN, ItemView
from ui.errors import words_of
from ui.keyboard import is_enter
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.models.record_rows import RecordList
from ui.widgets.basics import WrappedLabel
from ui.widgets.filter_list import LEFT, RIGHT, FilterDelegate, FilterList

if TYPE_CHECKING:
    from ui.desk import Desk


class PickItem(FilterList[ItemView]):
    """Signals:
    picked(item): stays open for the next one.
    pay_wanted(): Enter with nothing typed, nothing more to pick (flow 6).
    """

    picked = Signal(object)
    pay_wanted = Signal()
    wide = 600

    def __init__(self, kit: Kit, lanes: Lanes, desk: Desk) -> None:
        words, rows = kit.words, _ItemRows(kit)
        super().__init__(
            kit,
            lambda: words.say("Pick an item"),
            rows,
            _ItemDelegate(kit, rows),
            hint=lambda: words.say("Name, initials, code or barcode"),
            field_name=lambda: words.say("Find an item"),
            list_name=lambda: words.say("Items"),
        )
        self._desk = desk
        self._items: Latest[Sequence[ItemView]] = Latest(lanes, "db", interrupt=lambda: None)
        self.said = WrappedLabel(role="muted")
        self.body.insertWidget(1, self.said)
        self._answered = ""
        """The text that the rows are of."""
        self._enter_waits = False
        """Enter came before the rows of what is typed."""
        self._moved = False
        """Whether a row was chosen by Up or Down: then Enter picks it, with nothing typed too."""
        self.narrow()

    def narrow(self) -> None:
        self._moved = False
        text = self.typed()
        self._enter_waits = False
        self._items.ask(
            self,
            lambda: self._desk.items(text),
            ok=partial(self._show, text),
            failed=lambda error: self.said.tell(lambda: words_of(self._kit, error)),
        )

    def _show(self, text: str, items: Sequence[ItemView]) -> None:
        words = self._kit.words
        self._answered = text
        self.show_rows(items[:ITEMS_SHOWN])
        more = len(items) > ITEMS_SHOWN
        self.said.setVisible(more or not items)
        self.said.tell(
            lambda: (
                words.say("The first {count} items. Type more letters.", count=ITEMS_SHOWN)
                if more
                else words.say("No item like this. Try fewer letters.")
            )
        )
        if self._enter_waits:
            self._enter_waits = False
            self.take_current()

    def take(self, record: ItemView) -> None:
        self._moved = False  # An empty field tells nothing of being cleared.
        self.picked.emit(record)
        self.field.clear()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._moved = True
        pays = is_enter(event) and not (self.typed() or self._moved)
        if pays and not event.isAutoRepeat():
            self.pay_wanted.emit()
        elif is_enter(event) and self.typed() != self._answered:
            self._enter_waits = True  # The rows are those of the text before.
        else:
            super().keyPressEvent(event)


class _ItemRows(RecordList[ItemView]):
    def title(self, record: ItemView) -> str:
        english = self._kit.words.language == "en"
        return record.name_en if english and record.name_en else record.name

    def spoken(self, record: ItemView) -> str:
        return f"{self.title(record)}, {self._kit.formats.money(record.price_minor)}"


class _ItemDelegate(FilterDelegate[ItemView]):
    def write(self, painter: QPainter, rect: QRectF, record: ItemView) -> None:
        look = self._kit.look
        painter.setFont(look.font(14, bold=True))
        painter.setPen(look.colour("text"))
        painter.drawText(rect, LEFT, self._rows.title(record))
        painter.drawText(rect, RIGHT, self._kit.formats.money(record.price_minor))
        painter.setFont(look.font(12))
        painter.setPen(look.colour("text2"))
        painter.drawText(rect.adjusted(0, 0, -look.px(110), 0), RIGHT, record.code)
