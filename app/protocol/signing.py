"""What till and head office sign of their requests and replies, and the headers that carry it. Pure.

In the manner of RFC 9421 with the digest of RFC 9530, in one fixed form: always the same parts in the same
order, anything else is not signed. The digest is that of the body as it is on the wire, so nothing is unpacked
that nobody signed. Keys and Ed25519 itself are the caller's: `Sign` and `Verify`.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final, NamedTuple

Sign = Callable[[bytes], bytes]
"""The 64-byte signature of some bytes."""
Verify = Callable[[bytes, bytes], bool]
"""Whether `(signature, signed bytes)` belong together."""

DIGEST: Final = "content-digest"
DEVICE: Final = "regulars-device"
EPOCH: Final = "regulars-epoch"
RID: Final = "regulars-rid"
INPUT: Final = "signature-input"
SIGNATURE: Final = "signature"
CLOCK_APART_S: Final = 300
"""`created` may differ so much from the reader's clock."""
RID_KEPT_S: Final = 600
"""So long head office knows a `rid` again: longer than one request's `created` is good."""

_OF_REQUEST: Final = f'("@method" "@path" "{DIGEST}" "{RID}" "{DEVICE}" "{EPOCH}")'
_OF_REPLY: Final = f'("@status" "{DIGEST}" "{RID}" "{DEVICE}")'
_PARAMETERS: Final = re.compile(r"regulars=(\([^()]*\));created=([0-9]{1,12});alg=\"ed25519\"")
_SIGNATURE: Final = re.compile(r"regulars=:([A-Za-z0-9+/]{86}==):")
_DIGEST: Final = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_EPOCH: Final = re.compile(r"0|[1-9][0-9]{0,17}")


class NotSigned(ValueError):
    """The headers are not those of a signed message; the text names the header. Nothing was verified yet."""


class RequestHead(NamedTuple):
    """What a till says of its request. `rid`, `device`: 16 bytes; created_s: seconds since 1970, the till's."""

    method: str
    path: str
    rid: bytes
    device: bytes
    epoch: int
    created_s: int


class ReplyHead(NamedTuple):
    """What head office says of its reply: to which request of which till. created_s: its own clock."""

    status: int
    rid: bytes
    device: bytes
    created_s: int


class SignedRequest(NamedTuple):
    """A request's headers as they came. True of its sender only where `fits` says so."""

    head: RequestHead
    digest: bytes
    signature: bytes

    def fits(self, body: bytes, verify: Verify) -> bool:
        """Whether the body on the wire is the one that was signed, by the key behind `verify`."""
        same = hmac.compare_digest(self.digest, sha256(body).digest())
        return same and verify(self.signature, _request_base(self.head, self.digest))


class SignedReply(NamedTuple):
    """A reply's headers as they came. True only where `fits` says so."""

    head: ReplyHead
    digest: bytes
    signature: bytes

    def fits(self, body: bytes, verify: Verify, *, rid: bytes, device: bytes) -> bool:
        """Whether head office signed this body for this till's request `rid`."""
        mine = (self.head.rid, self.head.device) == (rid, device)
        same = hmac.compare_digest(self.digest, sha256(body).digest())
        return mine and same and verify(self.signature, _reply_base(self.head, self.digest))


def sign_request(head: RequestHead, body: bytes, sign: Sign) -> dict[str, str]:
    """The headers of a request with this body on the wire."""
    digest = sha256(body).digest()
    return {
        DIGEST: _digest_text(digest),
        RID: head.rid.hex(),
        DEVICE: head.device.hex(),
        EPOCH: str(head.epoch),
        INPUT: f"regulars={_parameters(_OF_REQUEST, head.created_s)}",
        SIGNATURE: _signature_text(sign(_request_base(head, digest))),
    }


def sign_reply(head: ReplyHead, body: bytes, sign: Sign) -> dict[str, str]:
    """The headers of a reply with this body on the wire."""
    digest = sha256(body).digest()
    return {
        DIGEST: _digest_text(digest),
        RID: head.rid.hex(),
        DEVICE: head.device.hex(),
        INPUT: f"regulars={_parameters(_OF_REPLY, head.created_s)}",
        SIGNATURE: _signature_text(sign(_reply_base(head, digest))),
    }


def read_request(method: str, path: str, headers: Mapping[str, str]) -> SignedRequest:
    """The signed headers of a request; names in lower case. Raises NotSigned."""
    created_s = _created_s(headers, _OF_REQUEST)
    epoch = _text(headers, EPOCH, _EPOCH)
    head = RequestHead(method, path, _id(headers, RID), _id(headers, DEVICE), int(epoch), created_s)
    return SignedRequest(
        head, _bytes(headers, DIGEST, _DIGEST), _bytes(headers, SIGNATURE, _SIGNATURE)
    )


def read_reply(status: int, headers: Mapping[str, str]) -> SignedReply:
    """The signed headers of a reply; names in lower case. Raises NotSigned."""
    created_s = _created_s(headers, _OF_REPLY)
    head = ReplyHead(status, _id(headers, RID), _id(headers, DEVICE), created_s)
    return SignedReply(
        head, _bytes(headers, DIGEST, _DIGEST), _bytes(headers, SIGNATURE, _SIGNATURE)
    )


def _request_base(head: RequestHead, digest: bytes) -> bytes:
    """The signature base of RFC 9421 section 2.5."""
    lines = (
        f'"@method": {head.method}',
        f'"@path": {head.path}',
        f'"{DIGEST}": {_digest_text(digest)}',
        f'"{RID}": {head.rid.hex()}',
        f'"{DEVICE}": {head.device.hex()}',
        f'"{EPOCH}": {head.epoch}',
        f'"@signature-params": {_parameters(_OF_REQUEST, head.created_s)}',
    )
    return "\n".join(lines).encode()


def _reply_base(head: ReplyHead, digest: bytes) -> bytes:
    lines = (
        f'"@status": {head.status}',
        f'"{DIGEST}": {_digest_text(digest)}',
        f'"{RID}": {head.rid.hex()}',
        f'"{DEVICE}": {head.device.hex()}',
        f'"@signature-params": {_parameters(_OF_REPLY, head.created_s)}',
    )
    return "\n".join(lines).encode()


def _parameters(parts: str, created_s: int) -> str:
    return f'{parts};created={created_s};alg="ed25519"'


def _digest_text(digest: bytes) -> str:
    return f"sha-256=:{base64.b64encode(digest).decode()}:"


def _signature_text(signature: bytes) -> str:
    return f"regulars=:{base64.b64encode(signature).decode()}:"


def _created_s(headers: Mapping[str, str], parts: str) -> int:
    found = _PARAMETERS.fullmatch(headers.get(INPUT, ""))
    if found is None or found[1] != parts:
        raise NotSigned(INPUT)
    return int(found[2])


def _text(headers: Mapping[str, str], name: str, form: re.Pattern[str]) -> str:
    value = headers.get(name, "")
    if form.fullmatch(value) is None:
        raise NotSigned(name)
    return value


def _id(headers: Mapping[str, str], name: str) -> bytes:
    return bytes.fromhex(_text(headers, name, _ID))


def _bytes(headers: Mapping[str, str], name: str, form: re.Pattern[str]) -> bytes:
    found = form.fullmatch(headers.get(name, ""))
    if found is None:
        raise NotSigned(name)
    try:
        return base64.b64decode(found[1], validate=True)
    except binascii.Error as error:
        raise NotSigned(name) from error
