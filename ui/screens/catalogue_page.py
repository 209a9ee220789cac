"""The catalogue: what the shop sells, by search; an item opens with Enter, a file goes in and out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from app.formats import number
from ui.errors import words_of
from ui.lanes import Latest
from ui.models.item_rows import ItemRows
from ui.screens.rail_page import RailPage, Surroundings
from ui.widgets.basics import Button, WrappedLabel, card, columns, nothing, rows
from ui.widgets.table import RecordTable
from ui.widgets.text_fields import TextField

if TYPE_CHECKING:
    from app.queries.catalogue import CatalogueList
    from ui.dialogs.catalogue import ImportSheet, ItemSheet


class CataloguePage(RailPage):
    """The list follows the search as one types; Down or Enter goes into it."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        kit, words = around.kit, around.kit.words
        self._latest: Latest[CatalogueList] = Latest(around.lanes, "db", interrupt=lambda: None)
        outer = rows(kit.look, self, margins=16, gap=12)
        frame = card()
        inside = rows(kit.look, frame, margins=20, gap=12)
        self.search = TextField(self._search_name)
        self.search.textChanged.connect(lambda _: self.read())
        self.search.entered.connect(self._to_table)
        self.search.stepped.connect(lambda _: self._to_table())
        inside.addWidget(self.search)
        self.problem = WrappedLabel(nothing, role="strong", tone="danger")
        inside.addWidget(self.problem)
        self.rows = ItemRows(kit, around.today)
        self.table = RecordTable(
            kit, self.rows, lambda: words.say("Goods and prices"), whole=(0, 4, 5, 6)
        )
        self.table.opened.connect(self._open)
        inside.addWidget(self.table, 1)
        foot = columns(kit.look, gap=12)
        self.status = WrappedLabel(nothing, role="muted")
        self.csv = Button(kit, lambda: words.say("Save as CSV"))
        self.file = Button(kit, lambda: words.say("Take a file"))
        self.add = Button(kit, lambda: words.say("New item"))
        self.csv.clicked.connect(self._export)
        self.file.clicked.connect(self._import)
        self.add.clicked.connect(self._add)
        foot.addWidget(self.status, 1)
        for button in (self.csv, self.file, self.add):
            foot.addWidget(button)
        inside.addLayout(foot)
        outer.addWidget(frame, 1)
        self.retranslate()

    def _search_name(self) -> str:
        return self._kit.words.say("Name, initials, code or barcode")

    def retranslate(self) -> None:
        self.search.setPlaceholderText(self._search_name())

    def fill_anew(self) -> None:
        """On each visit: the list as it is now, the search ready."""
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)
        self.search.selectAll()
        self.read()

    def read(self) -> None:
        """Ask for what the search says; an answer to an older question is dropped."""
        session, text = self._who(), self.search.text()
        self._latest.ask(
            self,
            lambda: self._desk.catalogue.find(session, text),
            ok=self._show,
            failed=self._refused,
        )

    def _show(self, found: CatalogueList) -> None:
        words, shown, count = self._kit.words, len(found.items), found.count
        at = max(self.table.currentIndex().row(), 0)
        self.problem.clear()
        self._allow(True)
        self.rows.show(found.items)
        self.table.selectRow(min(at, shown - 1))
        for button in (self.file, self.add):
            button.setEnabled(found.above is None)
        self.status.tell(
            lambda: " ".join(
                [
                    words.say(
                        "{shown} of {count} items. Enter opens one.",
                        shown=number(shown), count=number(count),
                    ),
                    *self._from_above(found),
                ]
            )
        )  # fmt: skip

    def _from_above(self, found: CatalogueList) -> list[str]:
        say, said = self._kit.words.say, list[str]()
        if found.above is not None:
            date = found.above.starts.iso()
            said.append(say("The price list is head office's, since {date}.", date=date))
        if found.coming is not None and found.coming.starts > self._today():
            date = found.coming.starts.iso()
            said.append(say("Another one begins on {date}.", date=date))
        elif found.coming is not None:
            said.append(say("Another one is taken when the shift ends."))
        return said

    def _refused(self, error: Exception) -> None:
        self.rows.show(())
        self.status.clear()
        self._allow(False)
        self.problem.tell(lambda: words_of(self._kit, error))

    def _allow(self, allowed: bool) -> None:
        for button in (self.csv, self.file, self.add):
            button.setEnabled(allowed)

    def _to_table(self) -> None:
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    # Changes --------------------------------------------------------------------------------------

    def _open(self, row: int) -> None:
        from ui.dialogs.catalogue import ItemSheet

        item = self.rows.record(row)
        if item is not None:
            self._lay(ItemSheet(self._kit, self._lanes, self._desk, self._who, item))

    def _add(self) -> None:
        from ui.dialogs.catalogue import ItemSheet

        self._lay(ItemSheet(self._kit, self._lanes, self._desk, self._who))

    def _import(self) -> None:
        from ui.dialogs.catalogue import ImportSheet

        self._lay(ImportSheet(self._kit, self._lanes, self._desk, self._who, self._today))

    def _lay(self, sheet: ItemSheet | ImportSheet) -> None:
        sheet.changed.connect(self._changed)
        self._sheets.open(sheet)

    def _changed(self, said: str) -> None:
        self._strip.good_news(lambda: said)
        self.read()

    def _export(self) -> None:
        session, command, words = self._who(), self._desk.new_command(), self._kit.words

        def saved(path: Path) -> None:
            self._strip.good_news(lambda: words.say("Saved: {path}", path=str(path)))

        taking = self._desk.catalogue.export(command, session)
        taking.start(self, self._lanes, ok=saved, failed=self._strip.fail)
