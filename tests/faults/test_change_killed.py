"""A change of the passphrase that is killed at any step leaves a store that opens, and never another key."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from app.build import DATABASE, open_till
from app.commands.demo_data import no_keystore
from app.domain.errors import Outage, Unavailable
from app.keyslots.document import NAMES
from tests.app.kiosk import PASSPHRASE, Template

NEW = "seven 雨伞 behind the door"
STEPS = 12
"""Two copies, each: open and fdopen the new file, fsync, replace, open the folder, fsync it."""


def change(folder: Path, nth: int) -> int:
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.killed_change", str(folder), str(nth), PASSPHRASE, NEW],
        check=False, capture_output=True, timeout=120,
    ).returncode  # fmt: skip


def opens(folder: Path, passphrase: str) -> bool:
    """Whether it opens a copy of the folder as it lies: opening mends, and the next look must not see that."""
    look = folder.with_name("look")
    shutil.rmtree(look, ignore_errors=True)
    shutil.copytree(folder, look)
    try:
        open_till(look, passphrase=passphrase, find_keystore=no_keystore).close()
    except Unavailable as error:
        if error.code is not Outage.PASSPHRASE_WRONG:
            raise
        return False
    assert (look / NAMES[0]).read_bytes() == (look / NAMES[1]).read_bytes()
    return True


def test_killed_at_every_step_it_never_locks_out(template: Template, tmp_path: Path) -> None:
    ways: Counter[tuple[bool, bool]] = Counter()
    database = (template.folder / DATABASE).read_bytes()
    for nth in range(1, STEPS + 1):
        folder = template.copy_to(tmp_path / str(nth) / "store")
        assert change(folder, nth) == -9, nth
        ways[opens(folder, PASSPHRASE), opens(folder, NEW)] += 1
        assert (folder / DATABASE).read_bytes() == database
    assert ways[False, False] == 0
    # Before the first replace, between the two, after the second: every stage was hit.
    assert min(ways[True, False], ways[True, True], ways[False, True]) > 0


def test_nothing_is_left_to_kill_after_the_last_step(template: Template, tmp_path: Path) -> None:
    folder = template.copy_to(tmp_path / "store")
    assert change(folder, STEPS + 1) == 0
    assert (opens(folder, PASSPHRASE), opens(folder, NEW)) == (False, True)
