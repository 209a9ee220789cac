"""Frames of a snapshot are made ready in a process of their own: it is Python from end to end, and a till that
begins with a million members has two cores for it (docs/decisions/joining.md).

The other process is given frames and gives rows back, by its standard input and output. It opens no store, asks
nobody and gets no key: those of members are drawn where they are written. It ends when the till does. Each
message is its length in four bytes and a list of byte strings in MessagePack.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import msgspec

import app
from app.arrivals import readied

NICENESS: Final = 5
"""Where the system knows such a thing, the counter's threads come first."""
_LENGTH: Final = 4
_list: Final = msgspec.msgpack.Decoder(list[bytes])


class Ended(Exception):
    """The other process is gone, or what it was given is no frame."""


class Readying:
    """The till's end: `give` and `take` in turn, from one thread; `end` from any, and once for all."""

    def __init__(self) -> None:
        """Raises Ended."""
        try:
            self._process = subprocess.Popen(  # noqa: S603  # this program, and nothing that anybody typed
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # an error's words hold what was read: people's names and phones
                cwd=Path(app.__file__).parent.parent,
            )
        except OSError as error:
            raise Ended(error.strerror) from error

    def give(self, frames: tuple[bytes, ...]) -> None:
        """Have frames made ready. Raises Ended."""
        try:
            assert self._process.stdin is not None
            _write(self._process.stdin, list(frames))
        except (OSError, ValueError) as error:
            raise Ended("given") from error

    def take(self) -> list[bytes]:
        """Those that were given last, as `app.arrivals.readied` makes them. Raises Ended."""
        try:
            assert self._process.stdout is not None
            found = _read(self._process.stdout)
        except (OSError, ValueError) as error:
            raise Ended("taken") from error
        if found is None:
            raise Ended("it ended")
        return found

    def end(self) -> None:
        """It runs no more, and whoever waits for it hears that."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """The same, and nothing of it is left: for the thread that gives and takes."""
        self.end()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):  # what it was given may still lie in a pipe that nobody reads
                pipe.close()


def _write(pipe: IO[bytes], parts: list[bytes]) -> None:
    body = msgspec.msgpack.encode(parts)
    pipe.write(len(body).to_bytes(_LENGTH, "big"))
    pipe.write(body)
    pipe.flush()


def _read(pipe: IO[bytes]) -> list[bytes] | None:
    """None at the end of the pipe."""
    length = int.from_bytes(pipe.read(_LENGTH), "big")
    body = pipe.read(length)
    return _list.decode(body) if length and len(body) == length else None


# The other process ------------------------------------------------------------------------------


def main(given: IO[bytes], made: IO[bytes]) -> int:
    """Make ready what comes, until nothing comes any more."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    gc.disable()  # rows have no cycles, and looking for them takes four times as long as reading them
    try:
        while (frames := _read(given)) is not None:
            _write(made, [readied(frame) for frame in frames])
    except BrokenPipeError:
        # The till is gone; what could not be given to it is not to be given again at the end.
        os._exit(0)
    except Exception:
        return 1  # the till reads it again by itself, and says what of it may be said
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer, sys.stdout.buffer))
