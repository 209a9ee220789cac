"""Long lists are read a portion at a time, each behind the last row of the one before: every row once,
whichever rows look alike, and no portion reads what came before it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import psycopg
import pytest

from headoffice import closes, flags
from headoffice.alarms import Alarm, Alarms
from headoffice.console import lists
from headoffice.erasures import Erasures, Wanted
from headoffice.office import STORE_FILE
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain
from tests.headoffice.cluster import Cluster
from tests.headoffice.http_office import TENANT, begin_chain, place_of
from tests.headoffice.office import connected

OWN = (TENANT, dist_key(TENANT))
FEW, SAME = (1, 2), (7, 7, 9)
Write = Callable[[str, Sequence[Sequence[Any]]], None]


@pytest.fixture
def write(tmp_path: Path, each_store: str, request: pytest.FixtureRequest) -> Write:
    """Rows of documents that nobody sent, past what binds them to events."""
    begin_chain(tmp_path)

    def in_file(table: str, rows: Sequence[Sequence[Any]]) -> None:
        with connected(tmp_path / STORE_FILE) as raw:
            raw.execute("PRAGMA foreign_keys = OFF")
            marks = ", ".join("?" * len(rows[0]))
            raw.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            raw.commit()

    def in_cluster(table: str, rows: Sequence[Sequence[Any]]) -> None:
        cluster: Cluster = request.getfixturevalue("cluster")
        with psycopg.connect(cluster.superuser) as raw:
            raw.execute("SET session_replication_role = replica")
            marks = ", ".join(["%s"] * len(rows[0]))
            raw.cursor().executemany(f"INSERT INTO {table} VALUES ({marks})".encode(), rows)

    return in_file if each_store == "sqlite" else in_cluster


@pytest.fixture(autouse=True)
def three_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "READ", 3)


def read(folder: Path, rows: Callable[[Plain], list[Any]]) -> list[Any]:
    with closing(place_of(folder)) as place, place.reading(TENANT) as plain:
        return rows(plain)


def id_of(*parts: int) -> bytes:
    return bytes(parts).rjust(16, b"\0")


def test_differences_of_one_moment_and_of_one_document(tmp_path: Path, write: Write) -> None:
    rows = [
        (*OWN, id_of(i, event), what, id_of(3), flags.NOBODY, 20_000, 1, 2, noted, None, None)
        for i, noted in enumerate(SAME)
        for event, what in product(FEW, ("points", "price", "tier"))
    ]
    write("recount_flag", rows)
    wanted = flags.Wanted(0, 1 << 30)

    def portions(plain: Plain) -> list[Any]:
        return list(lists.portions(partial(flags.newest, plain, TENANT, wanted)))

    found = [(-each.noted_ms, each.event, each.what) for each in read(tmp_path, portions)]
    assert found == sorted((-row[9], row[2], row[3]) for row in rows)


def test_zs_of_one_date_of_one_till_and_of_one_number(tmp_path: Path, write: Write) -> None:
    rows = [
        (*OWN, id_of(on, till, n, twice), id_of(till), on, n, 0, 0, 0, 0, 0, 0, 0, 1, n)
        for on, till, n, twice in product((50, 51), FEW, (4, 5, 6), FEW)
    ]
    write("till_close", rows)

    def portions(wanted: closes.Wanted, plain: Plain) -> list[Any]:
        return list(lists.portions(partial(closes.latest, plain, TENANT, wanted)))

    def order(row: Sequence[Any]) -> tuple[Any, ...]:
        return -row[4], row[3], -row[5], row[2]

    every = read(tmp_path, partial(portions, closes.Wanted(0, 1 << 30)))
    assert [(-z.on, z.device, -z.number, z.event) for z, _ in every] == sorted(map(order, rows))
    some = read(tmp_path, partial(portions, closes.Wanted(51, 51, [id_of(2)])))
    meant = [row for row in rows if (row[3], row[4]) == (id_of(2), 51)]
    assert [(-z.on, z.device, -z.number, z.event) for z, _ in some] == sorted(map(order, meant))


def test_alarms_that_ended_at_one_moment(tmp_path: Path, write: Write) -> None:
    rows = [
        (*OWN, kind, subject, raised, 1, over)
        for kind, subject, (raised, over) in product(
            ("till.silent", "till_silent"), ("a", "b"), ((1, 9), (2, 9), (3, 8), (4, None))
        )
    ]
    write("alarm", rows)

    def portions(plain: Plain) -> list[Any]:
        return list(lists.portions(Alarms(plain, TENANT).over))

    over = [Alarm(*row[2:4], row[5], row[4], row[6]) for row in rows if row[6] is not None]
    assert read(tmp_path, portions) == sorted(
        over, key=lambda each: (-(each.cleared_ms or 0), each.kind, each.subject, each.raised_ms)
    )


@pytest.mark.parametrize("each_store", ["sqlite"], indirect=True)
def test_no_portion_reads_what_came_before_it(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the steps of SQLite's machine: the last portion takes about as many as the first."""
    monkeypatch.setattr(lists, "READ", 50)
    marks = [(id_of(n // 200, n % 200), n) for n in range(2_000)]
    write(
        "recount_flag",
        [(*OWN, e, "price", id_of(3), flags.NOBODY, 1, 1, 2, n, None, None) for e, n in marks],
    )
    write("till_close", [(*OWN, e, id_of(3), n, n, 0, 0, 0, 0, 0, 0, 0, 1, n) for e, n in marks])
    write("alarm", [(*OWN, "till.silent", str(n), 1, 1, n) for _, n in marks])
    write("erasure", [(*OWN, e, n, n) for e, n in marks])
    with closing(place_of(tmp_path)) as place, place.reading(TENANT) as plain:
        for read in (
            partial(flags.newest, plain, TENANT, flags.Wanted(0, 1 << 30)),
            partial(closes.latest, plain, TENANT, closes.Wanted(0, 1 << 30)),
            Alarms(plain, TENANT).over,
            partial(Erasures(plain, TENANT).newest, Wanted(0, 1 << 60)),
        ):
            steps = _steps(plain, read)
            assert len(steps) > 39
            assert max(steps) < 2 * min(steps[:39]) + 20, steps


def _steps(plain: Any, read: Callable[[Any, int], Sequence[Any]]) -> list[int]:
    """Steps of ten instructions of the machine that each portion took."""
    raw: sqlite3.Connection = plain.raw
    counted = [0]

    def count() -> None:
        counted[0] += 1

    raw.set_progress_handler(count, 10)
    found, behind = list[int](), None
    while rows := read(behind, lists.READ):
        found.append(counted[0])
        counted[0], behind = 0, rows[-1]
    raw.set_progress_handler(None, 0)
    return found
