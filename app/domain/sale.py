"""A sale: the quote that the screen shows live, its entries, and the document that it becomes.

Order of benefits: tier price, then points, then money (domain.md section 3). Pure: the same inputs
give the same quote, which is how the commit finds out whether the one that was shown still holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from app.domain.birthday import BirthdayOn
from app.domain.business_day import NEVER, BusinessDate, month_end, plus_months
from app.domain.documents import (
    EarnTerms,
    LineRequest,
    Posted,
    SaleDocument,
    SaleRequest,
    SoldLine,
    TaxTotal,
    Tender,
    TraceStep,
)
from app.domain.earning import Earning, EarnMoment, LineEarning, earn, earns
from app.domain.entries import POINTS, SALES, SPEND, TIER, USE, Entry, EntryId
from app.domain.errors import Refusal, Refused
from app.domain.money import BASIS, round_ratio, split_by_weight
from app.domain.programme import Programme, RedeemRules, Tier, Validity
from app.domain.redemption import MostRedeemable, check_redemption, most_redeemable
from app.domain.state import EMPTY, MemberState, available_points, owed_points
from app.domain.tax import tax_of
from app.domain.tiers import change_of, current_tier, measure, upgrade_due, upgrade_entry

MOST_MINOR: Final = 1_000_000_000_000
"""No line and no sale is worth more: far beyond any counter, and it keeps sums within 64 bits."""
NOTHING_POSTED: Final = Posted(None, None, None, None, (), None)
_NO_EVENT: Final = EntryId(bytes(16), 0)


@dataclass(frozen=True, slots=True)
class MemberContext:
    """The member as a quote needs it.

    state      with the day counters of the tier window and of today, and the uses of this, last and
               next year (state_rows.needs), as good as it is today (expiry.as_good)
    stored     the state as it is stored, where that is another; a document posts on it what
               expiry.unexpire_entries says before its own entries
    reserved   points that holds keep for others
    birthdays  the celebrations around today (birthday.solar_birthdays, or lunar ones resolved)
    """

    state: MemberState
    reserved: int = 0
    birthdays: tuple[BirthdayOn, ...] = ()
    stored: MemberState | None = None


class QuoteKey(NamedTuple):
    """What the customer was shown. The commit goes ahead only when this is still the same."""

    points_spent: int
    to_pay_minor: int
    points_earned: int
    programme_version: int


@dataclass(frozen=True, slots=True)
class SaleQuote:
    """Everything that the counter shows of an open sale.

    `draft` is the document without tenders and entry ids: lines with every share, totals per tax
    rate, what is earned, from when and until when, the trace, and the tier that it would bring.
    """

    draft: SaleDocument
    member: bool
    available: int
    """Points that may be spent before this sale."""
    most: MostRedeemable
    tier: Tier | None
    tier_after: Tier | None
    """The level that this sale lifts the member to; None when it doesn't."""

    @property
    def key(self) -> QuoteKey:
        """For comparing what was shown with what would be committed."""
        draft = self.draft
        return QuoteKey(
            draft.points_spent, draft.to_pay_minor, draft.points_earned, draft.programme_version
        )


def expiry_of(validity: Validity, on: BusinessDate) -> BusinessDate:
    """The last good date of points posted on a date (domain.md section 3, "Expiry moment")."""
    if validity.kind == "never":
        return NEVER
    if validity.kind == "days":
        return on.plus(validity.count)
    later = plus_months(on, validity.count)
    return later if validity.kind == "months" else month_end(later)


@dataclass(frozen=True, slots=True)
class _Prices:
    """Prices per line before points and tenders."""

    gross: tuple[int, ...]
    discounts: tuple[int, ...]
    prices: tuple[int, ...]
    taxes: tuple[int, ...]
    payables: tuple[int, ...]
    tax_totals: tuple[TaxTotal, ...]


def quote_sale(
    request: SaleRequest,
    member: MemberContext | None,
    programme: Programme,
    *,
    on: BusinessDate,
    minute: int,
) -> SaleQuote:
    """Quote a cart on a business date at a local minute of the day.

    Refused: SALE_EMPTY, SALE_LINE_INVALID, MEMBER_NEEDED (points without a member) and the
    REDEEM codes of redemption.check_redemption.
    """
    if not request.lines:
        raise Refused(Refusal.SALE_EMPTY)
    state = EMPTY if member is None else member.state
    tier = None if member is None else current_tier(state, programme.tiers)
    prices = _price(request.lines, programme, tier)
    payable = sum(prices.payables)
    if payable > MOST_MINOR:
        raise Refused(Refusal.SALE_LINE_INVALID, {"line": 0})
    available = 0 if member is None else available_points(state, on, member.reserved)
    most, shares = _redeem(request, member, programme.redemption, prices.payables, available)
    value = sum(shares)
    bases = _earn_bases(request.lines, prices, shares, programme)
    if tier is None or member is None:
        earning = _no_earning(bases)
    else:
        moment = EarnMoment(on, minute, tier.code, member.birthdays)
        earning = earn(programme.earning, request.lines, bases, moment, state)
    available_from = on.plus(programme.pending_days)
    lines = _sold_lines(request.lines, prices, shares, earning)
    qualifying = sum(line.earn_base_minor for line in lines)
    after = _tier_after(state, programme, on, qualifying, available_from) if tier else None
    change = upgrade_entry(_NO_EVENT, programme.tiers, on, after) if after else None
    gross = sum(prices.gross)
    draft = SaleDocument(
        programme_code=programme.code,
        programme_version=programme.version,
        business_date=on,
        tier_rank=None if tier is None else tier.rank,
        lines=lines,
        tenders=(),
        tender_shares=(),
        tax_totals=prices.tax_totals,
        gross_minor=gross,
        discount_minor=sum(prices.discounts),
        payable_minor=payable,
        points_value_minor=value,
        to_pay_minor=payable - value,
        points_spent=request.redeem_points,
        points_earned=earning.points,
        earn_terms=earning.terms,
        available_from=available_from,
        expires=expiry_of(programme.validity, on),
        qualifies_from=available_from,
        qualifying_minor=qualifying if member else 0,
        benefits_used=tuple((code, BusinessDate.on(year, 12, 31)) for code, year in earning.used),
        debt_before=owed_points(state),
        tier_change=None if change is None else change_of(change),
        posted=NOTHING_POSTED,
        trace=earning.trace,
    )
    return SaleQuote(draft, member is not None, available, most, tier, after)


def _price(lines: Sequence[LineRequest], programme: Programme, tier: Tier | None) -> _Prices:
    gross, discounts, prices = [], [], []
    for number, line in enumerate(lines):
        amount = _gross(number, line)
        price = amount
        if tier is not None and tier.discount_bp:
            price = _tier_price(line, amount, programme, tier)
        gross.append(amount)
        discounts.append(amount - price)
        prices.append(price)
    taxes, totals = tax_of(lines, prices)
    payables = [
        price if line.tax_included else price + tax
        for line, price, tax in zip(lines, prices, taxes, strict=True)
    ]
    return _Prices(tuple(gross), tuple(discounts), tuple(prices), taxes, tuple(payables), totals)


def _gross(number: int, line: LineRequest) -> int:
    """Unit price x quantity / per quantity, rounded half up."""
    valid = (
        line.quantity > 0
        and line.per_quantity > 0
        and line.unit_price_minor >= 0
        and line.floor_price_minor >= 0
        and 0 <= line.tax_rate_bp <= BASIS
    )
    amount = -1
    if valid:
        amount = round_ratio(line.unit_price_minor * line.quantity, line.per_quantity, "half_up")
    if not 0 <= amount <= MOST_MINOR:
        raise Refused(Refusal.SALE_LINE_INVALID, {"line": number})
    return amount


def _tier_price(line: LineRequest, gross: int, programme: Programme, tier: Tier) -> int:
    """The tier's price: the discount rounded down, never below the line's floor price."""
    if programme.tiers.price_excludes.has(line.category, line.item):
        return gross
    price = gross - gross * tier.discount_bp // BASIS
    if line.floor_price_minor:
        floor = round_ratio(line.floor_price_minor * line.quantity, line.per_quantity, "ceiling")
        price = max(price, min(floor, gross))
    return price


def _redeem(
    request: SaleRequest,
    member: MemberContext | None,
    rules: RedeemRules | None,
    payables: Sequence[int],
    available: int,
) -> tuple[MostRedeemable, tuple[int, ...]]:
    """The most that may be redeemed, and what the asked points pay of each line."""
    nothing = (0,) * len(payables)
    if member is None:
        if request.redeem_points:
            raise Refused(Refusal.MEMBER_NEEDED)
        return MostRedeemable(0, 0, "no_member"), nothing
    if rules is None:
        off = MostRedeemable(0, 0, "off")
        check_redemption(rules, request.redeem_points, available, off)
        return off, nothing
    redeemable = [
        0 if line.no_redeem or rules.excludes.has(line.category, line.item) else payable
        for line, payable in zip(request.lines, payables, strict=True)
    ]
    most = most_redeemable(rules, available, sum(payables), sum(redeemable))
    check_redemption(rules, request.redeem_points, available, most)
    if not request.redeem_points:
        return most, nothing
    value = request.redeem_points // rules.unit_points * rules.unit_value_minor
    return most, split_by_weight(value, redeemable)


def _earn_bases(
    lines: Sequence[LineRequest],
    prices: _Prices,
    points_shares: Sequence[int],
    programme: Programme,
) -> tuple[int, ...]:
    """Per line the money that earns: price paid less points; the tax in or out per programme.

    With the tax out, points pay for price and tax alike, so the base is the same part of the net
    price as money is of the bill, rounded down.
    """
    with_tax = programme.earning.tax == "included"
    bases = []
    for number, line in enumerate(lines):
        payable = prices.payables[number]
        money = payable - points_shares[number]
        if not earns(programme.earning, line):
            money = 0
        elif not with_tax and payable:
            money = money * (payable - prices.taxes[number]) // payable
        bases.append(money)
    return tuple(bases)


def _no_earning(bases: Sequence[int]) -> Earning:
    lines = tuple(LineEarning(base, 0, 1) for base in bases)
    trace = (TraceStep("no_member", {}),)
    return Earning(0, lines, (0,) * len(lines), EarnTerms("floor", None, None), (), trace)


def _sold_lines(
    requests: Sequence[LineRequest], prices: _Prices, shares: Sequence[int], earning: Earning
) -> tuple[SoldLine, ...]:
    return tuple(
        SoldLine(
            request,
            prices.gross[n],
            prices.discounts[n],
            prices.prices[n],
            prices.taxes[n],
            prices.payables[n],
            shares[n],
            earning.lines[n].base_minor,
            earning.lines[n].rate_points,
            earning.lines[n].rate_minor,
            earning.line_points[n],
        )
        for n, request in enumerate(requests)
    )


def _tier_after(
    state: MemberState,
    programme: Programme,
    on: BusinessDate,
    qualifying: int,
    counts_from: BusinessDate,
) -> Tier | None:
    """The level that the sale lifts the member to: the tier is looked at once, at the end."""
    rules = programme.tiers
    reached = measure(state, rules, on)
    if counts_from <= on:
        if rules.measure == "spend":
            reached += qualifying
        elif state.day(on).sales <= 0:
            reached += 1
    return upgrade_due(state, rules, on, reached)


def sale_entries(quote: SaleQuote, event_id: bytes, *, first: int = 0) -> tuple[Entry, ...]:
    """The entries of a quoted sale, numbered from `first`; none without a member."""
    if not quote.member:
        return ()
    draft = quote.draft
    on = draft.business_date
    entries: list[Entry] = []

    def name() -> EntryId:
        return EntryId(event_id, first + len(entries))

    if draft.points_spent:
        entries.append(Entry(name(), POINTS, "redeem", -draft.points_spent, on))
    if draft.points_earned:
        entries.append(
            Entry(
                name(), POINTS, "earn", draft.points_earned, on, draft.available_from, draft.expires
            )
        )
    if draft.qualifying_minor:
        entries.append(
            Entry(name(), SPEND, "measure", draft.qualifying_minor, on, draft.qualifies_from)
        )
    entries.append(Entry(name(), SALES, "measure", 1, on, draft.qualifies_from))
    for code, year_end in draft.benefits_used:
        entries.append(Entry(name(), USE + code, "measure", 1, on, expires=year_end))
    if draft.tier_change is not None:
        change = draft.tier_change
        entries.append(Entry(name(), TIER, "upgrade", change.rank, on, change.since, change.until))
    return tuple(entries)


def sale_document(
    quote: SaleQuote, entries: Sequence[Entry], tenders: Sequence[Tender]
) -> SaleDocument:
    """The document of a quoted sale: what each tender paid of each line, and which entries it has.

    Refused(TENDER_MISMATCH) unless the tenders are exactly what is to pay; an amount given above
    its share is change, so `given_minor` is never below `amount_minor`.
    """
    draft = quote.draft
    paid = sum(tender.amount_minor for tender in tenders)
    good = all(0 < tender.amount_minor <= tender.given_minor for tender in tenders)
    if paid != draft.to_pay_minor or not good:
        raise Refused(
            Refusal.TENDER_MISMATCH, {"paid_minor": paid, "to_pay_minor": draft.to_pay_minor}
        )
    left = [line.payable_minor - line.points_share_minor for line in draft.lines]
    shares = []
    for tender in tenders:
        share = split_by_weight(tender.amount_minor, left)
        left = [rest - part for rest, part in zip(left, share, strict=True)]
        shares.append(share)
    change = draft.tier_change
    posted = _posted(entries)
    return replace(
        draft,
        tenders=tuple(tenders),
        tender_shares=tuple(shares),
        posted=posted,
        tier_change=change._replace(entry=posted.tier) if change and posted.tier else None,
    )


def _posted(entries: Sequence[Entry]) -> Posted:
    by_asset = {entry.asset: entry.id for entry in entries}
    by_kind = {entry.kind: entry.id for entry in entries}
    return Posted(
        redeem=by_kind.get("redeem"),
        earn=by_kind.get("earn"),
        spend=by_asset.get(SPEND),
        sales=by_asset.get(SALES),
        use=tuple(entry.id for entry in entries if entry.asset.startswith(USE)),
        tier=by_asset.get(TIER),
    )
