"""The port that the till's half works on, and its records. The till's store and the in-memory one implement it.

`Control` is all that the till knows of its dealings with head office, in one record that is replaced whole, in
the same transaction as the event that changes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from app.domain.entries import Entry
from app.protocol.facts import Facts
from app.protocol.links import Link
from app.protocol.wire import Cell, Cursor, MemberRow, ReferenceRow


class OwnGrant(NamedTuple):
    """The grant in hand. `used`: how much of which member."""

    id: bytes
    epoch: int
    left: int
    cap: int
    lease_until_ms: int
    used: tuple[tuple[bytes, int], ...] = ()

    def used_of(self, member: bytes) -> int:
        """What was spent of one member under this grant."""
        return sum(amount for spender, amount in self.used if spender == member)


class OwnHold(NamedTuple):
    """A hold that this till asked for, of an amount of a member's asset or of `lines` of a `sale`. `ended`:
    journal number of the event that ended it, 0 while none has."""

    id: bytes
    standing: Literal["asked", "open", "ended"]
    member: bytes | None
    asset: str
    amount: int
    ended: int = 0
    sale: bytes | None = None
    lines: tuple[tuple[int, int], ...] = ()


class Right(NamedTuple):
    """What is left of a credit that this till may spend by itself; `number` is the credit's event."""

    member: bytes
    asset: str
    number: int
    left: int


class Segment(NamedTuple):
    """An epoch: its seq 1 is the own event after `base`."""

    epoch: int
    base: int


class Begun(NamedTuple):
    """A snapshot that is being fetched: the next frame `of` how many, and the rows that came so far."""

    bucket: str
    snapshot: int
    frame: int
    of: int = 0
    rows: int = 0


class Settling(NamedTuple):
    """A till that has joined with a past of its own: how far it is in placing its old events, and then in
    telling the fields of its members. Until then it asks and sends nothing.

    placing  not every old event has its link; new ones wait behind them
    member   the last whose fields were told, `told` of `members`
    at_ms    when it joined: what it knew before was written before
    """

    placing: bool
    members: int
    at_ms: int
    told: int = 0
    member: bytes = b""


class Control(NamedTuple):
    """Numbers are journal numbers: own events counted from 1 for ever.

    acked     head office has all up to here          fence      the event that ended the last rebase
    nonce     set while a rebase is asked for, and nothing else is
    cursors   by bucket; none: begin with a snapshot; START: page all
    sweeping  rows of an older generation go once all are fetched anew
    """

    tenant: bytes
    device: bytes
    buckets: tuple[str, ...]
    timeline: int
    segments: tuple[Segment, ...] = (Segment(1, 0),)
    acked: int = 0
    fence: int = 0
    nonce: bytes = b""
    grant: OwnGrant | None = None
    closed_grants: tuple[tuple[bytes, int], ...] = ()
    holds: tuple[OwnHold, ...] = ()
    rights: tuple[Right, ...] = ()
    cursors: Mapping[str, Cursor] = {}
    begun: Begun | None = None
    generation: int = 0
    sweeping: bool = False
    hlc: int = 0
    revoked: bool = False
    settling: Settling | None = None

    @property
    def epoch(self) -> int:
        """The current epoch."""
        return self.segments[-1].epoch

    @property
    def base(self) -> int:
        """The own event before the first of the current epoch."""
        return self.segments[-1].base

    @property
    def settled(self) -> bool:
        """Whether head office knows that this till's epoch is whole: only then it may hold rights."""
        return not self.nonce and self.acked >= self.fence and self.settling is None

    @property
    def placing(self) -> bool:
        """Whether old events still wait for their links."""
        return self.settling is not None and self.settling.placing


class Base(NamedTuple):
    """A member's row and up to which own event it includes (`incl`)."""

    row: MemberRow
    incl: int
    generation: int


class TillStore(Protocol):
    """What a till keeps. Every `put` replaces the record of the same key."""

    def control(self) -> Control: ...
    def put_control(self, control: Control) -> None: ...

    def top(self) -> int:
        """The number of the last own event."""

    def compose(self, facts: Facts) -> bytes:
        """The bytes of an event of the protocol's own, as this till writes its events."""

    def append(self, facts: Facts, body: bytes) -> int:
        """Keep an own event under the next number, which is returned."""

    def body(self, number: int) -> bytes: ...
    def event(self, number: int) -> bytes:
        """The id of an own event."""

    def own_entries(self, member: bytes, after: int) -> Sequence[tuple[int, tuple[Entry, ...]]]:
        """Number and entries of the own events of a member after a number, in their order."""

    def link(self, epoch: int, seq: int) -> Link | None: ...
    def put_link(self, link: Link) -> None:
        """Links are insert-only."""

    def look_up(self, members: Sequence[bytes]) -> None:
        """`base` will be asked of these: read them together."""

    def base(self, member: bytes) -> Base | None: ...
    def put_base(self, base: Base) -> None: ...
    def take_frames(
        self, frames: Sequence[bytes], included: int, generation: int
    ) -> Sequence[MemberRow] | None:
        """Keep rows of a snapshot's frames in a way of the store's own; returns those that are left to put,
        None where it has none for these frames."""

    def drop_base(self, member: bytes) -> None:
        """Forget what head office said of a member."""

    def drop_older(self, generation: int) -> None:
        """Forget rows and reference data of older generations."""

    def bases(self) -> Iterable[Base]: ...
    def merged_into(self, member: bytes) -> Sequence[bytes]:
        """Members whose row names this one as their survivor."""

    def dirty(self, most: int | None = None) -> Sequence[Cell]:
        """Cells that head office has not acknowledged, so many at most."""

    def dirty_of(self, member: bytes) -> Sequence[Cell]:
        """Those of a member."""

    def dirty_cell(self, member: bytes, name: str) -> Cell | None: ...
    def put_dirty(self, cell: Cell) -> None: ...
    def drop_dirty(self, member: bytes, name: str | None = None) -> None:
        """Forget a dirty cell, or all of a member."""

    def reference(self, key: str) -> ReferenceRow | None: ...
    def put_reference(self, row: ReferenceRow, generation: int) -> None: ...
