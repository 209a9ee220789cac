"""A real PostgreSQL that the tests start by themselves: a cluster in a temporary folder, on a socket there.

What is written is not synced to the disk: the tests kill processes, not the machine. Nothing here is skipped
where PostgreSQL is missing; the tests then fail and say what to install.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psycopg

from headoffice.store.postgresql_opening import ROLE, migrate

OWNER: Final = "regulars_owner"
_START_S: Final = 60
_SETTINGS: Final = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "40",
    "autovacuum": "off",
    "logging_collector": "off",
}
_LARGE_BYTES: Final = 1_000_000
_LARGEST: Final = """
SELECT max(pg_total_relation_size(oid)) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
_DELETE: Final = """
DO $$
DECLARE each regclass;
BEGIN
    FOR each IN
        SELECT oid::regclass FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'schema_step'
    LOOP
        EXECUTE 'DELETE FROM ' || each;
    END LOOP;
END $$
"""


class Cluster:
    """One server process and its data; `stop` ends it and takes the folder away."""

    def __init__(self, place: Path | None = None, settings: Mapping[str, str] = {}) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="regulars-pg-", dir=place))
        self._settings = {**_SETTINGS, **settings}
        self._user = _unprivileged()
        if self._user is not None:
            if place is not None:
                # What was made there first may have shut it to others; its user has to get through.
                place.chmod(place.stat().st_mode | stat.S_IXGRP | stat.S_IXOTH)
            known = pwd.getpwnam(self._user)
            os.chown(self.folder, known.pw_uid, known.pw_gid)
        self.data = self.folder / "data"
        subprocess.run(
            self.as_user(
                binary("initdb"), "-D", str(self.data), "-U", "postgres", "-A", "trust",
                "-E", "UTF8", "--no-locale", "--no-sync",
            ),
            check=True,
            capture_output=True,
            cwd=self.folder,
        )  # fmt: skip
        self._process = self._started()
        self.version = self._prepared()

    def dsn(self, user: str, database: str = "regulars") -> str:
        """How a role connects."""
        return f"host={self.folder} user={user} dbname={database}"

    @property
    def app(self) -> str:
        """As head office works."""
        return self.dsn(ROLE)

    @property
    def owner(self) -> str:
        """As the owner of the tables, who migrates."""
        return self.dsn(OWNER)

    @property
    def superuser(self) -> str:
        """As who sees all."""
        return self.dsn("postgres")

    def empty(self) -> None:
        """Take every row away. To delete the few that a test makes takes a tenth of what it takes to truncate
        fifty tables, until those have become large."""
        with psycopg.connect(self.superuser) as raw:
            found = raw.execute(_LARGEST).fetchone()
            assert found is not None
            if found[0] > _LARGE_BYTES:
                raw.execute("TRUNCATE tenant, event CASCADE")
            else:
                raw.execute("SET LOCAL session_replication_role = replica")  # past the triggers
                raw.execute(_DELETE)

    def forget_statistics(self) -> None:
        """As if nothing had been looked at yet: what a test analysed the next planner would believe."""
        with psycopg.connect(self.superuser) as raw:
            raw.execute("TRUNCATE tenant, event CASCADE")
            raw.execute(
                "DELETE FROM pg_statistic USING pg_class c WHERE c.oid = starelid "
                "AND c.relnamespace = 'public'::regnamespace"
            )

    def restart_after_kill(self) -> None:
        """`kill`, and start it again."""
        self.kill()
        self.start()

    def kill(self) -> None:
        """End the server without a checkpoint or a word to anybody, as a crash does."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(_START_S)

    def start(self) -> None:
        """Start it again."""
        self._process = self._started()

    def stop(self) -> None:
        """End the server at once."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_START_S)
        shutil.rmtree(self.folder)

    def _started(self) -> subprocess.Popen[bytes]:
        settings = [f"-c{name}={value}" for name, value in self._settings.items()]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                self.as_user(binary("postgres"), "-D", str(self.data), "-k", str(self.folder),
                              *settings),
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )  # fmt: skip
        until = time.monotonic() + _START_S
        while True:
            try:
                psycopg.connect(self.dsn("postgres", "postgres")).close()
                return process
            except psycopg.OperationalError:
                time.sleep(0.05)
            running = process.poll() is None and time.monotonic() < until
            assert running, f"PostgreSQL did not start: {(self.folder / 'log').read_text()}"

    def _prepared(self) -> str:
        with psycopg.connect(self.dsn("postgres", "postgres"), autocommit=True) as raw:
            raw.execute(f"CREATE ROLE {OWNER} LOGIN")
            raw.execute(f"CREATE ROLE {ROLE} LOGIN")
            raw.execute(f"CREATE DATABASE regulars OWNER {OWNER}")
            found = raw.execute("SHOW server_version").fetchone()
        with psycopg.connect(self.superuser, autocommit=True) as raw:
            raw.execute(f"ALTER SCHEMA public OWNER TO {OWNER}")
        migrate(self.owner)
        assert found is not None
        return str(found[0])

    def as_user(self, *command: str) -> list[str]:
        """A command as the server's user, never root, which it refuses; it ends with this process."""
        user = [] if self._user is None else [f"--reuid={self._user}", "--init-groups"]
        return ["setpriv", "--pdeathsig=INT", *user, *command]


def _unprivileged() -> str | None:
    """The user that the server runs as; None: as this one."""
    if os.geteuid() != 0:
        return None
    users = {each.pw_name for each in pwd.getpwall()}
    return "postgres" if "postgres" in users else "nobody"


def binary(name: str) -> str:
    """A program of PostgreSQL; of several versions the newest."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3])
    )
    found = str(installed[-1]) if installed else shutil.which(name)
    assert found, f"{name} is missing: install PostgreSQL (packaging/apt.txt), its tests never skip"
    return found
