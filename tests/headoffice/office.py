"""A head office on disk and tills that sell to it, for tests of the store alone."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.protocol import facts
from app.protocol.facts import Facts, Posting
from app.protocol.limits import Limits
from app.protocol.server import Server
from app.protocol.store import Tenant
from app.protocol.wire import Reply, SyncReply
from headoffice.store.opening import open_database
from headoffice.store.sqlite import SqliteStore
from tests.sim.machine import Machine, machine

NOW: Final = 20_000 * 86_400_000
TODAY: Final = BusinessDate(20_000)
TENANT: Final = Tenant(b"T" * 16, NOW, 1000, NOW)
BUCKET: Final = "north"
LIMITS: Final = Limits(
    grant_most=50, cap=20, lease_ms=86_400_000, grace_days=1, rebases_a_day=3, page_rows=50, frame_rows=10
)  # fmt: skip


@contextmanager
def opened(path: Path, *, tenant: Tenant = TENANT, wait_ms: int = 5_000) -> Iterator[SqliteStore]:
    """The store at a path; the tenant is put if it isn't there."""
    with connected(path, wait_ms=wait_ms) as raw:
        store = SqliteStore(raw, tenant.id, wait_ms=wait_ms)
        with store.reading():
            known = raw.execute("SELECT 1 FROM tenant WHERE tenant_id = ?", (tenant.id,)).fetchone()
        if known is None:
            with store.writing():
                store.put_tenant(tenant)
        yield store


@contextmanager
def connected(path: Path, *, wait_ms: int = 5_000) -> Iterator[sqlite3.Connection]:
    """The raw database."""
    raw = open_database(path, wait_ms=wait_ms)
    try:
        yield raw
    finally:
        raw.close()


def server(store: SqliteStore) -> Server:
    """Head office's half on this store."""
    return Server(store, LIMITS)


class Shop:
    """A till whose customers buy; every sale earns."""

    def __init__(self, seed: int, members: int = 5) -> None:
        self.rng = random.Random(seed)
        self.members = [self.rng.randbytes(16) for _ in range(members)]
        self.at: Machine = machine("till", BUCKET, TENANT.id, NOW, (BUCKET,), self.rng)

    def enrol(self, store: SqliteStore) -> None:
        """Head office lets the till in."""
        with store.writing():
            server(store).enrol(self.at.device, BUCKET)

    def sell(self, sales: int = 3, amount: int = 7) -> None:
        """Sales of a member each, in the till's journal."""
        for _ in range(sales):
            event, member = self.rng.randbytes(16), self.rng.choice(self.members)
            earn = Entry(EntryId(event, 0), POINTS, "earn", amount, TODAY, TODAY, TODAY.plus(300))
            made = Facts(event, "sale", member, TODAY, (Posting(earn),), sold=((0, 1),))
            self.at.commit(made, facts.write(made))

    def ask(self, store: SqliteStore) -> Reply:
        """One exchange, kept by head office and taken by the till."""
        request = self.at.till.request(self.rng, written=len(self.at.file))
        with store.writing():
            reply = server(store).handle(request, NOW, self.rng)
        self.at.till.receive(reply, NOW, TODAY, self.rng)
        self.at.write_file()
        return reply

    def sync(self, store: SqliteStore) -> SyncReply:
        """`ask` until the answer is rows: a till may ask for a snapshot first, and there is none."""
        for _ in range(3):
            reply = self.ask(store)
            if isinstance(reply, SyncReply):
                return reply
        raise AssertionError(reply)


def dump(path: Path) -> list[str]:
    """Every row of a file."""
    with connected(path) as raw:
        return list(raw.iterdump())
