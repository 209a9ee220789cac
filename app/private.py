"""A store's files are its user's alone: 0600 in folders of 0700 (POSIX; on Windows the inherited rights of the
profile folder say so). No contents here: what lies in the files is sealed by others."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Final

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
_OTHERS: Final = 0o077


def make_all_private() -> None:
    """From now on every file and folder that this process makes is its user's alone, a library's too."""
    if os.name == "posix":
        os.umask(_OTHERS)


def leave_no_core() -> None:
    """What this process has in memory is written nowhere when it crashes, nor what its children have."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def shut(folder: Path) -> None:
    """Take from others what an earlier version, or a copy, left open to them: the folder, so that nothing below
    it can be reached either, and the files in it."""
    if os.name != "posix":
        return
    for path, mode in ((folder, FOLDER_MODE), *((each, FILE_MODE) for each in folder.iterdir())):
        if path.is_dir() and path is not folder:
            continue
        # A volume without rights (a stick) or a read-only one: opening will say what matters of it.
        with contextlib.suppress(OSError):
            if path.stat().st_mode & _OTHERS:
                path.chmod(mode)
