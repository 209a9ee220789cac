"""The technical log: what the program did, never who the customer was.

Names, phones, card numbers, PINs and keys are never passed to it; ids and codes are. The journal, not the log,
is the record of the shop's business.
"""

from __future__ import annotations

import faulthandler
import logging
import logging.handlers
import traceback
from pathlib import Path
from typing import IO, Final

_MAX_BYTES: Final = 2_000_000
_KEPT: Final = 5

log = logging.getLogger("regulars")
log.addHandler(logging.NullHandler())  # without a file yet, nothing of it goes to the terminal
_open: Final[list[IO[str]]] = []
"""The crash file, so that `stop` can close it."""


def start(folder: Path) -> None:
    """Write the log and the stacks of hard crashes into `folder`/logs. Raises OSError."""
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        logs / "regulars.log", maxBytes=_MAX_BYTES, backupCount=_KEPT, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    # Stays open for life on purpose: faulthandler writes to it when nothing else works any more.
    crash = (logs / "crash.log").open("a", encoding="utf-8")
    faulthandler.enable(crash)
    _open.append(crash)


def stop() -> None:
    """Close what `start` opened."""
    faulthandler.disable()
    while _open:
        _open.pop().close()
    for handler in [each for each in log.handlers if not isinstance(each, logging.NullHandler)]:
        log.removeHandler(handler)
        handler.close()


def log_bug(error: BaseException) -> None:
    """Write down a mistake of ours by its kind and its places alone: a message may hold a name or a phone."""
    log.error("bug %s %s at %s", bug_code(error), type(error).__name__, bug_places(error))


def bug_places(error: BaseException) -> str:
    """The places in the code that a bug went through, the last one first."""
    places = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{p.filename.rsplit('/', 1)[-1]}:{p.lineno}" for p in reversed(places))


def bug_code(error: BaseException) -> str:
    """A short code for one place of one bug: the same traceback has the same code."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    digest = sum(ord(c) * (at + 1) for at, c in enumerate(type(error).__name__ + place))
    return f"E-{digest % 10_000:04d}"
