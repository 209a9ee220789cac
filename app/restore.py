"""Bring a till back in an empty folder: from a backup, or a backup and the journal files that are newer.

The newest backup that proves whole is taken; what the journal has beyond it is posted again by app.recovery, as
at any start. What can't be had is said as it is: which events are missing, by what lies beside the backup
(app.beside), never a guess of their sums; numbers of slips and Zs go on above those that are known. Work is
done in a folder beside the target, which takes its name at the end: a restore that is cut short leaves nothing.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

from app import keyslots, posting, settings, statement, witness
from app.backup import (
    DATABASE,
    JOURNAL,
    BadBackup,
    Manifest,
    check_files,
    check_seal,
    read_manifest,
    tail_of,
)
from app.beside import Told, told_beside
from app.build import (
    PROFILES,
    Clock,
    FindKeystore,
    Till,
    adopt_keys,
    local_offset_min,
    now_utc,
    open_till,
)
from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.errors import Outage, Unavailable
from app.found_backups import find_backups, of_one_till
from app.journal import SUFFIX, JournalFile, Record, fsync_folder, number_of
from app.keyslots.document import NAMES
from app.percent import Share, part, quiet
from app.protocol.events import Event, chain, instant_of, micros
from app.translated import translated
from app.usecases.close_day import last_close
from app.usecases.sell import next_running
from app.witness import WitnessFile
from db import day, people, rows
from db import errors as db_errors
from db.backup import check_copy
from db.connection import Connection, StoreKey
from db.lock import SUFFIX as LOCK_SUFFIX
from db.lock import StoreLock

READ, COPIED, WALKED = 25, 40, 85
"""Percent: the backup is read, copied, and its structure walked; the journal's events come after."""
_WORK: Final = ".{name}.restoring"
"""The folder that a till is put together in, beside its place."""
UNPLACED = ".unplaced"
"""Ending of journal files whose events can't be posted, because those before them are missing."""


@dataclass(frozen=True, slots=True)
class Place:
    """What is brought back from where. `journal` is a folder of journal files newer than the backup."""

    source: Path
    target: Path
    journal: Path | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back, and what did not.

    shop, till   whose backup it is; made_at, of when
    last_at    the last event that came back, in the shop's own time
    close, receipt   the last day close (number, date) and the last slip that came back; None: there was none
    newer      names of the day closes and backups beside it that know of later events than came back
    missing    first and last event that are known to be gone, None when none is
    unplaced   events behind that gap, which the journal has and nobody can post
    nameless   members whose events came from the journal without their personal values
    passed_over  newer backups that were not whole, with the reason
    """

    backup: str
    backup_seq: int
    last_seq: int
    shop: tuple[str, str, str]
    """Its name, its English name ("" where there is none) and the code of the store."""
    till: str
    made_at: datetime
    now: datetime
    last_at: datetime
    close: tuple[int, BusinessDate] | None
    receipt: str | None
    newer: tuple[str, ...]
    had_journal: bool
    missing: tuple[int, int] | None
    unplaced: int
    nameless: int
    passed_over: tuple[tuple[str, str], ...]

    @property
    def replayed(self) -> int:
        """Events that came from the journal."""
        return self.last_seq - self.backup_seq


@dataclass(frozen=True, slots=True)
class _Brought:
    """A backup that proved whole in its new place, and what the journal lacks behind it."""

    manifest: Manifest
    nameless: int
    missing: tuple[int, int] | None
    unplaced: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A till that is whole beside its place and has not taken it: what comes back is known exactly."""

    found: Restored
    work: Path
    target: Path
    lock: StoreLock
    """Held until it is brought back or given up: a till that starts beside it leaves it alone."""


def restore(
    place: Place,
    passphrase: str,
    *,
    find_keystore: FindKeystore = keyslots.SystemKeystore,
    clock: Clock = now_utc,
    offset_min: Callable[[], int] = local_offset_min,
) -> Restored:
    """Restore into `place.target`, which must not exist or be empty; the till is closed afterwards. Raises
    as `prepare` does."""
    prepared = prepare(
        place, passphrase, find_keystore=find_keystore, clock=clock, offset_min=offset_min
    )
    return bring_back(prepared)


def prepare(
    place: Place,
    passphrase: str,
    *,
    progress: Share = quiet,
    find_keystore: FindKeystore = keyslots.SystemKeystore,
    clock: Clock = now_utc,
    offset_min: Callable[[], int] = local_offset_min,
) -> Prepared:
    """Do all the work beside the target; `bring_back` or `give_up` comes next.

    `place.source` is a backup, or a folder of backups: then the newest whole one of the till that is proposed
    (app.found_backups). `progress` is told in this thread. Raises Unavailable: STORE_EXISTS,
    BACKUP_FOLDER_GONE, BACKUP_UNSOUND, PASSPHRASE_WRONG, PASSPHRASE_WAIT, JOURNAL_CONFLICT (the journal is of
    another till, or of one that went on elsewhere), STORE_… as open_till.
    """
    target = place.target
    work = _work_of(target)
    passed_over: list[tuple[str, str]] = []
    _check_free(target)
    lock = _lock_of(work)
    try:
        for path in _candidates(place.source):
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            try:
                brought = _bring(path, place.journal, work, passphrase, find_keystore, progress)
            except BadBackup as bad:
                passed_over.append((path.name, str(bad)))
                continue
            till = open_till(
                work, passphrase=passphrase, find_keystore=find_keystore, clock=clock,
                offset_min=offset_min,
            )  # fmt: skip
            try:
                found = _note(till, path, brought, place)
            finally:
                till.close()
            progress(1, 1)
            return Prepared(replace(found, passed_over=tuple(passed_over)), work, target, lock)
        why = "; ".join(f"{name}: {reason}" for name, reason in passed_over) or "no backup there"
        raise Unavailable(Outage.BACKUP_UNSOUND, {"why": why})
    except OSError as error:
        _drop(work, lock)
        raise Unavailable(Outage.STORE_FAILED, {"why": error.strerror or ""}) from error
    except BaseException:
        _drop(work, lock)
        raise


def bring_back(prepared: Prepared) -> Restored:
    """The prepared till takes its place. Raises Unavailable: STORE_EXISTS (something came there meanwhile;
    nothing is written over), STORE_FAILED."""
    try:
        _check_free(prepared.target)
        _take_name(prepared.work, prepared.target)
    except OSError as error:
        raise Unavailable(Outage.STORE_FAILED, {"why": error.strerror or ""}) from error
    finally:
        prepared.lock.remove()
    return prepared.found


def give_up(prepared: Prepared) -> None:
    """Leave nothing of it."""
    _drop(prepared.work, prepared.lock)


def sweep(place: Place) -> None:
    """Leave nothing of what this program began for a place, prepared or cut short."""
    work = _work_of(place.target)
    shutil.rmtree(work, ignore_errors=True)
    with contextlib.suppress(OSError):
        _lock_path(work).unlink()


def sweep_beside(folder: Path) -> None:
    """Remove what a process that ended amid a restore left beside a store's folder. One that somebody works on
    just now stays."""
    begun = _WORK.format(name="*")
    alone = [
        path.with_name(path.name.removesuffix(LOCK_SUFFIX))
        for path in folder.parent.glob(begun + LOCK_SUFFIX)
    ]
    for work in {*folder.parent.glob(begun), *alone}:
        if work.exists() and not (work / DATABASE).is_file():
            continue  # not of a restore
        try:
            lock = StoreLock(work)
        except db_errors.StoreError:
            continue
        _drop(work, lock)


def _lock_of(work: Path) -> StoreLock:
    """Of one place one restore at a time. Raises Unavailable: STORE_IN_USE, STORE_FAILED."""
    try:
        work.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(Outage.STORE_FAILED, {"why": error.strerror or ""}) from error
    with translated():
        return StoreLock(work)


def _drop(work: Path, lock: StoreLock) -> None:
    shutil.rmtree(work, ignore_errors=True)
    lock.remove()


def _work_of(target: Path) -> Path:
    return target.with_name(_WORK.format(name=target.name))


def _lock_path(work: Path) -> Path:
    return work.with_name(work.name + LOCK_SUFFIX)


def _check_free(target: Path) -> None:
    """Never over a store, nor over anything else."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Unavailable(Outage.STORE_EXISTS, {"folder": target.name})


def _candidates(source: Path) -> tuple[Path, ...]:
    """The backup itself, or those of one till in the folder, newest first."""
    return of_one_till(find_backups(source)) or (source,)


# Files --------------------------------------------------------------------------------------------


def _bring(
    path: Path,
    journal: Path | None,
    work: Path,
    passphrase: str,
    find_keystore: FindKeystore,
    progress: Share,
) -> _Brought:
    """Copy a backup and the newer journal to `work` and prove them. Raises BadBackup, Unavailable."""
    manifest = read_manifest(path)
    check_files(path, manifest)
    progress(READ, 100)
    shutil.copyfile(path / DATABASE, work / DATABASE)
    progress(COPIED, 100)
    for name in NAMES:
        shutil.copyfile(path / NAMES[0], work / name)
    _bring_journal(path / JOURNAL, journal, work)
    if settings.FILE_NAME in manifest.files:
        shutil.copyfile(path / settings.FILE_NAME, work / settings.FILE_NAME)
        # The old till's journal folder may still be there: two stores must never write into one.
        settings.save(work, replace(settings.load(work), journal_folder=""))
    opened = adopt_keys(work, passphrase, find_keystore)
    check_seal(path, opened.data_key)
    try:
        had = (manifest.seq, bytes.fromhex(manifest.head))
        key = StoreKey(opened.data_key, opened.salt)
        nameless: list[int] = []
        check_copy(
            work / DATABASE, key, had,
            lambda copy: nameless.append(people.members_without_profile(copy)),
            progress=part(progress, COPIED, WALKED),
        )  # fmt: skip
    except db_errors.StoreError as error:
        raise BadBackup(f"the database can't be opened: {error}") from error
    owner = bytes.fromhex(manifest.device) + manifest.epoch.to_bytes(8, "big")
    files = JournalFile(work / JOURNAL, data_key=opened.data_key, owner=owner)
    _join_tail(files, tail_of(path, opened.data_key, owner), *had)
    side = WitnessFile(work / witness.FILE_NAME, data_key=opened.data_key, owner=owner)
    side.keep(*had, None, lambda seq, head: True)  # the first: there is nothing yet to keep
    missing, unplaced = _keep_what_joins(files, manifest.seq)
    return _Brought(manifest, nameless[0], missing, unplaced)


def _bring_journal(own: Path, newer: Path | None, work: Path) -> None:
    """The given journal where there is one, else the backup's; and the profile file that belongs to it."""
    source = newer if newer and _has_journal(newer) else own
    (work / JOURNAL).mkdir()
    for file in sorted(source.glob(f"*{SUFFIX}")):
        shutil.copyfile(file, work / JOURNAL / file.name)
    for folder in (newer, newer.parent) if newer else ():
        if (folder / PROFILES).is_file():
            shutil.copyfile(folder / PROFILES, work / PROFILES)
            return


def _has_journal(folder: Path | None) -> bool:
    return folder is not None and any(folder.glob(f"*{SUFFIX}"))


def _keep_what_joins(files: JournalFile, seq: int) -> tuple[tuple[int, int] | None, int]:
    """Put aside what lies behind a gap after event `seq`: it can't be posted. Returns the first and last
    event that are missing (None: none is), and how many lie behind them."""
    records = {record.seq: record for record in files.scan().records if record.seq > seq}
    last = seq
    while last + 1 in records:
        last += 1
    behind = [number for number in records if number > last]
    if not behind:
        return None, 0
    for path in files.files():
        found = files.read(path)
        if found and found[-1].seq > last:
            _cut_file(files, path, [record for record in found if record.seq <= last])
    return (last + 1, min(behind) - 1), len(behind)


def _cut_file(files: JournalFile, path: Path, kept: list[Record]) -> None:
    """Keep the whole file aside, and of it only `kept` in its place."""
    shutil.copyfile(path, path.with_name(path.name + UNPLACED))
    path.unlink()
    if kept:
        _write_file(files, path, kept)


def _write_file(files: JournalFile, path: Path, records: list[Record]) -> None:
    earlier = [each for each in files.files() if number_of(each) < number_of(path)]
    before = files.read(earlier[-1])[-1:] if earlier else []
    head = before[0].hash if before else bytes(32)
    files.rewrite(path, records, previous=earlier[-1] if earlier else None, head=head)


def _join_tail(files: JournalFile, tail: JournalFile, seq: int, head: bytes) -> None:
    """What the Z put into its backup, whose last event is `seq`, goes behind the journal that was in it from
    the beginning, or behind a newer one that was cut short before it."""
    own = files.files()
    if not own:
        return
    # The newest file may have no event yet: then the last one is in a file before it.
    had = next((found for path in reversed(own) if (found := files.read(path))), [])
    if had:
        seq, head = had[-1].seq, had[-1].hash
    more = [record for record in tail.scan().records if record.seq > seq]
    if more and chain(head, more[0].body) == more[0].hash:
        _write_file(files, own[-1], [*files.read(own[-1]), *more])


def _take_name(work: Path, target: Path) -> None:
    if target.exists():
        target.rmdir()  # empty, as seen at the beginning
    work.rename(target)
    fsync_folder(target.parent)


# The till -----------------------------------------------------------------------------------------


def _note(till: Till, path: Path, brought: _Brought, place: Place) -> Restored:
    """Record the restore, and read what came back."""
    ctx, manifest = till.context, brought.manifest
    with ctx.read() as conn:
        seed = day.till_seed(conn)
        public = None if seed is None else statement.public_of(seed)
        floor = posting.close_floor(conn)
        # Closes up to there were told by an earlier restore, which gave them up or brought them back.
        told = tuple(
            each
            for each in told_beside(path.parent, manifest, ctx.data_key, public)
            if not 0 < each.close <= floor
        )
        found = _found(ctx, conn, path.name, brought, told)
        head = max([floor, *(each.close for each in told)])
        restores = max([posting.restores(conn), *(each.restores for each in told)]) + 1
        receipt = next_running(conn) - 1 + _lost(found)
    found = replace(found, had_journal=_has_journal(place.journal))
    with ctx.write(ctx.ids()) as tx:
        tx.record(
            posting.RESTORED,
            event_id=ctx.ids(),
            session=None,
            business_date=ctx.business_date(),
            doc={
                "from": {"name": path.name, "events": manifest.seq, "head": manifest.head},
                "replayed": found.replayed,
                "missing": None if found.missing is None else list(found.missing),
                "unplaced": brought.unplaced,
                "close": head,
                "receipt": receipt,
                "restores": restores,
            },
        )
        _tell(tx.conn, found)
    with translated():
        ctx.store.checkpoint_truncate()
    return found


def _found(
    ctx: Context, conn: Connection, name: str, brought: _Brought, told: tuple[Told, ...]
) -> Restored:
    head = rows.head(conn)
    assert head is not None, "a till has at least its set-up"
    row = rows.event_by_seq(conn, head[0])
    assert row is not None, "the head is an event"
    last, close, manifest = posting.event_of(row), last_close(conn), brought.manifest
    names = ctx.settings.shop
    return Restored(
        backup=name,
        backup_seq=manifest.seq,
        last_seq=last.seq,
        shop=(names.name, names.name_en, manifest.store),
        till=manifest.till,
        made_at=instant_of(manifest.made_at_us).astimezone(_zone(last)),
        now=ctx.clock().astimezone(_zone(last)),
        last_at=instant_of(last.at_us).astimezone(_zone(last)),
        close=None if close is None else (close.number, BusinessDate(close.on)),
        receipt=rows.last_receipt(conn),
        newer=tuple(each.name for each in told if each.since or each.seq > last.seq),
        had_journal=False,
        missing=_missing(
            brought, last.seq, max((each.seq for each in told if not each.since), default=0)
        ),
        unplaced=brought.unplaced,
        nameless=people.members_without_profile(conn) - brought.nameless,
        passed_over=(),
    )


def _zone(event: Event) -> timezone:
    return timezone(timedelta(minutes=event.offset_min))


def _missing(brought: _Brought, last: int, known: int) -> tuple[int, int] | None:
    """The gap of the journal, or up to the last event that something beside the backup tells of."""
    behind = brought.missing[1] + brought.unplaced if brought.missing else last
    return (last + 1, known) if known > behind else brought.missing


def _lost(found: Restored) -> int:
    """How many events are known to be lost: as many slips may have been given out."""
    return found.missing[1] + found.unplaced - found.last_seq if found.missing else 0


def _tell(conn: Connection, found: Restored) -> None:
    """On the attention list until a person has read it: the till went back."""
    facts: dict[str, str | int] = {"name": found.backup}
    at_us = micros(found.now)
    if found.missing is None:
        rows.add_incident(conn, at_us=at_us, code="restored", facts=json.dumps(facts))
        return
    facts["count"] = found.missing[1] - found.missing[0] + 1
    rows.add_incident(conn, at_us=at_us, code="restored_in_part", facts=json.dumps(facts))
