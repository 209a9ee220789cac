"""The only threading code of the till: named lanes of one thread each.

A lane runs plain functions one after another; what they return comes back through one QObject that
lives in the GUI thread, whatever thread emits. Nothing here knows what the functions do. No QThread,
no timer polling, no nested event loop (counter-ui.md section 6).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Final, Generic, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QWidget

from app.domain.errors import Cancelled, Refused, Unavailable

T = TypeVar("T")
V = TypeVar("V")

LANES: Final = ("db", "search", "report", "print", "backup", "net", "hold", "ask")


class _Bridge(QObject):
    """Carries finished work into the GUI thread: a slot of a QObject that lives there."""

    finished = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @Slot(object)
    def _deliver(self, deliver: Callable[[], None]) -> None:
        deliver()


@dataclass(slots=True)
class _Asked:
    """One question to a lane, and its answer. The GUI thread alone owns it, so that what it holds, a sheet
    often, ends there too: a widget's Python half must not end in a lane."""

    widget: QWidget
    function: Callable[[], object]
    ok: Callable[..., None]
    failed: Callable[[Exception], None]
    result: object = None
    error: BaseException | None = None


class Lanes:
    """The lanes of one window.

    Attributes:
        crashed: told of every exception that nobody foresaw, in the GUI thread; ui.crash's notice.
    """

    def __init__(self, crashed: Callable[[BaseException], None]) -> None:
        self.crashed = crashed
        self._bridge = _Bridge()
        self._executors: dict[str, ThreadPoolExecutor] = {}
        self._closed = False
        self._tokens = count()
        self._asked: dict[int, _Asked] = {}
        """By token, which is all that a lane holds of it."""

    def run(
        self,
        widget: QWidget,
        lane: str,
        function: Callable[[], T],
        *,
        ok: Callable[[T], None],
        failed: Callable[[Exception], None],
    ) -> Future[None]:
        """Run `function` on a lane and continue in the GUI thread.

        Exactly one of `ok(result)` and `failed(exception)` is called, unless `widget` died
        meanwhile or the work was Cancelled: then none. `failed` gets Refused and Unavailable, and
        also a bug, after `crashed` was told of it: so a button that waits is never stuck.
        """
        assert lane in LANES, lane
        if self._closed:
            # A continuation of work that was under way when the window closed: nobody waits for it.
            dropped: Future[None] = Future()
            dropped.cancel()
            return dropped
        token = next(self._tokens)
        self._asked[token] = _Asked(widget, function, ok, failed)
        future = self._executor(lane).submit(self._work, token)
        future.add_done_callback(partial(self._hand_over, token))
        return future

    def teller(self, widget: QWidget, told: Callable[[V], None]) -> Callable[[V], None]:
        """What a function may call from its lane while it works: `told` hears it in the GUI thread, unless
        `widget` died meanwhile."""

        def tell(value: V) -> None:
            if not self._closed:
                self._bridge.finished.emit(partial(_if_alive, widget, told, value))

        return tell

    def close(self) -> None:
        """Let every lane finish what it has begun and wait for the threads. What was not begun is
        dropped, except on the db lane: writes that were asked for are made.
        """
        self._closed = True
        for name, executor in self._executors.items():
            executor.shutdown(wait=True, cancel_futures=name != "db")
        self._asked.clear()

    def _executor(self, lane: str) -> ThreadPoolExecutor:
        if lane not in self._executors:
            self._executors[lane] = ThreadPoolExecutor(1, thread_name_prefix=f"lane-{lane}")
        return self._executors[lane]

    def _work(self, token: int) -> None:
        # In the lane's thread, which keeps nothing of the question in a name of its own.
        try:
            self._asked[token].result = self._asked[token].function()
        except BaseException as error:
            self._asked[token].error = error

    def _hand_over(self, token: int, future: Future[None]) -> None:
        # In the lane's thread; in the GUI thread where it was cancelled. Only the token crosses.
        if future.cancelled():
            self._asked.pop(token, None)
        elif not self._closed:
            self._bridge.finished.emit(partial(self._continue, token))

    def _continue(self, token: int) -> None:
        asked = self._asked.pop(token, None)
        if asked is None:
            return  # The window closed meanwhile.
        error, alive = asked.error, shiboken6.isValid(asked.widget)
        if error is None:
            if alive:
                asked.ok(asked.result)
            return
        if isinstance(error, Cancelled):
            return
        if not is_foreseen(error):
            self.crashed(error)
        if alive and isinstance(error, Exception):
            asked.failed(error)


def _if_alive(widget: QWidget, told: Callable[[V], None], value: V) -> None:
    if shiboken6.isValid(widget):
        told(value)


def is_foreseen(error: BaseException) -> bool:
    """True for the errors that were meant: the rules' no, the world's, and a cancelled wait."""
    return isinstance(error, (Refused, Unavailable, Cancelled))


class Latest(Generic[T]):
    """Questions of which only the newest counts: search as you type.

    A new question cancels the waiting one and interrupts the running one; an answer to an old one
    is never delivered. `function` raises Cancelled when it was interrupted; if the interruption
    was meant for its predecessor it is asked once more.
    """

    def __init__(self, lanes: Lanes, lane: str, *, interrupt: Callable[[], None]) -> None:
        self._lanes = lanes
        self._lane = lane
        self._interrupt = interrupt
        self._generation = 0
        self._asked = threading.Lock()
        self._future: Future[None] | None = None

    @property
    def waiting(self) -> bool:
        """True while the newest question has no answer yet."""
        return self._future is not None and not self._future.done()

    def ask(
        self,
        widget: QWidget,
        function: Callable[[], T],
        *,
        ok: Callable[[T], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Ask anew; the answer comes to `ok` unless a newer question was asked before."""
        generation = self._supersede()
        self._future = self._lanes.run(
            widget,
            self._lane,
            partial(self._answer, generation, function),
            ok=partial(self._if_newest, generation, ok),
            failed=partial(self._if_newest, generation, failed),
        )

    def drop(self) -> None:
        """Forget the question: its answer is no longer wanted."""
        self._supersede()

    def _supersede(self) -> int:
        with self._asked:
            self._generation += 1
        if self._future is not None and not self._future.done() and not self._future.cancel():
            self._interrupt()
        return self._generation

    def _answer(self, generation: int, function: Callable[[], T]) -> T:
        if generation != self._generation:
            raise Cancelled
        try:
            return function()
        except Cancelled:
            if generation != self._generation:
                raise
            return function()

    def _if_newest(self, generation: int, continuation: Callable[[V], None], value: V) -> None:
        if generation == self._generation:
            continuation(value)
