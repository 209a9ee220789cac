"""SQLite's log is moved into the file beside the writer, not by whoever's commit finds it long."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.protocol.store import Member
from headoffice.office import STORE_FILE
from headoffice.store import log_moving
from headoffice.store.errors import StoreError
from headoffice.store.log_moving import LOG_MOST_PAGES, LogMoving
from headoffice.store.opening import LOG_PAGES
from headoffice.store.sqlite_place import SqlitePlace, SqlitePlain
from tests.headoffice.http_office import TENANT, begin_chain, served, wait_for

ROWS = 50


@pytest.fixture
def writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlitePlain]:
    """Who writes, of a chain without members."""
    monkeypatch.setattr(log_moving, "ROWS", ROWS)
    begin_chain(tmp_path)
    with closing(SqlitePlace(tmp_path / STORE_FILE).open()) as opened:
        opened.heard(opened.news())
        yield opened


def write(writer: SqlitePlain, first: int, members: int) -> None:
    store = writer.store(TENANT)
    with store.writing():
        for number in range(first, first + members):
            store.put_member(Member(number.to_bytes(16, "big"), "all"))


def in_the_file(folder: Path) -> int:
    """How many members the file has without its log."""
    alone = folder / "alone.db"
    shutil.copy(folder / STORE_FILE, alone)
    with closing(sqlite3.connect(alone)) as raw:
        return int(raw.execute("SELECT count(*) FROM member").fetchone()[0])


def pages_in_the_log(folder: Path) -> int:
    """Pages from the log's begin; after it began anew few."""
    with closing(sqlite3.connect(folder / STORE_FILE)) as raw:
        return int(raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1])


def moved(writer: SqlitePlain) -> bool:
    log = writer._log
    assert log is not None
    return log._moving is None or log._moving.done()


def test_a_long_log_is_moved_beside_the_writer_who_moves_what_came_meanwhile(
    writer: SqlitePlain, tmp_path: Path
) -> None:
    write(writer, 0, ROWS // 4)
    writer.tidy()
    assert in_the_file(tmp_path) == 0, "it is short"
    write(writer, 100, ROWS)
    writer.tidy()
    wait_for(lambda: moved(writer))
    assert in_the_file(tmp_path) == ROWS + ROWS // 4
    write(writer, 200, 1)
    assert in_the_file(tmp_path) == ROWS + ROWS // 4
    writer.tidy()
    assert in_the_file(tmp_path) == ROWS + ROWS // 4 + 1
    write(writer, 201, 1)
    assert pages_in_the_log(tmp_path) < ROWS // 4, "it begins anew"
    assert not writer.news(), "nobody else has written"


def test_no_commit_moves_the_log_before_it_is_far_too_long(writer: SqlitePlain) -> None:
    found = [writer.rows("PRAGMA wal_autocheckpoint")[0][0]]
    write(writer, 0, ROWS)
    writer.tidy()
    found += [writer.rows("PRAGMA wal_autocheckpoint")[0][0]]
    assert found == [LOG_PAGES, LOG_MOST_PAGES]


def test_a_log_that_cannot_be_moved_is_said_and_tried_again(
    writer: SqlitePlain, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda *_, **__: connect("/nowhere/office.db"))
        write(writer, 0, ROWS)
        writer.tidy()
        wait_for(lambda: moved(writer))
        with pytest.raises(StoreError, match="unable to open"):  # whatever SQLite calls it
            writer.tidy()
    write(writer, 100, ROWS)
    writer.tidy()
    wait_for(lambda: moved(writer))
    writer.tidy()


def test_a_head_office_at_work_moves_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_chain(tmp_path)
    moving: list[LogMoving] = []
    monkeypatch.setattr(log_moving, "ROWS", 1)

    def noted(log: LogMoving) -> None:
        moving.append(log)

    monkeypatch.setattr(LogMoving, "_move", noted)
    with served(tmp_path) as chain:
        chain.till().earn(sales=3)
        wait_for(lambda: bool(moving))
