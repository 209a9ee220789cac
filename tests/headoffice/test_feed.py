"""A reader behind a cursor misses no row, whenever it looks; with a head taken at another time it does."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import msgspec
import pytest

from app.protocol.pull import frame, page, take_snapshot
from app.protocol.store import Device, Member
from app.protocol.wire import START, Cursor, SnapshotRequest
from headoffice.store import statements as sql
from headoffice.store.opening import open_database
from headoffice.store.sqlite import SqliteStore
from tests.headoffice.office import BUCKET, LIMITS, TENANT, Shop, connected, opened

WRITES = 60


class HeadFirst(SqliteStore):
    """Planted: takes its numbers before its transaction, as a sequence does."""

    def __init__(self, path: Path) -> None:
        self._other = open_database(path)
        super().__init__(self._other, TENANT.id)
        self._taken = 0

    def take_first(self) -> None:
        self._taken = self._raw.execute(sql.RAISE_HEAD, (*self._own, BUCKET, 1)).fetchone()[0]

    def _take_numbers(self, bucket: str, count: int) -> int:
        return self._taken


class HeadDropped(SqliteStore):
    """Planted: numbers its rows and leaves the head where it was."""

    def _take_numbers(self, bucket: str, count: int) -> int:
        row = self._read(sql.FEED, bucket).fetchone()
        if row is None:
            return super()._take_numbers(bucket, count)
        return int(row[0])


class Reader:
    """A till that pulls by its cursor on a connection of its own."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._cursor: Cursor = START
        self.seen: dict[bytes, int] = {}

    def pull(self, store: SqliteStore) -> None:
        with store.reading():
            found = page(store, self._device, {BUCKET: self._cursor}, LIMITS)
        for row in found.rows:
            assert self.seen.get(row.member, 0) < row.feed, "a row came twice"
            self.seen[row.member] = row.feed
        self._cursor = found.cursors[BUCKET]


def device_of(store: SqliteStore) -> Device:
    shop = Shop(1)
    shop.enrol(store)
    with store.reading():
        device = store.device(shop.at.device)
    assert device is not None
    return device


def missed(store: SqliteStore, reader: Reader) -> int:
    """Members whose last change the reader never got."""
    with store.reading():
        known = {member: store.member(member) for member in store.members()}
    return sum(
        reader.seen.get(key, 0) != member.feed
        for key, member in known.items()
        if member is not None
    )


def test_a_reader_that_looks_before_in_and_after_each_write_misses_nothing(tmp_path: Path) -> None:
    rng = random.Random(1)
    path = tmp_path / "office.db"
    with opened(path) as writer, opened(path) as pulled:
        reader = Reader(device_of(writer))
        for _ in range(WRITES):
            with writer.writing():
                for _ in range(rng.randint(1, 4)):
                    writer.put_member(Member(bytes([rng.randrange(9)]) * 16, BUCKET))
                    reader.pull(pulled)
            if rng.random() < 0.5:
                reader.pull(pulled)
        reader.pull(pulled)
        assert len(reader.seen) == 9
        assert missed(pulled, reader) == 0


def test_a_head_taken_before_the_transaction_makes_a_reader_miss_rows(tmp_path: Path) -> None:
    path = tmp_path / "office.db"
    with opened(path) as pulled:
        reader = Reader(device_of(pulled))
        writer = HeadFirst(path)
        for number in range(WRITES):
            writer.take_first()
            with writer.writing():
                writer.put_member(Member(bytes([number]) * 16, BUCKET))
                if number % 3 == 0:
                    reader.pull(pulled)
            reader.pull(pulled)
        assert missed(pulled, reader) == WRITES / 3
        writer._other.close()


def test_a_head_that_is_not_raised_makes_a_reader_miss_rows(tmp_path: Path) -> None:
    path = tmp_path / "office.db"
    with opened(path) as pulled:
        reader = Reader(device_of(pulled))
        writer = HeadDropped(open_database(path), TENANT.id)
        for number in range(WRITES):
            with writer.writing():
                writer.put_member(Member(bytes([number]) * 16, BUCKET))
            reader.pull(pulled)
        assert missed(pulled, reader) == WRITES - 1
        writer._raw.close()


def test_rows_and_head_are_read_in_one_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "office.db"
    with opened(path) as writer, opened(path) as pulled:
        with writer.writing():
            writer.put_member(Member(b"M" * 16, BUCKET))
        with pulled.reading():
            before = pulled.rows(BUCKET, 0, 10)
            with writer.writing():
                writer.put_member(Member(b"N" * 16, BUCKET))
            assert pulled.head(BUCKET) == 1
            assert pulled.rows(BUCKET, 0, 10) == before
        with pulled.reading():
            assert pulled.head(BUCKET) == 2


def test_a_row_that_was_put_is_read_with_its_number_in_the_same_transaction(
    tmp_path: Path,
) -> None:
    with opened(tmp_path / "office.db") as store, store.writing():
        store.put_member(Member(b"M" * 16, BUCKET))
        store.put_member(Member(b"M" * 16, BUCKET))
        assert [row.feed for row in store.rows(BUCKET, 0, 10)] == [2]
        store.put_member(Member(b"N" * 16, BUCKET))
        assert store.head(BUCKET) == 3


def test_a_floor_above_the_head_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "office.db") as store:
        with store.writing():
            store.put_member(Member(b"M" * 16, BUCKET))
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"), store.writing():
            store.prune(BUCKET, 2)


def test_a_till_that_asks_for_one_frame_makes_one_be_read(tmp_path: Path) -> None:
    path = tmp_path / "office.db"
    with connected(path) as raw:
        store = SqliteStore(raw, TENANT.id)
        with store.writing():
            store.put_tenant(TENANT)
        device = device_of(store)
        with store.writing():
            for number in range(35):
                store.put_member(Member(bytes([number]) * 16, BUCKET))
            taken = take_snapshot(store, BUCKET, 7, LIMITS)
        statements = list[str]()
        with store.reading():
            raw.set_trace_callback(statements.append)
            request = SnapshotRequest(b"r", device.id, TENANT.timeline, BUCKET, 0, 2)
            reply = frame(store, device, request)
            beyond = frame(store, device, msgspec.structs.replace(request, frame=4))
    assert reply is not None
    assert (reply.frames, reply.rows) == (4, taken.frames[2])
    assert beyond is None
    assert sum("FROM snapshot_frame" in each for each in statements) == 1
