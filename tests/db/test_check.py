"""The checks of the file: sound ones pass, and what is broken is named."""

from __future__ import annotations

import threading

import pytest

from db import check, connection
from db.engine import Reader, Store, StoreKey
from db.errors import Busy


@pytest.fixture
def filled(store: Store) -> Store:
    with store.write() as tx:
        tx.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY, text TEXT) STRICT")
        tx.execute(
            "CREATE TABLE child (id INTEGER PRIMARY KEY, up INTEGER REFERENCES parent (id)) STRICT"
        )
        tx.executemany("INSERT INTO parent VALUES (?, ?)", [(n, "x" * 500) for n in range(1, 401)])
        tx.execute("INSERT INTO child VALUES (1, 1)")
    return store


def test_a_sound_store_passes_with_its_log_pending(filled: Store) -> None:
    assert filled.path.with_name("store.db-wal").stat().st_size > 0
    assert check.check(filled).sound


def test_a_flipped_bit_is_found_on_its_page(filled: Store, key: StoreKey) -> None:
    filled.close()
    content = bytearray(filled.path.read_bytes())
    content[20 * 4096 + 100] ^= 1
    filled.path.write_bytes(content)
    again = Store.open(filled.path, key)
    report = check.check(again)
    assert report.pages == (21,)
    assert not report.sound
    again.close()


def test_a_structure_that_cannot_be_walked_is_reported_not_raised(
    filled: Store, key: StoreKey
) -> None:
    filled.close()
    content = bytearray(filled.path.read_bytes())
    content[20 * 4096 + 100] ^= 1
    filled.path.write_bytes(content)
    again = Store.open(filled.path, key)
    assert check.check_structure(again) == ("SQLITE_CORRUPT",)
    again.close()


def test_a_reference_to_nothing_is_named(filled: Store, key: StoreKey) -> None:
    other = connection.connect(filled.path, key, cache_kib=1000, writer=True)
    other.execute("PRAGMA foreign_keys=OFF")
    other.execute("INSERT INTO child VALUES (7, 9999)")
    other.close()
    report = check.check(filled)
    assert report.references == (check.BrokenReference("child", 7, "parent"),)
    assert not report.sound


def test_a_row_against_its_constraint_is_named(filled: Store, key: StoreKey) -> None:
    other = connection.connect(filled.path, key, cache_kib=1000, writer=True)
    other.execute("PRAGMA writable_schema=ON")
    other.execute("UPDATE sqlite_master SET sql = replace(sql, 'text TEXT', 'text TEXT NOT NULL')")
    other.execute("INSERT INTO parent VALUES (1000, NULL)")
    other.close()
    filled.close()
    again = Store.open(filled.path, key)
    assert check.check_structure(again) == ("NULL value in parent.text",)
    again.close()


def test_a_pending_log_is_never_taken_for_damage(filled: Store) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with filled.read(Reader.SEARCH) as tx:
            tx.execute("SELECT count(*) FROM parent").fetchone()
            entered.set()
            leave.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait(20)
    with filled.write() as tx:
        tx.execute("PRAGMA busy_timeout=50").fetchall()
        tx.execute("INSERT INTO child VALUES (2, 2)")
    with pytest.raises(Busy):
        check.check_pages(filled)
    leave.set()
    thread.join()
    assert check.check_pages(filled) == ()
