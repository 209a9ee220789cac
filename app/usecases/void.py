"""Void a document of the open shift (counter-flows.md flow 11): every entry mirrored, a slip, a reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from sqlcipher3.dbapi2 import Connection

from app import cached_fold, posting
from app.account import member_context, shown_after
from app.context import Changes, Context, Session, Tx
from app.domain.business_day import BusinessDate
from app.domain.documents import ReturnedLine
from app.domain.documents_plain import return_from_plain, sale_from_plain
from app.domain.errors import Refusal, Refused
from app.domain.expiry import as_good
from app.domain.figures import (
    Money,
    money_from_plain,
    money_of_sale,
    money_of_void,
    money_to_plain,
)
from app.domain.fold import fold
from app.domain.moves import EntryMove, moves_of
from app.domain.returns import points_by_line
from app.domain.rights import Right
from app.domain.state import EMPTY
from app.domain.tiers import current_tier
from app.domain.void import VoidQuote, check_void, quote_void
from app.numbers import receipt_number
from app.protocol import overlay
from app.protocol.events import Event
from app.protocol.facts import Facts, Returned
from app.queries.counter import sale_of
from app.shut import require_trade
from app.slips import slip_of
from app.standing import is_voided, standing_returns
from app.usecases.close_day import is_closed
from app.usecases.done import Done
from app.usecases.give_back import state_before
from app.usecases.rights import require_above, role_of
from app.usecases.sell import next_running
from db import rows, staff_rows, till

REASONS: Final = ("wrong_item", "wrong_member", "test", "other")


@dataclass(frozen=True, slots=True)
class Void:
    """Undo a document of this shift. `balance_after` is what was previewed."""

    command_id: bytes
    session: Session
    event_id: bytes
    reason: str
    balance_after: int


@dataclass(frozen=True, slots=True)
class Voided:
    """The void as committed; `refunds` is the money to hand back per tender, below zero to take back."""

    event_id: bytes
    receipt_no: str
    voided_no: str
    refunds: tuple[tuple[str, int], ...]
    balance: int | None


def preview_void(ctx: Context, event_id: bytes) -> tuple[VoidQuote, tuple[EntryMove, ...]]:
    """What a void would do, and each entry of points that it would post with the lots it changes.
    Raises Refused as `void`."""
    with ctx.read() as conn:
        quote, row = _quote(ctx, conn, event_id, bytes(16))
        on = BusinessDate(row.business_date)
        stored = cached_fold.load_state(conn, row.member_id, None) if quote.entries else EMPTY
    return quote, moves_of(as_good(stored, on), quote.entries)


def void(ctx: Context, command: Void) -> Done[Voided]:
    """Commit a void. Raises Refused: REASON_NEEDED, SHIFT_NEEDED, DOCUMENT_UNKNOWN,
    VOID_OTHER_SHIFT, VOID_ALREADY, VOID_LATER_RETURN, QUOTE_CHANGED, NOT_ALLOWED,
    APPROVAL_NEEDED with the Ask as `offer` (own card, above the limit, points written off),
    APPROVAL_EXPIRED."""
    if command.reason not in REASONS:
        raise Refused(Refusal.REASON_NEEDED)
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(_voided(tx.known), again=True)
        event = _commit(ctx, tx, command)
    members = frozenset({event.member_id}) if event.member_id else frozenset()
    changes = Changes(members, frozenset({"document", "print"}))
    return Done(_voided(event), changes, warning=ctx.warning())


def _commit(ctx: Context, tx: Tx, command: Void) -> Event:
    conn = tx.conn
    require_trade(tx.conn)
    shift = tx.shift()
    event_id = ctx.ids()
    quote, row = _quote(ctx, conn, command.event_id, event_id)
    if quote.balance_after != command.balance_after:
        raise Refused(Refusal.QUOTE_CHANGED, offer=quote)
    on = BusinessDate(shift.business_date)
    programme = ctx.programme_on(conn, on)
    role = role_of(staff_rows.staff_by_id(conn, command.session.staff_id))
    approval = require_above(
        ctx, conn, command.session, (Right.VOID, Right.VOID_ABOVE),
        limit=programme.limits.void_minor[role], command_id=command.command_id,
        member_id=row.member_id, amount=abs(row.total_minor), reason=command.reason,
        of=command.event_id, facts=(("act", "void"),), written_off=quote.settlement.written_off,
    )  # fmt: skip
    posted = None
    if quote.entries:
        assert row.member_id is not None, "entries belong to a member"
        stored = cached_fold.load_state(conn, row.member_id, None)
        before = state_before(tx, row.member_id, stored, quote.entries, programme, on)
        posted = cached_fold.Posted(before, fold(before, quote.entries))
    event = tx.record(
        posting.VOID,
        event_id=event_id,
        session=Session(command.session.staff_id, shift.id),
        business_date=on,
        member_id=row.member_id,
        programme=programme.version,
        entries=quote.entries,
        doc=void_facts(
            quote,
            row,
            receipt_number(ctx.till.till, next_running(conn), event_id),
            command.reason,
            money=_money(conn, row, quote),
            shown=shown_after(posted.after, programme, on) if posted else None,
            approval=approval,
            tier_code=current_tier(posted.after, programme.tiers).code if posted else None,
        ),
        posted=posted,
        facts=_facts(conn, row, event_id, on),
        # A void of a return restores an earning: those are spent by head office's word alone.
        restored_by=overlay.own_right(tx.dealings) if row.kind == posting.SALE else None,
    )
    slip = slip_of(ctx, conn, event)
    assert slip is not None, "a void has a slip"
    tx.print(event, posting.VOID, slip)
    return event


def _facts(conn: Connection, row: rows.DocumentRow, event_id: bytes, on: BusinessDate) -> Facts:
    """What head office counts of a void: of a sale, that all of it came back; of a return, that its units are
    kept again."""
    facts = Facts(event_id, posting.VOID, row.member_id, on)
    sale_id = row.event_id if row.kind == posting.SALE else row.refers_to
    assert sale_id is not None
    if row.kind == posting.RETURN:
        event = rows.event_by_id(conn, row.event_id)
        assert event is not None
        lines = return_from_plain(posting.event_of(event).doc["return"]).lines
        kept = tuple(Returned(line, -quantity, 0, 0) for line, quantity in lines)
        return facts._replace(sale=sale_id, returned=kept)
    document, _ = sale_of(conn, sale_id)
    units = [line.request.quantity for line in document.lines]
    back = [ReturnedLine(n, quantity) for n, quantity in enumerate(units)]
    parts = tuple(Returned(*part) for part in points_by_line(document, units, back))
    return facts._replace(sale=sale_id, returned=parts)


def void_facts(
    quote: VoidQuote,
    voided: rows.DocumentRow,
    receipt_no: str,
    reason: str,
    *,
    money: Money,
    shown: dict[str, Any] | None,
    approval: dict[str, Any] | None,
    tier_code: str | None,
) -> dict[str, Any]:
    """What a void event holds, beside its entries; `shown` is what its slip says of the member, and
    `tier_code` is the tier after it, which is another one when the sale had brought an upgrade."""
    sale_id = voided.event_id if voided.kind == posting.SALE else voided.refers_to
    assert sale_id is not None, "a return names its sale"
    return {
        "receipt_no": receipt_no,
        "refers_to": voided.event_id.hex(),
        "sale_event": sale_id.hex(),
        "voided_no": voided.receipt_no,
        "reason": reason,
        "total": -voided.total_minor,
        "earned": -voided.points_earned,
        "spent": -voided.points_spent,
        "refunds": [[kind, minor] for kind, minor in quote.refunds],
        "money": money_to_plain(money),
        "shown": shown,
        "approval": approval,
        "tier_code": tier_code,
    }


def _money(conn: Connection, row: rows.DocumentRow, quote: VoidQuote) -> Money:
    """The mirror of the document's sums; a sale's money as it is handed back."""
    event = rows.event_by_id(conn, row.event_id)
    assert event is not None, "a document row has its event"
    doc = posting.event_of(event).doc
    if row.kind == posting.SALE:
        return money_of_void(money_of_sale(doc["sale"]), quote.refunds)
    return money_of_void(money_from_plain(doc["money"]), None)


def _quote(
    ctx: Context, conn: Connection, event_id: bytes, void_id: bytes
) -> tuple[VoidQuote, rows.DocumentRow]:
    row = rows.document_by_event(conn, event_id)
    event = rows.event_by_id(conn, event_id)
    if row is None or event is None or row.kind not in (posting.SALE, posting.RETURN):
        raise Refused(Refusal.DOCUMENT_UNKNOWN)
    shift = till.open_shift(conn)
    sale_id = row.event_id if row.kind == posting.SALE else row.refers_to
    later = [each for each, _ in standing_returns(conn, sale_id or b"") if each != event_id]
    if row.kind == posting.RETURN:
        # Last in, first out: only the newest standing return of a sale may be voided.
        later = [each for each in later if _seq(conn, each) > row.seq]
    check_void(
        same_shift=shift is not None and shift.id == row.shift_id,
        day_closed=is_closed(conn, row.business_date),
        already_voided=is_voided(conn, event_id),
        later_return_stands=bool(later),
    )
    on = BusinessDate(row.business_date)
    programme = ctx.programme_on(conn, on)
    member = member_context(conn, row.member_id, programme, on, None)
    entries = [cached_fold.entry_of(line) for line in rows.ledger_of_event(conn, row.seq)]
    doc = posting.event_of(event).doc
    if row.kind == posting.SALE:
        sale = sale_from_plain(doc["sale"])
        refunds = [(tender.kind, tender.amount_minor) for tender in sale.tenders]
        return quote_void(
            entries, refunds, sale.debt_before, member, programme, event_id=void_id, on=on
        ), row
    back = return_from_plain(doc["return"])
    # Nothing to charge spent points to: the money comes from the customer, whole.
    quote = quote_void(entries, (), back.debt_before, member, programme, event_id=void_id, on=on)
    taken = tuple((kind, -minor) for kind, minor in back.refunds if minor)
    return replace(quote, refunds=taken), row


def _seq(conn: Connection, event_id: bytes) -> int:
    row = rows.document_by_event(conn, event_id)
    return row.seq if row else 0


def _voided(event: Event) -> Voided:
    shown = event.doc["shown"]
    return Voided(
        event.id,
        event.doc["receipt_no"],
        event.doc["voided_no"],
        tuple((kind, minor) for kind, minor in event.doc["refunds"]),
        None if shown is None else shown["balance"],
    )
