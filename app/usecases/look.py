"""Somebody had a member's account before them and sold nothing to it: kept as an event, for the guard (F9).

A sale names its member itself, so an account that was sold to needs no event of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from app import posting
from app.context import Context, Session
from app.domain.rights import Right
from app.queries.readers import require_look
from app.usecases.done import Done


@dataclass(frozen=True, slots=True)
class NoteLook:
    """The person of a session has looked at a member's profile."""

    command_id: bytes
    session: Session
    member_id: bytes


def note_look(ctx: Context, command: NoteLook) -> Done[None]:
    """Write it down, once. Raises Refused(NOT_ALLOWED), Unavailable."""
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(None, again=True)
        require_look(tx.conn, command.session, Right.FIND)
        tx.record(
            posting.LOOK,
            event_id=ctx.ids(),
            session=command.session,
            business_date=ctx.business_date(),
            member_id=command.member_id,
            doc={"what": "profile", "reason": ""},
        )
    return Done(None, warning=ctx.warning())
