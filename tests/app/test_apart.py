"""Checks in a process of their own say what the same checks say here, and end when they are called off."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from app import apart
from app.apart import Apart
from app.domain.errors import Cancelled, Outage, Unavailable
from app.usecases.after_day import follow_close
from app.usecases.close_day import prove
from app.usecases.enrol import ProfileInput
from app.usecases.verify import spans, verify
from app.usecases.verify_day import shares_verified, verify_since
from app.usecases.verify_report import Report
from db import people
from tests.app.kiosk import Kiosk
from tests.app.test_verify import raw

WHOLE = "UPDATE lot SET remaining = remaining + 1"


def test_a_proof_apart_is_the_proof(kiosk: Kiosk, capfd: pytest.CaptureFixture[str]) -> None:
    kiosk.busy_morning()
    found = prove(kiosk.ctx, Apart(kiosk.ctx).since)
    assert capfd.readouterr().err == "", "it ends in order, with a thread that waits for the till"
    assert found == prove(kiosk.ctx)
    assert (found.faults, found.head) == (0, kiosk.events()[-1].hash)


@pytest.mark.parametrize(
    "sql",
    [
        WHOLE,
        "UPDATE document SET total_minor = total_minor + 1 WHERE kind = 'sale'",
        "UPDATE ledger SET amount = amount + 1 WHERE asset = 'points'",
        "UPDATE member_state SET points = points + 1",
    ],
)
def test_what_differs_is_named_by_it_as_it_is_here(kiosk: Kiosk, sql: str) -> None:
    kiosk.quote_and_sell()
    with raw(kiosk) as conn:
        conn.execute(sql)
    kiosk.open()
    here: list[Report] = []
    there: list[Report] = []

    def kept(ctx: object, seq: int, points: int) -> Report:
        here.append(verify_since(kiosk.ctx, seq, points))
        there.append(Apart(kiosk.ctx).since(kiosk.ctx, seq, points))
        return here[0]

    prove(kiosk.ctx, kept)
    assert there == here
    assert here[0].findings


def test_all_members_in_several_processes_are_each_folded_once(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    kiosk.quote_and_sell()
    for number in range(4):
        kiosk.enrol(ProfileInput(f"Ada {number}", f"1390000{number:04d}"))
    with raw(kiosk) as conn:
        conn.execute(WHOLE)
    kiosk.open()
    report = verify(kiosk.ctx, members=Apart(kiosk.ctx).all_members)
    assert report == verify(kiosk.ctx)
    assert (report.members, report.wrong) == (5, [kiosk.member_id])


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_spans_part_all_members(kiosk: Kiosk, count: int) -> None:
    for number in range(4):
        kiosk.enrol(ProfileInput(f"Ada {number}", f"1390000{number:04d}"))
    with kiosk.ctx.read() as conn:
        everybody = list(people.all_members(conn))
    found = []
    for first, end in spans(kiosk.ctx, count):
        with kiosk.ctx.read() as conn:
            found += list(people.members_between(conn, first or b"", end))
    assert found == everybody


def test_the_share_after_a_close_is_folded_apart(kiosk: Kiosk) -> None:
    follow_close(kiosk.ctx, kiosk.ctx.business_date(), Apart(kiosk.ctx).share)
    with kiosk.ctx.read() as conn:
        assert shares_verified(conn)[1] == int(kiosk.ctx.business_date())


def test_a_check_that_is_called_off_says_nothing(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda _, **more: real(sleeper, **more))
    checks = Apart(kiosk.ctx)
    threading.Timer(0.3, checks.stop).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        checks.share(kiosk.ctx, 0)
    assert time.monotonic() - began < 30
    with pytest.raises(Cancelled):
        checks.share(kiosk.ctx, 0)


class Started:
    """Processes that run `codes` in turn instead of a check."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *codes: str) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        self._real, self._codes = subprocess.Popen, list(codes)
        monkeypatch.setattr(subprocess, "Popen", self._start)

    def _start(self, _: object, **more: Any) -> subprocess.Popen[bytes]:
        started = self._real([sys.executable, "-c", self._codes.pop(0)], **more)
        self.processes.append(started)
        return started

    def are_gone(self, checks: Apart) -> bool:
        return checks._running == [] and all(p.returncode is not None for p in self.processes)


SLEEPS = "import time; time.sleep(60)"


def test_when_one_of_several_fails_the_others_are_ended_and_waited_for(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    for number in range(4):
        kiosk.enrol(ProfileInput(f"Ada {number}", f"1390000{number:04d}"))
    started = Started(monkeypatch, "input()", SLEEPS, SLEEPS)
    checks = Apart(kiosk.ctx)
    with pytest.raises(Unavailable):
        checks.all_members(kiosk.ctx, Report(), lambda *_: None)
    assert len(started.processes) == 3
    assert started.are_gone(checks)


def test_when_one_of_several_cannot_start_those_before_it_are_ended(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    kiosk.enrol(ProfileInput("Ada", "13900000001"))
    started = Started(monkeypatch, SLEEPS)  # there is no second one
    checks = Apart(kiosk.ctx)
    with pytest.raises(IndexError):
        checks.all_members(kiosk.ctx, Report(), lambda *_: None)
    assert len(started.processes) == 1
    assert started.are_gone(checks)


def test_who_listens_may_fail_and_the_process_is_gone_all_the_same(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = Started(monkeypatch, f"print(1, flush=True); {SLEEPS}")
    checks = Apart(kiosk.ctx)

    def fail(percent: int) -> None:
        raise LookupError(percent)

    with pytest.raises(LookupError):
        checks.since(kiosk.ctx, 0, 0, fail)
    assert started.are_gone(checks)


def test_a_check_that_is_silent_for_too_long_is_ended_and_says_so(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "SILENCE_S", 0.5)
    started = Started(monkeypatch, f"print(1, flush=True); {SLEEPS}")
    checks = Apart(kiosk.ctx)
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        prove(kiosk.ctx, checks.since)
    assert time.monotonic() - began < 30
    assert caught.value.code is Outage.CHECK_SILENT
    assert started.are_gone(checks)


class Watched(apart._Silence):
    """Notes until when its process may be silent, each time that this is put off."""

    ends: ClassVar[list[Watched]] = []

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.until = list[float]()
        self.ends.append(self)
        super().__init__(process)

    def heard(self) -> None:
        super().heard()
        self.until.append(self._until)


def test_a_check_that_speaks_may_take_longer_than_the_silence(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each word begins the time of silence anew."""
    hours = itertools.count(0, 3600)
    monkeypatch.setattr(Watched, "ends", [])
    monkeypatch.setattr(Watched, "_watch", lambda _: None)
    monkeypatch.setattr(apart, "_Silence", Watched)
    monkeypatch.setattr(apart, "time", SimpleNamespace(monotonic=lambda: next(hours)))
    Started(monkeypatch, "for n in range(6): print(n, flush=True)")
    heard: list[int] = []
    with pytest.raises(Unavailable) as caught:
        Apart(kiosk.ctx).since(kiosk.ctx, 0, 0, heard.append)
    assert caught.value.code is Outage.STORE_FAILED, "it ended by itself, without an answer"
    assert heard == list(range(6))
    (silence,) = Watched.ends
    assert silence.until == [3600 * word + apart.SILENCE_S for word in range(7)]
    assert silence._ended.is_set()


def test_a_process_that_ends_without_an_answer_is_no_sound_proof(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda _, **more: real([sys.executable, "-c", "input()"], **more)
    )
    with pytest.raises(Unavailable):
        prove(kiosk.ctx, Apart(kiosk.ctx).since)


def test_a_store_that_cannot_be_read_is_said_with_its_code(kiosk: Kiosk) -> None:
    checks = Apart(kiosk.ctx)
    (kiosk.folder / "settings.toml").write_text("receipt = 3\n", "utf-8")
    with pytest.raises(Unavailable) as caught:
        checks.since(kiosk.ctx, 0, 0)
    assert caught.value.code.value == "settings_bad"


def test_the_key_is_in_no_argument_and_no_surroundings(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = subprocess.Popen, list[object]()

    def spied(arguments: list[str], **more: object) -> object:
        seen.append((arguments, more.get("env")))
        return real(arguments, **more)  # type: ignore[call-overload]  # what it was given, as given

    monkeypatch.setattr(subprocess, "Popen", spied)
    Apart(kiosk.ctx).share(kiosk.ctx, 0)
    assert seen == [([sys.executable, "-m", "app.apart"], None)]


def test_it_ends_with_the_till(kiosk: Kiosk) -> None:
    """Its input ends with the process that asked: what runs on then is for nobody."""
    code = (
        "import sys, time, threading, app.apart as a;"
        "threading.Thread(target=a._end_with, args=(sys.stdin.buffer,)).start(); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, cwd=Path(apart.__file__).parent.parent
    )
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(30) == 1
