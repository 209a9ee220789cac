"""Days of two real tills over a line that breaks most of what they say: as many as the time allows."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any, Final

from tests.app.joined import GENEROUS
from tests.app.kiosk import Kiosk, make_template
from tests.headoffice import lossy_day
from tests.headoffice.http_office import begin_chain, served
from tests.headoffice.lossy import lossy
from tests.long.scratch import scratch

STEPS: Final = 120
CHANCES: Final = (0.3, 0.6, 0.8)
"""Of a fault, for each request; in turn."""


def run(seed: int, seconds: float, *, steps: int = STEPS) -> dict[str, Any]:
    """At least one day; `failed` lists seeds after which something was lost, doubled or not equal."""
    until = time.monotonic() + seconds
    total: Counter[str] = Counter()
    failed: list[str] = []
    days = 0
    with scratch(in_memory=True) as base:
        templates = [make_template(base / name, name) for name in ("01", "02")]
        while not days or time.monotonic() < until:
            number, place = seed * 1_000_000 + days, base / f"day-{days}"
            (place / "office").mkdir(parents=True)
            begin_chain(place / "office", budget=10_000, limits=GENEROUS)
            with contextlib.ExitStack() as stack:
                office = stack.enter_context(served(place / "office"))
                chance = CHANCES[days % len(CHANCES)]
                proxy = stack.enter_context(lossy(office.url, number, chance=chance))
                tills = [Kiosk(each.copy_to(place / each.folder.name), each) for each in templates]
                for each in tills:
                    stack.callback(each.close)
                    each.clock.now = datetime.now(UTC)
                try:
                    total += lossy_day.run(tills, proxy, office, number, steps=steps)
                    total += proxy.counts
                except AssertionError as error:
                    failed.append(f"seed {number}: {str(error)[:300]}")
            days += 1
    return {"seed": seed, "days": days, "counts": dict(total), "failed": failed[:20]}
