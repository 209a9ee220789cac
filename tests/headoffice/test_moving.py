"""A chain moves from SQLite to PostgreSQL: what tills hear meanwhile, what is the same, and kills amid it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg
import pytest

from app.domain.fold import fold
from app.domain.state import EMPTY
from headoffice import moving as command
from headoffice.alone import alone
from headoffice.console.staff import Staff
from headoffice.directory import Directory
from headoffice.moving import LOCK_FILE
from headoffice.office import STORE_FILE, wall_ms
from headoffice.store import moving
from headoffice.store.errors import StoreError, StoreMoved
from headoffice.store.sqlite_place import SqlitePlain
from tests.headoffice.api_office import code_of, system
from tests.headoffice.cluster import Cluster
from tests.headoffice.console_browser import Person, let_in, write_profile
from tests.headoffice.http_office import (
    ANNA,
    BELA,
    TENANT,
    HttpTill,
    Served,
    begin_chain,
    code_for,
    database_of,
    opened,
    served,
    wait_for,
)
from tests.headoffice.office import connected
from tests.headoffice.serving_process import DSN_FILE, Done, run
from tests.headoffice.test_http_kill import moved as elsewhere

OTHER: Final = b"U" * 16
NAME: Final = "Chain T"
Rows = dict[str, list[tuple[Any, ...]]]


class Tills(NamedTuple):
    """Two of the chain that moves, and one of a chain that stays."""

    north: HttpTill
    south: HttpTill
    stays: HttpTill

    def at(self, served: Served) -> Tills:
        """The same tills at another head office."""
        made = Tills(*(elsewhere(each, served.url) for each in self))
        served.tills += made
        return made


def filled(folder: Path) -> Tills:
    """A chain with members, profiles, a hold, staff and a code; and another chain beside it."""
    begin_chain(folder)
    begin_chain(folder, tenant=OTHER)
    with served(folder) as chain:
        tills = Tills(chain.till(1), chain.till(2, "South"), chain.till(3, tenant=OTHER))
        for till, member in zip(tills, (ANNA, BELA, ANNA), strict=True):
            till.earn(member, 7, sales=20)
            till.sync()
        tills.north.reply(tills.north.hold(ANNA, 5))
    write_profile(folder, ANNA, name="Anna 安娜", phone="+8613800001111")
    with closing(database_of(folder)) as database, database.store(TENANT).writing():
        Staff(database, TENANT).invite("AN", "auditor", b"i" * 32, wall_ms())
    code_for(folder, "South", "late till")
    return tills


def move(folder: Path, to: str, *options: str) -> Done:
    return run("move", "--data", folder, NAME, "--to", to, *options)


def in_target(cluster: Cluster) -> Rows:
    """Every row of the chain in PostgreSQL, as who sees all."""
    return _rows(
        cluster, lambda raw, text: raw.execute(text.replace("?", "%s"), (TENANT,)).fetchall()
    )


def in_source(folder: Path, cluster: Cluster) -> Rows:
    """Every row of the chain in the file."""
    with connected(folder / STORE_FILE) as raw:
        return _rows(cluster, lambda _, text: raw.execute(text, (TENANT,)).fetchall())


def _rows(cluster: Cluster, ask: Any) -> Rows:
    """By table, those without any left out; SQLite has 0 and 1 where PostgreSQL has false and true. What
    PostgreSQL works out from other columns SQLite has not."""
    found: Rows = {}
    with psycopg.connect(cluster.superuser) as raw:
        for name, *_ in raw.execute(moving._TABLES).fetchall():
            if name in moving._NOT_COPIED:
                continue
            columns = raw.execute(
                "SELECT string_agg(column_name, ', ' ORDER BY ordinal_position) "
                "FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'",
                (name,),
            ).fetchone()  # fmt: skip
            assert columns is not None
            rows = ask(raw, f"SELECT {columns[0]} FROM {name} WHERE tenant_id = ?")
            plain = [tuple(int(v) if isinstance(v, bool) else v for v in row) for row in rows]
            if plain:
                found[name] = sorted(plain, key=repr)
    return found


def without(act: str, rows: Rows) -> Rows:
    """Rows less what the audit has of an operator's act: of a move it is written on the way."""
    return rows | {"console_audit": [row for row in rows["console_audit"] if act not in row]}


def standing(folder: Path) -> str:
    with connected(folder / STORE_FILE) as raw:
        return moving.standing(raw, TENANT)


@pytest.mark.timeout(200)
def test_a_chain_moves_while_its_tills_wait_and_they_go_on_at_the_new_place(
    cluster: Cluster, tmp_path: Path
) -> None:
    tills = filled(tmp_path)
    with served(tmp_path) as old:
        north, south, stays = tills.at(old)
        north.earn(ANNA, 2)
        north.sync()
        south.sync()
        done = move(tmp_path, cluster.owner)
        assert done.returncode == 0, done.stderr
        assert "lines of the audit are as they were written" in done.stdout
        told = dict(line.split("\t") for line in done.stdout.splitlines() if "\t" in line)
        before = without("chain_moved", in_source(tmp_path, cluster))
        assert {"member", "ledger", "event", "cell", "hold", "console_staff", "enrol_code"} <= set(
            before
        )
        assert {n: int(rows) for n, rows in told.items() if rows != "0"} == {
            name: len(rows) for name, rows in before.items()
        }
        assert in_target(cluster) == before
        north.earn(ANNA, 3)
        request = north.ask()
        for _ in range(2):
            heard = north.send(request)
            assert (heard.status, north.problem(heard, request.rid)) == (503, "busy")
            assert int(heard.headers["retry-after"]) >= 1
        wait_for(lambda: TENANT in old.office.moving)
        poll = south.ask()
        assert south.problem(south.send(poll), poll.rid) == "busy", (
            "a poll that brings nothing, too"
        )
        stays.earn(ANNA, 1)
        stays.sync()
    assert in_target(cluster) == before
    assert without("chain_moved", in_source(tmp_path, cluster)) == before
    (tmp_path / DSN_FILE).write_text(cluster.app)
    with served(tmp_path) as new:
        north, south, _ = tills.at(new)
        assert north.send(request).status == 200, "what the old place sent away is taken here"
        north.sync()
        south.earn(ANNA, 1)
        south.sync()
        north.sync()
        new.till(9).sync()
        with opened(tmp_path) as (store, _), store.reading():
            member = store.member(ANNA)
            assert member is not None
            assert member.state.balance() == 20 * 7 + 2 + 3 + 1
            assert member.state == fold(EMPTY, store.ledger(ANNA))
            places = {device.id: device.place.seq for device in store.devices()}
        assert all(places[each.device] == each.at.store.top() for each in (north, south))


def test_what_has_moved_is_written_here_no_more_by_anybody(
    cluster: Cluster, tmp_path: Path
) -> None:
    filled(tmp_path)
    assert move(tmp_path, cluster.owner).returncode == 0
    with opened(tmp_path) as (store, _), pytest.raises(StoreMoved), store.writing():
        pass
    with opened(tmp_path, OTHER) as (store, _), store.writing():
        pass
    assert run("enrol-code", "--data", tmp_path, "North", "x", "--chain", NAME).returncode == 4
    again = move(tmp_path, cluster.owner)
    assert (again.returncode, "was moved before" in again.stderr) == (4, True)
    gave_up = move(tmp_path, cluster.owner, "--give-up")
    assert (gave_up.returncode, standing(tmp_path)) == (4, "moved")


def test_a_target_that_has_the_chain_is_refused_and_the_source_serves_on(
    cluster: Cluster, tmp_path: Path
) -> None:
    filled(tmp_path)
    there = tmp_path / "there"
    there.mkdir()
    (there / DSN_FILE).write_text(cluster.app)
    begin_chain(there)
    done = move(tmp_path, cluster.owner)
    assert (done.returncode, "it did not come from here" in done.stderr) == (4, True)
    assert standing(tmp_path) == "here"


def test_a_target_with_another_chain_of_the_name_is_refused(
    cluster: Cluster, tmp_path: Path
) -> None:
    filled(tmp_path)
    there = tmp_path / "there"
    there.mkdir()
    (there / DSN_FILE).write_text(cluster.app)
    begin_chain(there, tenant=b"T" + b"x" * 15)
    done = move(tmp_path, cluster.owner)
    assert (done.returncode, "There is a chain Chain T already" in done.stderr) == (4, True)
    assert standing(tmp_path) == "here"


@contextmanager
def locked(cluster: Cluster, table: str, mode: str) -> Iterator[psycopg.Connection[Any]]:
    """Nobody gets past this table."""
    with psycopg.connect(cluster.superuser) as raw:
        raw.execute(f"LOCK TABLE {table} IN {mode} MODE")
        yield raw
        raw.rollback()


def moving_by_itself(folder: Path, cluster: Cluster) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "headoffice", "move", "--data", str(folder), NAME, "--to", cluster.owner],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def killed_at(folder: Path, cluster: Cluster, table: str, mode: str) -> None:
    """A move that is killed while it waits for a table."""
    with locked(cluster, table, mode):
        child = moving_by_itself(folder, cluster)
        try:
            with psycopg.connect(cluster.superuser, autocommit=True) as watching:
                waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                wait_for(lambda: watching.execute(waits).fetchone() == (1,))
        finally:
            child.kill()
            child.wait()
    with psycopg.connect(cluster.superuser, autocommit=True) as watching:
        mine = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'regulars_owner'"
        wait_for(lambda: watching.execute(mine).fetchone() == (0,))


def test_a_move_that_was_killed_while_it_copied_has_moved_nothing_and_is_done_again(
    cluster: Cluster, tmp_path: Path
) -> None:
    tills = filled(tmp_path)
    before = in_source(tmp_path, cluster)
    killed_at(tmp_path, cluster, "ledger", "EXCLUSIVE")
    assert in_target(cluster) == {}
    assert standing(tmp_path) == "moving"
    with served(tmp_path) as old:
        north, *_ = tills.at(old)
        request = north.ask()
        assert north.problem(north.send(request), request.rid) == "busy", "nobody decides by itself"
    assert move(tmp_path, cluster.owner).returncode == 0
    there = in_target(cluster)
    assert there == without("chain_moved", in_source(tmp_path, cluster))
    assert without("chain_moves", there) == before
    assert standing(tmp_path) == "moved"


def test_a_move_that_was_killed_while_it_copied_can_be_given_up(
    cluster: Cluster, tmp_path: Path
) -> None:
    tills = filled(tmp_path)
    killed_at(tmp_path, cluster, "ledger", "EXCLUSIVE")
    done = move(tmp_path, cluster.owner, "--give-up")
    assert (done.returncode, standing(tmp_path)) == (0, "here")
    with served(tmp_path) as old:
        north, *_ = tills.at(old)
        north.earn(ANNA, 1)
        north.sync()


def test_a_move_that_was_killed_behind_its_commit_is_found_done(
    cluster: Cluster, tmp_path: Path
) -> None:
    filled(tmp_path)
    before = in_source(tmp_path, cluster)
    killed_at(tmp_path, cluster, "member", "SHARE UPDATE EXCLUSIVE")
    there = in_target(cluster)
    assert there == in_source(tmp_path, cluster)
    assert without("chain_moves", there) == before
    assert standing(tmp_path) == "moving"
    gave_up = move(tmp_path, cluster.owner, "--give-up")
    assert (gave_up.returncode, standing(tmp_path)) == (4, "moving")
    done = move(tmp_path, cluster.owner)
    assert done.returncode == 0, done.stderr
    assert standing(tmp_path) == "moved"


def test_a_copy_that_was_served_meanwhile_is_not_taken_for_the_same(
    cluster: Cluster, tmp_path: Path
) -> None:
    filled(tmp_path)
    killed_at(tmp_path, cluster, "member", "SHARE UPDATE EXCLUSIVE")
    with psycopg.connect(cluster.superuser) as raw:
        raw.execute("UPDATE till SET heard_ms = heard_ms + 1 WHERE tenant_id = %s", (TENANT,))
    done = move(tmp_path, cluster.owner)
    assert (done.returncode, "not the same any more" in done.stderr) == (4, True)
    assert standing(tmp_path) == "moving"


@pytest.mark.parametrize(
    "damage",
    [
        "NEW.amount := NEW.amount + 1; RETURN NEW;",
        "NEW.business_date := NEW.business_date + 1; RETURN NEW;",
        f"IF NEW.number = 20 AND NEW.member_id = '\\x{BELA.hex()}' THEN RETURN NULL; END IF; RETURN NEW;",
    ],
)
def test_a_copy_that_is_not_the_same_is_not_kept_and_the_chain_is_served_on(
    cluster: Cluster, tmp_path: Path, damage: str
) -> None:
    filled(tmp_path)
    with psycopg.connect(cluster.owner) as owner:
        owner.execute(
            f"CREATE FUNCTION damage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {damage} END $$"
        )
        owner.execute(
            "CREATE TRIGGER damage BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION damage()"
        )
    try:
        done = move(tmp_path, cluster.owner)
    finally:
        with psycopg.connect(cluster.owner) as owner:
            owner.execute("DROP FUNCTION damage CASCADE")
    assert (done.returncode, "the two differ: ledger" in done.stderr) == (4, True)
    assert in_target(cluster) == {}
    assert standing(tmp_path) == "here"


@pytest.mark.parametrize("what", tuple(moving._SUMS))
def test_each_sum_and_head_is_compared(
    cluster: Cluster, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path)
    monkeypatch.setattr(moving, "_same_rows", lambda *_: 0)
    changed = {
        "points and stored value of each member": "UPDATE ledger SET amount = amount + 1 WHERE number = 1",
        "sums by asset and kind": "UPDATE ledger SET kind = 'adjust' WHERE number = 1",
        "places and chain hashes of devices": "UPDATE device SET chain = zeroblob(32)",
        "heads of feeds": "UPDATE feed_head SET head = head + 1",
    }[what]
    with (
        connected(tmp_path / STORE_FILE) as raw,
        closing(moving.open_target(cluster.owner)) as target,
    ):
        moving.copy(raw, target, TENANT)
        moving.commit(target)
        raw.execute("DROP TRIGGER IF EXISTS ledger_stays")
        raw.execute(changed)
        with pytest.raises(moving.Different, match=what):
            moving.compare(raw, target, TENANT)


def test_a_table_that_one_of_the_two_has_in_another_form_stops_the_move(
    cluster: Cluster, tmp_path: Path
) -> None:
    filled(tmp_path)
    with (
        connected(tmp_path / STORE_FILE) as raw,
        closing(moving.open_target(cluster.owner)) as target,
    ):
        raw.execute("ALTER TABLE hold ADD COLUMN more INTEGER")
        with pytest.raises(StoreError, match="hold has other columns"):
            moving.copy(raw, target, TENANT)


def test_statistics_are_there_afterwards(cluster: Cluster, tmp_path: Path) -> None:
    filled(tmp_path)
    assert move(tmp_path, cluster.owner).returncode == 0
    with psycopg.connect(cluster.superuser) as raw:
        found = raw.execute(
            "SELECT reltuples::int FROM pg_class WHERE relname = 'ledger'"
        ).fetchone()
    assert found is not None
    assert found[0] > 0


def test_every_table_of_a_chain_that_sqlite_has_is_copied(cluster: Cluster, tmp_path: Path) -> None:
    with (
        connected(tmp_path / STORE_FILE) as raw,
        closing(moving.open_target(cluster.owner)) as target,
    ):
        copied = {table.name for table in moving.moved_tables(raw, target)}
        with_tenant = {
            name
            for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if any(row[1] == "tenant_id" for row in raw.execute(f"PRAGMA table_info({name})"))
        }
    assert with_tenant - copied == {"move"}


def test_a_chain_that_moves_has_no_pages_and_keys_at_its_old_place(
    cluster: Cluster, tmp_path: Path
) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as old, system(old, "stores:read") as other:
        person = Person(old)
        person.begin(let_in(tmp_path, "AN", "head_office"))
        assert person.look("/console/").status_code == 200
        assert other.ask("GET", "/v1/stores").status_code == 200
        assert move(tmp_path, cluster.owner).returncode == 0
        wait_for(lambda: TENANT in old.office.moving)
        for path in ("/console/", "/console/tills"):
            assert person.look(path).status_code == 503, "what it shows may be old"
        refused = other.ask("GET", "/v1/stores")
        assert (refused.status_code, code_of(refused)) == (503, "busy")
        assert int(refused.headers["retry-after"]) > 0
        person.close()


def test_two_moves_at_once_are_one(cluster: Cluster, tmp_path: Path) -> None:
    filled(tmp_path)
    with alone(tmp_path, LOCK_FILE):
        done = move(tmp_path, cluster.owner)
    assert (done.returncode, "moving from this folder already" in done.stderr) == (4, True)
    assert standing(tmp_path) == "here"


@pytest.mark.parametrize("sent", [False, True], ids=["lost", "kept"])
@pytest.mark.parametrize(
    "error", [psycopg.OperationalError, psycopg.InternalError, KeyboardInterrupt]
)
def test_a_commit_of_which_nobody_knows_leaves_the_chain_marked(
    cluster: Cluster, tmp_path: Path, error: type[BaseException], sent: bool
) -> None:
    begin_chain(tmp_path)

    class Losing(psycopg.Connection[Any]):
        """The network goes with the word COMMIT, or behind it, or somebody types Ctrl+C there."""

        def execute(self, query: Any, *values: Any, **options: Any) -> Any:
            if query == "COMMIT":
                if sent:
                    super().execute(query, *values, **options)
                self.close()
                raise error
            return super().execute(query, *values, **options)

    with connected(tmp_path / STORE_FILE) as raw:
        with Losing.connect(cluster.owner, autocommit=True) as target:
            (chain,) = Directory(SqlitePlain(raw)).chains()
            unknown = error if error is KeyboardInterrupt else moving.CommitUnknown
            with pytest.raises(unknown):
                command._copied(raw, target, chain, "here")
        assert moving.standing(raw, TENANT) == "moving"
    assert move(tmp_path, cluster.owner).returncode == 0
    assert standing(tmp_path) == "moved"


def test_a_copy_that_fails_leaves_a_chain_waiting_that_waited_before(
    cluster: Cluster, tmp_path: Path
) -> None:
    """An earlier command's commit may still be under way in the target."""
    begin_chain(tmp_path)

    class Failing(psycopg.Connection[Any]):
        def execute(self, query: Any, *values: Any, **options: Any) -> Any:
            if query == "SET CONSTRAINTS ALL IMMEDIATE":
                raise KeyboardInterrupt
            return super().execute(query, *values, **options)

    with (
        connected(tmp_path / STORE_FILE) as raw,
        Failing.connect(cluster.owner, autocommit=True) as target,
    ):
        (chain,) = Directory(SqlitePlain(raw)).chains()
        for before in ("here", "moving"):
            with pytest.raises(KeyboardInterrupt):
                command._copied(raw, target, chain, before)
            assert moving.standing(raw, TENANT) == before
            moving.mark(raw, TENANT, "moving")
