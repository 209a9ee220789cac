"""The port that head office's half works on: records in and out, and nothing of how they are kept.

SQLite's store and PostgreSQL's stand behind it, and the simulator's in memory (tests/sim), which is what
they are compared with, record by record.
One request is one transaction of such a store. Every record is a plain value that is replaced whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from app.domain.business_day import BusinessDate
from app.domain.entries import Entry
from app.domain.state import EMPTY, MemberState
from app.protocol.accounts import Account
from app.protocol.facts import Returned
from app.protocol.links import Link, Place
from app.protocol.wire import Cell, ReferenceRow, SentRow


class Tenant(NamedTuple):
    """The tenant's one row: its timeline and the figures of the bound D + left <= budget + lost + written_off.

    timeline   changes when the store was restored       clock_ms   when the last request was served
    budget     R                     left        Σ of the open grants       overdrawn  D
    lost       F, spends whose authority was lost to a rollback or a restore
    written_off  W
    """

    id: bytes
    timeline: int
    budget: int
    clock_ms: int = 0
    as_of_ms: int = 0
    left: int = 0
    overdrawn: int = 0
    lost: int = 0
    written_off: int = 0

    @property
    def room(self) -> int:
        """How much a new grant may hold."""
        return self.budget - self.left - self.overdrawn


class Device(NamedTuple):
    """A till: where its chain stands, and whether the fence of its last rebase has come.

    reported   the timeline in which it has pushed all that it had
    seen       the feed numbers of the cursors that it sent last
    """

    id: bytes
    home: str
    buckets: tuple[str, ...]
    place: Place
    reported: int
    standing: Literal["live", "lost", "locked"] = "live"
    fenced: bool = True
    nonce: bytes = b""
    common: int = 0
    rebased_ms: tuple[int, ...] = ()
    seen: tuple[tuple[str, int], ...] = ()

    def at(self, place: Place) -> Device:
        """The till with its chain at another place. Spelled out: every event comes by here."""
        return Device(self.id, self.home, self.buckets, place, *self[4:])

    def seen_of(self, bucket: str) -> int:
        """The feed number up to which it has applied a bucket's rows."""
        return dict(self.seen).get(bucket, 0)


class Hold(NamedTuple):
    """A reservation, of an amount of a member's asset or of lines of a sale. All but `open` are final."""

    id: bytes
    device: bytes
    epoch: int
    standing: Literal["open", "captured", "void", "written_off"]
    member: bytes | None = None
    asset: str = ""
    amount: int = 0
    on: BusinessDate = BusinessDate(0)
    sale: bytes | None = None
    lines: tuple[tuple[int, int], ...] = ()


class GrantRow(NamedTuple):
    """What is left of a till's right to spend offline, as far as its events have come."""

    id: bytes
    device: bytes
    epoch: int
    left: int
    cap: int
    lease_until_ms: int
    standing: Literal["open", "closed", "written_off"] = "open"


class StoredEvent(NamedTuple):
    """An event as it came. `forwarded`: posted for a merged member's survivor under a derived id.

    quarantined  acknowledged and kept, but not applied: unreadable, or another event of the same id
    """

    id: bytes
    body: bytes
    standing: Literal["posted", "forwarded", "quarantined"]


class SaleReturn(NamedTuple):
    """A return of lines of a sale, in the order of arrival."""

    event: bytes
    member: bytes | None
    on: BusinessDate
    parts: tuple[Returned, ...]


class CellRecord(NamedTuple):
    """A cell that came: as it was sent, the stamp that it counts with, whether a value was lost unseen."""

    sent: Cell
    decides: int
    conflict: Cell | None


class Snapshot(NamedTuple):
    """A bucket's rows at feed number `feed`, in frames (wire.frame_of) and by member, and what head office then
    had of each device."""

    id: int
    bucket: str
    timeline: int
    feed: int
    have: Mapping[bytes, Place]
    frames: Sequence[bytes]
    references: tuple[ReferenceRow, ...]


class Visit(NamedTuple):
    """A home whose tills have seen a member of another bucket, and when last (visiting.py)."""

    home: str
    on: BusinessDate


@dataclass(frozen=True, slots=True)
class Member:
    """A member at head office. `reserved` holds Q by asset and device, `local` the part of it that is
    till-local rights; an account's own `reserved` is their sum. `merged` are those who go on as this one."""

    id: bytes
    bucket: str
    feed: int = 0
    state: MemberState = EMPTY
    accounts: Mapping[str, Account] = field(default_factory=dict)
    reserved: Mapping[tuple[str, bytes], int] = field(default_factory=dict)
    local: Mapping[tuple[str, bytes], int] = field(default_factory=dict)
    cells: Mapping[str, Cell] = field(default_factory=dict)
    alias: bytes | None = None
    erased_at: int = 0
    merged: tuple[bytes, ...] = ()
    visited: tuple[Visit, ...] = ()

    def numbered(self, feed: int) -> Member:
        """The member under a feed number. Spelled out: every write of a member comes by here."""
        return Member(
            self.id, self.bucket, feed, self.state, self.accounts, self.reserved, self.local,
            self.cells, self.alias, self.erased_at, self.merged, self.visited,
        )  # fmt: skip

    @property
    def erased(self) -> bool:
        """Whether the person was forgotten; `erased_at` is the tombstone's feed number."""
        return self.erased_at > 0


class FeedPage(NamedTuple):
    """Rows behind a cursor, with the feed number of the last one; `more`: there are others behind it."""

    members: Sequence[SentRow]
    references: Sequence[ReferenceRow]
    last: int
    more: bool


class Store(Protocol):
    """What head office keeps. Every `put` replaces the record of the same key.

    Records without an order of their own come by id, so that all stores do the same in the same order.
    """

    def tenant(self) -> Tenant: ...
    def put_tenant(self, tenant: Tenant) -> None: ...

    def device(self, device: bytes) -> Device | None: ...
    def put_device(self, device: Device) -> None: ...
    def devices(self) -> Iterable[Device]: ...
    def unreported(self, timeline: int) -> bool:
        """Whether a live device has not yet pushed all that it had in this timeline."""

    def link(self, device: bytes, epoch: int, seq: int) -> Link | None: ...
    def put_link(self, device: bytes, link: Link) -> None:
        """Links are insert-only."""

    def event(self, event: bytes) -> StoredEvent | None: ...
    def put_event(self, event: StoredEvent) -> None:
        """Events are insert-only."""

    def member(self, member: bytes) -> Member | None: ...
    def look_up(self, members: Sequence[bytes]) -> None:
        """Read these members in one go: they are asked for one by one then."""

    def members(self) -> Iterable[bytes]: ...
    def put_member(self, member: Member, entries: Sequence[Entry] = ()) -> None:
        """Keep the member under the next number of its bucket's feed, with the copies for homes that have seen
        them (visiting.copies), and add the entries to its ledger."""

    def ledger(self, member: bytes) -> Sequence[Entry]:
        """The member's entries in the owner's order."""

    def members_reserved_for(self, device: bytes) -> Sequence[bytes]:
        """Members with something reserved for a device."""

    def hold(self, hold: bytes) -> Hold | None: ...
    def put_hold(self, hold: Hold) -> None: ...
    def open_holds(self, device: bytes) -> Sequence[Hold]: ...
    def open_line_holds(self, sale: bytes) -> Sequence[Hold]: ...

    def grant(self, grant: bytes) -> GrantRow | None: ...
    def put_grant(self, grant: GrantRow) -> None: ...
    def open_grant(self, device: bytes) -> GrantRow | None: ...

    def returns(self, sale: bytes) -> Sequence[SaleReturn]: ...
    def add_return(self, sale: bytes, entry: SaleReturn) -> None: ...

    def cell(self, member: bytes, name: str, device: bytes, hlc: int) -> CellRecord | None:
        """The record of a cell that came, by its writer and the stamp it was sent with."""

    def add_cell(self, record: CellRecord) -> None: ...
    def cells(self, member: bytes) -> Sequence[CellRecord]: ...
    def drop_cells(self, member: bytes) -> None:
        """Erasure: no value of the member stays, conflicts included."""

    def reference(self, key: str) -> ReferenceRow | None: ...
    def put_reference(self, row: ReferenceRow) -> None:
        """Keep the set under the next number of its bucket's feed."""

    def rows(self, bucket: str, after: int, limit: int) -> Sequence[Member | ReferenceRow]:
        """What changed after a feed number, each once, in the order of the last change."""

    def page(self, bucket: str, after: int, room: int) -> FeedPage:
        """The next rows of `rows`, no more than `room`, as tills see them."""

    def head(self, bucket: str) -> int: ...
    def floor(self, bucket: str) -> int:
        """Tombstones up to this feed number may be gone."""

    def prune(self, bucket: str, up_to: int) -> None:
        """Forget tombstones up to a feed number."""

    def snapshot(self, bucket: str, snapshot: int) -> Snapshot | None:
        """One snapshot; number 0: the newest."""

    def put_snapshot(self, snapshot: Snapshot) -> None: ...
