"""The events that head office lacks as a file for a person to carry there: of a till that was shut out, or one
that was brought back from a backup on another computer because the till itself is lost.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app import bases
from app.context import Context
from app.domain.errors import Refusal, Refused
from app.protocol.outbox_file import Outbox, written
from app.usecases.take_out import write_whole
from db import head_office, rows


def carry_outbox(ctx: Context, path: Path, *, everything: bool) -> int:
    """Write the file; returns how many events are in it. `everything`: those that head office has had, too, for
    one that was brought back from a backup since. Raises Refused(NOT_JOINED), Unavailable(FILE_FAILED).
    """
    with ctx.read() as conn:
        row = head_office.head_office(conn)
        if row is None:
            raise Refused(Refusal.NOT_JOINED)
        control = bases.CONTROL.unpack(row.control)
        first = 1 if everything else control.acked + 1
        events = tuple(event.body for event in rows.events_after(conn, first - 1))
    outbox = Outbox(control.tenant, control.device, first, events)
    write_whole(path, written(outbox, Ed25519PrivateKey.from_private_bytes(row.seed).sign))
    return len(events)
