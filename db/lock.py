"""One program a store: an operating-system lock on a file beside the database, held for life.

The system frees it when the process ends in any way, kill -9 included, so there is no stale lock
to clear and the file itself is never removed: removing it would let two processes each hold
"the" lock, one on the old file and one on the new.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from db.errors import AlreadyRunning, DiskFull, IoFailed, ReadOnlyFolder, StoreError


class StoreLock:
    """The right to be the only program on a store. `AlreadyRunning` when somebody has it,
    ReadOnlyFolder, DiskFull or IoFailed when its file can't be written."""

    def __init__(self, path: Path) -> None:
        """Take the lock of the store at `path` at once or raise; nothing waits."""
        self.path = path.with_name(path.name + ".lock")
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
