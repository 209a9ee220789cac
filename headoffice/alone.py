"""The lock of head office's folder."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LOCK_FILE: Final = "serving.lock"


class AlreadyServing(Exception):
    """Another process serves this folder."""


@contextlib.contextmanager
def alone(folder: Path, lock: str = LOCK_FILE) -> Iterator[None]:
    """Be the only one that serves a folder, or does what another lock stands for. Raises AlreadyServing.

    A transaction on a little database of its own: every operating system ends it with the process.
    """
    raw = sqlite3.connect(folder / lock, timeout=0, isolation_level=None)
    try:
        try:
            raw.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise AlreadyServing(str(folder)) from error
        yield
    finally:
        raw.close()
