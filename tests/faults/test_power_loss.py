"""R3: the power goes at any moment. Nothing acknowledged is lost, and every state opens.

Database and journal file are a pair: what one loses the other gives back. So each state is asked three
questions: does the real start bring back everything, did the database alone hold it, did the journal file
alone hold it. Each guard answers for its own copy; only with both gone sales are lost.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app import posting
from app.build import JOURNAL
from app.context import Context
from app.domain.entries import POINTS
from app.domain.errors import Unavailable
from app.journal import JournalFile
from app.usecases.verify import verify
from db import people, rows, states, till
from tests.app.kiosk import Clock, Template, open_store, print_to
from tests.faults import power, recorded_day
from tests.faults.killed_till import check_past

PARTS = 4
STATES = 500
"""In each part: 2,000 in all."""
PROVED_EACH = 5
"""Every how many states the whole store is verified; the start itself checks chain and file in all."""
TEETH_STATES = 100


@dataclass(slots=True)
class Answers:
    """How many states failed which question."""

    unopenable: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unsound: list[str] = field(default_factory=list)
    database_alone: int = 0
    """States in which the database without the journal file lacked something acknowledged."""
    journal_alone: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """A recorded day, with what opens its store."""

    recording: power.Recording
    template: Template
    data_key: bytes
    owner: bytes

    def ask(self, folder: Path, states_count: int, seed: int) -> Answers:
        """Make states of random prefixes and start each."""
        chance = random.Random(seed)
        answers = Answers()
        for number in range(states_count):
            prefix = chance.randrange(len(self.recording.calls) + 1)
            files = self.recording.state(prefix, chance)
            acks = self.recording_acks(prefix)
            place = folder / str(number)
            for name, content in files.items():
                path = place / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            name = f"state {number} of {prefix} calls"
            self._ask_one(place / "store", acks, answers, name, prove=number % PROVED_EACH == 0)
            shutil.rmtree(place)
        return answers

    def recording_acks(self, prefix: int) -> list[list[str]]:
        """What had been said to be done."""
        said = b"".join(
            call.content for call in self.recording.calls[:prefix]
            if call.kind == "write" and call.name == "acks"
        )  # fmt: skip
        return [line.split() for line in said.decode().splitlines()]

    def _ask_one(
        self, folder: Path, acks: list[list[str]], answers: Answers, name: str, *, prove: bool
    ) -> None:
        events = {(int(words[1]), words[2]) for words in acks if words[0] == "event"}
        phones = [words[1] for words in acks if words[0] == "member"]
        file = JournalFile(folder / JOURNAL, data_key=self.data_key, owner=self.owner)
        in_file = {record.seq for record in file.scan().records}
        answers.journal_alone += any(seq not in in_file for seq, _ in events)
        try:
            opened = open_store(folder, self.template, Clock())
        except Unavailable as error:
            answers.unopenable.append(f"{name}: {error.code} {error.facts}")
            return
        replayed = [facts for code, facts in opened.findings.found if code == "events_replayed"]
        answers.database_alone += any(
            seq >= int(facts["first"]) for seq, _ in events for facts in replayed
        )
        ctx = opened.context
        answers.lost += [f"{name}: {what}" for what in lost(ctx, events, phones)]
        answers.unsound += [f"{name}: {what}" for what in check_past(ctx)]
        if prove:
            answers.unsound += [f"{name}: {found.what}" for found in verify(ctx).findings]
        opened.close()


def lost(ctx: Context, events: set[tuple[int, str]], phones: list[str]) -> list[str]:
    """What was acknowledged and is not there, with all that belongs to it."""
    problems = []
    with ctx.read() as conn:
        for seq, event_id in sorted(events):
            row = rows.event_by_seq(conn, seq)
            if row is None or row.id.hex() != event_id:
                problems.append(f"event {seq}")
            elif not till.jobs_of_event(conn, seq):
                problems.append(f"slip of event {seq}")
        problems += [phone for phone in phones if not people.members_of_phone(conn, phone)]
        for member_id in people.all_members(conn):
            state = states.state(conn, member_id)
            if state and state.points != rows.ledger_sums(conn, member_id).get(POINTS, 0):
                problems.append(f"balance of {member_id.hex()}")
    return problems


@pytest.fixture(scope="session")
def record_day(
    made_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Day]:
    """Records a day with a sabotage, each once."""
    made: dict[str, Day] = {}

    def record(sabotage: str) -> Day:
        if sabotage not in made:
            made[sabotage] = _record(made_template, tmp_path_factory.mktemp("day"), sabotage)
        return made[sabotage]

    return record


def _record(template: Template, base: Path, sabotage: str) -> Day:
    folder = template.copy_to(base / "disk" / "store")
    print_to(folder, base / "disk" / "paper")
    plan = recorded_day.plan_for(folder, template, sabotage).rename(base / "plan.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGULARS_MACHINE", str(template.folder.with_name("machine")))
        recording = power.record(base / "disk", ["tests.faults.recorded_day", str(plan)])
        opened = open_store(folder, template, Clock())
        ctx = opened.context
        day = Day(recording, template, ctx.data_key, ctx.till.device + bytes(8))
        acks = day.recording_acks(len(recording.calls))
        sales = sum(1 for words in acks if words[0] == "event")
        assert sales >= recorded_day.SALES, "the recording is of a whole day"
        with ctx.read() as conn:
            kinds = {row.kind for row in rows.events_after(conn, 0)}
        assert {posting.SALE, posting.RETURN, posting.ENROL} <= kinds
        opened.close()
    return day


@pytest.mark.parametrize("part", range(PARTS))
def test_a_power_cut_at_any_call_loses_nothing_and_every_state_opens(
    template: Template, record_day: Callable[[str], Day], disk: Path, part: int
) -> None:
    answers = record_day("").ask(disk, STATES, part)
    assert answers == Answers()


def test_the_recording_played_to_its_end_is_what_the_till_left(
    template: Template, record_day: Callable[[str], Day], disk: Path
) -> None:
    """The replay itself: with everything kept its files are those that a clean run leaves."""
    day = record_day("")
    files = day.recording.state(len(day.recording.calls), KeepAll())
    assert [name for name in files if name.endswith("-wal")] == []
    for name, content in files.items():
        path = disk / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    opened = open_store(disk / "store", template, Clock())
    assert opened.findings.found == []
    acks = day.recording_acks(len(day.recording.calls))
    events = {(int(words[1]), words[2]) for words in acks if words[0] == "event"}
    assert lost(opened.context, events, [words[1] for words in acks if words[0] == "member"]) == []
    opened.close()


class KeepAll(random.Random):
    """No choice is left to chance."""

    def random(self) -> float:
        return 0.999999

    def choice(self, seq: object) -> float:  # type: ignore[override]  # only shares are chosen here
        return 1.0


def test_commits_that_are_not_synced_lose_sales_in_the_database(
    template: Template, record_day: Callable[[str], Day], disk: Path
) -> None:
    """The red twin of synchronous=FULL: the database's own answer goes red, the pair still holds."""
    answers = record_day("normal").ask(disk, TEETH_STATES, 1)
    assert answers.database_alone > 0
    assert (answers.journal_alone, answers.lost, answers.unopenable) == (0, [], [])


def test_a_journal_file_that_is_not_synced_loses_sales_in_it(
    template: Template, record_day: Callable[[str], Day], disk: Path
) -> None:
    """The red twin of the journal file's fsync."""
    answers = record_day("no journal sync").ask(disk, TEETH_STATES, 1)
    assert answers.journal_alone > 0
    assert (answers.database_alone, answers.lost, answers.unopenable) == (0, [], [])


def test_with_neither_synced_acknowledged_sales_are_lost(
    template: Template, record_day: Callable[[str], Day], disk: Path
) -> None:
    """The red twin of the pair: what no copy has nobody brings back."""
    answers = record_day("normal, no journal sync").ask(disk, TEETH_STATES, 1)
    assert answers.lost != []
