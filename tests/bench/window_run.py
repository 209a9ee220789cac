"""The process behind tests.bench.window: `python -m tests.bench.window_run FOLDER TEXTS REPORT`.

Signs in by real keys, rests, then types while a report scans the ledger on its lane and sales are committed
on theirs. A key's time ends when the list has painted the rows of the text that stands in the box; a key whose
rows were overtaken by the next key's ends with those.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QListView

from app.commands.demo_data import PASSPHRASE, STAFF
from app.context import Session
from app.usecases.sell import sell
from db.engine import Reader
from tests.bench.commit import next_sale, some_members
from ui.desk import Desk
from ui.main_window import MainWindow
from ui.screens import find_panel
from ui.screens.find_panel import FindPanel
from ui.shell import Shell
from ui.tour.driver import Condition, Driver, Tour
from ui.window import build_window

KEY_MS = 80
SALE_EVERY_MS = 300
REST_S = 3.0
BEAT_MS = 4
# What a report of a day's points reads: every row of the ledger, grouped in the store.
REPORT = "SELECT business_date, kind, count(*), sum(amount) FROM ledger GROUP BY 1, 2 ORDER BY 1, 2"


class Watch(QObject):
    """Sees key presses on their way to the search box, and the paints that answer them."""

    def __init__(self) -> None:
        super().__init__()
        self.finder: FindPanel | None = None
        self.painted_ms: list[float] = []
        self.gaps_ms: list[float] = []
        self._pressed: list[float] = []
        self._last_beat = 0.0
        self._beat = QTimer(self)
        self._beat.setTimerType(Qt.TimerType.PreciseTimer)
        self._beat.setInterval(BEAT_MS)
        self._beat.timeout.connect(self._beaten)

    def begin(self, finder: FindPanel) -> None:
        """From now on."""
        self.finder = finder
        application = QApplication.instance()
        assert application is not None, "there is a window"
        application.installEventFilter(self)
        self._beat.start()

    def end(self) -> None:
        """No more beats, no more keys."""
        self._beat.stop()
        self.finder = None

    @property
    def waiting(self) -> bool:
        """Whether a key has no rows yet."""
        return bool(self._pressed)

    def painted(self) -> None:
        """The list has painted: if it shows what is asked, its keys have their answer."""
        finder = self.finder
        if finder is None or not self._pressed or finder._result is None:
            return
        if finder._result.text == finder.box.whole_text().strip():
            now = time.perf_counter()
            self.painted_ms += [(now - pressed) * 1000 for pressed in self._pressed]
            self._pressed.clear()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        pressed = event.type() == QEvent.Type.KeyPress
        if pressed and self.finder is not None and watched is self.finder.box:
            text = event.text()  # type: ignore[attr-defined]  # a key press is a QKeyEvent
            if text.isalnum():
                self._pressed.append(time.perf_counter())
        return False

    def _beaten(self) -> None:
        now = time.perf_counter()
        if self._last_beat:
            self.gaps_ms.append((now - self._last_beat) * 1000)
        self._last_beat = now


class Load:
    """A report that scans and a writer that sells, on the window's own lanes."""

    def __init__(self, window: MainWindow, desk: Desk, session: Session) -> None:
        self.sales = 0
        self.scans = 0
        self._window, self._desk, self._session = window, desk, session
        self._rng = random.Random(5)
        self._members = some_members(desk.context, self._rng)
        self._timer = QTimer(window)
        self._timer.setInterval(SALE_EVERY_MS)
        self._timer.timeout.connect(self._sell)

    def begin(self) -> None:
        """Start both."""
        self._timer.start()
        self._scan()

    def end(self) -> None:
        """Start nothing more."""
        self._timer.stop()

    def _scan(self) -> None:
        def report() -> int:
            with self._desk.context.read(Reader.REPORT) as conn:
                return len(conn.execute(REPORT).fetchall())

        def again(rows: int) -> None:
            assert rows, "the ledger has rows"
            self.scans += 1
            if self._timer.isActive():
                self._scan()

        self._window.lanes.run(self._window, "report", report, ok=again, failed=_fail)

    def _sell(self) -> None:
        def one() -> None:
            ctx = self._desk.context
            sell(ctx, next_sale(ctx, self._session, self._rng, self._members))

        def sold(_: None) -> None:
            self.sales += 1

        self._window.lanes.run(self._window, "db", one, ok=sold, failed=_fail)


def main(arguments: list[str]) -> int:
    """Type the texts of the plan; write what was measured."""
    folder, plan, report = (Path(each) for each in arguments)
    watch, found = Watch(), dict[str, object]()

    class TimedList(QListView):
        def paintEvent(self, event: QPaintEvent) -> None:
            super().paintEvent(event)
            watch.painted()

    vars(find_panel)["QListView"] = TimedList  # the panel's one list, which tells of its paints
    application = QApplication(["regulars"])
    window = build_window(application, folder)
    window.showFullScreen()
    tour = Tour(report.parent)
    texts = json.loads(plan.read_text("utf-8"))

    def finished() -> None:
        window.close()
        application.quit()

    driver = Driver(lambda: window, tour, script(window, watch, texts, found), finished)
    driver.start()
    application.exec()
    if tour.failure:
        print(f"window_run: {tour.failure}", file=sys.stderr)
        return 1
    report.write_text(json.dumps(found), "utf-8")
    return 0


def script(
    window: MainWindow, watch: Watch, texts: list[str], found: dict[str, object]
) -> Iterator[Condition]:
    """Sign in, rest, type everything under load."""
    sign_in, cashier = window.sign_in, STAFF[0]
    yield sign_in.passphrase.isVisible
    yield typed(PASSPHRASE)
    yield pressed("Return")
    yield lambda: window.desk is not None and sign_in.who.isVisible()
    yield typed(cashier.initials)
    yield pressed("Return")
    yield sign_in.pin.isVisible
    yield typed(cashier.pin)
    yield pressed("Return")
    yield lambda: window.shell is not None and window.shell.counter.finder.box.hasFocus()
    yield after(REST_S)
    found["idle_mb"] = resident_mb()
    shell, desk = _at_work(window)
    assert shell.session is not None, "somebody signed in"
    load = Load(window, desk, shell.session)
    load.begin()
    yield after(REST_S)
    watch.begin(shell.counter.finder)
    for text in texts:
        yield typed(text)
        yield lambda: not watch.waiting
        yield pressed("Escape")
    watch.end()
    load.end()
    found |= {"painted_ms": watch.painted_ms, "gaps_ms": watch.gaps_ms}
    found |= {"sales": load.sales, "scans": load.scans}


def typed(text: str) -> Condition:
    """Real keys through the X server, 80 ms apart (xdotool waits half of its delay)."""
    return _hands("type", "--delay", str(2 * KEY_MS), "--", text)


def pressed(key: str) -> Condition:
    """One key by its X name."""
    return _hands("key", "--delay", str(2 * KEY_MS), "--", key)


def _hands(*arguments: str) -> Condition:
    process = subprocess.Popen(["xdotool", *arguments])
    return lambda: process.poll() is not None


def after(seconds: float) -> Callable[[], bool]:
    """True once so much time has passed."""
    until = time.monotonic() + seconds
    return lambda: time.monotonic() > until


def resident_mb() -> float:
    """Resident memory of this process, in MB of 1,000,000 bytes."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise AssertionError("no VmRSS")


def _at_work(window: MainWindow) -> tuple[Shell, Desk]:
    assert window.shell is not None, "somebody signed in"
    assert window.desk is not None, "the till is open"
    return window.shell, window.desk


def _fail(error: Exception) -> None:
    raise error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
