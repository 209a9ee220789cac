"""Long checks in a process of their own: they are Python from end to end, and a thread of the till's would keep
the interpreter from the counter (docs/decisions/proof-apart.md).

The other process reads the store and the journal files by a snapshot of its own and writes nothing. It gets
the key through its standard input, says its report on its standard output, and ends when the till does. Here
are both ends of the two pipes; what is checked is the use-cases'.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Final, Literal

import msgspec

import app
from app.build import open_to_read
from app.context import Context
from app.domain.errors import Cancelled, Outage, Unavailable
from app.log import log
from app.percent import Percent, part, quiet, unheard
from app.usecases.verify import spans, verify_span
from app.usecases.verify_day import Part, parts_since, verify_share, verify_since
from app.usecases.verify_report import Progress, Report
from db.connection import StoreKey

NICENESS: Final = 10
"""Where the system knows such a thing, the counter's threads come first."""

SILENCE_S: Final = 180
"""A check that has said nothing for so long hangs: on a disk that is gone, or by our own fault. Each percent is
said, and one of a million members is seconds."""
Task = Literal["since", "share", "span"]


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the till asks for; `numbers` and `ends` are the task's arguments."""

    folder: str
    data_key: bytes
    salt: bytes
    task: Task
    numbers: tuple[int, ...] = ()
    ends: tuple[bytes | None, ...] = ()


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The report, or the code of what was in the way."""

    report: Report | None
    outage: str = ""
    facts: dict[str, int | str | bool | None] = {}


class Apart:
    """The checks of one till, each in a process of its own. `stop` calls them off from any thread."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._lock = threading.Lock()
        self._running: list[subprocess.Popen[bytes]] = []
        self._stopped = False

    def since(
        self, ctx: Context, seq: int, points: int, told: Callable[[int], None] = unheard
    ) -> Report:
        """`verify_since` in as many processes as there are cores, where the day is worth them; `told`
        hears the percent that are done. Raises Unavailable; Cancelled once stopped."""
        del ctx
        parts = parts_since(self._ctx, seq, most=os.cpu_count() or 1)
        numbers = ((seq, points, part.number, part.of, part.upto) for part in parts)
        asked = [_asked(self._ctx, "since", numbers=each) for each in numbers]
        report, *others = self._together(asked, told)
        for other in others:
            report.take(other)
        return report

    def share(self, ctx: Context, share: int) -> Report:
        """`verify_share`. Raises as `since` does."""
        del ctx
        return self._finish(self._start(_asked(self._ctx, "share", numbers=(share,))))

    def all_members(self, ctx: Context, report: Report, progress: Progress) -> None:
        """Every member in as many processes as there are cores; what they find goes into `report`."""
        del ctx
        ends = spans(self._ctx, os.cpu_count() or 1)
        asked = [_asked(self._ctx, "span", ends=each) for each in ends]
        for found in self._together(asked, ended=partial(progress, "members")):
            report.take(found)

    def stop(self) -> None:
        """Call off what runs now, and whatever would begin."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.kill()

    def _together(
        self,
        asked: list[_Asked],
        told: Callable[[int], None] = unheard,
        ended: Callable[[int, int], None] = quiet,
    ) -> list[Report]:
        """The reports of several processes that run at once. `told` hears the first one, `ended` how many
        of them have ended. However it goes, none of them is left."""
        running: list[subprocess.Popen[bytes]] = []
        found: list[Report] = []
        try:
            for each in asked:
                process = self._start(each)
                running.append(process)
            for process in running:
                found.append(self._finish(process, unheard if found else told))
                ended(len(found), len(running))
        finally:
            for process in running:
                self._end(process)
        return found

    def _start(self, asked: _Asked) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped:
                raise Cancelled
            try:
                process = subprocess.Popen(  # noqa: S603  # this program, and nothing that anybody typed
                    [sys.executable, "-m", __name__],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    cwd=Path(app.__file__).parent.parent,
                )
            except OSError as error:
                raise Unavailable(Outage.STORE_FAILED, {"why": error.strerror or ""}) from error
            self._running.append(process)
        assert process.stdin is not None
        try:
            process.stdin.write(msgspec.json.encode(asked) + b"\n")
            process.stdin.flush()  # left open: its end tells the other process that the till is gone
        except OSError:
            log.warning("a check apart ended before it was asked")
        return process

    def _finish(
        self, process: subprocess.Popen[bytes], told: Callable[[int], None] = unheard
    ) -> Report:
        silence = _Silence(process)
        try:
            said = _last_line(process, told, silence)
            code = process.wait()
        finally:
            silence.end()
            self._end(process)
        with self._lock:
            if self._stopped:
                raise Cancelled
        if silence.broken and code != 0:
            raise Unavailable(Outage.CHECK_SILENT)
        try:
            answer = msgspec.json.decode(said if code == 0 else b"", type=_Answer)
        except msgspec.MsgspecError as error:
            raise Unavailable(Outage.STORE_FAILED, {"why": f"check ended with {code}"}) from error
        if answer.report is None:
            raise Unavailable(Outage(answer.outage), dict(answer.facts))
        return answer.report

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """However its check went: it runs no more, and nothing of it is left."""
        with self._lock:
            if process not in self._running:
                return
            self._running.remove(process)
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with suppress(OSError):  # what it was asked may still lie in a pipe that nobody reads
                pipe.close()


class _Silence:
    """Kills a process that isn't `heard` for SILENCE_S seconds; `broken` says that it did."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._timer: threading.Timer | None = None
        self.broken = False
        self.heard()

    def heard(self) -> None:
        self.end()
        self._timer = threading.Timer(SILENCE_S, self._break)
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        """It need not speak any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _break(self) -> None:
        self.broken = True
        self._process.kill()


def _last_line(
    process: subprocess.Popen[bytes], told: Callable[[int], None], silence: _Silence
) -> bytes:
    """Percents, a line each, until the process ends; the answer is the last line."""
    assert process.stdout is not None
    said = b""
    for said in process.stdout:
        silence.heard()
        if said.strip().isdigit():
            told(int(said))
    return said


def _asked(
    ctx: Context,
    task: Task,
    *,
    numbers: tuple[int, ...] = (),
    ends: tuple[bytes | None, ...] = (),
) -> _Asked:
    key = ctx.store.key
    assert isinstance(key, StoreKey), "a till's store has a cipher"
    return _Asked(str(ctx.folder.absolute()), key.data_key, key.salt, task, numbers, ends)


# The other process ------------------------------------------------------------------------------


def main(said: IO[bytes], answers: IO[bytes]) -> int:
    """Do what the first line asks for and answer it."""
    asked = msgspec.json.decode(said.readline(), type=_Asked)
    threading.Thread(target=_end_with, args=(said,), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    gc.disable()  # rows and folds have no cycles, and looking for them is a tenth of the work
    try:
        with open_to_read(Path(asked.folder), StoreKey(asked.data_key, asked.salt)) as ctx:
            answer = _Answer(_TASKS[asked.task](ctx, asked, partial(_tell, answers)))
    except Unavailable as error:
        answer = _Answer(None, error.code.value, dict(error.facts))
    answers.write(msgspec.json.encode(answer) + b"\n")
    answers.flush()
    return 0


def _end_with(said: IO[bytes]) -> None:
    """When the till is gone, nobody waits for the answer: no connection is closed in order, so the log
    beside the store stays for the next start as the till left it."""
    os.read(said.fileno(), 1)  # past the buffer, whose lock this thread would keep to the end
    os._exit(1)


def _tell(answers: IO[bytes], percent: int) -> None:
    answers.write(b"%d\n" % percent)
    answers.flush()


def _since(ctx: Context, asked: _Asked, told: Callable[[int], None]) -> Report:
    """Events first, then the members that they moved."""
    seq, points, *part_numbers = asked.numbers
    percent = Percent(told)
    parts = {"events": part(percent, 0, 50), "members": part(percent, 50, 100)}
    report = verify_since(
        ctx,
        seq,
        points,
        part=Part(*part_numbers),
        progress=lambda what, done, whole: parts[what](done, whole),
    )
    percent(1, 1)
    return report


def _share(ctx: Context, asked: _Asked, told: Callable[[int], None]) -> Report:
    return verify_share(ctx, *asked.numbers, progress=_in_percent(told))


def _span(ctx: Context, asked: _Asked, told: Callable[[int], None]) -> Report:
    report = Report()
    first, end = asked.ends
    verify_span(ctx, report, _in_percent(told), first=first, end=end)
    return report


def _in_percent(told: Callable[[int], None]) -> Progress:
    percent = Percent(told)
    return lambda what, done, whole: percent(done, whole)


_TASKS: Final[dict[Task, Callable[[Context, _Asked, Callable[[int], None]], Report]]] = {
    "since": _since,
    "share": _share,
    "span": _span,
}

if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer, sys.stdout.buffer))
