"""The one thread that owns the store's connection: what is waiting is done together, one commit for all of it.

Nothing here knows HTTP or what a job means. A job runs inside a transaction; who waits for it hears after the
commit. A group that fails is rolled back whole and its jobs are done one by one, so that one bad job costs the
others a moment and nothing else.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from app.protocol.wire import Request
from headoffice.store.errors import BUSY_ERRORS

HOLD, PUSH, PULL = range(3)
"""Ranks: who waits least, and who is shed last (sync.md section 4)."""
GROUP_MS: Final = 20
GROUP_EVENTS: Final = 2_000
WAITING_MOST: Final = {HOLD: 4_000, PUSH: 2_000, PULL: 500}
"""So many jobs may wait in all before one of this rank is sent away."""
LOOK_S: Final = 0.25
"""So often the writer looks whether another process has changed the store."""
TURN_S: Final = 0.25
"""So often work that nobody waits for gets a turn while there are jobs; without jobs it goes on and on."""


class Busy(Exception):
    """The job was not done: too many wait, or the store can't write now."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """Work on one chain's store.

    act     does it, inside the transaction; may be called again after a rollback, so it changes the store alone
    kept    takes its result after the commit, in the writer's thread: what is in memory changes here
    told    hears in the end: the result and None, or None and the error. Never raises
    weight  of events    tenant  whose store; None: the job makes its own transactions
    request the till's message that it will handle, if it handles one: the store looks ahead
    """

    rank: int
    weight: int
    tenant: bytes | None
    act: Callable[[], Any]
    kept: Callable[[Any], None]
    told: Callable[[Any, BaseException | None], None]
    request: Request | None = None


class Desk(Protocol):
    """What the writer works at. All of it is called in the writer's thread alone."""

    def open(self) -> None:
        """Open the store and read what is kept in memory."""

    def writing(self, tenant: bytes, requests: Sequence[Request]) -> AbstractContextManager[None]:
        """One transaction on a chain's store, in which these will be handled, or the first of them."""

    def committed(self, tenant: bytes, jobs: int) -> None:
        """A group of so many jobs was committed."""

    def rolled_back(self, tenant: bytes) -> None:
        """A group was not."""

    def look(self) -> None:
        """Now and then: has anybody else changed the store? What has to be written from time to time?"""

    def turn(self, waits: Callable[[], bool]) -> bool:
        """Do a portion of work that nobody waits for, if there is any: a short one as soon as somebody `waits`
        for something else. True: there may be more. Never raises."""

    def broken(self, error: Exception) -> None:
        """The writer ends by a mistake of ours."""

    def close(self) -> None:
        """Close the store."""


class GroupWriter:
    """Takes jobs from any thread, does them in its own."""

    def __init__(self, desk: Desk, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._desk = desk
        self._monotonic_s = monotonic_s
        self._waiting: tuple[deque[Job], ...] = (deque(), deque(), deque())
        self._changed = threading.Condition()
        self._ending = False
        self._failed: BaseException | None = None
        self._looked_s = self._turned_s = 0.0
        self._more = self._hinted = False
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer")

    def start(self) -> None:
        """Open the store in the writer's thread; raises what opening it raises."""
        self._thread.start()
        self._opened.wait()
        if self._failed is not None:
            self._thread.join()
            raise self._failed

    def stop(self) -> None:
        """Do what is waiting, close the store, end the thread."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join()

    def submit(self, job: Job) -> None:
        """Take a job. Raises Busy where too many wait for one of its rank to be worth it."""
        with self._changed:
            if self._ending or self.waiting >= WAITING_MOST[job.rank]:
                raise Busy
            self._waiting[job.rank].append(job)
            self._changed.notify()

    def look_soon(self) -> None:
        """Somebody says that the store was changed elsewhere: look at once, not only when it is time."""
        with self._changed:
            self._looked_s = -LOOK_S
            self._hinted = True
            self._changed.notify()

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return sum(len(queue) for queue in self._waiting)

    @property
    def alive(self) -> bool:
        """Whether it works."""
        return self._thread.is_alive() and not self._ending

    # In the writer's thread

    def _run(self) -> None:
        try:
            self._desk.open()
        except BaseException as error:
            self._failed = error
            self._opened.set()
            return
        self._opened.set()
        try:
            while not self._done():
                self._look()
                group = self._next()
                if group:
                    self._serve(group)
                self._turn(busy=bool(group))
        except Exception as error:  # a mistake of ours outside any job: nothing is done any more
            self._desk.broken(error)
        finally:
            self._end()

    def _end(self) -> None:
        """Nobody waits for ever, whatever ended the thread."""
        with self._changed:
            self._ending = True
            left = [job for queue in self._waiting for job in queue]
            for queue in self._waiting:
                queue.clear()
        for job in left:
            job.told(None, Busy())
        self._desk.close()

    def _done(self) -> bool:
        with self._changed:
            return self._ending and not self.waiting

    def _look(self) -> None:
        now_s = self._monotonic_s()
        if now_s - self._looked_s >= LOOK_S:
            self._looked_s = now_s
            self._desk.look()

    def _turn(self, *, busy: bool) -> None:
        now_s = self._monotonic_s()
        if not busy or now_s - self._turned_s >= TURN_S:
            self._turned_s = now_s
            self._more = self._desk.turn(lambda: self.waiting > 0)

    def _next(self) -> list[Job]:
        """Jobs of one chain that go together, holds first; empty when nothing came for a while."""
        with self._changed:
            if not self.waiting and not self._ending and not self._more and not self._hinted:
                self._changed.wait(LOOK_S)
            self._hinted = False
            group, weight, others = list[Job](), 0, list[Job]()
            for queue in self._waiting:
                while queue and weight < GROUP_EVENTS:
                    job = queue.popleft()
                    if group and (job.tenant is None or job.tenant != group[0].tenant):
                        others.append(job)
                        continue
                    group.append(job)
                    weight += job.weight
                    if job.tenant is None:
                        break
                self._put_back(others)
                others.clear()
                if group and group[0].tenant is None:
                    break
            return group

    def _put_back(self, jobs: list[Job]) -> None:
        for job in reversed(jobs):
            self._waiting[job.rank].appendleft(job)

    def _serve(self, group: list[Job]) -> None:
        """Do as much of a group as fits into its time, in one transaction; the rest waits on."""
        tenant = group[0].tenant
        if tenant is None:
            self._alone(group[0])
            return
        done = list[tuple[Job, Any]]()
        until_s = self._monotonic_s() + GROUP_MS / 1000
        try:
            requests = [job.request for job in group if job.request is not None]
            with self._desk.writing(tenant, requests):
                for job in group:
                    if done and self._monotonic_s() > until_s:
                        break
                    done.append((job, None))
                    done[-1] = (job, job.act())
        except Exception as error:  # whatever a job raised, the others are not to suffer from it
            self._desk.rolled_back(tenant)
            with self._changed:
                self._put_back(group[max(len(done), 1) :])
            tried = group[: max(len(done), 1)]
            if len(tried) == 1:
                tried[0].told(None, _as_busy(error))
                return
            for job in tried:
                self._serve([job])
            return
        with self._changed:
            self._put_back(group[len(done) :])
        self._tell(done, lambda: self._desk.committed(tenant, len(done)))

    def _tell(self, done: Sequence[tuple[Job, Any]], before: Callable[[], None]) -> None:
        """Answer what is committed. A mistake of ours in it ends the writer; whoever still waits hears of it:
        what was done is kept, and asking again finds it."""
        told = 0
        try:
            before()
            for job, result in done:
                job.kept(result)
                told += 1
                job.told(result, None)
        except Exception as error:
            for job, _ in done[told:]:
                job.told(None, error)
            raise

    def _alone(self, job: Job) -> None:
        try:
            result = job.act()
        except Exception as error:  # as above: who waits hears of it
            job.told(None, _as_busy(error))
            return
        self._tell([(job, result)], lambda: None)


def _as_busy(error: Exception) -> BaseException:
    """The error as who waits hears it: a store that can't write now is no mistake of ours."""
    if isinstance(error, BUSY_ERRORS):
        busy = Busy(str(error))
        busy.__cause__ = error
        return busy
    return error
