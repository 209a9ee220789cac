"""The backup and restore drill of docs/operations/postgresql.md with the real pgBackRest, again and again.

Three tills sell all the while. A full backup, a differential one, the log archived; then the data are
deleted and brought back as of a moment before the end: head office lacks events that it had acknowledged.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg

from tests.headoffice.cluster import Cluster
from tests.headoffice.http_office import (
    ANNA,
    HttpTill,
    begin_chain,
    each_event_once,
    served,
    wait_for,
)
from tests.headoffice.serving_process import DSN_FILE
from tests.headoffice.serving_process import run as command
from tests.long.scratch import again_and_again

STANZA: Final = "regulars"
TILLS: Final = 3
SALES: Final = 20
"""Of each till between two steps."""
MINUTE_S: Final = 300


class Repository:
    """pgBackRest's own place for one cluster, as the page says: archived log, encrypted."""

    def __init__(self, place: Path) -> None:
        found = shutil.which("pgbackrest")
        assert found, "pgbackrest is missing: apt-get install pgbackrest"
        self._program, self._file = found, place / "pgbackrest.conf"
        self._place = place

    @property
    def settings(self) -> dict[str, str]:
        """Of the server, so that it archives its log here."""
        archive = f"{self._program} --config={self._file} --stanza={STANZA} archive-push %p"
        return {"archive_mode": "on", "archive_command": archive, "fsync": "on"}

    def belong_to(self, cluster: Cluster) -> None:
        """Say where the cluster is; from now on its log can be archived."""
        folders = {name: cluster.folder / name for name in ("repo", "lock", "log-of-backups")}
        for each in folders.values():
            each.mkdir()
            shutil.chown(each, cluster.folder.owner(), cluster.folder.group())
        self._file.write_text(
            f"[global]\nrepo1-path={folders['repo']}\nrepo1-retention-full=5\n"
            "repo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass=of the drill alone\nstart-fast=y\n"
            f"lock-path={folders['lock']}\nlog-path={folders['log-of-backups']}\nlog-level-console=warn\n"
            f"[{STANZA}]\npg1-path={cluster.data}\npg1-socket-path={cluster.folder}\npg1-user=postgres\n"
        )
        self._file.chmod(0o644)
        self._cluster = cluster

    def do(self, *arguments: str) -> None:
        """One command of pgBackRest. Raises AssertionError with what it wrote."""
        told = subprocess.run(
            self._cluster.as_user(
                self._program, f"--config={self._file}", f"--stanza={STANZA}", *arguments
            ),
            capture_output=True, text=True, check=False, timeout=MINUTE_S, cwd=self._cluster.folder,
        )  # fmt: skip
        assert told.returncode == 0, f"pgbackrest {arguments}: {told.stdout}{told.stderr}"


def run(seed: int, seconds: float) -> dict[str, Any]:
    """At least one drill; `failed` lists those after which something was lost, doubled or not equal."""
    return again_and_again(drill, seed, seconds)


def drill(place: Path, seed: int) -> Counter[str]:
    """One drill from the first sale to the last comparison. Raises AssertionError."""
    place.chmod(0o755)
    repository = Repository(place)
    cluster = Cluster(place, repository.settings)
    try:
        repository.belong_to(cluster)
        repository.do("stanza-create")
        return _sold_and_restored(place, cluster, repository, seed)
    finally:
        cluster.stop()


def _sold_and_restored(
    place: Path, cluster: Cluster, repository: Repository, seed: int
) -> Counter[str]:
    folder = place / "office"
    folder.mkdir()
    (folder / DSN_FILE).write_text(cluster.app)
    begin_chain(folder, budget=1000)
    with served(folder) as chain:
        tills = [chain.till(seed * 10 + number) for number in range(1, TILLS + 1)]
        with _selling(tills):
            repository.do("--type=full", "backup")
        with _selling(tills):
            repository.do("--type=diff", "backup")
        _sell(tills)
        moment, had = _now(cluster), _events(cluster)
        _sell(tills)
        acknowledged = _events(cluster)
        _archived(cluster)
    assert acknowledged > had, "nothing would be lost"
    started = time.monotonic()
    cluster.kill()
    shutil.rmtree(cluster.data)
    repository.do("--type=time", f"--target={moment}", "--target-action=promote", "restore")
    cluster.start()
    wait_for(lambda: not _one(cluster, "SELECT pg_is_in_recovery()"), MINUTE_S)
    back = _events(cluster)
    assert back == had, f"restored to {back} events, the moment had {had}"
    told = command("restored", "--data", folder)
    assert told.returncode == 0, told.stderr
    took = time.monotonic() - started
    with served(folder) as chain:
        again = [_at(till, chain.url) for till in tills]
        for till in again:
            wait_for(lambda: till.device in chain.office.tills)  # noqa: B023
            before = till.at.store.control().timeline
            till.sync()
            assert till.at.store.control().timeline > before
        _sell(again)
        for till in again:
            till.sync()
            till.client.close()
    each_event_once(folder, again)
    return Counter(
        {
            "events that the backup lacked": acknowledged - had,
            "events in the end": sum(till.at.store.top() for till in again),
            "seconds from the kill to a new timeline": round(took),
        }
    )


@contextmanager
def _selling(tills: list[HttpTill]) -> Iterator[None]:
    """All tills sell and push while the block runs, SALES times at least."""
    over = threading.Event()
    wrong: list[BaseException] = []

    def sell(till: HttpTill) -> None:
        done = 0
        try:
            while done < SALES or not over.is_set():
                till.earn(ANNA, 1)
                till.sync()
                done += 1
        except BaseException as error:  # told by the thread that waits for it
            wrong.append(error)

    threads = [threading.Thread(target=sell, args=(till,)) for till in tills]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not wrong, f"a till met {wrong[0]!r}"


def _sell(tills: list[HttpTill]) -> None:
    with _selling(tills):
        pass


def _at(till: HttpTill, url: str) -> HttpTill:
    """The same till, asking at where head office answers now."""
    till.client.close()
    made = HttpTill(url, till.seed)
    made.at, made.server_key, made.rng = till.at, till.server_key, till.rng
    return made


def _one(cluster: Cluster, question: str) -> Any:
    with closing(psycopg.connect(cluster.superuser, autocommit=True)) as raw:
        found = raw.execute(question).fetchone()
    assert found is not None
    return found[0]


def _now(cluster: Cluster) -> str:
    """A moment that lies between two commits."""
    time.sleep(0.05)
    told = str(_one(cluster, "SELECT clock_timestamp()::text"))
    time.sleep(0.05)
    return told


def _events(cluster: Cluster) -> int:
    return int(_one(cluster, "SELECT count(*) FROM event"))


def _archived(cluster: Cluster) -> None:
    """The log up to now is in the archive."""
    last = _one(cluster, "SELECT pg_walfile_name(pg_switch_wal())")

    def archived() -> bool:
        done = _one(cluster, "SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver")
        return bool(done >= last)

    wait_for(archived, MINUTE_S)
