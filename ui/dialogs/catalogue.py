"""An item of the catalogue, new or as it is, and a file that is checked and then taken.

What is right is the use-cases' to say: the sheets send texts by column, as a file has them, and show faults.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.catalogue_file import CatalogueItem, RowFault, item_texts
from app.catalogue_words import column_name, fault_sentence
from app.domain.business_day import BusinessDate
from app.formats import number
from app.i18n import mark
from ui.desk_records import Scan
from ui.dialogs.approval import approve_first
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.models.item_rows import FaultRows
from ui.widgets.basics import Button, Label, Text, WrappedLabel, nothing
from ui.widgets.number_fields import AmountField, CodeField, WholeField
from ui.widgets.segments import Segment, Segments
from ui.widgets.sheet import Sheet
from ui.widgets.table import RecordTable
from ui.widgets.text_fields import EnterField, TextField

if TYPE_CHECKING:
    from app.context import Session
    from app.usecases.catalogue import Imported
    from ui.desk import Desk

_TYPED: Final = ("code", "category", "name", "name_en", "barcodes", "price", "per", "tax")
_LINES: Final = (
    ("code", "category"), ("name",), ("name_en",), ("barcodes",), ("price", "per"),
    ("tax", "tax_included"),
)  # fmt: skip


class _CatalogueSheet(Sheet):
    """What both share: a sentence when something is refused, one commit, a second person where one is needed.

    Signals:
        changed(sentence): it is done.
    """

    changed = Signal(str)

    def __init__(
        self, kit: Kit, lanes: Lanes, desk: Desk, who: Callable[[], Session], title: Text
    ) -> None:
        super().__init__(kit, title)
        self._lanes, self._desk, self._who = lanes, desk, who
        self._command_id = desk.new_command()
        self.problem = WrappedLabel(nothing, role="strong", tone="danger")
        self.commit = Button(kit, lambda: kit.words.say("Save"), role="primary")

    @property
    def busy(self) -> bool:
        return self.asking or not self.commit.isEnabled()

    def _run(
        self,
        work: Callable[[], Imported],
        ok: Callable[[Imported], None],
        again: Callable[[], None],
    ) -> None:
        if self.busy:
            return
        self.commit.setEnabled(False)
        self.problem.clear()

        def done(found: Imported) -> None:
            self.commit.setEnabled(True)
            ok(found)

        def failed(error: Exception) -> None:
            self.commit.setEnabled(True)
            if not approve_first(
                self, self._kit, self._lanes, self._desk, self._who, error,
                again=again, declined=self.problem.tell,
            ):  # fmt: skip
                self.problem.tell(lambda: words_of(self._kit, error))

        self._lanes.run(self, "db", work, ok=done, failed=failed)

    def _finish(self, said: str) -> None:
        self.closing.emit()
        self.changed.emit(said)


class ItemSheet(_CatalogueSheet):
    """One item; without `shown` a new one. The code of an item never changes: it is found by it."""

    wide = 820

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        who: Callable[[], Session],
        shown: CatalogueItem | None = None,
    ) -> None:
        words = kit.words
        title = shown.name if shown else ""
        super().__init__(kit, lanes, desk, who, lambda: title or words.say("New item"))
        self._shown = shown
        names = {column: partial(column_name, words, column) for column in _TYPED}
        self.fields: dict[str, EnterField] = {
            column: TextField(names[column]) for column in ("name", "name_en", "category")
        } | {column: CodeField(names[column]) for column in ("code", "tax", "barcodes")}
        self.fields["price"] = AmountField(kit, names["price"], several=False, role="")
        self.fields["per"] = WholeField(names["per"], digits=7)
        self.tax_included = Segments(
            kit,
            lambda: words.say("Tax"),
            [
                Segment("yes", lambda: words.say("In the price")),
                Segment("no", lambda: words.say("On top of the price")),
            ],
        )
        self._lay_out()
        self._fill(shown)

    def _lay_out(self) -> None:
        kit, words = self._kit, self._kit.words
        grid = QGridLayout()
        grid.setHorizontalSpacing(kit.look.px(16))
        grid.setVerticalSpacing(kit.look.px(8))
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        for line, pair in enumerate(_LINES):
            for side, column in enumerate(pair):
                field = self.fields.get(column, self.tax_included)
                name = partial(column_name, words, column)
                grid.addWidget(Label(name, role="text2"), line, 2 * side)
                # What stands alone has the whole line.
                grid.addWidget(field, line, 2 * side + 1, 1, 1 if len(pair) > 1 else 3)
        for here, after in pairwise(_TYPED):
            self.fields[here].entered.connect(self.fields[after].setFocus)
        self.fields[_TYPED[-1]].entered.connect(self.tax_included.focus_here)
        self.tax_included.entered.connect(self.submit)
        self.body.addLayout(grid)
        self.body.addWidget(
            WrappedLabel(
                lambda: words.say(
                    "Scan to add a barcode; several stand with blanks between. Slips that were"
                    " printed stay as they are."
                ),
                role="caption",
            )
        )
        self.body.addWidget(self.problem)
        self.commit.clicked.connect(self.submit)
        if self._shown is not None:
            withdrawn = self._shown.withdrawn
            self.switch = Button(
                kit,
                lambda: words.say("Bring back") if withdrawn else words.say("Withdraw"),
            )
            self.switch.clicked.connect(lambda: self._save(withdrawn=not withdrawn))
            self.foot.addWidget(self.switch)
        self.foot.addWidget(self.commit, 1)

    def _fill(self, shown: CatalogueItem | None) -> None:
        if shown is None:
            self.fields["per"].setText("1")
            return
        texts = item_texts(shown, self._kit.formats.sign.exponent)
        for column in _TYPED:
            self.fields[column].setText(texts[column])
        self.tax_included.choose(texts["tax_included"])
        self.fields["code"].setEnabled(False)

    def first_focus(self) -> QWidget:
        return self.fields["code" if self._shown is None else "price"]

    def takes_scan(self, scan: Scan) -> bool:
        if scan.kind not in ("unknown", "item"):
            return False
        field = self.fields["barcodes"]
        codes = field.text().split()
        field.setText(" ".join(dict.fromkeys((*codes, scan.code))))
        return True

    def submit(self) -> None:
        self._save(withdrawn=self._shown is not None and self._shown.withdrawn)

    def _save(self, *, withdrawn: bool) -> None:
        session, new, words = self._who(), self._shown is None, self._kit.words
        texts = {column: self.fields[column].text() for column in _TYPED}
        texts |= {
            "tax_included": self.tax_included.code,
            "withdrawn": "yes" if withdrawn else "no",
        }

        def saved(found: Imported) -> None:
            if found.faults:
                self._say(found.faults)
                return
            name = texts["name"].strip()
            self._finish(
                words.say("{name} is withdrawn.", name=name)
                if found.withdrawn
                else words.say("Saved: {name}.", name=name)
            )

        self._run(
            lambda: self._desk.catalogue.save(self._command_id, session, texts, new=new),
            saved,
            partial(self._save, withdrawn=withdrawn),
        )

    def _say(self, faults: Sequence[RowFault]) -> None:
        """Frame what is wrong, say the first of it, and stand on it."""
        wrong = {fault.column for fault in faults}
        for column, field in self.fields.items():
            field.mark_wrong(column in wrong)
        words, first = self._kit.words, faults[0]
        self.problem.tell(lambda: fault_sentence(words, first))
        if first.column in self.fields:
            self.fields[first.column].setFocus(Qt.FocusReason.OtherFocusReason)


_COUNTS: Final = mark(
    "{added} new, {changed} changed, {withdrawn} withdrawn; {same} stay as they are."
)


class ImportSheet(_CatalogueSheet):
    """The path of a file, what it would do or every fault of it, and only then the way to take it."""

    wide = 820

    def __init__(
        self,
        kit: Kit,
        lanes: Lanes,
        desk: Desk,
        who: Callable[[], Session],
        today: Callable[[], BusinessDate],
    ) -> None:
        words = kit.words
        super().__init__(kit, lanes, desk, who, lambda: words.say("Take items from a file"))
        self._content: bytes | None = None
        """What was checked and may be taken."""
        self._checking: Latest[tuple[bytes, Imported] | None] = Latest(
            lanes, "report", interrupt=lambda: None
        )
        self.path = TextField(lambda: words.say("Path of the CSV file"))
        self.path.setMaxLength(1000)
        self.path.entered.connect(self.submit)
        self.path.textChanged.connect(lambda _: self._forget())
        self.body.addWidget(Label(lambda: words.say("Path of the CSV file"), role="text2"))
        self.body.addWidget(self.path)
        self.body.addWidget(
            WrappedLabel(
                lambda: words.say(
                    "Columns: {columns}. Code, name and price are needed. Nothing is taken before"
                    " every line is right.",
                    columns="code, name, price, name_en, category, per, tax, tax_included,"
                    " barcodes, withdrawn",
                ),
                role="caption",
            )
        )
        self.result = WrappedLabel(nothing, role="strong")
        self.body.addWidget(self.result)
        self.body.addWidget(self.problem)
        self.rows = FaultRows(kit, today)
        self.table = RecordTable(
            kit, self.rows, lambda: words.say("Faults of the file"), whole=(0,)
        )
        self.table.setMinimumHeight(kit.look.px(240))
        self.body.addWidget(self.table, 1)
        self.commit.tell(lambda: words.say("Check the file"))
        self.commit.clicked.connect(self.submit)
        self.foot.addWidget(self.commit, 1)

    def first_focus(self) -> QWidget:
        return self.path

    def submit(self) -> None:
        """Check the file; once it was checked and would do something, take it."""
        if self._content is None:
            self._check()
        else:
            self._take(self._content)

    def _forget(self) -> None:
        """Another path: nothing is checked, and no answer about the one before is wanted."""
        self._checking.drop()
        words = self._kit.words
        self._content = None
        self.rows.show(())
        self.result.clear()
        self.problem.clear()
        self.commit.tell(lambda: words.say("Check the file"))

    def _check(self) -> None:
        session, typed = self._who(), self.path.text().strip()
        # A file that is dropped on the field comes as its address.
        path = Path(QUrl(typed).toLocalFile() if typed.startswith("file:") else typed)
        # It may wait behind a long report: nothing is written, so nobody who leaves or locks waits for it.
        self._checking.ask(
            self,
            lambda: self._desk.catalogue.check(session, path.expanduser()),
            ok=self._checked,
            failed=self._not_checked,
        )

    def _not_checked(self, error: Exception) -> None:
        self.problem.tell(lambda: words_of(self._kit, error))

    def _checked(self, checked: tuple[bytes, Imported] | None) -> None:
        words = self._kit.words
        self._forget()
        if checked is None:
            self.problem.tell(lambda: words.say("There is no such file. Check its path."))
            return
        content, found = checked
        if self._show_faults(found):
            return
        self.result.tell(lambda: self._said(found))
        if found.added or found.changed or found.withdrawn:
            self._content = content
            self.commit.tell(lambda: words.say("Take them"))
            self.commit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_faults(self, found: Imported) -> bool:
        words, count = self._kit.words, len(found.faults)
        if not count:
            return False
        self.rows.show(found.faults)
        self.problem.tell(
            lambda: words.count(
                "{count} fault; nothing was taken.", "{count} faults; nothing was taken.", count,
                count=number(count),
            )
        )  # fmt: skip
        return True

    def _take(self, content: bytes) -> None:
        session = self._who()

        def taken(found: Imported) -> None:
            if not self._show_faults(found):
                self._finish(self._said(found))

        self._run(
            lambda: self._desk.catalogue.take(self._command_id, session, content),
            taken,
            partial(self._take, content),
        )

    def _said(self, found: Imported) -> str:
        return self._kit.words.say(
            _COUNTS,
            added=number(found.added), changed=number(found.changed),
            withdrawn=number(found.withdrawn), same=number(found.same),
        )  # fmt: skip
