"""At start the database and the journal file mend each other (storage.md, head; security.md section 6).

  file behind       the events it lacks are appended from the database (a crash between commit and append)
  database behind   the missing events are posted again from the file, with their rows, personal values from the
                    profile file, and their slips marked as copies
  file damaged      it is set aside for the auditor and written anew from the database
  log damaged       the write-ahead log is set aside and what it held comes back from the file

Everything found is reported, and kept in the store's incidents. Nothing is mended by guessing: events that
neither side has whole, or two different events under one number, stop the start.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from sqlcipher3.dbapi2 import Connection

from app import posting
from app.context import Context, put_cell, translated
from app.domain.errors import Outage, Unavailable
from app.journal import Damage, Record, Scan, fsync_folder
from app.log import log
from app.protocol.events import Event, NotCanonical, chain, micros
from app.slips import slip_of
from db import errors as db_errors
from db import rows, till
from db.connection import StoreKey
from db.engine import Store

_NEWEST = 2
_BATCH = 500
_TAIL = 200
"""Events at the end of the journal whose chain and file copy are compared at every start."""


@dataclass(slots=True)
class Findings:
    """What was found and mended: (code, facts), in the order found."""

    found: list[tuple[str, dict[str, int | str]]] = field(default_factory=list)

    def add(self, code: str, **facts: int | str) -> None:
        """Note one finding."""
        self.found.append((code, facts))
        log.warning("start: %s %s", code, facts)


def open_store(path: Path, key: StoreKey, findings: Findings) -> Store:
    """Open the database; a write-ahead log that can't be read is set aside, and what it held comes
    back from the journal file in `mend`. Raises the errors of db.errors."""
    try:
        return Store.open(path, key)
    except (db_errors.Damaged, db_errors.NotAStore, db_errors.WrongKey):
        # The key was proven by the slot file's check value, so this is damage. Is it the log's?
        if not set_log_aside(path, findings):
            raise
    return Store.open(path, key)


def set_log_aside(path: Path, findings: Findings) -> bool:
    """Rename the write-ahead log, to be kept; False when there is none (or an empty one)."""
    wal = path.with_name(path.name + "-wal")
    if not wal.exists() or wal.stat().st_size == 0:
        return False
    n = 1
    while (target := wal.with_name(f"{wal.name}.damaged-{n}")).exists():
        n += 1
    os.replace(wal, target)
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    fsync_folder(path.parent)
    findings.add("log_set_aside", file=target.name)
    return True


def mend(ctx: Context, findings: Findings) -> None:
    """Compare database and journal file and bring both to the same last event.

    Raises Unavailable(JOURNAL_CONFLICT) when they hold different events under one number, and
    Unavailable(JOURNAL_GAP) when an event is whole in neither.
    """
    scan = ctx.journal.scan(newest=_NEWEST)
    with ctx.read() as conn:
        _check_tail(ctx, conn)
        head = rows.head(conn)
        last = head[0] if head else 0
        _compare(conn, scan, last)
    in_file = scan.records[-1].seq if scan.records else 0
    if in_file > last:
        _replay(ctx, scan, last, findings)
    _repair_files(ctx, scan, findings)
    _back_fill(ctx, findings, had_files=bool(scan.files))
    _keep(ctx, findings)


def _check_tail(ctx: Context, conn: Connection) -> None:
    """The last events chain onto each other: a page put back or flipped shows before anybody sells."""
    head = rows.head(conn)
    if head is None:
        return
    first = max(0, head[0] - _TAIL)
    previous = ctx.chain_start()
    if first:
        before = rows.event_by_seq(conn, first)
        if before is None:
            raise Unavailable(Outage.STORE_DAMAGED, {"seq": first})
        previous = before.hash
    expected = first
    for event in rows.events_after(conn, first):
        expected += 1
        if event.seq != expected or chain(previous, event.body) != event.hash:
            raise Unavailable(Outage.STORE_DAMAGED, {"seq": expected})
        previous = event.hash


def _compare(conn: Connection, scan: Scan, last: int) -> None:
    shared = [record for record in scan.records if record.seq <= last]
    for record in shared[-_TAIL:]:
        event = rows.event_by_seq(conn, record.seq)
        if event is None or event.hash != record.hash:
            raise Unavailable(Outage.JOURNAL_CONFLICT, {"seq": record.seq})


def _replay(ctx: Context, scan: Scan, last: int, findings: Findings) -> None:
    """Post again what the database has lost, in one transaction per event."""
    cells: dict[int, list[bytes]] = {}
    for seq, cell in ctx.profiles.cells():
        cells.setdefault(seq, []).append(cell)
    missing = {record.seq: record for record in scan.records if record.seq > last}
    replayed = 0
    for seq in range(last + 1, max(missing) + 1):
        record = missing.get(seq)
        if record is None:
            raise Unavailable(Outage.JOURNAL_GAP, {"seq": seq})
        _replay_one(ctx, record, cells.get(seq, []))
        replayed += 1
    findings.add("events_replayed", count=replayed, first=last + 1)


def _replay_one(ctx: Context, record: Record, cells: list[bytes]) -> None:
    with translated(), ctx.store.write() as conn:
        head = rows.head(conn)
        previous = head[1] if head else ctx.chain_start()
        try:
            event = Event.from_bytes(record.body)
        except NotCanonical as error:
            raise Unavailable(Outage.JOURNAL_GAP, {"seq": record.seq}) from error
        if chain(previous, record.body) != record.hash:
            raise Unavailable(Outage.JOURNAL_CONFLICT, {"seq": record.seq})
        for cell in cells:
            put_cell(conn, json.loads(cell))
        posting.post(conn, event, body=record.body, hash_=record.hash)
        ctx.forget_programmes()
        slip = slip_of(ctx, conn, event, copy_no=1)
        if slip is not None:
            till.insert_print_job(
                conn, seq=event.seq, kind=event.kind, copy_no=1, document=slip,
                created_us=micros(ctx.clock()),
            )  # fmt: skip


def _repair_files(ctx: Context, scan: Scan, findings: Findings) -> None:
    """Cut a torn tail; set a damaged file aside and write it anew from the database."""
    by_file: dict[str, list[Damage]] = {}
    for damage in scan.damages:
        by_file.setdefault(damage.file, []).append(damage)
    for name, damages in by_file.items():
        path = ctx.journal.folder / name
        newest = bool(scan.files) and path == scan.files[-1]
        if newest and len(damages) == 1 and damages[0].tail and damages[0].offset > 0:
            findings.add("journal_tail_cut", file=name, offset=damages[0].offset)
            ctx.journal.cut(path, damages[0].offset)
            continue
        findings.add("journal_damaged", file=name, places=len(damages))
        if path.exists():
            _rewrite(ctx, scan, name)


def _rewrite(ctx: Context, scan: Scan, name: str) -> None:
    at = next(i for i, path in enumerate(scan.files) if path.name == name)
    path = scan.files[at]
    previous = scan.files[at - 1] if at else None
    following = scan.files[at + 1] if at + 1 < len(scan.files) else None
    first = _last_seq(ctx, previous) + 1 if previous else 1
    until = _first_seq(ctx, following) if following else None
    with ctx.read() as conn:
        records = [
            Record(e.seq, e.body, e.hash)
            for e in rows.events_after(conn, first - 1)
            if until is None or e.seq < until
        ]
        before = rows.event_by_seq(conn, first - 1)
    head = before.hash if before else bytes(32)
    ctx.journal.set_aside(path)
    ctx.journal.rewrite(path, records, previous=previous, head=head)


def _last_seq(ctx: Context, path: Path) -> int:
    records = ctx.journal.read(path)
    return records[-1].seq if records else 0


def _first_seq(ctx: Context, path: Path) -> int | None:
    records = ctx.journal.read(path)
    return records[0].seq if records else None


def _back_fill(ctx: Context, findings: Findings, *, had_files: bool) -> None:
    """Append to the file what only the database has; then go on with the newest file."""
    with ctx.read() as conn:
        last = ctx.journal_last(conn)
        head = rows.head(conn)
    behind = (head[0] if head else 0) - last
    if behind <= 0:
        return
    findings.add("journal_backfilled" if had_files else "journal_missing", count=behind)
    at = last
    while True:
        with ctx.read() as conn:
            batch = [Record(e.seq, e.body, e.hash) for e in rows.events_after(conn, at, _BATCH)]
        if not batch:
            return
        ctx.journal.append(batch, day=ctx.day_name())
        at = batch[-1].seq


def _keep(ctx: Context, findings: Findings) -> None:
    if not findings.found:
        return
    with ctx.write_rows() as conn:
        for code, facts in findings.found:
            rows.add_incident(
                conn,
                at_us=micros(ctx.clock()),
                code=code,
                facts=json.dumps(facts, sort_keys=True, ensure_ascii=False),
            )
