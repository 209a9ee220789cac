"""A smoke of the bench on a small store: it measures what it says, and a missed limit is told."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from db.connection import WRITER_CACHE_KIB, Connection, connect
from tests.bench import (
    commit,
    day,
    files,
    guard,
    office_pushes,
    office_rows,
    office_waits,
    pure,
    reports,
    search,
    start,
    window,
)
from tests.bench.__main__ import measure
from tests.bench.copies import at_work, copied, copy_to_disk, database_of, till_of
from tests.bench.figures import Figure, keep, percentile, table
from tests.bench.stores import ensure, key_of, opened
from tests.costs import full
from tests.headoffice.cluster import Cluster

FEW: dict[ModuleType, dict[str, float | list[bytes]]] = {
    commit: {"SALES": 4, "WARM_UP": 1},
    day: {"SALES_DAY": 6, "SALES_BIG_DAY": 8, "SALES_BESIDE": 3, "LOTS": 3},
    files: {"OPENINGS": 3},
    guard: {"READS": 3, "DAYS": 4, "SALES": 900},
    reports: {"OPENINGS": 1, "PAGES": 3},
    office_pushes: {
        "ROUNDS": 1,
        "SECONDS": 0.1,
        "BATCH": 20,
        "BATCHES": 2,
        "TILLS": 8,
        "MANY_TILLS": 12,
        "HOLDS_A_SECOND": 200,
        "HOLD_SECONDS": 0.1,
        "MEMBERS": office_pushes.MEMBERS[:100],
    },
    office_rows: {
        "MEMBERS": 300,
        "PAGE": 300,
        "ROUNDS": 1,
        "SEARCHES": 5,
        "PUSHED": 50,
        "CHANGED": 100,
    },
    office_waits: {"ROUNDS": 1, "PUSHES": 40, "EACH_WRITES": 80},
    pure: {"FOLDS": 2, "RECEIPTS": 3, "WARM_UP": 1},
    search: {"MEMBERS_ASKED": 3, "FIRST_SEARCHES": 3},
    start: {"STARTS": 1},
    window: {"TEXTS": 2},
}
"""How often each figure is measured here."""


def test_both_stores_of_a_size_hold_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.bench.stores.OUT", tmp_path)
    folder = ensure(60)
    with opened(folder) as pair, pair.cipher.read() as ours, pair.plain.read() as theirs:
        for table_name in ("event", "ledger", "profile", "member_fx", "member_seq"):
            counts = [
                raw.execute(f"SELECT count(*) FROM {table_name}").fetchone()
                for raw in (ours, theirs)
            ]
            assert counts[0] == counts[1] != (0,)


def test_every_figure_of_the_bench_is_measured_on_a_small_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(monkeypatch)
    monkeypatch.setattr("tests.bench.stores.OUT", tmp_path)
    for module, counts in FEW.items():
        for name, count in counts.items():
            monkeypatch.setattr(module, name, count)
    # Where PostgreSQL's own user may not look, its cluster can't lie.
    for module in (office_pushes, office_waits):
        monkeypatch.setattr(module, "Cluster", lambda _, settings: Cluster(None, settings))
    folder = ensure(60)
    before = contents(folder)
    run = measure(folder, ensure(3))
    assert not run.failed
    found = run.figures
    assert len({figure.name for figure in found}) == len(found) == 53
    nothing = [figure.name for figure in found if figure.limit and figure.value <= 0]
    assert nothing == [], "nothing takes no time"
    assert min(figure.samples for figure in found if figure.unit == "x") >= 1
    keep(found, members=60, path=tmp_path / "bench.json")
    kept = json.loads((tmp_path / "bench.json").read_text())
    assert [figure["name"] for figure in kept["figures"]] == [figure.name for figure in found]
    assert not list(tmp_path.glob("bench-work-*")), "working copies are gone"
    assert contents(folder) == before, "the kept store is as it was"


def test_a_group_that_fails_is_told_and_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.bench.stores.OUT", tmp_path)
    for module, counts in FEW.items():
        for name, count in counts.items():
            monkeypatch.setattr(module, name, count)

    def fail(_: Path) -> None:
        raise OSError("no screen")

    monkeypatch.setattr(start, "measured", fail)
    monkeypatch.setattr(window, "measured", fail)
    monkeypatch.setattr(search, "measure_first_search", fail)
    monkeypatch.setattr(office_pushes, "figures", fail)
    monkeypatch.setattr(office_waits, "figures", fail)
    monkeypatch.setattr(office_rows, "figures", fail)
    run = measure(ensure(60), ensure(3))
    assert run.failed == [
        "search and file",
        "start",
        "window",
        "head office's pushes",
        "head office's waits",
        "head office's rows",
    ]
    assert len(run.figures) == 2 + 3 + 2 + 2 + 3 + 3 + 9
    assert "no screen" in capsys.readouterr().err
    assert not list(tmp_path.glob("bench-work-*")), "working copies are gone"


def contents(folder: Path) -> dict[str, bytes]:
    """What a store is made of; the lock file beside it holds nothing."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def test_the_partner_of_a_commit_writes_every_row_that_the_sale_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.bench.stores.OUT", tmp_path)
    monkeypatch.setattr(commit, "SALES", 3)
    monkeypatch.setattr(commit, "WARM_UP", 0)
    with copied(ensure(60), "commit") as folder, till_of(folder) as till:
        session, twin = at_work(till), folder / "partner.db"
        till.context.store.checkpoint_truncate()
        copy_to_disk(database_of(folder), twin)
        key = key_of(folder)
        theirs = connect(twin, key, cache_kib=WRITER_CACHE_KIB, writer=False)
        before = rows_by_table(theirs)
        partner = commit.Partner(twin, key)
        commit.measure(till.context, session, partner)
        partner.close()
        after = rows_by_table(theirs)
        theirs.close()
        with till.context.read() as ours:
            assert after == rows_by_table(ours)
    assert after["event"] == before["event"] + 3


def rows_by_table(conn: Connection) -> dict[str, int]:
    """How many rows each table has."""
    named = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    names = [row[0] for row in conn.execute(named).fetchall()]
    count = 'SELECT count(*) FROM "{}"'
    return {name: conn.execute(count.format(name)).fetchone()[0] for name in names}


def test_the_partner_has_no_cipher_and_the_store_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.bench.stores.OUT", tmp_path)
    with opened(ensure(10)) as pair:
        assert pair.plain.path.read_bytes().startswith(b"SQLite format 3\x00")
        assert not pair.cipher.path.read_bytes().startswith(b"SQLite format 3\x00")


def test_a_missed_limit_says_so() -> None:
    met = Figure("search", 4.9, "ms", 5, "lower", 300)
    missed = Figure("receipts", 499, "/s", 500, "higher", 300, "partner", 1.0)
    lines = table([met, missed]).splitlines()
    assert lines[0].startswith("ok")
    assert lines[1].startswith("MISSED")


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile(list(range(100)), 0.99) == 99
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
