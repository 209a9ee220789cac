"""The backups in a folder as rows: when taken, whose, how large, and which one is proposed."""

from __future__ import annotations

from app.commands.restore import state, taken_at, whose
from app.domain.business_day import BusinessDate
from app.formats import disk_size
from app.found_backups import FoundBackup
from app.i18n import mark
from ui.kit import Kit
from ui.models.record_rows import RecordColumns


class BackupRows(RecordColumns[FoundBackup]):
    """The proposed one is told by a word and its colour, one that isn't whole too."""

    heads = (mark("Made at"), mark("Shop and till"), mark("Size"), mark("State"))
    right = (2,)

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit, _no_day)

    def cells(self, record: FoundBackup) -> tuple[str, ...]:
        words = self._kit.words
        size = disk_size(record.size_bytes)
        return (taken_at(record), whose(record, words), size, state(record, words))

    def tone(self, record: FoundBackup, column: int) -> str:
        if column != 3:
            return "" if record.whole else "muted"
        return "accent" if record.whole else "danger"


def _no_day() -> BusinessDate:
    raise AssertionError("no store is open: a backup says its own date")
