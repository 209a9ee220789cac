"""Look for a rewritten past: `regulars verify-audit` (security.md section 5).

The chain alone proves nothing against somebody who can compute it anew, so each link is held against witnesses:
the MACs under the evolving key (with the start key from the owner's safe), the journal file, checkpoints kept
elsewhere, and the side file of the last close. Every event is looked at, no sampling. What rows say beside the
events is `verify`'s.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

import msgspec

from app import posting
from app.journal import JournalFile, number_of
from app.protocol.checkpoints import Anchor
from app.protocol.events import HASH_BYTES, chain
from app.protocol.evolving import StartKey, mac, next_key
from app.witness import Standing, Witness
from db import macs, rows
from db.connection import Connection

Progress = Callable[[int, int], None]
"""(events looked at, total)."""


class Verdict(IntEnum):
    """What can be found, by the program's exit code."""

    ALTERED = 1
    """An event is not the one that was written, or one is missing amid the others."""
    TRUNCATED = 2
    """The end is missing: cut off, or the whole store is an older one put back."""
    GAP = 3
    """Head office has seen later events than the store has."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `kind` names it: gap, bytes, place, mac, journal, journal_file, checkpoint, witness,
    tail, key, restored (events that a restore could not bring back), witness_missing, witness_damaged.
    `since` is set where only a span is known: the fault lies after `since`, up to `seq`."""

    verdict: Verdict
    seq: int
    kind: str
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What to hold the store against; what is None or empty is not asked."""

    journal: JournalFile | None = None
    anchors: tuple[Anchor, ...] = ()
    start_key: StartKey | None = None
    witness: Witness | None = None
    standing: Standing = ""


@dataclass(frozen=True, slots=True)
class Return:
    """A till that was brought back: its `restored` event, the backup and that one's last event, and the first
    and last event known to be missing behind it (None: none is known)."""

    seq: int
    backup: str
    events: int
    missing: tuple[int, int] | None


@dataclass(slots=True)
class Audit:
    """What was looked at and found. `findings` stops at FINDINGS_MOST; the first of each verdict is kept.

    macs      events whose MAC was recomputed
    in_file   events that the journal file has too
    anchored  the last event that a signed checkpoint covers, 0 for none
    returns   each time that the till was brought back from a backup: told, whatever else is found
    closed    the last end of a shift or a day that follows the last of them, 0 for none
    """

    events: int = 0
    last: int = 0
    head: bytes = b""
    macs: int = 0
    in_file: int = 0
    anchored: int = 0
    returns: list[Return] = field(default_factory=list)
    closed: int = 0
    findings: list[Finding] = field(default_factory=list)
    total: int = 0

    def add(self, finding: Finding) -> None:
        """Note a difference."""
        self.total += 1
        if len(self.findings) < FINDINGS_MOST:
            self.findings.append(finding)

    @property
    def first(self) -> Finding | None:
        """The one to name: of the gravest verdict, where the place is known before where it is a span, the
        lowest number."""
        return min(
            self.findings, key=lambda f: (f.verdict, f.since is not None, f.seq), default=None
        )

    @property
    def exit_code(self) -> int:
        """0 when nothing was found."""
        return 0 if self.first is None else int(self.first.verdict)


FINDINGS_MOST = 1000
_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose journal it is: the hash before the first event, and what every event names."""

    start: bytes
    device: bytes
    epoch: int


class _Place(msgspec.Struct):
    """What an event says of itself."""

    id: str
    cmd: str
    device: str
    kind: str


_place = msgspec.json.Decoder(_Place)


def _quiet(done: int, total: int) -> None:
    del done, total


def examine(
    conn: Connection, identity: Identity, evidence: Evidence, *, progress: Progress = _quiet
) -> Audit:
    """Hold every event of a store against the evidence. Raises what reading the store raises."""
    audit = Audit()
    hashes = _walk(conn, identity, evidence, audit, progress)
    if evidence.journal is not None:
        _check_files(evidence.journal, hashes, audit)
    _check_anchors(evidence, hashes, audit)
    return audit


# The chain and the MACs -----------------------------------------------------------------------------


def _walk(
    conn: Connection, identity: Identity, evidence: Evidence, audit: Audit, progress: Progress
) -> bytearray:
    """Every event beside its MAC, in order; returns the hashes, zeros for a missing event."""
    previous: bytes | None = identity.start
    beside = _Macs(conn, evidence.start_key)
    total = rows.event_count(conn)
    hashes = bytearray()
    for row in rows.events_after(conn, 0):
        while audit.last + 1 < row.seq:
            audit.last += 1
            audit.add(Finding(Verdict.ALTERED, audit.last, "gap"))
            beside.skip(audit.last)
            hashes += bytes(HASH_BYTES)
            previous = None
        audit.last = row.seq
        if previous is not None and chain(previous, row.body) != row.hash:
            audit.add(Finding(Verdict.ALTERED, row.seq, "bytes"))
        elif not _in_place(row, identity):
            audit.add(Finding(Verdict.ALTERED, row.seq, "place"))
        if not beside.fits(row.seq, row.hash):
            audit.add(Finding(Verdict.ALTERED, row.seq, "mac"))
        _note_kind(row, audit)
        hashes += row.hash
        previous = row.hash
        audit.events += 1
        if audit.events % _BATCH == 0:
            progress(audit.events, total)
    audit.macs = beside.checked
    audit.head = previous or b""
    if beside.is_left_over():
        audit.add(Finding(Verdict.TRUNCATED, audit.last + 1, "tail"))
    _check_key(conn, beside, audit)
    return hashes


def _note_kind(row: rows.EventRow, audit: Audit) -> None:
    if row.kind in (posting.SHIFT_CLOSE, posting.DAY_CLOSE):
        audit.closed = row.seq
    elif row.kind == posting.RESTORED:
        audit.closed = 0
        found = _return_of(row)
        audit.returns.append(found)
        if found.missing:
            audit.add(Finding(Verdict.TRUNCATED, row.seq, "restored"))


def _return_of(row: rows.EventRow) -> Return:
    try:
        doc = posting.event_of(row).doc
        missing = doc["missing"]
        return Return(
            row.seq, doc["from"]["name"], doc["from"]["events"],
            None if missing is None else (missing[0], missing[1]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError):
        return Return(row.seq, "", 0, None)  # its bytes were altered, which is a finding already


def _in_place(row: rows.EventRow, identity: Identity) -> bool:
    """Whether the bytes are those of an event of this till, and the columns say the same."""
    try:
        found = _place.decode(row.body)
    except msgspec.MsgspecError:
        return False
    return (
        found.kind == row.kind
        and found.id == row.id.hex()
        and found.cmd == row.command_id.hex()
        and row.epoch == identity.epoch
        and found.device == identity.device.hex()
    )


class _Macs:
    """The MACs in the order of the events. Without the start key only that there is one can be told."""

    def __init__(self, conn: Connection, start: StartKey | None) -> None:
        self._rows = macs.all_macs(conn)
        self._next = next(self._rows, None)
        row = macs.mac_key(conn)
        self.key = start.key if start else None
        """The key of the next event; None without the start key."""
        self._first = start.first_seq if start else (row.first_seq if row else None)
        self.checked = 0

    def fits(self, seq: int, hash_: bytes) -> bool:
        """Whether an event has the MAC that it must have."""
        found = self._take(seq)
        if not self.covers(seq):
            return found is None
        if found is None or self.key is None:
            self._move_on()
            return found is not None
        wanted = mac(self.key, seq, hash_)
        self._move_on()
        self.checked += 1
        return hmac.compare_digest(found, wanted)

    def skip(self, seq: int) -> None:
        """An event is missing: its key goes with it."""
        self._take(seq)
        if self.covers(seq):
            self._move_on()

    def covers(self, seq: int) -> bool:
        """Whether an event must have a MAC."""
        return self._first is not None and seq >= self._first

    def is_left_over(self) -> bool:
        """Whether there are MACs of events behind the last one."""
        return self._next is not None

    def _take(self, seq: int) -> bytes | None:
        while self._next is not None and self._next[0] < seq:
            self._next = next(self._rows, None)
        if self._next is None or self._next[0] != seq:
            return None
        found = self._next[1]
        self._next = next(self._rows, None)
        return found

    def _move_on(self) -> None:
        if self.key is not None:
            self.key = next_key(self.key)


def _check_key(conn: Connection, beside: _Macs, audit: Audit) -> None:
    """The key in the store belongs to the event after the last one: it can't be turned back."""
    row = macs.mac_key(conn)
    if row is None:
        fits = not beside.covers(audit.last)
    else:
        wanted = beside.key or row.key
        fits = row.next_seq == audit.last + 1 and hmac.compare_digest(row.key, wanted)
    if not fits:
        audit.add(Finding(Verdict.TRUNCATED, audit.last + 1, "key"))


# Witnesses outside the store ------------------------------------------------------------------------


def _check_files(journal: JournalFile, hashes: bytearray, audit: Audit) -> None:
    """Every record of the journal file. A tail that the file lacks, or a torn one, is what a crash leaves."""
    files = journal.files()
    scan = journal.scan(newest=0)
    seen = 0
    for number in scan.missing:
        audit.add(Finding(Verdict.ALTERED, _first_after(journal, number), "journal_file"))
    before = None
    for path in files:
        records, damages = journal.read_checked(path, before=before)
        for damage in damages:
            if not (damage.tail and path == files[-1] and damage.file == path.name):
                seq = max(damage.after, seen) + 1
                audit.add(Finding(Verdict.ALTERED, seq, "journal_file"))
        for record in records:
            if record.seq > audit.last:
                audit.add(Finding(Verdict.TRUNCATED, audit.last + 1, "journal"))
                break
            here = bytes(hashes[(record.seq - 1) * HASH_BYTES : record.seq * HASH_BYTES])
            if here == record.hash:
                audit.in_file += 1
            elif any(here):
                audit.add(Finding(Verdict.ALTERED, record.seq, "journal"))
            seen = max(seen, record.seq)
        before = path


def _first_after(journal: JournalFile, missing: int) -> int:
    """The first event that a missing file held: the one after the last of the file before it."""
    earlier = [path for path in journal.files() if number_of(path) < missing]
    records = journal.read(earlier[-1]) if earlier else []
    return records[-1].seq + 1 if records else 1


def _check_anchors(evidence: Evidence, hashes: bytearray, audit: Audit) -> None:
    """Checkpoints and the side file: (number, hash) pairs that lay outside the store."""
    if evidence.standing and (audit.closed or evidence.standing == "damaged"):
        kind = f"witness_{evidence.standing}"
        audit.add(Finding(Verdict.TRUNCATED, audit.last + 1, kind))
    good = 0
    told = [(each.seq, each.head, each.signed, "checkpoint") for each in evidence.anchors]
    if evidence.witness is not None:
        told.append((evidence.witness.seq, evidence.witness.head, False, "witness"))
    for seq, head, signed, kind in sorted(told):
        if seq > audit.last:
            verdict = Verdict.GAP if signed else Verdict.TRUNCATED
            audit.add(Finding(verdict, audit.last + 1, kind))
        elif bytes(hashes[(seq - 1) * HASH_BYTES : seq * HASH_BYTES]) != head:
            audit.add(Finding(Verdict.ALTERED, seq, kind, since=good))
        else:
            good = seq
            audit.anchored = max(audit.anchored, seq if signed else 0)
