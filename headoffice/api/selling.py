"""Orders, refunds and spends of other systems as events, formed as a till forms its own and by the same rules.

Everything happens inside the writer's transaction on the key's own device. All that can be refused is refused
before anything is written (Problem, Refused). What the rules are is app/domain's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from app.domain.business_day import BusinessDate, business_date_of, minute_of_day
from app.domain.documents import ReturnDocument, ReturnedLine, SaleDocument, SaleRequest, Tender
from app.domain.documents_plain import return_to_plain, sale_from_plain, sale_to_plain
from app.domain.entries import POINTS, Entry, EntryId
from app.domain.errors import Refusal, Refused
from app.domain.expiry import as_good
from app.domain.figures import money_of_return, money_to_plain
from app.domain.programme import Programme
from app.domain.programme_versions import programme_on
from app.domain.returns import ReturnQuote, points_by_line, quote_return, return_entries
from app.domain.sale import (
    MemberContext,
    QuoteKey,
    SaleQuote,
    quote_sale,
    sale_document,
    sale_entries,
)
from app.numbers import receipt_number
from app.protocol.events import decode
from app.protocol.facts import Authority, Facts, Returned
from app.protocol.sales import returned_lines, sale_facts, sold_lines
from app.protocol.store import Hold, Member
from app.protocol.wire import ID_BYTES
from headoffice import programmes
from headoffice.api.own_till import OwnTill
from headoffice.api.problems import Problem
from headoffice.birthdays import birthdays_of
from headoffice.recounting import NOT_A_DOCUMENT

SALE: Final = "sale"
RETURN: Final = "return"
SPEND: Final = "spend"
SPEND_BACK: Final = "spend_back"
"""The last two: points for something without a price, which no till writes."""
BACK_DAYS_MOST: Final = 35
HOLDS_MOST: Final = 1_000
_LIFE_DAYS: Final = 7
"""Points that come back of a spend are good so long at least, where no programme says so."""


class Day(NamedTuple):
    """A document's date, and the programme in force on it."""

    on: BusinessDate
    minute: int
    programme: Programme | None

    @property
    def rules(self) -> Programme:
        """The programme. Raises Problem where the chain has none."""
        if self.programme is None:
            raise Problem("no_programme")
        return self.programme


def day_of(till: OwnTill, asked: str | None) -> Day:
    """Today, or the date that is asked for. Raises Problem."""
    known = [each.programme for each in programmes.published(till.store)]
    return day_at(known, till.now_ms, till.chain.chain.offset_minutes, asked)


def day_at(known: Sequence[Programme], now_ms: int, offset: int, asked: str | None) -> Day:
    """The same, of programmes that were read elsewhere. Raises Problem."""
    now = datetime.fromtimestamp(now_ms // 1000, UTC)
    cut_off = known[-1].cut_off_minute if known else 0
    today = business_date_of(now, offset_minutes=offset, cut_off_minute=cut_off)
    on = today
    if asked is not None:
        try:
            on = BusinessDate.from_iso(asked)
        except ValueError as error:
            raise Problem("invalid", {"errors": [_WRONG_DATE]}) from error
        if not today - BACK_DAYS_MOST <= on <= today:
            raise Problem("invalid", {"errors": [_WRONG_DATE]})
    return Day(on, minute_of_day(now, offset_minutes=offset), programme_on(known, on))


_WRONG_DATE: Final = {"in": "body", "pointer": "#/business_date", "why": "out_of_range"}


# Orders -------------------------------------------------------------------------------------------


def quote(member: Member, request: SaleRequest, day: Day, hold: Hold | None) -> SaleQuote:
    """What an order would be; what its own hold keeps is its own. Raises Refused."""
    account = member.accounts.get(POINTS)
    reserved = (account.reserved if account else 0) - (hold.amount if hold else 0)
    good = as_good(member.state, day.on)
    context = MemberContext(
        good,
        reserved,
        birthdays_of(member, day.on, day.rules),
        member.state if good is not member.state else None,
    )
    return quote_sale(request, context, day.rules, on=day.on, minute=day.minute)


def usable(hold: Hold, member: Member, points: int) -> Hold:
    """A hold that this spend may use up. Raises Problem."""
    fits = hold.standing == "open" and hold.member == member.id and hold.amount >= points > 0
    if not fits:
        raise Problem("conflict", {"what": "hold", "standing": hold.standing})
    return hold


def own_hold(till: OwnTill, hold_id: bytes) -> Hold:
    """A hold of points that this system asked for. Raises Problem."""
    return own(till.store.hold(hold_id), till.device.id)


def own(hold: Hold | None, device: bytes) -> Hold:
    """The same, of a hold that was read elsewhere. Raises Problem."""
    if hold is None or hold.device != device or hold.member is None:
        raise Problem("not_found", {"what": "hold"})
    return hold


def sell(
    till: OwnTill,
    named: bytes,
    found: SaleQuote,
    tenders: tuple[Tender, ...],
    day: Day,
    hold: Hold | None,
    shop: bytes,
) -> tuple[bytes, dict[str, Any]]:
    """Commit a quoted order; returns its event and what the event holds. Raises Refused, Problem."""
    event = till.new_id()
    entries = sale_entries(found, event)
    document = sale_document(found, entries, tenders)
    doc = {
        "receipt_no": receipt_of(till, event),
        "total": document.to_pay_minor,
        "earned": document.points_earned,
        "spent": document.points_spent,
        "sale": sale_to_plain(document),
        "shown": None,
        "tier_code": found.tier_after.code if found.tier_after else None,
        "approval": None,
        "store": shop.hex(),
    }
    lines = tuple((n, line.request.quantity) for n, line in enumerate(document.lines))
    facts = Facts(event, SALE, named, day.on, sold=lines)
    authority = reserve(till, named, document.points_spent, day.on, hold)
    version = day.rules.version
    till.record(facts, doc, entries=entries, authority=authority, programme=version)
    return event, doc


def reserve(
    till: OwnTill, member: bytes, points: int, on: BusinessDate, hold: Hold | None
) -> Authority | None:
    """The right to spend these points now: the hold that was asked for, or one of its own. Raises Problem where
    nothing is free; nothing was written then."""
    if not points:
        return None
    if hold is not None:
        return Authority("hold", hold.id)
    hold_id = till.new_id()
    if not till.hold(hold_id, member, points, on):
        raise Problem("points_reserved")
    return Authority("hold", hold_id)


def unchanged(found: SaleQuote, shown: QuoteKey | None) -> None:
    """Whether a quote is still what the customer was shown. Raises Refused."""
    if shown is not None and found.key != shown:
        raise Refused(Refusal.QUOTE_CHANGED, found.key._asdict())


def receipt_of(till: OwnTill, event: bytes) -> str:
    """The number of a document of this system's own."""
    device = till.device
    return receipt_number(f"A{device.id.hex()[:4].upper()}", device.place.seq + 1, event)


# Refunds ------------------------------------------------------------------------------------------


class Order(NamedTuple):
    """An order that is to be returned, whole or in part."""

    id: bytes
    member: bytes | None
    document: SaleDocument
    returned: dict[int, int]
    device: bytes
    receipt: str

    @property
    def kept(self) -> tuple[int, ...]:
        """Units of each line that were not returned."""
        return tuple(
            line.request.quantity - self.returned.get(n, 0)
            for n, line in enumerate(self.document.lines)
        )


def order_of(till: OwnTill, order: bytes, devices: frozenset[bytes]) -> Order:
    """An order of the chain's API. Raises Problem: a till's sale is found by its receipt."""
    plain = _sold(till, order)
    if plain is None or not is_order(plain, devices):
        raise Problem("not_found", {"what": "order"})
    return _order(till, order, plain)


def sale_of(till: OwnTill, receipt: str) -> Order:
    """A sale of any till by its receipt's number or its id, as tills find each other's. Raises Problem."""
    found = [bytes.fromhex(receipt)] if is_id(receipt) else till.sales_of(receipt.upper())
    known = {sale: plain for sale in found if (plain := _sold(till, sale)) is not None}
    if len(known) > 1:
        raise Problem("conflict", {"what": "receipt"})
    for sale, plain in known.items():
        with contextlib.suppress(*NOT_A_DOCUMENT):
            return _order(till, sale, plain)
    raise Problem("not_found", {"what": "receipt"})


def is_id(text: str) -> bool:
    """Whether this is an id, and no receipt's number."""
    return len(text) == 2 * ID_BYTES and "-" not in text


def _sold(till: OwnTill, event: bytes) -> dict[str, Any] | None:
    """The event of a sale with lines; None: there is none, or nobody can read it."""
    facts = sale_facts(till.store, event)
    stored = till.store.event(event)
    sold = facts is not None and facts.kind == SALE and facts.sold
    return decode(stored.body) if stored is not None and sold else None


def _order(till: OwnTill, event: bytes, plain: dict[str, Any]) -> Order:
    member = plain["member"]
    return Order(
        event,
        bytes.fromhex(member) if member else None,
        sale_from_plain(plain["doc"]["sale"]),
        returned_lines(till.store, event),
        bytes.fromhex(plain["device"]),
        plain["doc"]["receipt_no"],
    )


def is_order(plain: dict[str, Any], devices: frozenset[bytes]) -> bool:
    """Whether an event is an order of the chain's API."""
    return plain["kind"] == SALE and bytes.fromhex(plain.get("device", "")) in devices


def quote_refund(
    order: Order, member: Member | None, lines: tuple[ReturnedLine, ...], day: Day
) -> ReturnQuote:
    """What goes back by the order's stored shares. Raises Refused."""
    return quote_return(
        order.document, _before(order), lines, context_of(member, day), day.rules, on=day.on,
        owner=False,
    )  # fmt: skip


def context_of(member: Member | None, day: Day) -> MemberContext | None:
    """What a member has on a date, for what goes back to them."""
    if member is None:
        return None
    account = member.accounts.get(POINTS)
    return MemberContext(as_good(member.state, day.on), account.reserved if account else 0)


def refund(
    till: OwnTill, order: Order, found: ReturnQuote, reason: str, day: Day
) -> tuple[bytes, dict[str, Any]]:
    """Commit a quoted refund; its lines are reserved first, as a till does. Raises Problem."""
    hold = reserve_lines(till, order, found.draft.lines, day)
    event, draft = till.new_id(), found.draft
    parts = points_by_line(order.document, order.kept, draft.lines)
    facts = Facts(
        event, RETURN, order.member, day.on, hold=hold, sale=order.id,
        returned=tuple(Returned(*part) for part in parts),
    )  # fmt: skip
    doc = {
        "receipt_no": receipt_of(till, event),
        "refers_to": order.id.hex(),
        "sale_event": order.id.hex(),
        "reason": reason,
        "total": -found.refund_minor,
        "earned": -draft.points_taken_back,
        "spent": -draft.points_restored,
        "return": return_to_plain(draft),
        "money": money_to_plain(money_of_return(order.document, _before(order), draft)),
        "shown": None,
        "approval": None,
    }
    entries = return_entries(found, event)
    till.record(facts, doc, entries=entries, programme=day.rules.version)
    return event, doc


def reserve_lines(till: OwnTill, order: Order, lines: Sequence[ReturnedLine], day: Day) -> bytes:
    """Keep units of a sale for this return alone, as a till does; the hold. Raises Problem where others have
    them, and nothing was written then."""
    sums = dict[int, int]()
    for line, quantity in lines:
        sums[line] = sums.get(line, 0) + quantity
    hold = till.new_id()
    if not till.hold_lines(hold, order.id, tuple(sorted(sums.items())), day.on):
        raise Problem("conflict", {"what": "lines"})
    return hold


def _before(order: Order) -> tuple[ReturnDocument, ...]:
    """All that was returned before, as one document: nothing but its lines is asked of it."""
    lines = tuple(ReturnedLine(line, count) for line, count in order.returned.items() if count)
    on = order.document.business_date
    return (ReturnDocument(on, lines, (), 0, 0, 0, 0, 0, 0, 0, (), ()),) if lines else ()


# Spends -------------------------------------------------------------------------------------------


def spend(till: OwnTill, named: bytes, points: int, day: Day, hold: Hold | None) -> bytes:
    """Commit a spend of points alone. Raises Problem."""
    authority = reserve(till, named, points, day.on, hold)
    event = till.new_id()
    entry = Entry(EntryId(event, 0), POINTS, "redeem", -points, day.on)
    facts = Facts(event, SPEND, named, day.on, sold=((0, points),))
    till.record(facts, {"spent": points}, entries=(entry,), authority=authority)
    return event


def give_back(till: OwnTill, spent: bytes, points: int, day: Day) -> tuple[bytes, bytes, int]:
    """Commit points of a spend that come back to the lots they came from; returns the event, whose it
    is and what still stands. Raises Problem."""
    stored = till.store.event(spent)
    plain = None if stored is None or stored.standing == "quarantined" else decode(stored.body)
    if plain is None or plain["kind"] != SPEND:
        raise Problem("not_found", {"what": "spend"})
    left = dict(sold_lines(till.store, spent))[0] - returned_lines(till.store, spent).get(0, 0)
    if points > left:
        raise Problem("conflict", {"what": "points", "left": left})
    member, event = bytes.fromhex(plain["member"]), till.new_id()
    life = day.programme.returns.minimum_life_days if day.programme else _LIFE_DAYS
    entry = Entry(
        EntryId(event, 0), POINTS, "reverse", points, day.on, day.on, None, day.on.plus(life),
        EntryId(spent, 0),
    )  # fmt: skip
    back = (Returned(0, points, 0, points),)
    facts = Facts(event, SPEND_BACK, member, day.on, sale=spent, returned=back)
    till.record(facts, {"spent": -points}, entries=(entry,))
    return event, member, left - points
