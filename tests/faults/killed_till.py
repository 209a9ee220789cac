"""A till that sells until it is killed, and what must hold when it starts again (testing.md, R1).

`live` runs in a forked child: the product's own start, a check of everything that was acknowledged before,
then sale after sale with cart, journal file and print job. Where it is stands on a shared board, so that the
parent can choose the moment and count it. What it says goes through a pipe, which outlives it.
"""

from __future__ import annotations

import importlib
import json
import mmap
import os
import random
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from sqlcipher3.dbapi2 import Connection

from app import posting, spool
from app.context import Context
from app.domain.entries import POINTS
from app.usecases.audit import evidence_at_hand, look_for_alterations
from app.usecases.keep_cart import CartLine, OpenCart, keep_cart, kept_cart
from app.usecases.sell import sell
from app.usecases.verify import verify
from db import rows, states, till
from tests.app.kiosk import Clock, Template, open_store, sale_command


class Stage(IntEnum):
    """Where a till can be when it is killed, in the order of a sale."""

    STARTING = 0
    CART = 1
    TRANSACTION = 2
    COMMITTING = 3
    COMMITTED = 4
    """Between the commit and the append to the journal file."""
    APPENDING = 5
    SYNCING = 6
    DONE = 7
    """In both copies, not yet acknowledged."""
    ACKNOWLEDGED = 8
    """Said to be done, its print job not yet claimed."""
    CLAIMED = 9
    SENDING = 10
    PRINTED = 11
    """On paper, and the database doesn't know."""
    IDLE = 12
    """Settled; perhaps in a checkpoint."""


# What the product imports when it first needs it: once here, not once in each forked child.
for _late in (
    "printing.devices.send", "printing.escpos", "printing.layout", "borax.calendars.lunardate",
):  # fmt: skip
    importlib.import_module(_late)

BREATH_S: Final = 0.002
"""The longest pause at a stage, so that a stage of microseconds can be met from outside."""


class Board:
    """Numbers that child and parent share, and that outlive the child."""

    _FIELDS: Final = struct.Struct("<4q")

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 64)

    def put(self, stage: Stage, *, kept: int | None = None, sale: int | None = None) -> None:
        _, was_kept, was_sale, _ = self._FIELDS.unpack_from(self._shared)
        values = (stage, was_kept if kept is None else kept, was_sale if sale is None else sale, 0)
        self._FIELDS.pack_into(self._shared, 0, *values)

    @property
    def stage(self) -> Stage:
        return Stage(int(self._FIELDS.unpack_from(self._shared)[0]))

    @property
    def kept(self) -> int:
        """The last sale whose cart was saved."""
        return int(self._FIELDS.unpack_from(self._shared)[1])

    @property
    def sale(self) -> int:
        """The last sale that was begun."""
        return int(self._FIELDS.unpack_from(self._shared)[2])


@dataclass(slots=True)
class Memory:
    """What the parent knows from everything that the till has said in all its lives."""

    acked: set[int] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    slowest_start_s: float = 0.0
    audits: int = 0
    """Starts after which everything was checked, the audit's witnesses among it."""

    def take(self, said: bytes) -> None:
        for line in said.splitlines():
            words: dict[str, Any] = json.loads(line)
            if "ack" in words:
                self.acked.add(words["ack"])
            else:
                self.problems += words["problems"]
                self.audits += 1
                self.slowest_start_s = max(self.slowest_start_s, words["start_s"])


def command_id(sale: int) -> bytes:
    return b"sale" + sale.to_bytes(12, "big")


def amount(sale: int) -> int:
    """Each sale has an amount of its own: a doubled one shows whatever its command id is."""
    return 1000 + sale


def cart_of(sale: int) -> OpenCart:
    return OpenCart(lines=(CartLine(amount(sale)),))


# The child ----------------------------------------------------------------------------------------


def live(
    folder: Path, template: Template, board: Board, memory: Memory, said: int,
    *, seed: int, ack_first: bool = False,
) -> None:  # fmt: skip
    """Start, check, sell for ever. `ack_first` is the sabotage: done is said before the commit."""
    chance = random.Random(seed)
    board.put(Stage.STARTING)
    begun = time.monotonic()
    opened = open_store(folder, template, Clock())
    ctx = opened.context
    cart = kept_cart(ctx)
    problems = check(ctx, memory.acked) + check_cart(ctx, cart, board) + check_past(ctx)
    spool.recover(ctx)
    problems += check_paper(ctx, memory.acked)
    if seed % 20 == 0:
        problems += [f"verify: {found.what}" for found in verify(ctx).findings]
    _say(said, {"problems": problems[:10], "start_s": time.monotonic() - begun})
    _watch(ctx, board, chance)
    number = max(memory.acked, default=0)
    while True:
        number += 1
        _one_sale(ctx, template, board, said, number, chance, ack_first=ack_first)


def _one_sale(
    ctx: Context, template: Template, board: Board, said: int, number: int,
    chance: random.Random, *, ack_first: bool,
) -> None:  # fmt: skip
    _reach(board, Stage.CART, chance, sale=number)
    with ctx.read() as conn:
        committed = rows.event_by_command(conn, command_id(number)) is not None
    if not committed:
        keep_cart(ctx, cart_of(number))
        board.put(Stage.CART, kept=number)
    command = sale_command(
        ctx, template.session, template.member_id, amount(number), command_id=command_id(number)
    )
    if ack_first:
        _say(said, {"ack": number})
    done = sell(ctx, command)
    assert done.again == committed
    _reach(board, Stage.DONE, chance)
    _say(said, {"ack": number})
    _reach(board, Stage.ACKNOWLEDGED, chance)
    while (job := spool.claim(ctx)) is not None:
        _reach(board, Stage.CLAIMED, chance)
        board.put(Stage.SENDING)
        delivery = spool.deliver(job, ctx.settings.receipt)
        assert delivery.outcome == "printed"
        _reach(board, Stage.PRINTED, chance)
        spool.settle(ctx, delivery)
    _reach(board, Stage.IDLE, chance)
    if chance.random() < 0.3:
        ctx.store.checkpoint_passive()


def _watch(ctx: Context, board: Board, chance: random.Random) -> None:
    """Write the stages inside `sell` on the board, from around the parts that it calls."""
    write, append, sync = ctx.store.write, ctx.journal.append, os.fsync

    @contextmanager
    def watched_write() -> Iterator[Connection]:
        selling = board.stage is Stage.CART and board.kept == board.sale
        with write() as conn:
            if selling:
                _reach(board, Stage.TRANSACTION, chance)
            yield conn
            if selling:
                _reach(board, Stage.COMMITTING, chance)
        if selling:
            _reach(board, Stage.COMMITTED, chance)

    def watched_append(records: list[Any], *, day: str) -> None:
        _reach(board, Stage.APPENDING, chance)
        append(records, day=day)

    def watched_sync(handle: int) -> None:
        if board.stage is Stage.APPENDING:
            _reach(board, Stage.SYNCING, chance)
        sync(handle)

    for owner, name, watched in (
        (ctx.store, "write", watched_write),
        (ctx.journal, "append", watched_append),
        (os, "fsync", watched_sync),
    ):
        setattr(owner, name, watched)


def _reach(board: Board, stage: Stage, chance: random.Random, *, sale: int | None = None) -> None:
    board.put(stage, sale=sale)
    time.sleep(chance.random() * BREATH_S)


def _say(said: int, words: dict[str, Any]) -> None:
    os.write(said, json.dumps(words).encode() + b"\n")


# What must hold -----------------------------------------------------------------------------------


def check(ctx: Context, acked: set[int]) -> list[str]:
    """Every acknowledged sale is there once, and the balance is the sum of the ledger."""
    with ctx.read() as conn:
        sales = [row for row in rows.events_after(conn, 0) if row.kind == posting.SALE]
        commands = {row.command_id for row in sales}
        totals = [posting.event_of(row).doc["total"] for row in sales]
        (member_id,) = {posting.event_of(row).member_id for row in sales} or {None}
        sums = rows.ledger_sums(conn, member_id) if member_id else {}
        state = states.state(conn, member_id) if member_id else None
    problems = [f"lost sale {n}" for n in sorted(acked) if command_id(n) not in commands]
    if len(totals) != len(set(totals)):
        problems.append("a sale is there twice")
    if state is not None and state.points != sums[POINTS]:
        problems.append(f"balance {state.points}, ledger {sums[POINTS]}")
    return problems


def check_past(ctx: Context) -> list[str]:
    """A2: what a crash leaves is never called an alteration, by any witness."""
    evidence = evidence_at_hand(ctx)
    assert evidence.start_key is not None, "nobody put it into a safe"
    audit = look_for_alterations(ctx, evidence)
    return [f"called {f.verdict.name} at {f.seq}: {f.kind}" for f in audit.findings]


def check_cart(ctx: Context, cart: OpenCart | None, board: Board) -> list[str]:
    """The cart of a sale that was not committed is offered again; that of a committed one is not."""
    with ctx.read() as conn:
        committed = rows.event_by_command(conn, command_id(board.sale)) is not None
    if committed:
        return [] if cart is None else ["the cart of a committed sale is offered again"]
    if board.kept == board.sale > 0 and cart != cart_of(board.sale):
        return [f"the cart of sale {board.sale} is lost"]
    return []


def check_paper(ctx: Context, acked: set[int]) -> list[str]:
    """Every acknowledged sale has one original, on paper or still to come; none is printed twice."""
    folder = Path(ctx.settings.receipt.printer.removeprefix("file://"))
    slips = [path.read_bytes() for path in sorted(folder.iterdir())[-60:]]
    problems = []
    for number in sorted(acked)[-40:]:
        with ctx.read() as conn:
            row = rows.event_by_command(conn, command_id(number))
            jobs = till.jobs_of_event(conn, row.seq) if row else []
        if row is None:
            continue  # `check` has told it
        receipt = posting.event_of(row).doc["receipt_no"].encode()
        printed = sum(receipt in slip for slip in slips)
        if [job.copy_no for job in jobs] != [0]:
            problems.append(f"sale {number} has {len(jobs)} print jobs")
        elif (jobs[0].state, printed) not in _PAPER:
            problems.append(f"sale {number} is {jobs[0].state}, on paper {printed} times")
    return problems


_PAPER: Final = {("printed", 1), ("queued", 0), ("uncertain", 0), ("uncertain", 1)}
