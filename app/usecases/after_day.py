"""What follows a Z: the reports of its date, and a seventh of all members folded anew.

The Z stands whatever happens here: what can't be done, or is found, is kept as an incident, which the attention
list shows. Both belong on the report lane; only the incident and the export's event are written.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.errors import Unavailable
from app.log import log
from app.protocol.events import micros
from app.usecases.export_report import after_close
from app.usecases.verify_day import next_share, note_share, verify_share
from app.usecases.verify_report import Report
from db import rows

Check = Callable[[Context, int], Report]


def follow_close(ctx: Context, on: BusinessDate, check: Check = verify_share) -> None:
    """The reports that the settings ask for, then the next share of the members by `check`. Never raises
    Unavailable."""
    try:
        _make_reports(ctx, on)
        _fold_share(ctx, check)
    except Unavailable as error:
        # The store itself fails: nothing can be noted in it, and the next command will say so.
        log.error("what follows a close was not done: %s", error.code.value)


def _make_reports(ctx: Context, on: BusinessDate) -> None:
    try:
        after_close(ctx, on, ctx.ids())
    except Unavailable as error:
        log.warning("no reports after the close: %s %s", error.code.value, error.facts)
        _note(ctx, "reports_not_made", {"date": on.iso()})


def _fold_share(ctx: Context, check: Check) -> None:
    share = next_share(ctx)
    found = check(ctx, share)
    note_share(ctx, share)
    if found.total:
        log.error("cached states differ from the fold: %d differences", found.total)
        for finding in found.findings:
            log.error("event %d: %s", finding.seq, finding.what)
        _note(ctx, "share_differs", {"count": found.total})


def _note(ctx: Context, code: str, facts: dict[str, int | str]) -> None:
    with ctx.write_rows() as conn:
        rows.add_incident(conn, at_us=micros(ctx.clock()), code=code, facts=json.dumps(facts))
