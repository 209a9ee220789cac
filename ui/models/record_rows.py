"""Records as rows of a list or a table: what Qt's models repeat, once.

A kind of record says its texts, and here they become cells, heads and what a screen reader hears.
No painting and no query lives here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from PySide6.QtCore import (
    QAbstractListModel,
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
)

from app.domain.business_day import BusinessDate
from ui.kit import Kit

R = TypeVar("R")
Index = QModelIndex | QPersistentModelIndex


class RecordList(QAbstractListModel, Generic[R]):
    """Records as the rows of a list, in the order they came."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._records: tuple[R, ...] = ()

    def show(self, records: Sequence[R]) -> None:
        self.beginResetModel()
        self._records = tuple(records)
        self.endResetModel()

    def record(self, row: int) -> R | None:
        return self._records[row] if 0 <= row < len(self._records) else None

    def title(self, record: R) -> str:
        """The row's first words."""
        raise NotImplementedError

    def spoken(self, record: R) -> str:
        """What a screen reader says of the row."""
        return self.title(record)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self._records)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        record = self.record(index.row())
        if record is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.title(record)
        return self.spoken(record) if role == Qt.ItemDataRole.AccessibleTextRole else None


class RecordColumns(QAbstractTableModel, Generic[R]):
    """Records as the rows of a table, in the order they came.

    Attributes:
        heads: a marked word for each column.
        right: the columns of figures, which stand at the right.
    """

    heads: tuple[str, ...] = ()
    right: ClassVar[tuple[int, ...]] = ()

    def __init__(self, kit: Kit, today: Callable[[], BusinessDate]) -> None:
        super().__init__()
        self._kit, self._today = kit, today
        self._records: tuple[R, ...] = ()

    def show(self, records: Sequence[R]) -> None:
        self.beginResetModel()
        self._records = tuple(records)
        self.endResetModel()

    def record(self, row: int) -> R | None:
        return self._records[row] if 0 <= row < len(self._records) else None

    def cells(self, record: R) -> tuple[str, ...]:
        """The texts of a row, one for each head."""
        raise NotImplementedError

    def tone(self, record: R, column: int) -> str:
        """The colour of a cell; "" is that of every text."""
        return ""

    def retranslate(self) -> None:
        """Heads and cells are said anew."""
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.heads) - 1)
        self.show(self._records)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self._records)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self.heads)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        record = self.record(index.row())
        if record is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.cells(record)[index.column()]
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == 0:
            return ", ".join(cell for cell in self.cells(record) if cell)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(index.column())
        if role == Qt.ItemDataRole.ForegroundRole:
            tone = self.tone(record, index.column())
            return self._kit.look.colour(tone) if tone else None
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
            return self._kit.words.say(self.heads[section])
        return self._alignment(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def _alignment(self, column: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignRight if column in self.right else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter
