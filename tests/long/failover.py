"""A standby takes over for real: tills push while the primary dies, as often as the time allows.

The standby is synchronous, so nothing that head office acknowledged may be missing afterwards, and no till may
hear of a new timeline.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg

from app.protocol import wire
from headoffice.store.postgresql_opening import ROLE
from tests.headoffice.cluster import Cluster, binary
from tests.headoffice.http_office import (
    ANNA,
    HttpTill,
    begin_chain,
    each_event_once,
    served,
    wait_for,
)
from tests.headoffice.serving_process import DSN_FILE
from tests.long.scratch import again_and_again

TILLS: Final = 3
PUSHES: Final = 5
"""Of each till before the primary dies, and after the standby took over."""
MINUTE_S: Final = 120


def run(seed: int, seconds: float) -> dict[str, Any]:
    """At least one takeover; `failed` lists those after which something was lost, doubled or not equal."""
    return again_and_again(takeover, seed, seconds)


class Standby:
    """A copy of a cluster that follows it."""

    def __init__(self, primary: Cluster) -> None:
        self.folder = primary.folder.with_name("standby")
        self.folder.mkdir(mode=0o755)
        shutil.chown(self.folder, primary.folder.owner(), primary.folder.group())
        self._primary, self._data = primary, self.folder / "data"
        copy = (binary("pg_basebackup"), "-h", str(primary.folder), "-U", "postgres")
        self._run(*copy, "-D", str(self._data), "-R", "-c", "fast", "--no-sync")
        self._process = subprocess.Popen(
            primary.as_user(
                binary("postgres"), "-D", str(self._data), "-k", str(self.folder),
                "-c", "listen_addresses=", "-c", "max_connections=40",
            ),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder,
        )  # fmt: skip

    def promote(self) -> None:
        """Take over."""
        self._run(binary("pg_ctl"), "promote", "-w", "-D", str(self._data))

    def stop(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(MINUTE_S)

    def _run(self, *command: str) -> None:
        told = subprocess.run(
            self._primary.as_user(*command), capture_output=True, text=True, check=False,
            timeout=MINUTE_S, cwd=self.folder,
        )  # fmt: skip
        assert told.returncode == 0, told.stderr


class Seller:
    """A till that sells and pushes until it is told to end; only busy answers are put up with."""

    def __init__(self, till: HttpTill) -> None:
        self.till = till
        self.busy = self.pushed = 0
        self.longest_s = 0.0
        self.wrong = list[Any]()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._sell)
        self._thread.start()

    def end(self) -> None:
        """No more sales."""
        self._ending.set()
        self._thread.join()

    def _sell(self) -> None:
        while not self._ending.is_set() and not self.wrong:
            self.till.earn(ANNA, 1, sales=3)
            request, since = self.till.ask(), time.monotonic()
            while (heard := self.till.send(request)).status == 503:
                self.busy += 1
                time.sleep(0.05)
                if self._ending.is_set():
                    return
            if heard.status != 200:
                self.wrong.append((heard.status, heard.content))
                return
            self.till.hear(wire.reply_of(self.till.signed_body(heard, request.rid)))
            self.pushed += 1
            self.longest_s = max(self.longest_s, time.monotonic() - since)


def takeover(place: Path, seed: int) -> Counter[str]:
    """From the first sale to the last comparison. Raises AssertionError."""
    place.chmod(0o755)
    with ExitStack() as ends:
        primary = Cluster(place, {"fsync": "on"})
        ends.callback(primary.stop)
        standby = Standby(primary)
        ends.callback(standby.stop)
        _synchronous(primary)
        folder = place / "office"
        folder.mkdir()
        hosts = f"host={primary.folder},{standby.folder} target_session_attrs=read-write"
        (folder / DSN_FILE).write_text(f"{hosts} user={ROLE} dbname=regulars")
        begin_chain(folder)
        with served(folder) as chain, httpx.Client(base_url=chain.url) as client:
            tills = [chain.till(seed * 10 + number) for number in range(1, TILLS + 1)]
            timelines = {till.at.store.control().timeline for till in tills}
            sellers = [Seller(till) for till in tills]
            try:
                _more(sellers)
                primary.kill()
                wait_for(lambda: all(each.busy or each.wrong for each in sellers), MINUTE_S)
                standby.promote()
                wait_for(lambda: client.get("/readyz").status_code == 200, MINUTE_S)
                _more(sellers)
            finally:
                for each in sellers:
                    each.end()
            assert not [each.wrong for each in sellers if each.wrong]
            for till in tills:
                till.sync()
            assert {till.at.store.control().timeline for till in tills} == timelines
        each_event_once(folder, tills)
        primary.start()  # What `stop` ends; nobody writes to it.
    return Counter(
        {
            "pushes": sum(each.pushed for each in sellers),
            "busy answers": sum(each.busy for each in sellers),
            "longest push in ms": round(1000 * max(each.longest_s for each in sellers)),
        }
    )


def _synchronous(primary: Cluster) -> None:
    with psycopg.connect(primary.superuser, autocommit=True) as raw:
        raw.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        raw.execute("SELECT pg_reload_conf()")
        state = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        wait_for(lambda: raw.execute(state).fetchone() == (1,), MINUTE_S)


def _more(sellers: list[Seller]) -> None:
    before = [each.pushed for each in sellers]
    wait_for(
        lambda: all(
            each.pushed >= had + PUSHES or each.wrong
            for each, had in zip(sellers, before, strict=True)
        ),
        MINUTE_S,
    )
