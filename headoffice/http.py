"""The data plane: what tills send over HTTP, who is believed, and what they hear.

Nothing is decided here about members or rights. A request is checked and read in this thread, done in the
writer's (writer.py), answered after its commit. Nobody outside ever sees a traceback. Paths, codes and
signatures: docs/decisions/head-office-server.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from app.protocol import endpoints, signing, wire
from app.protocol.card_leases import CardsRequest
from app.protocol.endpoints import Enrol, Problem, Rotate, Rotated
from app.protocol.shop_staff import StaffRequest
from app.protocol.signing import NotSigned, ReplyHead, SignedRequest
from app.protocol.wire import (
    Fork,
    HoldRequest,
    LookRequest,
    NotAMessage,
    RebaseRequest,
    Refusal,
    Reply,
    Request,
    SaleRequest,
    SnapshotRequest,
    SyncRequest,
)
from headoffice import letting_in, messages
from headoffice.addressing import host_of
from headoffice.directory import KnownTill
from headoffice.keys import verifier
from headoffice.letting_in import LetIn
from headoffice.limiting import ServedRids, TokenBuckets, address_of, is_local
from headoffice.messages import TooBig
from headoffice.office import Office
from headoffice.store.errors import REFUSED_ERRORS
from headoffice.watching import Watch, bug, note
from headoffice.writer import HOLD, PULL, PUSH, Busy, GroupWriter, Job

_KINDS: Final[dict[str, type[Request]]] = {
    endpoints.SYNC: SyncRequest,
    endpoints.HOLD: HoldRequest,
    endpoints.SALE: SaleRequest,
    endpoints.LOOK: LookRequest,
    endpoints.STAFF: StaffRequest,
    endpoints.CARDS: CardsRequest,
    endpoints.REBASE: RebaseRequest,
    endpoints.SNAPSHOT: SnapshotRequest,
}
_SELDOM: Final = {
    endpoints.SALE, endpoints.LOOK, endpoints.STAFF, endpoints.CARDS, endpoints.ROTATE,
}  # fmt: skip
_SHUT_OUT: Final = {"revoked", "unknown", "locked"}
_BUSY_S: Final = 2
_MOST: Final = {endpoints.ENROL: 4096, endpoints.ROTATE: 4096}
"""Bodies of these paths are small, and whoever sends the first is nobody that we know."""
READ_S: Final = 30
"""So long a body may take."""


class Rates(NamedTuple):
    """How often: a device, a whole chain, tries to enrol from one address, and a device's look-ups of members
    and sales, in requests a second."""

    device_per_s: float = 20
    device_burst: int = 200
    chain_per_s: float = 5_000
    chain_burst: int = 10_000
    enrol_per_s: float = 5 / 60
    enrol_burst: int = 5
    look_per_s: float = 0.5
    look_burst: int = 30


RATES: Final = Rates()


class No(Exception):
    """The request is not answered."""

    def __init__(self, status: int, code: str, retry_after_s: int | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.retry_after_s = status, code, retry_after_s


@dataclass(slots=True)
class Exchange:
    """One request on its way, for its reply, the log and the figures."""

    path: str
    begun_s: float
    host: str = ""
    """By which of head office's addresses it came."""
    signed: SignedRequest | None = None
    till: KnownTill | None = None
    code: str = ""
    events: int = 0
    quiet: bool = False


Body = tuple[int, bytes]
"""Status and message."""


class DataPlane:
    """The endpoints for tills, and those for who watches over them."""

    def __init__(
        self,
        office: Office,
        writer: GroupWriter,
        watch: Watch,
        rates: Rates = RATES,
        also: Sequence[BaseRoute] = (),
    ) -> None:
        self._also = also
        self._office, self._writer, self._watch = office, writer, watch
        self._devices = TokenBuckets(per_s=rates.device_per_s, burst=rates.device_burst)
        self._chains = TokenBuckets(per_s=rates.chain_per_s, burst=rates.chain_burst)
        self._addresses = TokenBuckets(per_s=rates.enrol_per_s, burst=rates.enrol_burst)
        self._looks = TokenBuckets(per_s=rates.look_per_s, burst=rates.look_burst)
        self._rids = ServedRids(signing.RID_KEPT_S)

    def app(self) -> Starlette:
        """The ASGI application."""
        acts = dict.fromkeys(_KINDS, self._exchange)
        routes: list[BaseRoute] = [self._route(path, act) for path, act in acts.items()]
        routes.append(self._route(endpoints.ENROL, self._enrol))
        routes.append(self._route(endpoints.ROTATE, self._rotate))
        routes += [
            Route("/healthz", self._healthz),
            Route("/readyz", self._readyz),
            Route("/metrics", self._metrics),
            *self._also,
        ]
        app = Starlette(routes=routes, exception_handlers={HTTPException: _no_such})
        app.router.redirect_slashes = False
        return app

    def _route(
        self, path: str, act: Callable[[Exchange, HttpRequest, bytes], Awaitable[Body]]
    ) -> Route:
        async def endpoint(request: HttpRequest) -> Response:
            host = host_of(request.headers.get("host", ""))
            return await self._answer(Exchange(path, time.monotonic(), host), request, act)

        return Route(path, endpoint, methods=["POST"])

    # Every request

    async def _answer(
        self,
        exchange: Exchange,
        request: HttpRequest,
        act: Callable[[Exchange, HttpRequest, bytes], Awaitable[Body]],
    ) -> Response:
        retry_after_s = None
        try:
            exchange.signed = signing.read_request("POST", exchange.path, request.headers)
            self._admit(exchange, request)
            most = _MOST.get(exchange.path, endpoints.WIRE_BYTES_MOST)
            status, body = await act(exchange, request, await _body_of(request, most))
            media = endpoints.MESSAGE
        except Exception as error:  # the server's edge: whatever it is, the till gets an answer
            no = _as_no(error)
            if no.status == 500:
                note("bug", level=logging.ERROR, path=exchange.path, **_ids(exchange), **bug(error))
            exchange.code, retry_after_s = no.code, no.retry_after_s
            problem = Problem(no.code, self._office.now_ms(), retry_after_s)
            status, body, media = no.status, endpoints.to_bytes(problem), endpoints.PROBLEM
        self._told(exchange, status)
        headers = {"content-type": media}
        if retry_after_s is not None:
            headers["retry-after"] = str(retry_after_s)
        if endpoints.ZSTD in request.headers.get("accept-encoding", ""):
            frame = messages.packed(body)
            if frame is not None:
                body, headers["content-encoding"] = frame, endpoints.ZSTD
        if exchange.signed is not None:
            asked = exchange.signed.head
            head = ReplyHead(status, asked.rid, asked.device, self._office.now_ms() // 1000)
            headers |= signing.sign_reply(head, body, self._office.key.sign)
        return Response(body, status, headers)

    def _told(self, exchange: Exchange, status: int) -> None:
        seconds = time.monotonic() - exchange.begun_s
        self._watch.request(exchange.path, status, seconds)
        if exchange.quiet:
            self._watch.quiet()
            return
        note(
            "request", path=exchange.path, status=status, code=exchange.code, events=exchange.events,
            ms=round(seconds * 1000), **_ids(exchange),
        )  # fmt: skip

    def _admit(self, exchange: Exchange, request: HttpRequest) -> None:
        """Who may send a body at all: a device that was let in, or an address that tries to be. Raises No."""
        if exchange.path == endpoints.ENROL:
            wait_s = self._addresses.wait_s(address_of(_host(request)), time.monotonic())
            if wait_s:
                raise No(429, "too_many", wait_s)
            return
        assert exchange.signed is not None
        exchange.till = self._office.till(exchange.signed.head.device)
        if exchange.till is None:
            raise No(401, "unknown_device")

    def _verified(self, exchange: Exchange, body: bytes) -> tuple[KnownTill, bool]:
        """The till that signed this, and whether with the key that it changes to. Raises No."""
        signed = exchange.signed
        assert signed is not None
        # While the body came the till may have changed its key, or have been revoked.
        exchange.till = till = self._office.till(signed.head.device)
        assert till is not None, "who was let in stays known"
        by_next = False
        if not _fits(signed, body, till.public_key):
            by_next = till.next_key is not None and _fits(signed, body, till.next_key)
            if not by_next:
                raise No(401, "bad_signature")
        self._in_time(signed)
        now_s = time.monotonic()
        wait_s = self._devices.wait_s(till.device, now_s) or self._chains.wait_s(till.tenant, now_s)
        if exchange.path in _SELDOM:
            # A till that was stolen is not to read the chain's members out one by one.
            wait_s = wait_s or self._looks.wait_s(till.device, now_s)
        if wait_s:
            raise No(429, "too_many", wait_s)
        self._office.hearing.hear(till.device, exchange.host)
        return till, by_next

    def _in_time(self, signed: SignedRequest) -> None:
        apart_s = self._apart_s(signed)
        self._watch.skew(apart_s)
        if abs(apart_s) > signing.CLOCK_APART_S:
            raise No(401, "clock")

    def _apart_s(self, signed: SignedRequest) -> int:
        """How far the sender's clock is ahead of ours, in seconds."""
        return signed.head.created_s - self._office.now_ms() // 1000

    async def _done(
        self,
        rank: int,
        weight: int,
        tenant: bytes | None,
        act: Callable[[], Any],
        kept: Callable[[Any], None],
        request: Request | None = None,
    ) -> Any:
        """What the writer makes of a job, after its commit. Raises Busy, or what the job raised."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            if future.cancelled():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def told(result: Any, error: BaseException | None) -> None:
            with contextlib.suppress(RuntimeError):  # The loop has ended, and nobody waits.
                loop.call_soon_threadsafe(settle, result, error)

        self._writer.submit(Job(rank, weight, tenant, act, kept, told, request))
        return await future

    async def _once(self, signed: SignedRequest, work: Awaitable[Any]) -> Any:
        """Do the work of a request that was not served yet; one that fails may come again as it is."""
        device, rid = signed.head.device, signed.head.rid
        try:
            return await work
        except BaseException:
            self._rids.give_back(device, rid)
            raise

    def _is_new(self, signed: SignedRequest) -> None:
        if not self._rids.take(signed.head.device, signed.head.rid, time.monotonic()):
            raise No(409, "replayed")

    # The exchange

    async def _exchange(self, exchange: Exchange, request: HttpRequest, body: bytes) -> Body:
        till, by_next = self._verified(exchange, body)
        message = messages.read(_plain(request, body))
        signed = exchange.signed
        assert signed is not None
        if not isinstance(message, _KINDS[exchange.path]):
            raise No(400, "not_a_message")
        epoch = signed.head.epoch if _epoch(message) is None else _epoch(message)
        if (message.rid, message.device, epoch) != (
            signed.head.rid, signed.head.device, signed.head.epoch,
        ):  # fmt: skip
            raise No(400, "not_the_signer")
        if till.standing != "live":
            why = "revoked" if till.standing == "lost" else "locked"
            return 403, wire.to_bytes(Refusal(message.rid, why))
        self._is_new(signed)
        if isinstance(message, SyncRequest):
            exchange.events = len(message.events)
            quiet = None if by_next else self._office.answer_quietly(till, message)
            if quiet is not None:
                exchange.quiet = True
                self._office.hearing.hear_of(message, quiet, self._apart_s(signed))
                return 200, wire.to_bytes(quiet)
        reply: Reply = await self._once(signed, self._served(message, till, by_next=by_next))
        self._office.hearing.hear_of(message, reply, self._apart_s(signed))
        if isinstance(reply, Fork):
            self._watch.fork()
        shut_out = isinstance(reply, Refusal) and reply.why in _SHUT_OUT
        return (403 if shut_out else 200), wire.to_bytes(reply)

    async def _served(self, message: Request, till: KnownTill, *, by_next: bool) -> Any:
        office = self._office

        def act() -> Reply:
            return office.serve(message, till, by_next=by_next)

        def kept(reply: Reply) -> None:
            office.served(message, till, reply, by_next=by_next)

        weight = max(1, len(message.events)) if isinstance(message, SyncRequest) else 1
        return await self._done(_rank(message), weight, till.tenant, act, kept, message)

    # Getting in

    async def _enrol(self, exchange: Exchange, request: HttpRequest, body: bytes) -> Body:
        signed, office = exchange.signed, self._office
        assert signed is not None
        message = endpoints.message_of(_plain(request, body), Enrol)
        if (message.rid, message.device) != (signed.head.rid, signed.head.device):
            raise No(400, "not_the_signer")
        if not _fits(signed, body, message.public_key):
            raise No(401, "bad_signature")
        self._in_time(signed)

        def act() -> LetIn | str:
            return letting_in.enrol(office, message)

        def kept(found: LetIn | str) -> None:
            if isinstance(found, LetIn):
                letting_in.enrolled(office, found.till)

        found = await self._done(PUSH, 1, None, act, kept)
        if isinstance(found, str):
            raise No(403, found)
        # A shop that opens with ten tills behind one address has guessed nothing.
        self._addresses.give_back(address_of(_host(request)))
        return 200, endpoints.to_bytes(found.answer)

    async def _rotate(self, exchange: Exchange, request: HttpRequest, body: bytes) -> Body:
        till, by_next = self._verified(exchange, body)
        message = endpoints.message_of(_plain(request, body), Rotate)
        signed, office = exchange.signed, self._office
        assert signed is not None
        if (message.rid, message.device) != (signed.head.rid, signed.head.device):
            raise No(400, "not_the_signer")
        if till.standing != "live":
            why = "revoked" if till.standing == "lost" else "locked"
            return 403, wire.to_bytes(Refusal(message.rid, why))
        proved = verifier(message.public_key)
        if proved is None or not proved(
            message.proof, endpoints.rotation(message.device, message.public_key)
        ):
            raise No(401, "bad_signature")
        self._is_new(signed)

        def act() -> KnownTill | None:
            return letting_in.rotate(office, till, message, by_next=by_next)

        def kept(after: KnownTill | None) -> None:
            if after is not None:
                office.put_till(after)

        if await self._once(signed, self._done(PUSH, 1, till.tenant, act, kept)) is None:
            raise No(401, "bad_signature")
        return 200, endpoints.to_bytes(Rotated(message.rid))

    # For who watches

    @property
    def serving(self) -> bool:
        """Whether tills can be served."""
        return self._writer.alive

    async def _healthz(self, _: HttpRequest) -> Response:
        """The process answers."""
        return PlainTextResponse("ok\n")

    async def _readyz(self, _: HttpRequest) -> Response:
        """Tills can be served."""
        if not self.serving:
            return PlainTextResponse("not ready\n", 503)
        if self._office.away:
            return PlainTextResponse("the database is away\n", 503)
        return PlainTextResponse("ready\n")

    async def _metrics(self, request: HttpRequest) -> Response:
        """Figures, to this machine alone: a chain's risk is nobody else's business."""
        if not is_local(_host(request)):
            raise HTTPException(404)
        text = self._watch.text(self._office.silent_s(), self._writer.waiting)
        return Response(text, media_type="text/plain; version=0.0.4")


async def _no_such(_: HttpRequest, error: Exception) -> Response:
    """Another path or method; who asks has not signed for any of ours."""
    assert isinstance(error, HTTPException)
    code = "method" if error.status_code == 405 else "not_found"
    problem = endpoints.to_bytes(Problem(code, time.time_ns() // 1_000_000))
    return Response(problem, error.status_code, {"content-type": endpoints.PROBLEM})


async def _body_of(request: HttpRequest, most: int) -> bytes:
    """The body on the wire. Raises No or TooBig; what is too large is not kept."""
    parts, size = list[bytes](), 0
    try:
        async with asyncio.timeout(READ_S):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise TooBig
                parts.append(part)
    except TimeoutError as error:
        raise No(408, "too_slow") from error
    return b"".join(parts)


def _plain(request: HttpRequest, body: bytes) -> bytes:
    encoding = request.headers.get("content-encoding", "identity")
    if encoding == endpoints.ZSTD:
        return messages.unpacked(body)
    if encoding != "identity":
        raise No(415, "encoding")
    return body


def _as_no(error: Exception) -> No:
    """What the till hears of an error."""
    if isinstance(error, No):
        return error
    if isinstance(error, NotSigned):
        return No(400, "not_signed")
    # A value that the store's own checks refuse is one that no till writes.
    if isinstance(error, (NotAMessage, ClientDisconnect, *REFUSED_ERRORS)):
        return No(400, "not_a_message")
    if isinstance(error, TooBig):
        return No(413, "too_big")
    if isinstance(error, Busy):
        return No(503, "busy", _BUSY_S)
    return No(500, "internal")


def _fits(signed: SignedRequest, body: bytes, public_key: bytes) -> bool:
    verify = verifier(public_key)
    return verify is not None and signed.fits(body, verify)


def _rank(message: Request) -> int:
    if isinstance(message, HoldRequest | SaleRequest | LookRequest):
        return HOLD
    if isinstance(message, SyncRequest):
        return PUSH if message.events or message.cells else PULL
    return PULL if isinstance(message, SnapshotRequest) else PUSH


def _epoch(message: Request) -> int | None:
    """The epoch that a message speaks of; None: it has none."""
    if isinstance(message, SnapshotRequest):
        return None
    return message.acked.epoch if isinstance(message, SyncRequest) else message.epoch


def _ids(exchange: Exchange) -> dict[str, Any]:
    found = dict[str, Any]()
    if exchange.till is not None:
        found["tenant"] = exchange.till.tenant
    if exchange.signed is not None:
        found |= {"device": exchange.signed.head.device, "rid": exchange.signed.head.rid}
    return found


def _host(request: HttpRequest) -> str:
    return request.client.host if request.client else ""
