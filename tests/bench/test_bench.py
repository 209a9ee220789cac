"""A smoke of the bench on a small store: it measures what it says, and a missed limit is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench import files, search
from tests.bench.figures import Figure, keep, percentile, table
from tests.bench.stores import opened


def test_the_whole_bench_runs_on_a_small_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.bench.stores.OUT", tmp_path)
    monkeypatch.setattr(search, "MEMBERS_ASKED", 5)
    monkeypatch.setattr(search, "FIRST_SEARCHES", 3)
    monkeypatch.setattr(files, "OPENINGS", 3)
    with opened(60) as pair:
        with pair.cipher.read() as ours, pair.plain.read() as theirs:
            for table_name in ("event", "ledger", "profile", "member_fx", "member_seq"):
                counts = [
                    raw.execute(f"SELECT count(*) FROM {table_name}").fetchone()
                    for raw in (ours, theirs)
                ]
                assert counts[0] == counts[1] != (0,)
        measured = search.measure_keystrokes(pair)
        assert len(measured.cipher_ms) == len(measured.plain_ms) > 100
        found = search.figures(measured, measured, search.measure_first_search(pair))
        found += files.figures(pair)
    assert {figure.samples for figure in found} >= {3, len(measured.cipher_ms)}
    keep(found, members=60, path=tmp_path / "bench.json")
    kept = json.loads((tmp_path / "bench.json").read_text())
    assert [figure["name"] for figure in kept["figures"]] == [figure.name for figure in found]


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
