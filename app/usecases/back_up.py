"""A backup that was made becomes a fact of the till: its event, its age, and what it makes superfluous.

The copy itself is made by app.backup on a thread of its own (`make_backup`); `note_backup` belongs on the
db lane.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app import backup, posting
from app.backup import Backup, Stop
from app.context import Changes, Context, Session
from app.domain.errors import Outage
from app.domain.rights import Right
from app.log import log
from app.percent import Share, quiet
from app.protocol.events import instant_of
from app.usecases import z_files
from app.usecases.done import Done
from app.usecases.rights import require
from db import rows
from db.connection import Connection

EVERY: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class NoteBackup:
    """Keep that a backup was made and opened. `session` is None when the till made it by itself."""

    command_id: bytes
    backup: Backup
    session: Session | None = None


def make_backup(ctx: Context, stop: Stop | None = None, progress: Share = quiet) -> Backup:
    """A backup, after what the newest Z still owes to an older one. Callable from any thread. Raises what
    `backup.make` raises."""
    z_files.complete(ctx)
    return backup.make(ctx, stop, progress)


def note_backup(ctx: Context, command: NoteBackup) -> Done[Backup]:
    """Record the backup; drop the profile values that it holds, and older backups past their time."""
    made = command.backup
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(made, again=True)
        tx.record(
            posting.BACKUP,
            event_id=ctx.ids(),
            session=command.session,
            business_date=ctx.business_date(),
            doc={
                "name": made.name, "sha256": made.sha256.hex(), "events": made.seq,
                "head": made.head.hex(), "opened": 1,
            },
        )  # fmt: skip
    _drop_profile_cells(ctx, made.seq)
    try:
        backup.thin_out(made.path.parent, ctx.till.device, keep=made.path)
    except OSError as error:
        log.warning("backups not thinned out: %s", error.strerror)
    return Done(made, Changes(kinds=frozenset({"backup"})), warning=ctx.warning())


def check_may_back_up(ctx: Context, session: Session, command_id: bytes) -> None:
    """Raises Refused(NOT_ALLOWED) for a person who may not make a backup by hand."""
    with ctx.read() as conn:
        require(ctx, conn, session, Right.BACKUP, command_id=command_id)


def _drop_profile_cells(ctx: Context, seq: int) -> None:
    """The profile file is the second copy of what the log may lose; it goes once the log is in the file
    and the backup has it too (domain.md section 2)."""
    checkpoint = ctx.store.checkpoint_passive()
    if checkpoint.blocked or checkpoint.moved_pages < checkpoint.log_pages:
        return  # a reader keeps the log: the next backup will do it
    kept = [(at, cell) for at, cell in ctx.profiles.cells() if at > seq]
    try:
        ctx.profiles.rewrite(kept)
    except OSError as error:
        log.warning("profile file not emptied: %s", error.strerror)


def backup_age(ctx: Context) -> timedelta | None:
    """How old the newest backup is; None when there never was one."""
    with ctx.read() as conn:
        row = rows.last_backup(conn)
    if row is None:
        return None
    return ctx.clock() - instant_of(posting.event_of(row).at_us)


def backup_due(ctx: Context) -> bool:
    """Whether the hour is over and something happened that the last backup does not have. One that a clock
    ahead of this one made is as good as over."""
    with ctx.read() as conn:
        row = rows.last_backup(conn)
        if row is None:
            return True
        if _nothing_since(conn, row.seq):
            return False
    age = ctx.clock() - instant_of(posting.event_of(row).at_us)
    return not timedelta(0) <= age < EVERY


def _nothing_since(conn: Connection, seq: int) -> bool:
    head = rows.head(conn)
    return head is not None and head[0] == seq


def backup_alarm(ctx: Context) -> str:
    """The code of what is wrong with the backups, "" when nothing is: there is none, or the newest is
    stale. (That they lie on the store's own disk is `backup.is_beside`.)"""
    age = backup_age(ctx)
    if age is None:
        return Outage.BACKUP_NONE.value
    return Outage.BACKUP_STALE.value if backup.is_stale(age) else ""
