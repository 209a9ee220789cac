"""Which backup: a folder is named, the backups in it are listed, one is taken. Keys alone do.

The folder is looked through on a lane: a stick or a share may take its time. Nothing is brought back here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.domain.errors import Outage, Unavailable
from app.found_backups import FoundBackup, find_backups, without
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.models.backup_rows import BackupRows
from ui.widgets.basics import Label, Text, WrappedLabel, nothing, rows
from ui.widgets.table import RecordTable
from ui.widgets.text_fields import TextField

PATH_MOST: Final = 400
"""Signs of a path."""
_ROWS: Final = 6


class BackupChoice(QWidget):
    """Signals:
    said(text, tone): what to say to the person.
    taken(found): this backup shall come back.
    """

    said = Signal(object, str)
    taken = Signal(object)

    def __init__(self, kit: Kit, lanes: Lanes) -> None:
        super().__init__()
        self._kit = kit
        words = kit.words
        self._looks: Latest[tuple[FoundBackup, ...]] = Latest(
            lanes, "backup", interrupt=lambda: None
        )
        self._found: tuple[FoundBackup, ...] = ()
        self.setProperty("role", "clear")
        inside = rows(kit.look, self, gap=6)
        self.source = TextField(lambda: words.say("Folder of the backups, or one backup"))
        self.source.setMaxLength(PATH_MOST)
        self.source.entered.connect(self.look)
        self.source.textEdited.connect(lambda _: self._forget())
        inside.addWidget(
            Label(lambda: words.say("Folder of the backups, or one backup"), role="muted")
        )
        inside.addWidget(self.source)
        self.rows = BackupRows(kit)
        self.table = RecordTable(
            kit, self.rows, lambda: words.say("Backups in this folder"), whole=(0, 2, 3)
        )
        self.table.setFixedHeight(kit.look.px(40) + kit.look.dense(38, 32) * _ROWS)
        self.table.opened.connect(self._take)
        self.hint = WrappedLabel(
            lambda: words.say(
                "Up and Down choose, Enter takes one. This is what the backups say; the passphrase proves it."
            ),
            role="caption",
        )
        inside.addWidget(self.table)
        inside.addWidget(self.hint)
        self._show(())

    @property
    def has_list(self) -> bool:
        """Whether the backups of the folder are shown."""
        return bool(self._found)

    def begin(self) -> None:
        """Where the person goes on: at the list, or at the folder."""
        first = self.table if self.has_list else self.source
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def go_on(self) -> None:
        """Look into the folder; take the chosen one of those that were found."""
        if self.has_list:
            self._take(self.table.currentIndex().row())
        else:
            self.look()

    def look(self) -> None:
        """List what lies in the folder."""
        words, text = self._kit.words, self.source.text().strip()
        if not text:
            self.said.emit(lambda: words.say("Fill this in first."), "danger")
            self.source.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.said.emit(lambda: words.say("Looking into the folder…"), "muted")
        self._looks.ask(self, partial(_find, text), ok=self._looked, failed=self._refused)

    def not_whole(self, path: Path) -> None:
        """It was tried and isn't whole: the next one is proposed."""
        words = self._kit.words
        self._show(without(self._found, path))
        if any(each.proposed for each in self._found):
            self._say(lambda: words.say("This backup isn't whole. The next one is marked."))
        else:
            self._say(
                lambda: words.say("No backup in this folder is whole. Choose another folder.")
            )

    def _looked(self, found: tuple[FoundBackup, ...]) -> None:
        words = self._kit.words
        self._show(found)
        if not found:
            self._say(lambda: words.say("There is no backup in this folder. Choose another one."))
            self.source.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.said.emit(nothing, "muted")
        if any(each.proposed for each in found):
            self.begin()
        else:
            self._say(
                lambda: words.say("No backup in this folder is whole. Choose another folder.")
            )

    def _show(self, found: Sequence[FoundBackup]) -> None:
        self._found = tuple(found)
        self.rows.show(self._found)
        self.table.setVisible(self.has_list)
        self.hint.setVisible(self.has_list)
        if self.has_list:
            at = next((n for n, each in enumerate(self._found) if each.proposed), 0)
            self.table.selectRow(at)

    def _forget(self) -> None:
        """Another folder is being typed."""
        self._looks.drop()
        self._show(())
        self.said.emit(nothing, "muted")

    def _take(self, row: int) -> None:
        words, record = self._kit.words, self.rows.record(row)
        if record is None:
            return
        if record.whole:
            self.taken.emit(record)
        else:
            self._say(lambda: words.say("This backup isn't whole. Take another one."))

    def _refused(self, error: Exception) -> None:
        words = self._kit.words
        gone = isinstance(error, Unavailable) and error.code is Outage.BACKUP_FOLDER_GONE
        self._say(
            (lambda: words.say("There is no such folder. Is the disk plugged in?"))
            if gone
            else lambda: words_of(self._kit, error)
        )
        self.source.setFocus(Qt.FocusReason.OtherFocusReason)

    def _say(self, said: Text) -> None:
        self.said.emit(said, "danger")


def _find(text: str) -> tuple[FoundBackup, ...]:
    return find_backups(Path(text).expanduser())
