"""A till's outbox as a file that a person carries to head office: its events, signed with the till's own key.

    regulars outbox 1\\n, the Ed25519 signature of what follows (64 bytes), MessagePack of `Outbox`

Events hold random ids, amounts and dates, no personal value; so the file is sealed against changes, not against
readers. No socket, no file: bytes in and out.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from app.protocol.signing import Sign, Verify
from app.protocol.wire import ID_BYTES

HEAD: Final = b"regulars outbox 1\n"
SIGNATURE_BYTES: Final = 64
FILE_BYTES_MOST: Final = 1 << 30


class Outbox(NamedTuple):
    """Events of a till in their order, from its event number `first` on."""

    tenant: bytes
    device: bytes
    first: int
    events: tuple[bytes, ...]


class NotAnOutbox(ValueError):
    """The bytes are no outbox, or not as the till signed them."""


_decoder = msgspec.msgpack.Decoder(Outbox)


def written(outbox: Outbox, sign: Sign) -> bytes:
    """The file's bytes."""
    body = msgspec.msgpack.encode(outbox)
    return HEAD + sign(HEAD + body) + body


def device_of(blob: bytes) -> bytes:
    """Whose outbox it says it is: nothing is proven yet. Raises NotAnOutbox."""
    return _read(blob).device


def opened(blob: bytes, verify: Verify) -> Outbox:
    """The outbox, once the signature is that till's. Raises NotAnOutbox."""
    outbox = _read(blob)
    at = len(HEAD)
    if not verify(blob[at : at + SIGNATURE_BYTES], HEAD + blob[at + SIGNATURE_BYTES :]):
        raise NotAnOutbox("not as the till signed it")
    return outbox


def _read(blob: bytes) -> Outbox:
    if not blob.startswith(HEAD):
        raise NotAnOutbox("no outbox")
    try:
        found = _decoder.decode(blob[len(HEAD) + SIGNATURE_BYTES :])
    except (msgspec.MsgspecError, ValueError) as error:
        raise NotAnOutbox(str(error)) from error
    if len(found.device) != ID_BYTES or len(found.tenant) != ID_BYTES:
        raise NotAnOutbox("no device")
    return found
