"""Bring a till back in an empty folder: from a backup, or a backup and the journal files that are newer.

The newest backup that proves whole is taken; what the journal has beyond it is posted again by app.recovery, as
at any start. What can't be had is said as it is: which events are missing, never a guess of their sums. Work is
done in a folder beside the target, which takes its name at the end: a restore that is cut short leaves nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from app import keyslots, posting, settings
from app.backup import (
    DATABASE,
    JOURNAL,
    BadBackup,
    Manifest,
    check_files,
    check_seal,
    listed,
    read_manifest,
)
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
from app.context import translated
from app.domain.errors import Outage, Unavailable
from app.journal import SUFFIX, JournalFile, Record, fsync_folder, number_of
from app.keyslots.document import NAMES
from app.percent import Share, part, quiet
from app.protocol.events import instant_of
from db import errors as db_errors
from db import people, rows
from db.backup import check_copy
from db.connection import StoreKey

READ, COPIED, WALKED = 25, 40, 85
"""Percent: the backup is read, copied, and its structure walked; the journal's events come after."""
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

    missing    first and last event that are known to be gone, None when none is
    unplaced   events behind that gap, which the journal has and nobody can post
    nameless   members whose events came from the journal without their personal values
    passed_over  newer backups that were not whole, with the reason
    """

    backup: str
    backup_seq: int
    last_seq: int
    last_at: datetime
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

    `place.source` is a backup, or a folder of backups, of which the newest whole one is taken. `progress` is
    told in this thread. Raises Unavailable: STORE_EXISTS, BACKUP_UNSOUND, PASSPHRASE_WRONG, PASSPHRASE_WAIT,
    JOURNAL_CONFLICT (the journal is of another till, or of one that went on elsewhere), STORE_… as open_till.
    """
    target = place.target
    work = target.with_name(f".{target.name}.restoring")
    passed_over: list[tuple[str, str]] = []
    try:
        _check_free(target)
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
                found = _note(till, path.name, brought, place.journal is not None)
            finally:
                till.close()
            progress(1, 1)
            return Prepared(replace(found, passed_over=tuple(passed_over)), work, target)
        why = "; ".join(f"{name}: {reason}" for name, reason in passed_over) or "no backup there"
        raise Unavailable(Outage.BACKUP_UNSOUND, {"why": why})
    except OSError as error:
        shutil.rmtree(work, ignore_errors=True)
        raise Unavailable(Outage.STORE_FAILED, {"why": error.strerror or ""}) from error
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def bring_back(prepared: Prepared) -> Restored:
    """The prepared till takes its place. Raises Unavailable: STORE_EXISTS (something came there meanwhile;
    nothing is written over), STORE_FAILED."""
    try:
        _check_free(prepared.target)
        _take_name(prepared.work, prepared.target)
    except OSError as error:
        raise Unavailable(Outage.STORE_FAILED, {"why": error.strerror or ""}) from error
    return prepared.found


def give_up(prepared: Prepared) -> None:
    """Leave nothing of it."""
    shutil.rmtree(prepared.work, ignore_errors=True)


def _check_free(target: Path) -> None:
    """Never over a store, nor over anything else."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Unavailable(Outage.STORE_EXISTS, {"folder": target.name})


def _candidates(source: Path) -> tuple[Path, ...]:
    """The backup itself, or those in the folder, newest first."""
    return listed(source) or (source,)


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
    missing, unplaced = _keep_what_joins(files, manifest.seq)
    return _Brought(manifest, nameless[0], missing, unplaced)


def _bring_journal(own: Path, newer: Path | None, work: Path) -> None:
    """The given journal where there is one, else the backup's; and the profile file that belongs to it."""
    source = newer or own
    (work / JOURNAL).mkdir()
    for file in sorted(source.glob(f"*{SUFFIX}")):
        shutil.copyfile(file, work / JOURNAL / file.name)
    for folder in (newer, newer.parent) if newer else ():
        if (folder / PROFILES).is_file():
            shutil.copyfile(folder / PROFILES, work / PROFILES)
            return


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
        earlier = [each for each in files.files() if number_of(each) < number_of(path)]
        before = files.read(earlier[-1])[-1:] if earlier else []
        head = before[0].hash if before else bytes(32)
        files.rewrite(path, kept, previous=earlier[-1] if earlier else None, head=head)


def _take_name(work: Path, target: Path) -> None:
    if target.exists():
        target.rmdir()  # empty, as seen at the beginning
    work.rename(target)
    fsync_folder(target.parent)


# The till -----------------------------------------------------------------------------------------


def _note(till: Till, name: str, brought: _Brought, had_journal: bool) -> Restored:
    """Record the restore, and read what came back."""
    ctx, manifest = till.context, brought.manifest
    with ctx.read() as conn:
        head = rows.head(conn)
        last = rows.event_by_seq(conn, head[0]) if head else None
        nameless = people.members_without_profile(conn) - brought.nameless
    assert last is not None, "a till has at least its set-up"
    event = posting.event_of(last)
    found = Restored(
        name, manifest.seq, last.seq, instant_of(event.at_us), had_journal,
        brought.missing, brought.unplaced, nameless, (),
    )  # fmt: skip
    with ctx.write(ctx.ids()) as tx:
        tx.record(
            posting.RESTORED,
            event_id=ctx.ids(),
            session=None,
            business_date=ctx.business_date(),
            doc={
                "from": {"name": name, "events": manifest.seq, "head": manifest.head},
                "replayed": found.replayed,
                "missing": None if brought.missing is None else list(brought.missing),
                "unplaced": brought.unplaced,
            },
        )
    with translated():
        ctx.store.checkpoint_truncate()
    return found
