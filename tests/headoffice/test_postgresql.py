"""What PostgreSQL alone has to prove: who sees which rows, who may migrate, and writers beside each other."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from app.protocol.links import Link
from app.protocol.store import GrantRow, Member, StoredEvent
from app.protocol.wire import ReferenceRow
from headoffice.store import postgresql_opening
from headoffice.store import statements as sql
from headoffice.store.errors import (
    MigrationChanged,
    NewerSchema,
    NotAStore,
    NotMigrated,
    RoleTooMighty,
    StoreBusy,
    StoreError,
    StoreGone,
)
from headoffice.store.postgresql import PostgresStore
from headoffice.store.postgresql_opening import Connection, connect, migrate
from headoffice.store.records import Records
from headoffice.store.steps import POSTGRESQL, Step, shipped
from tests.headoffice.cluster import OWNER, Cluster
from tests.headoffice.office import BUCKET, NOW, TABLES, TENANT, OnPostgres, Shop

CONSOLE = (
    "console_staff", "console_session", "console_audit", "audit_root", "console_factor", "console_recovery",
    "console_staff_store", "console_choice", "api_key", "api_answer", "recount_place",
    "own_programme", "recount_flag", "settlement",
    "console_seen",
    "webhook", "webhook_message", "alarm",
    "programme_draft", "till_close", "late_event", "console_asked", "receipt", "till_look", "till_few_digits",
    "adjustment",
    "shop_person", "till_staff", "price_list", "card_lease", "shared_value", "till_said", "erasure",
)  # fmt: skip
DIRECTORY = ("chain", "store", "till", "enrol_code", "night", "night_head", "register")
"""Tables that the port's statements do not know."""
ALONE = ("ledger_head",)
"""A table that SQLite has not."""
OTHER = TENANT._replace(id=b"U" * 16, budget=7)


@pytest.fixture
def office(cluster: Cluster) -> OnPostgres:
    return OnPostgres(cluster.app, cluster.superuser)


@pytest.fixture
def raw(cluster: Cluster) -> Iterator[Connection]:
    """The application's role, on a connection of its own."""
    with connect(cluster.app) as raw:
        yield raw


# Tenants ----------------------------------------------------------------------------------------


def without_policy(raw: psycopg.Connection[tuple[Any, ...]]) -> set[str]:
    """Tables with a tenant's column where row-level security is not forced on everybody, for all commands."""
    found = raw.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE a.attname = 'tenant_id' AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace "
        "AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS ("
        "SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*' AND p.polroles = '{0}' "
        "AND pg_get_expr(p.polqual, p.polrelid) LIKE '%app.tenant%'))"
    )
    return {name for (name,) in found}


def test_every_table_with_a_tenant_has_a_forced_policy(raw: Connection) -> None:
    of_tenants = raw.execute(
        "SELECT count(*) FROM information_schema.columns "
        "WHERE table_schema = 'public' AND column_name = 'tenant_id'"
    ).fetchone()
    assert of_tenants == (len(TABLES) + len(CONSOLE) + len(DIRECTORY) + len(ALONE),)
    assert without_policy(raw) == set()


@pytest.mark.parametrize(
    "damage",
    [
        "CREATE TABLE forgotten (tenant_id bytea)",
        "ALTER TABLE cell NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE cell DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_tenant ON cell",
        "ALTER POLICY own_tenant ON cell USING (true)",
    ],
)
def test_a_table_without_a_forced_policy_is_noticed(cluster: Cluster, damage: str) -> None:
    with psycopg.connect(cluster.owner) as owner:
        owner.execute(damage)
        assert without_policy(owner) == {"forgotten" if "forgotten" in damage else "cell"}
        owner.rollback()


def filled(office: OnPostgres, tenant: Any, seed: int) -> None:
    """A tenant with rows in every table that a request can fill."""
    with office.opened(tenant=tenant) as store:
        shop = Shop(seed)
        shop.enrol(store)
        device = shop.at.device
        with store.writing():
            store.put_member(Member(bytes([seed]) * 16, BUCKET, reserved={("points", device): 1}))
            store.put_event(StoredEvent(bytes([seed]) * 16, b"{}", "quarantined"))
            store.put_link(device, Link(1, 1, bytes([seed]) * 16, b"c" * 32))
            store.put_grant(GrantRow(bytes([seed]) * 16, device, 1, 10, 5, NOW))
            store.put_reference(ReferenceRow("rules", BUCKET, 0, 1, b"x"))


FILLED = ("tenant", "device", "member", "reservation", "event", "link", "risk_grant", "feed_head")


def test_a_wrong_query_shows_and_changes_no_other_tenants_rows(
    office: OnPostgres, raw: Connection
) -> None:
    filled(office, TENANT, 1)
    filled(office, OTHER, 2)
    for table in FILLED:
        assert len(office.rows(table)) >= 2, table
    with raw.transaction():
        raw.execute("SELECT set_config('app.tenant', %s, true)", (TENANT.id.hex(),))
        for table in FILLED:
            seen = {row[0] for row in raw.execute(f"SELECT tenant_id FROM {table}")}
            assert seen == {TENANT.id}, table
        assert raw.execute("UPDATE member SET feed = 9").rowcount == 1
        assert raw.execute("DELETE FROM reservation").rowcount == 1
    assert sorted(row[4] for row in office.rows("member")) == [1, 9]
    assert [row[0] for row in office.rows("reservation")] == [OTHER.id]


def test_without_a_tenant_there_is_nothing_to_see(office: OnPostgres, raw: Connection) -> None:
    filled(office, TENANT, 1)
    for table in FILLED:
        assert raw.execute(f"SELECT * FROM {table}").fetchall() == [], table
    with raw.transaction():
        raw.execute("SELECT set_config('app.tenant', %s, true)", (TENANT.id.hex(),))
    assert raw.execute("SELECT * FROM member").fetchall() == [], (
        "a setting outlived its transaction"
    )


def test_nobody_writes_a_row_of_another_tenant(office: OnPostgres, raw: Connection) -> None:
    filled(office, TENANT, 1)
    raw.execute("SELECT set_config('app.tenant', %s, false)", (OTHER.id.hex(),))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        raw.execute("INSERT INTO tenant SELECT %s, 1, 0, 0, 0, 0, 0, 0, 0", (b"V" * 16,))


def test_the_owner_is_under_the_policies_too(office: OnPostgres, cluster: Cluster) -> None:
    filled(office, TENANT, 1)
    with psycopg.connect(cluster.owner) as owner:
        assert owner.execute("SELECT * FROM member").fetchall() == []


@pytest.mark.parametrize("table", ["event", "link", "ledger", "sale_return"])
@pytest.mark.parametrize("change", ["UPDATE {} SET dist_key = 1", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_application_may_not_change_what_came(raw: Connection, table: str, change: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        raw.execute(change.format(table))


def test_head_office_does_not_work_as_who_could_see_everything(cluster: Cluster) -> None:
    with pytest.raises(RoleTooMighty, match="bypasses"):
        connect(cluster.superuser)
    with pytest.raises(RoleTooMighty, match="owns"):
        connect(cluster.owner)
    with psycopg.connect(cluster.superuser, autocommit=True) as raw:
        raw.execute("GRANT regulars_owner TO regulars_app")
        try:
            with pytest.raises(RoleTooMighty, match="owns"):
                connect(cluster.app)
        finally:
            raw.execute("REVOKE regulars_owner FROM regulars_app")


# Schema -----------------------------------------------------------------------------------------


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[Callable[[str], str]]:
    """Connection strings to a database without a table."""
    with psycopg.connect(cluster.superuser, autocommit=True) as raw:
        raw.execute(f"CREATE DATABASE fresh OWNER {OWNER}")
        try:
            with psycopg.connect(cluster.dsn("postgres", "fresh"), autocommit=True) as fresh:
                fresh.execute(f"ALTER SCHEMA public OWNER TO {OWNER}")
            yield lambda user: cluster.dsn(user, "fresh")
        finally:
            raw.execute("DROP DATABASE fresh")


def test_steps_are_made_once_recorded_and_never_another(empty: Callable[[str], str]) -> None:
    steps = shipped(POSTGRESQL)
    with pytest.raises(NotMigrated, match=f"schema 0 of {len(steps)}"):
        connect(empty("regulars_app"))
    assert migrate(empty(OWNER)) == len(steps)
    assert migrate(empty(OWNER)) == 0
    more = Step(len(steps) + 1, "note", "ALTER TABLE member ADD COLUMN note text;")
    with pytest.raises(MigrationChanged, match="step 1"):
        migrate(empty(OWNER), steps=(steps[0]._replace(sql="SELECT 1"), *steps[1:]))
    bad = more._replace(sql="ALTER TABLE member ADD COLUMN half text; CREATE TABLE member (a int)")
    with pytest.raises(psycopg.errors.DuplicateTable):
        migrate(empty(OWNER), steps=(*steps, bad))
    assert migrate(empty(OWNER), steps=(*steps, more)) == 1
    with pytest.raises(NewerSchema, match="upgrade first"):
        connect(empty("regulars_app"))


def test_another_database_is_refused_untouched(empty: Callable[[str], str]) -> None:
    with psycopg.connect(empty(OWNER)) as owner:
        owner.execute("CREATE TABLE member (a integer)")
    with pytest.raises(NotAStore, match="without a record"):
        migrate(empty(OWNER))
    with psycopg.connect(empty(OWNER)) as owner:
        found = owner.execute("SELECT to_regclass('schema_step')").fetchone()
    assert found == (None,)


def test_every_key_begins_with_tenant_and_dist_key_and_nothing_is_unique_beyond_them(
    raw: Connection,
) -> None:
    found = raw.execute(
        "SELECT c.relname, i.indisprimary, array_agg(a.attname::text ORDER BY place) FROM pg_index i "
        "JOIN pg_class c ON c.oid = i.indrelid "
        "CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, place) "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number "
        "WHERE c.relnamespace = 'public'::regnamespace AND i.indisunique "
        "GROUP BY i.indexrelid, c.relname, i.indisprimary"
    ).fetchall()
    inside = [each for each in found if each[0] not in ("tenant", "schema_step")]
    assert len(inside) > len(TABLES)
    for table, primary, columns in inside:
        assert {"tenant_id", "dist_key"} <= set(columns), table
        assert columns[:2] == ["tenant_id", "dist_key"] or not primary, table


def test_the_columns_are_those_of_the_statements(raw: Connection) -> None:
    for table in (each for each in vars(sql).values() if isinstance(each, sql.Table)):
        found = raw.execute(
            "SELECT column_name::text, data_type::text FROM information_schema.columns "
            "WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER' "
            "ORDER BY ordinal_position",
            (table.name,),
        ).fetchall()
        own = [("tenant_id", "bytea"), ("dist_key", "integer")][: len(table.own)]
        assert found == [*own, *table.columns]


# Transactions -----------------------------------------------------------------------------------


def swallow_an_error(store: Records, raw: Connection) -> None:
    with store.writing(), suppress(psycopg.errors.UndefinedTable):
        raw.execute("SELECT * FROM nothing")


def test_a_transaction_that_failed_inside_is_not_taken_for_kept(
    office: OnPostgres, raw: Connection
) -> None:
    with office.opened():
        store = PostgresStore(raw, TENANT.id)
        with pytest.raises(StoreError, match="had failed"):
            swallow_an_error(store, raw)
        with store.writing():
            store.put_member(Member(b"M" * 16, BUCKET))
    assert len(office.rows("member")) == 1


def test_tenants_write_beside_each_other(office: OnPostgres) -> None:
    with (
        office.opened(wait_ms=50) as ours,
        office.opened(tenant=OTHER, wait_ms=50) as theirs,
        office.opened(wait_ms=50) as third,
        ours.writing(),
    ):
        ours.put_member(Member(b"M" * 16, BUCKET))
        with theirs.writing():
            theirs.put_member(Member(b"M" * 16, BUCKET))
        with pytest.raises(StoreBusy):
            third.writing().__enter__()
    assert len(office.rows("member")) == 2


def write_through_a_crash(store: Records, cluster: Cluster) -> None:
    with store.writing():
        store.put_member(Member(b"M" * 16, BUCKET))
        cluster.restart_after_kill()


def test_after_the_server_was_killed_what_was_told_is_there_and_the_store_is_opened_anew(
    office: OnPostgres, cluster: Cluster
) -> None:
    shop = Shop(1)
    with office.opened() as store:
        shop.enrol(store)
        shop.sell()
        shop.sync(store)
        with pytest.raises(StoreGone):
            write_through_a_crash(store, cluster)
        with pytest.raises(StoreGone), store.reading():
            pass
    with office.opened() as store:
        with store.reading():
            device = store.device(shop.at.device)
            assert device is not None
            assert device.place.seq == 3
            assert store.member(b"M" * 16) is None
        shop.sell()
        shop.sync(store)
    assert len(office.rows("link")) == 6


def stand_still(gone: Records, office: OnPostgres) -> None:
    """Write, and do nothing until somebody else has the chain."""
    with gone.writing():
        gone.put_member(Member(b"M" * 16, BUCKET))
        with office.opened(wait_ms=30_000) as store, store.writing():
            assert store.member(b"M" * 16) is None


def test_a_transaction_that_stands_still_does_not_keep_its_chain_locked(
    office: OnPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_opening, "IDLE_MS", 200)
    with office.opened() as gone, pytest.raises(StoreGone):
        stand_still(gone, office)


# Feeds under several writers ----------------------------------------------------------------------

WRITERS, WRITES = 4, 40


def naive(raw: Connection, number: int, rng: random.Random) -> None:
    """The control: a number from a sequence, and a commit whenever."""
    with raw.transaction():
        raw.execute("SELECT set_config('app.tenant', %s, true)", (TENANT.id.hex(),))
        raw.execute(
            "INSERT INTO reference_set (tenant_id, dist_key, key, bucket, feed, version) "
            "VALUES (%s, 1, %s, 'naive', nextval('naive'), 1)",
            (TENANT.id, str(number)),
        )
        time.sleep(rng.random() * 0.01)


def by_sequence(cluster: Cluster) -> Callable[[int], Callable[[int], None]]:
    """Writers of the control."""

    def write(writer: int) -> Callable[[int], None]:
        rng = random.Random(writer)

        def once(number: int) -> None:
            with connect(cluster.app) as raw:
                naive(raw, number, rng)

        return once

    return write


def followed(
    write: Callable[[int], Callable[[int], None]], look: Callable[[int], list[int]]
) -> list[int]:
    """What a reader saw behind its cursor while four writers wrote at once."""
    failures: list[BaseException] = []

    def run(writer: int) -> None:
        try:
            once = write(writer)
            for at in range(WRITES):
                once(writer * WRITES + at)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    while any(thread.is_alive() for thread in threads):
        seen += look(seen[-1] if seen else 0)
    for thread in threads:
        thread.join()
    seen += look(seen[-1] if seen else 0)
    assert not failures, failures
    return seen


def test_behind_a_cursor_no_row_of_four_writers_is_missed(office: OnPostgres) -> None:
    with office.opened() as reader:

        def write(writer: int) -> Callable[[int], None]:
            rng = random.Random(writer)

            def once(number: int) -> None:
                with office.opened(wait_ms=60_000) as store, store.writing():
                    store.put_member(Member(number.to_bytes(16, "big"), BUCKET))
                    time.sleep(rng.random() * 0.003)

            return once

        def look(after: int) -> list[int]:
            with reader.reading():
                return [row.feed for row in reader.rows(BUCKET, after, 1000)]

        assert followed(write, look) == list(range(1, WRITERS * WRITES + 1))


def test_behind_a_sequence_rows_of_four_writers_are_missed(
    office: OnPostgres, cluster: Cluster
) -> None:
    with psycopg.connect(cluster.owner) as owner:
        owner.execute("CREATE SEQUENCE IF NOT EXISTS naive")
        owner.execute("GRANT USAGE ON SEQUENCE naive TO regulars_app")
    with office.opened() as reader:

        def look(after: int) -> list[int]:
            with reader.reading():
                found = reader._rows.ask(
                    sql.Ask(
                        "SELECT feed FROM reference_set WHERE tenant_id = ? AND dist_key <> ? "
                        "AND feed > ? ORDER BY feed"
                    ),
                    after,
                )
                return [feed for (feed,) in found]

        seen = followed(by_sequence(cluster), look)
    assert len(office.rows("reference_set")) == WRITERS * WRITES
    assert len(seen) < WRITERS * WRITES
    with psycopg.connect(cluster.owner) as owner:
        owner.execute("DROP SEQUENCE naive")
