"""A sale, from the cart to the durable entry and its queued receipt (architecture.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlcipher3.dbapi2 import Connection

from app import cached_fold, posting
from app.account import member_context, person_of, shown_after
from app.context import Changes, Context, Session, Tx
from app.domain.business_day import BusinessDate
from app.domain.documents import SaleDocument, SaleRequest, Tender
from app.domain.documents_plain import sale_from_plain, sale_to_plain
from app.domain.entries import POINTS
from app.domain.errors import Refusal, Refused
from app.domain.fold import fold
from app.domain.member import Doubtful, is_doubtful, mask_phone
from app.domain.programme import Programme
from app.domain.rights import Right
from app.domain.sale import QuoteKey, SaleQuote, quote_sale, sale_document, sale_entries
from app.domain.state_rows import needs
from app.numbers import parse_receipt_number, receipt_number
from app.protocol import overlay
from app.protocol.events import Event, micros
from app.protocol.facts import Authority, Facts
from app.shut import require_members, require_trade
from app.slips import slip_of
from app.usecases.done import Done
from app.usecases.give_back import state_before
from app.usecases.guard import require_for_sale
from app.usecases.rights import owns_account, require, require_somebody_else, role_of
from db import people, rows, staff_rows, till


@dataclass(frozen=True, slots=True)
class Payment:
    """What the customer hands over: "cash", "qr" or "card"; change is given for cash only."""

    kind: str
    given_minor: int


@dataclass(frozen=True, slots=True)
class Sell:
    """Charge a cart. `command_id` is made when Pay opens, `quote` is what the customer was shown."""

    command_id: bytes
    session: Session
    member_id: bytes | None
    request: SaleRequest
    payment: Payment
    quote: QuoteKey
    verified: str = ""
    """How the member was made sure of, should their phone be long silent: "name", "card", or ""."""
    hold: bytes | None = None
    """The hold that head office granted for the points, where it was asked."""
    late: bool = False
    """Whether the member came while the money was being taken (security.md section 4, F3)."""


@dataclass(frozen=True, slots=True)
class Sold:
    """The sale as committed. `balance` is the member's afterwards, None without a member."""

    event_id: bytes
    seq: int
    receipt_no: str
    document: SaleDocument
    to_pay_minor: int
    given_minor: int
    change_minor: int
    balance: int | None
    tier_code: str | None
    """The tier that this sale lifted the member to."""


def sell(ctx: Context, command: Sell) -> Done[Sold]:
    """Commit a sale; a command that was done before gives its first outcome.

    Raises Refused: SHIFT_NEEDED, QUOTE_CHANGED with the new SaleQuote as `offer`,
    IDENTITY_UNPROVEN with the Doubtful as `offer` (points of a long silent phone),
    NOT_ALLOWED, APPROVAL_NEEDED with the Ask as `offer` (own card, points above the limit, where the
    guard stops it), APPROVAL_EXPIRED, TENDER_MISMATCH, NOTHING_TO_PAY, SALE_ABOVE_LIMIT,
    CHANGE_ABOVE_LIMIT (cash for more change than a whole sale may be), MEMBER_UNKNOWN and what
    quote_sale refuses. Raises Unavailable when the store can't.
    """
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(_sold(tx.known, sale_from_plain(tx.known.doc["sale"])), again=True)
        event, document = _commit(ctx, tx, command)
    members = frozenset({command.member_id}) if command.member_id else frozenset()
    return Done(
        _sold(event, document),
        Changes(members, frozenset({"document", "print"})),
        warning=ctx.warning(),
    )


def _commit(ctx: Context, tx: Tx, command: Sell) -> tuple[Event, SaleDocument]:
    conn = tx.conn
    shift = tx.shift()
    on = BusinessDate(shift.business_date)
    programme = ctx.programme_on(conn, on)
    if not ctx.owns_ledger(conn, writing=True):
        require_members(conn, tx.now()) if command.member_id else require_trade(conn)
    person = person_of(conn, command.member_id) if command.member_id else None
    member = member_context(conn, command.member_id, programme, on, person=person)
    quote = quote_sale(command.request, member, programme, on=on, minute=ctx.minute_of_day())
    if quote.key != command.quote:
        raise Refused(Refusal.QUOTE_CHANGED, offer=quote)
    limit = ctx.settings.counter.sale_limit_minor
    if quote.draft.payable_minor > limit:
        raise Refused(
            Refusal.SALE_ABOVE_LIMIT,
            {"amount_minor": quote.draft.payable_minor, "limit_minor": limit},
        )
    tenders = _tenders(quote, command.payment, limit)  # Before anybody is asked to agree.
    proof = _proof(conn, command, person, on)
    approval = _approval(ctx, conn, command, quote, programme)
    guard = require_for_sale(ctx, tx, command.session, command.member_id, quote, programme, on)
    authority = _authority(tx, command, on)
    event_id = ctx.ids()
    entries = sale_entries(quote, event_id)
    document = sale_document(quote, entries, tenders)
    posted = None
    if entries:
        assert member is not None, "entries belong to a member"
        assert command.member_id is not None, "entries belong to a member"
        # Uses are loaded whole, days since the tier's window: everything these entries need.
        assert not needs(entries).splits, "a sale refers to no earlier entry"
        stored = member.stored or member.state
        before = state_before(tx, command.member_id, stored, entries, programme, on)
        posted = cached_fold.Posted(before, fold(before, entries))
    receipt = receipt_number(ctx.till.till, next_running(conn), event_id)
    facts = sale_facts(quote, document, receipt, posted, programme, approval=approval)
    doc = {**facts, "guard": guard}
    if proof:
        doc["verified"] = proof
    if command.late and command.member_id is not None:
        doc["attached"] = "after"
    event = tx.record(
        posting.SALE,
        event_id=event_id,
        session=Session(command.session.staff_id, shift.id),
        business_date=on,
        member_id=command.member_id,
        programme=programme.version,
        entries=entries,
        doc=doc,
        posted=posted,
        facts=Facts(event_id, posting.SALE, command.member_id, on, sold=sold_lines(document)),
        authority=authority,
    )
    slip = slip_of(ctx, conn, event, sale=document, person=person)
    assert slip is not None, "a sale has a receipt"
    tx.print(event, posting.SALE, slip)
    till.drop_cart(conn)
    return event, document


def sold_lines(document: SaleDocument) -> tuple[tuple[int, int], ...]:
    """Lines and units of a sale, as head office keeps them for returns at other tills."""
    return tuple((n, line.request.quantity) for n, line in enumerate(document.lines))


def _authority(tx: Tx, command: Sell, on: BusinessDate) -> Authority | None:
    """By which right the points are spent; None for a till of its own, or where none are. Raises
    Refused(POINTS_NO_RIGHT): head office has not granted them, and the till may not risk so many."""
    dealings, points = tx.dealings, command.request.redeem_points
    if not points or command.member_id is None or tx.context.owns_ledger(tx.conn, writing=True):
        return None
    if dealings is None:  # An older database is back: it has to be let in anew.
        raise Refused(Refusal.POINTS_NO_RIGHT, {"points": points})
    member = overlay.survivor(dealings, command.member_id)
    for hold in dealings.control().holds:
        fits = (hold.standing, hold.member, hold.asset) == ("open", member, POINTS)
        if fits and hold.id == command.hold and hold.amount >= points:
            return Authority("hold", hold.id)
    now_ms = micros(tx.now()) // 1000
    right = overlay.right_to_spend(dealings, command.member_id, POINTS, points, on, now_ms)
    if right is None:
        raise Refused(Refusal.POINTS_NO_RIGHT, {"points": points})
    return right


def _proof(conn: Connection, command: Sell, person: people.Person | None, on: BusinessDate) -> str:
    """How a member of a long silent phone was made sure of, "" where nobody had to be."""
    if command.member_id is None or person is None or not command.request.redeem_points:
        return ""
    profile, account = person[0], people.member(conn, command.member_id)
    if profile is None or not profile.phone or account is None:
        return ""
    if not is_doubtful(profile.phone, account.last_visit, on):
        return ""
    if command.verified not in ("name", "card"):
        doubtful = Doubtful(command.member_id, profile.name, mask_phone(profile.phone))
        raise Refused(Refusal.IDENTITY_UNPROVEN, offer=doubtful)
    return command.verified


def _approval(
    ctx: Context, conn: Connection, command: Sell, quote: SaleQuote, programme: Programme
) -> dict[str, Any] | None:
    """Whether this person may sell this, and with whose yes. One yes is for the whole sale."""
    session, points = command.session, command.request.redeem_points
    person = staff_rows.staff_by_id(conn, session.staff_id)
    ask = partial(
        require, ctx, conn, session, command_id=command.command_id, member_id=command.member_id,
        person=person,
    )  # fmt: skip
    ask(Right.SELL)
    if points:
        ask(Right.REDEEM)
    if owns_account(conn, person, command.member_id):
        require_somebody_else(
            conn, session, Right.OWN_CARD, command.member_id, Refusal.OWN_CARD_ALONE
        )
        return ask(
            Right.OWN_CARD,
            amount=quote.draft.payable_minor,
            facts=(
                ("act", "sell"),
                ("points_earned", quote.draft.points_earned),
                ("points_spent", quote.draft.points_spent),
            ),
        )
    limit = programme.limits.redeem_points[role_of(person)]
    if limit is not None and points > limit:
        return ask(Right.REDEEM_ABOVE, amount=points, alone=False)
    return None


def sale_facts(
    quote: SaleQuote,
    document: SaleDocument,
    receipt_no: str,
    posted: cached_fold.Posted | None,
    programme: Programme,
    *,
    approval: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What a sale event holds, beside its entries."""
    after = shown_after(posted.after, programme, document.business_date) if posted else None
    return {
        "receipt_no": receipt_no,
        "total": document.to_pay_minor,
        "earned": document.points_earned,
        "spent": document.points_spent,
        "sale": sale_to_plain(document),
        "shown": after,
        "tier_code": quote.tier_after.code if quote.tier_after else None,
        "approval": approval,
    }


def next_running(conn: Connection) -> int:
    """The next running number of this till's documents: one more than the newest one's, and than those that
    were known to be given out when the till was brought back."""
    last = rows.last_receipt(conn)
    parsed = parse_receipt_number(last) if last else None
    return max(parsed[1] if parsed else 0, posting.receipt_floor(conn)) + 1


def _tenders(quote: SaleQuote, payment: Payment, limit: int) -> tuple[Tender, ...]:
    """One tender for what is to pay; none, and no money, when points paid it all. Only cash gives change,
    and not more than `limit` minor units: that is a slip of the fingers, and would be the drawer's."""
    to_pay = quote.draft.to_pay_minor
    if to_pay == 0:
        if payment.given_minor:
            raise Refused(Refusal.NOTHING_TO_PAY, {"given_minor": payment.given_minor})
        return ()
    mismatch = Refused(
        Refusal.TENDER_MISMATCH, {"paid_minor": payment.given_minor, "to_pay_minor": to_pay}
    )
    if payment.given_minor < to_pay or payment.kind not in ("cash", "qr", "card"):
        raise mismatch
    if payment.kind != "cash" and payment.given_minor != to_pay:
        raise mismatch
    change = payment.given_minor - to_pay
    if change > limit:
        raise Refused(Refusal.CHANGE_ABOVE_LIMIT, {"change_minor": change, "limit_minor": limit})
    return (Tender(payment.kind, to_pay, payment.given_minor),)


def _sold(event: Event, document: SaleDocument) -> Sold:
    """The outcome, from the event alone: the same on the first answer and on every repeat."""
    given = sum(tender.given_minor for tender in document.tenders)
    shown = event.doc["shown"]
    return Sold(
        event_id=event.id,
        seq=event.seq,
        receipt_no=event.doc["receipt_no"],
        document=document,
        to_pay_minor=document.to_pay_minor,
        given_minor=given,
        change_minor=given - document.to_pay_minor,
        balance=None if shown is None else shown["balance"],
        tier_code=event.doc["tier_code"],
    )
