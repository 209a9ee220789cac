"""The settings of backups and reports: which folder, and what is made of reports after a close.

A folder is tried when its field is left, and once more before it is saved; what is wrong stands below it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, cast

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.i18n import mark
from app.settings import Settings
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.widgets.basics import WrappedLabel, rows
from ui.widgets.segments import Segment, Segments
from ui.widgets.text_fields import TextField

if TYPE_CHECKING:
    from app.folders import Problem

Which = Literal["backup", "reports"]
Problems = dict[Which, "Problem"]
AfterClose = Literal["none", "print", "pdf", "xlsx", "csv"]

PATH_MOST: Final = 400
"""Signs of a path."""
_PROBLEMS: Final = {
    "gone": mark("There is no such folder. Plug its disk in, or make the folder first."),
    "read_only": mark("Nothing can be written into this folder. Choose another one."),
}
_AFTER: Final[dict[AfterClose, str]] = {
    "none": mark("Nothing"),
    "print": mark("Print"),
    "pdf": mark("PDF"),
    "xlsx": mark("Spreadsheet"),
    "csv": mark("CSV"),
}


class FolderFields:
    """The fields of a settings card.

    Attributes:
        backup, reports: the folders, "" for one beside the data.
        said: what is wrong with each.
        after: what becomes of the reports after a close.
    """

    def __init__(self, kit: Kit, lanes: Lanes, problem_of: Callable[[str], Problem]) -> None:
        self._kit, self._problem_of = kit, problem_of
        words = kit.words
        self.backup = TextField(lambda: words.say("Folder of the backups"))
        self.reports = TextField(lambda: words.say("Folder of the reports"))
        self._fields: dict[Which, TextField] = {"backup": self.backup, "reports": self.reports}
        self.said: dict[Which, WrappedLabel] = {}
        self._checking: dict[Which, Latest[Problem]] = {}
        for which, field in self._fields.items():
            field.setMaxLength(PATH_MOST)
            self.said[which] = WrappedLabel(role="strong", tone="danger")
            self.said[which].hide()
            self._checking[which] = Latest(lanes, "backup", interrupt=lambda: None)
        self.after = Segments(
            kit,
            lambda: words.say("After the close of a day"),
            [Segment(code, partial(words.say, said)) for code, said in _AFTER.items()],
        )

    def row(self, which: Which) -> QWidget:
        """The field with its sentence below."""
        row, field = QWidget(), self._fields[which]
        column = rows(self._kit.look, row, gap=4)
        column.addWidget(field)
        column.addWidget(self.said[which])
        field.editingFinished.connect(partial(self._check, which))
        field.entered.connect(partial(self._check, which))
        field.textEdited.connect(lambda _: self._mend(which))
        return row

    def _check(self, which: Which) -> None:
        text = self._fields[which].text().strip()
        self._checking[which].ask(
            self._fields[which],
            lambda: self._problem_of(text),
            ok=partial(self.say, which),
            failed=lambda error: None,
        )

    def _mend(self, which: Which) -> None:
        """It is being typed anew: nothing is said of what stood there."""
        self._checking[which].drop()
        self.say(which, "")

    def say(self, which: Which, problem: Problem) -> None:
        """What is wrong with a folder, "" for nothing."""
        words, label = self._kit.words, self.said[which]
        self._fields[which].mark_wrong(bool(problem))
        label.setVisible(bool(problem))
        label.tell(lambda: words.say(_PROBLEMS[problem]) if problem else "")

    def point_at(self, problems: Problems) -> QWidget:
        """Say each, and go to the first, which is answered."""
        for which, problem in problems.items():
            self.say(which, problem)
        first = self._fields[next(iter(problems))]
        first.setFocus(Qt.FocusReason.OtherFocusReason)
        return first

    def show_settings(self, settings: Settings) -> None:
        self.backup.setText(settings.backup.folder)
        self.reports.setText(settings.reports.folder)
        self.after.choose(settings.reports.after_close)
        for which in self._fields:
            self.say(which, "")

    def on_top_of(self, before: Settings) -> Settings:
        after = cast(AfterClose, self.after.code)
        return replace(
            before,
            backup=replace(before.backup, folder=self.backup.text().strip()),
            reports=replace(before.reports, folder=self.reports.text().strip(), after_close=after),
        )

    def problems(self, used: Settings, wanted: Settings) -> Problems:
        """What is wrong with the folders that change; one that stays may be away just now. Not in the
        window's thread."""
        changed: dict[Which, tuple[str, str]] = {
            "backup": (used.backup.folder, wanted.backup.folder),
            "reports": (used.reports.folder, wanted.reports.folder),
        }
        found = {
            which: self._problem_of(new) for which, (old, new) in changed.items() if old != new
        }
        return {which: problem for which, problem in found.items() if problem}
