"""The few errors that the store raises, each with the code that the window puts words to.

Nothing here knows SQL or files: db/connection.py maps SQLite's result codes to these classes.
The text of an exception is for the log and never holds a value of a row.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class StoreError(Exception):
    """Something that the store could not do. `code` is stable; `path` is the database file."""

    code: ClassVar[str] = "store_error"

    def __init__(self, path: Path | None = None, reason: str = "") -> None:
        super().__init__(f"{self.code}: {reason}" if reason else self.code)
        self.path = path
        self.reason = reason


class StoreMissing(StoreError):
    """There is no database file at that path. Never answered by making a new one."""

    code = "store_missing"


class AlreadyExists(StoreError):
    """A new store was asked for where a file lies already, whatever that file is."""

    code = "store_already_exists"


class NotAStore(StoreError):
    """The file is empty, cut below one page, or a sound database that is not ours."""

    code = "store_not_a_store"


class WrongKey(StoreError):
    """Every page fails its check under this key: it belongs to another database.

    storage.md section 3: SQLite answers NOTADB (26) both for a wrong key and for a damaged
    first page; only the count of failing pages tells them apart.
    """

    code = "store_wrong_key"


class Damaged(StoreError):
    """Pages of the file fail their check, or what they hold is not a sound structure.

    `pages` are the page numbers that fail, from 1. Empty while the store is open: SQLite met the
    damage (CORRUPT, 11) and no page check has run yet; `db.check` names the pages.
    """

    code = "store_damaged"

    def __init__(
        self, path: Path | None = None, reason: str = "", *, pages: tuple[int, ...] = ()
    ) -> None:
        super().__init__(path, reason)
        self.pages = pages


class ForeignLog(Damaged):
    """The write-ahead log beside the file is of another database. Nothing was opened or changed;
    `db.wal.put_aside` moves the log away, the journal file then gives back what is missing."""

    code = "store_foreign_log"


class DiskFull(StoreError):
    """No room for the write (FULL, 13, or a failed write on a volume without room).

    The transaction is rolled back; reads go on and everything committed is still there.
    """

    code = "store_disk_full"


class ReadOnlyFolder(StoreError):
    """The folder of the store cannot be written to (READONLY, 8, or a refused trial file)."""

    code = "store_read_only_folder"


class Busy(StoreError):
    """Somebody else holds the write lock or the connection beyond the time-out (BUSY, 5)."""

    code = "store_busy"


class IoFailed(StoreError):
    """The disk refused a read, a write or a sync (IOERR, 10; CANTOPEN, 14). Rolled back."""

    code = "store_io_failed"


class Interrupted(StoreError):
    """The query was called off by `Store.interrupt` (INTERRUPT, 9): a newer one is wanted."""

    code = "store_interrupted"


class ConstraintBroken(StoreError):
    """A row broke a CHECK, UNIQUE, foreign key or insert-only trigger (CONSTRAINT, 19)."""

    code = "store_constraint_broken"


class WriteRefused(StoreError):
    """A write on a reading connection (READONLY, 8, in a writable folder): a mistake of ours."""

    code = "store_write_refused"


class NewerSchema(StoreError):
    """The store was written by a newer version of the product. It has not been touched."""

    code = "store_newer_schema"

    def __init__(self, path: Path | None, *, found: int, known: int) -> None:
        super().__init__(path, f"schema {found}, this version knows {known}")
        self.found = found
        self.known = known


class MigrationChanged(StoreError):
    """A migration that this store has had is not the shipped one: a released file was edited."""

    code = "store_migration_changed"


class AlreadyRunning(StoreError):
    """Another process holds the lock of this store (db/lock.py)."""

    code = "store_already_running"
