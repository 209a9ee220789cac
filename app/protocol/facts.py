"""What the protocol reads of an event: who, what, which entries and by which authority. Pure.

The chain takes event bytes as they are. What stands in them is read here, once, into `Facts`; an event that
can't be read is quarantined by the caller, never refused. The keys are those of app/protocol/events.py; an
entry may have an eleventh value, its authority, and a key "sync" holds what only head office asks for:

  hold      the hold that a capture, a void of a hold or a return uses up, hex
  grant     the grant that is closed, hex
  nonce     the rebase that this fence ends, hex
  release   [asset, amount]: rights that the till gives up (kind RELEASE)
  sold      [[line, quantity], ...] of a sale
  returned  [sale's event, [[line, quantity, points taken back, points restored], ...]] of a return
  source    the member that a merge brings to this one, or whom its undoing takes away again; of a forward the
            event that it stands for; hex
  passed    the merges, by the event at each survivor, through which a forward came here, hex
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

import msgspec

from app.domain.business_day import BusinessDate
from app.domain.entries import CARRIED, Entry, EntryId, Kind
from app.protocol import events
from app.protocol.accounts import has_account
from app.protocol.wire import DAY_MOST, is_name

HOLD_VOID: Final = "hold_void"
GRANT_CLOSE: Final = "grant_close"
RELEASE: Final = "rights_release"
FENCE: Final = "fence"
CONTROL: Final = frozenset({HOLD_VOID, GRANT_CLOSE, RELEASE, FENCE})
"""Kinds of event that change rights and no balance. Only the till writes them (sync.md section 3)."""
MERGE: Final = "merge"
UNMERGE: Final = "unmerge"
TRANSFERS: Final = frozenset({MERGE, UNMERGE})
"""Kinds of event that carry what one member has over to another. Only head office writes them."""

AMOUNT_MOST: Final = 10**15
"""No entry, right or quantity is larger: every store's integers hold sums of such."""

READ_MOST: Final = 2_000
"""Facts of so many events are remembered: head office looks at an event more than once, and a group at many."""


class NotReadable(ValueError):
    """The bytes are no event that this version understands."""


class Authority(NamedTuple):
    """By which right an entry spends; on a credit, LOCAL: the till keeps the right to spend it."""

    kind: Literal["hold", "local", "risk", "override"]
    id: bytes = b""

    def text(self) -> str:
        """As an entry holds it, e.g. "risk:<hex>" or "local"."""
        return f"{self.kind}:{self.id.hex()}" if self.id else self.kind


LOCAL: Final = Authority("local")
OVERRIDE: Final = Authority("override")


class Posting(NamedTuple):
    """An entry and its authority; None: none is needed, or it is a spend that names none."""

    entry: Entry
    authority: Authority | None = None


class Returned(NamedTuple):
    """A part of a return: `quantity` of a sale's line, points taken back and restored for it (>= 0).

    A void of a return gives its units back with a quantity below zero and no points: its entries say those.
    """

    line: int
    quantity: int
    taken: int
    restored: int


class Facts(NamedTuple):
    """One event, as far as the protocol knows it. `on` is its business date."""

    id: bytes
    kind: str
    member: bytes | None
    on: BusinessDate
    postings: tuple[Posting, ...] = ()
    hold: bytes | None = None
    grant: bytes | None = None
    nonce: bytes | None = None
    release: tuple[str, int] | None = None
    sold: tuple[tuple[int, int], ...] = ()
    sale: bytes | None = None
    returned: tuple[Returned, ...] = ()
    source: bytes | None = None
    passed: tuple[bytes, ...] = ()

    @property
    def only_ours(self) -> bool:
        """Whether nobody but head office may write such an event."""
        own = bool(self.source or self.passed) or self.kind in TRANSFERS
        return own or any(posting.entry.asset.startswith(CARRIED) for posting in self.postings)


class _Row(msgspec.Struct, array_like=True, frozen=True):
    n: int
    asset: str
    kind: Kind
    amount: int
    on: int
    available_from: int | None = None
    expires: int | None = None
    minimum_expiry: int | None = None
    ref: str | None = None
    ref_n: int | None = None
    authority: str | None = None


class _Sync(msgspec.Struct, frozen=True):
    hold: str | None = None
    grant: str | None = None
    nonce: str | None = None
    release: tuple[str, int] | None = None
    sold: tuple[tuple[int, int], ...] = ()
    returned: tuple[str, tuple[tuple[int, int, int, int], ...]] | None = None
    source: str | None = None
    passed: tuple[str, ...] = ()


class _Event(msgspec.Struct, frozen=True):
    v: int
    id: str
    kind: str
    bd: int
    member: str | None = None
    entries: tuple[_Row, ...] = ()
    sync: _Sync = _Sync()


_decoder = msgspec.json.Decoder(_Event)


@lru_cache(maxsize=READ_MOST)
def read(body: bytes) -> Facts:
    """The facts of an event. Raises NotReadable on anything that this version can't apply whole."""
    try:
        event = _decoder.decode(body)
        facts = _facts(event)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise NotReadable(str(error)) from error
    _check(event, facts)
    return facts


def _facts(event: _Event) -> Facts:
    sync = event.sync
    sale, parts = sync.returned or (None, ())
    event_id = _id(event.id)
    return Facts(
        event_id,
        event.kind,
        _id_or_none(event.member),
        BusinessDate(event.bd),
        tuple([_posting(event_id, row) for row in event.entries]),
        _id_or_none(sync.hold),
        _id_or_none(sync.grant),
        _id_or_none(sync.nonce),
        sync.release,
        sync.sold,
        _id_or_none(sale),
        tuple([Returned(*part) for part in parts]),
        _id_or_none(sync.source),
        tuple([_id(each) for each in sync.passed]),
    )


def _check(event: _Event, facts: Facts) -> None:
    if not 1 <= event.v <= events.VERSION:
        raise NotReadable(f"layout version {event.v}")
    if facts.postings and facts.member is None:
        raise NotReadable("entries belong to a member")
    if facts.postings and facts.kind in CONTROL:
        raise NotReadable("an event about rights has no entries")
    if facts.release is not None and not 0 <= facts.release[1] <= AMOUNT_MOST:
        raise NotReadable("rights are given up, not taken")
    if abs(facts.on) > DAY_MOST:
        raise NotReadable("a date out of all bounds")
    for n, posting in enumerate(facts.postings):
        _check_posting(n, event.entries[n].n, *posting)
    for part in facts.sold:
        _check_part(part)
    for returned in facts.returned:
        if not _kept_again(returned):
            _check_part(returned)


def _check_posting(n: int, named: int, entry: Entry, by: Authority | None) -> None:
    if named != n:
        raise NotReadable("entries are numbered from 0")
    if by is not None and not has_account(entry.asset):
        raise NotReadable("no authority spends a measure")
    if abs(entry.amount) > AMOUNT_MOST:
        raise NotReadable("an amount out of all bounds")
    if by is not None and entry.amount > 0 and by != LOCAL:
        raise NotReadable("a credit needs no authority")
    if not is_name(entry.asset):
        raise NotReadable("no store could keep this asset")
    if entry.refers_to and not 0 <= entry.refers_to.n <= AMOUNT_MOST:
        raise NotReadable("an event has no such entry")
    # Business date, available from, expires, minimum expiry.
    for date in entry[4:8]:
        if date is not None and abs(date) > DAY_MOST:
            raise NotReadable("a date out of all bounds")


def _check_part(part: tuple[int, ...]) -> None:
    if min(part) < 0 or max(part) > AMOUNT_MOST:
        raise NotReadable("lines and quantities are not below zero")


def _kept_again(part: Returned) -> bool:
    """Units of a return that was voided: they can be returned again."""
    return -AMOUNT_MOST <= part.quantity < 0 <= part.line <= AMOUNT_MOST and part[2:] == (0, 0)


def write(facts: Facts) -> bytes:
    """The bytes of an event that has no more than these facts: head office's own, and the simulator's."""
    return events.encode(
        {
            "v": events.VERSION,
            "id": facts.id.hex(),
            "kind": facts.kind,
            "member": _hex(facts.member),
            "bd": int(facts.on),
            "entries": [plain_entry(*posting) for posting in facts.postings],
            "sync": plain_sync(facts),
        }
    )


def plain_sync(facts: Facts) -> dict[str, Any]:
    """What the key "sync" of an event holds of these facts; {} where head office asks for nothing more."""
    sync: dict[str, Any] = {
        "hold": _hex(facts.hold),
        "grant": _hex(facts.grant),
        "nonce": _hex(facts.nonce),
        "release": None if facts.release is None else list(facts.release),
        "sold": [list(each) for each in facts.sold],
        "returned": None
        if facts.sale is None
        else [facts.sale.hex(), [list(part) for part in facts.returned]],
        "source": _hex(facts.source),
        "passed": [each.hex() for each in facts.passed],
    }
    return {key: value for key, value in sync.items() if value}


def _posting(event_id: bytes, row: _Row) -> Posting:
    refers_to = None
    if row.ref is not None and row.ref_n is not None:
        refers_to = EntryId(_id(row.ref), row.ref_n)
    entry = Entry(
        EntryId(event_id, row.n), row.asset, row.kind, row.amount, BusinessDate(row.on),
        _date(row.available_from), _date(row.expires), _date(row.minimum_expiry), refers_to,
    )  # fmt: skip
    return Posting(entry, None if row.authority is None else _authority(row.authority))


def plain_entry(entry: Entry, authority: Authority | None = None) -> list[Any]:
    """An entry as an event holds it, with its authority where it has one."""
    ref = entry.refers_to
    row = [
        entry.id.n, entry.asset, entry.kind, entry.amount, int(entry.business_date),
        _int(entry.available_from), _int(entry.expires), _int(entry.minimum_expiry),
        None if ref is None else ref.event.hex(), None if ref is None else ref.n,
    ]  # fmt: skip
    return row if authority is None else [*row, authority.text()]


def _authority(text: str) -> Authority:
    kind, _, key = text.partition(":")
    if kind == "hold" and key:
        return Authority("hold", _id(key))
    if kind == "risk" and key:
        return Authority("risk", _id(key))
    for whole in (LOCAL, OVERRIDE):
        if text == whole.kind:
            return whole
    raise NotReadable(f"authority {text!r}")


def _id(text: str) -> bytes:
    value = bytes.fromhex(text)
    if len(value) != 16:
        raise NotReadable("an id has 16 bytes")
    return value


def _id_or_none(text: str | None) -> bytes | None:
    return None if text is None else _id(text)


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _date(value: int | None) -> BusinessDate | None:
    return None if value is None else BusinessDate(value)


def _int(value: BusinessDate | None) -> int | None:
    return None if value is None else int(value)
