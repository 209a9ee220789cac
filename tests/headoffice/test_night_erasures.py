"""The night's look at who was erased: all tills are read once, and an older program can go on with it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from app.protocol import profiles
from app.protocol.profiles import slowest
from app.protocol.references import REFERENCE_BUCKET
from app.protocol.store import Device
from headoffice import nights, portions
from headoffice.directory import Directory, UnderWay
from headoffice.store.records import Records
from tests.headoffice.http_office import (
    TENANT,
    Clock,
    HttpTill,
    begin_chain,
    database_of,
    opened,
    rows,
    served,
    wait_for,
)
from tests.headoffice.test_http_nights import desk_of, member, night

pytestmark = pytest.mark.usefixtures("each_store")


def forget(store: Records, directory: Directory, *people: tuple[int, str]) -> None:
    """People of these numbers and buckets are erased."""
    with store.writing():
        for number, bucket in people:
            profiles.erase(store, member(number), bucket)
    with store.writing():
        for number, _ in people:
            directory.erasures(TENANT).put(member(number), 1)


def has_all(folder: Path, till: HttpTill) -> bool:
    """Whether the till has told that it has all rows; it asks."""
    till.exchange()
    with opened(folder) as (store, _), store.reading():
        (device,) = store.devices()
        return device.seen_of("all") == store.head("all")


def at_last_step(folder: Path, *buckets: str) -> None:
    """The night has come to its last step."""
    with opened(folder) as (store, directory), store.writing():
        known = directory.night(TENANT)
        place = UnderWay(known.done + 1, 1, step="tidying", buckets=buckets)
        directory.put_night(known._replace(under_way=place))


def test_all_tills_are_read_once_a_night_however_many_were_erased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And an older program finds a bucket to go on with wherever the night has come to."""
    monkeypatch.setattr(nights, "ERASED_MOST", 1)
    monkeypatch.setattr(portions, "SHORT_MS", 0)
    begin_chain(tmp_path)
    with served(tmp_path) as chain:
        till = chain.till()
        till.sync()
        with opened(tmp_path) as found:
            forget(*found, *((number, "all") for number in range(4)))
        wait_for(lambda: has_all(tmp_path, till))
        with opened(tmp_path) as found:
            forget(*found, (4, "all"), (5, "nobody's"))
    at_last_step(tmp_path, "all", REFERENCE_BUCKET)
    read, places = list[int](), list[UnderWay | None]()

    def counted(tills: list[Device]) -> dict[str, int]:
        read.append(len(tills))
        return slowest(tills)

    monkeypatch.setattr(nights, "slowest", counted)
    with closing(database_of(tmp_path)) as database:
        by_night, duties = desk_of(database)
        for turn in range(12):
            if turn == 2:
                forget(database.store(TENANT), Directory(database), (9, "all"))
            by_night.turn(duties, Clock()())
            places.append(night(tmp_path).under_way)
    assert places[-1] is None
    assert read == [1]
    assert all(each.step == "tidying" and each.buckets for each in places if each)
    waiting = rows(tmp_path, "SELECT member_id FROM erasure WHERE done_ms IS NULL")
    assert {bytes(row[0]) for row in waiting} == {member(4), member(9)}, (
        "the till has not heard of the one, and the other was erased since it was looked at"
    )


def test_a_night_that_a_program_of_between_left_without_a_bucket_ends(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    at_last_step(tmp_path)
    with closing(database_of(tmp_path)) as database:
        by_night, duties = desk_of(database)
        while night(tmp_path).under_way is not None:
            assert by_night.turn(duties, Clock()()) == TENANT
    assert not by_night.failing
