"""A smoke of the bench on a small store: it measures what it says, and a missed limit is told."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from tests.bench import commit, files, pure, search, start, window
from tests.bench.__main__ import measure
from tests.bench.figures import Figure, keep, percentile, table
from tests.bench.stores import opened

FEW: dict[ModuleType, dict[str, int]] = {
    commit: {"SALES": 4, "WARM_UP": 1},
    files: {"OPENINGS": 3},
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
    with opened(60) as pair, pair.cipher.read() as ours, pair.plain.read() as theirs:
        for table_name in ("event", "ledger", "profile", "member_fx", "member_seq"):
            counts = [
                raw.execute(f"SELECT count(*) FROM {table_name}").fetchone()
                for raw in (ours, theirs)
            ]
            assert counts[0] == counts[1] != (0,)


def test_every_figure_of_the_bench_is_measured_on_a_small_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.bench.stores.OUT", tmp_path)
    for module, counts in FEW.items():
        for name, count in counts.items():
            monkeypatch.setattr(module, name, count)
    found = measure(60)
    assert len({figure.name for figure in found}) == len(found) == 16
    assert all(figure.value > 0 for figure in found if figure.limit), "nothing takes no time"
    assert min(figure.samples for figure in found if figure.unit == "x") >= 1
    keep(found, members=60, path=tmp_path / "bench.json")
    kept = json.loads((tmp_path / "bench.json").read_text())
    assert [figure["name"] for figure in kept["figures"]] == [figure.name for figure in found]
    assert not list(tmp_path.glob("bench-work-*")), "working copies are gone"


def test_the_partner_has_no_cipher_and_the_store_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.bench.stores.OUT", tmp_path)
    with opened(10) as pair:
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
