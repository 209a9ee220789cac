"""R5: journal file or write-ahead log cut, flipped, deleted or swapped, 300 times each.

The other one of the pair is whole, so each time the damage must be told and every event must be back, byte
for byte. SQLite itself says nothing about a log that lost its end: without the comparison at start sales are
gone in silence, as the red twins show.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from app import build
from app.build import DATABASE, JOURNAL
from app.journal import Record
from app.usecases.verify import verify
from app.usecases.verify_report import Fault
from tests.app.kiosk import Clock, Kiosk, Template, events_of, make_template, open_store
from tests.faults.power import contents

TIMES = 300
LOG: Final = f"{DATABASE}-wal"
SALES = 24


@dataclass(frozen=True, slots=True)
class Moment:
    """The store's files right after a sale that was acknowledged, and what it holds."""

    files: dict[str, bytes]
    events: list[Record]
    log_generation: int

    def journal(self) -> str:
        """The name of the newest journal file."""
        return max(name for name in self.files if name.startswith(JOURNAL))


Harm = Callable[[random.Random, Moment, str], bytes | None]
"""What a file becomes; None when it is deleted."""


def cut(chance: random.Random, moment: Moment, name: str) -> bytes:
    return moment.files[name][: chance.randrange(len(moment.files[name]))]


def flipped(chance: random.Random, moment: Moment, name: str) -> bytes:
    content = bytearray(moment.files[name])
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(content)


def deleted(chance: random.Random, moment: Moment, name: str) -> None:
    return None


@pytest.fixture(scope="session")
def moments(made_template: Template, tmp_path_factory: pytest.TempPathFactory) -> list[Moment]:
    """Two days at the till, looked at after each sale; the log was emptied into the file twice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGULARS_MACHINE", str(made_template.folder.with_name("machine")))
        folder = made_template.copy_to(tmp_path_factory.mktemp("moments") / "store")
        return _two_days(Kiosk(folder, made_template))


@pytest.fixture(scope="session")
def other_moments(tmp_path_factory: pytest.TempPathFactory) -> list[Moment]:
    """The same in another shop, whose files have the same names."""
    base = tmp_path_factory.mktemp("other")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGULARS_MACHINE", str(base / "machine"))
        return _two_days(Kiosk(base / "store", make_template(base / "store")))


def _two_days(kiosk: Kiosk) -> list[Moment]:
    found = []
    generation = 0
    for number in range(SALES):
        if number in (8, 16):
            kiosk.ctx.store.checkpoint_truncate()
            generation += 1
        if number == 12:
            kiosk.clock.now += timedelta(days=1)
        sold = kiosk.quote_and_sell(1000 + number).result
        if number % 6 == 5:
            kiosk.take_back(sold.event_id)
        found.append(Moment(contents(kiosk.folder), kiosk.events(), generation))
    kiosk.close()
    return found


@dataclass(slots=True)
class Bench:
    """Where moments are brought back, harmed and started."""

    disk: Path
    template: Template

    def findings(self, moment: Moment, name: str, becomes: bytes | None) -> list[str]:
        """Start on the harmed files; every event must be back. What the start told."""
        folder = self.disk / "store"
        shutil.rmtree(folder, ignore_errors=True)
        for each, content in {**moment.files, name: becomes}.items():
            if content is not None:
                path = folder / each
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        opened = open_store(folder, self.template, Clock())
        assert events_of(opened.context) == moment.events
        assert list(opened.context.journal.scan().records) == moment.events
        opened.close()
        return [code for code, _ in opened.findings.found]

    def closed_for_good(self) -> None:
        """What the last start has mended is sound, and the next start has nothing to do."""
        opened = open_store(self.disk / "store", self.template, Clock())
        assert opened.findings.found == []
        assert verify(opened.context).findings == []
        opened.close()


@pytest.fixture
def bench(disk: Path, template: Template) -> Bench:
    return Bench(disk, template)


@pytest.mark.parametrize("harm", [cut, flipped, deleted])
@pytest.mark.parametrize("target", ["journal", "log"])
def test_a_harmed_file_is_told_and_every_event_is_back(
    bench: Bench, moments: list[Moment], target: str, harm: Harm
) -> None:
    chance = random.Random(f"{target} {harm}")
    untold = []
    for number in range(TIMES):
        moment = chance.choice(moments)
        name = moment.journal() if target == "journal" else LOG
        if not bench.findings(moment, name, harm(chance, moment, name)):
            untold.append(number)
        if number % 25 == 0:
            bench.closed_for_good()
    assert untold == []


def test_a_journal_file_swapped_for_an_older_or_a_strange_one_is_told(
    bench: Bench, moments: list[Moment], other_moments: list[Moment]
) -> None:
    chance = random.Random(5)
    untold = []
    for number in range(TIMES):
        at = chance.randrange(1, SALES)
        moment = moments[at]
        source = chance.choice(other_moments) if number % 2 else moments[chance.randrange(at)]
        name = moment.journal()
        if not bench.findings(moment, name, source.files[source.journal()]):
            untold.append(number)
        if number % 25 == 0:
            bench.closed_for_good()
    assert untold == []


def test_a_log_swapped_for_an_older_or_a_strange_one_is_told(
    bench: Bench, moments: list[Moment], other_moments: list[Moment]
) -> None:
    """An older one may be of before the last checkpoint: it would undo what the file has."""
    chance = random.Random(6)
    untold = []
    stale = 0
    for number in range(TIMES):
        at = chance.randrange(1, SALES)
        moment = moments[at]
        source = chance.choice(other_moments) if number % 2 else moments[chance.randrange(at)]
        stale += number % 2 == 0 and source.log_generation < moment.log_generation
        if not bench.findings(moment, LOG, source.files[LOG]):
            untold.append(number)
        if number % 25 == 0:
            bench.closed_for_good()
    assert untold == []
    assert stale > 50


def test_an_older_journal_file_that_no_start_reads_is_told_by_verify_with_its_number(
    kiosk: Kiosk,
) -> None:
    """A start reads the two newest files; `regulars verify` reads all of them."""
    chance = random.Random(7)
    for _ in range(4):
        kiosk.quote_and_sell()
        kiosk.quote_and_sell()
        kiosk.clock.now += timedelta(days=1)
    path = kiosk.journal_files()[0]
    sound = path.read_bytes()
    seqs = {record.seq for record in kiosk.ctx.journal.read(path)}
    for _ in range(40):
        kiosk.close()
        content = bytearray(sound)
        content[chance.randrange(len(content))] ^= 1
        path.write_bytes(content)
        kiosk.open()
        found = verify(kiosk.ctx).findings
        assert {finding.fault for finding in found} == {Fault.JOURNAL_FILE}
        assert {finding.seq for finding in found} <= seqs | {0, 1}
        path.write_bytes(sound)


@pytest.mark.parametrize("harm", [cut, flipped, deleted])
def test_without_the_comparison_at_start_sales_are_gone_in_silence(
    bench: Bench, moments: list[Moment], monkeypatch: pytest.MonkeyPatch, harm: Harm
) -> None:
    """The red twin: SQLite opens what is left of the log and calls it well."""
    monkeypatch.setattr(build, "mend", lambda ctx, findings: None)
    chance = random.Random(8)
    silent = 0
    for _ in range(20):
        moment = chance.choice(moments)
        try:
            told = bench.findings(moment, LOG, harm(chance, moment, LOG))
        except AssertionError:
            silent += 1
        else:
            assert told
    assert silent > 0
