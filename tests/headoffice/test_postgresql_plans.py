"""Which index PostgreSQL walks for what head office asks, as its role, where nothing has statistics yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from headoffice import late, recounting
from headoffice.console import snapshot
from headoffice.store import postgresql
from headoffice.store import statements as sql
from headoffice.store.plain import Spelt
from headoffice.store.postgresql_opening import Connection, connect
from tests.headoffice.cluster import Cluster
from tests.headoffice.office import TENANT


@pytest.fixture
def raw(cluster: Cluster) -> Iterator[Connection]:
    """The application's role, on a connection of its own."""
    with connect(cluster.app) as raw:
        yield raw


@pytest.fixture
def unseen(cluster: Cluster, raw: Connection) -> Connection:
    """The same where nothing was analysed: an index must not depend on luck."""
    cluster.forget_statistics()
    return raw


def beside_the_primary_key(raw: psycopg.Connection[tuple[Any, ...]]) -> set[str]:
    """Indexes that begin with tenant_id and dist_key, and that a planner without statistics takes for
    as good as the primary key: not unique, not partial, and with another third column."""
    found = raw.execute(
        "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "JOIN pg_class t ON t.oid = i.indrelid JOIN pg_index p ON p.indrelid = i.indrelid AND p.indisprimary "
        "JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'dist_key' AND a.attnum = i.indkey[1] "
        "WHERE c.relnamespace = 'public'::regnamespace AND NOT i.indisunique AND i.indpred IS NULL "
        "AND i.indkey[2] <> p.indkey[2]"
    )
    return {name for (name,) in found}


def test_no_index_is_taken_for_the_primary_key(cluster: Cluster, raw: Connection) -> None:
    assert beside_the_primary_key(raw) == set()
    with psycopg.connect(cluster.owner) as owner:
        owner.execute("CREATE INDEX as_it_was ON member (tenant_id, dist_key, bucket, member_id)")
        assert beside_the_primary_key(owner) == {"as_it_was"}
        owner.rollback()


VALUES = {"bytea": b"k" * 16, "text": "k", "bigint": 1}


def astray(raw: Connection) -> set[str]:
    """The queries by many keys for which an index is walked whose first columns are others than they name."""
    found = set[str]()
    raw.execute("SELECT set_config('app.tenant', %s, false)", (TENANT.id.hex(),))
    for name, query in vars(sql).items():
        if not isinstance(query, sql.Query):
            continue
        types = dict(query.table.columns)
        keys = [[VALUES[types[column]]] for column in query.by]
        own = (TENANT.id, 1)[: len(query.table.own)]
        text = f"EXPLAIN {postgresql.select(query)}"
        plan = "\n".join(line for (line,) in raw.execute(text, (*keys, *own)).fetchall())
        for index in re.findall(r"(?:Index Scan using|Bitmap Index Scan on) (\w+)", plan):
            columns = raw.execute(
                "SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute "
                "WHERE attrelid = %s::regclass",
                (index,),
            ).fetchone()
            assert columns is not None
            walked = [column for column in columns[0] if column != "dist_key"]
            named = {*query.table.own, *query.by} - {"dist_key"}
            if set(walked[: len(named)]) != named:
                found.add(f"{name}: {index}")
        assert "Index" in plan, name
    return found


def test_every_query_by_keys_walks_an_index_of_these_keys(unseen: Connection) -> None:
    assert astray(unseen) == set()


@pytest.mark.parametrize(
    ("asked", "by"),
    [
        (snapshot.BY_VALUE, "sought"),
        (snapshot.BY_WHOLE_VALUE, "sought"),
        (snapshot.BY_LAST_FOUR, "last_four"),
    ],
)
def test_a_search_walks_the_index_by_what_is_sought_under_row_level_security(
    unseen: Connection, asked: Spelt, by: str
) -> None:
    unseen.execute("SELECT set_config('app.tenant', %s, false)", (TENANT.id.hex(),))
    text = asked.postgresql.replace("?", "%s")
    typed = ["x"] * (text.count("%s") - 2)
    if "LIMIT" in text:
        typed[-1:] = [50]  # type: ignore[list-item]
    plan = "\n".join(
        line for (line,) in unseen.execute(f"EXPLAIN {text}", (TENANT.id, 1, *typed)).fetchall()
    )
    (condition,) = re.findall(r"Index Cond: (.*)", plan)
    assert f"({by} " in condition, plan


@pytest.mark.parametrize(
    ("asked", "values"),
    [
        (recounting.EVENTS, (b"d" * 16, 1, 0, 50)),
        (snapshot.BODIES, (b"d" * 16, 1, 0, 50)),
        (late.OF_CLOSE, (b"e" * 16, 50)),
    ],
)
def test_rows_that_name_events_have_each_looked_up_by_its_id(
    unseen: Connection, asked: str, values: tuple[object, ...]
) -> None:
    """A join compared each of them with all events of the chain: 80 ms for one link of 3,000 events."""
    unseen.execute("SELECT set_config('app.tenant', %s, false)", (TENANT.id.hex(),))
    text = f"EXPLAIN {asked.replace('?', '%s')}"
    plan = [line for (line,) in unseen.execute(text, (TENANT.id, 1, *values)).fetchall()]
    walked = [n for n, line in enumerate(plan) if re.search("Scan using event_.*_pkey", line)]
    assert walked
    for n in walked:
        assert "(event_id = " in plan[n + 1], "\n".join(plan)
