"""A head office on loopback, a process of its own: the tour's till joins it, loses it and finds it again, and
the demo counter has it beside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

CHAIN: Final = "Demo chain"
STORE: Final = "Riverside store"
TILL: Final = "Till 01"
_STOP_S: Final = 20


class DidNotStart(RuntimeError):
    """Head office is not there: its port is another program's, or its folder in use."""


class TourOffice:
    """`regulars-headoffice` with its demo chain; its data in a folder. Its messages are read in English."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._port = folder / "port"
        self.address = ""

    @property
    def was_here(self) -> bool:
        """Whether it served from this folder before."""
        return self._port.exists()

    def start(self) -> None:
        """Serve; the second time at the address of the first. Raises DidNotStart."""
        self.folder.mkdir(parents=True, exist_ok=True)
        port = self._port.read_text("ascii") if self.was_here else "0"
        command = [*_PROGRAM, "serve", "--data", str(self.folder), "--demo", "--port", port]
        self._process = subprocess.Popen(
            command, env=_ENGLISH, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "http://" in line:
                self.address = line[line.index("http://") :].split()[0].rstrip(".")
                self._port.write_text(self.address.rsplit(":", 1)[1], "ascii")
                return
        raise DidNotStart("head office did not start")

    def code(self) -> str:
        """A code that lets the till in."""
        return self._tell("enrol-code", STORE, TILL)

    def invitation(self) -> str:
        """What comes behind the address for somebody who is let into the console."""
        return self._tell("new-staff", CHAIN, "AN", "head-office")

    def _tell(self, command: str, *words: str) -> str:
        line = [*_PROGRAM, command, "--data", str(self.folder), *words]
        done = subprocess.run(line, env=_ENGLISH, text=True, capture_output=True, check=True)
        return done.stdout.strip()

    def stop(self) -> None:
        """The line is gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(_STOP_S)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


_PROGRAM: Final = (sys.executable, "-m", "headoffice", "--language", "en")
_ENGLISH: Final = {**os.environ, "LANGUAGE": "en"}
