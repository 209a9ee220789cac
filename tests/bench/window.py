"""The real window under load: key press to painted rows, gaps of its event loop, its memory at rest.

The window runs in a process of its own (`tests.bench.window_run`) on a virtual screen, on a copy of the demo
store, and is typed at through the X server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from db.engine import Store
from tests.bench.copies import at_work, till_of
from tests.bench.figures import Figure, percentile
from tests.bench.search import some_members
from ui.tour.screen import virtual_screen

TEXTS = 110
LETTERS_TYPED = 4
SCREEN = "1366x768"
LIMIT_S = 600


@dataclass(frozen=True, slots=True)
class Window:
    """Milliseconds from a key to the paint of its rows and between two beats of the event loop;
    megabytes at rest; the sales and whole scans that ran beside the typing."""

    painted_ms: list[float]
    gaps_ms: list[float]
    idle_mb: float
    sales: int
    scans: int


def measured(folder: Path) -> Window:
    """Open the window on a working copy of a demo store and type at it."""
    with till_of(folder) as till:
        at_work(till)
        texts = _texts(till.context.store)
    return _run(folder, texts)


def _texts(store: Store) -> list[str]:
    """What a cashier types, in plain letters and digits: last four, pinyin, initials."""
    found: list[str] = []
    with store.read() as conn:
        for ways in some_members(conn):
            plain = [way for way in ways if way.isascii() and way.isalnum()]
            found += [way[:LETTERS_TYPED] for way in plain if len(way) >= LETTERS_TYPED]
    return found[:: max(1, len(found) // TEXTS)][:TEXTS]


def _run(folder: Path, texts: list[str]) -> Window:
    plan, report = folder / "texts.json", folder / "window.json"
    plan.write_text(json.dumps(texts), "utf-8")
    with virtual_screen(SCREEN) as display:
        subprocess.run(
            [sys.executable, "-m", "tests.bench.window_run", str(folder), str(plan), str(report)],
            env=on_screen(display),
            timeout=LIMIT_S,
            check=True,
        )
    return Window(**json.loads(report.read_text("utf-8")))


def on_screen(display: str) -> dict[str, str]:
    """The environment of a program that opens its window on this display."""
    found = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    found.pop("WAYLAND_DISPLAY", None)
    return found


def figures(window: Window) -> list[Figure]:
    """The figures of the window; none of them has a partner, their limits are absolute."""
    keys, beats = len(window.painted_ms), len(window.gaps_ms)
    half, most = percentile(window.painted_ms, 0.5), percentile(window.painted_ms, 0.95)
    gap = percentile(window.gaps_ms, 0.99)
    beside = "sales beside it"
    return [
        Figure("key to rows painted p50", half, "ms", 25, "lower", keys, beside, window.sales),
        Figure("key to rows painted p95", most, "ms", 60, "lower", keys, beside, window.sales),
        Figure(
            "event loop gap p99", gap, "ms", 20, "lower", beats, "scans beside it", window.scans
        ),
        Figure("resident memory, signed in and idle", window.idle_mb, "MB", 160, "lower", 1),
    ]
