"""A reader behind a cursor misses no row, whenever it looks; with a head taken at another time it does."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.protocol import pull
from app.protocol.pull import frame, page, take_snapshot
from app.protocol.store import Device, Member
from app.protocol.wire import (
    START,
    Cursor,
    MemberRow,
    ReferenceRow,
    SnapshotRequest,
    rows_of,
    unpack_row,
)
from headoffice.store import row_records
from headoffice.store import statements as sql
from headoffice.store.records import Records
from headoffice.store.row_records import Row
from headoffice.store.sqlite import SqliteStore
from tests.headoffice.office import BUCKET, LIMITS, TENANT, Database, Shop, connected, opened

WRITES = 60


class HeadDropped(Records):
    """Planted: numbers its rows and leaves the head where it was, but for the first."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._rows_write, self._had = self._rows.write, False
        self._rows.write = self._planted  # type: ignore[method-assign]  # a fault

    def _planted(self, table: sql.Table, rows: Sequence[Row]) -> None:
        if table is sql.FEED and rows:
            rows, self._had = ([] if self._had else rows), True
        self._rows_write(table, rows)


class Reader:
    """A till that pulls by its cursor on a connection of its own."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._cursor: Cursor = START
        self.seen: dict[bytes, int] = {}

    def pull(self, store: Records) -> None:
        with store.reading():
            found = page(store, self._device, {BUCKET: self._cursor}, LIMITS)
        for row in map(unpack_row, found.rows):
            assert self.seen.get(row.member, 0) < row.feed, "a row came twice"
            self.seen[row.member] = row.feed
        self._cursor = found.cursors[BUCKET]


def device_of(store: Records) -> Device:
    shop = Shop(1)
    shop.enrol(store)
    with store.reading():
        device = store.device(shop.at.device)
    assert device is not None
    return device


def missed(store: Records, reader: Reader) -> int:
    """Members whose last change the reader never got."""
    with store.reading():
        known = {member: store.member(member) for member in store.members()}
    return sum(
        reader.seen.get(key, 0) != member.feed
        for key, member in known.items()
        if member is not None
    )


def test_a_reader_that_looks_before_in_and_after_each_write_misses_nothing(
    office: Database,
) -> None:
    rng = random.Random(1)
    with office.opened() as writer, office.opened() as pulled:
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


def test_a_head_that_is_true_before_its_rows_makes_a_reader_miss_them(office: Database) -> None:
    with office.opened() as pulled, office.opened() as writer:
        reader = Reader(device_of(pulled))
        raised = 0
        for number in range(WRITES):
            # The planted fault: the head in a transaction of its own, then rows that were counted.
            with writer.writing():
                raised = writer._feeds.number(BUCKET, "")
            with writer.writing():
                writer._feeds.number = lambda *_, at=raised: at  # type: ignore[method-assign]
                writer.put_member(Member(bytes([number]) * 16, BUCKET))
                if number % 3 == 0:
                    reader.pull(pulled)
            del writer._feeds.number
            reader.pull(pulled)
        assert missed(pulled, reader) == WRITES / 3


def test_a_head_that_is_not_raised_makes_a_reader_miss_rows(office: Database) -> None:
    with office.opened() as pulled, office.opened(planted=HeadDropped) as writer:
        reader = Reader(device_of(pulled))
        for number in range(WRITES):
            with writer.writing():
                writer.put_member(Member(bytes([number]) * 16, BUCKET))
            reader.pull(pulled)
        assert missed(pulled, reader) == WRITES - 1


def test_rows_and_head_are_read_in_one_snapshot(office: Database) -> None:
    with office.opened() as writer, office.opened() as pulled:
        with writer.writing():
            writer.put_member(Member(b"M" * 16, BUCKET))
        with pulled.reading():
            before = pulled.rows(BUCKET, 0, 10)
            with writer.writing():
                writer.put_member(Member(b"N" * 16, BUCKET))
            assert pulled.head(BUCKET) == 1
            assert pulled.rows(BUCKET, 0, 10) == before
            # Another bucket is asked for now, and still as it was then.
            with writer.writing():
                writer.put_member(Member(b"S" * 16, "south"))
            assert pulled.member(b"S" * 16) is None
            assert pulled.head("south") == 0
        with pulled.reading():
            assert pulled.head(BUCKET) == 2


def test_a_row_that_was_put_is_read_with_its_number_in_the_same_transaction(
    office: Database,
) -> None:
    with office.opened() as store, store.writing():
        store.put_member(Member(b"M" * 16, BUCKET))
        store.put_member(Member(b"M" * 16, BUCKET))
        assert [row.feed for row in store.rows(BUCKET, 0, 10)] == [2]
        store.put_member(Member(b"N" * 16, BUCKET))
        assert store.head(BUCKET) == 3


def test_stored_rows_and_those_that_were_put_make_one_page(office: Database) -> None:
    ids = [bytes([number]) * 16 for number in range(6)]
    with office.opened() as store:
        with store.writing():
            for each in ids[:4]:
                store.put_member(Member(each, BUCKET))
        with store.writing():
            assert [row.feed for row in store.rows(BUCKET, 0, 10)] == [1, 2, 3, 4]
            store.put_member(Member(ids[1], BUCKET))
            store.put_member(Member(ids[4], BUCKET))
            assert [row.feed for row in store.rows(BUCKET, 0, 10)] == [1, 3, 4, 5, 6]
            assert [row.feed for row in store.rows(BUCKET, 0, 4)] == [1, 3, 4, 5]
            assert [row.feed for row in store.rows(BUCKET, 3, 2)] == [4, 5]
            assert [row.feed for row in store.rows(BUCKET, 5, 2)] == [6]
        with store.reading():
            assert [row.feed for row in store.rows(BUCKET, 0, 10)] == [1, 3, 4, 5, 6]


def test_a_pruned_tombstone_is_in_no_page_of_the_same_transaction(office: Database) -> None:
    with office.opened() as store:
        with store.writing():
            store.put_reference(ReferenceRow("a", BUCKET, 0, 1, None))
            store.put_reference(ReferenceRow("b", BUCKET, 0, 1, None))
        with store.writing():
            store.put_reference(ReferenceRow("c", BUCKET, 0, 1, None))
            assert [row.feed for row in store.rows(BUCKET, 0, 9)] == [1, 2, 3]
            store.prune(BUCKET, 1)
            assert [row.feed for row in store.rows(BUCKET, 0, 9)] == [2, 3]
            store.prune(BUCKET, 3)
            assert store.rows(BUCKET, 0, 9) == []
        with store.reading():
            assert store.rows(BUCKET, 0, 9) == []


def test_a_floor_above_the_head_is_refused(office: Database) -> None:
    with office.opened() as store:
        with store.writing():
            store.put_member(Member(b"M" * 16, BUCKET))
        with pytest.raises(office.refusals, match=r"CHECK|check"), store.writing():
            store.prune(BUCKET, 2)


def test_a_till_is_given_frames_as_they_are_so_many_as_it_asks_for_and_no_member_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected(tmp_path / "office.db") as raw:
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
            asked = msgspec.structs.replace(request, frame=1, most=2)
            several = frame(store, device, asked)
            rest = frame(store, device, msgspec.structs.replace(asked, most=1_000_000))
            monkeypatch.setattr(pull, "FRAMES_MOST", 2)
            small = frame(store, device, msgspec.structs.replace(asked, frame=0, most=9))
            monkeypatch.setattr(pull, "FRAME_BYTES_MOST", 1)
            large = frame(store, device, msgspec.structs.replace(asked, frame=0, most=9))
    assert reply is not None
    assert (reply.of, reply.frames) == (4, (taken.frames[2],))
    assert several is not None
    assert several.frames == taken.frames[1:3], "as many as were asked for"
    assert rest is not None
    assert (rest.frame, rest.frames) == (1, taken.frames[1:]), "and no more than there are"
    assert small is not None
    assert small.frames == taken.frames[:2], "nor more than an answer may have"
    assert large is not None
    assert large.frames == taken.frames[:1], "but one at least"
    assert beyond is None
    assert sum("FROM snapshot_frame" in each for each in statements) == 5, "one a request"
    assert not any("FROM member" in each or "FROM reservation" in each for each in statements)


def test_rows_from_before_they_were_kept_packed_are_sent_all_the_same(office: Database) -> None:
    with office.opened() as store:
        with store.writing():
            for number in range(1, 4):
                store.put_member(Member(bytes([number]) * 16, BUCKET))
        before = packed(store)
        assert office.change("UPDATE member SET wire = NULL") == 3
        assert packed(store) == before
        with store.writing():
            begun = store.snapshots.begin(BUCKET, TENANT.timeline, [])
            store.snapshots.add(BUCKET, begun, 10)
        with store.reading():
            (frame,) = store.snapshots.frames(BUCKET, begun.number, 0, 1)
    assert list(rows_of(frame)) == before


def packed(store: Records) -> list[MemberRow]:
    with store.reading():
        return [unpack_row(row) for row in store.page(BUCKET, 0, 10).members]


def test_a_page_of_stored_rows_reads_no_member(tmp_path: Path) -> None:
    with connected(tmp_path / "office.db") as raw, opened(tmp_path / "office.db") as store:
        with store.writing():
            store.put_member(Member(b"m" * 16, BUCKET))
        with store.reading(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(row_records, "member_of", None)
            found = store.page(BUCKET, 0, 10)
        stored = raw.execute("SELECT wire FROM member").fetchone()[0]
    assert [unpack_row(row).member for row in found.members] == [b"m" * 16]
    assert msgspec.msgpack.encode(found.members[0]) == stored
