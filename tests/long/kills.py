"""1,000 kills of a selling till: after each the whole audit is asked, and calls nothing an alteration (A2)."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

from app.keyslots.document import MEMORY_LEAST_KIB, TIME_LEAST, Kdf
from tests.app.kiosk import make_template
from tests.faults.killed_till import Stage
from tests.faults.test_kill import Till

TIMES: Final = 1000
EACH: Final = 50
"""Kills of one store; then it is a new one."""


def run(seed: int, seconds: float) -> dict[str, Any]:
    """Kills at every stage of a sale; `failed` lists what was lost, doubled or falsely called altered."""
    until = time.monotonic() + seconds
    chance = random.Random(seed)
    ended: Counter[Stage] = Counter()
    failed: list[str] = []
    audits = stores = 0
    memory = Path("/dev/shm")
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        base = Path(folder)
        patch.setenv("REGULARS_MACHINE", str(base / "machine"))
        patch.setattr(
            "app.keyslots.envelope.calibrated",
            lambda: Kdf(MEMORY_LEAST_KIB, TIME_LEAST, 1, os.urandom(16)),
        )
        template = make_template(base / "template")
        while ended.total() < TIMES or time.monotonic() < until:
            stores += 1
            home = base / f"till-{stores}"
            home.mkdir()
            till = Till(home, template)
            for _ in range(EACH):
                target = min(Stage, key=lambda stage: (ended[stage], chance.random()))
                ended[till.run_and_kill(target, chance)] += 1
            till.run_and_kill(Stage.IDLE, chance)  # to look at what the last kill left
            failed += till.memory.problems
            audits += till.memory.audits
    failed += [f"never killed at {stage.name}" for stage in Stage if not ended[stage]]
    return {
        "seed": seed,
        "kills": ended.total(),
        "audits": audits,
        "stores": stores,
        "at": {stage.name: ended[stage] for stage in Stage},
        "failed": failed[:20],
    }
