"""The store's connections: what opening sets, and what a transaction promises."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2

from db import connection, engine
from db.engine import Reader, Store, StoreKey
from db.errors import (
    AlreadyExists,
    Busy,
    ConstraintBroken,
    Damaged,
    Interrupted,
    NotAStore,
    StoreMissing,
    WriteRefused,
    WrongKey,
)

SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def make_table(store: Store) -> None:
    with store.write() as tx:
        tx.execute("CREATE TABLE t (a INTEGER NOT NULL UNIQUE) STRICT")


def rows(store: Store, reader: Reader = Reader.COUNTER) -> list[int]:
    with store.read(reader) as tx:
        return [a for (a,) in tx.execute("SELECT a FROM t ORDER BY a")]


def pragma(raw: connection.Connection, name: str) -> object:
    return raw.execute(f"PRAGMA {name}").fetchone()[0]


def test_the_file_holds_no_readable_text(store: Store) -> None:
    with store.write() as tx:
        tx.execute("CREATE TABLE person (name TEXT) STRICT")
        tx.execute("INSERT INTO person VALUES ('Zhang Canary')")
    wal = store.path.with_name("store.db-wal")
    assert b"Canary" not in store.path.read_bytes() + wal.read_bytes()
    assert not store.path.read_bytes().startswith(b"SQLite format 3")


def test_the_writer_syncs_each_commit_and_checks_references(store: Store) -> None:
    with store.write() as tx:
        found = {
            name: pragma(tx, name)
            for name in (
                "journal_mode",
                "synchronous",
                "fullfsync",
                "wal_autocheckpoint",
                "temp_store",
                "foreign_keys",
                "busy_timeout",
                "trusted_schema",
                "cell_size_check",
                "secure_delete",
                "mmap_size",
                "cache_size",
                "query_only",
                "cipher_page_size",
            )
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "fullfsync": 1,
        "wal_autocheckpoint": 0,
        "temp_store": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "secure_delete": 1,
        "mmap_size": 0,
        "cache_size": -16384,
        "query_only": 0,
        "cipher_page_size": "4096",
    }


@pytest.mark.parametrize(
    ("reader", "cache_kib"),
    [(Reader.COUNTER, 8192), (Reader.SEARCH, 65536), (Reader.REPORT, 8192)],
)
def test_a_reader_has_its_own_cache_and_writes_nothing(
    store: Store, reader: Reader, cache_kib: int
) -> None:
    make_table(store)
    with store.read(reader) as tx:
        assert pragma(tx, "cache_size") == -cache_kib
    with pytest.raises(WriteRefused), store.read(reader) as tx:
        tx.execute("INSERT INTO t VALUES (1)")
    assert rows(store) == []


def test_a_block_that_ends_well_is_committed(store: Store, key: StoreKey) -> None:
    make_table(store)
    with store.write() as tx:
        tx.execute("INSERT INTO t VALUES (1)")
    assert rows(store) == [1]
    store.close()
    again = Store.open(store.path, key)
    assert rows(again) == [1]
    again.close()


def test_a_block_that_raises_leaves_nothing(store: Store) -> None:
    make_table(store)

    def fail_half_way() -> None:
        with store.write() as tx:
            tx.execute("INSERT INTO t VALUES (1)")
            tx.execute("CREATE TABLE u (a)")
            raise KeyError

    with pytest.raises(KeyError):
        fail_half_way()
    assert rows(store) == []
    with store.read() as tx:
        assert tx.execute("SELECT count(*) FROM sqlite_master WHERE name = 'u'").fetchone() == (0,)


def test_a_broken_constraint_rolls_the_whole_block_back_and_shows_no_value(store: Store) -> None:
    make_table(store)
    with pytest.raises(ConstraintBroken) as caught, store.write() as tx:
        tx.executemany("INSERT INTO t VALUES (?)", [(7319,), (7319,)])
    assert "t.a" in str(caught.value)
    assert "7319" not in str(caught.value)
    assert rows(store) == []


def test_a_mistake_in_sql_stays_what_it_is(store: Store) -> None:
    with pytest.raises(dbapi2.OperationalError), store.read() as tx:
        tx.execute("SELECT nothing FROM nowhere")


def test_a_transaction_inside_a_transaction_asserts(store: Store) -> None:
    with store.write(), pytest.raises(AssertionError, match="inside"), store.write():
        pass
    with store.read(), pytest.raises(AssertionError, match="inside"), store.write():
        pass
    with store.write():
        pass  # the refused ones gave everything back


def test_a_block_may_not_end_the_transaction_itself(store: Store) -> None:
    make_table(store)
    with pytest.raises(AssertionError, match="ended the transaction"), store.write() as tx:
        tx.execute("COMMIT")


def test_the_write_lock_is_taken_at_the_start(store: Store, key: StoreKey) -> None:
    make_table(store)
    other = connection.connect(store.path, key, cache_kib=1000, writer=True)
    other.execute("PRAGMA busy_timeout=0").fetchall()
    with store.write(), pytest.raises(dbapi2.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_second_writer_is_told_busy_after_the_time_out(
    store: Store, key: StoreKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_table(store)
    monkeypatch.setattr(connection, "BUSY_TIMEOUT_MS", 50)
    other = Store.open(store.path, key)
    with store.write(), pytest.raises(Busy):
        # Another thread, for one thread holds one transaction.
        _in_thread(lambda: _enter_write(other))
    other.close()


def test_a_second_thread_is_told_busy_while_the_first_keeps_the_connection(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "HELD_TIMEOUT_S", 0.05)
    with store.write(), pytest.raises(Busy, match="another thread"):
        _in_thread(lambda: _enter_write(store))
    _enter_write(store)


def test_after_damage_the_next_transaction_has_a_fresh_connection(store: Store) -> None:
    make_table(store)
    held: list[connection.Connection] = []

    def meet_damage() -> None:
        with store.write() as tx:
            held.append(tx)
            error = dbapi2.DatabaseError("database disk image is malformed")
            error.sqlite_errorcode = 11
            raise error

    with pytest.raises(Damaged):
        meet_damage()
    with store.write() as tx:
        assert tx is not held[0]
        tx.execute("INSERT INTO t VALUES (1)")
    assert rows(store) == [1]


def _enter_write(store: Store) -> None:
    with store.write():
        pass


def _in_thread(work: Callable[[], None]) -> None:
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def test_a_reader_keeps_its_snapshot_while_the_writer_commits(store: Store) -> None:
    make_table(store)

    def insert() -> None:
        with store.write() as tx:
            tx.execute("INSERT INTO t VALUES (1)")

    with store.read() as tx:
        before = tx.execute("SELECT count(*) FROM t").fetchone()
        _in_thread(insert)
        assert tx.execute("SELECT count(*) FROM t").fetchone() == before == (0,)
    assert rows(store) == [1]


def test_interrupt_calls_off_the_running_query_of_that_reader_only(store: Store) -> None:
    make_table(store)
    timer = threading.Timer(0.1, store.interrupt, [Reader.SEARCH])
    timer.start()
    with pytest.raises(Interrupted), store.read(Reader.SEARCH) as tx:
        tx.execute(SLOW).fetchone()
    timer.join()
    store.interrupt(Reader.SEARCH)  # idle: no effect
    assert rows(store, Reader.SEARCH) == []


def test_a_store_that_closes_calls_readers_off_and_waits_for_them(store: Store) -> None:
    """Closed under a thread that reads, the connection would take the process down."""
    make_table(store)
    begun, ended = threading.Event(), list[BaseException]()

    def reading() -> None:
        try:
            with store.read(Reader.SEARCH) as tx:
                begun.set()
                while True:  # a lane that asks one question after the other
                    tx.execute(SLOW).fetchone()
        except Interrupted as error:
            ended.append(error)

    thread = threading.Thread(target=reading)
    thread.start()
    assert begun.wait(10)
    store.close()
    thread.join(10)
    assert len(ended) == 1


def test_a_passive_checkpoint_moves_the_log_into_the_file(store: Store) -> None:
    make_table(store)
    done = store.checkpoint_passive()
    assert done.log_pages == done.moved_pages > 0
    assert not done.blocked


def test_no_checkpoint_runs_inside_a_commit(store: Store) -> None:
    make_table(store)
    store.checkpoint_truncate()
    before = store.path.read_bytes()
    with store.write() as tx:
        tx.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(600_000)])
    assert store.path.with_name("store.db-wal").stat().st_size > 1100 * 4096
    assert store.path.read_bytes() == before


def test_a_reader_in_the_way_is_reported_and_nothing_waits(store: Store) -> None:
    make_table(store)
    with store.read() as tx:
        tx.execute("SELECT count(*) FROM t").fetchone()

        def work() -> None:
            with store.write() as writing:
                writing.execute("INSERT INTO t VALUES (1)")
            done = store.checkpoint_passive()
            assert done.moved_pages < done.log_pages

        _in_thread(work)


def test_closing_leaves_one_file(store: Store) -> None:
    make_table(store)
    assert {p.name for p in store.path.parent.iterdir()} > {"store.db"}
    store.close()
    assert {p.name for p in store.path.parent.iterdir()} == {"store.db"}


def test_opening_a_missing_file_makes_none(tmp_path: Path, key: StoreKey) -> None:
    with pytest.raises(StoreMissing):
        Store.open(tmp_path / "store.db", key)
    assert list(tmp_path.iterdir()) == []


def test_the_driver_itself_may_not_make_a_file(tmp_path: Path, key: StoreKey) -> None:
    """The file may vanish between the look and the open; the open flags are what counts."""
    with pytest.raises(StoreMissing):
        connection.connect(tmp_path / "store.db", key, cache_kib=1000, writer=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"x" * 100])
def test_an_empty_or_short_file_is_no_store_and_stays_as_it_is(
    tmp_path: Path, key: StoreKey, content: bytes
) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(NotAStore):
        Store.open(path, key)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_sound_database_of_another_program_is_no_store(tmp_path: Path, key: StoreKey) -> None:
    path = tmp_path / "store.db"
    raw = connection.connect(path, key, cache_kib=1000, writer=True, create=True)
    raw.execute("CREATE TABLE theirs (a)")
    raw.close()
    with pytest.raises(NotAStore):
        Store.open(path, key)


@pytest.mark.parametrize("name", ["store.db", "store.db-wal", "store.db-journal"])
def test_creating_refuses_where_anything_lies(tmp_path: Path, key: StoreKey, name: str) -> None:
    (tmp_path / name).write_bytes(b"precious")
    with pytest.raises(AlreadyExists):
        Store.create(tmp_path / "store.db", key)
    assert (tmp_path / name).read_bytes() == b"precious"
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_creating_refuses_a_dangling_link(tmp_path: Path, key: StoreKey) -> None:
    (tmp_path / "store.db").symlink_to(tmp_path / "gone")
    with pytest.raises(AlreadyExists):
        Store.create(tmp_path / "store.db", key)


def test_creating_after_a_crash_while_creating_works(tmp_path: Path, key: StoreKey) -> None:
    (tmp_path / ".store.db.new").write_bytes(b"half")
    Store.create(tmp_path / "store.db", key).close()
    assert [p.name for p in tmp_path.iterdir()] == ["store.db"]


@pytest.mark.parametrize("name", ["店 铺 #1?", "a%20b&c=d", "长" * 85])
def test_any_folder_name_works(tmp_path: Path, key: StoreKey, name: str) -> None:
    path = tmp_path / name / "收银.db"
    path.parent.mkdir()
    made = Store.create(path, key)
    make_table(made)
    made.close()
    assert path.exists()


def test_another_key_is_told_and_the_file_stays_as_it_is(store: Store) -> None:
    make_table(store)
    store.close()
    before = store.path.read_bytes()
    with pytest.raises(WrongKey):
        Store.open(store.path, StoreKey(b"k" * 32, bytes(range(100, 116))))
    assert store.path.read_bytes() == before


def test_the_key_and_what_was_bound_are_in_no_exception_and_no_repr(
    store: Store, key: StoreKey
) -> None:
    make_table(store)
    with pytest.raises(dbapi2.OperationalError) as caught, store.write() as tx:
        tx.execute("SELECT :phone FROM nowhere", {"phone": "13800001234"})
    shown = repr(key) + repr(store) + repr(caught.value) + str(caught.value)
    assert "nowhere" in shown
    assert "13800001234" not in shown
    assert key.data_key.hex() not in shown
    assert repr(key.data_key) not in shown


def test_a_failing_check_writes_nothing_to_stderr(
    store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    make_table(store)
    store.close()
    with pytest.raises(WrongKey):
        Store.open(store.path, StoreKey(b"k" * 32, bytes(16)))
    assert capfd.readouterr() == ("", "")


def test_an_old_library_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.require_library()
    monkeypatch.setattr(dbapi2, "sqlite_version_info", (3, 51, 2))
    with pytest.raises(RuntimeError, match="too old"):
        connection.require_library()


def test_the_store_loads_no_sqlalchemy() -> None:
    """It is 20 MB and a quarter of a second that a till would pay for a pool of one connection."""
    code = "import sys, db.engine, db.lock; assert 'sqlalchemy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=os.getcwd())


def test_moving_the_log_waits_for_no_writer_and_no_writer_for_it(store: Store) -> None:
    make_table(store)
    with store.write() as tx:
        tx.execute("INSERT INTO t VALUES (1)")
    moved = list[engine.Checkpoint]()
    with store.write() as tx:
        tx.execute("INSERT INTO t VALUES (2)")
        beside = threading.Thread(target=lambda: moved.append(store.checkpoint_passive()))
        beside.start()
        beside.join(engine.HELD_TIMEOUT_S / 2)
        assert not beside.is_alive()
        assert not store.awaited
    assert moved[0].moved_pages > 0
    assert store.log_pages() > 0
    assert rows(store) == [1, 2]
