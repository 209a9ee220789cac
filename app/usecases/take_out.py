"""Files that leave the store for a person: where they go, and how one is written."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import Final

from app import posting
from app.context import Context, Session, Tx
from app.domain.errors import Outage, Unavailable
from app.protocol.events import Event

FOLDER: Final = "reports"


def reports_folder(ctx: Context) -> Path:
    """The folder of the settings, else one beside the store."""
    chosen = ctx.settings.reports.folder
    return Path(chosen) if chosen else ctx.folder / FOLDER


def record_taken_out(
    tx: Tx,
    session: Session | None,
    what: str,
    form: str,
    rows: int,
    *,
    member_id: bytes | None = None,
    **more: object,
) -> Event:
    """The event of something that is about to leave the house: `what` in which `form`, and how much of it."""
    ctx = tx.context
    return tx.record(
        posting.EXPORT,
        event_id=ctx.ids(),
        session=session,
        business_date=ctx.business_date(),
        member_id=member_id,
        doc={"what": what, "form": form, "rows": rows, **more},
    )


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, its folder too. Raises Unavailable(FILE_FAILED)."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(content)
        os.replace(fresh, path)
    except OSError as error:
        raise Unavailable(Outage.FILE_FAILED, {"why": error.strerror or ""}) from error


def write_new(path: Path, content: bytes) -> Path:
    """The same, and never over a file that says something else: then the name gets a number (`…-2.csv`).
    Returns where the content lies; a repeat writes nothing. Raises Unavailable(FILE_FAILED)."""
    wanted = path
    for number in count(2):
        try:
            if not path.exists():
                break
            if path.is_file() and path.read_bytes() == content:
                return path
        except OSError as error:
            raise Unavailable(Outage.FILE_FAILED, {"why": error.strerror or ""}) from error
        path = wanted.with_stem(f"{wanted.stem}-{number}")
    write_whole(path, content)
    return path
