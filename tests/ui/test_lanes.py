"""Lanes: where results arrive, what happens to errors, the dead and the late."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial

import pytest
import shiboken6
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.domain.errors import Cancelled, Outage, Refusal, Refused, Unavailable
from ui.lanes import Lanes, Latest


class Heard:
    def __init__(self) -> None:
        self.results: list[object] = []
        self.errors: list[Exception] = []
        self.crashes: list[BaseException] = []
        self.threads: set[int] = set()

    def ok(self, result: object) -> None:
        self.results.append(result)
        self.threads.add(threading.get_ident())

    def failed(self, error: Exception) -> None:
        self.errors.append(error)
        self.threads.add(threading.get_ident())


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def lanes(heard: Heard, qapp: object) -> Iterator[Lanes]:
    lanes = Lanes(heard.crashes.append)
    yield lanes
    lanes.close()


@pytest.fixture
def widget(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


def test_work_runs_elsewhere_and_its_result_arrives_in_the_gui_thread(
    lanes: Lanes, heard: Heard, widget: QWidget, qtbot: QtBot
) -> None:
    lanes.run(widget, "db", threading.get_ident, ok=heard.ok, failed=heard.failed)
    qtbot.waitUntil(lambda: bool(heard.results))
    assert heard.results != [threading.get_ident()]
    assert heard.threads == {threading.get_ident()}


def test_a_lane_is_one_thread_and_keeps_the_order(
    lanes: Lanes, heard: Heard, widget: QWidget, qtbot: QtBot
) -> None:
    ran: list[tuple[int, int]] = []
    for n in range(20):
        lanes.run(
            widget,
            "db",
            partial(lambda n: ran.append((n, threading.get_ident())), n),
            ok=heard.ok,
            failed=heard.failed,
        )
    qtbot.waitUntil(lambda: len(heard.results) == 20)
    assert [n for n, _ in ran] == list(range(20))
    assert len({thread for _, thread in ran}) == 1


def test_lanes_do_not_wait_for_each_other(
    lanes: Lanes, heard: Heard, widget: QWidget, qtbot: QtBot
) -> None:
    gate = threading.Event()
    lanes.run(widget, "report", lambda: gate.wait(5), ok=heard.ok, failed=heard.failed)
    lanes.run(widget, "search", lambda: "found", ok=heard.ok, failed=heard.failed)
    qtbot.waitUntil(lambda: heard.results == ["found"])
    gate.set()


@pytest.mark.parametrize(
    "error", [Refused(Refusal.SALE_EMPTY), Unavailable(Outage.PRINTER_GONE, {"since": 1})]
)
def test_a_foreseen_error_reaches_failed_and_is_no_crash(
    lanes: Lanes, heard: Heard, widget: QWidget, qtbot: QtBot, error: Exception
) -> None:
    lanes.run(widget, "db", _raiser(error), ok=heard.ok, failed=heard.failed)
    qtbot.waitUntil(lambda: heard.errors == [error])
    assert (heard.results, heard.crashes) == ([], [])


def test_a_bug_is_never_silent(lanes: Lanes, heard: Heard, widget: QWidget, qtbot: QtBot) -> None:
    bug = ZeroDivisionError()
    lanes.run(widget, "db", _raiser(bug), ok=heard.ok, failed=heard.failed)
    qtbot.waitUntil(lambda: heard.crashes == [bug])
    assert heard.errors == [bug]


def test_a_bug_is_told_even_when_its_widget_is_gone(
    lanes: Lanes, heard: Heard, qtbot: QtBot
) -> None:
    doomed, bug = QWidget(), ZeroDivisionError()
    lanes.run(doomed, "db", _raiser(bug), ok=heard.ok, failed=heard.failed)
    shiboken6.delete(doomed)
    qtbot.waitUntil(lambda: heard.crashes == [bug])
    assert heard.errors == []


def test_a_cancelled_wait_is_silent(
    lanes: Lanes, heard: Heard, widget: QWidget, qtbot: QtBot
) -> None:
    lanes.run(widget, "db", _raiser(Cancelled()), ok=heard.ok, failed=heard.failed)
    lanes.run(widget, "db", lambda: "next", ok=heard.ok, failed=heard.failed)
    qtbot.waitUntil(lambda: heard.results == ["next"])
    assert (heard.errors, heard.crashes) == ([], [])


def test_a_result_for_a_dead_widget_is_dropped(lanes: Lanes, heard: Heard, qtbot: QtBot) -> None:
    doomed, other = QWidget(), QWidget()
    qtbot.addWidget(other)
    lanes.run(doomed, "db", lambda: "late", ok=heard.ok, failed=heard.failed)
    shiboken6.delete(doomed)
    lanes.run(other, "db", lambda: "alive", ok=heard.ok, failed=heard.failed)
    qtbot.waitUntil(lambda: "alive" in heard.results)
    assert heard.results == ["alive"]


def test_closing_waits_for_what_runs_and_leaves_no_thread(
    heard: Heard, widget: QWidget, qapp: object
) -> None:
    lanes = Lanes(heard.crashes.append)
    finished: list[int] = []
    begun = threading.Event()

    def work() -> None:
        begun.set()
        while not lanes._closed:
            time.sleep(0.001)
        time.sleep(0.05)  # so that whoever doesn't wait for it is seen
        finished.append(1)

    lanes.run(widget, "report", work, ok=heard.ok, failed=heard.failed)
    assert begun.wait(30)
    lanes.run(widget, "report", lambda: finished.append(2), ok=heard.ok, failed=heard.failed)
    lanes.close()
    assert finished == [1]
    assert not [t for t in threading.enumerate() if t.name.startswith("lane-report")]


def test_an_unknown_lane_is_our_mistake(lanes: Lanes, heard: Heard, widget: QWidget) -> None:
    with pytest.raises(AssertionError, match="printer"):
        lanes.run(widget, "printer", lambda: None, ok=heard.ok, failed=heard.failed)


class Store:
    """A slow search that can be interrupted, like a read connection."""

    def __init__(self) -> None:
        self.interrupted = threading.Event()
        self.begun = threading.Event()
        self.asked: list[str] = []

    def search(self, text: str) -> str:
        self.asked.append(text)
        self.begun.set()
        if text == "slow":
            if not self.interrupted.wait(5):
                return text
            self.interrupted.clear()
            raise Cancelled
        return text


def test_only_the_newest_answer_is_delivered_and_the_running_one_is_interrupted(
    lanes: Lanes, heard: Heard, widget: QWidget, qtbot: QtBot
) -> None:
    store = Store()
    latest: Latest[str] = Latest(lanes, "search", interrupt=store.interrupted.set)
    latest.ask(widget, lambda: store.search("slow"), ok=heard.ok, failed=heard.failed)
    store.begun.wait(5)
    for text in ("a", "ab", "abc"):
        latest.ask(widget, partial(store.search, text), ok=heard.ok, failed=heard.failed)
    qtbot.waitUntil(lambda: heard.results == ["abc"])
    qtbot.wait(20)
    assert heard.results == ["abc"]
    assert heard.errors == []
    assert not latest.waiting


def test_an_interruption_that_hit_the_new_question_asks_it_again(
    lanes: Lanes, heard: Heard, widget: QWidget, qtbot: QtBot
) -> None:
    store = Store()
    latest: Latest[str] = Latest(lanes, "search", interrupt=lambda: None)
    turns = iter([Cancelled, None])

    def search() -> str:
        turn = next(turns)
        if turn is not None:
            raise turn
        return store.search("new")

    latest.ask(widget, search, ok=heard.ok, failed=heard.failed)
    qtbot.waitUntil(lambda: heard.results == ["new"])


def test_a_dropped_question_gets_no_answer(
    lanes: Lanes, heard: Heard, widget: QWidget, qtbot: QtBot
) -> None:
    latest: Latest[str] = Latest(lanes, "search", interrupt=lambda: None)
    latest.ask(widget, lambda: "unwanted", ok=heard.ok, failed=heard.failed)
    latest.drop()
    lanes.run(widget, "search", lambda: "after", ok=heard.ok, failed=heard.failed)
    qtbot.waitUntil(lambda: "after" in heard.results)
    assert heard.results == ["after"]


def _raiser(error: BaseException) -> Callable[[], object]:
    def raises() -> object:
        raise error

    return raises


class Held:
    """Stands for a sheet's Python half: says in which thread it ended."""

    def __init__(self, ended: list[int]) -> None:
        self._ended = ended
        self.go = threading.Event()

    def work(self) -> None:
        assert self.go.wait(30)

    def fail(self) -> None:
        assert self.go.wait(30)
        raise Refused(Refusal.SHIFT_NEEDED)

    def hear(self, answer: object) -> None:
        pass

    def __del__(self) -> None:
        self._ended.append(threading.get_ident())


@pytest.mark.parametrize("work", [Held.work, Held.fail])
def test_what_a_question_holds_ends_in_the_gui_thread_also_when_the_lane_lets_go_last(
    lanes: Lanes, widget: QWidget, qtbot: QtBot, work: Callable[[Held], None]
) -> None:
    ended: list[int] = []
    answered, lane_goes_on = threading.Event(), threading.Event()
    held = Held(ended)
    told: list[object] = []

    def hear(answer: object, of: Held = held) -> None:
        of.hear(answer)
        told.append(1)

    future = lanes.run(widget, "db", partial(work, held), ok=hear, failed=hear)

    def linger(_: Future[None]) -> None:
        answered.set()
        lane_goes_on.wait(30)

    future.add_done_callback(linger)
    held.go.set()
    del held, hear, future
    qtbot.waitUntil(lambda: bool(told))
    assert answered.wait(30)
    lane_goes_on.set()
    qtbot.waitUntil(lambda: bool(ended))
    assert ended == [threading.get_ident()]


def test_what_a_cancelled_question_holds_is_let_go(
    lanes: Lanes, heard: Heard, widget: QWidget
) -> None:
    ended: list[int] = []
    begun, go = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        go.wait(30)

    lanes.run(widget, "db", wait, ok=heard.ok, failed=heard.failed)
    assert begun.wait(30)
    held = Held(ended)
    future = lanes.run(widget, "db", held.work, ok=held.hear, failed=held.hear)
    assert future.cancel()
    del held
    assert ended == [threading.get_ident()]
    go.set()
