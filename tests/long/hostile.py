"""What nobody of ours wrote: 100,000 requests of tills that are spoilt or mean harm (R11), and 2,000 requests
by Schemathesis to each operation of the API (H1)."""

from __future__ import annotations

import traceback
from typing import Any, Final

from schemathesis import GenerationMode

from tests.headoffice.api_fuzz import fuzz, office, unharmed
from tests.long.scratch import scratch
from tests.sim.hostile import MEMORY_KIB, ask_spoilt

REQUESTS: Final = 100_000
EXAMPLES: Final = 2_000


def run(
    seed: int, seconds: float, *, requests: int = REQUESTS, examples: int = EXAMPLES
) -> dict[str, Any]:
    """All of them, however long it takes; `failed` has the trace of what went wrong. `seconds` is not looked
    at."""
    del seconds
    failed: list[str] = []
    report: dict[str, Any] = {"seed": seed, "wanted": requests, "wanted_each_operation": examples}
    try:
        told = ask_spoilt(requests, seed)
        report["requests"] = dict(told)
        if told["asked"] != requests or told["peak KiB"] > MEMORY_KIB:
            failed.append(f"fewer than asked for, or too much memory: {told}")
    except Exception:
        failed.append(traceback.format_exc(limit=-3))
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        with scratch(in_memory=True) as folder, office(folder) as (at, shop):
            try:
                statuses = fuzz(at, shop, mode, examples=examples, chance=seed)
                unharmed(at, statuses)
                report[mode.value] = dict(statuses)
            except Exception:
                failed.append(f"{mode.value}: {traceback.format_exc(limit=-3)}")
    return {**report, "failed": failed}
