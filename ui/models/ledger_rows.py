"""A member's ledger as a table: when, what, money, points, balance afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.domain.business_day import BusinessDate
from app.formats import number, signed_number
from app.i18n import mark
from app.queries.records import LedgerLine
from ui.kit import Kit

Index = QModelIndex | QPersistentModelIndex
_HEADS = (mark("Time"), mark("Kind"), mark("Amount"), mark("Points"), mark("Balance"))
_OPERATOR = mark("By")
_KINDS = {
    "sale": mark("Sale"),
    "return": mark("Return"),
    "void": mark("Void"),
    "enrol": mark("Enrolled"),
    "adjust": mark("Adjusted"),
    "opening": mark("Opening"),
    "expire": mark("Expired"),
    "unexpire": mark("Expiry undone"),
    "redeem": mark("Redeemed"),
    "earn": mark("Earned"),
    "reverse": mark("Reversed"),
    "transfer": mark("Transfer"),
}


def kind_text(kit: Kit, line: LedgerLine) -> str:
    """What happened, in a word: the document's kind, made exact by the entry's where it differs."""
    source = line.kind if line.source == "sale" and line.kind == "redeem" else line.source
    known = _KINDS.get(source) or _KINDS.get(line.kind)
    return kit.words.say(known) if known else source


class LedgerRows(QAbstractTableModel):
    """Lines as they came, newest first. `operator` adds who did it."""

    def __init__(
        self, kit: Kit, today: Callable[[], BusinessDate], *, operator: bool = False
    ) -> None:
        super().__init__()
        self._kit, self._today = kit, today
        self._heads = (*_HEADS, _OPERATOR) if operator else _HEADS
        self._lines: tuple[LedgerLine, ...] = ()

    def show(self, lines: Sequence[LedgerLine]) -> None:
        self.beginResetModel()
        self._lines = tuple(lines)
        self.endResetModel()

    def line(self, row: int) -> LedgerLine | None:
        return self._lines[row] if 0 <= row < len(self._lines) else None

    def retranslate(self) -> None:
        """Heads and cells are said anew."""
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self._heads) - 1)
        self.show(self._lines)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self._heads)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        line = self.line(index.row())
        if line is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cells(line)[index.column()]
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == 0:
            return ", ".join(cell for cell in self._cells(line) if cell)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(index.column())
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 3:
            return self._kit.look.colour("accent_text" if line.amount > 0 else "text")
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
            return self._kit.words.say(self._heads[section])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def _cells(self, line: LedgerLine) -> tuple[str, ...]:
        formats = self._kit.formats
        money = "" if line.total_minor is None else formats.money(line.total_minor)
        return (
            formats.moment(line.at, today=self._today().to_date()),
            kind_text(self._kit, line),
            money,
            signed_number(line.amount),
            number(line.balance_after),
            line.operator.upper(),
        )


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in (2, 3, 4) else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
