"""The kiosk for the tests of this folder, and a disk to ruin many copies of it on."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.kiosk import kiosk, made_template, template

__all__ = ["disk", "kiosk", "made_template", "template"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Where the states are made: in memory where there is such a place, 2,000 are many."""
    memory = Path("/dev/shm")
    base = memory if memory.is_dir() else tmp_path
    folder = base / f"regulars-faults-{tmp_path.name}-{random.SystemRandom().randrange(1 << 32)}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)
