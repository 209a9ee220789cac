"""The catalogue out of the house, as the CSV that `import_catalogue` takes back. Recorded as an event."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.catalogue_file import CatalogueItem, catalogue_csv
from app.context import Context, Session
from app.domain.rights import Right
from app.queries.catalogue import whole_catalogue
from app.queries.readers import require_look
from app.usecases.done import Done
from app.usecases.take_out import record_taken_out, reports_folder, write_new
from db.engine import Reader


@dataclass(frozen=True, slots=True)
class ExportCatalogue:
    """Write every item, withdrawn ones too, into the folder of the reports."""

    command_id: bytes
    session: Session


@dataclass(frozen=True, slots=True)
class ItemsRead:
    """Every item, for an export that isn't recorded yet."""

    command: ExportCatalogue
    items: tuple[CatalogueItem, ...]


def export_catalogue(ctx: Context, command: ExportCatalogue) -> Done[Path]:
    """Read, record, then write, one after the other. Raises Refused(NOT_ALLOWED), Unavailable(FILE_FAILED)."""
    read = read_items(ctx, command)
    return Done(save_items(ctx, read, record_items(ctx, read)), warning=ctx.warning())


def read_items(ctx: Context, command: ExportCatalogue) -> ItemsRead:
    """The items (report lane). Raises Refused(NOT_ALLOWED)."""
    with ctx.read(Reader.REPORT) as conn:
        require_look(conn, command.session, Right.CATALOGUE)
        return ItemsRead(command, whole_catalogue(conn))


def record_items(ctx: Context, read: ItemsRead) -> int:
    """The number of the export's event, recorded before anything leaves (db lane)."""
    command = read.command
    with ctx.write(command.command_id) as tx:
        if tx.known is None:
            record_taken_out(tx, command.session, "catalogue", "csv", len(read.items))
        assert tx.event is not None, "recorded now or before"
        return tx.event.seq


def save_items(ctx: Context, read: ItemsRead, seq: int) -> Path:
    """Write the file (report lane). Raises Unavailable(FILE_FAILED)."""
    path = reports_folder(ctx) / f"catalogue-{ctx.till.till}-{seq}.csv"
    return write_new(path, catalogue_csv(read.items, ctx.till.currency.exponent))
