"""What tills and head office send each other: records and messages, and their bytes. No behaviour.

A request names its `rid`; the till takes the reply of its current one only. Places, cursors and rows of one
reply are read in one snapshot of the server's store (sync.md section 4).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from app.domain.business_day import BusinessDate
from app.domain.state import EMPTY, MemberState, Split
from app.protocol.card_leases import CardsReply, CardsRequest
from app.protocol.few_digits import Candidate
from app.protocol.links import Int64, Place
from app.protocol.shop_staff import StaffReply, StaffRequest

PROTOS: Final = (1, 1)
"""The versions that this code speaks, first and last. Pushes are taken from any version for ever."""
DAY_MOST: Final = 10_000_000
"""No date lies further from 1970, in days."""
ID_BYTES: Final = 16
NAME_MOST: Final = 200
"""No asset's or profile field's name is longer: stores have them in their keys."""
EVENTS_MOST: Final = 500
EVENT_BYTES_MOST: Final = 256 * 1024
FRAMES_MOST: Final = 16
FRAME_BYTES_MOST: Final = 1024 * 1024
"""Of an answer, unless its first frame alone is larger."""
CELLS_MOST: Final = 250
"""Of a request: a till that joins has some thousand, and the counter waits while they are answered."""


LOOKED_UP: Final = frozenset({"phone", "card"})
"""Fields of a profile that a till may ask head office for, whole."""


class Cell(NamedTuple):
    """One profile field of a member as somebody wrote it; value None: cleared.

    member  for whom it was written; in a survivor's row that may be who was merged into it
    device  who wrote it; `hlc` with it decides      over  the stamp of the value that the writer saw, 0: none
    """

    member: bytes
    field: str
    value: str | None
    hlc: Int64
    device: bytes
    over: Int64 = 0


class CellTaken(NamedTuple):
    """Head office has the cell that was sent with stamp `hlc`; `stands` is the one that won, with the stamp
    that head office counts it with, in the row of `holder`. None: the person was erased."""

    member: bytes
    field: str
    hlc: int
    stands: Cell | None
    holder: bytes


class Reserved(NamedTuple):
    """What is reserved of an asset for one device: its open holds and till-local rights."""

    asset: str
    device: bytes
    amount: int


class MemberRow(NamedTuple):
    """A member as head office has it: state without splits. `feed` is its place in the bucket's feed."""

    member: bytes
    bucket: str
    feed: int
    state: MemberState = EMPTY
    reserved: tuple[Reserved, ...] = ()
    alias: bytes | None = None
    erased: bool = False
    cells: tuple[Cell, ...] = ()


SentRow: TypeAlias = MemberRow | msgspec.Raw
"""A row in an answer. Head office's stores have it as the bytes of `pack_row`, which are sent as they are;
whoever decodes the answer gets a MemberRow."""


class ReferenceRow(NamedTuple):
    """A set of reference data (tiers, rules, prices …), replaced whole; body None: it is gone."""

    key: str
    bucket: str
    feed: int
    version: int
    body: bytes | None


class Cursor(NamedTuple):
    """How far a till has a bucket's feed. `begun` is the head when it began from the start: tombstones up to
    there can't be missed, though `feed` has not come so far yet. The till doesn't look into it."""

    feed: Int64
    begun: Int64


START: Final = Cursor(0, 0)


class Grant(NamedTuple):
    """A till's right to spend offline (RISK): `left` as issued, at most `cap` of one member."""

    id: bytes
    epoch: int
    left: int
    cap: int
    lease_until_ms: int


class SyncRequest(msgspec.Struct, frozen=True, tag="sync"):
    """Push and pull in one. `top`: seq of the till's last event; `events` follow `acked` without a gap.

    digests  now and then, of buckets whose rows the till believes it has all
    app, schema  the till's program and its store's schema, for people to see; they decide nothing
    """

    rid: bytes
    device: bytes
    timeline: Int64
    acked: Place
    top: Int64
    events: tuple[bytes, ...]
    cells: tuple[Cell, ...]
    cursors: dict[str, Cursor]
    wants_grant: bool = True
    digests: dict[str, int] = {}
    protos: tuple[Int64, Int64] = PROTOS
    app: str = ""
    schema: Int64 = 0


class RebaseAnchor(NamedTuple):
    """A link of the till at journal number `number`."""

    number: Int64
    epoch: Int64
    seq: Int64
    chain: bytes


class RebaseRequest(msgspec.Struct, frozen=True, tag="rebase"):
    """The till asks for a new epoch; the same `nonce` gets the same one. Anchors: newest first."""

    rid: bytes
    device: bytes
    epoch: Int64
    nonce: bytes
    anchors: tuple[RebaseAnchor, ...]


class HoldRequest(msgspec.Struct, frozen=True, tag="hold"):
    """Reserve `amount` of a member's asset for a spend on `on`, or `lines` of a sale for a return; `instead`: a
    hold of the same till on the same sale that ends by this one."""

    rid: bytes
    device: bytes
    epoch: Int64
    timeline: Int64
    hold: bytes
    member: bytes | None
    asset: str
    amount: Int64
    on: BusinessDate
    sale: bytes | None = None
    lines: tuple[tuple[Int64, Int64], ...] = ()
    instead: bytes = b""


class SaleRequest(msgspec.Struct, frozen=True, tag="sale"):
    """Which sale has this receipt number? For a return at a till that did not make it. Reserves nothing."""

    rid: bytes
    device: bytes
    epoch: Int64
    timeline: Int64
    receipt: str


class LookRequest(msgspec.Struct, frozen=True, tag="look"):
    """Who has this very phone (E.164) or card number? `field`: one of LOOKED_UP, or of few_digits.FEW."""

    rid: bytes
    device: bytes
    epoch: Int64
    timeline: Int64
    field: str
    value: str


class SnapshotRequest(msgspec.Struct, frozen=True, tag="snapshot"):
    """Frames of a bucket's snapshot from `frame` on, `most` at most; `snapshot` 0: the newest."""

    rid: bytes
    device: bytes
    timeline: Int64
    bucket: str
    snapshot: Int64
    frame: Int64
    most: Int64 = 1


class SyncReply(msgspec.Struct, frozen=True, tag="synced", omit_defaults=True):
    """What head office has of the till, and what is new. `more`: there are further rows behind the cursors.

    refetch  buckets whose cursor is too old: begin them anew      upgrade  only the push was taken
    differs  buckets whose digest was another: begin them anew, and look into it
    clock_skew  a stamp lay so far ahead that it was not believed
    buckets  those that the till has from now on, where its cursors are of others
    """

    rid: bytes
    timeline: int
    now_ms: int
    have: Place
    rows: tuple[SentRow, ...]
    references: tuple[ReferenceRow, ...]
    cursors: dict[str, Cursor]
    more: bool
    cells: tuple[CellTaken, ...]
    grant: Grant | None
    open_holds: tuple[bytes, ...]
    refetch: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    upgrade: bool = False
    clock_skew: bool = False
    buckets: tuple[str, ...] = ()


class Fork(msgspec.Struct, frozen=True, tag="fork"):
    """The till's chain is not the one that head office has: rebase."""

    rid: bytes


class NewTimeline(msgspec.Struct, frozen=True, tag="timeline"):
    """Head office was restored to what it had at `as_of_ms`, and has the till's events up to `have`."""

    rid: bytes
    timeline: int
    have: Place
    as_of_ms: int


class RebaseReply(msgspec.Struct, frozen=True, tag="rebased"):
    """The new epoch begins after the till's own event number `common`, which head office has."""

    rid: bytes
    timeline: int
    epoch: int
    common: int
    as_of_ms: int


class Refusal(msgspec.Struct, frozen=True, tag="refused"):
    """revoked: stop and delete members' data; unknown: enrol anew under supervision; locked: too many rebases;
    no_snapshot: page from the start."""

    rid: bytes
    why: str


class HoldReply(msgspec.Struct, frozen=True, tag="held"):
    """Whether the hold stands. For a return: the sale's bytes, the splits of its entries, what was returned of
    it, by line, when head office had `have` of the asking till, and whether another till has lines reserved."""

    rid: bytes
    hold: bytes
    granted: bool
    sale: bytes | None = None
    splits: tuple[Split, ...] = ()
    returned: tuple[tuple[int, int], ...] = ()
    elsewhere: bool = False
    have: Place | None = None


class SaleReply(msgspec.Struct, frozen=True, tag="sale_found"):
    """The sale of a receipt number: its event and bytes, and beside them what HoldReply says of it.

    why   "" where it was found, else unknown, ambiguous (sales of several tills have this number) or not_now
          (the till's epoch or timeline is over, or head office is recovering)
    rows  of its member, and of who goes on for them, when head office had `have` of the asking till
    """

    rid: bytes
    why: str = ""
    sale: bytes = b""
    body: bytes = b""
    splits: tuple[Split, ...] = ()
    returned: tuple[tuple[int, int], ...] = ()
    elsewhere: bool = False
    rows: tuple[MemberRow, ...] = ()
    have: Place | None = None


class LookReply(msgspec.Struct, frozen=True, tag="looked"):
    """The rows of those members: what comes later reaches the till by its buckets' feeds. `have`: what head
    office had of the asking till; None: the till's epoch or timeline is over. `why`: nobody is offered."""

    rid: bytes
    rows: tuple[MemberRow, ...] = ()
    have: Place | None = None
    offered: tuple[Candidate, ...] = ()
    why: str = ""


class SnapshotReply(msgspec.Struct, frozen=True, tag="frame", dict=True):
    """Frames of a snapshot taken at feed number `feed`, when head office had `have` of the asking device.

    frame   the first of them         of  how many the snapshot has
    frames  as they were written once for all tills: head office doesn't look into them (`frame_of`)
    """

    rid: bytes
    bucket: str
    timeline: int
    snapshot: int
    feed: int
    have: Place
    frame: int
    of: int
    frames: tuple[bytes, ...]
    references: tuple[ReferenceRow, ...]

    @property
    def size(self) -> int:
        """How many rows these frames have, which are not read for it."""
        return sum(len(_frame_parts.decode(each)) for each in self.frames)

    @cached_property
    def rows(self) -> tuple[MemberRow, ...]:
        """The rows of these frames. Raises NotAMessage."""
        return tuple([row for each in self.frames for row in rows_of(each)])


def keepable(text: str) -> bool:
    """Whether every store can keep this text: PostgreSQL has no zero character."""
    return "\0" not in text


def is_name(text: str) -> bool:
    """Whether a text from the network can be an asset's or a field's name."""
    return len(text) <= NAME_MOST and keepable(text)


def digest(rows: Iterable[MemberRow]) -> int:
    """The sum of 64-bit hashes of rows, whatever their order and their places in the feed."""
    return sum(
        int.from_bytes(sha256(_encoder.encode(row._replace(feed=0))).digest()[:8], "big")
        for row in rows
    ) % (1 << 64)


Request: TypeAlias = (
    SyncRequest
    | RebaseRequest
    | HoldRequest
    | SaleRequest
    | LookRequest
    | StaffRequest
    | CardsRequest
    | SnapshotRequest
)
Reply: TypeAlias = (
    SyncReply
    | Fork
    | NewTimeline
    | RebaseReply
    | Refusal
    | HoldReply
    | SaleReply
    | LookReply
    | StaffReply
    | CardsReply
    | SnapshotReply
)


def agreed(theirs: tuple[int, int]) -> int | None:
    """The newest version that both sides speak; None: the other side has to be upgraded."""
    newest = min(theirs[1], PROTOS[1])
    return newest if newest >= max(theirs[0], PROTOS[0]) else None


def _to_plain(value: Any) -> Any:
    if isinstance(value, BusinessDate):
        return int(value)
    raise NotImplementedError(type(value).__name__)


def _from_plain(wanted: type, value: Any) -> Any:
    if wanted is BusinessDate and type(value) is int and abs(value) <= DAY_MOST:
        return BusinessDate(value)
    if wanted is BusinessDate:
        raise ValueError("not a date")
    raise NotImplementedError(wanted.__name__)


_encoder = msgspec.msgpack.Encoder(enc_hook=_to_plain)
_requests = msgspec.msgpack.Decoder(Request, dec_hook=_from_plain)
_rows = msgspec.msgpack.Decoder(MemberRow, dec_hook=_from_plain)
_frames = msgspec.msgpack.Decoder(tuple[MemberRow, ...], dec_hook=_from_plain)
_frame_parts = msgspec.msgpack.Decoder(tuple[msgspec.Raw, ...])
_replies = msgspec.msgpack.Decoder(Reply, dec_hook=_from_plain)


class NotAMessage(ValueError):
    """The bytes are no message of this protocol."""


def to_bytes(message: Request | Reply) -> bytes:
    """The bytes of a message."""
    return _encoder.encode(message)


def pack_row(row: MemberRow) -> bytes:
    """The bytes of a row, as they stand in an answer."""
    return _encoder.encode(row)


def unpack_row(row: SentRow | bytes) -> MemberRow:
    """The row in an answer that was not decoded, or its bytes."""
    return row if isinstance(row, MemberRow) else _rows.decode(row)


def frame_of(rows: Iterable[MemberRow]) -> bytes:
    """The bytes of a snapshot's frame."""
    return _encoder.encode(tuple(rows))


def rows_of(frame: bytes) -> tuple[MemberRow, ...]:
    """The rows of a snapshot's frame. Raises NotAMessage."""
    try:
        rows: tuple[MemberRow, ...] = _frames.decode(frame)
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        raise NotAMessage(str(error)) from error
    return rows


def request_of(body: bytes) -> Request:
    """The request in `body`. Raises NotAMessage."""
    try:
        message: Request = _requests.decode(body)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise NotAMessage(str(error)) from error
    return message


def reply_of(body: bytes) -> Reply:
    """The reply in `body`. Raises NotAMessage."""
    message = unread_reply_of(body)
    if isinstance(message, SnapshotReply):
        _ = message.rows  # Read now: what is in its frames is of the message too.
    return message


def unread_reply_of(body: bytes) -> Reply:
    """The same without a look into frames, for whoever has them read elsewhere. Raises NotAMessage."""
    try:
        message: Reply = _replies.decode(body)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise NotAMessage(str(error)) from error
    return message
