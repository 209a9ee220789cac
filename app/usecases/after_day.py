"""What follows a Z: the reports of its date, and a seventh of all members folded anew.

The Z stands whatever happens here: what can't be done, or is found, is kept as an incident, which the attention
list shows. Reading and folding may take long and belong on the report lane (`read_reports`, `finish`); what is
written belongs on the db lane, as every write does (`record_reports`, `note`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.errors import Unavailable
from app.log import log
from app.protocol.events import micros
from app.usecases.export_report import Made, Taken, read_after_close, record_taken, save_taken
from app.usecases.verify_day import next_share, note_share, verify_share
from app.usecases.verify_report import Report
from db import rows

T = TypeVar("T")
Check = Callable[[Context, int], Report]


@dataclass(frozen=True, slots=True)
class Followed:
    """What followed the Z of a date: whether its reports failed, and what a share of the members gave."""

    on: BusinessDate
    failed: bool
    share: int
    found: Report


def follow_close(ctx: Context, on: BusinessDate, check: Check = verify_share) -> None:
    """All of it, one step after another: the reports that the settings ask for, then the next share of the
    members by `check`. Never raises Unavailable."""
    try:
        note(ctx, finish(ctx, on, record_reports(ctx, read_reports(ctx, on)), check))
    except Unavailable as error:
        # The store itself fails: nothing can be noted in it, and the next command will say so.
        log.error("what follows a close was not done: %s", error.code.value)


def read_reports(ctx: Context, on: BusinessDate) -> Made | Unavailable | None:
    """The reports of a date, None when none are wanted, or why they can't be read (report lane)."""
    return _tried(lambda: read_after_close(ctx, on, ctx.ids()))


def record_reports(ctx: Context, made: Made | Unavailable | None) -> Taken | Unavailable | None:
    """The event of their export, before anything leaves (db lane)."""
    if isinstance(made, Made):
        return _tried(lambda: record_taken(ctx, made))
    return made


def finish(
    ctx: Context,
    on: BusinessDate,
    taken: Taken | Unavailable | None,
    check: Check = verify_share,
) -> Followed:
    """Save their file, then fold the next share of the members (report lane). Raises Unavailable."""
    saved = _tried(lambda: save_taken(ctx, taken)) if isinstance(taken, Taken) else taken
    share = next_share(ctx)
    return Followed(on, isinstance(saved, Unavailable), share, check(ctx, share))


def note(ctx: Context, followed: Followed) -> None:
    """Write down how it went (db lane). Raises Unavailable."""
    if followed.failed:
        _incident(ctx, "reports_not_made", {"date": followed.on.iso()})
    note_share(ctx, followed.share)
    if followed.found.total:
        log.error("cached states differ from the fold: %d differences", followed.found.total)
        for finding in followed.found.findings:
            log.error("event %d: %s", finding.seq, finding.what)
        _incident(ctx, "share_differs", {"count": followed.found.total})


def _tried(step: Callable[[], T]) -> T | Unavailable:
    try:
        return step()
    except Unavailable as error:
        log.warning("no reports after the close: %s %s", error.code.value, error.facts)
        return error


def _incident(ctx: Context, code: str, facts: dict[str, int | str]) -> None:
    with ctx.write_rows() as conn:
        rows.add_incident(conn, at_us=micros(ctx.clock()), code=code, facts=json.dumps(facts))
