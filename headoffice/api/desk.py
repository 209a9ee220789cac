"""What every operation of the open API works with: who asks, a snapshot to read, and a way to write.

A write is one job of the group writer. Its answer is kept in the same transaction under the caller's
Idempotency-Key, so that a request that is sent again changes nothing and hears the same.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

import msgspec
from fastapi import Depends, Header, Request
from pydantic import BaseModel
from starlette.responses import Response

from app.domain.business_day import BusinessDate
from app.domain.errors import Refused
from app.domain.programme import Programme
from app.domain.programme_versions import programme_on
from headoffice.api.gate import KEY
from headoffice.api.keys import ApiKey, Scope
from headoffice.api.own_till import OwnTill
from headoffice.api.problems import Problem
from headoffice.api.rules import programmes_of
from headoffice.console.snapshot import Snapshot
from headoffice.directory import Shop
from headoffice.office import Office
from headoffice.store.distribution import dist_key
from headoffice.writer import PUSH, Busy, GroupWriter, Job

DESK: Final = "regulars.desk"
"""Where the scope of a request names the desk that does it."""
WRITE_S: Final = 20
"""So long a request waits for the writer."""
KEPT_MS: Final = 7 * 86_400_000
"""So long an answer is kept for a request that comes again."""
KEY_MOST: Final = 64
Result = TypeVar("Result")
Plain = dict[str, Any]

_ANSWER: Final = """
SELECT request, status, body FROM api_answer
WHERE tenant_id = ? AND dist_key = ? AND device_id = ? AND idempotency_key = ?
"""
_KEEP: Final = """
INSERT INTO api_answer (
    tenant_id, dist_key, device_id, idempotency_key, request, status, body, at_ms
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_DROP: Final = "DELETE FROM api_answer WHERE tenant_id = ? AND dist_key = ? AND at_ms < ?"


@dataclass(frozen=True, slots=True)
class Desk:
    """The API's way to the store. `secret` gives values that only head office's own key gives."""

    office: Office
    writer: GroupWriter
    secret: Callable[[bytes], bytes]
    private: bool = False
    """Whether webhooks may go to this machine and its network."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request with its key: everything it reads and writes is that key's chain's."""

    desk: Desk
    key: ApiKey
    request: Request

    @property
    def tenant(self) -> bytes:
        """Whose."""
        return self.key.tenant

    def shop(self, shop_id: str) -> Shop:
        """A store of the chain. Raises Problem."""
        found = self.desk.office.shops.get(bytes.fromhex(shop_id))
        if found is None or found.tenant != self.tenant:
            raise Problem("not_found", {"what": "store"})
        return found

    @property
    def devices(self) -> frozenset[bytes]:
        """The devices of all systems of the chain."""
        known = self.desk.office.api_keys.values()
        return frozenset(key.device for key in known if key.tenant == self.tenant)

    @property
    def personal(self) -> bool:
        """Whether personal values are shown whole."""
        return "members:personal" in self.key.scopes

    def programme_on(self, on: BusinessDate) -> Programme | None:
        """The chain's programme in force on a date; None: it has none."""
        with self.desk.office.place.reading(self.tenant) as plain:
            return programme_on(programmes_of(plain, self.tenant), on)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Snapshot]:
        """One snapshot of the chain."""
        with self.desk.office.place.reading(self.tenant) as plain:
            yield Snapshot(plain, self.tenant)

    def write(
        self, act: Callable[[OwnTill], Result], known: Callable[[Result], None] | None = None
    ) -> Result:
        """Do something in the writer's transaction; `known` takes it into memory after the commit.

        Raises Busy; and Problem or Refused, which `act` raises before it writes anything."""
        office = self.desk.office
        if self.tenant not in office.chains:
            raise Busy("the chain is new")
        future: Future[Result | Problem | Refused] = Future()

        def told(result: Any, error: BaseException | None) -> None:
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def act_there() -> Result | Problem | Refused:
            try:
                return act(OwnTill(office, self.key))
            except (Problem, Refused) as no:
                # Others of the group are not to be done again for it; nothing was written.
                return no

        def kept(result: Result | Problem | Refused) -> None:
            if known is not None and not isinstance(result, Problem | Refused):
                known(result)

        self.desk.writer.submit(Job(PUSH, 1, self.tenant, act_there, kept, told))
        try:
            result = future.result(WRITE_S)
        except TimeoutError as error:
            raise Busy("the writer is behind") from error
        if isinstance(result, Problem | Refused):
            raise result
        return result

    def once(self, again: str, sent: BaseModel, act: Callable[[OwnTill], Made]) -> Response:
        """Do something once, however often it is asked for under one Idempotency-Key."""
        route = self.request.scope["route"]
        place = [self.request.method, self.request.url.path, route.path]
        told = msgspec.json.encode([place, sent.model_dump()], order="deterministic")
        # Under a key of ours: what was sent may hold a phone number, and those are soon guessed.
        digest = hmac.digest(self.desk.secret(b"api answers"), told, "sha256")
        own = (self.tenant, dist_key(self.tenant))

        def act_once(till: OwnTill) -> Response:
            found = till.plain.rows(_ANSWER, (*own, self.key.device, again))
            if found:
                request, status, body = found[0]
                if bytes(request) != digest:
                    raise Problem("idempotency_key_reused")
                return _response(status, bytes(body), again=True)
            made = act(till)
            body = msgspec.json.encode(made.body)
            now_ms = self.desk.office.now_ms()
            till.plain.run(_DROP, (*own, now_ms - KEPT_MS))
            till.plain.run(_KEEP, (*own, self.key.device, again, digest, made.status, body, now_ms))
            return _response(made.status, body)

        return self.write(act_once)


@dataclass(frozen=True, slots=True)
class Made:
    """What an operation answers. Nothing personal: it is kept for who asks again."""

    body: Plain
    status: int = 201


def _response(status: int, body: bytes, *, again: bool = False) -> Response:
    headers = {"idempotency-replayed": "true"} if again else {}
    return Response(body, status, headers, "application/json")


# What operations take of a request ----------------------------------------------------------------


def _asked(request: Request) -> Asked:
    return Asked(request.scope[DESK], request.scope[KEY], request)


Caller = Annotated[Asked, Depends(_asked)]
"""Who asks."""


def _again(
    idempotency_key: Annotated[
        str | None,
        Header(
            pattern=f"^[A-Za-z0-9._:-]{{1,{KEY_MOST}}}$",
            description="A random value of your own; the same for each try of one request.",
        ),
    ] = None,
) -> str:
    if idempotency_key is None:
        raise Problem("idempotency_key_missing")
    return idempotency_key


Again = Annotated[str, Depends(_again)]
"""The Idempotency-Key, without which nothing is written that must not be written twice."""


def needs(scope: Scope) -> dict[str, Any]:
    """What an operation says of itself: the scope that a key must have."""

    def check(request: Request) -> None:
        if scope not in request.scope[KEY].scopes:
            raise Problem("scope", {"needs": scope})

    return {"dependencies": [Depends(check)], "openapi_extra": {"security": [{"key": [scope]}]}}


# Cursors ------------------------------------------------------------------------------------------


def cursor_of(number: int) -> str:
    """Where a list goes on. Opaque to who gets it."""
    return base64.urlsafe_b64encode(b"c1" + number.to_bytes(8, "big")).decode().rstrip("=")


def number_of(cursor: str | None, start: int) -> int:
    """The place in a cursor of ours. Raises Problem."""
    if cursor is None:
        return start
    try:
        found = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError as error:
        raise Problem("cursor") from error
    if (
        len(found) != 10
        or found[:2] != b"c1"
        or cursor_of(int.from_bytes(found[2:], "big")) != cursor
    ):
        raise Problem("cursor")
    return min(int.from_bytes(found[2:], "big"), (1 << 63) - 1)
