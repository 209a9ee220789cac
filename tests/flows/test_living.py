"""`make run` on a machine with a screen: the counter that opens belongs to a head office that runs beside it
and ends with it. The screen is a virtual one; nobody drives the window."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from app.commands import demo_data
from tests.costs import full
from ui.tour import living
from ui.tour.screen import virtual_screen

ROOT: Final = Path(__file__).parents[2]
PATIENT_S: Final = 60.0


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    with virtual_screen("1366x768") as display:
        yield display


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make run` writes to, with its demo store."""
    out = tmp_path_factory.mktemp("out")
    with pytest.MonkeyPatch.context() as patch:
        full(patch)
        demo_data.make(out / "demo", members=60, progress=lambda what, done, total: None)
    return out


@contextlib.contextmanager
def counter(screen: str, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`make run`'s own command, its window open."""
    environment = {**os.environ, "DISPLAY": screen, "QT_QPA_PLATFORM": "xcb"}
    environment.pop("WAYLAND_DISPLAY", None)
    command = [sys.executable, "-m", "ui.tour", "--if-no-screen", "--out", str(out)]
    # What runs behind a shell's `&` ignores Ctrl+C, and so would all that it starts.
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE) as running:
        signal.signal(signal.SIGINT, ours)
        try:
            until(lambda: bool(windows(screen)))
            yield running
        finally:
            running.terminate()


@pytest.fixture
def run(screen: str, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    with counter(screen, out) as running:
        yield running


def windows(screen: str) -> list[str]:
    """The ids of the counter's windows."""
    asked = ["xdotool", "search", "--onlyvisible", "--name", "Regulars|常客"]
    done = subprocess.run(
        asked, env={**os.environ, "DISPLAY": screen}, capture_output=True, text=True, check=False
    )
    return done.stdout.split()


def until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENT_S
    while not true():
        assert time.monotonic() < end_s, "it never came to that"
        time.sleep(0.05)


def address(out: Path) -> str:
    return f"http://127.0.0.1:{(out / 'counter-office' / 'port').read_text()}"


def answers(out: Path) -> bool:
    try:
        return httpx.get(f"{address(out)}/healthz", trust_env=False).text == "ok\n"
    except httpx.TransportError:
        return False


def children(running: subprocess.Popen[bytes]) -> dict[str, int]:
    """Ids of the processes that it started, by what they are."""
    found = dict[str, int]()
    for each in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((each / "stat").read_text().rpartition(")")[2].split()[1])
            line = (each / "cmdline").read_bytes().split(b"\0")
        except (OSError, IndexError, ValueError):
            continue
        if parent == running.pid:
            found["window" if b"ui" in line else "office"] = int(each.name)
    return found


def tills_of(out: Path) -> str:
    """What head office says of its tills."""
    command = [sys.executable, "-m", "headoffice", "--language", "en", "tills"]
    done = subprocess.run(
        [*command, "--data", str(out / "counter-office")],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    return done.stdout


def test_head_office_serves_beside_the_counter_and_ends_when_the_window_is_closed(
    run: subprocess.Popen[bytes], screen: str, out: Path
) -> None:
    assert answers(out)
    assert "Till 01" in tills_of(out), "the counter was let in"
    close = ["xdotool", "key", "alt+F4"]  # as openbox has it
    subprocess.run(close, env={**os.environ, "DISPLAY": screen}, check=True)
    assert run.wait(PATIENT_S) == 0
    assert not answers(out)


def test_a_window_that_dies_takes_head_office_with_it_and_the_next_one_finds_it_where_it_was(
    run: subprocess.Popen[bytes], out: Path
) -> None:
    assert answers(out), "at the address of the first time"
    assert tills_of(out).count("Till 01") == 1, "it is let in once"
    os.kill(children(run)["window"], signal.SIGKILL)
    assert run.wait(PATIENT_S) != 0
    assert not answers(out)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_ends_it_by_hand_ends_both(
    run: subprocess.Popen[bytes], out: Path, number: signal.Signals
) -> None:
    started = children(run)
    assert set(started) == {"window", "office"}
    run.send_signal(number)
    run.wait(PATIENT_S)
    assert not answers(out)
    assert not [each for each in started.values() if Path(f"/proc/{each}").exists()]


def test_without_head_office_the_counter_opens_all_the_same(screen: str, out: Path) -> None:
    port = int((out / "counter-office" / "port").read_text())
    with socket.create_server(("127.0.0.1", port)), counter(screen, out) as running:
        running.terminate()
        told, _ = running.communicate(timeout=PATIENT_S)
    assert b"opens without a head office" in told


def test_sales_outlive_a_head_office_that_never_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "counter" / "regulars.db"
    store.parent.mkdir()
    store.write_bytes(b"with sales")
    monkeypatch.setattr(living, "_serve", lambda *_: None)
    monkeypatch.setattr(living, "_window", lambda _: 0)
    assert living.open_counter(tmp_path, tmp_path / "demo") == 0
    assert store.read_bytes() == b"with sales"
