"""The walk of the exception report in a process of its own: the same answer, and an end in every case."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from app import apart
from app.apart import Apart
from app.domain.errors import Cancelled, Outage, Unavailable
from app.domain.fraud.limits import DEFAULT_GUARD
from app.queries.exceptions import Exceptions, exceptions, walk_here
from app.queries.guard_walk import STEPS, Seen
from app.usecases.approve import Approve, approve
from app.usecases.sell import sell
from app.usecases.void import Void, preview_void, void
from tests.app.test_apart import SLEEPS, Started
from tests.app.test_exceptions import often, say
from tests.app.test_guard import PHONE, Desk, desk, strict_store
from tests.fakes import PINS

__all__ = ["desk", "strict_store"]


def live(desk: Desk) -> None:
    """Some days with cases, words about one, counts of several kinds, and a family on one phone."""
    often(desk)
    say(desk, "wm", "seen")
    sold = sell(desk.ctx, desk.charge(member=desk.enrol("李四", PHONE))).result
    shown = preview_void(desk.ctx, sold.event_id)[0]
    void(desk.ctx, Void(desk.ctx.ids(), desk.session, sold.event_id, "test", shown.balance_after))
    desk.enrol("王五", PHONE)
    command = desk.charge()
    sell(desk.ctx, desk.charge())
    approve(desk.ctx, Approve(desk.refused(command), "zg", PINS["zg"]))
    sell(desk.ctx, command)
    desk.shop.clock.step(days=1)
    desk.session = desk.shop.start()
    often(desk)


def report(desk: Desk, walks: Apart, days: int = 7) -> Exceptions:
    today = desk.ctx.business_date()
    return exceptions(desk.ctx, today.plus(1 - days), today, "manager", walks.walk)


def once_begun(started: Started, act: Callable[[Popen[bytes]], None]) -> None:
    """Do it on another thread to a process that runs."""

    def wait() -> None:
        while not started.processes:
            time.sleep(0.01)
        act(started.processes[0])

    threading.Thread(target=wait, daemon=True).start()


@pytest.mark.parametrize("days", [1, 2, 7])
def test_the_report_is_the_same_wherever_its_journal_is_read(desk: Desk, days: int) -> None:
    live(desk)
    today = desk.ctx.business_date()
    here = exceptions(desk.ctx, today.plus(1 - days), today, "manager", walk_here)
    assert report(desk, Apart(desk.ctx), days) == here
    found = {(line.case.rule, line.case.what) for line in here.cases}
    assert ("F2", "often") in found
    if days > 1:
        assert found >= {("F2", "per_day"), ("F8", "phone")}
        assert "seen" in {line.state for line in here.cases}
        assert here.people[0].counts["approvals"].count == 1


def test_a_case_is_of_the_time_of_its_newest_event(desk: Desk) -> None:
    often(desk)
    desk.shop.clock.step(minutes=7)
    (line,) = report(desk, Apart(desk.ctx)).cases
    with desk.ctx.read() as conn:
        at_us = conn.execute(
            "SELECT at_us FROM document WHERE seq = ?", (line.case.seqs[-1][1],)
        ).fetchone()[0]
    assert int(line.at.timestamp()) == at_us // 1_000_000


def test_it_says_how_far_it_has_come(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one over many events isn't taken for one that hangs."""
    live(desk)
    heard: list[int] = []
    real = apart._last_line
    monkeypatch.setattr(
        apart, "_last_line", lambda process, told, silence: real(process, heard.append, silence)
    )
    report(desk, Apart(desk.ctx))
    assert len(heard) > STEPS // 2
    assert heard == sorted(set(heard))


def test_a_word_that_is_heard_makes_no_thread(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread for each made sales beside a report six times as long."""
    made: list[threading.Thread] = []
    real = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        made.append(thread)
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    Started(monkeypatch, "for n in range(99): print(n, flush=True)")
    heard: list[int] = []
    with pytest.raises(Unavailable):
        Apart(desk.ctx).since(desk.ctx, 0, 0, heard.append)
    assert heard == list(range(99))
    assert len(made) == 1


def test_one_that_is_killed_is_no_empty_report(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    started = Started(monkeypatch, f"print(1, flush=True); {SLEEPS}")
    walks = Apart(desk.ctx)
    once_begun(started, Popen.kill)
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        report(desk, walks)
    assert time.monotonic() - began < 30
    assert caught.value.code is Outage.STORE_FAILED
    assert started.are_gone(walks)


def test_one_that_is_called_off_is_cancelled_and_the_next_one_answers(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    walks = Apart(desk.ctx)
    with monkeypatch.context() as patched:
        started = Started(patched, SLEEPS)
        once_begun(started, lambda _: walks.call_off())
        began = time.monotonic()
        with pytest.raises(Cancelled):
            report(desk, walks)
        assert time.monotonic() - began < 30
        assert started.are_gone(walks)
    assert [line.sales for line in report(desk, walks).people] == [0]


def test_calling_off_what_does_not_run_calls_nothing_off(desk: Desk) -> None:
    walks = Apart(desk.ctx)
    walks.call_off()
    assert report(desk, walks).cases == ()


def test_after_the_window_closed_none_begins(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    walks = Apart(desk.ctx)
    walks.stop()
    started = Started(monkeypatch)
    with pytest.raises(Cancelled):
        report(desk, walks)
    assert started.processes == []


@pytest.mark.parametrize(
    ("found", "code"),
    [(None, Outage.STORE_MISSING), (bytes(8192), Outage.STORE_KEY_WRONG)],
)
def test_a_store_that_cannot_be_read_is_said_with_its_code(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    found: bytes | None,
    code: Outage,
) -> None:
    other = tmp_path / "other.db"
    if found is not None:
        other.write_bytes(found)
    monkeypatch.setattr(desk.ctx.store, "path", other)
    with pytest.raises(Unavailable) as caught:
        report(desk, Apart(desk.ctx))
    assert caught.value.code is code


def test_it_begins_without_importing_the_product() -> None:
    """Somebody waits for it: a third of a second went to modules that a walk doesn't need."""
    code = "import sys, app.apart; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    loaded = set(done.stdout.split())
    assert "app.queries.guard_walk" in loaded
    assert not {"app.context", "app.posting", "app.build", "app.keyslots", "sqlalchemy"} & loaded


def test_what_a_walk_found_holds_no_name_and_no_phone(desk: Desk) -> None:
    live(desk)
    today = desk.ctx.business_date()
    seen = Apart(desk.ctx).walk(desk.ctx, today.plus(-7), today, DEFAULT_GUARD)
    assert isinstance(seen, Seen)
    assert seen.cases
    for word in ("陈思远", "李四", PHONE, PHONE.removeprefix("1")):
        assert word not in repr(seen)
