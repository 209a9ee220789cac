"""Backups of a store: made while the till sells, opened before they count, thinned out with age.

A backup is a folder `<till>-<UTC time>-<last event>`: the database (VACUUM INTO), the newest journal files, the
key slots without the one that only this computer can use, the settings, and a manifest with the SHA-256 of
each, sealed under the store's key. It gets its name once it has been opened and checked (storage.md section 9).
What a backup means for the till (its event, its age, the profile file) is app/usecases/back_up.py's.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from app import cached_fold, posting, private, settings
from app.context import Context
from app.domain.errors import Outage, Unavailable
from app.journal import SUFFIX, JournalFile, Record, derive_key, fsync_folder
from app.keyslots.document import NAMES, portable
from app.keyslots.errors import SlotError
from app.percent import Share, part, quiet
from db import errors as db_errors
from db import rows
from db.backup import Stop as Stop
from db.backup import check_copy, copy_into
from db.connection import Connection
from db.migrate import schema_version

DATABASE: Final = "regulars.db"
JOURNAL: Final = "journal"
MANIFEST: Final = "manifest.json"
AFTER: Final = "after"
"""Journal of the events from the copy to the Z that names the backup. It is not in the manifest, which was
sealed before; each of its records is, and chained."""
BESIDE: Final = "backups"
"""The folder in the store's own where backups go when no other is set."""
KEPT_HOURS, KEPT_DAYS, KEPT_WEEKS = 24, 14, 8
ROOM_LEFT: Final = 50_000_000
"""Bytes that a copy beside the store doesn't take."""
CLOCKS_APART: Final = timedelta(hours=1)
"""How far a clock may have been set back since a backup before its age says nothing."""
MEMBERS_FOLDED: Final = 50
"""Members whose whole fold is compared with the cache in the copy: those who moved last."""
COPIED, WALKED = 50, 80
"""Percent of the work: the copy by its bytes, its structure by its pages; rows and small files come after."""
_FORMAT: Final = 1
_PARTIAL: Final = ".partial-"
_GOING: Final = ".going-"
_NAME: Final = re.compile(r"[\w-]+-(\d{8}T\d{6}Z)-(\d{9})")
_TIME: Final = "%Y%m%dT%H%M%SZ"
_JOURNAL_FILES: Final = 2


class FileFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file of a backup must be."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup is: whose, when, up to which event (`seq`, `head` in hex), and its files by path.

    `restores` is how often its till had been brought back by then, unset for never: a till that went back to an
    older state counts its events on from there, so a lower number may be the later one.
    """

    tenant: str
    device: str
    epoch: int
    store: str
    till: str
    made_at_us: int
    schema: int
    seq: int
    head: str
    files: dict[str, FileFacts]
    format: int = _FORMAT
    restores: int | msgspec.UnsetType = msgspec.UNSET

    @property
    def reach(self) -> tuple[int, int]:
        """What tells the later one of two of a till."""
        return (0 if self.restores is msgspec.UNSET else self.restores), self.seq


class _Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    manifest: Manifest
    seal: str


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that has been opened. `sha256` is that of its manifest's bytes."""

    path: Path
    seq: int
    head: bytes
    sha256: bytes

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.path.name


def folder_of(ctx: Context) -> Path:
    """Where this till's backups go."""
    chosen = ctx.settings.backup.folder
    return Path(chosen) if chosen else ctx.folder / BESIDE


def is_beside(ctx: Context) -> bool:
    """Whether backups lie on the disk that they are to save from: worth a warning."""
    return not ctx.settings.backup.folder


def make(ctx: Context, stop: Stop | None = None, progress: Share = quiet) -> Backup:
    """Make a backup and open it. Callable from any thread: it reads the store by a connection of its own
    and writes nothing to it. `stop` calls it off; `progress` is told in that thread.

    Raises Unavailable(BACKUP_FOLDER_GONE | BACKUP_FAILED); what was begun is removed.
    """
    folder = folder_of(ctx)
    if not is_beside(ctx) and not _is_there(folder):
        # Never made anew: a stick that was pulled would become a folder on the disk.
        raise Unavailable(Outage.BACKUP_FOLDER_GONE, {"folder": str(folder)})
    stop = stop or Stop()
    partial = folder / f"{_PARTIAL}{ctx.till.till}-{ctx.till.device.hex()}"
    try:
        shutil.rmtree(partial, ignore_errors=True)  # of a crash in this very place
        _check_room(ctx, folder)
        partial.mkdir(mode=private.FOLDER_MODE, parents=is_beside(ctx))
        return _make(ctx, folder, partial, stop, progress)
    except (OSError, db_errors.StoreError, SlotError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise Unavailable(Outage.BACKUP_FAILED, {"why": why or type(error).__name__}) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_room(ctx: Context, folder: Path) -> None:
    """A copy on the store's own disk leaves the room that the counter sells with: while it filled the disk to
    the last byte, a sale would be refused. Raises Unavailable(BACKUP_FAILED)."""
    if not is_beside(ctx) and folder.stat().st_dev != ctx.folder.stat().st_dev:
        return
    store = ctx.store.path
    parts = (path for path in (store, store.with_name(f"{store.name}-wal")) if path.exists())
    needed = sum(path.stat().st_size for path in parts)
    if shutil.disk_usage(ctx.folder).free < needed + ROOM_LEFT:
        raise Unavailable(Outage.BACKUP_FAILED, {"why": "no room beside the store"})


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:  # a share that is gone, a stick that fails
        return False


def _make(ctx: Context, folder: Path, partial: Path, stop: Stop, progress: Share) -> Backup:
    now = ctx.clock().astimezone(UTC)
    store, schema, back = ctx.store, [0], [0]

    def look(copy: Connection) -> None:
        schema[0], back[0] = schema_version(copy), posting.restores(copy)
        _compare_folds(copy, partial)

    copied, walked = part(progress, 0, COPIED), part(progress, COPIED, WALKED)
    had = copy_into(store.path, store.key, partial / DATABASE, stop, copied, ctx.give_way)
    seq, head = check_copy(partial / DATABASE, store.key, had, look, stop, walked)
    _copy_small_files(ctx, partial)
    manifest = Manifest(
        tenant=ctx.till.tenant.hex(), device=ctx.till.device.hex(), epoch=ctx.till.epoch,
        store=ctx.till.store, till=ctx.till.till,
        made_at_us=int(now.timestamp()) * 1_000_000, schema=schema[0], seq=seq, head=head.hex(),
        files={str(path.relative_to(partial)): _facts(path) for path in _files(partial)},
        restores=back[0] or msgspec.UNSET,
    )  # fmt: skip
    sealed = msgspec.json.encode(_Sealed(manifest, seal_of(manifest, ctx.data_key)))
    _write(partial / MANIFEST, sealed)
    for each in (partial / JOURNAL, partial):
        fsync_folder(each)
    final = _free(folder, ctx.till.till, now, seq)
    os.rename(partial, final)
    fsync_folder(folder)
    progress(1, 1)
    return Backup(final, seq, head, hashlib.sha256(sealed).digest())


def _free(folder: Path, till: str, now: datetime, seq: int) -> Path:
    """The name of a backup; of a second one within a second that of the next free one."""
    while (path := folder / f"{till}-{now.strftime(_TIME)}-{seq:09d}").exists():
        now += timedelta(seconds=1)
    return path


def add_tail(ctx: Context, made: Backup) -> None:
    """Put the events that came since into a backup: a Z names its backup, so it can't be in the copy. Raises
    OSError and Unavailable; then the backup is as it was."""
    with ctx.read() as conn:
        records = [Record(e.seq, e.body, e.hash) for e in rows.events_after(conn, made.seq)]
    folder = made.path / AFTER
    folder.mkdir(mode=private.FOLDER_MODE, exist_ok=True)
    tail = tail_of(made.path, ctx.data_key, ctx.owner)
    path = folder / f"000001-{ctx.day_name()}{SUFFIX}"
    tail.rewrite(path, records, previous=None, head=made.head)
    fsync_folder(made.path)


def has_tail(path: Path) -> bool:
    """Whether `add_tail` has been through with a backup."""
    return any((path / AFTER).glob(f"*{SUFFIX}"))


def tail_of(path: Path, data_key: bytes, owner: bytes) -> JournalFile:
    """The journal that `add_tail` puts into a backup."""
    return JournalFile(path / AFTER, data_key=data_key, owner=owner)


def _compare_folds(copy: Connection, path: Path) -> None:
    """The members who moved last have in the copy what their entries add up to."""
    for member_id in rows.members_moved_last(copy, MEMBERS_FOLDED):
        folded = cached_fold.folded(copy, member_id)
        if cached_fold.states_equal(folded, cached_fold.load_state(copy, member_id, None)):
            raise db_errors.Damaged(path, "a balance in the copy is not the fold of its entries")


def _copy_small_files(ctx: Context, partial: Path) -> None:
    (partial / JOURNAL).mkdir()
    for path in ctx.journal.files()[-_JOURNAL_FILES:]:
        # The newest may end in half a record just now: a start cuts that off, as after a crash.
        _write(partial / JOURNAL / path.name, path.read_bytes())
    _write(partial / NAMES[0], portable(ctx.folder))
    chosen = ctx.folder / settings.FILE_NAME
    if chosen.exists():
        _write(partial / settings.FILE_NAME, chosen.read_bytes())


# What there is --------------------------------------------------------------------------------------


def listed(folder: Path) -> tuple[Path, ...]:
    """The backups in a folder, newest first by their last event, then by time."""
    if not folder.is_dir():
        return ()
    found = [path for path in folder.iterdir() if has_name(path) and path.is_dir()]
    return tuple(sorted(found, key=_order, reverse=True))


def has_name(path: Path) -> bool:
    """Whether it is called as a backup is."""
    found = _NAME.fullmatch(path.name)
    try:
        return found is not None and bool(datetime.strptime(found[1], _TIME).replace(tzinfo=UTC))
    except ValueError:
        return False  # It says no time that there ever was.


def made_at(path: Path) -> datetime:
    """When a backup was made, by its name."""
    found = _NAME.fullmatch(path.name)
    assert found, "only names that `listed` gives"
    return datetime.strptime(found[1], _TIME).replace(tzinfo=UTC)


def read_manifest(path: Path) -> Manifest:
    """The manifest of a backup, unproven. Raises BadBackup."""
    return _read(path).manifest


class BadBackup(Exception):
    """A backup that can't be used; the text says why, in words for the log and the report."""


def check_seal(path: Path, data_key: bytes) -> Manifest:
    """The manifest, which the till of this key must have sealed. Raises BadBackup."""
    sealed = _read(path)
    if not hmac.compare_digest(sealed.seal, seal_of(sealed.manifest, data_key)):
        raise BadBackup("the manifest was not sealed by this till")
    return sealed.manifest


def found(path: Path, data_key: bytes) -> Backup:
    """A backup that this till made and opened earlier; its files are not read. Raises BadBackup."""
    manifest = check_seal(path, data_key)
    sealed = (path / MANIFEST).read_bytes()
    return Backup(path, manifest.seq, bytes.fromhex(manifest.head), hashlib.sha256(sealed).digest())


def check_files(path: Path, manifest: Manifest) -> None:
    """That every file is there and has the digest of the manifest. Raises BadBackup."""
    for name, facts in manifest.files.items():
        try:
            found = _facts(path / name)
        except OSError as error:
            raise BadBackup(f"{name}: {error.strerror}") from error
        if found != facts:
            raise BadBackup(f"{name} is not what was backed up")


def seal_of(manifest: Manifest, data_key: bytes) -> str:
    """The seal of a manifest under the store's key."""
    plain = msgspec.json.encode(manifest, order="sorted")
    return hmac.digest(derive_key(data_key, "backup manifest"), plain, "sha256").hex()


def thin_out(folder: Path, device: bytes, *, keep: Path | None = None) -> tuple[str, ...]:
    """Remove one till's backups past their time: kept are its newest 24, the newest of each of 14 days and of
    each of 8 weeks. Which are the newest their events say, not a clock that may have been ahead. Another
    till's, and what doesn't say whose it is, stay; so does `keep`, the one that was just made, whatever the
    others say. Returns the names removed. Raises OSError."""
    found = _newest_first(folder, device)
    kept = set(found[:KEPT_HOURS])
    kept |= _newest_of([made_at(path).date() for path in found], found, KEPT_DAYS)
    weeks = [made_at(path).isocalendar()[:2] for path in found]
    kept |= _newest_of(weeks, found, KEPT_WEEKS)
    return _remove(folder, device, [path for path in found if path not in kept and path != keep])


def remove_others(folder: Path, device: bytes, *, keep: Path) -> tuple[str, ...]:
    """Remove all of one till's backups but one. Returns the names removed. Raises OSError."""
    return _remove(folder, device, [p for p in _newest_first(folder, device) if p != keep])


def _remove(folder: Path, device: bytes, gone: Sequence[Path]) -> tuple[str, ...]:
    going = f"{_GOING}{device.hex()}-"
    for path in gone:
        # By its name it is gone at once: killed amid the files, it would be a damaged backup for ever.
        path.rename(folder / f"{going}{path.name}")
    for path in folder.glob(f"{going}*"):
        shutil.rmtree(path)
    return tuple(path.name for path in gone)


def _newest_first(folder: Path, device: bytes) -> list[Path]:
    """One till's backups, the one that knows most first."""
    own: list[tuple[tuple[int, int], Path]] = []
    for path in listed(folder):
        with contextlib.suppress(BadBackup):
            manifest = read_manifest(path)
            if manifest.device == device.hex():
                own.append((manifest.reach, path))
    # Stable: of those that know as much, the later one stays first.
    return [path for _, path in sorted(own, key=lambda each: each[0], reverse=True)]


def _newest_of(spans: Sequence[object], found: list[Path], most: int) -> set[Path]:
    newest: dict[object, Path] = {}
    for span, path in zip(spans, found, strict=True):
        newest.setdefault(span, path)
    return set(list(newest.values())[:most])


def is_stale(age: timedelta | None) -> bool:
    """Whether the newest backup is too old to be silent about: older than a day, none at all, or made by a
    clock that was ahead, of which nobody knows how old it is."""
    return age is None or not -CLOCKS_APART <= age <= timedelta(days=1)


def _order(path: Path) -> tuple[int, str]:
    found = _NAME.fullmatch(path.name)
    assert found
    return int(found[2]), found[1]


def _read(path: Path) -> _Sealed:
    try:
        return msgspec.json.decode((path / MANIFEST).read_bytes(), type=_Sealed)
    except OSError as error:
        raise BadBackup(f"{MANIFEST}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise BadBackup(f"{MANIFEST} can't be read: {error}") from error


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _facts(path: Path) -> FileFacts:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileFacts(os.fstat(file.fileno()).st_size, digest)


def _write(path: Path, blob: bytes) -> None:
    with path.open("xb") as file:
        file.write(blob)
        file.flush()
        os.fsync(file.fileno())
