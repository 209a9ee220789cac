"""Counter documents as a table: when, what, receipt, who, money, points."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.domain.business_day import BusinessDate
from app.formats import signed_number
from app.i18n import mark
from app.queries.records import DocumentLine
from ui.kit import Kit

Index = QModelIndex | QPersistentModelIndex
_HEADS = (
    mark("Time"),
    mark("Kind"),
    mark("Receipt"),
    mark("Member"),
    mark("Amount"),
    mark("Points"),
)
_KINDS = {"sale": mark("Sale"), "return": mark("Return"), "void": mark("Void")}


class DocumentRows(QAbstractTableModel):
    """Documents as they came, newest first."""

    def __init__(self, kit: Kit, today: Callable[[], BusinessDate]) -> None:
        super().__init__()
        self._kit, self._today = kit, today
        self._documents: tuple[DocumentLine, ...] = ()

    def show(self, documents: Sequence[DocumentLine]) -> None:
        self.beginResetModel()
        self._documents = tuple(documents)
        self.endResetModel()

    def document(self, row: int) -> DocumentLine | None:
        return self._documents[row] if 0 <= row < len(self._documents) else None

    def retranslate(self) -> None:
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(_HEADS) - 1)
        self.show(self._documents)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self._documents)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(_HEADS)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        document = self.document(index.row())
        if document is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cells(document)[index.column()]
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == 0:
            return ", ".join(cell for cell in self._cells(document) if cell)
        return _side(index.column()) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = int(Qt.ItemDataRole.DisplayRole),
    ) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._kit.words.say(_HEADS[section])
        return _side(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def _cells(self, document: DocumentLine) -> tuple[str, ...]:
        formats = self._kit.formats
        kind = _KINDS.get(document.kind)
        change = document.points_earned - document.points_spent
        return (
            formats.moment(document.at, today=self._today().to_date()),
            self._kit.words.say(kind) if kind else document.kind,
            document.receipt_no,
            document.member_name,
            formats.money(document.total_minor),
            signed_number(change) if change else "",
        )


def _side(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in (4, 5) else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
