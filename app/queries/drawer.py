"""Reads of the drawer: the X report of the open shift, the shifts of a date. Blind before the count.

What a drawer should hold is read from the count's event, so it can't be had before; nothing here works it out.
Cash taken in sales is never summed up either: with the float it would tell the same.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlcipher3.dbapi2 import Connection

from app import posting
from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.drawer import CASH, DrawerSums, face_values, money_of, voids_a_return
from app.domain.errors import Refusal, Refused
from app.protocol.events import Event, instant_of, micros
from db import drawer, rows, till


@dataclass(frozen=True, slots=True)
class DrawerCount:
    """A count that was submitted, with what the drawer should have held."""

    sums: DrawerSums
    total_minor: int

    @property
    def difference_minor(self) -> int:
        """Below zero: cash is missing."""
        return self.total_minor - self.sums.expected_minor


@dataclass(frozen=True, slots=True)
class OpenDrawer:
    """The open shift as the count sheet needs it: the notes and coins, and whether it was counted."""

    shift_id: bytes
    business_date: BusinessDate
    face_values: tuple[int, ...]
    counted: DrawerCount | None


@dataclass(frozen=True, slots=True)
class XReport:
    """How the open shift stands. `tenders` has what others than cash brought in, net, by kind; it is empty
    and `cash` is None until the drawer was counted."""

    shift_id: bytes
    staff: str
    business_date: BusinessDate
    opened_at: datetime
    sales: int
    returns: int
    voids: int
    tenders: tuple[tuple[str, int], ...]
    float_minor: int
    paid_in_minor: int
    paid_out_minor: int
    openings: int
    cash: DrawerCount | None


@dataclass(frozen=True, slots=True)
class ShiftCash:
    """One shift of a date, for the day close and for reports. `count` is None where nobody counted;
    `sums` too while the shift is open and uncounted. `closed_at` None: it is open."""

    shift_id: bytes
    staff_id: bytes
    business_date: BusinessDate
    opened_at: datetime
    closed_at: datetime | None
    sums: DrawerSums | None
    count: DrawerCount | None
    reason: str
    approved_by: bytes | None
    to: bytes | None


def open_drawer(ctx: Context) -> OpenDrawer | None:
    """The open shift's drawer, None without an open shift."""
    with ctx.read() as conn:
        shift = till.open_shift(conn)
        if shift is None:
            return None
        return OpenDrawer(
            shift.id,
            BusinessDate(shift.business_date),
            face_values(ctx.till.currency.code),
            _count(conn, shift),
        )


def x_report(ctx: Context) -> XReport:
    """The open shift as it stands. Raises Refused(SHIFT_NEEDED)."""
    with ctx.read() as conn:
        return x_of(ctx, conn)


def x_of(ctx: Context, conn: Connection) -> XReport:
    """The X report in a caller's transaction. Raises Refused(SHIFT_NEEDED)."""
    shift = till.open_shift(conn)
    if shift is None:
        raise Refused(Refusal.SHIFT_NEEDED)
    kinds = drawer.documents_by_kind(conn, shift.id)
    uses = drawer.uses_of_shift(conn, shift.id)
    count = _count(conn, shift)
    return XReport(
        shift.id,
        ctx.initials(conn, shift.staff_id),
        BusinessDate(shift.business_date),
        instant_of(shift.opened_us),
        kinds.get(posting.SALE, 0),
        kinds.get(posting.RETURN, 0),
        kinds.get(posting.VOID, 0),
        # The takings, that reports show, less these would be the cash.
        () if count is None else _other_tenders(conn, shift.id),
        shift.float_minor,
        sum(use.amount_minor for use in uses if use.kind == "in"),
        -sum(use.amount_minor for use in uses if use.kind == "out"),
        sum(use.kind == "open" for use in uses),
        count,
    )


def x_plain(report: XReport, staff_id: bytes) -> dict[str, Any]:
    """An X report as the event of its printing holds it: a copy then says the same."""
    return {
        "opened_by": staff_id.hex(),
        "opened_us": micros(report.opened_at),
        "sales": report.sales,
        "returns": report.returns,
        "voids": report.voids,
        "tenders": [[kind, minor] for kind, minor in report.tenders],
        "float": report.float_minor,
        "in": report.paid_in_minor,
        "out": report.paid_out_minor,
        "openings": report.openings,
        "cash": None
        if report.cash is None
        else {"sums": asdict(report.cash.sums), "total": report.cash.total_minor},
    }


def shifts_on(ctx: Context, on: BusinessDate) -> tuple[ShiftCash, ...]:
    """The shifts of a business date, oldest first."""
    with ctx.read() as conn:
        return tuple(_shift_cash(conn, shift) for shift in drawer.shifts_on(conn, on))


def voided_return(conn: Connection, event: Event) -> dict[str, Any] | None:
    """The facts of the return that an event takes back, None when it takes back none."""
    if not voids_a_return(event.kind, event.doc):
        return None
    row = rows.event_by_id(conn, bytes.fromhex(event.doc["refers_to"]))
    assert row is not None, "a void names a document of this journal"
    return posting.event_of(row).doc


def _shift_cash(conn: Connection, shift: till.ShiftRow) -> ShiftCash:
    count = _count(conn, shift)
    closed = None if shift.closed_seq is None else _event(conn, shift.closed_seq)
    # A shift of an old journal was closed by the opening of the next one, without any facts.
    doc = closed.doc if closed is not None and closed.kind == posting.SHIFT_CLOSE else {}
    approval, to = doc.get("approval"), doc.get("to")
    sums = DrawerSums(**doc["sums"]) if "sums" in doc else count.sums if count else None
    return ShiftCash(
        shift.id,
        shift.staff_id,
        BusinessDate(shift.business_date),
        instant_of(shift.opened_us),
        None if closed is None else instant_of(closed.at_us),
        sums,
        count,
        doc.get("reason", ""),
        None if approval is None else bytes.fromhex(approval["by"]),
        None if to is None else bytes.fromhex(to),
    )


def _count(conn: Connection, shift: till.ShiftRow) -> DrawerCount | None:
    if shift.counted_seq is None:
        return None
    doc = _event(conn, shift.counted_seq).doc
    return DrawerCount(DrawerSums(**doc["sums"]), doc["total"])


def _other_tenders(conn: Connection, shift_id: bytes) -> tuple[tuple[str, int], ...]:
    sums: Counter[str] = Counter()
    for row in drawer.cash_events(conn, shift_id):
        event = posting.event_of(row)
        for kind, minor in money_of(event.kind, event.doc, voided_return(conn, event)):
            sums[kind] += minor
    return tuple(sorted((kind, minor) for kind, minor in sums.items() if kind != CASH))


def _event(conn: Connection, seq: int) -> Event:
    row = rows.event_by_seq(conn, seq)
    assert row is not None, "a projection names an event"
    return posting.event_of(row)
