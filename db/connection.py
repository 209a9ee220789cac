"""One keyed connection to one database file: unlock, pragmas, probe, and what its errors mean.

Plain DB-API only. Pools, transactions and SQLAlchemy live in db/engine.py, so that this module
costs milliseconds to import. Sources of the rules: storage.md sections 3 and 9.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from sqlcipher3 import dbapi2
from sqlcipher3.dbapi2 import Connection as Connection

from db import wal
from db.errors import (
    Busy,
    ConstraintBroken,
    Damaged,
    DiskFull,
    ForeignLog,
    Interrupted,
    IoFailed,
    ReadOnlyFolder,
    StoreError,
    StoreMissing,
    WriteRefused,
    WrongKey,
)

PAGE_BYTES: Final = 4096
WRITER_CACHE_KIB: Final = 16384
# "REGL": tells our files from any other SQLite database opened by mistake.
APPLICATION_ID: Final = 0x5245474C
BUSY_TIMEOUT_MS: Final = 5000
# SQLite up to 3.51.2 can lose a reset of the write-ahead log (storage.md section 2).
SQLITE_LEAST: Final = (3, 51, 3)
CIPHER_LEAST: Final = (4, 19, 0)
# With less room than this a failed write means that the volume is full: a page and its log frame.
ROOM_LEAST_BYTES: Final = 64 * 1024

_BUSY, _LOCKED, _READONLY, _INTERRUPT, _IOERR = 5, 6, 8, 9, 10
_CORRUPT, _FULL, _CANTOPEN, _CONSTRAINT, _NOTADB = 11, 13, 14, 19, 26


# The driver takes both as they are, but first asks each value for an adapter, and makes and drops an error to
# hear that there is none: a sixth of the time of a long INSERT. These adapters do nothing.
dbapi2.register_adapter(bytes, bytes)
dbapi2.register_adapter(type(None), {None: None}.get)


class Key(Protocol):
    """What opens a file: `StoreKey` in the product; the bench has one for its plain partner."""

    def unlock(self, raw: Connection) -> None: ...

    def owns_log_of(self, path: Path) -> bool: ...


@dataclass(frozen=True, slots=True, repr=False)
class StoreKey:
    """The raw key of a store: 32 random bytes, and the 16-byte salt of its file header.

    Both go to SQLCipher as they are, so no key derivation runs per connection and the file
    survives a damaged header salt. `repr` shows neither.
    """

    data_key: bytes
    salt: bytes

    def __post_init__(self) -> None:
        if len(self.data_key) != 32 or len(self.salt) != 16:
            raise ValueError("a store key is 32 bytes and its salt 16")

    def __repr__(self) -> str:
        return "StoreKey(…)"

    def unlock(self, raw: Connection) -> None:
        """Hand the key over through the driver's own call: it is never part of an SQL text."""
        raw.set_key(b"x'" + (self.data_key + self.salt).hex().encode() + b"'")

    def owns_log_of(self, path: Path) -> bool:
        """False when the `-wal` beside `path` is another database's: never open it then."""
        return not wal.is_foreign(path, data_key=self.data_key, salt=self.salt)


def require_library() -> None:
    """Refuse to run on a SQLite or SQLCipher older than those that the design was tested with."""
    if dbapi2.sqlite_version_info < SQLITE_LEAST:
        raise RuntimeError(f"SQLite {dbapi2.sqlite_version} is too old for the store")
    probe = dbapi2.connect(":memory:")
    try:
        row = probe.execute("PRAGMA cipher_version").fetchone()
    finally:
        probe.close()
    if row is None:
        raise RuntimeError("this SQLite has no cipher")
    if tuple(int(part) for part in str(row[0]).split()[0].split(".")) < CIPHER_LEAST:
        raise RuntimeError(f"SQLCipher {row[0]} is too old for the store")


def connect(
    path: Path, key: Key, *, cache_kib: int, writer: bool, create: bool = False
) -> Connection:
    """Open, unlock, set the pragmas, and prove by a read that the file is readable.

    Without `create` a missing file is never made (no SQLITE_OPEN_CREATE): a key on a new file
    always "succeeds", so nothing else would tell. A foreign log is refused before the file is
    opened: closing it again would copy that log into it. Raises the errors of db/errors.py.
    """
    try:
        foreign = wal.has_rollback_journal(path) or not key.owns_log_of(path)
    except OSError as error:
        raise IoFailed(path, f"the log beside the file can't be read: {error}") from error
    if foreign:
        raise ForeignLog(path, "the log beside the file is of another database")
    raw = _unlocked(path, key, create=create)
    try:
        raw.execute("SELECT count(*) FROM sqlite_master").fetchone()
        _set_pragmas(raw, cache_kib=cache_kib, writer=writer)
    except dbapi2.Error as error:
        raw.close()
        meaning = meaning_of(error, path)
        if isinstance(meaning, Damaged):
            meaning = diagnose(path, key)
        if meaning is None:
            raise
        raise meaning from error
    return raw


def _unlocked(path: Path, key: Key, *, create: bool = False) -> Connection:
    flags = dbapi2.SQLITE_OPEN_READWRITE | (dbapi2.SQLITE_OPEN_CREATE if create else 0)
    try:
        raw = dbapi2.connect(
            str(path),
            timeout=BUSY_TIMEOUT_MS / 1000,
            isolation_level=None,  # db/engine.py alone begins and ends transactions
            check_same_thread=False,  # the pool hands a connection to one thread at a time
            flags=flags,
        )
    except dbapi2.Error as error:
        raise (meaning_of(error, path) or error) from error
    # Without this a failed page check writes its own lines to stderr. It may precede the key.
    raw.execute("PRAGMA cipher_log_level=NONE")
    key.unlock(raw)
    return raw


def _set_pragmas(raw: Connection, *, cache_kib: int, writer: bool) -> None:
    """Set the table of storage.md section 3. WAL belongs to the file, the rest to a connection."""
    if writer:
        mode = raw.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            raise RuntimeError(f"the store's journal mode is {mode}, not wal")
    for pragma in (
        "synchronous=FULL",
        "fullfsync=1",  # macOS, where fsync stops at the drive's own cache; no effect elsewhere
        "checkpoint_fullfsync=1",
        "wal_autocheckpoint=0",  # checkpoints run when idle, off the commit path
        "temp_store=MEMORY",
        "foreign_keys=ON",
        "trusted_schema=OFF",
        "cell_size_check=ON",
        "secure_delete=ON",
        "mmap_size=0",
        f"cache_size=-{cache_kib}",
        f"query_only={'OFF' if writer else 'ON'}",
    ):
        raw.execute(f"PRAGMA {pragma}").fetchall()


_PAGE: Final = re.compile(r"page (\d+)")


def failing_pages(path: Path, key: Key) -> tuple[int, ...]:
    """The numbers, from 1, of the pages whose check fails under this key.

    Reads the main file only: while a write-ahead log is pending it may name pages that the log
    heals (storage.md section 9), so checkpoint first where the store still opens.
    """
    raw = _unlocked(path, key)
    try:
        return failing_page_numbers(raw)
    finally:
        raw.close()


def failing_page_numbers(raw: Connection) -> tuple[int, ...]:
    """As `failing_pages`, on a connection that is open already."""
    rows = raw.execute("PRAGMA cipher_integrity_check").fetchall()
    numbers = {int(found.group(1)) for (text,) in rows if (found := _PAGE.search(text))}
    return tuple(sorted(numbers))


def diagnose(path: Path, key: Key) -> StoreError:
    """Why a file that SQLite calls "not a database" or "malformed" does not open.

    Every page fails: another key (or another file). Some fail: damage, and these are the pages.
    """
    pages = failing_pages(path, key)
    pages_count = -(-path.stat().st_size // PAGE_BYTES)
    if len(pages) == pages_count:
        return WrongKey(path, "no page passes its check under this key")
    if pages:
        return Damaged(path, f"{len(pages)} of {pages_count} pages", pages=pages)
    return Damaged(path, "every page is sound, what they hold is not")


def require_writable(folder: Path) -> None:
    """Prove by a trial file that the folder takes writes: permission bits alone don't tell.

    A WAL database can't even be read in a read-only folder (CANTOPEN), storage.md section 9.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=".trial-", dir=folder)
        os.close(handle)
        os.unlink(name)
    except FileNotFoundError as error:
        raise StoreMissing(folder, "the folder is not there") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(folder, "no room for a trial file") from error
        raise ReadOnlyFolder(folder, os.strerror(error.errno or 0)) from error


def meaning_of(error: dbapi2.Error, path: Path) -> StoreError | None:
    """The store's own error for a SQLite result code; None for a mistake in our SQL or its use.

    It looks at the volume at most, never into the file, so it is safe while a transaction fails.
    """
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
    text = getattr(error, "sqlite_errorname", "") or type(error).__name__
    if code in (_READONLY, _CANTOPEN):
        return _meaning_of_refusal(path, text, opening=code == _CANTOPEN)
    if code == _IOERR and shutil.disk_usage(path.parent).free < ROOM_LEAST_BYTES:
        return DiskFull(path, text)
    if code == _CONSTRAINT:
        return ConstraintBroken(path, f"{text}: {error}")  # names of tables and columns, no values
    found = _MEANINGS.get(code)
    return None if found is None else found(path, text)


def _meaning_of_refusal(path: Path, text: str, *, opening: bool) -> StoreError:
    if opening and path.parent.is_dir() and not path.exists():
        return StoreMissing(path, text)
    try:
        require_writable(path.parent)
    except StoreError as refused:
        return refused
    return IoFailed(path, text) if opening else WriteRefused(path, text)


_MEANINGS: Final[dict[int, type[StoreError]]] = {
    _BUSY: Busy,
    _LOCKED: Busy,
    _INTERRUPT: Interrupted,
    _IOERR: IoFailed,
    _CORRUPT: Damaged,
    _FULL: DiskFull,
    _NOTADB: Damaged,
}
