"""R9: two programs on one store. However they race, exactly one may write."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from db import lock
from db.engine import Store, StoreKey
from db.errors import AlreadyRunning
from db.lock import StoreLock

KEY = StoreKey(b"k" * 32, b"s" * 16)
RACES = 50
RUNNERS = 4


def run_race(path: Path, race: int) -> tuple[int, int]:
    """Start RUNNERS programs at one moment. (how many won, how many of them wrote)."""
    go_read, go_write = os.pipe()
    told_read, told_write = os.pipe()
    stay_read, stay_write = os.pipe()
    children = []
    for runner in range(RUNNERS):
        child = os.fork()
        if child == 0:
            os.close(go_write)
            os.close(stay_write)
            _runner(path, race * RUNNERS + runner, go_read, told_write, stay_read)
        children.append(child)
    os.close(go_write)  # all of them wake up at once
    answers = b""
    while len(answers) < RUNNERS:
        answers += os.read(told_read, RUNNERS)
    os.close(stay_write)
    for child in children:
        os.waitpid(child, 0)
    for handle in (go_read, told_read, told_write, stay_read):
        os.close(handle)
    return answers.count(b"w"), answers.count(b"e")


def _runner(path: Path, number: int, go: int, told: int, stay: int) -> None:
    answer = b"e"
    try:
        os.read(go, 1)
        try:
            held = StoreLock(path)
        except AlreadyRunning:
            answer = b"l"
        else:
            store = Store.open(path, KEY)
            with store.write() as tx:
                tx.execute("INSERT INTO writer (number) VALUES (?)", (number,))
            answer = b"w"
            os.write(told, answer)
            os.read(stay, 1)
            del held
            os._exit(0)
        os.write(told, answer)
    except BaseException:
        os.write(told, b"e")
    finally:
        os._exit(0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    store = Store.create(tmp_path / "store.db", KEY)
    with store.write() as tx:
        tx.execute("CREATE TABLE writer (number INTEGER NOT NULL) STRICT")
    store.close()
    return store.path


def writers(path: Path) -> int:
    store = Store.open(path, KEY)
    with store.read() as tx:
        count = int(tx.execute("SELECT count(*) FROM writer").fetchone()[0])
    store.close()
    return count


def test_fifty_races_have_one_winner_each(path: Path) -> None:
    results = [run_race(path, race) for race in range(RACES)]
    assert results == [(1, 0)] * RACES
    assert writers(path) == RACES


def test_without_the_lock_the_races_have_several_winners(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The red twin: the race does happen, so the test above means something."""
    monkeypatch.setattr(lock, "_lock", lambda handle: None)
    results = [run_race(path, race) for race in range(10)]
    assert any(won > 1 for won, _ in results)


def test_a_killed_program_leaves_the_lock_free(path: Path) -> None:
    told_read, told_write = os.pipe()
    child = os.fork()
    if child == 0:
        held = StoreLock(path)
        os.write(told_write, b"h")
        signal.pause()
        del held
    assert os.read(told_read, 1) == b"h"
    with pytest.raises(AlreadyRunning):
        StoreLock(path)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    StoreLock(path).release()
    os.close(told_read)
    os.close(told_write)


def test_a_second_lock_in_the_same_program_is_refused_too(path: Path) -> None:
    with StoreLock(path), pytest.raises(AlreadyRunning):
        StoreLock(path)
    StoreLock(path).release()


def test_closing_another_handle_of_the_file_frees_nothing(path: Path) -> None:
    """A record lock of POSIX would be lost here: any close of the file in the process drops it."""
    with StoreLock(path) as held:
        held.path.read_bytes()
        with pytest.raises(AlreadyRunning):
            StoreLock(path)


def test_releasing_twice_is_harmless_and_the_file_stays(path: Path) -> None:
    held = StoreLock(path)
    held.release()
    held.release()
    assert held.path.exists()


def test_a_lock_whose_file_was_removed_meanwhile_is_not_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who opened the file just before its holder removed it would hold a file that nobody else looks at."""
    holder = StoreLock(tmp_path / "work")
    take = lock._lock

    def late(handle: int) -> None:
        holder.remove()
        take(handle)

    monkeypatch.setattr(lock, "_lock", late)
    with pytest.raises(AlreadyRunning):
        StoreLock(tmp_path / "work")
    monkeypatch.setattr(lock, "_lock", take)
    StoreLock(tmp_path / "work").remove()
    assert list(tmp_path.iterdir()) == []
