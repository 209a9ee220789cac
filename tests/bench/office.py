"""Head office's figures alone: `python -m tests.bench.office [--members N]`, into out/bench-office.json."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from unittest.mock import patch

from tests.bench import office_pushes, office_rows, office_waits
from tests.bench.figures import Figure, keep, table
from tests.bench.stores import OUT

FILE = Path("out") / "bench-office.json"


def main() -> None:
    """Measure the three groups; every figure is printed as soon as it is there."""
    options = argparse.ArgumentParser(prog="python -m tests.bench.office")
    options.add_argument("--members", type=int, default=office_rows.MEMBERS)
    options.add_argument(
        "--only", choices=["bootstrap"], help="a till that begins, and its snapshot"
    )
    asked = options.parse_args()
    members: int = asked.members
    OUT.mkdir(exist_ok=True)
    found = list[Figure]()
    groups = [office_pushes.figures, office_waits.figures, office_rows.figures]
    with patch.object(office_rows, "MEMBERS", members):
        for group in [office_rows.beginning] if asked.only else groups:
            for figures in group(OUT):
                print(table(figures), flush=True)
                found += figures
    print("load", ", ".join(f"{each:.1f}" for each in os.getloadavg()))
    keep(found, members=members, path=FILE)


if __name__ == "__main__":
    main()
