"""What `verify` finds: the kinds of fault with their exit codes, and the report that gathers them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from db.people import CardBlock

Progress = Callable[[str, int, int], None]
"""(what is being checked, done, total)."""


class Fault(IntEnum):
    """What verify can find, by exit code; the lowest one found is the program's exit code."""

    EVENT = 10
    """Event bytes, or the columns beside them, or the chain."""
    GAP = 11
    """A sequence number is missing."""
    LEDGER = 12
    """A ledger row is not what its event says."""
    PROJECTION = 13
    """A document, shift, drawer, programme or consent row is not what its event says."""
    CACHE = 14
    """A cached balance, lot, split, debt, day or tier is not the fold of the ledger, or a block of card
    numbers is not what the set-up gave and enrolments took."""
    JOURNAL_FILE = 15
    """The journal file lacks an event, has another one, or can't be read."""
    SUM = 16
    """A sum that reports read is not what the journal, or the rows proven by it, add up to."""


FINDINGS_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: where (sequence number of the event, 0 when of none) and what."""

    fault: Fault
    seq: int
    what: str


@dataclass(slots=True)
class Report:
    """What was checked and found. `findings` stops at FINDINGS_MOST; `total` counts on."""

    events: int = 0
    last: int = 0
    """The number of the last of them, where not all were checked; events may be missing before it."""
    entries: int = 0
    members: int = 0
    files: int = 0
    rebuilt: int = 0
    start: bytes = b""
    """What the first of the events chains onto, where not all were checked; `head` is the last one's hash."""
    head: bytes = b""
    total: int = 0
    worst: int = 0
    blocks: list[CardBlock] = field(default_factory=list)
    """Card numbers as the set-up gave them."""
    wrong: list[bytes] = field(default_factory=list)
    """Members whose cache differs."""
    findings: list[Finding] = field(default_factory=list)

    def add(self, fault: Fault, seq: int, what: str) -> None:
        """Note a difference."""
        self.total += 1
        self.worst = min(self.worst, int(fault)) if self.worst else int(fault)
        if len(self.findings) < FINDINGS_MOST:
            self.findings.append(Finding(fault, seq, what))

    def take(self, part: Report) -> None:
        """Add what was found in a part that was checked by itself: other members, or the events that follow."""
        if part.start:
            if part.start != self.head:
                self.add(Fault.EVENT, 0, "the journal was altered while it was read")
            self.head = part.head
        self.events += part.events
        self.last = max(self.last, part.last)
        self.entries += part.entries
        self.members += part.members
        self.total += part.total - len(part.findings)
        for finding in part.findings:
            self.add(finding.fault, finding.seq, finding.what)
        if part.worst:  # perhaps of a finding that is counted only
            self.worst = min(self.worst or part.worst, part.worst)
        self.wrong += part.wrong

    @property
    def exit_code(self) -> int:
        """0 when all is equal, else the lowest code found."""
        return self.worst


def quiet(what: str, done: int, total: int) -> None:
    """Progress for nobody."""
    del what, done, total
