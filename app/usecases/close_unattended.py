"""The close that a till makes by itself once a date is over: every missed date in order, nobody there.

An open shift of that date is ended without a count, and the Z says so; who comes next is told. The window runs
the same steps on its lanes (ui/desk_day.py); here they follow each other, for a till whose window is shut.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.backup import Backup
from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.errors import Unavailable
from app.log import log
from app.usecases import after_day
from app.usecases.back_up import NoteBackup, make_backup, note_backup
from app.usecases.close_day import (
    BeginClose,
    Check,
    Closed,
    CloseDay,
    begin,
    close_day,
    date_to_close,
    end_shift_unattended,
    prove,
)
from app.usecases.owner_postings import owns_ledger, post_all
from app.usecases.verify_day import verify_share, verify_since


@dataclass(frozen=True, slots=True)
class Night:
    """What a till closed by itself."""

    closed: tuple[Closed, ...]


def due_unattended(ctx: Context) -> BusinessDate | None:
    """The next date that is over by the clock and not closed; None when there is none."""
    on = date_to_close(ctx)
    return on if on is not None and on < ctx.business_date() else None


def close_all(
    ctx: Context, check: Check = verify_since, fold_share: after_day.Check = verify_share
) -> Night:
    """Close every date that is over; a big day is proven sooner where `check` and `fold_share` run apart
    (app/apart.py). Raises Unavailable; what is closed by then stays closed."""
    found: list[Closed] = []
    while (on := due_unattended(ctx)) is not None:
        end_shift_unattended(ctx, on)
        closing = begin(ctx, BeginClose(ctx.ids(), None, on))
        posted = post_all(ctx, on, closing.since) if owns_ledger(ctx) else None
        proof = prove(ctx, check)
        made = back_up_if_possible(ctx)
        found.append(close_day(ctx, CloseDay(closing, proof, posted, made)).result)
        after_day.follow_close(ctx, on, fold_share)
    return Night(tuple(found))


def back_up_if_possible(ctx: Context) -> Backup | None:
    """A backup, noted; None where it can't be made, which the Z then says."""
    try:
        made = make_backup(ctx)
    except Unavailable as error:
        log.warning("no backup at the close: %s %s", error.code.value, error.facts)
        return None
    return note_backup(ctx, NoteBackup(ctx.ids(), made)).result
