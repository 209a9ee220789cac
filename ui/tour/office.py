"""A head office of the tour's own, a process on loopback: the till joins it, loses it and finds it again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

STORE: Final = "Riverside store"
TILL: Final = "Till 01"
_STOP_S: Final = 20


class TourOffice:
    """`regulars-headoffice` with its demo chain; its data in a folder. Its messages are read in English."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._port = 0
        self.address = ""

    def start(self) -> None:
        """Serve; the second time at the address of the first."""
        self._folder.mkdir(parents=True, exist_ok=True)
        command = [
            *_PROGRAM,
            "serve",
            "--data",
            str(self._folder),
            "--demo",
            "--port",
            str(self._port),
        ]
        self._process = subprocess.Popen(
            command, env=_ENGLISH, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "http://" in line:
                self.address = line[line.index("http://") :].split()[0].rstrip(".")
                self._port = int(self.address.rsplit(":", 1)[1])
                return
        raise RuntimeError("head office did not start")

    def code(self) -> str:
        """A code that lets the till in."""
        command = [*_PROGRAM, "enrol-code", "--data", str(self._folder), STORE, TILL]
        done = subprocess.run(command, env=_ENGLISH, text=True, capture_output=True, check=True)
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
