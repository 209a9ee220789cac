"""What a Z leaves on the disk of the backups: its signed statement, and itself in the backup that it names.

Both are made of the journal alone, after the commit. A kill in between leaves neither, so the next backup
looks for what the newest Z still owes (`complete`). A disk that is away owes nothing to the counter.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app import backup, posting, statement
from app.backup import Backup
from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.errors import Unavailable
from app.keyslots.document import write_durably
from app.log import log
from app.protocol.events import Event
from db import rows


def statement_of(ctx: Context, doc: dict[str, Any]) -> dict[str, Any]:
    """What is signed: who this till is, and the facts of the close but for the signature."""
    facts = ctx.till
    return {
        "format": statement.FORMAT,
        "tenant": facts.tenant.hex(),
        "device": facts.device.hex(),
        "store": facts.store,
        "till": facts.till,
        "currency": facts.currency.code,
        "exponent": facts.currency.exponent,
        **{key: value for key, value in doc.items() if key != "signature"},
    }


def save_statement(ctx: Context, event: Event) -> Path | None:
    """Write the signed file of a close beside the backups, for `regulars verify --z`; None (and a line in
    the log) where that can't be done. It is made of the event alone, so a reprint writes it again."""
    doc = event.doc
    blob = statement.to_file(statement_of(ctx, doc), bytes.fromhex(doc["signature"]))
    try:
        folder = backup.folder_of(ctx)
        if not folder.is_dir():
            folder = ctx.folder / backup.BESIDE  # the disk of the backups is away
        path = folder / _name(ctx, event)
        folder.mkdir(exist_ok=True)
        write_durably(path, blob)
    except OSError as error:
        log.warning("the file of a day close was not written: %s", error.strerror)
        return None
    return path


def complete_backup(ctx: Context, made: Backup) -> None:
    """The close into the backup that it names: brought back from it, the till knows its last Z."""
    try:
        backup.add_tail(ctx, made)
    except (OSError, Unavailable) as error:
        log.warning("the backup of a day close lacks the close: %s", error)


def complete(ctx: Context) -> None:
    """Write what the newest Z still owes. Callable from any thread; reads the store and writes nothing to it.
    What is in the way is logged: a debt never keeps the next backup back. Raises Unavailable where the store
    can't be read."""
    with ctx.read() as conn:
        row = rows.last_day_close(conn)
    if row is None:
        return
    try:
        _complete(ctx, posting.event_of(row))
    except (OSError, ValueError, KeyError, backup.BadBackup) as error:
        # A disk that is away or failing, a backup that is no more sound, an event that verify names.
        log.warning("what a day close owes was not written: %s", type(error).__name__)


def _complete(ctx: Context, event: Event) -> None:
    folders = (backup.folder_of(ctx), ctx.folder / backup.BESIDE)
    if not any((folder / _name(ctx, event)).exists() for folder in folders):
        save_statement(ctx, event)
    named = event.doc["proof"]["backup"]
    if named is None:
        return
    path = backup.folder_of(ctx) / named
    if path.is_dir() and not backup.has_tail(path):
        complete_backup(ctx, backup.found(path, ctx.data_key))


def _name(ctx: Context, event: Event) -> str:
    date = BusinessDate(event.doc["date"]).iso()
    return f"{ctx.till.till}-Z{event.doc['number']:06d}-{date}.json"
