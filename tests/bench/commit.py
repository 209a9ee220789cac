"""A sale's commit through `sell`, against the same rows by bare sqlcipher3 plus a bare append and fsync.

The partner is a byte copy of the very store, opened by the same `connect`: the same pragmas, keys, triggers
and indexes, trees of the same depth. It writes the rows that the sale wrote (read back after it) by the bare
statements, in one BEGIN IMMEDIATE transaction, then appends as many bytes as the journal file got to a plain
file with one fsync. Both alternate, sale by sale.
"""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.context import Context, Session
from app.domain.documents import LineRequest, SaleRequest
from app.queries.counter import quote
from app.usecases.sell import Payment, Sell, Sold, sell
from db.connection import WRITER_CACHE_KIB, StoreKey, connect
from tests.bench.copies import at_work, copy_to_disk, database_of, till_of
from tests.bench.figures import Figure, percentile
from tests.bench.stores import key_of

SALES: Final = 600
WARM_UP: Final = 100
MEMBERS_SERVED: Final = 2000
IDLE_EVERY: Final = 20
"""Sales between two idle moments, in which both checkpoint."""
SEED: Final = 11
# What surrounds an event in the journal file: head, nonce and the seal's tag (app/journal.py).
RECORD_BYTES: Final = 17 + 12 + 16

Rows = list[tuple[str, list[tuple[Any, ...]]]]

_READ: Final = (
    ("event", "seq = :seq", "INSERT"),
    ("event_mac", "seq = :seq", "INSERT"),
    ("mac_key", "id = 1", "INSERT OR REPLACE"),
    ("ledger", "seq = :seq", "INSERT"),
    ("document", "seq = :seq", "INSERT"),
    ("event_figures", "seq = :seq", "INSERT"),
    ("event_share", "seq = :seq", "INSERT"),
    ("member_state", "member_id = :member", "INSERT OR REPLACE"),
    ("lot", "member_id = :member AND origin_event = :event", "INSERT OR REPLACE"),
    ("member_day", "member_id = :member AND business_date = :date", "INSERT OR REPLACE"),
    ("print_job", "seq = :seq", "INSERT"),
)


@dataclass(frozen=True, slots=True)
class Commit:
    """Milliseconds per commit of both sides, sale by sale."""

    ours_ms: list[float]
    partner_ms: list[float]


class Partner:
    """A bare connection to a copy of the store, and a bare file."""

    def __init__(self, path: Path, key: StoreKey) -> None:
        self._raw = connect(path, key, cache_kib=WRITER_CACHE_KIB, writer=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._file = os.open(path.with_suffix(".append"), flags)

    def commit(self, rows: Rows, record: bytes) -> float:
        """Write the rows of one sale; the milliseconds it took."""
        began = time.perf_counter()
        self._raw.execute("BEGIN IMMEDIATE")
        for sql, values in rows:
            self._raw.executemany(sql, values)
        self._raw.execute("COMMIT")
        os.write(self._file, record)
        os.fsync(self._file)
        return (time.perf_counter() - began) * 1000

    def checkpoint(self) -> None:
        """What the till does when idle."""
        self._raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Let the files go."""
        self._raw.close()
        os.close(self._file)


def measured(folder: Path) -> Commit:
    """On a working copy of a demo store, which is sold from; the partner's file is gone afterwards."""
    twin = folder / "partner.db"
    with till_of(folder) as till:
        session = at_work(till)
        till.context.store.checkpoint_truncate()
        copy_to_disk(database_of(folder), twin)
        partner = Partner(twin, key_of(folder))
        try:
            return measure(till.context, session, partner)
        finally:
            partner.close()
            twin.unlink()


def measure(ctx: Context, session: Session, partner: Partner) -> Commit:
    """Sell, each sale followed by the partner's commit of the same rows."""
    rng = random.Random(SEED)
    members = some_members(ctx, rng)
    measured = Commit([], [])
    for number in range(WARM_UP + SALES):
        command = next_sale(ctx, session, rng, members)
        began = time.perf_counter()
        done = sell(ctx, command)
        ours = (time.perf_counter() - began) * 1000
        theirs = partner.commit(*rows_of(ctx, done.result, command.member_id))
        if number >= WARM_UP:
            measured.ours_ms.append(ours)
            measured.partner_ms.append(theirs)
        if number % IDLE_EVERY == IDLE_EVERY - 1:
            ctx.store.checkpoint_passive()
            partner.checkpoint()
    return measured


def some_members(ctx: Context, rng: random.Random, *, most: int = MEMBERS_SERVED) -> list[bytes]:
    """Members from all over the store who were not here today, in no order.

    Each is served once: a member who is back within minutes is one whom the guard asks about.
    """
    with ctx.read() as conn:
        newest = conn.execute("SELECT max(seq) FROM member_seq").fetchone()[0]
        places = rng.sample(range(1, newest + 1), min(MEMBERS_SERVED, newest))
        found = (
            "SELECT s.member_id FROM member_seq s JOIN member m ON m.id = s.member_id"
            " WHERE s.seq = ? AND coalesce(m.last_visit, 0) < ?"
        )
        today = int(ctx.business_date())
        rows = [conn.execute(found, (place, today)).fetchone() for place in places]
    return [row[0] for row in rows if row is not None]


def next_sale(ctx: Context, session: Session, rng: random.Random, members: list[bytes]) -> Sell:
    """A sale of one to four lines to the next member, paid by QR, quoted as the counter does before Pay."""
    member = members.pop()
    lines = tuple(
        LineRequest(rng.randrange(500, 9000), name="龙井茶") for _ in range(rng.randrange(1, 5))
    )
    request = SaleRequest(lines)
    shown = quote(ctx, member, request)
    payment = Payment("qr", shown.draft.to_pay_minor)
    return Sell(ctx.ids(), session, member, request, payment, shown.key)


def rows_of(ctx: Context, sold: Sold, member: bytes | None) -> tuple[Rows, bytes]:
    """The rows that a sale wrote, as statements for the partner, and bytes as many as its record has."""
    on = int(sold.document.business_date)
    known = {"seq": sold.seq, "event": sold.event_id, "member": member, "date": on}
    found: Rows = []
    with ctx.read() as conn:
        for table, where, insert in _READ:
            values = conn.execute(f"SELECT * FROM {table} WHERE {where}", known).fetchall()
            if values:
                marks = ",".join("?" * len(values[0]))
                found.append((f"{insert} INTO {table} VALUES ({marks})", values))
        body, hash_ = conn.execute(
            "SELECT body, hash FROM event WHERE seq = ?", (sold.seq,)
        ).fetchone()
    found.append(("UPDATE member SET last_visit = ? WHERE id = ?", [(on, member)]))
    dirty = "INSERT INTO search_dirty (member_id) VALUES (?) ON CONFLICT DO NOTHING"
    found.append((dirty, [(member,)]))
    found.append(("DELETE FROM cart WHERE id = ?", [(1,)]))
    return found, bytes(RECORD_BYTES) + hash_ + body


def figures(commit: Commit) -> list[Figure]:
    """The two figures of a sale's commit."""
    median, partner = percentile(commit.ours_ms, 0.5), percentile(commit.partner_ms, 0.5)
    p99, partner_p99 = percentile(commit.ours_ms, 0.99), percentile(commit.partner_ms, 0.99)
    count = len(commit.ours_ms)
    return [
        Figure(
            "sale commit / bare rows and append", median / partner, "x", 1.8, "lower", count,
            "bare, ms", partner,
        ),
        Figure(
            "sale commit p99 / its median", p99 / median, "x", 3, "lower", count,
            "bare p99 / its median", partner_p99 / partner,
        ),
    ]  # fmt: skip
