"""Head office's addresses for tills, and the messages there that are no part of the exchange itself: how a till
is let in, how it changes its key, what is said where a request is not answered. Records and bytes alone.

The exchange's own messages are in wire.py; what is signed of all of them is in signing.py.
"""

from __future__ import annotations

from typing import Final, TypeAlias, TypeVar

import msgspec

from app.protocol.links import Int64
from app.protocol.wire import NotAMessage

SYNC: Final = "/v1/sync"
HOLD: Final = "/v1/hold"
SALE: Final = "/v1/sale"
LOOK: Final = "/v1/look"
STAFF: Final = "/v1/staff"
CARDS: Final = "/v1/cards"
REBASE: Final = "/v1/rebase"
SNAPSHOT: Final = "/v1/snapshot"
ENROL: Final = "/v1/enrol"
ROTATE: Final = "/v1/rotate"

MESSAGE: Final = "application/vnd.regulars+msgpack"
"""Content type of wire.py's messages and of these."""
PROBLEM: Final = "application/problem+msgpack"
"""Content type of `Problem`."""
ZSTD: Final = "zstd"
WIRE_BYTES_MOST: Final = 1024 * 1024
"""Of a request's body on the wire."""
BODY_BYTES_MOST: Final = 4 * 1024 * 1024
"""Of a request's body once it is unpacked."""

CODE_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no letter that is taken for a figure."""
CODE_LENGTH: Final = 8
OTHER_CHAIN: Final = "other_chain"
"""The problem's code: the till belongs to another chain than the enrolment code."""
_MISTAKEN: Final = str.maketrans("ILO", "110", " -")


class Enrol(msgspec.Struct, frozen=True, tag="enrol"):
    """A till asks to be let in by a one-time code. The request is signed by the key that it brings, which
    proves that the till holds it. The same code, device and key get the same answer again.

    device  16 bytes of the till's own making    public_key  32 bytes, Ed25519
    timeline  the last one that it knew of this head office, 0: it never had one
    tenant    the chain that it belongs to already, which alone it can come back to; empty: none
    """

    rid: bytes
    device: bytes
    code: str
    public_key: bytes
    timeline: Int64 = 0
    tenant: bytes = b""


class Enrolled(msgspec.Struct, frozen=True, tag="enrolled"):
    """The till is in. `server_key`: what head office's replies are signed with, from now on the only one.

    epoch  the till's current one at head office: 1 where it is new
    """

    rid: bytes
    tenant: bytes
    chain: str
    store: str
    till: str
    home: str
    buckets: tuple[str, ...]
    timeline: int
    epoch: int
    server_key: bytes


class Rotate(msgspec.Struct, frozen=True, tag="rotate"):
    """A till changes its key: the request is signed by the old one, `proof` by the new one over
    `rotation(device, public_key)`. The old one is good until a request comes that the new one signed."""

    rid: bytes
    device: bytes
    public_key: bytes
    proof: bytes


class Rotated(msgspec.Struct, frozen=True, tag="rotated"):
    """The new key is known."""

    rid: bytes


class Problem(msgspec.Struct, frozen=True):
    """Why a request was not answered: nothing of it was done. No words, those are the reader's.

    code           see docs/decisions/head-office-server.md        now_ms  head office's clock
    retry_after_s  not before so many seconds; None: the same request will not do better
    """

    code: str
    now_ms: int
    retry_after_s: int | None = None


Joining: TypeAlias = Enrol | Enrolled | Rotate | Rotated
Asked = TypeVar("Asked", Enrol, Enrolled, Rotate, Rotated, Problem)

_encoder = msgspec.msgpack.Encoder()


def to_bytes(message: Joining | Problem) -> bytes:
    """The bytes of a message."""
    return _encoder.encode(message)


def message_of(body: bytes, wanted: type[Asked]) -> Asked:
    """The message of this kind in `body`. Raises NotAMessage."""
    try:
        return msgspec.msgpack.decode(body, type=wanted)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise NotAMessage(str(error)) from error


def code_of(typed: str) -> str | None:
    """The enrolment code that a person typed, with or without spaces, dashes, small letters; I and L are 1,
    O is 0. None: it is none."""
    code = typed.strip().upper().translate(_MISTAKEN)
    whole = len(code) == CODE_LENGTH and all(letter in CODE_LETTERS for letter in code)
    return code if whole else None


def rotation(device: bytes, public_key: bytes) -> bytes:
    """What the new key signs."""
    return b"regulars-rotate-1\n" + device + public_key
