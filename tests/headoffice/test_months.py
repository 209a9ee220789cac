"""Events and ledger by month in PostgreSQL: where a row lies, that it is there once, who makes the months."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
import pytest

from app.protocol.store import Tenant
from headoffice.store import statements as sql
from headoffice.store.distribution import dist_key
from headoffice.store.postgresql import PostgresRows
from headoffice.store.postgresql_opening import Connection, connect, migrate
from headoffice.store.steps import POSTGRESQL, shipped
from tests.headoffice.cluster import OWNER, Cluster
from tests.headoffice.http_office import begin_chain, served, wait_for
from tests.headoffice.office import TENANT, OnPostgres
from tests.headoffice.serving_process import DSN_FILE

DERIVED: Final = bytes.fromhex("8f14e45fceea567aa5b1d1a2b3c4d5e6")
MEMBER: Final = b"M" * 16
OTHER: Final = TENANT._replace(id=b"U" * 16)
OWN: Final = (TENANT.id, dist_key(TENANT.id))
REFERRING: Final = {
    "ledger", "sale_return", "recount_flag", "console_seen", "till_close", "late_event", "receipt",
    "settlement",
}  # fmt: skip


def id_at(year: int, month: int, end: int = 1) -> bytes:
    """A UUIDv7 of the month's second day."""
    at_ms = int(datetime(year, month, 2, tzinfo=UTC).timestamp() * 1000)
    return at_ms.to_bytes(6, "big") + bytes.fromhex("7000b0000000000000") + bytes([end])


def months(raw: psycopg.Connection[Any]) -> list[tuple[int, int]]:
    """This month and the three that come, as the database has it."""
    found = raw.execute(
        "SELECT extract(year FROM at)::int, extract(month FROM at)::int FROM generate_series(0, 3) AS n, "
        "LATERAL (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => n) AS at) AS m"
    )
    return [(year, month) for year, month in found]


@pytest.fixture
def raw(cluster: Cluster) -> Iterator[Connection]:
    """The application's role in the transactions of a chain that has a member."""
    with chain_of(cluster) as raw:
        yield raw


@contextmanager
def chain_of(cluster: Cluster, tenant: Tenant = TENANT) -> Iterator[Connection]:
    with (
        OnPostgres(cluster.app, cluster.superuser).opened(tenant=tenant),
        connect(cluster.app) as raw,
    ):
        raw.execute("SELECT set_config('app.tenant', %s, false)", (tenant.id.hex(),))
        raw.execute(
            "INSERT INTO member VALUES (%s, %s, %s, 'b', 1, NULL, 0, '', '')",
            (tenant.id, dist_key(tenant.id), MEMBER),
        )
        yield raw


def put(raw: Connection, event: bytes, tenant: Tenant = TENANT) -> None:
    PostgresRows(raw, tenant.id).write(sql.EVENT, [(event, b"{}", "posted")])


def post(
    raw: Connection, *numbers: int, event: bytes, first: int = 0, tenant: Tenant = TENANT
) -> None:
    """Entries of an event with these numbers."""
    rows = [
        (
            MEMBER,
            number,
            event,
            first + n,
            "points",
            "earn",
            1,
            20_000,
            None,
            None,
            None,
            None,
            None,
        )
        for n, number in enumerate(numbers)
    ]
    PostgresRows(raw, tenant.id).write(sql.LEDGER, rows)


def drop_month(cluster: Cluster, raw: Connection) -> tuple[str, bytes]:
    """The last of the months that were made ahead is missing: its suffix, and an id of it."""
    year, month = months(raw)[3]
    suffix = f"{year}{month:02d}"
    with psycopg.connect(cluster.owner) as owner:
        owner.execute(f"DROP TABLE event_{suffix}, ledger_{suffix}")
    return suffix, id_at(year, month)


def lies_in(cluster: Cluster, table: str, event: bytes) -> str:
    with psycopg.connect(cluster.superuser) as all_seeing:
        found = all_seeing.execute(
            f"SELECT tableoid::regclass::text FROM {table} WHERE event_id = %s", (event,)
        ).fetchall()
    ((name,),) = found
    return str(name)


# Where a row lies ---------------------------------------------------------------------------------


def test_each_id_lies_in_its_month_or_where_no_month_is_and_comes_once_over_all_time(
    cluster: Cluster, raw: Connection
) -> None:
    (year, month), *_ = months(raw)
    wanted = {
        id_at(year, month): f"event_{year}{month:02d}",
        id_at(1970, 1): "event_default",
        id_at(2100, 6): "event_default",
        DERIVED: "event_derived",
    }
    for event, name in wanted.items():
        put(raw, event)
        assert lies_in(cluster, "event", event) == name
        with pytest.raises(psycopg.errors.UniqueViolation):
            put(raw, event)
    with raw.transaction():
        assert raw.execute("SELECT undated()").fetchone() == (2,), "what is derived has no clock"


def test_a_months_events_are_looked_for_in_that_month_alone(raw: Connection) -> None:
    (year, month), *_ = months(raw)
    put(raw, id_at(year, month))
    text = (
        "EXPLAIN SELECT body FROM event "
        "WHERE tenant_id = %s AND dist_key = %s AND event_id >= %s AND event_id < %s"
    )
    ends = (id_at(year, month), id_at(year, month, 9))
    plan = "\n".join(line for (line,) in raw.execute(text, (*OWN, *ends)).fetchall())
    assert set(re.findall(r" on (event\w*)", plan)) == {f"event_{year}{month:02d}"}


def test_an_event_of_a_month_that_is_missing_is_taken_and_moves_to_it_when_it_is_made(
    cluster: Cluster, raw: Connection
) -> None:
    suffix, event = drop_month(cluster, raw)
    put(raw, event)
    post(raw, 1, 2, event=event)
    assert lies_in(cluster, "event", event) == "event_default"
    assert raw.execute("SELECT make_months()").fetchone() == (1,)
    assert raw.execute("SELECT make_months()").fetchone() == (0,)
    assert lies_in(cluster, "event", event) == f"event_{suffix}"
    found = raw.execute("SELECT number FROM ledger WHERE event_id = %s", (event,)).fetchall()
    assert sorted(found) == [(1,), (2,)]
    with pytest.raises(psycopg.errors.UniqueViolation):
        put(raw, event)
    post(raw, 3, event=event, first=2)
    with (
        psycopg.connect(cluster.superuser) as all_seeing,
        pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="insert-only"),
    ):
        all_seeing.execute(f"DELETE FROM event_{suffix}")


def test_a_month_is_made_of_every_chains_early_rows_and_refers_as_others_do(
    cluster: Cluster, raw: Connection
) -> None:
    """Head office asks outside of any chain."""
    suffix, event = drop_month(cluster, raw)
    with chain_of(cluster, OTHER) as other:
        for each, tenant in ((raw, TENANT), (other, OTHER)):
            put(each, event, tenant)
            post(each, 1, 2, event=event, tenant=tenant)
    with connect(cluster.app) as asking:
        assert asking.execute("SELECT make_months()").fetchone() == (1,)
    with psycopg.connect(cluster.superuser) as all_seeing:
        for table, rows in (("event", 2), ("ledger", 4)):
            found = f"SELECT count(*) FROM {table}_{suffix}"
            assert all_seeing.execute(found).fetchone() == (rows,)
            refers = (
                "SELECT count(*) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'"
            )
            ours, parents = (
                all_seeing.execute(refers, (name,)).fetchone()
                for name in (f"{table}_{suffix}", table)
            )
            assert ours == parents, "each was taken for the parent's, none came twice"
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            all_seeing.execute("INSERT INTO event VALUES ('nobody', 1, %s, '', 'posted')", (event,))


def test_a_month_is_not_waited_for(cluster: Cluster, raw: Connection) -> None:
    """Everybody else would wait behind whoever waits for the default partition."""
    drop_month(cluster, raw)
    with psycopg.connect(cluster.owner) as reading:
        reading.execute("SELECT count(*) FROM event_default")
        raw.execute("SET lock_timeout = 0")
        raw.execute("SET statement_timeout = '5s'")  # Who waits longer raises QueryCanceled.
        with pytest.raises(psycopg.errors.LockNotAvailable):
            raw.execute("SELECT make_months()")
    assert raw.execute("SELECT make_months()").fetchone() == (1,)


# Who may what -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reaching",
    [
        "SELECT make_month('2031-01-01')",
        "SELECT shut('event')",
        "SELECT * FROM event_default",
        "SELECT * FROM ledger_derived",
        "INSERT INTO ledger_head VALUES ('', 1, '', 1)",
        "UPDATE ledger_head SET number = 1",
        "UPDATE recount_flag SET event_id = ''",
    ],
)
def test_the_application_reaches_no_partition_and_makes_no_other_month(
    raw: Connection, reaching: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        raw.execute(reaching)


def test_a_partition_shows_its_owner_no_chain_that_is_not_named(
    cluster: Cluster, raw: Connection
) -> None:
    (year, month), *_ = months(raw)
    put(raw, id_at(year, month))
    with psycopg.connect(cluster.owner) as owner:
        assert owner.execute(f"SELECT * FROM event_{year}{month:02d}").fetchall() == []
        owner.execute("SELECT set_config('app.tenant', %s, true)", (TENANT.id.hex(),))
        assert len(owner.execute(f"SELECT * FROM event_{year}{month:02d}").fetchall()) == 1


# What a unique index and references were for ------------------------------------------------------


@pytest.mark.parametrize("numbers", [(2,), (0,), (1, 3), (1, 1), (2, 3), (1, 1, 3)])
def test_entries_begin_with_one_and_go_on_behind_the_last(
    raw: Connection, numbers: tuple[int, ...]
) -> None:
    put(raw, DERIVED)
    with pytest.raises(psycopg.errors.IntegrityError):
        post(raw, *numbers, event=DERIVED)
    post(raw, 1, 2, event=DERIVED)
    for more in ((2,), (4,), (1,), (3, 3), (3, 5), (3, 3, 5)):
        with pytest.raises(psycopg.errors.UniqueViolation):
            post(raw, *more, event=DERIVED, first=2)
    post(raw, 3, 4, event=DERIVED, first=2)
    with pytest.raises(psycopg.errors.UniqueViolation):
        post(raw, 5, event=DERIVED, first=3)


def test_of_two_that_number_a_members_entries_at_once_one_is_refused(
    cluster: Cluster, raw: Connection
) -> None:
    put(raw, DERIVED)
    put(raw, id_at(1970, 1))
    with connect(cluster.app, lock_wait_ms=50) as other:
        other.execute("SELECT set_config('app.tenant', %s, false)", (TENANT.id.hex(),))
        with raw.transaction():
            post(raw, 1, event=DERIVED)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                post(other, 1, event=id_at(1970, 1))
        with pytest.raises(psycopg.errors.UniqueViolation):
            post(other, 1, event=id_at(1970, 1))


def test_what_refers_to_an_event_is_refused_without_it(cluster: Cluster, raw: Connection) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="ledger refers"):
        post(raw, 1, event=DERIVED)
    text = (
        "INSERT INTO settlement (tenant_id, dist_key, debit_event, business_date, earned_store, spent_store, "
        "points, value_minor) VALUES (%s, %s, %s, 1, %s, %s, 1, 1)"
    )
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="settlement refers"):
        raw.execute(text, (*OWN, DERIVED, b"A" * 16, b"B" * 16))
    put(raw, DERIVED)
    raw.execute(text, (*OWN, DERIVED, b"A" * 16, b"B" * 16))
    with psycopg.connect(cluster.superuser) as all_seeing:
        found = all_seeing.execute(
            "SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND (column_name = 'event_id' OR column_name = 'debit_event') "
            "AND table_name !~ '^(event|ledger_|link)'"
        ).fetchall()
        looked_at = all_seeing.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'event_is_there'"
        ).fetchall()
    assert {name for (name,) in found} == {name for (name,) in looked_at} == REFERRING


# Head office, and what was there before -----------------------------------------------------------


def test_head_office_makes_the_months_and_counts_what_lies_in_none(
    cluster: Cluster, tmp_path: Path
) -> None:
    (tmp_path / DSN_FILE).write_text(cluster.app)
    begin_chain(tmp_path)
    with connect(cluster.app) as raw:
        year, month = months(raw)[3]
        raw.execute("SELECT set_config('app.tenant', %s, false)", (TENANT.id.hex(),))
        put(raw, id_at(1970, 1))
    with psycopg.connect(cluster.owner) as owner:
        owner.execute(f"DROP TABLE event_{year}{month:02d}, ledger_{year}{month:02d}")
    with served(tmp_path) as chain, psycopg.connect(cluster.owner, autocommit=True) as owner:
        there = f"SELECT to_regclass('ledger_{year}{month:02d}') IS NOT NULL"
        wait_for(lambda: owner.execute(there).fetchone() == (True,))
        figure = f'regulars_undated_events{{chain="{TENANT.id.hex()}"}} 1.0'
        wait_for(lambda: figure in httpx.get(f"{chain.url}/metrics").text)


def test_head_office_serves_on_where_a_month_cannot_be_made(
    cluster: Cluster, tmp_path: Path
) -> None:
    (tmp_path / DSN_FILE).write_text(cluster.app)
    begin_chain(tmp_path)
    with connect(cluster.app) as raw:
        suffix, event = drop_month(cluster, raw)
        raw.execute("SELECT set_config('app.tenant', %s, false)", (TENANT.id.hex(),))
        put(raw, event)
    with psycopg.connect(cluster.owner) as owner:
        owner.execute(f"CREATE TYPE event_{suffix} AS ENUM ()")  # The name is taken.
    try:
        with served(tmp_path) as chain:
            figure = "regulars_store_errors_total 1.0"
            wait_for(lambda: figure in httpx.get(f"{chain.url}/metrics").text)
            till = chain.till(1)
            till.sync()
            assert chain.writer.alive
    finally:
        with psycopg.connect(cluster.owner) as owner:
            owner.execute(f"DROP TYPE event_{suffix}")
    with connect(cluster.app) as raw:
        assert raw.execute("SELECT make_months()").fetchone() == (1,)


def test_rows_of_before_lie_in_their_months_afterwards(cluster: Cluster) -> None:
    steps = shipped(POSTGRESQL)
    at = next(number for number, step in enumerate(steps) if step.name == "months")
    with psycopg.connect(cluster.superuser, autocommit=True) as raw:
        raw.execute(f"CREATE DATABASE before OWNER {OWNER}")
        try:
            with psycopg.connect(cluster.dsn("postgres", "before")) as fresh:
                fresh.execute(f"ALTER SCHEMA public OWNER TO {OWNER}")
            migrate(cluster.dsn(OWNER, "before"), steps=steps[:at])
            with psycopg.connect(cluster.dsn("postgres", "before")) as rows:
                rows.execute("INSERT INTO tenant VALUES (%s, 1, 0, 0, 0, 0, 0, 0, 0)", OWN[:1])
                rows.execute(
                    "INSERT INTO member VALUES (%s, %s, %s, 'b', 1, NULL, 0, '', '')",
                    (*OWN, MEMBER),
                )
                for number, event in enumerate((id_at(2024, 2), id_at(2100, 1), DERIVED), 1):
                    rows.execute(
                        "INSERT INTO event VALUES (%s, %s, %s, '', 'posted')", (*OWN, event)
                    )
                    rows.execute(
                        "INSERT INTO ledger VALUES (%s, %s, %s, %s, %s, 0, 'points', 'earn', 1, 1)",
                        (*OWN, MEMBER, number, event),
                    )
            assert migrate(cluster.dsn(OWNER, "before")) == len(steps) - at
            with psycopg.connect(cluster.dsn("postgres", "before")) as rows:
                for table in ("event", "ledger"):
                    found = rows.execute(
                        f"SELECT tableoid::regclass::text FROM {table} ORDER BY event_id"
                    ).fetchall()
                    names = ["202402", "default", "derived"]
                    assert [name for (name,) in found] == [f"{table}_{name}" for name in names]
                heads = rows.execute("SELECT member_id, number FROM ledger_head").fetchall()
                assert heads == [(MEMBER, 3)]
        finally:
            raw.execute("DROP DATABASE before")
