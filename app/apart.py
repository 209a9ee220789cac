"""Long checks and the walk of the exception report in a process of their own: they are Python from end to end,
and a thread of the till's would keep the interpreter from the counter (docs/decisions/proof-apart.md).

The other process reads the store and the journal files by a snapshot of its own and writes nothing. It gets
the key through its standard input, says its report on its standard output, and ends when the till does. Here
are both ends of the two pipes; what is checked is the use-cases'.

What only one task needs is imported where it begins: the product takes a third of a second to import, and
somebody waits for the walk.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Literal

import msgspec

import app
from app.domain.business_day import BusinessDate
from app.domain.errors import Cancelled, Outage, Unavailable
from app.domain.fraud.limits import DEFAULT_GUARD, GuardLimits
from app.log import log
from app.percent import Percent, part, quiet, unheard
from app.queries.guard_walk import Seen, walk
from app.usecases.verify_report import Progress, Report
from db.connection import StoreKey
from db.engine import Reader, Store
from db.errors import StoreError

if TYPE_CHECKING:
    from app.context import Context

NICENESS: Final = 10
"""Where the system knows such a thing, the counter's threads come first."""

SILENCE_S: Final = 180
"""A check that has said nothing for so long hangs: on a disk that is gone, or by our own fault. Each percent is
said, and one of a million members is seconds."""
Task = Literal["since", "share", "span", "walk"]


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the till asks for; `numbers` and `ends` are the task's arguments."""

    store: str
    data_key: bytes
    salt: bytes
    task: Task
    numbers: tuple[int, ...] = ()
    ends: tuple[bytes | None, ...] = ()
    limits: GuardLimits = DEFAULT_GUARD


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was found, or the code of what was in the way."""

    report: Report | None = None
    seen: Seen | None = None
    outage: str = ""
    facts: dict[str, int | str | bool | None] = {}


class Apart:
    """The checks of one till, each in a process of its own. `stop` calls them off for good, `call_off` those
    that run now; both from any thread."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._lock = threading.Lock()
        self._running: list[subprocess.Popen[bytes]] = []
        self._called_off: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def since(
        self, ctx: Context, seq: int, points: int, told: Callable[[int], None] = unheard
    ) -> Report:
        """`verify_since` in as many processes as there are cores, where the day is worth them; `told`
        hears the percent that are done. Raises Unavailable; Cancelled once stopped."""
        from app.usecases.verify_day import parts_since

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
        return self._report(self._start(_asked(self._ctx, "share", numbers=(share,))))

    def walk(
        self, ctx: Context, since: BusinessDate, until: BusinessDate, limits: GuardLimits
    ) -> Seen:
        """`queries.guard_walk.walk`. Raises as `since` does; Cancelled when called off, too."""
        del ctx
        asked = _asked(self._ctx, "walk", numbers=(int(since), int(until)), limits=limits)
        found = self._finish(self._start(asked)).seen
        assert found is not None, "it was asked for nothing else"
        return found

    def all_members(self, ctx: Context, report: Report, progress: Progress) -> None:
        """Every member in as many processes as there are cores; what they find goes into `report`."""
        from app.usecases.verify import spans

        del ctx
        ends = spans(self._ctx, os.cpu_count() or 1)
        asked = [_asked(self._ctx, "span", ends=each) for each in ends]
        for found in self._together(asked, ended=partial(progress, "members")):
            report.take(found)

    def call_off(self) -> None:
        """Call off what runs now: nobody waits for its answer. What begins afterwards runs."""
        with self._lock:
            self._called_off.update(self._running)
            for process in self._running:
                process.kill()

    def stop(self) -> None:
        """Call off what runs now, and whatever would begin."""
        self._stopped = True
        self.call_off()

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
                found.append(self._report(process, unheard if found else told))
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

    def _report(
        self, process: subprocess.Popen[bytes], told: Callable[[int], None] = unheard
    ) -> Report:
        found = self._finish(process, told).report
        assert found is not None, "it was asked for nothing else"
        return found

    def _finish(
        self, process: subprocess.Popen[bytes], told: Callable[[int], None] = unheard
    ) -> _Answer:
        silence = _Silence(process)
        try:
            said = _last_line(process, told, silence)
            code = process.wait()
            with self._lock:
                called_off = process in self._called_off
        finally:
            silence.end()
            self._end(process)
        if called_off:
            raise Cancelled
        if silence.broken and code != 0:
            raise Unavailable(Outage.CHECK_SILENT)
        try:
            answer = msgspec.json.decode(said if code == 0 else b"", type=_Answer)
        except msgspec.MsgspecError as error:
            raise Unavailable(Outage.STORE_FAILED, {"why": f"check ended with {code}"}) from error
        if answer.outage:
            raise Unavailable(Outage(answer.outage), dict(answer.facts))
        return answer

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """However its check went: it runs no more, and nothing of it is left."""
        with self._lock:
            if process not in self._running:
                return
            self._running.remove(process)
            self._called_off.discard(process)
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
        self._ended = threading.Event()
        self.broken = False
        self.heard()
        threading.Thread(target=self._watch, daemon=True).start()

    def heard(self) -> None:
        """It spoke. No thread is made for a word: the counter's would wait for it."""
        self._until = time.monotonic() + SILENCE_S

    def end(self) -> None:
        """It need not speak any more."""
        self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(self._until - time.monotonic()):
            if time.monotonic() >= self._until:
                self.broken = True
                self._process.kill()
                return


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
    limits: GuardLimits = DEFAULT_GUARD,
) -> _Asked:
    key = ctx.store.key
    assert isinstance(key, StoreKey), "a till's store has a cipher"
    path = str(ctx.store.path.absolute())
    return _Asked(path, key.data_key, key.salt, task, numbers, ends, limits)


# The other process ------------------------------------------------------------------------------


def main(said: IO[bytes], answers: IO[bytes]) -> int:
    """Do what the first line asks for and answer it."""
    asked = msgspec.json.decode(said.readline(), type=_Asked)
    threading.Thread(target=_end_with, args=(said,), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    gc.disable()  # rows and folds have no cycles, and looking for them is a tenth of the work
    try:
        answer = _TASKS[asked.task](asked, partial(_tell, answers))
    except Unavailable as error:
        answer = _Answer(outage=error.code.value, facts=dict(error.facts))
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


def _opened(asked: _Asked) -> AbstractContextManager[Context]:
    from app.build import open_to_read

    return open_to_read(Path(asked.store).parent, StoreKey(asked.data_key, asked.salt))


def _since(asked: _Asked, told: Callable[[int], None]) -> _Answer:
    """Events first, then the members that they moved."""
    from app.usecases.verify_day import Part, verify_since

    seq, points, *part_numbers = asked.numbers
    percent = Percent(told)
    parts = {"events": part(percent, 0, 50), "members": part(percent, 50, 100)}
    with _opened(asked) as ctx:
        report = verify_since(
            ctx,
            seq,
            points,
            part=Part(*part_numbers),
            progress=lambda what, done, whole: parts[what](done, whole),
        )
    percent(1, 1)
    return _Answer(report)


def _share(asked: _Asked, told: Callable[[int], None]) -> _Answer:
    from app.usecases.verify_day import verify_share

    with _opened(asked) as ctx:
        return _Answer(verify_share(ctx, *asked.numbers, progress=_in_percent(told)))


def _span(asked: _Asked, told: Callable[[int], None]) -> _Answer:
    from app.usecases.verify import verify_span

    report = Report()
    first, end = asked.ends
    with _opened(asked) as ctx:
        verify_span(ctx, report, _in_percent(told), first=first, end=end)
    return _Answer(report)


def _walk(asked: _Asked, told: Callable[[int], None]) -> _Answer:
    """The rows and the rules are all that it needs of the product."""
    since, until = (BusinessDate(day) for day in asked.numbers)
    store = Store(Path(asked.store), StoreKey(asked.data_key, asked.salt))
    try:
        with store.read(Reader.REPORT) as conn:
            return _Answer(seen=walk(conn, since, until, asked.limits, Percent(told)))
    except StoreError:
        from app.translated import translated

        with translated():
            raise
    finally:
        store.let_go()


def _in_percent(told: Callable[[int], None]) -> Progress:
    percent = Percent(told)
    return lambda what, done, whole: percent(done, whole)


_TASKS: Final[dict[Task, Callable[[_Asked, Callable[[int], None]], _Answer]]] = {
    "since": _since,
    "share": _share,
    "span": _span,
    "walk": _walk,
}

if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer, sys.stdout.buffer))
