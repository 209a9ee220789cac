"""Return goods of a sale of this till (counter-flows.md flow 9): preview first, then one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlcipher3.dbapi2 import Connection

from app import cached_fold, posting
from app.account import member_context, shown_after
from app.context import Changes, Context, Session, Tx
from app.domain.business_day import BusinessDate
from app.domain.documents import ReturnDocument, ReturnedLine, SaleDocument
from app.domain.documents_plain import return_from_plain, return_to_plain
from app.domain.errors import Refusal, Refused
from app.domain.figures import Money, money_of_return, money_to_plain
from app.domain.fold import fold
from app.domain.returns import (
    ReturnQuote,
    kept_units,
    points_by_line,
    quote_return,
    return_entries,
)
from app.domain.rights import Right
from app.numbers import receipt_number
from app.protocol.events import Event
from app.protocol.facts import Facts
from app.protocol.facts import Returned as Part
from app.queries.counter import sale_of
from app.queries.selling_date import selling_date
from app.shut import require_trade
from app.slips import slip_of
from app.standing import is_voided
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


@dataclass(frozen=True, slots=True)
class ReturnGoods:
    """Take units of a sale's lines back. `refund_minor` and `points_after` are what was previewed."""

    command_id: bytes
    session: Session
    sale_id: bytes
    lines: tuple[ReturnedLine, ...]
    reason: str
    refund_minor: int
    balance_after: int


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
    VOID_ALREADY)."""
    with ctx.read() as conn:
        asked = rows.event_by_id(conn, sale_id)
        if asked is None or asked.kind not in (posting.SALE, posting.RETURN, posting.VOID):
            raise Refused(Refusal.DOCUMENT_UNKNOWN)
        if asked.kind != posting.SALE:
            sale_id = bytes.fromhex(posting.event_of(asked).doc["sale_event"])
        document, returns = sale_of(conn, sale_id)
        if is_voided(conn, sale_id):
            raise Refused(Refusal.VOID_ALREADY)
        row = rows.document_by_event(conn, sale_id)
    assert row is not None, "a sale has a document row"
    return SaleOnScreen(
        sale_id, row.receipt_no or "", row.member_id, document, kept_units(document, returns),
        asked.kind,
    )  # fmt: skip


def preview_return(
    ctx: Context,
    sale_id: bytes,
    lines: tuple[ReturnedLine, ...],
) -> ReturnQuote:
    """Everything that would go back, before it does. Raises Refused as quote_return."""
    with ctx.read() as conn:
        return _quote(ctx, conn, sale_id, lines, on=selling_date(ctx, conn))


def return_goods(ctx: Context, command: ReturnGoods) -> Done[Returned]:
    """Commit a return. Raises Refused: REASON_NEEDED, SHIFT_NEEDED, QUOTE_CHANGED with the new
    ReturnQuote as `offer`, NOT_ALLOWED, APPROVAL_NEEDED with the Ask as `offer` (own card, above
    the limit, points written off), APPROVAL_EXPIRED, DOCUMENT_UNKNOWN, VOID_ALREADY, and what
    quote_return refuses."""
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
    quote = _quote(ctx, conn, command.sale_id, command.lines, on=on)
    if (quote.refund_minor, quote.balance_after) != (command.refund_minor, command.balance_after):
        raise Refused(Refusal.QUOTE_CHANGED, offer=quote)
    programme = ctx.programme_on(conn, on)
    original = rows.document_by_event(conn, command.sale_id)
    assert original is not None, "a sale has a document row"
    approval = require_above(
        ctx, conn, command.session, (Right.RETURN, Right.RETURN_ABOVE),
        limit=programme.limits.return_minor[role], command_id=command.command_id,
        member_id=original.member_id, amount=quote.refund_minor, reason=command.reason,
        of=command.sale_id, facts=(("act", "return"),),
        written_off=quote.settlement.written_off,
    )  # fmt: skip
    event_id = ctx.ids()
    entries = return_entries(quote, event_id)
    posted = None
    if entries:
        assert original.member_id is not None, "entries belong to a member"
        stored = cached_fold.load_state(conn, original.member_id, None)
        before = state_before(tx, original.member_id, stored, entries, programme, on)
        posted = cached_fold.Posted(before, fold(before, entries))
    document, returns = sale_of(conn, command.sale_id)
    parts = points_by_line(document, kept_units(document, returns), quote.draft.lines)
    facts = Facts(
        event_id, posting.RETURN, original.member_id, on, sale=command.sale_id,
        returned=tuple(Part(*part) for part in parts),
    )  # fmt: skip
    event = tx.record(
        posting.RETURN,
        event_id=event_id,
        session=Session(command.session.staff_id, shift.id),
        business_date=on,
        member_id=original.member_id,
        programme=programme.version,
        entries=entries,
        doc=return_facts(
            quote,
            command.sale_id,
            receipt_number(ctx.till.till, next_running(conn), event_id),
            command.reason,
            money=money_of_return(document, returns, quote.draft),
            shown=shown_after(posted.after, programme, on) if posted else None,
            approval=approval,
        ),
        posted=posted,
        facts=facts,
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
) -> dict[str, Any]:
    """What a return event holds, beside its entries; `shown` is what its slip says of the member."""
    draft = quote.draft
    return {
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


def _quote(
    ctx: Context,
    conn: Connection,
    sale_id: bytes,
    lines: tuple[ReturnedLine, ...],
    *,
    on: BusinessDate,
) -> ReturnQuote:
    document, returns = sale_of(conn, sale_id)
    row = rows.document_by_event(conn, sale_id)
    assert row is not None, "a sale has a document row"
    programme = ctx.programme_on(conn, on)
    member = member_context(conn, row.member_id, programme, on, None)
    return quote_return(
        document, returns, lines, member, programme, on=on,
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
