"""The long run before a release: `python -m tests.long --seed-base N --minutes M`.

Each part runs by itself, prints its seeds, rate and counts, and the whole ends in a JSON report in
out/long.json. A part is a function (seed, seconds) -> report; `failed` in a report fails the run. Parts that
prove a number of cases run them all, however long it takes: `--seeds` of the simulator, `--streams` through
head office's stores.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from tests.long import (
    alterations,
    failover,
    head_office_stores,
    hostile,
    kills,
    lossy_line,
    member_lives,
    month_end,
    offline_month,
    pgbackrest_drill,
    random_cases,
    simulator,
)

Part: TypeAlias = Callable[[int, float], dict[str, Any]]
PARTS: dict[str, Part] = {
    "alterations": alterations.run,
    "failover": failover.run,
    "head_office_stores": head_office_stores.run,
    "hostile": hostile.run,
    "kills": kills.run,
    "lossy_line": lossy_line.run,
    "member_lives": member_lives.run,
    "month_end": month_end.run,
    "offline_month": offline_month.run,
    "pgbackrest_drill": pgbackrest_drill.run,
    "random_cases": random_cases.run,
    "simulator": simulator.run,
}
REPORT = Path("out/long.json")


def main() -> int:
    """Run every part for its share of the time, or only those that are named."""
    parser = argparse.ArgumentParser(prog="python -m tests.long", description=__doc__)
    parser.add_argument("--seed-base", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--only", action="append", choices=sorted(PARTS))
    parser.add_argument(
        "--seeds", type=int, default=simulator.SEEDS, help="of the simulator (%(default)s)"
    )
    parser.add_argument(
        "--streams", type=int, default=head_office_stores.STREAMS,
        help="through head office's three stores (%(default)s)",
    )  # fmt: skip
    chosen = parser.parse_args()
    names = chosen.only or sorted(PARTS)
    parts: dict[str, Part] = {
        **PARTS,
        "head_office_stores": partial(head_office_stores.run, streams=chosen.streams),
        "simulator": partial(simulator.run, seeds=chosen.seeds),
    }
    reports = {}
    for name in names:
        started = time.monotonic()
        report = parts[name](chosen.seed_base, chosen.minutes * 60 / len(names))
        report["seconds"] = round(time.monotonic() - started)
        reports[name] = report
        print(f"{name}: {json.dumps(report, ensure_ascii=False)}", flush=True)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(reports, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return 1 if any(report.get("failed") for report in reports.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
