"""The partner of the data plane: the same pushes by FastAPI and pydantic, before the same rules and store.

It takes JSON, knows every field of an event by a model, signs nothing and groups nothing: it is measured, never
served to a till.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from app.protocol import events, wire
from app.protocol.links import Place
from app.protocol.server import Server
from app.protocol.wire import Cursor, SyncReply, SyncRequest, unpack_row
from headoffice.serving import Address, listening
from headoffice.store.opening import open_database
from headoffice.store.sqlite import SqliteStore
from tests.headoffice.http_office import wait_for
from tests.headoffice.office import LIMITS, NOW, TENANT, TODAY, Shop

_JSON = {"content-type": "application/json"}


class Sync(BaseModel):
    """What an event says for head office."""

    sold: list[tuple[int, int]] = []


class Event(BaseModel):
    """An event of the bench."""

    v: int
    id: str
    kind: str
    member: str | None
    bd: int
    entries: list[list[int | str | None]]
    sync: Sync


class Push(BaseModel):
    """A push, as `SyncRequest`."""

    rid: str
    device: str
    timeline: int
    epoch: int
    seq: int
    chain: str
    top: int
    events: list[Event]
    cursors: dict[str, tuple[int, int]]


class Twin:
    """A till that pushes to the partner."""

    def __init__(self, url: str, shop: Shop) -> None:
        self._client = httpx.Client(base_url=url, timeout=60)
        self._shop = shop

    def close(self) -> None:
        self._client.close()

    def push(self, sales: int) -> float:
        """Seconds until the answer to a push of so many sales."""
        shop = self._shop
        shop.sell(sales)
        request = shop.at.till.request(shop.rng, written=len(shop.at.file))
        assert isinstance(request, SyncRequest)
        body = msgspec.json.encode(
            {
                "rid": request.rid.hex(), "device": request.device.hex(),
                "timeline": request.timeline, "epoch": request.acked.epoch,
                "seq": request.acked.seq, "chain": request.acked.chain.hex(), "top": request.top,
                "events": [msgspec.Raw(each) for each in request.events],
                "cursors": request.cursors,
            }
        )  # fmt: skip
        began = time.perf_counter()
        answer = self._client.post("/sync", content=body, headers=_JSON).raise_for_status()
        took = time.perf_counter() - began
        reply = msgspec.convert(answer.json(), wire.SyncReply, dec_hook=lambda kind, of: kind(of))
        assert shop.at.till.receive(reply, NOW, TODAY, shop.rng)
        return took


def application(path: Path) -> FastAPI:
    """The partner on a file."""
    app, rng = FastAPI(), random.Random(0)
    store = list[SqliteStore]()

    @app.post("/sync")
    async def sync(push: Push) -> dict[str, Any]:
        if not store:  # in the thread that serves
            store.append(SqliteStore(open_database(path), TENANT.id))
        request = _request(push)
        with store[0].writing([request]):
            reply = Server(store[0], LIMITS).handle(request, NOW, rng)
        # Its answer is JSON: rows are read, as from any table.
        if isinstance(reply, SyncReply):
            reply = msgspec.structs.replace(reply, rows=tuple(map(unpack_row, reply.rows)))
        plain: dict[str, Any] = msgspec.to_builtins(reply, enc_hook=int)
        return plain

    return app


def _request(push: Push) -> SyncRequest:
    bodies = tuple([events.encode(each.model_dump()) for each in push.events])
    return SyncRequest(
        bytes.fromhex(push.rid), bytes.fromhex(push.device), push.timeline,
        Place(push.epoch, push.seq, bytes.fromhex(push.chain)), push.top, bodies, (),
        {bucket: Cursor(*each) for bucket, each in push.cursors.items()},
    )  # fmt: skip


@contextlib.contextmanager
def twin(path: Path) -> Iterator[Twin]:
    """The partner at work, and its till."""
    shop = Shop(1, 10_000)
    with contextlib.closing(open_database(path)) as raw:
        store = SqliteStore(raw, TENANT.id)
        with store.writing():
            store.put_tenant(TENANT)
        shop.enrol(store)
        shop.sync(store)
    with listening(Address(port=0)) as listener:
        config = uvicorn.Config(
            application(path), http="h11", ws="none", loop="asyncio", lifespan="off",
            log_config=None, access_log=False,
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="twin")
        thread.start()
        made = Twin(f"http://127.0.0.1:{listener.getsockname()[1]}", shop)
        try:
            wait_for(lambda: server.started)
            yield made
        finally:
            made.close()
            server.should_exit = True
            thread.join()
