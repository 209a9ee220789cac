"""The store on disk is the one in memory, record by record, under the simulator's whole traffic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.entries import Entry
from app.protocol.store import CellRecord, Device, Hold, Member
from headoffice.store.sqlite import SqliteStore
from tests.headoffice.twins import CHANGING, Different, TwinWorld, run_twins
from tests.long.scratch import scratch

EACH = 10
BATCHES = [(0, 300), (10, 300), (20, 300), (30, 0)]


@pytest.mark.parametrize(("first", "budget"), BATCHES)
def test_both_stores_are_equal_after_every_request(first: int, budget: int) -> None:
    compared: Counter[str] = Counter()
    for seed in range(first, first + EACH):
        with scratch(in_memory=True) as folder:
            compared += run_twins(seed, budget, folder)
    print(dict(compared))
    kinds = {name for name, _ in CHANGING.values()} | {"link", "event"}
    missing = kinds - set(compared)
    assert missing == (set() if budget else {"grant"})
    assert compared["requests"] > 100 * EACH


class LosesAConflict(SqliteStore):
    def add_cell(self, record: CellRecord) -> None:
        super().add_cell(record._replace(conflict=None))


class LosesLines(SqliteStore):
    def put_hold(self, hold: Hold) -> None:
        super().put_hold(hold._replace(lines=()))


class LosesAnEntry(SqliteStore):
    def put_member(self, member: Member, entries: Sequence[Entry] = ()) -> None:
        super().put_member(member, entries[:1])


class KeepsARight(SqliteStore):
    def put_member(self, member: Member, entries: Sequence[Entry] = ()) -> None:
        super().put_member(replace(member, local={}), entries)


class ForgetsARebase(SqliteStore):
    def put_device(self, device: Device) -> None:
        super().put_device(device._replace(rebased_ms=()))


class GivesEachRowOneNumber(SqliteStore):
    def _number_feeds(self) -> None:
        self._unnumbered = {
            bucket: list(dict.fromkeys(keys)) for bucket, keys in self._unnumbered.items()
        }
        super()._number_feeds()


class ForgetsAFloor(SqliteStore):
    def prune(self, bucket: str, up_to: int) -> None:
        super().prune(bucket, 0)


PLANTED = [
    LosesAConflict, LosesLines, LosesAnEntry, KeepsARight, ForgetsARebase, GivesEachRowOneNumber,
    ForgetsAFloor,
]  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_a_store_that_keeps_something_else_is_found(planted: type[SqliteStore]) -> None:
    class World(TwinWorld):
        on_disk = planted

    with scratch(in_memory=True) as folder, pytest.raises(Different):
        _until_found(World, folder)


def _until_found(world: type[TwinWorld], folder: Path) -> None:
    for seed in range(20):
        (folder / str(seed)).mkdir()
        run_twins(seed, 300, folder / str(seed), world)
