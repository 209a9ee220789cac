"""What till and head office sign of their requests and replies, and the headers that carry it. Pure.

In the manner of RFC 9421 with the digest of RFC 9530, in one fixed form: always the same parts in the same
order. So no message names them: one header has what the reader can't know. The digest is that of the body as
it is on the wire, so nothing is unpacked that nobody signed. Keys and Ed25519 itself are the caller's: `Sign`
and `Verify`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final, NamedTuple

Sign = Callable[[bytes], bytes]
"""The 64-byte signature of some bytes."""
Verify = Callable[[bytes, bytes], bool]
"""Whether `(signature, signed bytes)` belong together."""

HEADER: Final = "regulars"
"""Of a request `epoch.created.` and base64 of rid, device and signature; of a reply `created.` and base64 of
the signature alone, for the till knows what it asked. created: seconds since 1970."""
CLOCK_APART_S: Final = 300
"""`created` may differ so much from the reader's clock."""
RID_KEPT_S: Final = 600
"""So long head office knows a `rid` again: longer than one request's `created` is good."""

_OF_REQUEST: Final = (
    '("@method" "@path" "content-digest" "regulars-rid" "regulars-device" "regulars-epoch")'
)
_OF_REPLY: Final = '("@status" "content-digest" "regulars-rid" "regulars-device")'
_REQUEST: Final = re.compile(r"(0|[1-9][0-9]{0,17})\.([0-9]{1,12})\.([A-Za-z0-9+/]{128})", re.ASCII)
_REPLY: Final = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9+/]{85}[AQgw]==)", re.ASCII)
"""Of its last letter two bits count: only one of the ways to write them is taken."""


class NotSigned(ValueError):
    """The header is not that of a signed message. Nothing was verified yet."""


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
    """A request's header as it came. True of its sender only where `fits` says so."""

    head: RequestHead
    signature: bytes

    def fits(self, body: bytes, verify: Verify) -> bool:
        """Whether this and the body on the wire were signed by the key behind `verify`."""
        return verify(self.signature, _request_base(self.head, body))


class SignedReply(NamedTuple):
    """A reply's header as it came. True only where `fits` says so."""

    status: int
    created_s: int
    signature: bytes

    def fits(self, body: bytes, verify: Verify, *, rid: bytes, device: bytes) -> bool:
        """Whether head office signed this body for this till's request `rid`."""
        head = ReplyHead(self.status, rid, device, self.created_s)
        return verify(self.signature, _reply_base(head, body))


def sign_request(head: RequestHead, body: bytes, sign: Sign) -> dict[str, str]:
    """The header of a request with this body on the wire."""
    parts = head.rid + head.device + sign(_request_base(head, body))
    return {HEADER: f"{head.epoch}.{head.created_s}.{_text(parts)}"}


def sign_reply(head: ReplyHead, body: bytes, sign: Sign) -> dict[str, str]:
    """The header of a reply with this body on the wire."""
    return {HEADER: f"{head.created_s}.{_text(sign(_reply_base(head, body)))}"}


def read_request(method: str, path: str, headers: Mapping[str, str]) -> SignedRequest:
    """The signed header of a request; names in lower case. Raises NotSigned."""
    epoch, created_s, text = _parts(headers, _REQUEST)
    parts = base64.b64decode(text)
    head = RequestHead(method, path, parts[:16], parts[16:32], int(epoch), int(created_s))
    return SignedRequest(head, parts[32:])


def read_reply(status: int, headers: Mapping[str, str]) -> SignedReply:
    """The signed header of a reply; names in lower case. Raises NotSigned."""
    created_s, text = _parts(headers, _REPLY)
    return SignedReply(status, int(created_s), base64.b64decode(text))


def _request_base(head: RequestHead, body: bytes) -> bytes:
    """The signature base of RFC 9421 section 2.5."""
    lines = (
        f'"@method": {head.method}',
        f'"@path": {head.path}',
        f'"content-digest": {_digest(body)}',
        f'"regulars-rid": {head.rid.hex()}',
        f'"regulars-device": {head.device.hex()}',
        f'"regulars-epoch": {head.epoch}',
        f'"@signature-params": {_parameters(_OF_REQUEST, head.created_s)}',
    )
    return "\n".join(lines).encode()


def _reply_base(head: ReplyHead, body: bytes) -> bytes:
    lines = (
        f'"@status": {head.status}',
        f'"content-digest": {_digest(body)}',
        f'"regulars-rid": {head.rid.hex()}',
        f'"regulars-device": {head.device.hex()}',
        f'"@signature-params": {_parameters(_OF_REPLY, head.created_s)}',
    )
    return "\n".join(lines).encode()


def _parameters(parts: str, created_s: int) -> str:
    return f'{parts};created={created_s};alg="ed25519"'


def _digest(body: bytes) -> str:
    return f"sha-256=:{_text(sha256(body).digest())}:"


def _text(some: bytes) -> str:
    return base64.b64encode(some).decode()


def _parts(headers: Mapping[str, str], form: re.Pattern[str]) -> tuple[str, ...]:
    found = form.fullmatch(headers.get(HEADER, ""))
    if found is None:
        raise NotSigned(HEADER)
    return found.groups()
