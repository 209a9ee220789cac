"""What a use-case is given: the store, the clock, ids, the journal, the programme, and `write`.

`write` is the one way to change anything: one BEGIN IMMEDIATE transaction per command, then the profile file
and the journal file, and only then "done" (architecture.md section 4).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlcipher3.dbapi2 import Connection

from app import cached_fold, posting
from app.approvals import Approvals
from app.beginning import begin
from app.cells import put_cell
from app.dealings import Dealings
from app.documents.receipts import Shop
from app.domain.business_day import BusinessDate, business_date_of, minute_of_day
from app.domain.entries import Entry
from app.domain.errors import Outage, Refusal, Refused, Unavailable
from app.domain.fraud.facts import Case
from app.domain.money import Currency
from app.domain.programme import Programme
from app.domain.programme_plain import programme_from_plain
from app.domain.programme_versions import programme_on
from app.i18n import Words
from app.ids import Uuid7
from app.journal import JournalFile, ProfileFile, Record
from app.lockout import Lockout
from app.log import log
from app.protocol.events import HASH_BYTES, Event, chain, chain_start, micros
from app.protocol.facts import Authority, Facts, plain_sync
from app.settings import Settings
from app.told_fields import tell_written
from app.translated import translated
from app.witness import WitnessFile
from db import errors as db_errors
from db import head_office, rows, staff_rows, till
from db.counted_lock import CountedLock
from db.engine import Reader, Store

_EMPTY_HASH: Final = bytes(HASH_BYTES)
_TURN_S: Final = 10
"""How long a command waits for the one before it, which may be of another thread."""
_GIVE_WAY_S: Final = 0.05
"""How long work on the same disk waits for a command: some times what one takes."""


@dataclass(frozen=True, slots=True)
class TillFacts:
    """Who this till is; set once, when the store is made."""

    tenant: bytes
    device: bytes
    epoch: int
    store: str
    till: str
    currency: Currency
    cut_off_minute: int


@dataclass(frozen=True, slots=True)
class Session:
    """Who works at the till now, and in which shift. Every command carries it."""

    staff_id: bytes
    shift_id: bytes | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What a command touched, so that screens refresh themselves or mark themselves stale."""

    members: frozenset[bytes] = frozenset()
    kinds: frozenset[str] = frozenset()


NOTHING: Final = Changes()


@dataclass(slots=True)
class Tx:
    """One command's transaction. `event` is what it recorded, or what it had recorded before."""

    conn: Connection
    context: Context
    command_id: bytes
    known: Event | None
    event: Event | None = None
    _records: list[Record] = field(default_factory=list)
    _closed: tuple[int, bytes, int | None] | None = None
    _cells: list[tuple[int, bytes]] = field(default_factory=list)
    _dealings: Dealings | None = None
    _begun: bool = False

    def now(self) -> datetime:
        """The instant of this transaction."""
        return self.context.clock()

    def shift(self) -> till.ShiftRow:
        """The open shift, whose drawer is still in use. Raises Refused(SHIFT_NEEDED | SHIFT_COUNTED)."""
        row = till.open_shift(self.conn)
        if row is None:
            raise Refused(Refusal.SHIFT_NEEDED)
        if row.counted_seq is not None:
            # What was counted must be what the shift ends with.
            raise Refused(Refusal.SHIFT_COUNTED)
        return row

    def record(
        self,
        kind: str,
        *,
        event_id: bytes,
        session: Session | None,
        business_date: BusinessDate,
        member_id: bytes | None = None,
        programme: int | None = None,
        entries: Sequence[Entry] = (),
        doc: dict[str, Any],
        posted: cached_fold.Posted | None = None,
        cells: Sequence[dict[str, Any]] = (),
        command_id: bytes | None = None,
        facts: Facts | None = None,
        authority: Authority | None = None,
        restored_by: Authority | None = None,
    ) -> Event:
        """Append one event with everything that it stands for. `cells` are personal values, which
        go to their rows and to the profile file and never into the event. `command_id` is given
        where one transaction records more than one event. `facts` are those that head office asks for
        beside the entries; `authority` is the right by which points are spent,
        `restored_by` the one to spend what a void or return of a redemption restores."""
        ctx = self.context
        now = self.now()
        # Before the event: what a start brought back has its place before it.
        dealings = self.dealings
        seq, previous = self._last()
        event = Event(
            id=event_id,
            command_id=command_id or self.command_id,
            device=ctx.till.device,
            epoch=ctx.till.epoch,
            seq=seq + 1,
            kind=kind,
            at_us=micros(now),
            offset_min=ctx.offset_min(),
            business_date=int(business_date),
            staff_id=session.staff_id if session else None,
            shift_id=session.shift_id if session else None,
            member_id=member_id,
            programme=programme,
            entries=posting.plain_entries(entries, authority, restored_by),
            doc=doc,
            sync=None if facts is None else plain_sync(facts),
        )
        for cell in cells:
            put_cell(self.conn, cell)
            plain = json.dumps({**cell, "at": event.at_us}, ensure_ascii=False).encode()
            self._cells.append((event.seq, plain))
        body = event.to_bytes()
        self._append(event, body, previous, posted)
        if dealings is not None:
            dealings.record(body)
            tell_written(dealings, event, cells)
        if member_id is not None and entries and session is not None:
            # What the owner posts by itself, for thousands at once, the close of the day proves.
            ctx._touched.add(member_id)
        self.event = event
        return event

    def _last(self) -> tuple[int, bytes]:
        return rows.head(self.conn) or (0, self.context.chain_start())

    def _append(
        self, event: Event, body: bytes, previous: bytes, posted: cached_fold.Posted | None = None
    ) -> None:
        hash_ = chain(previous, body)
        posting.post(
            self.conn, event, body=body, hash_=hash_, posted=posted,
            based=not self.context.owns_ledger(self.conn, writing=True),
        )  # fmt: skip
        self._records.append(Record(event.seq, body, hash_))
        if event.kind in posting.WITNESSED:
            self._closed = event.seq, hash_, event.doc.get("number")

    # Head office

    @property
    def dealings(self) -> Dealings | None:
        """The till's dealings with head office in this transaction; None for a till of its own, and for one
        that has to be let in again."""
        ctx = self.context
        if self._dealings is not None or ctx.owns_ledger(self.conn, writing=True):
            return self._dealings
        if head_office.control(self.conn) is not None:
            made = Dealings(self.conn, self._tiers, self._compose, self._post)
            if not ctx._begun:
                begin(self.conn, made, ctx.business_date(), behind=ctx.behind)
                self._begun = True
            self._dealings = made
        return self._dealings

    def _tiers(self) -> dict[int, str]:
        newest = self.context.programmes(self.conn)[-1]
        return {tier.rank: tier.code for tier in newest.tiers.levels}

    def _compose(self, facts: Facts) -> bytes:
        ctx = self.context
        return Event(
            id=facts.id, command_id=ctx.ids(), device=ctx.till.device, epoch=ctx.till.epoch,
            seq=self._last()[0] + 1, kind=facts.kind, at_us=micros(self.now()),
            offset_min=ctx.offset_min(), business_date=int(facts.on), staff_id=None, shift_id=None,
            member_id=facts.member, programme=None, entries=[], doc={}, sync=plain_sync(facts),
        ).to_bytes()  # fmt: skip

    def _post(self, body: bytes) -> None:
        seq, previous = self._last()
        event = Event.from_bytes(body, epoch=self.context.till.epoch, seq=seq + 1)
        self._append(event, body, previous)

    def print(self, event: Event, kind: str, document: str, *, copy_no: int = 0) -> None:
        """Queue a slip in this transaction."""
        till.insert_print_job(
            self.conn, seq=event.seq, kind=kind, copy_no=copy_no, document=document,
            created_us=event.at_us,
        )  # fmt: skip


class Context:
    """Built once by app.build; handed to every use-case and query.

    Attributes:
        settings: this machine's; replaced as a whole when saved.
        approvals: what second persons have said yes to, for sixty seconds.
        lockout: who has to wait after wrong PINs.
        found_cases: the cases that a report has found since the start, by key. Replaced as a whole.
        turn: held by the command that is under way.
        behind: the store is older than its side file says: rights that came after it are unknown.
        journal_problem: why the journal file can't be written, "" while it can. Selling stops then.
    """

    def __init__(
        self,
        *,
        store: Store,
        facts: TillFacts,
        journal: JournalFile,
        profiles: ProfileFile,
        witness: WitnessFile,
        clock: Callable[[], datetime],
        ids: Uuid7,
        settings: Settings,
        offset_min: Callable[[], int],
        data_key: bytes,
        folder: Path,
    ) -> None:
        self.store = store
        self.till = facts
        self.journal = journal
        self.profiles = profiles
        self.witness = witness
        self.clock = clock
        self.ids = ids
        self.settings = settings
        self.offset_min = offset_min
        self.data_key = data_key
        self.folder = folder
        self.journal_problem = ""
        self.approvals = Approvals()
        self.lockout = Lockout()
        self.found_cases: dict[str, Case] = {}
        self.turn = CountedLock()
        self._touched: set[bytes] = set()
        self._unwritten: list[tuple[int, bytes]] = []
        self.shop: tuple[Settings, int, Shop] | None = None
        self._words: dict[str, Words] = {}
        self._initials: dict[bytes, str] = {}
        self._programmes: tuple[Programme, ...] = ()
        self._owns: bool | None = None
        self._begun = False
        self.behind = False

    def words(self, language: str) -> Words:
        """The sentences of a language, for slips; the window has its own."""
        if language not in self._words:
            self._words[language] = Words(language)
        return self._words[language]

    def initials(self, conn: Connection, staff_id: bytes | None) -> str:
        """How a person signs on slips and lists; "" for nobody."""
        if staff_id is None:
            return ""
        if staff_id not in self._initials:
            row = staff_rows.staff_by_id(conn, staff_id)
            if row is None:
                return ""
            self._initials[staff_id] = row.initials.upper()
        return self._initials[staff_id]

    @property
    def owner(self) -> bytes:
        """What binds the records of the files beside the store to this till."""
        return self.till.device + self.till.epoch.to_bytes(8, "big")

    def chain_start(self) -> bytes:
        """The hash before the first event."""
        return chain_start(self.till.tenant, self.till.device, self.till.epoch)

    @contextlib.contextmanager
    def write(self, command_id: bytes) -> Iterator[Tx]:
        """One command. Raises Unavailable for what the surroundings can't do; whatever the block
        raises rolls everything back. When the block ends well, what it recorded is durable in the
        database and in the journal file, or `journal_problem` says that it is in the database only.

        One command has its turn until its records are in the files: whichever thread calls, what is
        committed first also stands first in the journal file.
        """
        with self._own_turn():
            self._mend_journal()
            with translated():
                with self.store.write() as conn:
                    known = rows.event_by_command(conn, command_id)
                    tx = Tx(conn, self, command_id, posting.event_of(known) if known else None)
                    tx.event = tx.known
                    yield tx
                self._begun = self._begun or tx._begun
                self._to_files(tx)
        self.approvals.forget(command_id)

    @contextlib.contextmanager
    def _own_turn(self) -> Iterator[None]:
        if not self.turn.acquire(timeout_s=_TURN_S):
            raise Unavailable(Outage.STORE_BUSY, {}, retry_after_s=1)
        try:
            yield
        finally:
            self.turn.release()

    def give_way(self) -> None:
        """Wait for the command that is under way, but not for long: for work that loads the same disk."""
        if self.turn.acquire(timeout_s=_GIVE_WAY_S):
            self.turn.release()

    @contextlib.contextmanager
    def read(self, reader: Reader = Reader.COUNTER) -> Iterator[Connection]:
        """A snapshot for queries. Raises Unavailable."""
        with translated(), self.store.read(reader) as conn:
            yield conn

    @contextlib.contextmanager
    def write_rows(self) -> Iterator[Connection]:
        """A small write that is no event (the open cart, a print job's state, the search index)."""
        with translated(), self.store.write() as conn:
            yield conn

    def owns_ledger(self, conn: Connection, *, writing: bool = False) -> bool:
        """Whether the members' ledger is this till's own: until it joins a head office, and never again, also
        where an older database is back that knows of the joining by its journal alone. Each sale asks: that it
        joined is remembered, that it did not only from the writer, whose snapshot is never an older one."""
        if self._owns is not None:
            return self._owns
        joined = head_office.control(conn) is not None or posting.has_joined(conn)
        if joined or writing:
            self._owns = not joined
        return not joined

    def look_whether_joined(self) -> None:
        """It may belong to one now."""
        self._owns = None

    def programmes(self, conn: Connection) -> tuple[Programme, ...]:
        """Every published version, oldest first."""
        found = till.programmes(conn) if not self._programmes else []
        if found:
            self._programmes = tuple(programme_from_plain(json.loads(body)) for _, _, body in found)
        return self._programmes

    def forget_references(self) -> None:
        """A version was published, or somebody has other initials: read them again."""
        self._programmes = ()
        self._initials.clear()

    def programme_on(self, conn: Connection, on: BusinessDate) -> Programme:
        """The version of a business date: the newest that has started (domain.md section 2)."""
        found = programme_on(self.programmes(conn), on)
        assert found is not None, "a store is made with a programme that has started"
        return found

    def programme_version(self, conn: Connection, version: int) -> Programme:
        """The version that a document names."""
        return next(p for p in self.programmes(conn) if p.version == version)

    def business_date(self, at: datetime | None = None) -> BusinessDate:
        """The business date of an instant, now by this till's clock; a shift keeps its own."""
        return business_date_of(
            at or self.clock(),
            offset_minutes=self.offset_min(),
            cut_off_minute=self.till.cut_off_minute,
        )

    def minute_of_day(self) -> int:
        """Local minutes since midnight."""
        return minute_of_day(self.clock(), offset_minutes=self.offset_min())

    def day_name(self) -> str:
        """The UTC date that names today's journal file."""
        return self.clock().astimezone(UTC).date().isoformat()

    def keep_settings(self, settings: Settings) -> None:
        """Use other settings from now on (they are saved by the use-case)."""
        self.settings = replace(settings)

    def touched(self) -> frozenset[bytes]:
        """The members that commands have changed since this was asked the last time."""
        members = frozenset(self._touched)
        self._touched.clear()
        return members

    def warning(self) -> str:
        """The code of what needs a hand beside a command that is done; "" when nothing does."""
        return Outage.JOURNAL_FILE_FAILED.value if self.journal_problem else ""

    def _to_files(self, tx: Tx) -> None:
        self._unwritten += tx._cells
        try:
            self._write_cells()
            self.journal.append(tx._records, day=self.day_name())
        except OSError as error:
            # The sale stands; the screen says so, and selling stops until `_mend_journal` succeeds.
            self.journal_problem = error.strerror or type(error).__name__
            log.error("journal file not written: %s", self.journal_problem)
            return
        try:
            self.witness.follow(tx._records, tx._closed, self._has)
        except (OSError, db_errors.StoreError) as error:
            log.warning("side file not written: %s", error)

    def _has(self, seq: int, hash_: bytes) -> bool:
        with self.store.read() as conn:
            row = rows.event_by_seq(conn, seq)
        return row is not None and row.hash == hash_

    def _write_cells(self) -> None:
        while self._unwritten:
            self.profiles.append(*self._unwritten[0])
            del self._unwritten[0]

    def forget_cells(self, members: Set[bytes]) -> None:
        """These persons are erased: nothing of them stays in the second copy either. What fails is done by the
        next backup, which empties it."""
        gone = {member.hex() for member in members}
        with self._own_turn():
            cells = self.profiles.cells()
            try:
                self.profiles.rewrite(
                    [c for c in cells if json.loads(c[1]).get("member_id") not in gone]
                )
            except OSError as error:
                log.warning("profile file not rewritten: %s", error.strerror)

    def _mend_journal(self) -> None:
        """Bring the journal file up to the database before anything else is sold."""
        if not self.journal_problem:
            return
        try:
            with translated(), self.store.read() as conn:
                behind_from = self.journal_last(conn)
                missing = [
                    Record(e.seq, e.body, e.hash) for e in rows.events_after(conn, behind_from)
                ]
            self._write_cells()
            self.journal.append(missing, day=self.day_name())
        except OSError as error:
            raise Unavailable(
                Outage.JOURNAL_FILE_FAILED, {"why": error.strerror or ""}, retry_after_s=5
            ) from error
        self.journal_problem = ""

    def journal_last(self, conn: Connection) -> int:
        """The last sequence number that the newest journal files hold, cutting off a torn tail."""
        scan = self.journal.scan(newest=2)
        if not scan.records:
            scan = self.journal.scan()
        torn = [d for d in scan.damages if d.tail]
        last = scan.records[-1].seq if scan.records else 0
        if scan.files:
            path = scan.files[-1]
            if torn and torn[-1].file == path.name:
                self.journal.cut(path, torn[-1].offset)
            self.journal.resume(head=scan.records[-1].hash if scan.records else _EMPTY_HASH)
        del conn
        return last
