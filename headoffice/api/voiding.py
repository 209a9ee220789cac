"""The void of an order: the mirror of all that it posted, as a till voids a sale of its open shift.

A system has no shift. What stands for it is the order's own business date: a day that is over was counted and
settled, and what comes back later is a return (domain.md section 3, "Void, return, exchange").
"""

from __future__ import annotations

from typing import Any, Final

from app.domain.documents import ReturnedLine
from app.domain.documents_plain import sale_to_plain
from app.domain.figures import money_of_sale, money_of_void, money_to_plain
from app.domain.returns import points_by_line
from app.domain.void import VoidQuote, check_void, quote_void
from app.protocol.facts import Facts, Returned
from app.protocol.sales import sale_facts
from app.protocol.store import Member
from headoffice.api import selling
from headoffice.api.own_till import OwnTill
from headoffice.api.selling import Day, Order

VOID: Final = "void"


def quote(till: OwnTill, order: Order, member: Member, event: bytes, day: Day) -> VoidQuote:
    """What the void `event` of an order would post and give back. Raises Refused: VOID_DAY_CLOSED,
    VOID_OTHER_SHIFT for another system's order, VOID_ALREADY, VOID_LATER_RETURN."""
    kinds = [_kind(till, each.event) for each in till.store.returns(order.id)]
    check_void(
        same_shift=order.device == till.device.id,
        day_closed=order.document.business_date != day.on,
        already_voided=VOID in kinds,
        later_return_stands=any(order.returned.values()) and VOID not in kinds,
    )
    facts = sale_facts(till.store, order.id)
    assert facts is not None, "the order was read from its event"
    return quote_void(
        [posting.entry for posting in facts.postings],
        [(tender.kind, tender.amount_minor) for tender in order.document.tenders],
        order.document.debt_before,
        selling.context_of(member, day),
        day.rules,
        event_id=event,
        on=day.on,
    )


def void(
    till: OwnTill, order: Order, found: VoidQuote, event: bytes, reason: str, day: Day
) -> dict[str, Any]:
    """Commit a quoted void; returns what its event holds. All lines are reserved first, so that no till takes
    one back meanwhile. Raises Problem."""
    document = order.document
    units = [line.request.quantity for line in document.lines]
    lines = [ReturnedLine(n, quantity) for n, quantity in enumerate(units)]
    hold = selling.reserve_lines(till, order, lines, day)
    parts = points_by_line(document, units, lines)
    facts = Facts(
        event, VOID, order.member, day.on, hold=hold, sale=order.id,
        returned=tuple(Returned(*part) for part in parts),
    )  # fmt: skip
    money = money_of_void(money_of_sale(sale_to_plain(document)), found.refunds)
    doc = {
        "receipt_no": selling.receipt_of(till, event),
        "refers_to": order.id.hex(),
        "sale_event": order.id.hex(),
        "voided_no": order.receipt,
        "reason": reason,
        "total": -document.to_pay_minor,
        "earned": -document.points_earned,
        "spent": -document.points_spent,
        "refunds": [[kind, minor] for kind, minor in found.refunds],
        "money": money_to_plain(money),
        "shown": None,
        "approval": None,
        "tier_code": None,
    }
    till.record(facts, doc, entries=found.entries, programme=day.rules.version)
    return doc


def _kind(till: OwnTill, event: bytes) -> str:
    facts = sale_facts(till.store, event)
    return "" if facts is None else facts.kind
