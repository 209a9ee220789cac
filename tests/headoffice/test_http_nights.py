"""What head office does of itself each night, over real HTTP: what is booked, kept, forgotten, and what of it
outlives kill -9. Clocks are moved; nobody calls the night's work by hand."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.domain.entries import POINTS, Entry, EntryId
from app.domain.fold import fold
from app.domain.state import EMPTY
from app.protocol import facts
from app.protocol.facts import Facts, Posting
from app.protocol.owner import book_expiry
from app.protocol.references import REFERENCE_BUCKET
from app.protocol.store import Member, Store
from app.protocol.wire import ReferenceRow, Refusal, SnapshotReply, SyncReply, rows_of
from headoffice import audit, nights, portions
from headoffice.directory import Directory, Night, UnderWay
from headoffice.nights import FRAME_ROWS, NIGHT_MS, TOMBSTONE_NIGHTS, Duty, Nights, night_of
from headoffice.office import Office
from headoffice.recounting import Recounting
from headoffice.store.plain import Opened
from headoffice.store.postgresql_opening import LOCK_WAIT_MS
from headoffice.watching import Watch
from tests.headoffice.http_office import (
    ANNA,
    BELA,
    DAY,
    OFFSET_MINUTES,
    TENANT,
    Clock,
    HttpTill,
    Served,
    begin_chain,
    code_for,
    database_of,
    opened,
    served,
    wait_for,
)
from tests.headoffice.serving_process import Process
from tests.headoffice.test_http_kill import Sender, moved, sales

pytestmark = pytest.mark.usefixtures("each_store")

OTHER = b"U" * 16
KILLS = 5
MEMBERS = 3 * FRAME_ROWS + 10
LAPSING = 3_500
"""So many that a night's work takes longer than all the time between its beginnings and its kills."""


def lapsing(till: HttpTill, members: int, *, days_ago: int = 30, points: int = 7) -> None:
    """Sales of long ago that come late: their points lapsed so many days ago."""
    on = till.today.plus(-365 - days_ago)
    for number in range(members):
        event = till.rng.randbytes(16)
        entry = Entry(EntryId(event, 0), POINTS, "earn", points, on, on, on.plus(365))
        made = Facts(event, "sale", member(number), on, (Posting(entry),), sold=((0, 1),))
        till.at.commit(made, facts.write(made))


def member(number: int) -> bytes:
    return number.to_bytes(16, "big")


def night(folder: Path) -> Night:
    with opened(folder) as (_, directory):
        return directory.nights()[TENANT]


def overdue(folder: Path) -> None:
    """As if the last night had not been done."""
    with opened(folder) as (store, directory), store.writing():
        before = directory.nights()[TENANT]
        directory.put_night(before._replace(done=before.done - 1))


def pass_nights(chain: Served, days: int) -> None:
    """Let the time pass and the night's work be done."""
    chain.clock.moved_ms += days * DAY
    with opened(chain.folder) as (_, directory):
        tonight = night_of(directory.chains()[0], chain.clock())
    wait_for(lambda: night(chain.folder).done == tonight)


def figure(url: str, name: str, tenant: bytes = TENANT) -> int:
    """A figure of a chain, its fraction left out."""
    text = httpx.get(f"{url}/metrics").text
    found = re.search(rf'^regulars_{name}{{chain="{tenant.hex()}"}} (\S+)$', text, re.MULTILINE)
    assert found, name
    return int(Decimal(found[1]))


def polled_quietly(till: HttpTill, url: str) -> bool:
    """Sync; whether a poll of some till was answered from memory by now."""
    till.sync()
    return "regulars_quiet_polls_total 0.0" not in httpx.get(f"{url}/metrics").text


def expiries(folder: Path) -> dict[bytes, int]:
    """How many expire entries each member has; states are their ledgers' folds."""
    found = {}
    with opened(folder) as (store, _), store.reading():
        for each in store.members():
            known, ledger = store.member(each), store.ledger(each)
            assert known is not None
            assert known.state == fold(EMPTY, ledger)
            found[each] = sum(entry.kind == "expire" for entry in ledger)
    return found


def balance(folder: Path, of: bytes) -> int:
    with opened(folder) as (store, _), store.reading():
        known = store.member(of)
    assert known is not None
    return known.state.balance()


def test_points_lapse_at_head_office_after_the_grace_and_tills_hear_of_it(tmp_path: Path) -> None:
    begin_chain(tmp_path, budget=0)  # whoever wants a grant asks the store anyway
    with served(tmp_path) as chain:
        till = chain.till()
        till.earn(ANNA, 7)
        wait_for(lambda: polled_quietly(till, chain.url))
        pass_nights(chain, 302)
        assert balance(tmp_path, ANNA) == 7, "within the grace"
        pass_nights(chain, 2)
        assert balance(tmp_path, ANNA) == 0
        till.sync()
        base = till.at.store.base(ANNA)
        assert base is not None
        assert base.row.state.balance() == 0
        assert figure(chain.url, "expiries_booked_total") == 1
        assert figure(chain.url, "night_failures_total") == 0
        assert figure(chain.url, "night_done_timestamp_seconds") >= chain.clock() // 1000 - 60


def test_a_night_begins_at_three_of_the_chains_own_time_and_is_done_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_chain(tmp_path)
    done, turns = list[str](), list[bool]()
    turn = Office.turn

    def counted(office: Office, waits: Callable[[], bool]) -> bool:
        turns.append(turn(office, waits))
        return turns[-1]

    def some_turns() -> int:
        """Wait until the writer had nothing to do a few times over."""
        begin = len(turns)
        wait_for(lambda: len(turns) > begin + 2 and not any(turns[-2:]))
        return done.count("night_done")

    monkeypatch.setattr(nights, "note", lambda event, **_: done.append(event))
    monkeypatch.setattr(Office, "turn", counted)
    with served(tmp_path) as chain:
        local_ms = chain.clock() + OFFSET_MINUTES * 60_000
        chain.clock.moved_ms += (NIGHT_MS - local_ms) % DAY - 60_000
        assert some_turns() == 0
        chain.clock.moved_ms += 120_000
        assert some_turns() == 1
        chain.clock.moved_ms += DAY - 120_000
        assert some_turns() == 1
        chain.clock.moved_ms += 120_000
        assert some_turns() == 2


def test_a_start_makes_up_for_a_night_that_it_missed(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as chain:
        till = chain.till()
        lapsing(till, 3)
        till.sync()
    assert set(expiries(tmp_path).values()) == {0}
    overdue(tmp_path)
    with served(tmp_path):
        wait_for(
            lambda: night(tmp_path).under_way is None and sum(expiries(tmp_path).values()) == 3
        )


def test_nothing_is_booked_while_a_till_holds_the_points(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as chain:
        till = chain.till()
        till.earn(ANNA, 7)
        till.earn(BELA, 7)
        till.sync()
        till.hear(till.reply(till.hold(ANNA, 5)))
        pass_nights(chain, 310)
        assert expiries(tmp_path) == {ANNA: 0, BELA: 1}


def test_a_new_till_begins_with_the_nights_snapshot_and_goes_on_at_the_next_frame_after_a_kill(
    tmp_path: Path,
) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as chain:
        north = chain.till()
        for number in range(MEMBERS):
            north.earn(member(number), number + 1)
        north.sync()
    overdue(tmp_path)
    at = Process(tmp_path)
    wait_for(lambda: night(tmp_path).under_way is None and snapshots(tmp_path) == 1)
    south = HttpTill(at.url, 2)
    south.enrol(code_for(tmp_path, "South", "till 2"))
    fetched = list[tuple[int, int]]()
    while len(fetched) < 2:
        note_frame(south, fetched)
    assert at.end(kill=True) != 0
    at = Process(tmp_path)
    south = moved(south, at.url)
    while not isinstance(note_frame(south, fetched), SyncReply):
        pass
    south.sync()
    frames = -(-MEMBERS // FRAME_ROWS)
    assert [frame for frame, rows in fetched if rows] == list(range(frames)), "each once"
    assert [south_points(south, number) for number in range(MEMBERS)] == list(range(1, MEMBERS + 1))
    south.client.close()
    assert at.end() == 0


def note_frame(till: HttpTill, fetched: list[tuple[int, int]]) -> object:
    reply = till.exchange()
    assert not isinstance(reply, Refusal), "there is a snapshot"
    if isinstance(reply, SnapshotReply):
        fetched.append((reply.frame, len(reply.rows)))
    return reply


def south_points(till: HttpTill, number: int) -> int:
    base = till.at.store.base(member(number))
    assert base is not None
    return base.row.state.balance()


def snapshots(folder: Path, bucket: str = "all") -> int:
    """The number of a bucket's newest snapshot, 0: there is none. It has each member once, but perhaps those
    that have changed since it was begun."""
    with opened(folder) as (store, _), store.reading():
        newest = store.snapshot(bucket, 0)
        if newest is None:
            return 0
        rows = [row.member for frame in newest.frames for row in rows_of(frame)]
        behind = store.rows(bucket, newest.feed, 10_000)
        assert len(set(rows)) == len(rows)
        changed = {row.id for row in behind if isinstance(row, Member)}
        assert changed.union(rows) == set(store.members())
        return newest.id


def further(place: UnderWay, before: UnderWay) -> bool:
    """Whether the work has come further."""
    steps = ("expiries", "snapshots", "tidying")
    a, b = (
        (steps.index(at.step), -len(at.buckets), at.member, at.begun.frames if at.begun else -1)
        for at in (place, before)
    )
    return a > b and place.booked >= before.booked


@pytest.mark.timeout(200)
def test_a_night_that_is_killed_over_and_over_goes_on_where_it_was_and_nothing_is_doubled(
    tmp_path: Path,
) -> None:
    rng = random.Random(5)
    begin_chain(tmp_path)
    with served(tmp_path) as chain:
        till = chain.till()
        lapsing(till, LAPSING)
        till.sync()
        selling = chain.till(2, "South")
    overdue(tmp_path)
    before = None
    # It looks again and again: connections made anew would take more of the machine than the night.
    with opened(tmp_path) as (_, directory):
        for _ in range(KILLS):
            at = Process(tmp_path)
            selling = moved(selling, at.url)
            sender = Sender(selling)
            sender.start()
            wait_for(lambda: directory.nights()[TENANT].under_way not in (None, before))  # noqa: B023  # now, not later
            time.sleep(rng.random() * 0.02)
            assert at.end(kill=True) != 0
            sender.join()
            place = directory.nights()[TENANT].under_way
            assert place is not None, "it was killed amid its work"
            assert before is None or further(place, before)
            before = place
        at = Process(tmp_path)
        selling = moved(selling, at.url)
        wait_for(lambda: directory.nights()[TENANT].under_way is None, 120)  # a whole night's work
    selling.sync()
    selling.client.close()
    assert at.end() == 0
    assert sum(line.count("night_resumed") for line in at.log) == 1
    found = expiries(tmp_path)
    assert [found.pop(member(number)) for number in range(LAPSING)] == [1] * LAPSING
    assert found == {ANNA: 0}
    assert balance(tmp_path, ANNA) == sales(selling) > 0
    assert snapshots(tmp_path) == 1


def test_old_snapshots_and_tombstones_go(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as chain:
        till = chain.till()
        till.earn(ANNA, 7)
        till.sync()
        with opened(tmp_path) as (store, _), store.writing():
            store.put_reference(ReferenceRow("coupon:1", REFERENCE_BUCKET, 0, 1, b"{}"))
            store.put_reference(ReferenceRow("coupon:1", REFERENCE_BUCKET, 0, 2, None))
        for _ in range(4):
            pass_nights(chain, 1)
        newest = snapshots(tmp_path)
        with opened(tmp_path) as (store, _), store.reading():
            there = [store.snapshot("all", newest - back) is not None for back in range(4)]
            assert there == [True, True, False, False]
            assert store.floor(REFERENCE_BUCKET) == 0
        for _ in range(2):
            pass_nights(chain, TOMBSTONE_NIGHTS - 4)
        with opened(tmp_path) as (store, _), store.reading():
            assert store.floor(REFERENCE_BUCKET) == store.head(REFERENCE_BUCKET) == 2
            assert not store.rows(REFERENCE_BUCKET, 0, 10)


def test_a_night_that_fails_is_counted_and_tried_again_while_tills_are_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_chain(tmp_path)
    begin_chain(tmp_path, tenant=OTHER)
    failing = [True]

    def booked(store: Store, of: bytes, *rest: Any) -> bool:
        if failing[0] and of == ANNA:
            raise LookupError(of)
        return book_expiry(store, of, *rest)

    monkeypatch.setattr(nights, "book_expiry", booked)
    with served(tmp_path) as chain:
        till = chain.till()
        till.earn(ANNA, 7)
        till.sync()
        chain.clock.moved_ms += 2 * DAY
        now_s = chain.clock() // 1000
        wait_for(lambda: figure(chain.url, "night_failures_total") == 1)
        wait_for(lambda: figure(chain.url, "night_done_timestamp_seconds", OTHER) >= now_s - 60)
        till.earn(ANNA, 3)
        till.sync()
        assert balance(tmp_path, ANNA) == 10
        before = night(tmp_path)
        assert before.under_way is None, "what failed is rolled back"
        failing.clear()
        failing.append(False)
        chain.clock.moved_ms += nights.RETRY_MS
        wait_for(lambda: night(tmp_path).done > before.done)


def desk_of(database: Opened) -> tuple[Nights, dict[bytes, Duty]]:
    """The nights of a process, and its chain."""
    directory = Directory(database)
    (known,) = directory.chains()
    by_night = Nights(directory, Watch(), partial(audit.put_root, database))
    by_night.read()
    return by_night, {TENANT: Duty(known, database.store(TENANT), ["all", REFERENCE_BUCKET])}


def test_a_chain_that_somebody_else_writes_costs_its_work_a_second_and_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "WAIT_MS", 20)
    begin_chain(tmp_path)
    overdue(tmp_path)
    with closing(database_of(tmp_path)) as one, closing(database_of(tmp_path)) as two:
        by_night, duties = desk_of(one)
        recounting = Recounting(one, Watch())
        recounting.due(TENANT, b"till" * 4)
        turns = (by_night.turn, recounting.turn)
        now_ms = Clock()()
        with two.store(TENANT).writing():
            began_s = time.monotonic()
            assert [turn(duties, now_ms) for turn in turns] == [None, None]
            assert time.monotonic() - began_s < LOCK_WAIT_MS / 1000, (
                "the other chains wait meanwhile"
            )
        assert [turn(duties, now_ms) for turn in turns] == [None, None], "not at once"
        assert not by_night.failing
        later_ms = now_ms + portions.AGAIN_MS
        assert [turn(duties, later_ms) for turn in turns] == [TENANT, TENANT]


def test_two_processes_do_one_night_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "SHORT_MS", 0)
    begin_chain(tmp_path)
    with served(tmp_path) as chain:
        till = chain.till()
        lapsing(till, 10)
        till.sync()
    overdue(tmp_path)
    before = snapshots(tmp_path)
    with closing(database_of(tmp_path)) as one, closing(database_of(tmp_path)) as two:
        desks = [desk_of(database) for database in (one, two)]
        now_ms, places = Clock()(), list[object]()
        for turn in range(60):
            by_night, duties = desks[turn % 2]
            by_night.turn(duties, now_ms)
            places.append(night(tmp_path).under_way)
    assert places[-1] is None
    assert any(isinstance(each, UnderWay) and each.begun for each in places)
    assert snapshots(tmp_path) == before + 1, "not one by each process"
