"""`regulars-headoffice` as a process of its own, for tests that start, stop and kill it."""

from __future__ import annotations

import contextlib
import gettext
import io
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from headoffice.__main__ import main
from headoffice.at_store import POSTGRESQL

DSN_FILE: Final = "postgresql"
"""In a test's folder: names the database, where that is not a file there."""


class Done(NamedTuple):
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: object, language: str = "en") -> Done:
    """One command, to its end; on PostgreSQL where its folder says so. A process of its own for one that would
    serve; the others are done here, for each start takes half a second."""
    argv = ["--language", language, *map(str, arguments)]
    with pytest.MonkeyPatch.context() as patch:
        for option, folder in pairwise(arguments):
            if option == "--data" and (Path(str(folder)) / DSN_FILE).exists():
                patch.setenv(POSTGRESQL, (Path(str(folder)) / DSN_FILE).read_text())
        if "serve" in arguments:
            done = subprocess.run(
                [sys.executable, "-m", "headoffice", *argv],
                capture_output=True, text=True, timeout=60, check=False, env=_environment(),
            )  # fmt: skip
            return Done(done.returncode, done.stdout, done.stderr)
        patch.setenv("LANGUAGE", language)  # The command sets it; put back with the rest.
        return _done_here(argv)


def _done_here(argv: list[str]) -> Done:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    domain = gettext.textdomain()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(argv)
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            gettext.textdomain(domain)
    return Done(code, _text(out), _text(err))


def _text(written: io.TextIOWrapper) -> str:
    written.seek(0)
    return written.read()


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
