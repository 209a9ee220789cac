"""A head office that serves HTTP on loopback, and tills that talk to it, for tests of the data plane."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import uvicorn.server
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.domain.fold import fold
from app.domain.state import EMPTY
from app.protocol import endpoints, facts, signing, wire
from app.protocol.card_leases import CardsRequest
from app.protocol.chains import Reader
from app.protocol.endpoints import Enrol, Enrolled, Problem, Rotate, Rotated
from app.protocol.facts import Facts, Posting
from app.protocol.limits import Limits
from app.protocol.shop_staff import StaffRequest
from app.protocol.signing import RequestHead
from app.protocol.till_store import Control
from app.protocol.wire import (
    HoldRequest,
    LookRequest,
    RebaseRequest,
    Reply,
    Request,
    SaleRequest,
    SnapshotRequest,
    SyncReply,
    SyncRequest,
)
from headoffice import letting_in
from headoffice.directory import Chain, Directory, Shop
from headoffice.http import RATES, Rates
from headoffice.keys import verifier
from headoffice.office import STORE_FILE, Office, wall_ms
from headoffice.serving import Address, at_work, listening, web_server
from headoffice.store.opening import open_database
from headoffice.store.plain import Opened, Place
from headoffice.store.postgresql_place import PostgresPlace
from headoffice.store.records import Records
from headoffice.store.sqlite_place import SqlitePlace
from headoffice.writer import HOLD, GroupWriter, Job
from tests.headoffice.office import lay_new_store
from tests.headoffice.serving_process import DSN_FILE
from tests.sim.machine import Machine
from tests.sim.till_memory import MemoryTillStore

DAY: Final = 86_400_000
OFFSET_MINUTES: Final = (12 - time.gmtime().tm_hour) * 60
"""Of the tests' chains: noon is there as tests begin, so neither midnight nor a night's work comes amid one."""
ANNA, BELA = b"anna" * 4, b"bela" * 4
TENANT: Final = b"T" * 16
NOBODY: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For lines without TLS: reading whom to believe takes longer than most tests."""
PATHS: Final[dict[type, str]] = {
    SyncRequest: endpoints.SYNC,
    HoldRequest: endpoints.HOLD,
    LookRequest: endpoints.LOOK,
    StaffRequest: endpoints.STAFF,
    CardsRequest: endpoints.CARDS,
    SaleRequest: endpoints.SALE,
    RebaseRequest: endpoints.REBASE,
    SnapshotRequest: endpoints.SNAPSHOT,
}


class Clock:
    """The wall clock, moved by as much as a test says; `stood_ms`: where it stands still."""

    def __init__(self) -> None:
        self.moved_ms = 0
        self.stood_ms: int | None = None

    def __call__(self) -> int:
        return (wall_ms() if self.stood_ms is None else self.stood_ms) + self.moved_ms

    def stand_at_noon(self) -> None:
        """Stand still at the chain's last noon: no date ends amid a test, and codes made now are
        not over yet."""
        offset_ms, noon_ms = OFFSET_MINUTES * 60_000, DAY // 2
        days = (wall_ms() + offset_ms - noon_ms) // DAY
        self.stood_ms = days * DAY + noon_ms - offset_ms


def begin_chain(
    folder: Path,
    *,
    tenant: bytes = TENANT,
    budget: int = 100,
    shops: tuple[str, ...] = ("North", "South"),
    limits: Limits | None = None,
) -> None:
    """A chain whose stores share one bucket."""
    limits = limits or Limits(grant_most=50, cap=20)
    if not (folder / DSN_FILE).exists():
        lay_new_store(folder / STORE_FILE)
    with opened(folder, tenant) as (store, directory), store.writing():
        chain = Chain(tenant, f"Chain {tenant[:1].decode()}", OFFSET_MINUTES, limits)
        letting_in.new_chain(store, directory, chain, budget=budget, now_ms=wall_ms())
        for number, name in enumerate(shops):
            shop = tenant[:15] + bytes([number])
            directory.put_shop(Shop(tenant, shop, name, "all"))


@contextlib.contextmanager
def opened(folder: Path, tenant: bytes = TENANT) -> Iterator[tuple[Records, Directory]]:
    """The store beside whoever serves it, as an operator's command has it."""
    with contextlib.closing(database_of(folder)) as database:
        yield database.store(tenant), Directory(database)


def database_of(folder: Path) -> Opened:
    """A connection of one's own to the store that is served from a folder."""
    return place_of(folder).open()


def place_of(folder: Path, connect: Callable[[Path], sqlite3.Connection] = open_database) -> Place:
    """Where the store of a folder is: its own file, or the PostgreSQL that a test has named there."""
    named = folder / DSN_FILE
    return (
        PostgresPlace(named.read_text())
        if named.exists()
        else SqlitePlace(folder / STORE_FILE, connect)
    )


def rows(folder: Path, text: str, tenant: bytes = TENANT) -> list[tuple[Any, ...]]:
    """What a question without values finds of a chain."""
    with contextlib.closing(database_of(folder)) as database, database.of(tenant):
        return database.rows(text)


def code_for(folder: Path, shop: str, till: str, *, tenant: bytes = TENANT) -> str:
    """A new enrolment code."""
    with opened(folder, tenant) as (store, directory), store.writing():
        found = next(each for each in directory.shops_of(tenant) if each.name == shop)
        return letting_in.new_code(directory, found, till, wall_ms())


def each_event_once(folder: Path, tills: Sequence[HttpTill]) -> None:
    """Of tills that sold to Anna alone: every event is there once, and she has their sum."""
    with opened(folder) as (store, _), store.reading():
        member = store.member(ANNA)
        assert member is not None
        ledger = store.ledger(ANNA)
        places = sum(device.place.seq for device in store.devices())
    assert member.state == fold(EMPTY, ledger)
    assert len({entry.id for entry in ledger}) == len(ledger), "doubled"
    sold = sum(len(own) for till in tills for _, own in till.at.store.own_entries(ANNA, 0))
    assert member.state.balance() == sold, f"{sold} sold, {member.state.balance()} there"
    assert places == sum(till.at.store.top() for till in tills), "lost"


class Heard(NamedTuple):
    """A response with its body as it was on the wire, which is what was signed."""

    status: int
    headers: httpx.Headers
    raw: bytes

    @property
    def content(self) -> bytes:
        """The body, unpacked."""
        packed = self.headers.get("content-encoding") == "zstd"
        return zstandard.ZstdDecompressor().decompress(self.raw) if packed else self.raw

    @property
    def media(self) -> str:
        """Its content type."""
        return str(self.headers.get("content-type", ""))


@dataclass(slots=True)
class Served:
    """A head office at work."""

    folder: Path
    url: str
    office: Office
    writer: GroupWriter
    clock: Clock
    tills: list[HttpTill] = field(default_factory=list)

    def stranger(self, seed: int = 1) -> HttpTill:
        """A till that was not let in."""
        self.tills.append(HttpTill(self.url, seed, clock=self.clock))
        return self.tills[-1]

    def till(self, seed: int = 1, shop: str = "North", *, tenant: bytes = TENANT) -> HttpTill:
        """A till that was let in."""
        made = self.stranger(seed)
        made.enrol(code_for(self.folder, shop, f"till {seed}", tenant=tenant))
        return made


@contextlib.contextmanager
def served(
    folder: Path,
    *,
    rates: Rates = RATES,
    read: Reader = facts.read,
    connect: Callable[[Path], sqlite3.Connection] = open_database,
    proxy: str = "",
    private_webhooks: bool = True,
) -> Iterator[Served]:
    """Head office on a folder, answering on a port of its own."""
    clock = Clock()
    place = place_of(folder, connect)
    with (
        listening(Address(port=0)) as listener,
        at_work(
            folder,
            now_ms=clock,
            rates=rates,
            read=read,
            place=place,
            private_webhooks=private_webhooks,
        ) as (
            plane,
            office,
            writer,
        ),
    ):
        server = web_server(plane, Address(proxy=proxy))
        thread = threading.Thread(target=server.run, args=([listener],), name="web server")
        thread.start()
        try:
            wait_for(lambda: server.started)
            made = Served(
                folder, f"http://127.0.0.1:{listener.getsockname()[1]}", office, writer, clock
            )
            yield made
        finally:
            for till in made.tills:
                till.client.close()
            server.should_exit = True
            thread.join()


class _Hurried:
    """asyncio, for uvicorn's loop alone: it looks ten times a second whether it is to end, and waits a tenth
    of a second more as it ends. That long each test would wait twice."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    @staticmethod
    async def sleep(delay_s: float) -> None:
        await asyncio.sleep(delay_s / 10)


vars(uvicorn.server)["asyncio"] = _Hurried()


def trace(chain: Served, told: Callable[[str], None]) -> None:
    """Hear of each statement of the writer's connection from now on."""
    over = threading.Event()

    def begin() -> None:
        raw = getattr(chain.office._database, "raw")  # noqa: B009  # either driver's
        if isinstance(raw, sqlite3.Connection):
            raw.set_trace_callback(told)
            return
        execute = raw.execute

        def heard(text: str, *values: Any, **options: Any) -> Any:
            told(text)
            return execute(text, *values, **options)

        raw.execute = heard

    chain.writer.submit(Job(HOLD, 1, None, begin, lambda _: None, lambda _, __: over.set()))
    assert over.wait(30)


def wait_for(true: Callable[[], bool], most_s: float = 30) -> None:
    """Until it is so."""
    until_s = time.monotonic() + most_s
    while not true():
        assert time.monotonic() < until_s, "it never came"
        time.sleep(0.005)


@dataclass(slots=True)
class HttpTill:
    """A till with its key and its connection. `packed`: it sends zstd."""

    url: str
    seed: int
    clock: Clock = field(default_factory=Clock)
    packed: bool = False
    rng: random.Random = field(init=False)
    key: Ed25519PrivateKey = field(init=False)
    device: bytes = field(init=False)
    client: httpx.Client = field(init=False)
    at: Machine = field(init=False)
    server_key: bytes = b""

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.key = Ed25519PrivateKey.from_private_bytes(self.rng.randbytes(32))
        self.device = self.rng.randbytes(16)
        self.client = httpx.Client(base_url=self.url, timeout=60, verify=NOBODY)

    # Over the network

    def post(
        self,
        path: str,
        body: bytes,
        rid: bytes,
        *,
        epoch: int = 0,
        key: Ed25519PrivateKey | None = None,
        created_s: int | None = None,
        sent: bytes | None = None,
        **headers: str,
    ) -> Heard:
        """Send signed bytes, or `sent` in their place; other headers replace those that were signed."""
        at = self.clock() // 1000 if created_s is None else created_s
        head = RequestHead("POST", path, rid, self.device, epoch, at)
        signed = signing.sign_request(head, body, (key or self.key).sign)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        accept = {"accept-encoding": "zstd" if self.packed else "identity"}
        with self.client.stream(
            "POST",
            path,
            content=body if sent is None else sent,
            headers={**accept, **signed, **named},
        ) as response:
            return Heard(response.status_code, response.headers, b"".join(response.iter_raw()))

    def send(self, message: Request, **options: Any) -> Heard:
        """Send a message of the exchange."""
        body = wire.to_bytes(message)
        if self.packed:
            body, options["content_encoding"] = zstandard.compress(body), "zstd"
        epoch = options.pop("epoch", self.at.store.control().epoch)
        return self.post(PATHS[type(message)], body, message.rid, epoch=epoch, **options)

    def signed_body(self, response: Heard, rid: bytes) -> bytes:
        """The body of a reply that head office signed for this request of this till."""
        verify = verifier(self.server_key)
        assert verify is not None
        reply = signing.read_reply(response.status, response.headers)
        signed = reply.fits(response.raw, verify, rid=rid, device=self.device)
        assert signed, "not signed by head office"
        return response.content

    def problem(self, response: Heard, rid: bytes) -> str:
        """The code of a signed problem."""
        assert response.media == endpoints.PROBLEM
        return endpoints.message_of(self.signed_body(response, rid), Problem).code

    def reply(self, message: Request, **options: Any) -> Reply:
        """A message's signed reply."""
        response = self.send(message, **options)
        assert response.media == endpoints.MESSAGE, response.content
        return wire.reply_of(self.signed_body(response, message.rid))

    # What a till does

    def ask_in(self, code: str, *, timeline: int = 0) -> Heard:
        """Send an enrolment code."""
        rid = self.rng.randbytes(16)
        public = self.key.public_key().public_bytes_raw()
        body = endpoints.to_bytes(Enrol(rid, self.device, code, public, timeline))
        return self.post(endpoints.ENROL, body, rid)

    def enrol(self, code: str) -> Enrolled:
        """Get in, with an empty store."""
        response = self.ask_in(code)
        assert response.status == 200, response.content
        answer = endpoints.message_of(response.content, Enrolled)
        self.server_key = answer.server_key
        self.signed_body(response, answer.rid)
        control = Control(answer.tenant, self.device, answer.buckets, answer.timeline)
        self.at = Machine(f"till {self.seed}", answer.home, MemoryTillStore(control), self.rng, 0)
        return answer

    def rotate(self, key: Ed25519PrivateKey) -> None:
        """Change to another key; it is used from the next request on."""
        public = key.public_key().public_bytes_raw()
        rid, proof = self.rng.randbytes(16), key.sign(endpoints.rotation(self.device, public))
        body = endpoints.to_bytes(Rotate(rid, self.device, public, proof))
        response = self.post(endpoints.ROTATE, body, rid)
        endpoints.message_of(self.signed_body(response, rid), Rotated)

    @property
    def today(self) -> BusinessDate:
        """The chain's date."""
        return BusinessDate((self.clock() + OFFSET_MINUTES * 60_000) // DAY)

    def earn(self, member: bytes = ANNA, points: int = 7, *, sales: int = 1) -> None:
        """Sales that earn, in the journal."""
        for _ in range(sales):
            event, on = self.rng.randbytes(16), self.today
            entry = Entry(EntryId(event, 0), POINTS, "earn", points, on, on, on.plus(300))
            made = Facts(event, "sale", member, on, (Posting(entry),), sold=((0, 1),))
            self.at.commit(made, facts.write(made))

    def ask(self) -> Request:
        """What the till sends now."""
        return self.at.till.request(self.rng, written=len(self.at.file))

    def hear(self, reply: Reply) -> bool:
        """Apply a reply."""
        taken = self.at.till.receive(reply, self.clock(), self.today, self.rng)
        self.at.write_file()
        return taken

    def exchange(self) -> Reply:
        """One request and its reply."""
        reply = self.reply(self.ask())
        assert self.hear(reply)
        return reply

    def sync(self) -> SyncReply:
        """Exchange until nothing changes."""
        for _ in range(40):
            before = (self.at.store.control()._replace(hlc=0), self.at.store.top())
            reply = self.exchange()
            after = (self.at.store.control()._replace(hlc=0), self.at.store.top())
            if before == after and isinstance(reply, SyncReply):
                return reply
        raise AssertionError("no end of exchanges")

    def hold(self, member: bytes, amount: int) -> HoldRequest:
        """What the till asks before an online spend."""
        request = self.at.till.ask_hold(member, POINTS, amount, self.today, self.rng)
        assert request is not None
        return request
