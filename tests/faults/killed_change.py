"""`python -m tests.faults.killed_change FOLDER NTH OLD NEW`: changes a passphrase and dies before its nth
step on the disk, the way a pulled plug would stop it. Exits 0 when the change was over before."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.build import change_passphrase
from app.commands.demo_data import no_keystore
from app.keyslots import document, envelope
from tests.costs import least_kdf


class Counted:
    """The os module as the slot file's writer sees it: each step is counted, and one is never taken."""

    def __init__(self, nth: int) -> None:
        self.left = nth

    def __getattr__(self, name: str) -> Any:
        found = getattr(os, name)
        return self._counted(found) if name in ("open", "fdopen", "fsync", "replace") else found

    def _counted(self, act: Callable[..., object]) -> Callable[..., object]:
        def step(*given: object, **named: object) -> object:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return act(*given, **named)

        return step


def main(folder: str, nth: str, old: str, new: str) -> None:
    vars(envelope)["calibrated"] = least_kdf
    vars(document)["os"] = Counted(int(nth))
    change_passphrase(Path(folder), old, new, find_keystore=no_keystore)


if __name__ == "__main__":
    main(*sys.argv[1:])
