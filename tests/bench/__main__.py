"""Measure, print, keep: `python -m tests.bench [--members N | --store FOLDER]`, from the project's folder.

A store that is named is used as it lies, whatever made it, and only read: what writes works on a copy. Every
group of figures stands for itself: one that fails is told, with its traceback, and the others are kept.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.build import DATABASE
from tests.bench import (
    commit,
    day,
    files,
    guard,
    office_pushes,
    office_rows,
    office_waits,
    pure,
    reports,
    search,
    start,
    stores,
    window,
)
from tests.bench.copies import copied
from tests.bench.figures import Figure, keep, table

MEMBERS: Final = 1_000_000
FEWER: Final = 20
COPIES_AT_ONCE: Final = 2
"""How many copies of the database lie beside it at most: the till's and the partner's of the commit."""


@dataclass(frozen=True, slots=True)
class Run:
    """The figures that were measured, and the groups that could not be."""

    figures: list[Figure] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def main() -> int:
    """Measure everything; 1 when a group of figures could not be measured. A missed limit is no failure."""
    options = argparse.ArgumentParser(prog="python -m tests.bench")
    options.add_argument("--members", type=int, default=MEMBERS, help="of a demo store in out/")
    options.add_argument("--store", type=Path, help="the folder of a demo store to use instead")
    chosen = options.parse_args()
    folder = chosen.store or stores.ensure(chosen.members)
    members = stores.members_of(folder)
    _require_room(folder)
    run = measure(folder, stores.ensure(max(1, members // FEWER)))
    if run.figures:
        print(table(run.figures))
    missed = sum(not figure.met for figure in run.figures)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(
        f"{len(run.figures)} figures at {members:,} members of {folder}, {missed} missed; load {load}"
    )
    if run.failed:
        print(f"not measured: {', '.join(run.failed)}")
    keep(run.figures, members=members, store=str(folder), failed=run.failed)
    return 1 if run.failed else 0


def measure(folder: Path, smaller: Path) -> Run:
    """Every group in turn, on the store of `folder` and on the `smaller` one."""
    run = Run()
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"bench {time.monotonic() - began:6.0f} s  {what}", file=sys.stderr, flush=True)

    def take(name: str, group: Iterator[list[Figure]]) -> None:
        tell(name)
        try:
            for found in group:
                run.figures.extend(found)
                tell(", ".join(figure.name for figure in found))
        except Exception:  # the edge of the bench: one group's fault must not cost the others
            traceback.print_exc()
            run.failed.append(name)

    take("search and file", _searches(folder, smaller))
    take("start", _start(folder))
    take("fold and receipts", _pure())
    tell("copying the store")
    with copied(folder, "till") as copy:
        take("sale commit", _commit(copy))
        take("window", _window(copy))
        take("guard", _guard(copy))
        take("reports", _reports(copy))
        take("the shop's day", day.figures(copy))
    take("head office's pushes", _pushes())
    take("head office's waits", _waits())
    take("head office's rows", _rows())
    tell("done")
    return run


def _searches(folder: Path, smaller: Path) -> Iterator[list[Figure]]:
    with stores.opened(smaller) as pair:
        yield files.figures(pair)
        small = search.measure_keystrokes(pair)
    with stores.opened(folder) as pair:
        yield search.figures(search.measure_keystrokes(pair), small)
        yield search.first_figures(search.measure_first_search(pair))


def _start(folder: Path) -> Iterator[list[Figure]]:
    yield start.figures(start.measured(folder))


def _pure() -> Iterator[list[Figure]]:
    yield pure.figures()


def _commit(copy: Path) -> Iterator[list[Figure]]:
    yield commit.figures(commit.measured(copy))


def _window(copy: Path) -> Iterator[list[Figure]]:
    yield window.figures(window.measured(copy))


def _reports(copy: Path) -> Iterator[list[Figure]]:
    yield reports.figures(copy)


def _guard(copy: Path) -> Iterator[list[Figure]]:
    yield guard.figures(guard.measured(copy))


def _pushes() -> Iterator[list[Figure]]:
    yield from office_pushes.figures(stores.OUT)


def _waits() -> Iterator[list[Figure]]:
    yield from office_waits.figures(stores.OUT)


def _rows() -> Iterator[list[Figure]]:
    yield from office_rows.figures(stores.OUT)


def _require_room(folder: Path) -> None:
    """Stop before anything is copied when the working copies would not fit."""
    needed = COPIES_AT_ONCE * (folder / DATABASE).stat().st_size
    stores.OUT.mkdir(exist_ok=True)
    free = shutil.disk_usage(stores.OUT).free
    if free < needed:
        sys.exit(f"the bench needs {needed / 1e9:.1f} GB for its copies, {free / 1e9:.1f} are free")


if __name__ == "__main__":
    sys.exit(main())
