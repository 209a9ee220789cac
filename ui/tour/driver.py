"""Types real keys into the real window, waits for what they should bring about, and takes pictures.

A script is a generator that yields what to wait for; the driver polls it from the window's own event loop, so
the window is never blocked and never hurried.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from ui.tour.looks import faults

Condition = Callable[[], bool]
Script = Iterator[Condition]
POLL_MS: Final = 15
PATIENCE_S: Final = 45.0
TYPING_MS: Final = 130  # xdotool waits half of it between keys; a scanner is quicker than 35 ms
SCAN_MS: Final = 6


class TourStuck(RuntimeError):
    """A step did not bring about what it should."""


@dataclass(slots=True)
class Done:
    """One step of the tour: what was done, how long it took, its picture and what is wrong with it."""

    what: str
    took_ms: int
    picture: str
    faults: list[str]


@dataclass(slots=True)
class Tour:
    """What was done so far."""

    out: Path
    done: list[Done] = field(default_factory=list)
    failure: str = ""

    @property
    def pictures(self) -> int:
        """How many pictures were taken."""
        return sum(1 for each in self.done if each.picture)


class Driver(QObject):
    """Runs one script on the window that is shown, then calls `finished`."""

    def __init__(
        self,
        window: Callable[[], QWidget],
        tour: Tour,
        script: Script,
        finished: Callable[[], None],
    ) -> None:
        super().__init__()
        self._window = window
        self._tour = tour
        self._script = script
        self._finished = finished
        self._waiting: Condition | None = None
        self._since = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)

    def start(self) -> None:
        """Begin with the next turn of the event loop."""
        self._timer.start()

    def _poll(self) -> None:
        try:
            if self._waiting is not None and not self._waiting():
                if time.monotonic() - self._since > PATIENCE_S:
                    last = self._tour.done[-1].what if self._tour.done else "the start"
                    said = " | ".join(self._said())
                    raise TourStuck(f"nothing came of the step after “{last}”; on screen: {said}")
                return
            self._waiting = next(self._script)
            self._since = time.monotonic()
        except StopIteration:
            self._stop()
        except Exception as error:  # the tour must end and say why, whatever went wrong
            self._tour.failure = f"{type(error).__name__}: {error}"
            self._picture("stuck")
            self._stop()

    def _stop(self) -> None:
        self._timer.stop()
        self._finished()

    def _said(self) -> list[str]:
        """What the labels of the window say: where no picture is kept, the message has to do."""
        labels = self._window().findChildren(QLabel)
        return [label.text() for label in labels if label.isVisible() and label.text()]

    def _picture(self, name: str) -> None:
        take_picture(self._window(), self._tour.out / f"{name}.png")


class Hands:
    """Real keys through the X server, one after the other."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def type(self, text: str) -> Condition:
        """Type as a person does."""
        return self._run("type", "--delay", str(TYPING_MS), "--", text)

    def scan(self, code: str) -> Condition:
        """What a keyboard-wedge scanner sends: the code at machine speed and Enter."""
        return self._run("type", "--delay", str(SCAN_MS), "--args", "1", code, "key", "Return")

    def press(self, *keys: str) -> Condition:
        """Press keys by their X names: Return, Escape, F6, ctrl+w, Down …"""
        return self._run("key", "--delay", str(TYPING_MS), "--", *keys)

    def activate(self, window: QWidget) -> Condition:
        """Ask the window manager for the keyboard, as a click on a task bar does."""
        return self._run("windowactivate", "--sync", str(int(window.winId())))

    def _run(self, *arguments: str) -> Condition:
        self._process = subprocess.Popen(["xdotool", *arguments])
        return self.rest

    def rest(self) -> bool:
        """Whether everything that was asked for has been typed."""
        return self._process is None or self._process.poll() is not None


def take_picture(window: QWidget, path: Path) -> None:
    """The window as it stands, as PNG."""
    window.grab().save(str(path))


class Camera:
    """Takes numbered pictures and notes each step with its time."""

    def __init__(self, window: Callable[[], QWidget], tour: Tour) -> None:
        self._window = window
        self._tour = tour
        self._began = time.monotonic()

    def begin(self) -> None:
        """A step begins."""
        self._began = time.monotonic()

    def step(self, what: str, *, name: str = "") -> None:
        """A step is done; with a name a picture is taken."""
        took_ms = round((time.monotonic() - self._began) * 1000)
        picture = ""
        wrong: list[str] = []
        if name:
            QApplication.sendPostedEvents()
            picture = f"{self._tour.pictures + 1:02d}_{name}.png"
            take_picture(self._window(), self._tour.out / picture)
            wrong = faults(self._window())
        self._tour.done.append(Done(what, took_ms, picture, wrong))
        mark = "" if not wrong else f"  ({len(wrong)} faults)"
        print(f"  {took_ms:6d} ms  {what}{mark}", file=sys.stdout, flush=True)
        self._began = time.monotonic()
