"""The catalogue out of the house, as the CSV that `import_catalogue` takes back. Recorded as an event."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app import posting
from app.catalogue_file import catalogue_csv
from app.context import Context, Session
from app.domain.rights import Right
from app.queries.catalogue import whole_catalogue
from app.queries.readers import require_look
from app.usecases.done import Done
from app.usecases.take_out import reports_folder, write_new


@dataclass(frozen=True, slots=True)
class ExportCatalogue:
    """Write every item, withdrawn ones too, into the folder of the reports."""

    command_id: bytes
    session: Session


def export_catalogue(ctx: Context, command: ExportCatalogue) -> Done[Path]:
    """Read, record, then write. Raises Refused(NOT_ALLOWED), Unavailable(FILE_FAILED)."""
    with ctx.write(command.command_id) as tx:
        require_look(tx.conn, command.session, Right.CATALOGUE)
        items = whole_catalogue(tx.conn)
        if tx.known is None:
            tx.record(
                posting.EXPORT,
                event_id=ctx.ids(),
                session=command.session,
                business_date=ctx.business_date(),
                doc={"what": "catalogue", "form": "csv", "rows": len(items)},
            )
        assert tx.event is not None, "recorded now or before"
        seq = tx.event.seq
    path = reports_folder(ctx) / f"catalogue-{ctx.till.till}-{seq}.csv"
    path = write_new(path, catalogue_csv(items, ctx.till.currency.exponent))
    return Done(path, warning=ctx.warning())
