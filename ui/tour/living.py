"""`make run` where there is a screen: the demo counter, which belongs to a head office that runs beside it on
loopback, so that the sync is alive. It is let in once; later starts find both where they were left.

The window is a process of its own: whichever way it ends, a crash too, this one stops head office. Without head
office the counter opens all the same, as everywhere.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from app.build import open_till
from app.commands.demo_data import PASSPHRASE
from app.domain.errors import Refused, Unavailable
from app.queries.exchange import standing
from ui.tour.office import DidNotStart, TourOffice

_STOP_S: Final = 10
_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)


def open_counter(out: Path, demo: Path) -> int:
    """Open the counter on a copy of the demo store in `out`, with a head office beside; returns the exit code
    of the window once it is closed."""
    store, office = out / "counter", TourOffice(out / "counter-office")
    if not (store / "regulars.db").exists():
        for folder in (store, office.folder):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(demo, store)
    with _orderly():
        try:
            _serve(office, store)
            return _window(store)
        finally:
            office.stop()


def _serve(office: TourOffice, store: Path) -> None:
    try:
        office.start()
        link = _let_in(office, store)
    except (DidNotStart, subprocess.CalledProcessError, Refused, Unavailable) as error:
        print(f"The counter opens without a head office: {error}", flush=True)
        return
    print(f"Head office: {office.address}   its console: {link or office.address + '/console/'}")
    sys.stdout.flush()


def _let_in(office: TourOffice, store: Path) -> str:
    """The till joins, the first time; then this is the link by which somebody enters the console, else ""."""
    from app.sync.join import join

    till = open_till(store, passphrase=PASSPHRASE)
    try:
        if standing(till.context) is not None:
            return ""
        join(till.context, office.address, office.code())
    finally:
        till.close()
    return office.address + office.invitation()


def _window(store: Path) -> int:
    # In a group of its own: Ctrl+C ends it from here, after which head office is stopped.
    window = subprocess.Popen([sys.executable, "-m", "ui", "--store", str(store)], process_group=0)
    try:
        return window.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        if window.poll() is None:
            window.terminate()
            try:
                window.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                window.kill()
                window.wait()


@contextmanager
def _orderly() -> Iterator[None]:
    """Who ends this process lets it stop what it began."""

    def end(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    before = [(number, signal.signal(number, end)) for number in _ENDING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
