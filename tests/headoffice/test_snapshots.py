"""Snapshots made in portions: what they hold while the shop goes on selling, who is given them, how they go."""

from __future__ import annotations

from app.protocol.store import Member
from app.protocol.wire import rows_of
from headoffice.store.packing import frame_kept
from headoffice.store.records import Records
from headoffice.store.snapshots import DROPPED_AT_ONCE, KEPT, Begun
from headoffice.store.statements import SOME_FRAMES
from tests.headoffice.office import BUCKET, NOW, Database, Shop

SIZE = 2


def begun(store: Records, bucket: str = BUCKET) -> Begun:
    with store.writing():
        return store.snapshots.begin(bucket, NOW, list(store.devices()))


def add(store: Records, at: Begun) -> tuple[Begun, bool]:
    with store.writing():
        return store.snapshots.add(BUCKET, at, SIZE)


def made(store: Records) -> int:
    """A whole snapshot; returns its number."""
    at, whole = begun(store), False
    while not whole:
        at, whole = add(store, at)
    return at.number


def is_there(store: Records, number: int = 0) -> bool:
    with store.reading():
        return store.snapshot(BUCKET, number) is not None


def selling(store: Records) -> Shop:
    shop = Shop(1, members=9)
    shop.enrol(store)
    shop.sell(40)
    shop.sync(store)
    return shop


def test_rows_that_change_while_a_snapshot_is_made_are_left_to_the_pages_behind_it(
    office: Database,
) -> None:
    with office.opened() as store:
        shop = selling(store)
        with store.reading():
            before = {
                row.id: row.feed for row in store.rows(BUCKET, 0, 100) if isinstance(row, Member)
            }
            head = store.head(BUCKET)
            have = {device.id: device.place for device in store.devices()}
        at, whole = begun(store), False
        while not whole:
            shop.sell(1)
            shop.sync(store)
            at, whole = add(store, at)
        with store.reading():
            snapshot = store.snapshot(BUCKET, at.number)
            assert snapshot is not None
            rows = [row for frame in snapshot.frames for row in rows_of(frame)]
            behind = {row.id for row in store.rows(BUCKET, head, 100) if isinstance(row, Member)}
        assert (snapshot.feed, snapshot.have) == (head, have), "both as when it was begun"
        assert all(before[row.member] == row.feed for row in rows)
        members = [row.member for row in rows]
        assert members == sorted(set(members)) != []
        assert behind, "the test sold while it was made"
        assert {row.member for row in rows} | behind == set(before)


def test_a_snapshot_that_is_not_whole_is_given_to_nobody(office: Database) -> None:
    with office.opened() as store:
        selling(store)
        at = begun(store)
        at, whole = add(store, at)
        assert not whole
        assert not is_there(store)
        assert not is_there(store, at.number)
        while not whole:
            at, whole = add(store, at)
        assert is_there(store)
        assert is_there(store, at.number)


def test_old_snapshots_go_in_portions_and_none_is_given_that_lacks_frames(office: Database) -> None:
    with office.opened() as store:
        shop = Shop(1, members=SIZE * (DROPPED_AT_ONCE + 2))
        shop.enrol(store)
        for _ in range(8):
            shop.sell(50)
            shop.sync(store)
        numbers = [made(store) for _ in range(KEPT + 1)]
        assert all(is_there(store, number) for number in numbers)
        more, portions = True, 0
        while more:
            with store.writing():
                more = store.snapshots.drop_old(BUCKET)
            portions += 1
            assert not is_there(store, numbers[0])
        assert portions == 2
        assert all(is_there(store, number) for number in numbers[1:])
        with store.reading():
            newest = store.snapshot(BUCKET, 0)
            assert newest is not None
            assert newest.id == numbers[-1]
            assert all(rows_of(frame) for frame in newest.frames[:-1])
    kept = {row[2:4] for row in office.rows("snapshot")}
    assert {number for _, number in kept} == set(numbers[1:])
    assert {row[3] for row in office.rows("snapshot_frame")} == set(numbers[1:])


def test_an_abandoned_snapshot_goes_too(office: Database) -> None:
    with office.opened() as store:
        selling(store)
        abandoned, _ = add(store, begun(store))
        number = made(store)
        assert number > abandoned.number
        with store.writing():
            assert not store.snapshots.drop_old(BUCKET)
    assert {row[3] for row in office.rows("snapshot")} == {number}


def test_frames_lie_compressed_and_are_given_as_they_were_made(office: Database) -> None:
    with office.opened() as store:
        selling(store)
        number = made(store)
        with store.reading():
            snapshot = store.snapshot(BUCKET, number)
            assert snapshot is not None
            frames = list(snapshot.frames)
            kept = [body for (body,) in store._rows.ask(SOME_FRAMES, BUCKET, number, 0, 100)]
        assert [frame_kept(body) for body in kept] == frames != kept
        assert 3 * sum(map(len, kept)) < 2 * sum(map(len, frames))
        assert [rows_of(frame) for frame in frames]
        assert frame_kept(frames[0]) == frames[0], "as an older store has it"
