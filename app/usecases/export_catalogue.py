"""The catalogue out of the house, as the CSV that `import_catalogue` takes back. Recorded as an event."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app import posting
from app.catalogue_file import catalogue_csv
from app.context import Context, Session
from app.domain.errors import Outage, Unavailable
from app.queries.catalogue import require_look, whole_catalogue
from app.usecases.done import Done

FOLDER: Final = "reports"


@dataclass(frozen=True, slots=True)
class ExportCatalogue:
    """Write every item, withdrawn ones too, into the folder of the reports."""

    command_id: bytes
    session: Session


def export_catalogue(ctx: Context, command: ExportCatalogue) -> Done[Path]:
    """Read, record, then write. Raises Refused(NOT_ALLOWED), Unavailable(FILE_FAILED)."""
    with ctx.write(command.command_id) as tx:
        require_look(tx.conn, command.session)
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
    chosen = ctx.settings.reports.folder
    path = (Path(chosen) if chosen else ctx.folder / FOLDER) / f"catalogue-{seq}.csv"
    temporary = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(catalogue_csv(items, ctx.till.currency.exponent))
        os.replace(temporary, path)
    except OSError as error:
        raise Unavailable(Outage.FILE_FAILED, {"why": error.strerror or ""}) from error
    return Done(path, warning=ctx.warning())
