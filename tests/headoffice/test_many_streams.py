"""The long run of random streams says how many came through each store equal, and is red where one does not."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from tests.headoffice.twins import Different
from tests.long import head_office_stores

FIRST = 7 * head_office_stores.APART


@pytest.fixture
def differs(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, int]]:
    """Put a store and a seed in and they are not equal; all others are, in no time."""
    differing: set[tuple[str, int]] = set()

    def stream(seed: int, budget: int, store: str) -> Counter[str]:
        if (store, seed) in differing:
            raise Different("planted")
        return Counter({"requests": 10, f"R = {budget}": 1})

    nothing = SimpleNamespace(stop=lambda: None)
    monkeypatch.setattr(head_office_stores, "Cluster", lambda: nothing)
    monkeypatch.setattr(head_office_stores, "in_files", lambda *_: "sqlite")
    monkeypatch.setattr(head_office_stores, "in_postgresql", lambda *_: "postgresql")
    monkeypatch.setattr(head_office_stores, "run_twins", stream)
    monkeypatch.setattr(head_office_stores, "KILLS", 0)
    return differing


@pytest.mark.usefixtures("differs")
def test_each_stream_goes_through_both_stores_with_and_without_a_budget() -> None:
    report = head_office_stores.run(7, 0.0, streams=60, processes=0)
    assert report["failed"] == []
    each = {"requests": 600, "R = 300": 30, "R = 0": 30, "streams": 60}
    assert report["compared"] == {"sqlite": each, "postgresql": each}


def test_a_stream_that_differs_is_named_and_the_others_run_on(
    differs: set[tuple[str, int]],
) -> None:
    differs.add(("postgresql", FIRST + 31))
    named, fewer = head_office_stores.run(7, 0.0, streams=60, processes=0)["failed"]
    assert named == f"postgresql, seed {FIRST + 31}, R = 0, groups of 12: Different: planted"
    assert fewer == "postgresql: 59 of 60 streams were equal to memory"
