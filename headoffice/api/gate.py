"""The door of the open API: who may come in, how often, with how large a body; and every answer's headers.

An ASGI application around the operations. A body is read here, bounded, and only of somebody who has a
key: so a stranger fills no memory. Whatever fails inside becomes a problem here; nobody outside ever
sees a traceback.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Set
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headoffice.api.keys import ApiKey, key_of
from headoffice.api.problems import Problem
from headoffice.console.browser import HEADERS
from headoffice.limiting import TokenBuckets
from headoffice.store.errors import BUSY_ERRORS
from headoffice.watching import Watch, bug, note
from headoffice.writer import Busy

PREFIX: Final = "/admin"
OPEN: Final = frozenset({f"{PREFIX}/openapi.json", f"{PREFIX}/", PREFIX})
"""What describes the API is for everybody; no chain's values are in it."""
BODY_BYTES_MOST: Final = 64 * 1024
READ_S: Final = 30
METHODS: Final = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"))
KEY: Final = "regulars.key"
"""Where the scope of a request names its key."""
_MOVING_S: Final = "30"
_BURST: Final = 3
"""A third of a minute's requests may come at once."""


class Gate:
    """`known` gives the keys by their first part, `used` hears that one was used; `moving` are the chains that
    are moved to another store, or were: what this one has of them may be old."""

    def __init__(
        self,
        inside: ASGIApp,
        known: Callable[[], Mapping[str, ApiKey]],
        used: Callable[[ApiKey], None],
        watch: Watch,
        moving: Callable[[], Set[bytes]],
    ) -> None:
        self._inside, self._known, self._used, self._watch = inside, known, used, watch
        self._moving = moving
        self._buckets: dict[int, TokenBuckets] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        begun_s, told = time.monotonic(), _Told(send)
        try:
            key = self._let_in(scope, told)
            body = await _read(scope, receive) if key is not None else b""
            await self._inside(scope, _again(body, receive), told)
        except Exception as error:  # the server's edge: whatever it is, there is an answer
            problem = as_problem(error)
            if problem.code == "internal":
                note("bug", level=logging.ERROR, path=_path(scope), **bug(error))
            if not told.begun:
                await problem.response()(scope, receive, told)
        seconds = time.monotonic() - begun_s
        # A stranger may send any method: a figure may not grow by it.
        method = scope["method"] if scope["method"] in METHODS else "other"
        path, status = f"{method} {_path(scope)}", told.status
        self._watch.request(path, status, seconds)
        key = scope.get(KEY)
        note("api", path=path, status=status, ms=round(seconds * 1000), key=key.id if key else "")

    def _let_in(self, scope: Scope, told: _Told) -> ApiKey | None:
        """The key of who asks; None where none is needed. Raises Problem."""
        if scope["path"] in OPEN:
            return None
        headers = dict(scope["headers"])
        key = key_of(self._known(), headers.get(b"authorization", b"").decode("latin-1"))
        if key is None:
            raise Problem("no_key", www_authenticate="Bearer")
        scope[KEY] = key
        if key.tenant in self._moving():
            raise Problem("busy", retry_after=_MOVING_S)
        buckets = self._buckets.setdefault(
            key.per_minute,
            TokenBuckets(per_s=key.per_minute / 60, burst=_burst(key.per_minute)),
        )
        now_s = time.monotonic()
        wait_s = buckets.wait_s(key.id, now_s)
        left, full_s = buckets.left(key.id, now_s)
        told.add("ratelimit-policy", f'"key";q={_burst(key.per_minute)};w=20')
        told.add("ratelimit", f'"key";r={left};t={full_s}')
        if wait_s:
            raise Problem("too_many", retry_after=str(wait_s))
        self._used(key)
        return key


class _Told:
    """Sends an answer on, with our headers."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._more: list[tuple[bytes, bytes]] = []
        self.begun, self.status = False, 500

    def add(self, name: str, value: str) -> None:
        """One more header."""
        self._more.append((name.encode(), value.encode()))

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun, self.status = True, message["status"]
            ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            message["headers"] = [*message["headers"], *ours, *self._more]
        await self._send(message)


async def _read(scope: Scope, receive: Receive) -> bytes:
    """The whole body. Raises Problem."""
    headers = dict(scope["headers"])
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise Problem("media")
    body = b""
    try:
        async with asyncio.timeout(READ_S):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Problem("not_a_request")
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > BODY_BYTES_MOST:
                    raise Problem("too_big")
    except TimeoutError as error:
        raise Problem("too_slow") from error
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if body and kind != b"application/json":
        raise Problem("media")
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    """What was read, for who reads it now; then what is still to come."""
    left = [body]

    async def again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return again


def as_problem(error: Exception) -> Problem:
    """What who asked hears of an error."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, (Busy, *BUSY_ERRORS)):
        return Problem("busy", retry_after="2")
    return Problem("internal")


def _path(scope: Scope) -> str:
    """The address as it is written down: what somebody typed in the place of an id may be anything."""
    return str(getattr(scope.get("route"), "path", "")) if KEY in scope else ""


def _burst(per_minute: int) -> int:
    return max(per_minute // _BURST, 1)
