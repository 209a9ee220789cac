"""A table of records: rows are one stop, Enter opens the row, nothing is edited in place."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from ui.keyboard import is_enter
from ui.kit import Kit
from ui.widgets.basics import Text


class RecordTable(QTableView):
    """`whole` are columns that are never elided (numbers that people read out).

    Signals:
        opened(row): Enter, or a double click.
    """

    opened = Signal(int)

    def __init__(
        self, kit: Kit, model: QAbstractItemModel, name: Text, *, whole: tuple[int, ...] = ()
    ) -> None:
        super().__init__()
        self._kit, self._name = kit, name
        self.setModel(model)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(kit.look.dense(38, 32))
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for column in whole:
            self.horizontalHeader().setSectionResizeMode(
                column, QHeaderView.ResizeMode.ResizeToContents
            )
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(kit.look.px(60))
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setCornerButtonEnabled(False)
        self.doubleClicked.connect(lambda index: self.opened.emit(index.row()))
        self.retranslate()

    def retranslate(self) -> None:
        self.setAccessibleName(self._name())
        again = getattr(self.model(), "retranslate", None)
        if again is not None:
            again()

    def restyle(self) -> None:
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_enter(event):
            if not event.isAutoRepeat() and self.currentIndex().isValid():
                self.opened.emit(self.currentIndex().row())
        elif event.key() == Qt.Key.Key_Escape:
            event.ignore()  # One step back is the page's or the sheet's.
        else:
            super().keyPressEvent(event)
