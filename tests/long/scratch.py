"""A folder for stores that are thrown away, on a machine of their own and with the cheapest passphrase."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.costs import lower


@contextmanager
def scratch(*, in_memory: bool) -> Iterator[Path]:
    """The folder; gone after the block. `in_memory` where the system has such a place: what the disk
    takes is then no part of the run."""
    memory = Path("/dev/shm")
    place = memory if in_memory and memory.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as folder, pytest.MonkeyPatch.context() as patch:
        base = Path(folder)
        patch.setenv("REGULARS_MACHINE", str(base / "machine"))
        lower(patch)
        yield base
