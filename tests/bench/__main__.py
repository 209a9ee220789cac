"""Measure, print, keep: `python -m tests.bench [--members 1000000]`, from the project's folder."""

from __future__ import annotations

import argparse
import os
from typing import Final

from tests.bench import commit, files, pure, search, start, window
from tests.bench.figures import Figure, keep, table
from tests.bench.stores import opened

MEMBERS: Final = 1_000_000
FEWER: Final = 20


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.bench")
    options.add_argument("--members", type=int, default=MEMBERS)
    members = options.parse_args().members
    found = measure(members)
    print(table(found))
    missed = sum(not figure.met for figure in found)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{len(found)} figures at {members:,} members, {missed} missed; load {load}")
    keep(found, members=members)


def measure(members: int) -> list[Figure]:
    """Everything that is measured; a missed limit is a figure like any other."""
    with opened(members // FEWER or 1) as pair:
        small = search.measure_keystrokes(pair)
        found = files.figures(pair)
    with opened(members) as pair:
        large = search.measure_keystrokes(pair)
        first = search.measure_first_search(pair)
    return [
        *search.figures(large, small, first),
        *commit.figures(commit.measured(members)),
        *window.figures(window.measured(members)),
        *start.figures(start.measured(members)),
        *found,
        *pure.figures(),
    ]


if __name__ == "__main__":
    main()
