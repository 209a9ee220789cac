"""What is waiting is done in one commit, one bad request spoils no other, and who is sent away first."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.domain.fold import fold
from app.domain.state import EMPTY
from app.protocol import facts
from app.protocol.facts import Facts
from app.protocol.wire import HoldReply, SyncReply
from headoffice import office as offices
from headoffice import writer
from headoffice.directory import Directory, KnownTill
from headoffice.recounting import Recounting
from headoffice.store.opening import open_database
from headoffice.watching import JsonLines
from headoffice.writer import HOLD, Job
from tests.headoffice.http_office import (
    ANNA,
    BELA,
    TENANT,
    HttpTill,
    Served,
    begin_chain,
    opened,
    served,
    trace,
    wait_for,
)


@contextmanager
def held_up(chain: Served, waiting: int) -> Iterator[None]:
    """The writer stands still until so many requests wait."""
    go = threading.Event()
    chain.writer.submit(Job(HOLD, 1, None, go.wait, _nothing, _no_answer))
    wait_for(lambda: chain.writer.waiting == 0)
    try:
        yield
        wait_for(lambda: chain.writer.waiting == waiting)
    finally:
        go.set()


def _nothing(_: Any) -> None:
    pass


def _no_answer(_: Any, __: BaseException | None) -> None:
    pass


def look(chain: Served) -> int:
    """Events at head office; states are their ledgers' folds, chains and feeds have no gap."""
    with opened(chain.folder) as (store, _), store.reading():
        count, feeds = 0, []
        for member_id in store.members():
            member, ledger = store.member(member_id), store.ledger(member_id)
            assert member is not None
            assert member.state == fold(EMPTY, ledger)
            assert len({entry.id for entry in ledger}) == len(ledger)
            count += len(ledger)
            feeds.append(member.feed)
        assert max(feeds, default=0) == store.head("all")
        assert sum(device.place.seq for device in store.devices()) >= count
    return count


def test_requests_that_wait_together_are_one_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GROUP_MS", 60_000)
    # Sales are worked out again in transactions of their own, afterwards.
    monkeypatch.setattr(Recounting, "turn", lambda *_: None)
    begin_chain(tmp_path)
    commits = list[str]()

    def traced(path: Path) -> sqlite3.Connection:
        raw = open_database(path)
        raw.set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)
        return raw

    with served(tmp_path, connect=traced) as chain, ThreadPoolExecutor(8) as pool:
        tills = [chain.till(seed) for seed in range(8)]
        for till in tills:
            till.earn(ANNA, 5)
        asked = [(till, till.ask()) for till in tills]
        with held_up(chain, len(tills)):
            commits.clear()
            replies = [pool.submit(till.reply, request) for till, request in asked]
        assert all(isinstance(each.result(), SyncReply) for each in replies)
        assert len(commits) == 1
        assert look(chain) == 8


class Poison(Exception):
    """What a mistake of ours might raise."""


@pytest.mark.parametrize("at", [0, 3, 7])
def test_a_request_that_fails_takes_nobody_with_it(
    tmp_path: Path, at: int, caplog: pytest.LogCaptureFixture
) -> None:
    begin_chain(tmp_path)
    bad = set[bytes]()

    def read(body: bytes) -> Facts:
        if body in bad:
            raise Poison("Zhang Wei")
        return facts.read(body)

    with served(tmp_path, read=read) as chain, ThreadPoolExecutor(8) as pool:
        tills = [chain.till(seed) for seed in range(8)]
        for till in tills:
            till.earn(ANNA, 5, sales=2)
        bad.add(tills[at].at.file[1])
        requests = [till.ask() for till in tills]
        with held_up(chain, len(tills)):
            waiting = []
            for till, request in zip(tills, requests, strict=True):
                waiting.append(pool.submit(till.send, request))
                wait_for(lambda: chain.writer.waiting == len(waiting))
        heard = [each.result() for each in waiting]
        assert [each.status for each in heard] == [500 if n == at else 200 for n in range(8)]
        assert tills[at].problem(heard[at], requests[at].rid) == "internal"
        assert b"Zhang" not in heard[at].raw
        told = [JsonLines().format(record) for record in caplog.records]
        assert any('"error": "Poison"' in line and requests[at].rid.hex() in line for line in told)
        assert not any("Zhang" in line for line in told)
        assert look(chain) == 14
        # The same request is served once the mistake is mended.
        bad.clear()
        assert isinstance(tills[at].reply(requests[at]), SyncReply)
        assert look(chain) == 16


def test_two_senders_of_one_till_double_nothing(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as chain, ThreadPoolExecutor(2) as pool:
        till = chain.till()
        twin = HttpTill(chain.url, 1, clock=chain.clock)
        chain.tills.append(twin)
        twin.at, twin.server_key = till.at, till.server_key
        for number in range(10):
            till.earn(ANNA, 1, sales=3)
            first, second = till.ask(), till.ask()
            both = [pool.submit(till.reply, first), pool.submit(twin.reply, second)]
            replies = [each.result() for each in both]
            assert all(isinstance(each, SyncReply) for each in replies)
            assert till.hear(replies[1])
            assert not till.hear(replies[0]), "it is not the request in flight"
            assert look(chain) == 3 * (number + 1)


def test_a_reply_that_was_lost_is_asked_for_again_and_doubles_nothing(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as chain:
        till = chain.till()
        till.sync()
        till.earn(ANNA, 30, sales=2)
        for _ in range(3):
            till.send(till.ask())
        till.sync()
        request = till.hold(ANNA, 10)
        till.send(request)
        again = type(request)(**{**_fields(request), "rid": till.rng.randbytes(16)})
        reply = till.reply(again)
        assert isinstance(reply, HoldReply)
        assert reply.granted
        assert look(chain) == 2
        with opened(chain.folder) as (store, _), store.reading():
            member = store.member(ANNA)
        assert member is not None
        assert sum(member.reserved.values()) == 10


def _fields(request: Any) -> dict[str, Any]:
    return {name: getattr(request, name) for name in request.__struct_fields__}


def test_a_store_that_another_process_writes_to_is_busy_and_the_rid_stays_good(
    tmp_path: Path,
) -> None:
    begin_chain(tmp_path)
    with served(tmp_path, connect=lambda path: open_database(path, wait_ms=50)) as chain:
        till = chain.till()
        till.earn()
        request = till.ask()
        with opened(tmp_path) as (store, _), store.writing():
            response = till.send(request)
            assert (response.status, till.problem(response, request.rid)) == (503, "busy")
            assert int(response.headers["retry-after"]) >= 1
        assert till.send(request).status == 200
        with httpx.Client(base_url=chain.url) as client:
            assert client.get("/readyz").status_code == 200


def test_a_full_disk_is_busy_and_not_a_mistake(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    small = list[sqlite3.Connection]()

    def limited(path: Path) -> sqlite3.Connection:
        small.append(open_database(path))
        return small[0]

    with served(tmp_path, connect=limited) as chain:
        till = chain.till()
        till.sync()

        def fill() -> None:
            pages = small[0].execute("PRAGMA page_count").fetchone()[0]
            small[0].execute(f"PRAGMA max_page_count = {pages}")

        def empty() -> None:
            small[0].execute("PRAGMA max_page_count = 1000000")

        done(chain, fill)
        till.earn(ANNA, 5, sales=400)
        before, request = look(chain), till.ask()
        assert till.problem(till.send(request), request.rid) == "busy"
        assert look(chain) == before
        done(chain, empty)
        assert isinstance(till.reply(request), SyncReply)


def test_what_is_kept_in_memory_is_read_anew_where_reading_it_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_chain(tmp_path)
    failures, tills, other = list[Directory](), Directory.tills, b"U" * 16

    def failing(directory: Directory) -> Sequence[KnownTill]:
        if not failures:
            failures.append(directory)
            raise sqlite3.OperationalError("disk I/O error")
        return tills(directory)

    with served(tmp_path) as chain:
        monkeypatch.setattr(Directory, "tills", failing)
        begin_chain(tmp_path, tenant=other)
        wait_for(lambda: other in chain.office.known)
        assert failures
        chain.till(tenant=other).exchange()


def done(chain: Served, act: Callable[[], None]) -> None:
    """Something in the writer's thread."""
    over = threading.Event()
    chain.writer.submit(Job(HOLD, 1, None, act, _nothing, lambda _, __: over.set()))
    assert over.wait(30)


def test_what_a_stopping_server_was_asked_is_answered_first(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as chain, ThreadPoolExecutor(4) as pool:
        tills = [chain.till(seed) for seed in range(4)]
        for till in tills:
            till.earn(BELA, 1)
        with held_up(chain, 4):
            waiting = [pool.submit(till.reply, till.ask()) for till in tills]
        stopping = threading.Thread(target=chain.writer.stop)
        stopping.start()
        stopping.join()
        replies = [each.result() for each in waiting]
        assert all(isinstance(reply, SyncReply) for reply in replies)
        with httpx.Client(base_url=chain.url) as client:
            assert client.get("/readyz").status_code == 503
        request = tills[0].ask()
        assert tills[0].problem(tills[0].send(request), request.rid) == "busy"


def test_a_server_whose_writer_has_died_answers_and_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begin_chain(tmp_path)

    def broken() -> None:
        raise Poison("Zhang Wei")

    with served(tmp_path) as chain, ThreadPoolExecutor(2) as pool:
        till = chain.till()
        till.earn()
        web = next(each for each in threading.enumerate() if each.name == "web server")
        request = till.ask()
        with held_up(chain, 1):
            waiting = pool.submit(till.send, request)
            chain.office.look = broken  # type: ignore[method-assign]  # any mistake of ours
        assert waiting.result().status in (200, 503), "nobody waits for ever"
        wait_for(lambda: not web.is_alive())
    told = [JsonLines().format(record) for record in caplog.records]
    assert any('"event": "writer_broken"' in line for line in told)
    assert not any("Zhang" in line for line in told)


def test_after_a_commit_nothing_is_counted_and_no_head_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as at:
        till = at.till()
        till.sync()
        monkeypatch.setattr(at.office, "look", lambda: None)
        statements = list[str]()
        trace(at, statements.append)
        for _ in range(3):
            till.earn(ANNA, 7)
            till.sync()
        assert sum("INSERT INTO ledger" in each for each in statements) == 3
        assert not [each for each in statements if "count(*)" in each]
        known = at.office.known[TENANT]
        with opened(tmp_path) as (store, _), store.reading():
            assert known.tenant == store.tenant()
            assert dict(known.heads) == {name: store.head(name) for name in known.heads}


def test_when_tills_talked_is_written_down_in_portions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offices, "HEARD_AT_ONCE", 2)
    begin_chain(tmp_path)
    with served(tmp_path) as at:
        tills = [at.till(seed) for seed in range(1, 4)]
        wait_for(lambda: all(till.device in at.office.tills for till in tills))
        monkeypatch.setattr(at.office, "look", lambda: None)
        for till in tills:
            at.office.hearing.hear(till.device)
        statements = list[str]()
        trace(at, statements.append)
        done(at, at.office._write_heard)
    begun = [each for each in statements if each.startswith("BEGIN") or "UPDATE till" in each]
    words = [each.split()[0] for each in begun]
    # A turn of the writer's own may fall in between: transactions that touch no till are not looked at.
    ours = [
        w
        for w, after in zip(words, [*words[1:], "BEGIN"], strict=True)
        if (w, after) != ("BEGIN", "BEGIN")
    ]
    assert ours == ["BEGIN", "UPDATE", "UPDATE", "BEGIN", "UPDATE"]
