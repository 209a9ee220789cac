"""How the till is: disk, store, journal, clock, backups, closes. No personal value is in it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from app import posting
from app.context import Context, Session
from app.domain.rights import Right
from app.protocol.events import instant_of
from app.queries.readers import require_look
from db import macs, rows
from db.engine import Reader

DISK_LEAST: Final = 500_000_000
"""With less room than this it is an alarm (security.md section 6)."""


@dataclass(frozen=True, slots=True)
class Health:
    """Bytes, counts and instants; None where there never was one.

    incidents      (instant, code) of what was found and mended, newest first, fifty at most
    start_key_open the key of the audit has not been put into the safe
    clock_behind_s seconds that the clock is earlier than the last event, 0 when it isn't
    """

    free_bytes: int
    store_bytes: int
    log_bytes: int
    journal_bytes: int
    journal_files: int
    journal_problem: str
    events: int
    last_event: datetime | None
    last_backup: datetime | None
    last_close: datetime | None
    last_checkpoint: datetime | None
    clock_behind_s: int
    start_key_open: bool
    incidents: tuple[tuple[datetime, str], ...]


def health_for(ctx: Context, session: Session) -> Health:
    """The health for a person who may look at the settings. Raises Refused(NOT_ALLOWED)."""
    with ctx.read(Reader.REPORT) as conn:
        require_look(conn, session, Right.SETTINGS)
    return health(ctx)


def health(ctx: Context) -> Health:
    """Look at the till. Raises Unavailable. Report lane."""
    now = ctx.clock()
    files = ctx.journal.files()
    with ctx.read(Reader.REPORT) as conn:
        head = rows.head(conn)
        last = _at(rows.event_by_seq(conn, head[0]) if head else None)
        key = macs.mac_key(conn)
        return Health(
            free_bytes=shutil.disk_usage(ctx.folder).free,
            store_bytes=_size(ctx.store.path),
            log_bytes=_size(ctx.store.path.with_name(f"{ctx.store.path.name}-wal")),
            journal_bytes=sum(path.stat().st_size for path in files),
            journal_files=len(files),
            journal_problem=ctx.journal_problem,
            events=head[0] if head else 0,
            last_event=last,
            last_backup=_at(rows.last_backup(conn)),
            last_close=_at(rows.last_day_close(conn)),
            last_checkpoint=_at(rows.last_checkpoint(conn)),
            clock_behind_s=max(0, int((last - now).total_seconds())) if last else 0,
            start_key_open=key is not None and key.start is not None,
            incidents=tuple(
                (instant_of(at_us), code) for at_us, code, _ in rows.incidents(conn)[:-51:-1]
            ),
        )


def _at(row: rows.EventRow | None) -> datetime | None:
    return None if row is None else instant_of(posting.event_of(row).at_us)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
