"""Whose turn it is."""

from __future__ import annotations

import threading

from db.counted_lock import CountedLock

LONG_S = 30


def holder(lock: CountedLock, held: list[str], name: str) -> threading.Thread:
    """A thread that waits for the lock, holds it for a moment, and says so."""

    def hold() -> None:
        assert lock.acquire(timeout_s=LONG_S)
        held.append(name)
        lock.release()

    thread = threading.Thread(target=hold)
    thread.start()
    return thread


def waiting(lock: CountedLock, threads: int) -> None:
    while len(lock._waiting) < threads:
        threading.Event().wait(0.001)


def test_who_lets_it_go_and_wants_it_back_at_once_comes_after_those_that_wait() -> None:
    lock, held = CountedLock(), list[str]()
    assert lock.acquire(timeout_s=0)
    others = list[threading.Thread]()
    for number, name in enumerate(("first", "second"), 1):
        others.append(holder(lock, held, name))
        waiting(lock, number)
    lock.release()
    assert lock.acquire(timeout_s=LONG_S)
    held.append("again")
    assert held == ["first", "second", "again"]
    assert not lock.awaited
    lock.release()
    for each in others:
        each.join(LONG_S)


def test_who_gave_up_waiting_is_given_nothing() -> None:
    lock = CountedLock()
    assert lock.acquire(timeout_s=0)
    assert not lock.acquire(timeout_s=0.01)
    assert not lock.awaited
    lock.release()
    assert lock.acquire(timeout_s=0)
