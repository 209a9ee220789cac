"""A sale's commit through `sell`, against the same rows by bare sqlcipher3 plus a bare append and fsync.

The partner gets the very rows that the sale wrote (read back after it), in one BEGIN IMMEDIATE transaction with
the same pragmas, and appends the same number of bytes to a plain file with one fsync. Both alternate.
"""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.context import Context, Session
from app.domain.documents import LineRequest, SaleRequest
from app.queries.counter import quote
from app.usecases.sell import Payment, Sell, sell
from db.connection import StoreKey, connect

TABLES = (
    ("event", "seq = :seq"),
    ("ledger", "seq = :seq"),
    ("document", "seq = :seq"),
    ("member_state", "member_id = :member"),
    ("lot", "member_id = :member AND origin_event = :event"),
    ("member_day", "member_id = :member AND business_date = :date"),
    ("member", "id = :member"),
    ("search_dirty", "member_id = :member"),
    ("print_job", "seq = :seq"),
)


@dataclass(frozen=True, slots=True)
class Commit:
    """Seconds per commit of both sides."""

    ours: list[float]
    partner: list[float]


class Partner:
    """A bare connection to a store of the same schema, and a bare file."""

    def __init__(self, path: Path, key: StoreKey, like: Context) -> None:
        self._raw = connect(path, key, cache_kib=16384, writer=True, create=True)
        with like.read() as conn:
            schema = conn.execute(
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('table', 'index')"
                " AND name NOT LIKE 'member_fx%' ORDER BY type DESC"
            ).fetchall()
        for (sql,) in schema:
            self._raw.execute(sql)
        self._raw.execute("PRAGMA foreign_keys=OFF")
        self._file = os.open(path.with_suffix(".append"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def commit(self, rows: list[tuple[str, list[tuple[Any, ...]]]], record: bytes) -> float:
        """Write the rows of one sale; the seconds it took."""
        started = time.perf_counter()
        self._raw.execute("BEGIN IMMEDIATE")
        for sql, values in rows:
            self._raw.executemany(sql, values)
        self._raw.execute("COMMIT")
        os.write(self._file, record)
        os.fsync(self._file)
        return time.perf_counter() - started

    def checkpoint(self) -> None:
        """What the till does when idle."""
        self._raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Let the files go."""
        self._raw.close()
        os.close(self._file)


def measure(
    ctx: Context, session: Session, members: list[bytes], folder: Path, samples: int
) -> Commit:
    """Sell `samples` times, each followed by its partner's commit of the same rows."""
    partner = Partner(folder / "partner.db", StoreKey(os.urandom(32), os.urandom(16)), ctx)
    rng = random.Random(11)
    ours: list[float] = []
    theirs: list[float] = []
    try:
        for n in range(samples):
            member = rng.choice(members)
            request = SaleRequest(
                tuple(
                    LineRequest(rng.randrange(500, 9000), name="茶")
                    for _ in range(rng.randrange(1, 5))
                )
            )
            shown = quote(ctx, member, request)
            payment = Payment("qr", shown.draft.to_pay_minor)
            command = Sell(ctx.ids(), session, member, request, payment, shown.key)
            started = time.perf_counter()
            done = sell(ctx, command)
            ours.append(time.perf_counter() - started)
            rows, record = rows_of(ctx, done.result.seq, done.result.event_id, member)
            theirs.append(partner.commit(rows, record))
            if n % 20 == 19:
                ctx.store.checkpoint_passive()
                partner.checkpoint()
    finally:
        partner.close()
    return Commit(ours, theirs)


def rows_of(
    ctx: Context, seq: int, event_id: bytes, member: bytes
) -> tuple[list[tuple[str, list[tuple[Any, ...]]]], bytes]:
    """The rows that a sale wrote, as statements for the partner, and its journal record's bytes."""
    found: list[tuple[str, list[tuple[Any, ...]]]] = []
    with ctx.read() as conn:
        body, hash_, date = conn.execute(
            "SELECT e.body, e.hash, d.business_date FROM event e JOIN document d ON d.seq = e.seq"
            " WHERE e.seq = ?",
            (seq,),
        ).fetchone()
        known = {"seq": seq, "event": event_id, "member": member, "date": date}
        for table, where in TABLES:
            values = conn.execute(f"SELECT * FROM {table} WHERE {where}", known).fetchall()
            if values:
                marks = ",".join("?" * len(values[0]))
                found.append((f"INSERT OR REPLACE INTO {table} VALUES ({marks})", values))
    return found, bytes(29) + hash_ + body + bytes(16)
