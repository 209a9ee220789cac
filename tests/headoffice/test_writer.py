"""The group writer alone, on a desk of its own: who goes first, how large a group is, whom failures reach."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from headoffice import writer
from headoffice.store.errors import StoreBusy
from headoffice.writer import HOLD, PULL, PUSH, Busy, GroupWriter, Job
from tests.headoffice.http_office import (
    TENANT,
    wait_for,
)


def _nothing(_: Any) -> None:
    pass


def _no_answer(_: Any, __: BaseException | None) -> None:
    pass


class Desk:
    """A store of names. `failing`: its commits fail."""

    def __init__(self) -> None:
        self.kept = list[list[str]]()
        self.group = list[str]()
        self.failing: Exception | None = None
        self.portions = 0
        self.turns = list[int]()
        self.waits = list[bool]()

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def look(self) -> None:
        pass

    def turn(self, waits: Callable[[], bool]) -> bool:
        self.turns.append(len(self.kept))
        self.waits.append(waits())
        self.portions = max(self.portions - 1, 0)
        return self.portions > 0

    def broken(self, error: Exception) -> None:
        raise error

    @contextmanager
    def writing(self, tenant: bytes, requests: object) -> Iterator[None]:
        self.group = []
        yield
        if self.failing:
            raise self.failing
        self.kept.append(self.group)

    def committed(self, tenant: bytes, jobs: int) -> None:
        assert jobs == len(self.kept[-1])

    def rolled_back(self, tenant: bytes) -> None:
        pass


class Queue:
    """Jobs by name, given to a writer that stands still until `go`."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.now_s = 0.0
        self.writer = GroupWriter(self.desk, lambda: self.now_s)
        self.heard = list[tuple[str, BaseException | None]]()
        self._go = threading.Event()
        self.writer.start()
        self.writer.submit(Job(HOLD, 1, None, self._go.wait, _nothing, _no_answer))
        wait_for(lambda: self.writer.waiting == 0)

    def put(
        self, name: str, rank: int, *, weight: int = 1, tenant: bytes = TENANT, ms: int = 0
    ) -> None:
        def act() -> None:
            self.now_s += ms / 1000
            self.desk.group.append(name)

        def told(_: Any, error: BaseException | None) -> None:
            self.heard.append((name, error))

        self.writer.submit(Job(rank, weight, tenant, act, _nothing, told))

    def go(self) -> list[list[str]]:
        self._go.set()
        self.writer.stop()
        return self.desk.kept


@pytest.fixture
def queue() -> Iterator[Queue]:
    made = Queue()
    yield made
    made.go()


def test_holds_go_before_pushes_and_pushes_before_pulls(queue: Queue) -> None:
    for name, rank in (("pull", PULL), ("push", PUSH), ("hold", HOLD), ("push 2", PUSH)):
        queue.put(name, rank)
    assert queue.go() == [["hold", "push", "push 2", "pull"]]


def test_a_group_is_one_chains_and_ends_at_2000_events(queue: Queue) -> None:
    queue.put("a", PUSH, weight=1500)
    queue.put("other", PUSH, tenant=b"U" * 16)
    queue.put("b", PUSH, weight=500)
    queue.put("c", PUSH)
    assert queue.go() == [["a", "b"], ["other"], ["c"]]


def test_a_group_ends_after_20_milliseconds(queue: Queue) -> None:
    for number in range(4):
        queue.put(str(number), PUSH, ms=15)
    assert queue.go() == [["0", "1"], ["2", "3"]]


def test_what_nobody_waits_for_gets_a_turn_now_and_then_among_jobs(queue: Queue) -> None:
    for number in range(20):
        queue.put(str(number), PUSH, ms=30)
    queue.desk.turns.clear()
    queue.desk.waits.clear()
    queue.desk.portions = 1_000
    queue.go()
    assert queue.desk.turns == [9, 18], "a quarter of a second of groups each"
    assert queue.desk.waits == [True, True], "they are short: others wait"


def test_what_nobody_waits_for_is_done_at_once_where_there_are_no_jobs(queue: Queue) -> None:
    queue.desk.portions = 500
    begun_s = time.monotonic()
    queue.put("a", PUSH)
    queue._go.set()
    wait_for(lambda: queue.desk.portions == 0)
    assert time.monotonic() - begun_s < 100 * writer.LOOK_S, "no wait between two portions"
    assert not any(queue.desk.waits[-400:]), "they may be long: nobody waits"


def test_pulls_are_sent_away_first_and_holds_last(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "WAITING_MOST", {HOLD: 6, PUSH: 4, PULL: 2})
    sent = []
    for rank in (PULL, PULL, PULL, PUSH, PUSH, PUSH, PULL, HOLD, HOLD, PUSH, HOLD):
        try:
            queue.put("x", rank)
            sent.append(rank)
        except Busy:
            pass
    assert sent == [PULL, PULL, PUSH, PUSH, HOLD, HOLD]


def test_a_commit_that_fails_is_heard_by_each_and_kept_by_none(queue: Queue) -> None:
    queue.desk.failing = StoreBusy(1)
    queue.put("a", PUSH)
    queue.put("b", PUSH)
    assert queue.go() == []
    assert [(name, type(error)) for name, error in queue.heard] == [("a", Busy), ("b", Busy)]


def test_a_group_is_answered_though_what_comes_after_its_commit_fails(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: bytes, __: int) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(queue.desk, "committed", fails)
    monkeypatch.setattr(queue.desk, "broken", lambda _: None)
    queue.put("a", PUSH)
    queue.put("b", PUSH)
    queue.put("other", PUSH, tenant=b"U" * 16)
    queue.go()
    assert [(name, type(error)) for name, error in queue.heard] == [
        ("a", ZeroDivisionError), ("b", ZeroDivisionError), ("other", Busy),
    ]  # fmt: skip
