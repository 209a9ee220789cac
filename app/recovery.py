"""At start the database and the journal file mend each other (storage.md, head; security.md section 6).

  file behind       the events it lacks are appended from the database (a crash between commit and append)
  database behind   the missing events are posted again from the file, with their rows, personal values from the
                    profile file, and their slips marked as copies
  file damaged      it is set aside for the auditor and written anew from the database, like one that is missing
  log damaged       the write-ahead log is set aside and what it held comes back from the file; so is an older
                    log put back, which would undo what the database file has

Everything found is reported, and kept in the store's incidents. Nothing is mended by guessing: events that
neither side has whole, or two different events under one number, stop the start.
"""

from __future__ import annotations

import itertools
import json
import os
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from sqlcipher3 import dbapi2
from sqlcipher3.dbapi2 import Connection

from app import posting
from app.cells import cells_of, put_cell
from app.context import Context
from app.domain.errors import Outage, Unavailable
from app.file_check import damaged_files, forget_damaged
from app.journal import HEADER_MOST, SUFFIX, Damage, Record, Scan, fsync_folder, number_of
from app.log import log
from app.protocol.events import Event, NotCanonical, chain, micros
from app.slips import slip_of
from app.translated import translated
from db import errors as db_errors
from db import filling, rows, till
from db.connection import StoreKey
from db.engine import Store

_NEWEST = 2
_BATCH = 500
SETTING_UNKNOWN: Final = "setting_unknown"
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

    def mended(self) -> tuple[str, ...]:
        """The codes of what was mended. A setting that isn't known is only told: nothing was wrong."""
        return tuple(code for code, _ in self.found if code != SETTING_UNKNOWN)


def open_store(path: Path, key: StoreKey, findings: Findings) -> Store:
    """Open the database; a write-ahead log that can't be read is set aside, and what it held comes
    back from the journal file in `mend`. Raises the errors of db.errors."""
    if _log_takes_back(path, key):
        set_log_aside(path, findings)
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


def _log_takes_back(path: Path, key: StoreKey) -> bool:
    """True when the file alone has later events than the file with its log: then the log is an older
    one that somebody put back. SQLite would lay its pages over newer ones without a word."""
    wal = path.with_name(path.name + "-wal")
    if not wal.exists() or wal.stat().st_size == 0 or not key.owns_log_of(path):
        return False
    alone = _last_event(path, key, "immutable=1")
    return alone is not None and alone > (_last_event(path, key, "mode=ro") or 0)


def _last_event(path: Path, key: StoreKey, how: str) -> int | None:
    """The last sequence number by a connection that can't write, None when it can't be read: a file
    amid its checkpoint is only sound together with its log."""
    address = f"file:{urllib.parse.quote(str(path.resolve()))}?{how}"
    flags = dbapi2.SQLITE_OPEN_READONLY | dbapi2.SQLITE_OPEN_URI
    try:
        raw = dbapi2.connect(address, flags=flags, isolation_level=None)
    except dbapi2.Error:
        return None
    try:
        raw.execute("PRAGMA cipher_log_level=NONE")
        key.unlock(raw)
        head = rows.head(raw)
    except dbapi2.Error:
        return None
    finally:
        raw.close()
    return head[0] if head else 0


def mend(ctx: Context, findings: Findings) -> None:
    """Compare database and journal file and bring both to the same last event; `ctx.behind` is known then.

    Raises Unavailable(JOURNAL_CONFLICT) when they hold different events under one number, and
    Unavailable(JOURNAL_GAP) when an event is whole in neither.
    """
    scan = ctx.journal.scan(newest=_NEWEST)
    with ctx.read() as conn:
        _check_tail(ctx, conn)
        head = rows.head(conn)
        last = head[0] if head else 0
        if scan.records and scan.records[0].seq > last + 1:
            scan = ctx.journal.scan()  # an old database: what it lacks lies in older files too
        _compare(conn, scan, last)
    in_file = scan.records[-1].seq if scan.records else 0
    if in_file > last:
        _replay(ctx, scan, last, findings)
    _repair_files(ctx, scan, findings)
    _repair_noted(ctx, findings)
    _back_fill(ctx, findings, had_files=bool(scan.files))
    _ask_witness(ctx, findings)
    _keep(ctx, findings)


def _ask_witness(ctx: Context, findings: Findings) -> None:
    """Hold the store against the side file: an older one put back with its older journal is told at once, by
    one incident, whatever start finds it again."""
    witness, standing = ctx.witness.look()
    newest = ctx.witness.newest()
    with ctx.read() as conn:
        noted = {(code, facts) for _, code, facts in rows.incidents(conn)}
        if standing == "missing" and not till.any_shift_closed(conn):
            standing = ""  # made before there was a side file, and it has had nothing to write down
        row = rows.event_by_seq(conn, witness.seq) if witness else None
        last = rows.event_by_seq(conn, newest[0]) if newest else None
    ahead = newest is not None and (last is None or last.hash != newest[1])
    found = Findings()
    if standing:
        found.add(f"witness_{standing}")
    elif witness and (row is None or row.hash != witness.head):
        found.add("witness_ahead", seq=witness.seq)
    elif ahead and newest is not None:
        found.add("witness_ahead", seq=newest[0])
    told = [(code, facts) for code, facts in found.found if (code, _plain(facts)) not in noted]
    findings.found += told
    # As long as nothing was recorded since, at each start: a till that is killed before it gives up its rights
    # must not keep them.
    ctx.behind = ahead or any(code == "witness_ahead" for code, _ in told)


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
    with translated(), ctx.store.write() as conn:
        if till.open_shift(conn) is not None:
            # As opening it did: the backup was of a till that began with a chain's members.
            filling.end(conn)
    findings.add("events_replayed", count=replayed, first=last + 1)


def _replay_one(ctx: Context, record: Record, cells: list[bytes]) -> None:
    with translated(), ctx.store.write() as conn:
        head = rows.head(conn)
        previous = head[1] if head else ctx.chain_start()
        try:
            event = Event.from_bytes(record.body, epoch=ctx.till.epoch, seq=record.seq)
        except NotCanonical as error:
            raise Unavailable(Outage.JOURNAL_GAP, {"seq": record.seq}) from error
        if chain(previous, record.body) != record.hash:
            raise Unavailable(Outage.JOURNAL_CONFLICT, {"seq": record.seq})
        for cell in cells:
            put_cell(conn, json.loads(cell))
        posting.post(conn, event, body=record.body, hash_=record.hash)
        ctx.forget_references()
        if event.kind == posting.SALE:
            # As in the sale's own transaction: the cart that the database still has became this sale.
            till.drop_cart(conn)
        slip = slip_of(ctx, conn, event, copy_no=1)
        if slip is not None:
            till.insert_print_job(
                conn, seq=event.seq, kind=event.kind, copy_no=1, document=slip,
                created_us=micros(ctx.clock()),
            )  # fmt: skip


def _repair_files(ctx: Context, scan: Scan, findings: Findings) -> None:
    """Cut a torn tail; set a damaged file aside and write it anew from the database, and so a missing one."""
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
        if newest and _only_begun(path, damages):
            findings.add("journal_tail_cut", file=name, offset=0)
            path.unlink()
            fsync_folder(path.parent)
            continue
        findings.add("journal_damaged", file=name, places=len(damages))
        if path.exists():
            _rewrite(ctx, path)
    for number in scan.missing:
        findings.add("journal_file_missing", number=number)
        following = next(path for path in ctx.journal.files() if number_of(path) > number)
        day = following.name.partition("-")[2]
        _write_anew(ctx, following.with_name(f"{number:06d}-{day}"))
    if scan.missing:
        _link_anew(ctx, scan.missing[-1])


def _repair_noted(ctx: Context, findings: Findings) -> None:
    """Older files that were found damaged while the till ran are not among those that a start reads."""
    with ctx.read() as conn:
        noted = damaged_files(conn)
    if not noted:
        return
    for path in ctx.journal.files():
        if path.name in noted:
            places = ctx.journal.read_checked(path, before=None)[1]
            findings.add("journal_damaged", file=path.name, places=max(1, len(places)))
            _rewrite(ctx, path)
    with ctx.write_rows() as conn:
        forget_damaged(conn)


def _link_anew(ctx: Context, number: int) -> None:
    """After files were missing in a row, the headers behind them are told how these now end."""
    files = ctx.journal.files()
    for previous, path in itertools.pairwise(files):
        if number_of(previous) < number:
            continue
        if not ctx.journal.read_checked(path, before=previous)[1]:
            return
        _write_anew(ctx, path)


def _only_begun(path: Path, damages: list[Damage]) -> bool:
    """A crash met the file while it got its header: nothing was ever acknowledged out of it."""
    return all(damage.tail for damage in damages) and path.stat().st_size <= HEADER_MOST


def _rewrite(ctx: Context, path: Path) -> None:
    ctx.journal.set_aside(path)
    _write_anew(ctx, path)


def _write_anew(ctx: Context, path: Path) -> None:
    """Write a file from the database: what lies between the last event of the file before it and the
    first one of the file after it."""
    assert path.suffix == SUFFIX
    files = ctx.journal.files()
    number = number_of(path)
    earlier = [each for each in files if number_of(each) < number]
    later = [each for each in files if number_of(each) > number]
    first = 1 + _first_of((ctx.journal.read(each)[-1:] for each in reversed(earlier)), 0)
    until = _first_of((ctx.journal.read(each)[:1] for each in later), None)
    with ctx.read() as conn:
        records = [
            Record(e.seq, e.body, e.hash)
            for e in rows.events_after(conn, first - 1)
            if until is None or e.seq < until
        ]
        before = rows.event_by_seq(conn, first - 1)
    head = before.hash if before else bytes(32)
    ctx.journal.rewrite(path, records, previous=earlier[-1] if earlier else None, head=head)


Number = TypeVar("Number", int, None)


def _first_of(found: Iterable[list[Record]], none: Number) -> int | Number:
    """The sequence number of the first record that is found at all."""
    return next((records[0].seq for records in found if records), none)


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
            batch = list(rows.events_after(conn, at, _BATCH))
            cells = list(_cells(conn, batch)) if had_files else []
        if not batch:
            return
        # In the order of a command: its personal values, then its event.
        for seq, cell in cells:
            ctx.profiles.append(seq, cell)
        ctx.journal.append([Record(e.seq, e.body, e.hash) for e in batch], day=ctx.day_name())
        at = batch[-1].seq


def _cells(conn: Connection, batch: list[rows.EventRow]) -> Iterator[tuple[int, bytes]]:
    for row in batch:
        event = posting.event_of(row)
        for cell in cells_of(conn, event):
            plain = json.dumps({**cell, "at": event.at_us}, ensure_ascii=False)
            yield row.seq, plain.encode()


def _keep(ctx: Context, findings: Findings) -> None:
    if not findings.found:
        return
    with ctx.write_rows() as conn:
        for code, facts in findings.found:
            rows.add_incident(
                conn,
                at_us=micros(ctx.clock()),
                code=code,
                facts=_plain(facts),
            )


def _plain(facts: dict[str, int | str]) -> str:
    return json.dumps(facts, sort_keys=True, ensure_ascii=False)
