"""Event bytes and the hash chain (architecture.md section 1, ideas 1 and 2).

An event is a JSON object: UTF-8, keys sorted, integers, no float, no blank. It is written once and never
serialised again; hashes are taken over the stored bytes. Nothing personal is in it (domain.md section 2).

Keys of every event:
  v         1, the version of this layout
  id, cmd   event id and command id, 32 hex digits each
  device    the till's device id, 32 hex digits
  kind      what happened, e.g. "sale"
  at, off   instant in microseconds of UTC as the till's clock had it, and the zone's offset in minutes
  bd        business date, days since 1970-01-01
  pv        programme version, or null
  staff, shift, member   ids as hex, or null
  entries   list of [n, asset, kind, amount, business date, available from, expires, minimum expiry,
            ref event, ref n]; dates as days since 1970-01-01, ids as hex, null where absent
  doc       the facts of this kind

Its place stands beside the bytes, not in them: the epoch, and `seq`, gap-free from 1 within the till's journal,
which the chain binds. So a till that is found to be a fork keeps its events, to the byte, in a new epoch
(sync.md section 2).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import msgspec

Plain: TypeAlias = None | bool | int | str | list["Plain"] | dict[str, "Plain"]
"""What an event may hold."""

VERSION: Final = 1
HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Event:
    """One committed fact of a till. Ids are 16 bytes; `business_date` is days since 1970-01-01."""

    id: bytes
    command_id: bytes
    device: bytes
    epoch: int
    seq: int
    kind: str
    at_us: int
    offset_min: int
    business_date: int
    staff_id: bytes | None
    shift_id: bytes | None
    member_id: bytes | None
    programme: int | None
    entries: list[list[Any]]
    doc: dict[str, Any]
    sync: dict[str, Any] | None = None
    """What only head office asks for (app/protocol/facts.py); None where there is nothing of it."""

    def to_bytes(self) -> bytes:
        """The bytes to chain and store, once. Raises NotCanonical."""
        return encode(
            {
                "v": VERSION,
                "id": self.id.hex(),
                "cmd": self.command_id.hex(),
                "device": self.device.hex(),
                "kind": self.kind,
                "at": self.at_us,
                "off": self.offset_min,
                "bd": self.business_date,
                "staff": _hex(self.staff_id),
                "shift": _hex(self.shift_id),
                "member": _hex(self.member_id),
                "pv": self.programme,
                "entries": self.entries,
                "doc": self.doc,
                **({"sync": self.sync} if self.sync else {}),
            }
        )

    @classmethod
    def from_bytes(cls, body: bytes, *, epoch: int, seq: int) -> Event:
        """The event in stored bytes, at its place. Raises NotCanonical on anything that no till writes."""
        plain = decode(body)
        if plain.get("v") != VERSION:
            raise NotCanonical(f"layout version {plain.get('v')!r}")
        try:
            return cls(
                id=bytes.fromhex(plain["id"]),
                command_id=bytes.fromhex(plain["cmd"]),
                device=bytes.fromhex(plain["device"]),
                epoch=epoch,
                seq=seq,
                kind=plain["kind"],
                at_us=plain["at"],
                offset_min=plain["off"],
                business_date=plain["bd"],
                staff_id=_unhex(plain["staff"]),
                shift_id=_unhex(plain["shift"]),
                member_id=_unhex(plain["member"]),
                programme=plain["pv"],
                entries=plain["entries"],
                doc=plain["doc"],
                sync=plain.get("sync"),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise NotCanonical(f"not an event: {error}") from error


_encoder = msgspec.json.Encoder(order="deterministic")


class NotCanonical(ValueError):
    """A value that may not enter an event (a float, a non-text key), or bytes that no till writes."""


def _refuse_float(text: str) -> None:
    raise NotCanonical(f"float {text} may not enter an event")


_decoder = msgspec.json.Decoder(float_hook=_refuse_float)
"""Of what JSON can hold, a float alone may not enter an event; so nothing decoded needs `_check`."""


def encode(event: dict[str, Any]) -> bytes:
    """The bytes of an event. Raises NotCanonical on a value that JSON or the ledger can't hold exactly."""
    _check(event)
    try:
        return _encoder.encode(event)
    except RecursionError as error:
        raise NotCanonical(str(error)) from error


def decode(body: bytes) -> dict[str, Any]:
    """The event in `body`. Raises NotCanonical when these are not bytes that `encode` made."""
    try:
        event = _decoder.decode(body)
        again = _encoder.encode(event)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotCanonical(str(error)) from error
    if not isinstance(event, dict):
        raise NotCanonical("an event is an object")
    if again != body:
        raise NotCanonical("the bytes are not in canonical form")
    return event


def chain_start(tenant: bytes, device: bytes, epoch: int) -> bytes:
    """The hash before the first event of a till's epoch."""
    return hashlib.sha256(b"regulars chain 1" + tenant + device + epoch.to_bytes(8, "big")).digest()


def chain(previous: bytes, body: bytes) -> bytes:
    """h = SHA-256(previous ‖ length as 8 bytes big-endian ‖ exact stored bytes)."""
    return hashlib.sha256(previous + len(body).to_bytes(8, "big") + body).digest()


def micros(instant: datetime) -> int:
    """Microseconds of UTC since 1970."""
    whole = int(instant.replace(microsecond=0).timestamp())
    return whole * 1_000_000 + instant.microsecond


def instant_of(at_us: int) -> datetime:
    """The aware UTC instant of microseconds since 1970."""
    seconds, rest = divmod(at_us, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _unhex(value: str | None) -> bytes | None:
    return None if value is None else bytes.fromhex(value)


def _check(event: object) -> None:
    """Look at every value, with the types of a whole dict or list at a time: an event has some 200
    values and each sale waits for this."""
    inner: list[Any] = [event]
    while inner:
        value = inner.pop()
        if type(value) is dict:
            if not _TEXT.issuperset(map(type, value)):
                raise NotCanonical(f"a key of {list(value)} is not text")
            value = value.values()
        elif type(value) is not list and type(value) is not tuple:
            raise NotCanonical(f"{type(value).__name__} may not enter an event")
        if not _LEAVES.issuperset(map(type, value)):
            inner += [each for each in value if type(each) not in _LEAVES]


_TEXT: Final = frozenset({str})
_LEAVES: Final = frozenset({int, str, bool, type(None)})
