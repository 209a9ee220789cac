"""Open a report, or what is behind one of its figures: the right first, then the numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from app.context import Context, Session
from app.documents.report import (
    PARTS_SHOWN,
    Drill,
    Parts,
    Report,
    ReportCode,
    ReportFilter,
)
from app.domain.errors import Cancelled
from app.domain.rights import Right
from app.queries.readers import require_look
from app.queries.reports import sales, standing
from app.queries.reports.parts import parts
from db import report_sums, staff_rows
from db.connection import Connection
from db.engine import Reader
from db.errors import Interrupted

Answer = TypeVar("Answer")

_NAMES_WHOLE = frozenset({"supervisor", "manager"})
"""Who sees members' names at the counter anyway; everybody else reads them masked."""


def open_report(ctx: Context, session: Session, code: ReportCode, asked: ReportFilter) -> Report:
    """A report on the report lane. Raises Refused(NOT_ALLOWED), Cancelled when `call_off` stopped it."""

    def read(conn: Connection) -> Report:
        require_look(conn, session, Right.REPORTS)
        return report_of(ctx, conn, code, asked)

    return _read(ctx, read)


def report_of(ctx: Context, conn: Connection, code: ReportCode, asked: ReportFilter) -> Report:
    """The report of a code, for who has been let in already (the close of a day prints without a reader)."""
    if code == "overview":
        return sales.overview(ctx, conn, asked)
    if code == "hours":
        return sales.heat(ctx, conn, asked)
    if code == "members":
        return standing.members(ctx, conn, asked)
    if code == "points":
        return standing.points(ctx, conn, asked)
    if code == "lots":
        return standing.lots(ctx, conn, asked)
    return sales.grouped(ctx, conn, code, asked)


def open_parts(ctx: Context, session: Session, drill: Drill) -> Parts:
    """The events behind a figure. Raises Refused(NOT_ALLOWED), Cancelled."""

    def read(conn: Connection) -> Parts:
        role = require_look(conn, session, Right.REPORTS)
        return parts(ctx, conn, drill, limit=PARTS_SHOWN, names=sees_names(role))

    return _read(ctx, read)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a report can be narrowed to: people (id, name), tiers (rank, name in zh, in en), and tills where the
    store has documents of several: after a restore with another number, or a journal that was handed over."""

    people: tuple[tuple[bytes, str], ...]
    tiers: tuple[tuple[int, str, str], ...]
    tills: tuple[str, ...]


def choices(ctx: Context, session: Session) -> Choices:
    """The choices of the filter row. Raises Refused(NOT_ALLOWED)."""

    def read(conn: Connection) -> Choices:
        require_look(conn, session, Right.REPORTS)
        levels = ctx.programme_on(conn, ctx.business_date()).tiers.levels
        tills = report_sums.tills(conn)
        return Choices(
            tuple((row.id, row.name) for row in staff_rows.all_staff(conn)),
            tuple((level.rank, level.name_zh, level.name_en) for level in levels),
            tills if len(tills) > 1 else (),
        )

    return _read(ctx, read)


def call_off(ctx: Context) -> None:
    """Stop the report that is being read, from any thread; nothing happens when none is."""
    ctx.store.interrupt(Reader.REPORT)


def sees_names(role: str) -> bool:
    """Whether somebody of this role reads members' names whole."""
    return role in _NAMES_WHOLE


def _read(ctx: Context, read: Callable[[Connection], Answer]) -> Answer:
    try:
        with ctx.read(Reader.REPORT) as conn:
            return read(conn)
    except Interrupted:
        raise Cancelled from None
