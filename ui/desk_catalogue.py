"""What screens ask of the product about the catalogue: its list, an item, a file in and out.

The calls block, so screens make them on the db lane (see ui.desk); a file is checked on the report lane, and
one is written in the three steps of ui.taking_out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from app.build import Till
from app.catalogue_file import file_bytes
from app.context import Session
from app.queries.catalogue import CatalogueList, catalogue
from app.usecases.catalogue import (
    ImportCatalogue,
    Imported,
    SaveItem,
    import_catalogue,
    save_item,
)
from app.usecases.export_catalogue import (
    ExportCatalogue,
    ItemsRead,
    read_items,
    record_items,
    save_items,
)
from ui.taking_out import TakingOut


class CatalogueDesk:
    """The catalogue of one till. Every method may raise Refused or Unavailable."""

    def __init__(self, till: Till) -> None:
        self._ctx = till.context

    def find(self, session: Session, text: str) -> CatalogueList:
        """Items by name, pinyin, code or barcode; "" finds all."""
        return catalogue(self._ctx, session, text)

    def save(
        self, command_id: bytes, session: Session, texts: Mapping[str, str], *, new: bool
    ) -> Imported:
        """One item, from texts by column; with faults nothing was saved."""
        return save_item(self._ctx, SaveItem(command_id, session, texts, new)).result

    def check(self, session: Session, path: Path) -> tuple[bytes, Imported] | None:
        """(what is in a file, what taking it would do); None where there is no such file to read.
        Report lane."""
        try:
            content = file_bytes(path) if path.is_file() else None
        except OSError:
            content = None
        if content is None:
            return None
        command = ImportCatalogue(self._ctx.ids(), session, content, dry_run=True)
        return content, import_catalogue(self._ctx, command).result

    def take(self, command_id: bytes, session: Session, content: bytes) -> Imported:
        """What was checked, into the catalogue; with faults nothing was taken."""
        return import_catalogue(self._ctx, ImportCatalogue(command_id, session, content)).result

    def export(
        self, command_id: bytes, session: Session
    ) -> TakingOut[ItemsRead, tuple[ItemsRead, int], Path]:
        """Every item as a file; what comes of it is where it lies."""
        command, ctx = ExportCatalogue(command_id, session), self._ctx
        return TakingOut(
            partial(read_items, ctx, command),
            lambda read: (read, record_items(ctx, read)),
            lambda taken: save_items(ctx, *taken),
        )
