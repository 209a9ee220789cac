"""Stores on disk are the one in memory, record by record, under the simulator's whole traffic: what two of
them share with memory they share with each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.domain.entries import Entry
from app.protocol.store import CellRecord, Device, Hold, Member
from headoffice.store.feeds import Feeds
from headoffice.store.records import Records
from tests.headoffice.cluster import Cluster
from tests.headoffice.twins import CHANGING, Different, Pace, in_files, in_postgresql, run_twins
from tests.long.scratch import scratch

BATCHES = [(0, 10, 300, 1), (10, 20, 300, 12), (30, 10, 0, 3)]
"""The first seed, how many, the budget R, and how many requests come in one transaction at most."""
BATCHES_IN_POSTGRESQL = [(20, 6, 300, 12), (30, 3, 0, 3)]


@pytest.mark.parametrize(("first", "seeds", "budget", "most"), BATCHES)
def test_sqlite_is_equal_after_every_request_and_every_group(
    first: int, seeds: int, budget: int, most: int
) -> None:
    compared: Counter[str] = Counter()
    for seed in range(first, first + seeds):
        with scratch(in_memory=True) as folder:
            compared += run_twins(seed, budget, in_files(folder, Pace(most)))
    _enough(compared, seeds, budget, most)


@pytest.mark.parametrize(("first", "seeds", "budget", "most"), BATCHES_IN_POSTGRESQL)
def test_postgresql_is_equal_after_every_request_and_every_group(
    cluster: Cluster, first: int, seeds: int, budget: int, most: int
) -> None:
    compared: Counter[str] = Counter()
    for seed in range(first, first + seeds):
        compared += run_twins(seed, budget, in_postgresql(cluster, Pace(most)))
    _enough(compared, seeds, budget, most)


def _enough(compared: Counter[str], seeds: int, budget: int, most: int) -> None:
    """Whether what was compared is what the test is about."""
    print(dict(compared))
    kinds = {name for name, _ in CHANGING.values()} | {"link", "event"}
    # Without a budget there is no grant, and these few seeds publish nothing.
    assert kinds - set(compared) <= (set() if budget else {"grant", "reference"})
    assert compared["requests"] > 100 * seeds
    assert (compared["groups"] < compared["requests"]) == (most > 1)


class LosesAConflict(Records):
    def add_cell(self, record: CellRecord) -> None:
        super().add_cell(record._replace(conflict=None))


class LosesLines(Records):
    def put_hold(self, hold: Hold) -> None:
        super().put_hold(hold._replace(lines=()))


class LosesAnEntry(Records):
    def put_member(self, member: Member, entries: Sequence[Entry] = ()) -> None:
        super().put_member(member, entries[:1])


class KeepsARight(Records):
    def put_member(self, member: Member, entries: Sequence[Entry] = ()) -> None:
        super().put_member(replace(member, local={}), entries)


class ForgetsARebase(Records):
    def put_device(self, device: Device) -> None:
        super().put_device(device._replace(rebased_ms=()))


class OneNumber(Feeds):
    def number(self, bucket: str, key: bytes | str) -> int:
        known = self._put.get(bucket, {}).get(key)
        return super().number(bucket, key) if known is None else known


class GivesEachRowOneNumber(Records):
    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._feeds = OneNumber(self._unit)


class ForgetsAFloor(Records):
    def prune(self, bucket: str, up_to: int) -> None:
        super().prune(bucket, 0)


class ForgetsWhatWasPut(Records):
    """A record that was put in the same transaction is read as it was before."""

    def put_hold(self, hold: Hold) -> None:
        super().put_hold(hold)
        self._unit.device_holds._put.clear()


class PagesStoredRowsAlone(Records):
    """Rows of the same transaction are not in its pages."""

    def put_member(self, member: Member, entries: Sequence[Entry] = ()) -> None:
        super().put_member(member, entries)
        self._feeds._put[member.bucket].pop(member.id)


PLANTED = [
    LosesAConflict, LosesLines, LosesAnEntry, KeepsARight, ForgetsARebase, GivesEachRowOneNumber,
    ForgetsAFloor, ForgetsWhatWasPut, PagesStoredRowsAlone,
]  # fmt: skip


SEEN_FIRST = {"ForgetsWhatWasPut": 7}
"""The seeds before have nothing that shows it."""


@pytest.mark.parametrize("planted", PLANTED)
def test_a_store_that_keeps_something_else_is_found(planted: type[Records]) -> None:
    with scratch(in_memory=True) as folder, pytest.raises(Different):
        _until_found(planted, folder)


def _until_found(planted: type[Records], folder: Path) -> None:
    for seed in range(SEEN_FIRST.get(planted.__name__, 0), 20):
        (folder / str(seed)).mkdir()
        run_twins(seed, 300, in_files(folder / str(seed), Pace(4), planted))
