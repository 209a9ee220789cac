"""Head office served from PostgreSQL: who sees what of the directory, commands, other processes, and a database
that goes away under load."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
import pytest

from app.protocol import overlay, wire
from app.protocol.wire import SyncReply
from headoffice import letting_in, writer
from headoffice.console.snapshot import Snapshot
from headoffice.directory import Directory, Shop
from headoffice.office import wall_ms
from headoffice.store import postgresql, postgresql_place
from headoffice.store.plain import Opened
from headoffice.store.postgresql_opening import connect
from tests.headoffice.cluster import Cluster
from tests.headoffice.http_office import (
    ANNA,
    TENANT,
    HttpTill,
    Served,
    begin_chain,
    code_for,
    database_of,
    each_event_once,
    opened,
    place_of,
    served,
    wait_for,
)
from tests.headoffice.serving_process import DSN_FILE, Process, run

OTHER = b"U" * 16


@pytest.fixture
def folder(cluster: Cluster, tmp_path: Path) -> Path:
    """Of a head office whose store is in PostgreSQL."""
    (tmp_path / DSN_FILE).write_text(cluster.app)
    return tmp_path


# Who sees what ------------------------------------------------------------------------------------


def test_the_register_shows_which_chains_there_are_and_nothing_else_of_them(
    cluster: Cluster, folder: Path
) -> None:
    begin_chain(folder)
    begin_chain(folder, tenant=OTHER)
    with connect(cluster.app) as raw:
        columns = [
            row[0]
            for row in raw.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'register'"
            )
        ]
        assert sorted(columns) == ["dist_key", "kept", "tenant_id", "version"]
        found = raw.execute("SELECT tenant_id FROM register ORDER BY tenant_id").fetchall()
        assert found == [(TENANT,), (OTHER,)]
        for table in ("chain", "store", "night", "tenant"):
            assert raw.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table


def test_a_chains_entry_in_the_register_is_written_by_its_own_transactions_alone(
    cluster: Cluster, folder: Path
) -> None:
    begin_chain(folder)
    begin_chain(folder, tenant=OTHER)
    with connect(cluster.app) as raw, raw.transaction():
        raw.execute("SELECT set_config('app.tenant', %s, true)", (TENANT.hex(),))
        assert raw.execute("UPDATE register SET version = version + 1").rowcount == 1
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            raw.execute("DELETE FROM register")
        raw.execute("ROLLBACK")


def test_a_code_is_found_by_its_first_half_and_no_other_code_with_it(
    cluster: Cluster, folder: Path
) -> None:
    begin_chain(folder)
    begin_chain(folder, tenant=OTHER)
    ours, theirs = (code_for(folder, "North", "till", tenant=each) for each in (TENANT, OTHER))
    with opened(folder) as (_, directory):
        (found,) = directory.codes(theirs[:4])
        assert (found.tenant, found.half) == (OTHER, theirs[:4])
        assert directory.codes("????") == []
    with connect(cluster.app) as raw:
        assert raw.execute("SELECT * FROM enrol_code").fetchall() == []
        raw.execute("SELECT set_config('app.half', %s, false)", (ours[:4],))
        assert raw.execute("SELECT half FROM enrol_code").fetchall() == [(ours[:4],)]
        for change in ("UPDATE enrol_code SET tries = 0", "DELETE FROM enrol_code"):
            assert raw.execute(change).rowcount == 0, "found, and still another's to change"


def test_the_connection_of_the_pages_cannot_write(folder: Path) -> None:
    begin_chain(folder)
    refused = pytest.raises(psycopg.errors.ReadOnlySqlTransaction)
    with closing(place_of(folder)) as place, place.reading(TENANT) as plain, refused:
        plain.run("DELETE FROM console_session")


def test_a_page_of_one_chain_reads_nothing_of_another(folder: Path) -> None:
    begin_chain(folder)
    begin_chain(folder, tenant=OTHER, shops=("Elsewhere",))
    with closing(place_of(folder)) as place, place.reading(TENANT) as plain:
        assert [shop.name for shop in Snapshot(plain, TENANT).shops()] == ["North", "South"]
        assert Snapshot(plain, OTHER).shops() == []


def test_what_is_said_of_all_chains_is_not_asked_amid_a_transaction_of_one(folder: Path) -> None:
    begin_chain(folder)
    begin_chain(folder, tenant=OTHER)
    with opened(folder) as (store, directory), store.reading():
        assert [shop.name for shop in directory.shops_of(TENANT)] == ["North", "South"]
        with pytest.raises(AssertionError, match="sees one chain"):
            directory.shops()


def test_readers_use_their_connections_again_and_not_one_that_was_lost(
    cluster: Cluster, folder: Path
) -> None:
    begin_chain(folder)
    place = place_of(folder)

    def backend() -> int:
        with place.reading(TENANT) as plain:
            return int(plain.rows("SELECT pg_backend_pid()")[0][0])

    first = backend()
    assert backend() == first
    with psycopg.connect(cluster.superuser, autocommit=True) as superuser:
        superuser.execute("SELECT pg_terminate_backend(%s, 5000)", (first,))
    assert backend() != first
    place.close()


# Commands -----------------------------------------------------------------------------------------


def test_every_command_works_on_postgresql_as_on_the_folders_file(
    cluster: Cluster, tmp_path: Path
) -> None:
    def done(*arguments: object) -> str:
        told = run(*arguments)
        assert told.returncode == 0, told.stderr
        return told.stdout

    on = ("--data", tmp_path / "d", "--postgresql", cluster.app)
    assert "0 steps" in done("migrate", "--postgresql", cluster.owner)
    done("new-chain", *on, "Tea", "--store", "One")
    done("new-store", *on, "Two")
    code = done("enrol-code", *on, "Two", "Till 1").strip()
    assert len(done("new-staff", *on, "Tea", "an", "auditor").strip()) > 20
    (tmp_path / "d" / DSN_FILE).write_text(cluster.app)
    at = Process(tmp_path / "d")
    till = HttpTill(at.url, 1)
    till.enrol(code)
    till.earn()
    till.sync()
    till.client.close()
    assert at.end() == 0
    listed = done("tills", *on).split("\t")
    assert listed[:5] == [till.device.hex(), "Tea", "Two", "Till 1", "live"]
    done("revoke", *on, till.device.hex())
    done("restored", *on)
    assert "lost" in done("tills", *on)
    assert not (tmp_path / "d" / "office.db").exists()


@pytest.mark.parametrize("dsn", ["host=x password=secret77", "postgresql://u:secret77@x/y"])
def test_a_password_on_the_command_line_is_refused_and_not_repeated(
    tmp_path: Path, dsn: str
) -> None:
    told = run("tills", "--data", tmp_path, "--postgresql", dsn)
    assert told.returncode == 4
    assert "pgpass" in told.stderr
    assert "secret77" not in told.stdout + told.stderr


def test_a_database_that_is_not_there_is_a_sentence_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGULARS_POSTGRESQL", f"host={tmp_path} dbname=x password=secret77")
    told = run("tills", "--data", tmp_path)
    assert told.returncode == 4
    assert "The store can't be used" in told.stderr
    assert "secret77" not in told.stdout + told.stderr
    assert "Traceback" not in told.stderr


# Other processes, and a database that goes away ---------------------------------------------------


def test_two_head_offices_on_one_database_serve_one_chain(
    cluster: Cluster, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    begin_chain(folder)
    with served(folder) as one:
        beside = tmp_path_factory.mktemp("beside")
        for name in (DSN_FILE, "server.key"):
            (beside / name).write_bytes((folder / name).read_bytes())
            (beside / name).chmod(0o600)
        with served(beside) as two:
            till, other = one.till(1), two.till(2, "South")
            till.earn(ANNA, 7)
            till.sync()
            assert points(other, two) == 7
            other.earn(ANNA, 5)
            other.sync()
            wait_for(lambda: points(till, one) == 12)


def test_another_process_is_heard_before_it_is_time_to_look(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LOOK_S", 3600)
    begin_chain(folder)
    with served(folder) as chain:
        begin_chain(folder, tenant=OTHER)
        wait_for(lambda: OTHER in chain.office.chains)


def test_without_a_word_another_process_is_noticed_in_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_TOLD", "SELECT 1")
    begin_chain(folder)
    with served(folder) as chain:
        begin_chain(folder, tenant=OTHER)
        wait_for(lambda: OTHER in chain.office.chains)


def test_who_listens_comes_back_after_the_database_was_away(
    cluster: Cluster, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_place, "PAUSE_S", 0.05)
    begin_chain(folder)
    told = threading.Event()
    with closing(place_of(folder)) as place, place.hearing(told.set):
        assert told.wait(30), "whatever was missed before"
        told.clear()
        cluster.restart_after_kill()
        assert told.wait(30), "and while it was away"
        told.clear()
        with closing(database_of(folder)) as theirs:
            new_code(theirs)
        assert told.wait(30)
        told.clear()
        with closing(place.open()) as ours:
            new_code(ours)
        assert not told.wait(0.5), "its own commits are no news"


def points(till: HttpTill, at: Served) -> int:
    """What a till shows of Anna once it has asked."""
    wait_for(lambda: till.device in at.office.tills)
    till.sync()
    return overlay.shown(till.at.store, ANNA).balance()


class Stubborn:
    """A till that sells and pushes until it is told to end; busy answers and nothing else are put up with."""

    def __init__(self, till: HttpTill) -> None:
        self.till = till
        self.busy = self.pushed = 0
        self.wrong = list[Any]()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def end(self) -> None:
        self._ending.set()
        self._thread.join()

    def _send(self) -> None:
        while not self._ending.is_set():
            self.till.earn(ANNA, 1, sales=3)
            request = self.till.ask()
            while not self._ending.is_set():
                heard = self.till.send(request)
                if heard.status == 503:
                    assert self.till.problem(heard, request.rid) == "busy"
                    self.busy += 1
                    time.sleep(0.02)
                    continue
                if heard.status != 200:
                    self.wrong.append((heard.status, heard.content))
                    return
                break
            else:
                return
            self.till.hear(reply_of(self.till, heard, request.rid))
            self.pushed += 1


def reply_of(till: HttpTill, heard: Any, rid: bytes) -> SyncReply:
    reply = wire.reply_of(till.signed_body(heard, rid))
    assert isinstance(reply, SyncReply)
    return reply


@pytest.mark.timeout(200)
def test_a_database_that_is_killed_under_load_makes_tills_wait_and_nothing_is_lost_or_doubled(
    cluster: Cluster, folder: Path
) -> None:
    begin_chain(folder)
    with served(folder) as chain, httpx.Client(base_url=chain.url) as client:
        senders = [Stubborn(chain.till(seed)) for seed in (1, 2, 3)]
        for _ in range(3):
            before = [(sender.pushed, sender.busy) for sender in senders]
            wait_for(lambda: all(s.pushed > b[0] + 2 for s, b in zip(senders, before, strict=True)))  # noqa: B023
            cluster.kill()
            try:
                wait_for(lambda: all(s.busy > b[1] for s, b in zip(senders, before, strict=True)))  # noqa: B023
                ready = client.get("/readyz")
                assert (ready.status_code, ready.text) == (503, "the database is away\n")
                assert client.get("/healthz").status_code == 200
            finally:
                cluster.start()
            wait_for(lambda: client.get("/readyz").status_code == 200)
        for sender in senders:
            sender.end()
            assert not sender.wrong
        tills = [sender.till for sender in senders]
        for till in tills:
            till.sync()
        each_event_once(folder, tills)


def test_a_commit_beside_it_is_news_and_its_own_are_not(folder: Path) -> None:
    begin_chain(folder)
    begin_chain(folder, tenant=OTHER)
    ours, theirs = database_of(folder), database_of(folder)
    ours.heard(ours.news())
    new_code(ours)
    assert ours.news() == {}
    with theirs.store(TENANT).reading():
        pass
    with theirs.store(TENANT).writing():
        pass
    assert ours.news() == {}, "nothing was written"
    new_code(theirs)
    (news,) = ours.news().items()
    assert (news[0], news[1].kept) == (TENANT, False), "a code is kept by nobody"
    ours.heard(ours.news())
    put_shop(theirs, "East")
    new_code(ours)
    (news,) = ours.news().items()
    assert (news[0], news[1].kept) == (TENANT, True), "and its own one behind it hides nothing"
    ours.heard(ours.news())
    put_shop(ours, "West")
    assert ours.news() == {}
    ours.close()
    theirs.close()


def put_shop(database: Opened, name: str) -> None:
    """Something that every process keeps in memory."""
    with database.store(TENANT).writing():
        Directory(database).put_shop(Shop(TENANT, name.encode().ljust(16), name, "all"))


KEPT: Final = {"chain", "store", "till", "api_key", "webhook", "alarm", "device", "night"}


def test_whoever_changes_what_processes_keep_says_so(cluster: Cluster) -> None:
    with psycopg.connect(cluster.superuser) as raw:
        found = raw.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'is_kept'"
        ).fetchall()
    assert {table for (table,) in found} == KEPT


def new_code(database: Opened) -> None:
    """A small thing to write."""
    directory = Directory(database)
    shop = directory.shops()[0]
    with database.store(TENANT).writing():
        letting_in.new_code(directory, shop, "till", wall_ms())
