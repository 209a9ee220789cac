"""A till that begins with a snapshot of many frames: fetched ahead, made ready by another process, written by
the till, and given up for whoever waits."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
import threading
from contextlib import closing
from typing import Any, Final

import pytest

from app import dealings
from app.protocol.wire import SnapshotRequest
from app.sync import ahead as ahead_module
from app.sync import exchange as exchange_module
from app.sync import readying as readying_module
from app.sync.ahead import FRAMES_AHEAD, Ahead
from app.sync.exchange import SOON_S, Exchange
from app.sync.readying import Ended, Readying
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.verify import verify
from db import filling, people, report_sums_standing
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.app.test_arrivals import contents
from tests.bench.office_rows import fill
from tests.headoffice.counters import let_in, lines, office, second, till
from tests.headoffice.http_office import Served, opened

__all__ = ["kiosk", "lines", "made_template", "office", "second", "template", "till"]

ROWS: Final = 3
"""Of a frame here."""
MEMBERS: Final = 100
FRAMES: Final = -(-MEMBERS // ROWS)
WHOLE: Final = MEMBERS + 1
"""The till's own member comes back by the pages behind the snapshot."""


@pytest.fixture
def full(office: Served) -> Served:
    """A head office with a snapshot of many small frames."""
    fill(office.folder, MEMBERS)
    with opened(office.folder) as (store, _), store.writing():
        begun, whole = (
            store.snapshots.begin("all", store.tenant().timeline, list(store.devices())),
            False,
        )
        while not whole:
            begun, whole = store.snapshots.add("all", begun, ROWS)
    return office


def begun_ahead(exchange: Exchange) -> Ahead:
    """Ask until frames are fetched ahead."""
    while exchange._ahead is None:
        assert exchange.once() is not None
    return exchange._ahead


def to_the_end(exchange: Exchange) -> None:
    while True:
        heard = exchange.once()
        assert heard is not None
        assert not heard.why
        if heard.again_s > SOON_S:
            return


def members(kiosk: Kiosk) -> int:
    with kiosk.ctx.read() as conn:
        return int(conn.execute("SELECT count(*) FROM member_base").fetchone()[0])


def card(kiosk: Kiosk) -> str:
    """The number that the till's own member has: theirs, whoever else comes with it."""
    with kiosk.ctx.read() as conn:
        return people.credentials_of(conn, kiosk.member_id, "card")[0].value


def rows(kiosk: Kiosk, own: set[bytes | str]) -> dict[str, list[tuple[Any, ...]]]:
    """Of the members of the snapshot, without the tills' own events and sums, which `verify` proves."""
    assert verify(kiosk.ctx).findings == []
    with kiosk.ctx.write_rows() as conn:
        found = contents(conn)
    for name in ("card_block", "lot_sum", "tier_sum"):
        del found[name]
    found["member_state"] = [(each[0], *each[2:]) for each in found["member_state"]]
    found["member_base"] = [(each[0], *each[2:]) for each in found["member_base"]]
    return {name: [each for each in rows if own.isdisjoint(each)] for name, rows in found.items()}


def test_what_another_process_makes_ready_is_what_the_till_makes_itself(
    till: Kiosk, second: Kiosk, full: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    apart = let_in(till, full, lines)
    begun_ahead(apart)
    with monkeypatch.context() as patched:
        # From now on nobody makes a member's rows in this process.
        patched.delattr(dealings, "arrival_of")
        to_the_end(apart)
    by_itself = let_in(second, full, lines, "till 2")
    by_itself._alone = True
    to_the_end(by_itself)
    assert apart._ahead is None
    assert by_itself._ahead is None
    own: set[bytes | str] = {till.member_id, second.member_id, card(till), card(second)}
    here, there = rows(till, own), rows(second, own)
    for name, found in here.items():
        assert found == there[name], name
    assert len(here["profile"]) == len(here["lot"]) == MEMBERS
    assert len(here["words"]) > MEMBERS


def test_a_till_whose_other_process_is_killed_goes_on_by_itself(
    till: Kiosk, full: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(readying: Readying) -> list[bytes]:
        readying._process.kill()
        return taken(readying)

    taken = Readying.take
    monkeypatch.setattr(Readying, "take", killed)
    exchange = let_in(till, full, lines)
    ahead = begun_ahead(exchange)
    to_the_end(exchange)
    assert ahead._thread.is_alive() is False
    assert members(till) == WHOLE
    assert verify(till.ctx).findings == []


def test_a_till_that_can_begin_no_other_process_goes_on_by_itself(
    till: Kiosk, full: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_: object) -> None:
        raise Ended("no process")

    monkeypatch.setattr(Readying, "__init__", none)
    exchange = let_in(till, full, lines)
    to_the_end(exchange)
    assert exchange._ahead is None
    assert members(till) == WHOLE


def test_a_till_that_dies_amid_it_goes_on_behind_what_was_committed(
    till: Kiosk, full: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_module, "PORTION_S", -1.0)
    exchange = let_in(till, full, lines)
    begun_ahead(exchange)
    exchange.once()
    before = members(till)
    assert 0 < before < MEMBERS
    exchange.close()
    till.crash()
    till.open()
    asked = list[int]()
    fetched = Ahead._fetched

    def heard(ahead: Ahead, request: SnapshotRequest) -> Any:
        asked.append(request.frame)
        return fetched(ahead, request)

    monkeypatch.setattr(Ahead, "_fetched", heard)
    assert members(till) == before, "what was committed is there"
    again = Exchange(till.ctx)
    lines.append(again)
    to_the_end(again)
    # What was not committed yet lies in files, perhaps all of it.
    assert all(frame > before // ROWS - 1 for frame in asked), "nothing committed is fetched again"
    assert members(till) == WHOLE
    assert verify(till.ctx).findings == []


def test_no_more_frames_are_fetched_ahead_than_there_is_room_for(
    till: Kiosk, full: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead_module, "FRAMES_AHEAD", 12)
    monkeypatch.setattr(ahead_module, "FRAMES_MOST", 3)
    exchange = let_in(till, full, lines)
    ahead = begun_ahead(exchange)
    ahead.wait(9)
    with ahead._changed:
        # Nothing is taken: it would go on to the end.
        ahead._changed.wait_for(lambda: len(ahead._ready) > 12, timeout=1)
        most = len(ahead._ready)
    while exchange._ahead is not None:
        ahead.wait(9)
        most = max(most, len(ahead._ready))
        exchange.once()
    to_the_end(exchange)
    assert 9 <= most <= 12 < FRAMES_AHEAD
    assert members(till) == WHOLE


def test_a_command_waits_for_one_frame_at_most_while_a_shift_is_open(
    till: Kiosk, full: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = let_in(till, full, lines)
    ahead = begun_ahead(exchange)
    assert ahead.wait(FRAMES // 2), "there is more than a frame to write"
    found, sold = list[int](), threading.Event()
    take = Ahead.take

    def sell() -> None:
        till.quote_and_sell()
        sold.set()

    def taken(ahead: Ahead, request: SnapshotRequest, most: int) -> Any:
        if not found:
            threading.Thread(target=sell).start()
            while not till.ctx.turn.awaited:
                threading.Event().wait(0.001)
        got = take(ahead, request, most)
        assert got is not None
        found.append(len(got[0].frames))
        return got

    before = members(till)
    monkeypatch.setattr(Ahead, "take", taken)
    exchange.once()
    assert found == [1], "the sale got its turn"
    assert members(till) == before + ROWS
    assert sold.wait(30)
    monkeypatch.setattr(Ahead, "take", take)
    to_the_end(exchange)
    assert members(till) == WHOLE
    assert verify(till.ctx).findings == []


def test_a_sale_in_between_ends_no_fetching_ahead(
    till: Kiosk, full: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_module, "PORTION_S", -1.0)
    exchange = let_in(till, full, lines)
    ahead = begun_ahead(exchange)
    assert ahead.wait(1)
    till.quote_and_sell()
    exchange._apply_ahead(ahead)  # what the sale was is to be told first
    assert exchange._ahead is ahead
    exchange.once()
    exchange.once()
    assert members(till) > ROWS
    assert exchange._ahead is ahead
    to_the_end(exchange)
    assert members(till) == WHOLE


def schema(kiosk: Kiosk) -> list[tuple[Any, ...]]:
    """With how the search's index gathers and merges."""
    with kiosk.ctx.read() as conn:
        found = conn.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        gathers = dict(conn.execute("SELECT k, v FROM member_fx_config"))
    return [*found, (gathers.get("hashsize", 1 << 20), gathers.get("automerge", 4))]


def aside(kiosk: Kiosk) -> list[tuple[Any, ...]]:
    """Cards that lie aside."""
    with kiosk.ctx.read() as conn:
        return conn.execute("SELECT member_id, number FROM arriving_card").fetchall()


def by_phone(kiosk: Kiosk) -> bytes:
    with kiosk.ctx.read() as conn:
        (found,) = people.members_of_phone(conn, f"+86139{MEMBERS - 1:08d}")
    return found


def test_a_shift_is_opened_amid_it_with_all_indexes(
    till: Kiosk, second: Kiosk, full: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nobody can sell some are missing; killed meanwhile or not, the end has them again."""
    monkeypatch.setattr(exchange_module, "IDLE_PORTION_S", -1.0)
    before = schema(till)
    till.end_shift()
    exchange = let_in(till, full, lines)
    begun_ahead(exchange)
    exchange.once()
    assert 0 < members(till) < MEMBERS
    assert schema(till) != before
    exchange.close()
    till.crash()
    till.open()
    assert schema(till) != before
    again = Exchange(till.ctx)
    lines.append(again)
    begun_ahead(again)
    again.once()
    assert schema(till) != before
    assert 0 < len(aside(till)) < MEMBERS
    open_shift(till.ctx, OpenShift(till.ctx.ids(), till.session, 50000))
    assert schema(till) == before
    assert aside(till) == []
    to_the_end(again)
    assert schema(till) == before
    assert members(till) == WHOLE
    second.end_shift()
    to_the_end(let_in(second, full, lines, "till 2"))
    assert schema(second) == before
    own: set[bytes | str] = {till.member_id, second.member_id, card(till), card(second)}
    assert rows(till, own) == rows(second, own)
    assert by_phone(till) == by_phone(second)


def test_a_transaction_has_so_many_frames_at_most(
    till: Kiosk, full: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it may take: a till that is killed writes them again."""
    monkeypatch.setattr(exchange_module, "FRAMES_AT_ONCE", 4)
    monkeypatch.setattr(exchange_module, "FRAMES_TOGETHER", 2)
    monkeypatch.setattr(exchange_module, "IDLE_PORTION_S", 60.0)
    till.end_shift()
    exchange = let_in(till, full, lines)
    begun_ahead(exchange)
    before = members(till)
    exchange.once()
    assert members(till) == before + 4 * ROWS


def test_a_till_that_has_most_members_keeps_its_indexes(
    till: Kiosk, full: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To make them anew would take longer than to go on writing them."""
    monkeypatch.setattr(exchange_module, "IDLE_PORTION_S", -1.0)
    monkeypatch.setattr(exchange_module, "AHEAD_FROM", 2)
    monkeypatch.setattr(exchange_module, "FRAMES_MOST", 1)
    before = schema(till)
    exchange = let_in(till, full, lines)
    exchange._alone = True
    while members(till) < MEMBERS * 2 // 3:
        exchange.once()
    till.end_shift()
    exchange._alone = False
    begun_ahead(exchange)
    exchange.once()
    assert members(till) > MEMBERS * 2 // 3
    assert schema(till) == before
    to_the_end(exchange)
    assert members(till) == WHOLE


def test_a_till_that_is_shut_out_keeps_no_frames(
    till: Kiosk, full: Served, lines: list[Exchange]
) -> None:
    exchange = let_in(till, full, lines)
    ahead = begun_ahead(exchange)
    assert ahead.wait(FRAMES // 2)
    exchange._shut_out()
    assert exchange._ahead is None
    assert not ahead._ready
    assert not ahead._thread.is_alive()


def test_another_process_that_dies_at_once_is_begun_once(
    till: Kiosk, full: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = list[object]()

    def dies(args: list[str], **given: Any) -> Any:
        begun.append(args)
        return popen([sys.executable, "-c", "raise SystemExit(3)"], **given)

    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", dies)
    # Every answer would begin another one.
    monkeypatch.setattr(exchange_module, "AHEAD_FROM", 2)
    to_the_end(let_in(till, full, lines))
    assert len(begun) == 1
    assert members(till) == WHOLE


def test_what_another_process_fails_on_is_told_to_nobody(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(frame: bytes) -> bytes:
        raise ValueError(f"13800001234 {frame!r}")

    made = io.BytesIO()
    given = io.BytesIO((3).to_bytes(4, "big") + b"\x91\xc4\x00")
    monkeypatch.setattr(readying_module, "readied", fails)
    monkeypatch.setattr(os, "nice", lambda more: 0)
    try:
        assert readying_module.main(given, made) == 1
    finally:
        gc.enable()
    assert made.getvalue() == b""
    with closing(Readying()) as other:
        assert os.stat(f"/proc/{other._process.pid}/fd/2").st_rdev == os.stat(os.devnull).st_rdev
    assert capfd.readouterr() == ("", "")


def test_a_till_that_stops_waits_for_no_other_process_that_hangs(
    till: Kiosk, full: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hangs(args: list[str], **given: Any) -> Any:
        return popen([sys.executable, "-c", "import time; time.sleep(600)"], **given)

    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", hangs)
    exchange = let_in(till, full, lines)
    ahead = begun_ahead(exchange)
    waited = threading.Thread(target=ahead.wait, args=(1,), daemon=True)
    waited.start()
    exchange.stop()
    waited.join(5)
    assert not waited.is_alive()
    assert ahead._readying._process.poll() is not None, "no process outlives the till"


def amid(
    till: Kiosk, full: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> Exchange:
    """A till whose shift is closed has some of the chain's members, and its indexes are missing."""
    monkeypatch.setattr(exchange_module, "IDLE_PORTION_S", -1.0)
    till.end_shift()
    exchange = let_in(till, full, lines)
    begun_ahead(exchange)
    exchange.once()
    return exchange


@pytest.mark.parametrize("age", ["30", "90", "180", "365", "older", "lapsed"])
def test_reports_are_made_while_an_index_is_missing(
    till: Kiosk, full: Served, lines: list[Exchange], age: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    amid(till, full, lines, monkeypatch)
    with till.ctx.read() as conn:
        assert filling.is_begun(conn)
        report_sums_standing.lots_of_age(conn, 20_000, age, None, 10)


def test_a_shift_that_comes_back_from_the_journal_file_has_its_indexes(
    till: Kiosk, full: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = amid(till, full, lines, monkeypatch)
    exchange.close()
    lines.clear()
    till.close()
    kept = till.database.read_bytes()
    till.open()
    open_shift(till.ctx, OpenShift(till.ctx.ids(), till.session, 50000))
    till.close()
    till.database.write_bytes(kept)
    till.open()
    with till.ctx.read() as conn:
        assert not filling.is_begun(conn)
