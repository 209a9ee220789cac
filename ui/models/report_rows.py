"""A report's sheet as a table, totals last; and the events behind a figure."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.documents.report import Part, Unit
from app.domain.business_day import BusinessDate
from app.formats import number
from app.i18n import mark
from printing.report import ReportSheet
from ui.kit import Kit
from ui.models.record_rows import RecordColumns

Index = QModelIndex | QPersistentModelIndex
_KINDS = {
    "sale": mark("Sale"),
    "return": mark("Return"),
    "void": mark("Void"),
    "adjust": mark("Adjusted"),
    "enrol": mark("Enrolled"),
    "opening": mark("Opening"),
    "expire": mark("Expired"),
    "unexpire": mark("Expiry undone"),
    "tier_review": mark("Tier reviewed"),
}


class ReportRows(QAbstractTableModel):
    """The cells of a sheet; its own words are finished, so a language switch reads the report anew."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._sheet: ReportSheet | None = None
        self._lines: tuple[tuple[str, ...], ...] = ()

    def show(self, sheet: ReportSheet | None) -> None:
        """The rows of another report; None shows none."""
        self.beginResetModel()
        self._sheet = sheet
        rows = sheet.rows if sheet else ()
        self._lines = (*rows, sheet.total) if sheet and sheet.total else rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() or self._sheet is None else len(self._sheet.heads)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        cells = self._lines[index.row()] if index.row() < len(self._lines) else ()
        if not cells or self._sheet is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return cells[index.column()]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{cells[0]}, {self._sheet.heads[index.column()]}: {cells[index.column()]}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(index.column())
        is_total = bool(self._sheet.total) and index.row() == len(self._sheet.rows)
        if role == Qt.ItemDataRole.FontRole and is_total:
            return self._kit.look.font(14, bold=True)
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = int(Qt.ItemDataRole.DisplayRole),
    ) -> object:
        if orientation != Qt.Orientation.Horizontal or self._sheet is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._sheet.heads[section]
        return _side(section) if role == Qt.ItemDataRole.TextAlignmentRole else None


class PartRows(RecordColumns[Part]):
    """The events behind a figure, newest first."""

    heads = (
        mark("Time"), mark("Kind"), mark("Receipt"), mark("Member"), mark("By"), mark("Adds"),
    )  # fmt: skip
    right = (5,)

    def __init__(self, kit: Kit, today: Callable[[], BusinessDate], unit: Unit) -> None:
        super().__init__(kit, today)
        self._unit = unit

    def cells(self, record: Part) -> tuple[str, ...]:
        formats = self._kit.formats
        kind = _KINDS.get(record.kind)
        amount = formats.money(record.amount) if self._unit == "money" else number(record.amount)
        return (
            formats.moment(record.at, today=self._today().to_date()),
            self._kit.words.say(kind) if kind else record.kind,
            record.receipt_no,
            record.member,
            record.operator,
            amount,
        )


def _side(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
