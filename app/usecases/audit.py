"""The audit of this till: what lies beside the store as evidence, checkpoints of its journal, its start key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app import posting
from app.context import Changes, Context, Session
from app.domain.rights import Right
from app.protocol.checkpoints import Checkpoint
from app.protocol.evolving import StartKey
from app.usecases.done import Done
from app.usecases.rights import require
from app.usecases.take_out import record_taken_out
from app.usecases.verify_audit import Audit, Evidence, Identity, examine
from db import macs, rows
from db.engine import Reader

CHECKPOINT_EVENTS = 1000
"""A checkpoint each so many events, and after each day close."""


def evidence_at_hand(ctx: Context) -> Evidence:
    """The journal file, the side file, and the start key as long as it is not in the safe."""
    witness, standing = ctx.witness.look()
    return Evidence(ctx.journal, (), start_key(ctx), witness, standing)


def look_for_alterations(
    ctx: Context, evidence: Evidence, *, progress: Callable[[int, int], None] | None = None
) -> Audit:
    """Hold the whole journal against the evidence. Raises Unavailable."""
    identity = Identity(ctx.chain_start(), ctx.till.device, ctx.till.epoch)
    with ctx.read(Reader.REPORT) as conn:
        if progress is None:
            return examine(conn, identity, evidence)
        return examine(conn, identity, evidence, progress=progress)


# Checkpoints ------------------------------------------------------------------------------------------


def checkpoints(ctx: Context) -> tuple[Checkpoint, ...]:
    """Every checkpoint of the journal, to be kept elsewhere and countersigned."""
    till = ctx.till
    with ctx.read(Reader.REPORT) as conn:
        found = [posting.event_of(row).doc for row in rows.checkpoints(conn)]
    return tuple(
        Checkpoint(till.tenant.hex(), till.device.hex(), till.epoch, d["seq"], d["head"], d["by"])
        for d in found
    )


def checkpoint_when_due(ctx: Context) -> None:
    """Record one after a day close, and after a thousand events. Belongs to the idle work."""
    with ctx.read() as conn:
        head = rows.head(conn)
        row = rows.last_checkpoint(conn)
        closed = rows.last_day_close(conn)
    since = row.seq if row else 0
    after_close = closed is not None and closed.seq > since
    if head is None or (not after_close and head[0] - since < CHECKPOINT_EVENTS):
        return
    with ctx.write(ctx.ids()) as tx:
        last = rows.head(tx.conn)
        assert last is not None, "there was one a moment ago, and events stay"
        tx.record(
            posting.CHECKPOINT,
            event_id=ctx.ids(),
            session=None,
            business_date=ctx.business_date(),
            doc={"seq": last[0], "head": last[1].hex(), "by": None},
        )


# The start key ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeepStartKey:
    """The sheet with the start key is in the owner's safe."""

    command_id: bytes
    session: Session


def start_key(ctx: Context) -> StartKey | None:
    """The start key while the store still has it. Not for a screen: that is `show_start_key`."""
    with ctx.read() as conn:
        row = macs.mac_key(conn)
    if row is None or row.start is None:
        return None
    return StartKey(row.first_seq, row.start)


def show_start_key(ctx: Context, session: Session, command_id: bytes) -> StartKey | None:
    """The start key for the sheet, until it is in the safe. Raises Refused(NOT_ALLOWED)."""
    with ctx.read() as conn:
        require(
            ctx, conn, session, Right.RESTORE, command_id=command_id,
            facts=(("act", "show_start_key"),),
        )  # fmt: skip
    return start_key(ctx)


def keep_start_key(ctx: Context, command: KeepStartKey) -> Done[None]:
    """The sheet was put away: the store forgets the start key, for good. Raises Refused(NOT_ALLOWED)."""
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(None, again=True)
        require(
            ctx, tx.conn, command.session, Right.RESTORE, command_id=command.command_id,
            facts=(("act", "keep_start_key"),),
        )  # fmt: skip
        macs.forget_start(tx.conn)
        record_taken_out(tx, command.session, "start_key", "print", 1)
    # Out of the log too, which would otherwise hold the page with the key until it is written over.
    ctx.store.checkpoint_truncate()
    return Done(None, Changes(kinds=frozenset({"audit"})), warning=ctx.warning())
