"""Operations that move points: quotes, orders and their refunds, holds, spends. Formed in selling.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from app.domain.documents import LineRequest, ReturnedLine, SaleDocument, SaleRequest, Tender
from app.domain.documents_plain import sale_from_plain
from app.domain.sale import QuoteKey, SaleQuote
from app.protocol.events import decode
from app.protocol.store import Hold, Member
from headoffice.api import order_shapes as shapes
from headoffice.api import selling, voiding
from headoffice.api.desk import Again, Asked, Caller, Made, Plain, needs
from headoffice.api.own_till import OwnTill
from headoffice.api.problems import Problem
from headoffice.api.reads import survivor
from headoffice.api.rules import programmes_of
from headoffice.api.selling import Day, Order
from headoffice.console.snapshot import Snapshot
from headoffice.store import row_records
from headoffice.store import statements as sql
from headoffice.store.plain import Plain as PlainRows

router: Final = APIRouter(prefix="/v1", tags=["points"])
Known = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="32 hex digits")]


@router.post("/quotes", **needs("points:write"))
def quote_order(asked: Caller, sent: shapes.Cart) -> shapes.Quote:
    """What an order would earn and cost today. Nothing is written or reserved."""
    asked.shop(sent.store)

    office = asked.desk.office
    offset = office.chains[asked.tenant].chain.offset_minutes
    with office.place.reading(asked.tenant) as plain:
        known = programmes_of(plain, asked.tenant)
        day = selling.day_at(known, office.now_ms(), offset, sent.business_date)
        member = survivor(Snapshot(plain, asked.tenant), bytes.fromhex(sent.member))
        hold = _hold_of(asked, plain, sent.hold) if sent.hold else None
    found = _quoted(sent, member, day, hold)
    draft = found.draft
    return shapes.Quote(
        **found.key._asdict(),
        payable_minor=draft.payable_minor,
        discount_minor=draft.discount_minor,
        points_value_minor=draft.points_value_minor,
        available=found.available,
        most_points=found.most.points,
        tier_after=found.tier_after.code if found.tier_after else None,
    )


@router.post("/orders", status_code=201, response_model=shapes.Ordered, **needs("points:write"))
def commit_order(asked: Caller, again: Again, sent: shapes.OrderRequest) -> Response:
    """Commit an order that was paid: it earns, and spends `redeem_points` in the same step. With `hold` the
    points are those that were kept before; what of them isn't needed is free again."""
    shop = asked.shop(sent.store)
    shown = None if sent.quote is None else QuoteKey(**sent.quote.model_dump())

    def act(till: OwnTill) -> Made:
        member, day = (
            till.member(bytes.fromhex(sent.member)),
            selling.day_of(till, sent.business_date),
        )
        hold = selling.own_hold(till, bytes.fromhex(sent.hold)) if sent.hold else None
        found = _quoted(sent, member, day, hold)
        selling.unchanged(found, shown)
        tenders = _tenders(sent, found)
        event, doc = selling.sell(till, member.id, found, tenders, day, hold, shop.id)
        member = till.member(member.id)
        till.note("api_points", member.id, selling.SALE)
        draft = found.draft
        return Made(
            {
                "id": event.hex(),
                "receipt": doc["receipt_no"],
                "member": member.id.hex(),
                "business_date": day.on.iso(),
                "payable_minor": draft.payable_minor,
                "to_pay_minor": draft.to_pay_minor,
                "points_spent": draft.points_spent,
                "points_earned": draft.points_earned,
                "balance": member.state.balance(),
            }
        )

    return asked.once(again, sent, act)


@router.get("/orders/{order}", **needs("points:write"))
def get_order(asked: Caller, order: Known) -> shapes.OrderBody:
    """An order of this API, with what of it was not returned."""
    event = bytes.fromhex(order)
    with asked.desk.office.place.reading(asked.tenant) as plain:
        rows = plain.many(asked.tenant)
        found = rows.find(sql.EVENTS, [(event,)])
        returns = [row_records.return_of(row) for row in rows.find(sql.RETURNS, [(event,)])]
    body = decode(bytes(found[0][1])) if found and found[0][2] != "quarantined" else {}
    if not body or not selling.is_order(body, asked.devices):
        raise Problem("not_found", {"what": "order"})
    document = sale_from_plain(body["doc"]["sale"])
    back = dict[int, int]()
    for each in returns:
        for part in each.parts:
            back[part.line] = back.get(part.line, 0) + part.quantity
    return shapes.OrderBody(
        id=order,
        receipt=body["doc"]["receipt_no"],
        member=body["member"],
        tier_code=body["doc"]["tier_code"],
        **figures_of(document, back),
    )


def figures_of(document: SaleDocument, back: Mapping[int, int]) -> Plain:
    """What is told of a sale, and how much of each line is left once so much of it came `back`."""
    return {
        "business_date": document.business_date.iso(),
        "payable_minor": document.payable_minor,
        "to_pay_minor": document.to_pay_minor,
        "points_spent": document.points_spent,
        "points_earned": document.points_earned,
        "lines": [
            shapes.KeptLine(
                line=n,
                quantity=line.request.quantity,
                kept=line.request.quantity - back.get(n, 0),
                payable_minor=line.payable_minor,
                points=line.points,
            )
            for n, line in enumerate(document.lines)
        ],
    }


@router.post(
    "/orders/{order}/refunds",
    status_code=201,
    response_model=shapes.Refunded,
    **needs("points:write"),
)
def refund_order(asked: Caller, order: Known, again: Again, sent: shapes.RefundRequest) -> Response:
    """Take back some units of an order's lines, or all: what they earned is taken back, points that paid for
    them go back to the lots they came from, by the shares that were stored with the order."""

    def act(till: OwnTill) -> Made:
        known = selling.order_of(till, bytes.fromhex(order), asked.devices)
        told = refunded(till, known, sent)
        return Made({**told, "order": order})

    return asked.once(again, sent, act)


def refunded(till: OwnTill, known: Order, sent: shapes.RefundRequest) -> Plain:
    """Commit what comes back of a sale; what is told of it. Raises Problem, Refused."""
    day = selling.day_of(till, None)
    lines = tuple(ReturnedLine(each.line, each.quantity) for each in sent.lines)
    member = till.account(known.member) if known.member else None
    found = selling.quote_refund(known, member, lines, day)
    event, doc = selling.refund(till, known, found, sent.reason, day)
    after = till.account(member.id) if member else None
    till.note("api_points", after.id if after else None, selling.RETURN)
    return {
        "id": event.hex(),
        "receipt": doc["receipt_no"],
        "refund_minor": found.refund_minor,
        "charged_minor": found.draft.charged_minor,
        "points_taken_back": found.draft.points_taken_back,
        "points_restored": found.draft.points_restored,
        "balance": after.state.balance() if after else None,
    }


@router.post(
    "/orders/{order}/void", status_code=201, response_model=shapes.Voided, **needs("points:write")
)
def void_order(asked: Caller, order: Known, again: Again, sent: shapes.VoidRequest) -> Response:
    """Undo an order of this system whole, on its own business date: what it earned is taken back, points that
    paid for it go back to the lots they came from as if they had never left. Refused once a part came back."""

    def act(till: OwnTill) -> Made:
        known = selling.order_of(till, bytes.fromhex(order), asked.devices)
        assert known.member is not None, "an order has a member"
        day, event, member = selling.day_of(till, None), till.new_id(), till.account(known.member)
        found = voiding.quote(till, known, member, event, day)
        doc = voiding.void(till, known, found, event, sent.reason, day)
        till.note("api_points", member.id, voiding.VOID)
        return Made(
            {
                "id": event.hex(),
                "receipt": doc["receipt_no"],
                "order": order,
                "refund_minor": sum(minor for _, minor in found.refunds),
                "charged_minor": found.settlement.charged_minor,
                "points_taken_back": known.document.points_earned,
                "points_restored": known.document.points_spent,
                "balance": till.account(member.id).state.balance(),
            }
        )

    return asked.once(again, sent, act)


# Holds and spends ---------------------------------------------------------------------------------


@router.get("/holds", **needs("points:write"))
def list_holds(asked: Caller) -> shapes.HoldList:
    """The open holds of this system: nothing ends them but itself."""
    with asked.desk.office.place.reading(asked.tenant) as plain:
        rows = plain.many(asked.tenant).find(sql.OPEN_HOLDS, [(asked.key.device,)])
    found = [row_records.hold_of(row) for row in rows]
    return shapes.HoldList(holds=[shapes.Hold(**_hold(each)) for each in found if each.member])


@router.post("/holds", status_code=201, response_model=shapes.Hold, **needs("points:write"))
def hold_points(asked: Caller, again: Again, sent: shapes.HoldRequest) -> Response:
    """Keep points of a member for an order or a spend that is to come. Nobody else can spend them."""

    def act(till: OwnTill) -> Made:
        member, day = (
            till.member(bytes.fromhex(sent.member)),
            selling.day_of(till, sent.business_date),
        )
        if len(till.store.open_holds(till.device.id)) >= selling.HOLDS_MOST:
            raise Problem("conflict", {"what": "open_holds", "most": selling.HOLDS_MOST})
        hold = till.new_id()
        if not till.hold(hold, member.id, sent.points, day.on):
            raise Problem("points_reserved")
        return Made(_hold(selling.own_hold(till, hold)))

    return asked.once(again, sent, act)


@router.get("/holds/{hold}", **needs("points:write"))
def get_hold(asked: Caller, hold: Known) -> shapes.Hold:
    """A hold of this system."""
    with asked.desk.office.place.reading(asked.tenant) as plain:
        return shapes.Hold(**_hold(_hold_of(asked, plain, hold)))


@router.post("/holds/{hold}/void", **needs("points:write"))
def void_hold(asked: Caller, hold: Known) -> shapes.Hold:
    """End a hold unused; its points are free again. Doing it twice changes nothing more."""

    def act(till: OwnTill) -> Hold:
        known = selling.own_hold(till, bytes.fromhex(hold))
        if known.standing == "open":
            till.void(known.id)
        return selling.own_hold(till, known.id)

    found = asked.write(act)
    if found.standing != "void":
        raise Problem("conflict", {"what": "hold", "standing": found.standing})
    return shapes.Hold(**_hold(found))


@router.post("/spends", status_code=201, response_model=shapes.Spent, **needs("points:write"))
def spend_points(asked: Caller, again: Again, sent: shapes.SpendRequest) -> Response:
    """Spend points for something without a price: in one step, or by capturing a hold."""

    def act(till: OwnTill) -> Made:
        known = till.member(bytes.fromhex(sent.member))
        day, hold = selling.day_of(till, sent.business_date), None
        if sent.hold:
            hold = selling.own_hold(till, bytes.fromhex(sent.hold))
            selling.usable(hold, known, sent.points)
        event = selling.spend(till, known.id, sent.points, day, hold)
        member = till.member(known.id)
        till.note("api_points", member.id, selling.SPEND)
        told = {"id": event.hex(), "member": member.id.hex(), "points": sent.points}
        return Made({**told, "balance": member.state.balance()})

    return asked.once(again, sent, act)


@router.post(
    "/spends/{spend}/reversals",
    status_code=201,
    response_model=shapes.Reversed,
    **needs("points:write"),
)
def reverse_spend(
    asked: Caller, spend: Known, again: Again, sent: shapes.ReversalRequest
) -> Response:
    """Give points of a spend back, to the lots they came from."""

    def act(till: OwnTill) -> Made:
        day = selling.day_of(till, None)
        event, named, left = selling.give_back(till, bytes.fromhex(spend), sent.points, day)
        member = till.account(named)
        till.note("api_points", member.id, selling.SPEND_BACK)
        told = {"id": event.hex(), "spend": spend, "points": sent.points, "left": left}
        return Made({**told, "balance": member.state.balance()})

    return asked.once(again, sent, act)


# Inside -------------------------------------------------------------------------------------------


def _quoted(sent: shapes.Cart, member: Member, day: Day, hold: Hold | None) -> SaleQuote:
    """An order as it would be now. Raises Problem, Refused."""
    if hold is not None:
        selling.usable(hold, member, sent.redeem_points)
    lines = tuple(LineRequest(**line.model_dump()) for line in sent.lines)
    return selling.quote(member, SaleRequest(lines, sent.redeem_points), day, hold)


def _hold_of(asked: Asked, plain: PlainRows, hold: str) -> Hold:
    rows = plain.many(asked.tenant).find(sql.HOLDS, [(bytes.fromhex(hold),)])
    return selling.own(row_records.hold_of(rows[0]) if rows else None, asked.key.device)


def _tenders(sent: shapes.OrderRequest, found: SaleQuote) -> tuple[Tender, ...]:
    if sent.tenders:
        return tuple(
            Tender(each.kind, each.amount_minor, each.amount_minor) for each in sent.tenders
        )
    to_pay = found.draft.to_pay_minor
    return (Tender("card", to_pay, to_pay),) if to_pay else ()


def _hold(hold: Hold) -> Plain:
    return {
        "id": hold.id.hex(),
        "standing": hold.standing,
        "points": hold.amount,
        "business_date": hold.on.iso(),
    }
