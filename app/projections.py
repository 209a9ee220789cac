"""Rows that a migration brought and that old events stand for: filled from the journal when a till opens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app import posting
from app.context import Context
from db import figures, report_sums_kept, rows

_BATCH: Final = 2000
_FILLED: Final = "figures_filled"
_SUMS_DUE: Final = "sums_due"


def fill_figures(ctx: Context, told: Callable[[int, int], None]) -> None:
    """After the migration that brought the tables: give every event that reports count its sums.

    Each batch is a transaction of its own and notes how far it came, so a till that stops half-way goes on
    from there. Afterwards posting keeps the rows, and this does nothing. `told` hears, before each batch, how
    many events of how many are behind.
    """
    with ctx.read() as conn:
        due = rows.meta(conn, _FILLED) is not None
        last = rows.head(conn)
        total = last[0] if due and last else 0
    while due:
        with ctx.write_rows() as conn:
            filled = int(rows.meta(conn, _FILLED) or 0)
            told(filled, total)
            batch = list(rows.events_after(conn, filled, _BATCH))
            for row in batch:
                sums, shares = posting.figures_rows(posting.event_of(row))
                if sums is not None:
                    figures.insert(conn, sums, shares)
            if batch:
                rows.set_meta(conn, _FILLED, str(batch[-1].seq))
            else:
                rows.drop_meta(conn, _FILLED)
        due = bool(batch)


def fill_sums(ctx: Context, told: Callable[[int, int], None]) -> None:
    """After the migration that brought the sums of reports: add up the rows that there are, once those of
    `fill_figures` are there. Afterwards triggers keep them, and this does nothing.

    One transaction, for what is written is small; a till that stops half-way begins anew. `told` hears how many
    events and members of all are done.
    """
    with ctx.read() as conn:
        due = rows.meta(conn, _SUMS_DUE) is not None
    if not due:
        return
    with ctx.write_rows() as conn:
        report_sums_kept.write(conn, report_sums_kept.added_up(conn, told))
        rows.drop_meta(conn, _SUMS_DUE)
