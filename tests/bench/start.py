"""From exec to the painted sign-in, against a bare QMainWindow; both processes in turn on a virtual screen.

T0 is in the environment at spawn, as the system-wide monotonic clock has it; the process tells when the turn
of the event loop after its first paint came (counter-ui.md section 12).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.figures import Figure, percentile
from tests.bench.window import SCREEN, on_screen
from ui.tour.screen import virtual_screen

STARTS = 20
LIMIT_S = 60
COSTLY: Final = ("sqlalchemy", "pypinyin", "numpy", "sqlcipher3", "cryptography", "argon2", "PIL")

_REPORT: Final = """
import json, os, sys, time
def report():
    took = time.monotonic() - float(os.environ["T0"])
    print(json.dumps([took * 1000, sorted({name.split(".")[0] for name in sys.modules})]), flush=True)
    os._exit(0)
"""
OURS: Final = f"""{_REPORT}
import ui.main_window
ui.main_window.MainWindow._open = lambda window, passphrase: report()
from ui.__main__ import main
main(["--store", sys.argv[1]])
"""
BARE: Final = f"""{_REPORT}
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
class Bare(QMainWindow):
    def paintEvent(self, event):
        super().paintEvent(event)
        QTimer.singleShot(0, report)
application = QApplication([])
window = Bare()
window.resize(application.primaryScreen().availableGeometry().size())
window.show()
application.exec()
"""


@dataclass(frozen=True, slots=True)
class Starts:
    """Milliseconds of each start, and what our process had imported by its first paint."""

    ours_ms: list[float]
    bare_ms: list[float]
    imported: frozenset[str]


def measured(folder: Path) -> Starts:
    """Start both in turn; the first pair warms the system's cache and isn't counted."""
    ours: list[float] = []
    bare: list[float] = []
    imported: set[str] = set()
    with virtual_screen(SCREEN) as display:
        for turn in range(STARTS + 1):
            took, names = _start(OURS, folder, display)
            bare_took, _ = _start(BARE, folder, display)
            imported |= names
            if turn:
                ours.append(took)
                bare.append(bare_took)
    return Starts(ours, bare, frozenset(imported))


def _start(code: str, folder: Path, display: str) -> tuple[float, set[str]]:
    environment = {**on_screen(display), "T0": str(time.monotonic())}
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        env=environment,
        cwd=os.getcwd(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    took, names = json.loads(done.stdout.strip().splitlines()[-1])
    return took, set(names)


def figures(starts: Starts) -> list[Figure]:
    """The ratio of the medians, and how many costly packages were imported too early."""
    median, bare = percentile(starts.ours_ms, 0.5), percentile(starts.bare_ms, 0.5)
    early = len(starts.imported.intersection(COSTLY))
    count = len(starts.ours_ms)
    return [
        Figure(
            "exec to painted / bare QMainWindow", median / bare, "x", 2.5, "lower", count,
            "bare, ms", bare,
        ),
        Figure(
            "costly packages imported before it", early, "", 0, "lower", count,
            "all packages", len(starts.imported),
        ),
    ]  # fmt: skip
