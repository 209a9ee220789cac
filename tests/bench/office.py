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
    members = options.parse_args().members
    OUT.mkdir(exist_ok=True)
    found = list[Figure]()
    with patch.object(office_rows, "MEMBERS", members):
        for group in (
            office_pushes.figures(OUT),
            office_waits.figures(OUT),
            office_rows.figures(OUT),
        ):
            for figures in group:
                print(table(figures), flush=True)
                found += figures
    print("load", ", ".join(f"{each:.1f}" for each in os.getloadavg()))
    keep(found, members=members, path=FILE)


if __name__ == "__main__":
    main()
