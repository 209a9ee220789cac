"""`regulars-headoffice` as a process of its own, for tests that start, stop and kill it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from headoffice.at_store import POSTGRESQL

DSN_FILE: Final = "postgresql"
"""In a test's folder: names the database, where that is not a file there."""


def run(*arguments: object, language: str = "en") -> subprocess.CompletedProcess[str]:
    """One command, to its end; on PostgreSQL where its folder says so."""
    environment = _environment()
    for option, folder in pairwise(arguments):
        if option == "--data" and (Path(str(folder)) / DSN_FILE).exists():
            environment[POSTGRESQL] = (Path(str(folder)) / DSN_FILE).read_text()
    return subprocess.run(
        [sys.executable, "-m", "headoffice", "--language", language, *map(str, arguments)],
        capture_output=True, text=True, timeout=60, check=False, env=environment,
    )  # fmt: skip


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONUTF8": "1"}


class Process:
    """A serving head office; `url` once it answers, `log` what it wrote to stderr."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "headoffice", "--language", "en", "serve"]
        if (folder / DSN_FILE).exists():
            options = ("--postgresql", (folder / DSN_FILE).read_text(), *options)
        self._child = subprocess.Popen(
            [*command, "--data", str(folder), "--port", "0", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environment(),
        )  # fmt: skip
        _serving.add(self)
        self.log = list[str]()
        self.said = list[str]()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        self.url = self._wait_for_url()

    def _read(self) -> None:
        assert self._child.stderr is not None
        self.log.extend(iter(self._child.stderr.readline, ""))

    def _wait_for_url(self) -> str:
        assert self._child.stdout is not None
        for line in iter(self._child.stdout.readline, ""):
            self.said.append(line.strip())
            found = re.search(r"https?://\S+:\d+", line)
            if found:
                return found[0]
        raise AssertionError(f"it did not serve: {self.log}")

    def end(self, *, kill: bool = False) -> int:
        """Stop it as Ctrl+C would not: SIGTERM, or kill it outright. Returns the exit code."""
        if kill:
            self._child.kill()
        else:
            self._child.terminate()
        code = self._child.wait(timeout=60)
        _serving.discard(self)
        self._reading.join(timeout=60)
        for pipe in (self._child.stdout, self._child.stderr):
            if pipe is not None:
                pipe.close()
        return code


_serving: Final[set[Process]] = set()


def end_what_is_left() -> None:
    """Kill those that a test left behind when it failed."""
    for each in tuple(_serving):
        each.end(kill=True)


@contextlib.contextmanager
def process(folder: Path, *options: str) -> Iterator[Process]:
    """A serving head office that ends with the block, unless the block ended it."""
    made = Process(folder, *options)
    try:
        yield made
    finally:
        with contextlib.suppress(ValueError):
            made.end()
