"""One program a store: an operating-system lock on a file beside the database, held for life.

The system frees it when the process ends in any way, kill -9 included, so there is no stale lock
to clear. A store's file is never removed. Who removes the lock of work that is over does so holding
it, and who takes a lock looks whether its file is still the one of that name: two programs can't
each hold "the" lock, one on the old file and one on the new.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from db.errors import AlreadyRunning, DiskFull, IoFailed, ReadOnlyFolder, StoreError

SUFFIX: Final = ".lock"


class StoreLock:
    """The right to be the only program on a store. `AlreadyRunning` when somebody has it,
    ReadOnlyFolder, DiskFull or IoFailed when its file can't be written."""

    def __init__(self, path: Path) -> None:
        """Take the lock of the store at `path` at once or raise; nothing waits."""
        self.path = path.with_name(path.name + SUFFIX)
        # Not inheritable (Python's default): a child that outlives us must not keep the till shut.
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _why(error, path) from error
        try:
            _lock(handle)
        except OSError as error:
            os.close(handle)
            raise AlreadyRunning(path) from error
        if not _is_file_of(handle, self.path):
            os.close(handle)
            raise AlreadyRunning(path)
        self._handle: int | None = handle

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def release(self) -> None:
        """Give the lock back; the second call does nothing."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def remove(self) -> None:
        """Give the lock back and leave no file: of work that is over, never of a store."""
        with contextlib.suppress(OSError):
            self.path.unlink()  # Not while it is open on Windows: there the file stays.
        self.release()


def _is_file_of(handle: int, path: Path) -> bool:
    """Whether the file of this name is the open one, and not one that came after it was removed."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


def _why(error: OSError, path: Path) -> StoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(path, "no room for the lock's file")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return ReadOnlyFolder(path, os.strerror(error.errno))
    return IoFailed(path, os.strerror(error.errno or 0))


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        # flock belongs to the open file, not to the process as POSIX record locks do: a second
        # open in the same process is refused too, and closing another handle frees nothing.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
