"""Return goods of a sale (counter-flows.md flow 9): preview first, then one transaction.

The sale is this till's own, or another till's as head office gave it (app/sync/returns.py), which keeps the
lines for this return until it is made; the return's event holds that sale then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from sqlcipher3.dbapi2 import Connection

from app import cached_fold, posting
from app.account import member_context, shown_after
from app.context import Changes, Context, Session, Tx
from app.domain.business_day import BusinessDate
from app.domain.documents import ForeignSale, ReturnDocument, ReturnedLine, SaleDocument
from app.domain.documents_plain import foreign_to_plain, return_from_plain, return_to_plain
from app.domain.errors import Refusal, Refused
from app.domain.expiry import as_good
from app.domain.figures import Money, money_of_return, money_to_plain
from app.domain.fold import fold
from app.domain.moves import EntryMove, moves_of
from app.domain.returns import (
    Earlier,
    ReturnQuote,
    kept_units,
    points_by_line,
    quote_return,
    return_entries,
)
from app.domain.rights import Right
from app.domain.state import EMPTY
from app.numbers import receipt_number
from app.protocol import overlay
from app.protocol.events import Event
from app.protocol.facts import Facts
from app.protocol.facts import Returned as Part
from app.queries.counter import sale_of
from app.queries.selling_date import selling_date
from app.shut import require_trade
from app.slips import slip_of
from app.standing import is_voided, original_of
from app.usecases.done import Done
from app.usecases.give_back import state_before
from app.usecases.rights import require_above, role_of
from app.usecases.sell import next_running
from db import rows, staff_rows

REASONS: Final = ("changed_mind", "faulty", "wrong_item", "other")


@dataclass(frozen=True, slots=True)
class SaleOnScreen:
    """A sale with how many units of each line are still kept."""

    event_id: bytes
    receipt_no: str
    member_id: bytes | None
    document: SaleDocument
    kept: tuple[int, ...]
    asked_by: str = "sale"
    """The kind of the document whose number led here: a return's or a void's own slip names its sale."""
    foreign: ForeignSale | None = None
    """Set where another till made it."""


@dataclass(frozen=True, slots=True)
class ReturnGoods:
    """Take units of a sale's lines back. `refund_minor` and `points_after` are what was previewed; `foreign` is
    another till's sale, and `hold` what head office keeps of it for this return."""

    command_id: bytes
    session: Session
    sale_id: bytes
    lines: tuple[ReturnedLine, ...]
    reason: str
    refund_minor: int
    balance_after: int
    foreign: ForeignSale | None = None
    hold: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Sold:
    """What a return goes by: the sale, whose ledger it is posted to, what came back before."""

    member_id: bytes | None
    document: SaleDocument
    before: tuple[Earlier, ...]


@dataclass(frozen=True, slots=True)
class Returned:
    """The return as committed."""

    event_id: bytes
    receipt_no: str
    document: ReturnDocument
    refund_minor: int
    balance: int | None


def sale_to_return(ctx: Context, sale_id: bytes) -> SaleOnScreen:
    """The sale with what is left of it, also by a return or void of it. Raises Refused(DOCUMENT_UNKNOWN |
    VOID_ALREADY | SALE_ELSEWHERE with the `number` of another till's sale)."""
    with ctx.read() as conn:
        asked = rows.event_by_id(conn, sale_id)
        if asked is None or asked.kind not in (posting.SALE, posting.RETURN, posting.VOID):
            raise Refused(Refusal.DOCUMENT_UNKNOWN)
        if asked.kind != posting.SALE:
            doc = posting.event_of(asked).doc
            sale_id = bytes.fromhex(doc["sale_event"])
            if rows.event_by_id(conn, sale_id) is None:
                number = original_of(conn, doc)["receipt_no"]
                raise Refused(Refusal.SALE_ELSEWHERE, {"number": number})
        document, returns = sale_of(conn, sale_id)
        if is_voided(conn, sale_id):
            raise Refused(Refusal.VOID_ALREADY)
        row = rows.document_by_event(conn, sale_id)
    assert row is not None, "a sale has a document row"
    return SaleOnScreen(
        sale_id, row.receipt_no or "", row.member_id, document, kept_units(document, returns),
        asked.kind,
    )  # fmt: skip


def foreign_on_screen(sale: ForeignSale) -> SaleOnScreen:
    """Another till's sale with what is left of it."""
    kept = kept_units(sale.document, (sale.back,))
    return SaleOnScreen(
        sale.event_id, sale.receipt_no, sale.member_id, sale.document, kept, foreign=sale
    )


def preview_return(
    ctx: Context,
    sale_id: bytes,
    lines: tuple[ReturnedLine, ...],
) -> ReturnQuote:
    """Everything that would go back, before it does. Raises Refused as quote_return."""
    with ctx.read() as conn:
        sold = _sold(conn, sale_id, None)
        return _quote(ctx, conn, sold, lines, on=selling_date(ctx, conn))


def preview_foreign(
    ctx: Context, sale: ForeignSale, lines: tuple[ReturnedLine, ...]
) -> tuple[ReturnQuote, tuple[EntryMove, ...]]:
    """The same of another till's sale, and each entry of points with the lots that it changes: head office's
    row of a member doesn't say which lots a sale took, its answer about the sale does."""
    with ctx.read() as conn:
        on = selling_date(ctx, conn)
        quote = _quote(ctx, conn, _sold(conn, sale.event_id, sale), lines, on=on)
        stored = cached_fold.load_state(conn, sale.member_id, None) if quote.entries else EMPTY
    known = replace(stored, splits=(*stored.splits, *sale.splits))
    return quote, moves_of(as_good(known, on), quote.entries)


def return_goods(ctx: Context, command: ReturnGoods) -> Done[Returned]:
    """Commit a return. Raises Refused: REASON_NEEDED, SHIFT_NEEDED, QUOTE_CHANGED with the new
    ReturnQuote as `offer`, NOT_ALLOWED, APPROVAL_NEEDED with the Ask as `offer` (own card, above
    the limit, points written off), APPROVAL_EXPIRED, DOCUMENT_UNKNOWN, VOID_ALREADY,
    RETURN_NOT_RESERVED, and what quote_return refuses."""
    if command.reason not in REASONS:
        raise Refused(Refusal.REASON_NEEDED)
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(_returned(tx.known), again=True)
        event = _commit(ctx, tx, command)
    members = frozenset({event.member_id}) if event.member_id else frozenset()
    changes = Changes(members, frozenset({"document", "print"}))
    return Done(_returned(event), changes, warning=ctx.warning())


def _commit(ctx: Context, tx: Tx, command: ReturnGoods) -> Event:
    conn = tx.conn
    require_trade(tx.conn)
    shift = tx.shift()
    on = BusinessDate(shift.business_date)
    staff = staff_rows.staff_by_id(conn, command.session.staff_id)
    role = role_of(staff)
    if is_voided(conn, command.sale_id):
        raise Refused(Refusal.VOID_ALREADY)
    if command.foreign is not None:
        _require_reserved(tx, command)
    sold = _sold(conn, command.sale_id, command.foreign)
    quote = _quote(ctx, conn, sold, command.lines, on=on)
    if (quote.refund_minor, quote.balance_after) != (command.refund_minor, command.balance_after):
        raise Refused(Refusal.QUOTE_CHANGED, offer=quote)
    programme = ctx.programme_on(conn, on)
    approval = require_above(
        ctx, conn, command.session, (Right.RETURN, Right.RETURN_ABOVE),
        limit=programme.limits.return_minor[role], command_id=command.command_id,
        member_id=sold.member_id, amount=quote.refund_minor, reason=command.reason,
        of=command.sale_id, facts=(("act", "return"),),
        written_off=quote.settlement.written_off,
    )  # fmt: skip
    event_id = ctx.ids()
    entries = return_entries(quote, event_id)
    posted = None
    if entries:
        assert sold.member_id is not None, "entries belong to a member"
        stored = cached_fold.load_state(conn, sold.member_id, None)
        before = state_before(tx, sold.member_id, stored, entries, programme, on)
        posted = cached_fold.Posted(before, fold(before, entries))
    kept = kept_units(sold.document, sold.before)
    parts = points_by_line(sold.document, kept, quote.draft.lines)
    facts = Facts(
        event_id, posting.RETURN, sold.member_id, on, sale=command.sale_id,
        returned=tuple(Part(*part) for part in parts), hold=command.hold,
    )  # fmt: skip
    event = tx.record(
        posting.RETURN,
        event_id=event_id,
        session=Session(command.session.staff_id, shift.id),
        business_date=on,
        member_id=sold.member_id,
        programme=programme.version,
        entries=entries,
        doc=return_facts(
            quote,
            command.sale_id,
            receipt_number(ctx.till.till, next_running(conn), event_id),
            command.reason,
            money=money_of_return(sold.document, sold.before, quote.draft),
            shown=shown_after(posted.after, programme, on) if posted else None,
            approval=approval,
            foreign=command.foreign,
        ),
        posted=posted,
        facts=facts,
        restored_by=overlay.own_right(tx.dealings),
    )
    slip = slip_of(ctx, conn, event)
    assert slip is not None, "a return has a slip"
    tx.print(event, posting.RETURN, slip)
    return event


def return_facts(
    quote: ReturnQuote,
    sale_id: bytes,
    receipt_no: str,
    reason: str,
    *,
    money: Money,
    shown: dict[str, Any] | None,
    approval: dict[str, Any] | None,
    foreign: ForeignSale | None = None,
) -> dict[str, Any]:
    """What a return event holds, beside its entries; `shown` is what its slip says of the member. Of another
    till's sale it holds the sale too: this journal alone proves the return."""
    draft = quote.draft
    original = {} if foreign is None else {"original": foreign_to_plain(foreign)}
    return {
        **original,
        "receipt_no": receipt_no,
        "refers_to": sale_id.hex(),
        "sale_event": sale_id.hex(),
        "reason": reason,
        "total": -quote.refund_minor,
        "earned": draft.points_unexpired - draft.points_taken_back,
        "spent": -draft.points_restored,
        "return": return_to_plain(draft),
        "money": money_to_plain(money),
        "shown": shown,
        "approval": approval,
    }


def _require_reserved(tx: Tx, command: ReturnGoods) -> None:
    """No money goes out for another till's sale unless head office keeps exactly these units for it."""
    dealings = tx.dealings
    holds = () if dealings is None else dealings.control().holds
    wanted = (command.hold, "open", command.sale_id, command.lines)
    if not any((hold.id, hold.standing, hold.sale, hold.lines) == wanted for hold in holds):
        raise Refused(Refusal.RETURN_NOT_RESERVED)


def _sold(conn: Connection, sale_id: bytes, foreign: ForeignSale | None) -> _Sold:
    if foreign is not None:
        return _Sold(foreign.member_id, foreign.document, (foreign.back,))
    document, returns = sale_of(conn, sale_id)
    row = rows.document_by_event(conn, sale_id)
    assert row is not None, "a sale has a document row"
    return _Sold(row.member_id, document, returns)


def _quote(
    ctx: Context,
    conn: Connection,
    sold: _Sold,
    lines: tuple[ReturnedLine, ...],
    *,
    on: BusinessDate,
) -> ReturnQuote:
    programme = ctx.programme_on(conn, on)
    member = member_context(conn, sold.member_id, programme, on, None)
    return quote_return(
        sold.document, sold.before, lines, member, programme, on=on,
        owner=ctx.owns_ledger(conn),
    )  # fmt: skip


def _returned(event: Event) -> Returned:
    shown = event.doc["shown"]
    return Returned(
        event.id,
        event.doc["receipt_no"],
        return_from_plain(event.doc["return"]),
        -event.doc["total"],
        None if shown is None else shown["balance"],
    )
