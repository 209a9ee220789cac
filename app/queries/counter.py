"""Reads of the open counter: the live quote, items, staff, shift, documents, print jobs."""

from __future__ import annotations

from collections.abc import Set

from sqlcipher3.dbapi2 import Connection

from app import posting
from app.account import member_context
from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.documents import ReturnDocument, SaleDocument, SaleRequest
from app.domain.documents_plain import sale_from_plain
from app.domain.errors import Refusal, Refused
from app.domain.sale import SaleQuote, quote_sale
from app.numbers import parse_receipt_number
from app.protocol.events import instant_of
from app.queries.records import (
    ITEMS_SHOWN,
    DayCloseView,
    DocumentLine,
    ItemView,
    PrintStatus,
    ShiftView,
    StaffView,
)
from app.queries.selling_date import selling_date
from app.shut import profile_shown, require_members
from app.standing import is_voided, standing_returns
from db import filling, rows, staff_rows, till

VOIDABLE_SHOWN = 50
"""How much of a long shift is read at a time."""


def quote(ctx: Context, member_id: bytes | None, request: SaleRequest) -> SaleQuote:
    """What the cart comes to now, as the commit will work it out. Raises Refused as quote_sale."""
    with ctx.read() as conn:
        on = selling_date(ctx, conn)
        programme = ctx.programme_on(conn, on)
        member = member_context(conn, member_id, programme, on)
        return quote_sale(request, member, programme, on=on, minute=ctx.minute_of_day())


def item_by_code(ctx: Context, code: str) -> ItemView:
    """The item of a barcode. Raises Refused(ITEM_UNKNOWN)."""
    with ctx.read() as conn:
        row = till.item_by_code(conn, code)
    if row is None:
        raise Refused(Refusal.ITEM_UNKNOWN, {"code": code})
    return _item(row)


def english_names(ctx: Context, codes: Set[str]) -> dict[str, str]:
    """The English names of items by code, as far as they have one."""
    with ctx.read() as conn:
        found = [till.item_by_code(conn, code) for code in codes]
    return {row.code: row.name_en for row in found if row is not None and row.name_en}


def find_items(ctx: Context, text: str) -> tuple[ItemView, ...]:
    """Items by name, pinyin, initials, code or barcode: ITEMS_SHOWN, and one more where there are more."""
    with ctx.read() as conn:
        return tuple(_item(row) for row in till.find_items(conn, text, ITEMS_SHOWN + 1))


def open_shift(ctx: Context) -> ShiftView | None:
    """The open shift, None when a sale must wait for one."""
    with ctx.read() as conn:
        row = till.open_shift(conn)
        staff = staff_rows.staff_by_id(conn, row.staff_id) if row else None
    if row is None or staff is None:
        return None
    return ShiftView(
        row.id,
        StaffView(staff.id, staff.initials, staff.name, staff.role),
        BusinessDate(row.business_date),
        instant_of(row.opened_us),
        row.float_minor,
    )


def shift_takes_long(ctx: Context) -> bool:
    """Whether the next shift opens only after what came with a chain's members is sorted (db/filling.py)."""
    with ctx.read() as conn:
        return filling.is_begun(conn)


def date_now(ctx: Context) -> BusinessDate:
    """The business date that is sold on, or will be by the next shift."""
    with ctx.read() as conn:
        return selling_date(ctx, conn)


def last_day_close(ctx: Context) -> DayCloseView | None:
    """The newest Z of this till, None before the first."""
    with ctx.read() as conn:
        row = rows.last_day_close(conn)
    if row is None:
        return None
    event = posting.event_of(row)
    number, on = event.doc["number"], BusinessDate(event.doc["date"])
    return DayCloseView(number, on, instant_of(event.at_us))


def staff(ctx: Context, staff_id: bytes) -> StaffView | None:
    """A person of the staff."""
    with ctx.read() as conn:
        row = staff_rows.staff_by_id(conn, staff_id)
    return StaffView(row.id, row.initials, row.name, row.role) if row else None


def sales_of_member(
    ctx: Context, member_id: bytes, *, since: BusinessDate
) -> tuple[DocumentLine, ...]:
    """All of a member's sales from a business date on, newest first."""
    with ctx.read() as conn:
        require_members(conn, ctx.clock())
        found = rows.sales_of_member(conn, member_id, int(since))
        return tuple(_document_line(ctx, conn, row) for row in found)


def documents_of_shift(ctx: Context, *, limit: int = 50) -> tuple[DocumentLine, ...]:
    """The open shift's documents, newest first."""
    with ctx.read() as conn:
        shift = till.open_shift(conn)
        found = rows.documents_of_shift(conn, shift.id, limit) if shift else []
        return tuple(_document_line(ctx, conn, row) for row in found)


def voidable_of_shift(ctx: Context, *, older_than: int | None = None) -> tuple[DocumentLine, ...]:
    """What of the open shift can be voided, newest first: at most `VOIDABLE_SHOWN` that are older than an
    event of this number."""
    with ctx.read() as conn:
        shift = till.open_shift(conn)
        if shift is None:
            return ()
        below = (1 << 62) if older_than is None else older_than
        found = rows.voidable_of_shift(conn, shift.id, below=below, limit=VOIDABLE_SHOWN)
        return tuple(_document_line(ctx, conn, row) for row in found)


def document_by_number(ctx: Context, text: str) -> DocumentLine:
    """The document of a receipt number, whole or only its running part (`417`), of this till.
    Raises Refused(DOCUMENT_UNKNOWN)."""
    typed = text.strip()
    if typed.isascii() and typed.isdigit() and len(typed) < 10:
        with ctx.read() as conn:
            found = rows.documents_numbered(conn, ctx.till.till, int(typed))
            if found:
                return _document_line(ctx, conn, found[0])
    return document_by_receipt(ctx, text)


def document_by_receipt(ctx: Context, text: str) -> DocumentLine:
    """The document of a scanned or typed receipt number. Raises Refused(DOCUMENT_UNKNOWN)."""
    with ctx.read() as conn:
        number = text.strip().upper()
        row = rows.document_by_receipt(conn, number) if parse_receipt_number(number) else None
        if row is None:
            raise Refused(Refusal.DOCUMENT_UNKNOWN, {"number": number})
        return _document_line(ctx, conn, row)


def sale_of(conn: Connection, event_id: bytes) -> tuple[SaleDocument, tuple[ReturnDocument, ...]]:
    """A sale and the returns of it that stand. Raises Refused(DOCUMENT_UNKNOWN)."""
    row = rows.event_by_id(conn, event_id)
    if row is None or row.kind != posting.SALE:
        raise Refused(Refusal.DOCUMENT_UNKNOWN)
    sale = sale_from_plain(posting.event_of(row).doc["sale"])
    return sale, tuple(document for _, document in standing_returns(conn, event_id))


def is_training(ctx: Context) -> bool:
    """Whether this is the store to practise in: the frame and the slips say so."""
    with ctx.read() as conn:
        return rows.meta(conn, "training") == "1"


def is_demo(ctx: Context) -> bool:
    """Whether nothing here is real: DEMO stands on every screen and slip."""
    with ctx.read() as conn:
        return rows.meta(conn, "demo") == "1"


def print_status(ctx: Context) -> PrintStatus:
    """What waits for paper."""
    if not ctx.settings.receipt.printer:
        return PrintStatus(0, (), "")  # Nothing waits for a printer that there isn't.
    with ctx.read() as conn:
        jobs = till.waiting_jobs(conn)
        uncertain = []
        for job in (job for job in jobs if job.state == "uncertain"):
            event = rows.event_by_seq(conn, job.seq)
            number = posting.event_of(event).doc.get("receipt_no", "") if event else ""
            uncertain.append((job.id, number))
    problem = next((job.problem for job in jobs if job.problem), "") or ""
    return PrintStatus(len(jobs), tuple(uncertain), problem)


def slip_preview(ctx: Context, event_id: bytes) -> str | None:
    """The newest slip of a document as document JSON, for the preview on screen."""
    with ctx.read() as conn:
        row = rows.event_by_id(conn, event_id)
        jobs = till.jobs_of_event(conn, row.seq) if row else []
    return jobs[-1].document if jobs else None


def _document_line(ctx: Context, conn: Connection, row: rows.DocumentRow) -> DocumentLine:
    person = profile_shown(conn, row.member_id, ctx.clock())
    operator = staff_rows.staff_by_id(conn, row.staff_id)
    fully = False
    if row.kind == posting.SALE and rows.documents_referring(conn, row.event_id):
        sale, returns = sale_of(conn, row.event_id)
        sold = sum(line.request.quantity for line in sale.lines)
        fully = sum(line.quantity for each in returns for line in each.lines) >= sold
    return DocumentLine(
        event_id=row.event_id,
        seq=row.seq,
        kind=row.kind,
        receipt_no=row.receipt_no or "",
        at=instant_of(row.at_us),
        business_date=BusinessDate(row.business_date),
        member_id=row.member_id,
        member_name=person.name if person else "",
        total_minor=row.total_minor,
        points_earned=row.points_earned,
        points_spent=row.points_spent,
        operator=operator.initials.upper() if operator else "",
        voided=is_voided(conn, row.event_id),
        fully_returned=fully,
    )


def _item(row: till.ItemRow) -> ItemView:
    return ItemView(
        row.id, row.code, row.name, row.name_en, row.category, row.price_minor, row.per_quantity,
        row.tax_bp, bool(row.tax_included),
    )  # fmt: skip
