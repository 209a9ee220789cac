"""Looking into a member's points: why these, which lots, the whole ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QWidget

from app.domain.business_day import NEVER, BusinessDate
from app.i18n import mark
from app.queries.records import LedgerLine, LotLine
from ui.kit import Kit
from ui.models.ledger_rows import LedgerRows
from ui.widgets.basics import Button, Label, WrappedLabel, card, rows
from ui.widgets.sheet import Sheet
from ui.widgets.table import RecordTable

if TYPE_CHECKING:
    from app.queries.why import Why

Index = QModelIndex | QPersistentModelIndex


class WhyPoints(Sheet):
    """The working of one document's points: one sentence, then every step."""

    wide = 640

    def __init__(self, kit: Kit, answer: Why) -> None:
        super().__init__(kit, lambda: kit.words.say("Why these points?"))
        band = card("band", tone="accent")
        inside = rows(kit.look, band, margins=(16, 12, 16, 12))
        inside.addWidget(WrappedLabel(partial(str, answer.headline), role="strong"))
        self.body.addWidget(band)
        for line in answer.working:
            self.body.addWidget(WrappedLabel(partial(str, line), role="text2"))
        self.body.addStretch()
        if answer.receipt_no:
            self.foot.addWidget(
                Label(
                    lambda: kit.words.say("Receipt {number}", number=answer.receipt_no),
                    role="caption",
                )
            )
        self.foot.addStretch()
        self.done = Button(kit, lambda: kit.words.say("Close"))
        self.done.clicked.connect(self.step_back)
        self.foot.addWidget(self.done)

    def first_focus(self) -> QWidget:
        return self.done


class Ledger(Sheet):
    """Signals:
    why_wanted(event_id): explain the opened entry.
    """

    why_wanted = Signal(object)
    wide = 900

    def __init__(
        self, kit: Kit, lines: Sequence[LedgerLine], today: Callable[[], BusinessDate]
    ) -> None:
        super().__init__(kit, lambda: kit.words.say("Ledger"))
        self._rows = LedgerRows(kit, today, operator=True)
        self._rows.show(lines)
        self.table = RecordTable(kit, self._rows, lambda: kit.words.say("Ledger"), whole=(0,))
        self.table.opened.connect(self._open)
        self.table.selectRow(0)
        self.body.addWidget(self.table, 1)
        self.foot.addWidget(
            Label(lambda: kit.words.say("Enter explains an entry."), role="caption")
        )
        self.foot.addStretch()

    def first_focus(self) -> QWidget:
        return self.table

    def height_for(self, width: int) -> int:
        return self._kit.look.px(620)

    def _open(self, row: int) -> None:
        line = self._rows.line(row)
        if line is not None:
            self.why_wanted.emit(line.event_id)


class Lots(Sheet):
    """Every open lot with its expiry and where it came from."""

    wide = 820

    def __init__(
        self, kit: Kit, lines: Sequence[LotLine], today: Callable[[], BusinessDate]
    ) -> None:
        super().__init__(kit, lambda: kit.words.say("Points by lot"))
        self._rows = _LotRows(kit, lines, today)
        self.table = RecordTable(
            kit, self._rows, lambda: kit.words.say("Points by lot"), whole=(1,)
        )
        self.table.selectRow(0)
        self.body.addWidget(self.table, 1)
        if not lines:
            self.body.addWidget(WrappedLabel(lambda: kit.words.say("No points yet."), role="muted"))

    def first_focus(self) -> QWidget:
        return self.table

    def height_for(self, width: int) -> int:
        return self._kit.look.px(560)


_LOT_HEADS = (
    mark("Earned"),
    mark("Receipt"),
    mark("Usable from"),
    mark("Good through"),
    mark("Points"),
)
_STATES = {
    "available": mark("Usable"),
    "pending": mark("Pending"),
    "lapsed": mark("Lapsed"),
}
_STATE_HEAD = mark("State")


class _LotRows(QAbstractTableModel):
    def __init__(
        self, kit: Kit, lines: Sequence[LotLine], today: Callable[[], BusinessDate]
    ) -> None:
        super().__init__()
        self._kit, self._lines, self._today = kit, tuple(lines), today

    def retranslate(self) -> None:
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(_LOT_HEADS))
        self.beginResetModel()
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(_LOT_HEADS) + 1

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        if not 0 <= index.row() < len(self._lines):
            return None
        cells = self._cells(self._lines[index.row()])
        if role == Qt.ItemDataRole.DisplayRole:
            return cells[index.column()]
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == 0:
            return ", ".join(cells)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(index.column())
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = int(Qt.ItemDataRole.DisplayRole),
    ) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._kit.words.say((*_LOT_HEADS, _STATE_HEAD)[section])
        return _side(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def _cells(self, lot: LotLine) -> tuple[str, ...]:
        words, formats = self._kit.words, self._kit.formats
        today = self._today().to_date()
        never = lot.expires >= NEVER
        return (
            formats.day_named(lot.earned_on.to_date(), today=today),
            lot.receipt_no or "",
            formats.day(lot.available_from.to_date(), today=today),
            words.say("Never expires")
            if never
            else formats.day(lot.expires.to_date(), today=today),
            formats.points(lot.remaining),
            words.say(_STATES[lot.state]),
        )


def _side(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column == 4 else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
