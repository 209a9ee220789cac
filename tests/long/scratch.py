"""A folder for stores that are thrown away, on a machine of their own and with the cheapest passphrase, what is
done in one again and again, and what many processes do."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.costs import lower

Result = TypeVar("Result")


def in_processes(
    work: Callable[[int], Result], numbers: Iterable[int], processes: int | None
) -> Iterator[Result]:
    """What each number gives, as they end; on so many processes (None: one for each processor, 0: this one)."""
    if processes == 0:
        yield from map(work, numbers)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(work, numbers)


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


def again_and_again(
    once: Callable[[Path, int], Counter[str]], seed: int, seconds: float
) -> dict[str, Any]:
    """At least once, each time on a disk of its own; `failed` lists what an AssertionError said."""
    until = time.monotonic() + seconds
    total: Counter[str] = Counter()
    failed: list[str] = []
    times = 0
    while not times or time.monotonic() < until:
        with scratch(in_memory=False) as place:
            try:
                total += once(place, seed * 1000 + times)
            except AssertionError as error:
                failed.append(f"time {times}: {str(error)[:2000]}")
        times += 1
    return {"seed": seed, "times": times, "counts": dict(total), "failed": failed[:20]}
