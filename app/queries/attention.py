"""What needs a hand at this till (counter-flows.md, flow 19). What the open sale needs is the screen's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from app import posting
from app.backup import is_beside, is_stale
from app.context import Context
from app.domain.errors import Outage
from app.protocol.events import instant_of
from app.queries.health import DISK_LEAST
from db import rows, till
from db.connection import Connection

_SEEN: Final = "incidents_seen"


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to settle.

    Attributes:
        kind: "incident" (noted at start or when idle), "uncertain" (a slip that may have printed),
            "waiting" (slips for paper), "journal_file" (the second copy can't be written),
            "backup" (the newest is older than a day, or a day after set-up there is none), "beside" (a
            day after set-up backups go to the till's own disk still; nothing real is lost with a demo or
            training store) or "disk" (it is nearly full).
        at: since when; `always`: since the set-up.
        code: the incident's or the outage's; "" where the printer says nothing.
        facts: the incident's; of the disk its `free` bytes.
        number: receipt number of the slip.
        count: how many slips wait.
        place: the incident's among all of the store, from 1; 0 for what is none.
    """

    kind: Literal["incident", "uncertain", "waiting", "journal_file", "backup", "beside", "disk"]
    at: datetime
    code: str = ""
    facts: Mapping[str, int | str] | None = None
    number: str = ""
    count: int = 1
    always: bool = False
    place: int = 0


def needs(ctx: Context) -> tuple[Need, ...]:
    """Everything of the store that waits for a person, oldest first."""
    with ctx.read() as conn:
        seen = _seen(conn)
        found = [
            Need("incident", instant_of(at_us), code, json.loads(facts), place=place)
            for place, (at_us, code, facts) in enumerate(rows.incidents(conn)[seen:], seen + 1)
        ]
        jobs = till.waiting_jobs(conn) if ctx.settings.receipt.printer else []
        for job in (job for job in jobs if job.state == "uncertain"):
            event = rows.event_by_seq(conn, job.seq)
            number = posting.event_of(event).doc.get("receipt_no", "") if event else ""
            found.append(Need("uncertain", instant_of(job.created_us), number=number))
        backup = rows.last_backup(conn)
        set_up = rows.event_by_seq(conn, 1)
        is_real = "1" not in (rows.meta(conn, "demo"), rows.meta(conn, "training"))
    assert set_up is not None, "a till has at least its set-up"
    set_up_at = instant_of(posting.event_of(set_up).at_us)
    backed_up_at = instant_of(posting.event_of(backup).at_us) if backup else set_up_at
    if is_real and is_beside(ctx) and is_stale(ctx.clock() - set_up_at):
        found.append(Need("beside", set_up_at, always=True))
    if is_stale(ctx.clock() - backed_up_at):
        code = Outage.BACKUP_STALE if backup else Outage.BACKUP_NONE
        found.append(Need("backup", backed_up_at, code.value, always=not backup))
    queued = [job for job in jobs if job.state != "uncertain"]
    if queued:
        problem = next((job.problem for job in queued if job.problem), None) or ""
        first_at = instant_of(queued[0].created_us)
        found.append(Need("waiting", first_at, problem, count=len(queued)))
    free = _room(ctx)
    if free < DISK_LEAST:
        found.append(Need("disk", ctx.clock(), facts={"free": free}))
    if ctx.warning():
        found.append(Need("journal_file", ctx.clock(), Outage.JOURNAL_FILE_FAILED.value))
    return tuple(sorted(found, key=lambda need: need.at))


def _room(ctx: Context) -> int:
    """Bytes that are free beside the store; where that can't be asked, something else is said of the disk."""
    try:
        return shutil.disk_usage(ctx.folder).free
    except OSError:
        return DISK_LEAST


def incidents_seen(ctx: Context, place: int) -> None:
    """A person has read the incidents up to this place (`Need.place`), the last one they were shown: one that
    came meanwhile waits, and marking again changes nothing. They stay in the store. Raises Unavailable."""
    with ctx.write_rows() as conn:
        read = min(place, len(rows.incidents(conn)))
        rows.set_meta(conn, _SEEN, str(max(_seen(conn), read)))


def _seen(conn: Connection) -> int:
    return int(rows.meta(conn, _SEEN) or 0)
