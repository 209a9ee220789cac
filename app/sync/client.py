"""One signed question to head office over HTTP, and its answer, which counts only when head office signed it.

Nothing here knows what is asked; no answer in time, a broken line and a stranger's answer are all `NoAnswer`.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakSet

import httpx
import zstandard
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.protocol.endpoints import BODY_BYTES_MOST, MESSAGE, PROBLEM, ZSTD, Problem, message_of
from app.protocol.signing import (
    NotSigned,
    RequestHead,
    SignedReply,
    Verify,
    read_reply,
    sign_request,
)
from app.protocol.wire import NotAMessage

CONNECT_S: Final = 5.0
ANSWER_S: Final = 30.0
KEPT_S: Final = 70.0
"""So long a connection waits for the next question: longer than a quiet exchange does, or each poll and each
reservation at the counter would begin with the handshakes of TCP and TLS, three journeys in place of one;
shorter than head office keeps it."""
_COMPRESS_FROM: Final = 512
"""Bytes of a body from which on it is compressed: below it costs more than it saves."""
_LEVEL: Final = 3
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_PLAIN_MOST: Final = 4 * BODY_BYTES_MOST
"""Bytes of an answer once it is unpacked: a page of members is a fraction of it."""


class NoAnswer(Exception):
    """Head office can't be reached, or what came back is not its own. `why` is for the log."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Stranger(NoAnswer):
    """Somebody answered and signed, by another key than head office's."""


class Refused(Exception):
    """Head office said no, signed (docs/decisions/head-office-server.md names the codes)."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def is_secure(address: str) -> bool:
    """Whether nobody on the way reads names and phones, or head office's key (security.md T7)."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme != "http" or parts.hostname in _LOOPBACK


def public_key_of(seed: bytes) -> bytes:
    """The 32 bytes by which head office knows this till's signatures."""
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def verify_by(public_key: bytes) -> Verify:
    """Whether a signature is this key's."""
    key = Ed25519PublicKey.from_public_bytes(public_key)

    def verify(signature: bytes, signed: bytes) -> bool:
        try:
            key.verify(signature, signed)
        except InvalidSignature:
            return False
        return True

    return verify


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed. Read once: a line is opened anew after each failure."""
    return httpx.create_ssl_context(trust_env=False)


class Pool(httpx.Client):
    """Connections that can be let go while somebody reads from them: to close a socket wakes nobody who waits
    for it, to shut it down does."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._lock = threading.Lock()
        self._sockets = WeakSet[socket.socket]()
        self._shut = False

    def connected(self, name: str, info: dict[str, Any]) -> None:
        """What the transport tells of a question on its way (httpcore's trace extension)."""
        if name in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            made = info["return_value"].get_extra_info("socket")
            with self._lock:
                self._sockets.add(made)
                shut = self._shut
            if shut:
                _shut_down(made)

    def close(self) -> None:
        with self._lock:
            self._shut = True
            sockets = list(self._sockets)
        for each in sockets:
            _shut_down(each)
        super().close()


def _shut_down(each: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it may be closed, or the other end gone
        # Not TLS's own: its reader is still at work.
        socket.socket.shutdown(each, socket.SHUT_RDWR)


def connections_to(address: str) -> Pool:
    """Connections to a head office, kept open between questions, for any thread. Raises httpx.InvalidURL."""
    made = Pool(
        base_url=address,
        timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
        limits=httpx.Limits(keepalive_expiry=KEPT_S),
        # What the machine says of proxies is for browsers; a shop's till talks to its own head office.
        trust_env=False,
        verify=_trusted(),
    )
    # What a library tells of itself by default is a tenth of what a quiet poll sends.
    made.headers.clear()
    return made


class HeadOffice:
    """A line to head office. One thread at a time.

    their_key   what it signs with; None while a till asks to be let in and learns it from the answer
    clock_s     this till's clock, which head office compares with its own
    shared      connections that are somebody else's to close; None: its own
    """

    def __init__(
        self,
        address: str,
        device: bytes,
        seed: bytes,
        their_key: bytes | None,
        clock_s: Callable[[], float],
        shared: Pool | None = None,
    ) -> None:
        self.device = device
        self.their_key = their_key
        self._sign = Ed25519PrivateKey.from_private_bytes(seed).sign
        self._clock_s = clock_s
        self._own = shared is None
        self._http = connections_to(address) if shared is None else shared

    def close(self) -> None:
        """Let the line go."""
        if self._own:
            self._http.close()

    def ask(
        self,
        path: str,
        rid: bytes,
        epoch: int,
        message: bytes,
        *,
        within_s: float = ANSWER_S,
        their_key: Callable[[bytes], bytes] | None = None,
    ) -> bytes:
        """The body of the answer. `their_key` finds the key in the answer itself, for a till that is let in.

        Raises NoAnswer and Refused.
        """
        body, headers = message, {"content-type": MESSAGE, "accept-encoding": ZSTD}
        if len(message) >= _COMPRESS_FROM:
            body = zstandard.ZstdCompressor(level=_LEVEL).compress(message)
            headers["content-encoding"] = ZSTD
        head = RequestHead("POST", path, rid, self.device, epoch, int(self._clock_s()))
        headers |= sign_request(head, body, self._sign)
        timeout = httpx.Timeout(within_s, connect=min(within_s, CONNECT_S))
        try:
            with self._http.stream(
                "POST", path, content=body, headers=headers, timeout=timeout,
                extensions={"trace": self._http.connected},
            ) as answer:  # fmt: skip
                on_the_wire = _bounded(answer.iter_raw(), until_s=time.monotonic() + within_s)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError, UnicodeError) as error:
            # RuntimeError: the line was let go while it waited. UnicodeError: no name could be so.
            raise NoAnswer(type(error).__name__) from error
        return self._believed(answer, on_the_wire, rid, their_key)

    def _believed(
        self,
        answer: httpx.Response,
        on_the_wire: bytes,
        rid: bytes,
        their_key: Callable[[bytes], bytes] | None,
    ) -> bytes:
        try:
            signed = read_reply(answer.status_code, answer.headers)
            problem, key = answer.headers.get("content-type") == PROBLEM, self.their_key
            if key is not None:
                _require(signed, on_the_wire, key, rid, self.device)  # Before it is unpacked.
            plain = _unpacked(on_the_wire, answer.headers.get("content-encoding", ""))
            told = message_of(plain, Problem) if problem else None
            if key is None and their_key is not None and told is None:
                key = their_key(plain)
                _require(signed, on_the_wire, key, rid, self.device)
        except (NotSigned, NotAMessage, ValueError, zstandard.ZstdError) as error:
            raise NoAnswer(f"status {answer.status_code}, {type(error).__name__}") from error
        if key is None and told is None:
            raise NoAnswer("an answer that nobody signed")
        if told is not None:
            raise Refused(told)
        return plain


def _require(signed: SignedReply, body: bytes, key: bytes, rid: bytes, device: bytes) -> None:
    if not signed.fits(body, verify_by(key), rid=rid, device=device):
        raise Stranger("the signature is not head office's")


def _bounded(parts: Iterable[bytes], *, until_s: float) -> bytes:
    """All of it, in time: the time limit of the network is for each part alone."""
    found = bytearray()
    for part in parts:
        found += part
        if len(found) > BODY_BYTES_MOST:
            raise NoAnswer("too much")
        if time.monotonic() > until_s:
            raise NoAnswer("too slow")
    return bytes(found)


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding != ZSTD:
        return body
    # Read as a stream: what the frame says of its own size is not believed.
    with zstandard.ZstdDecompressor().stream_reader(body) as stream:
        plain = stream.read(_PLAIN_MOST + 1)
    if len(plain) > _PLAIN_MOST:
        raise NoAnswer("too much")
    return plain
