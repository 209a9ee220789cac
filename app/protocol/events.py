"""Event bytes and the hash chain (architecture.md section 1, ideas 1 and 2).

An event is a JSON object: UTF-8, keys sorted, integers, no float, no blank. It is written once and never
serialised again; hashes are taken over the stored bytes. Nothing personal is in it (domain.md section 2).

Keys of every event:
  v         1, the version of this layout
  id, cmd   event id and command id, 32 hex digits each
  device    the till's device id, 32 hex digits; with `epoch` and `seq` (gap-free from 1) its place
  kind      what happened, e.g. "sale"
  at, off   instant in microseconds of UTC as the till's clock had it, and the zone's offset in minutes
  bd        business date, ISO text
  staff, shift, member   ids as hex, or null
  entries   list of [n, asset, kind, amount, business date, available from, expires, minimum expiry,
            ref event, ref n, detail]; dates as days since 1970-01-01, ids as hex, null where absent
  doc       the facts of this kind
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, TypeAlias

import msgspec

Plain: TypeAlias = None | bool | int | str | list["Plain"] | dict[str, "Plain"]
"""What an event may hold."""

VERSION: Final = 1
HASH_BYTES: Final = 32

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder()


class NotCanonical(ValueError):
    """A value that may not enter an event (a float, a non-text key), or bytes that no till writes."""


def encode(event: dict[str, Any]) -> bytes:
    """The bytes of an event. Raises NotCanonical on a value that JSON or the ledger can't hold exactly."""
    _check(event)
    return _encoder.encode(event)


def decode(body: bytes) -> dict[str, Any]:
    """The event in `body`. Raises NotCanonical when these are not bytes that `encode` made."""
    try:
        event = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotCanonical(str(error)) from error
    if not isinstance(event, dict):
        raise NotCanonical("an event is an object")
    if encode(event) != body:
        raise NotCanonical("the bytes are not in canonical form")
    return event


def chain_start(tenant: bytes, device: bytes, epoch: int) -> bytes:
    """The hash before the first event of a till's epoch."""
    return hashlib.sha256(b"regulars chain 1" + tenant + device + epoch.to_bytes(8, "big")).digest()


def chain(previous: bytes, body: bytes) -> bytes:
    """h = SHA-256(previous ‖ length as 8 bytes big-endian ‖ exact stored bytes)."""
    return hashlib.sha256(previous + len(body).to_bytes(8, "big") + body).digest()


def _check(value: object) -> None:
    kind = type(value)
    if kind is dict:
        for key, inner in value.items():  # type: ignore[attr-defined]  # narrowed by `kind`, for speed
            if type(key) is not str:
                raise NotCanonical(f"key {key!r} is not text")
            if type(inner) not in _LEAVES:
                _check(inner)
    elif kind is list or kind is tuple:
        for inner in value:  # type: ignore[attr-defined]  # narrowed by `kind`, for speed
            if type(inner) not in _LEAVES:
                _check(inner)
    elif kind not in _LEAVES:
        raise NotCanonical(f"{kind.__name__} may not enter an event")


_LEAVES: Final = frozenset({int, str, bool, type(None)})
