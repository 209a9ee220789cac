"""Documents as JSON-able dicts and back, exactly: ints, strs, bools, None, lists and dicts only.

Dates are days since 1970-01-01, entry ids [event hex, n]. The journal event holds these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.domain.business_day import BusinessDate
from app.domain.documents import (
    EarnTerms,
    ForeignSale,
    LineRequest,
    Posted,
    ReturnDocument,
    ReturnedLine,
    SaleDocument,
    SoldLine,
    TaxTotal,
    Tender,
    TraceStep,
    UnitsBack,
)
from app.domain.entries import EntryId
from app.domain.state import TierChange
from app.domain.state_rows import Plain, id_from_plain, id_to_plain


def sale_to_plain(document: SaleDocument) -> Plain:
    """A sale document for its event."""
    terms = document.earn_terms
    change = document.tier_change
    return {
        "programme": [document.programme_code, document.programme_version],
        "on": int(document.business_date),
        "tier_rank": document.tier_rank,
        "lines": [_line_to_plain(line) for line in document.lines],
        "tenders": [list(tender) for tender in document.tenders],
        "tender_shares": [list(shares) for shares in document.tender_shares],
        "tax": [list(total) for total in document.tax_totals],
        "gross_minor": document.gross_minor,
        "discount_minor": document.discount_minor,
        "payable_minor": document.payable_minor,
        "points_value_minor": document.points_value_minor,
        "to_pay_minor": document.to_pay_minor,
        "points_spent": document.points_spent,
        "points_earned": document.points_earned,
        "earn_terms": [terms.rounding, terms.cap_per_sale, terms.day_room],
        "available_from": int(document.available_from),
        "expires": int(document.expires),
        "qualifies_from": int(document.qualifies_from),
        "qualifying_minor": document.qualifying_minor,
        "benefits_used": [[code, int(on)] for code, on in document.benefits_used],
        "debt_before": document.debt_before,
        "tier_change": None if change is None else [
            id_to_plain(change.entry), change.kind, change.rank, int(change.since),
            int(change.until),
        ],
        "posted": _posted_to_plain(document.posted),
        "trace": trace_to_plain(document.trace),
    }  # fmt: skip


def sale_from_plain(plain: Plain) -> SaleDocument:
    """The inverse of sale_to_plain; trusts its input, which is our own writing."""
    change = plain["tier_change"]
    return SaleDocument(
        programme_code=plain["programme"][0],
        programme_version=plain["programme"][1],
        business_date=BusinessDate(plain["on"]),
        tier_rank=plain["tier_rank"],
        lines=tuple(_line_from_plain(line) for line in plain["lines"]),
        tenders=tuple(Tender(*tender) for tender in plain["tenders"]),
        tender_shares=tuple(tuple(shares) for shares in plain["tender_shares"]),
        tax_totals=tuple(TaxTotal(*total) for total in plain["tax"]),
        gross_minor=plain["gross_minor"],
        discount_minor=plain["discount_minor"],
        payable_minor=plain["payable_minor"],
        points_value_minor=plain["points_value_minor"],
        to_pay_minor=plain["to_pay_minor"],
        points_spent=plain["points_spent"],
        points_earned=plain["points_earned"],
        earn_terms=EarnTerms(*plain["earn_terms"]),
        available_from=BusinessDate(plain["available_from"]),
        expires=BusinessDate(plain["expires"]),
        qualifies_from=BusinessDate(plain["qualifies_from"]),
        qualifying_minor=plain["qualifying_minor"],
        benefits_used=tuple((code, BusinessDate(on)) for code, on in plain["benefits_used"]),
        debt_before=plain["debt_before"],
        tier_change=None if change is None else TierChange(
            id_from_plain(change[0]), change[1], change[2], BusinessDate(change[3]),
            BusinessDate(change[4]),
        ),
        posted=_posted_from_plain(plain["posted"]),
        trace=trace_from_plain(plain["trace"]),
    )  # fmt: skip


def _line_to_plain(line: SoldLine) -> Plain:
    """A line as its event holds it. What is zero on most lines is left out: a sale of one line then
    fits twice on a page of the store."""
    request = line.request
    rare = {
        "floor_price_minor": request.floor_price_minor,
        "no_earn": request.no_earn,
        "no_redeem": request.no_redeem,
        "tier_discount_minor": line.tier_discount_minor,
        "points_share_minor": line.points_share_minor,
    }
    return {name: value for name, value in rare.items() if value} | {
        "item": request.item,
        "category": request.category,
        "name": request.name,
        "unit_price_minor": request.unit_price_minor,
        "quantity": request.quantity,
        "per_quantity": request.per_quantity,
        "tax_rate_bp": request.tax_rate_bp,
        "tax_included": request.tax_included,
        "gross_minor": line.gross_minor,
        "price_minor": line.price_minor,
        "tax_minor": line.tax_minor,
        "payable_minor": line.payable_minor,
        "earn_base_minor": line.earn_base_minor,
        "rate": [line.rate_points, line.rate_minor],
        "points": line.points,
    }


def _line_from_plain(plain: Plain) -> SoldLine:
    return SoldLine(
        request=LineRequest(
            unit_price_minor=plain["unit_price_minor"],
            quantity=plain["quantity"],
            per_quantity=plain["per_quantity"],
            item=plain["item"],
            category=plain["category"],
            name=plain["name"],
            tax_rate_bp=plain["tax_rate_bp"],
            tax_included=plain["tax_included"],
            floor_price_minor=plain.get("floor_price_minor", 0),
            no_earn=plain.get("no_earn", False),
            no_redeem=plain.get("no_redeem", False),
        ),
        gross_minor=plain["gross_minor"],
        tier_discount_minor=plain.get("tier_discount_minor", 0),
        price_minor=plain["price_minor"],
        tax_minor=plain["tax_minor"],
        payable_minor=plain["payable_minor"],
        points_share_minor=plain.get("points_share_minor", 0),
        earn_base_minor=plain["earn_base_minor"],
        rate_points=plain["rate"][0],
        rate_minor=plain["rate"][1],
        points=plain["points"],
    )


def _posted_to_plain(posted: Posted) -> Plain:
    return {
        "redeem": id_to_plain(posted.redeem),
        "earn": id_to_plain(posted.earn),
        "spend": id_to_plain(posted.spend),
        "sales": id_to_plain(posted.sales),
        "use": [id_to_plain(use) for use in posted.use],
        "tier": id_to_plain(posted.tier),
    }


def _posted_from_plain(plain: Plain) -> Posted:
    def read(value: Sequence[Any] | None) -> EntryId | None:
        return None if value is None else id_from_plain(value)

    return Posted(
        redeem=read(plain["redeem"]),
        earn=read(plain["earn"]),
        spend=read(plain["spend"]),
        sales=read(plain["sales"]),
        use=tuple(id_from_plain(use) for use in plain["use"]),
        tier=read(plain["tier"]),
    )


def trace_to_plain(trace: Sequence[TraceStep]) -> list[Any]:
    """[[code, facts], …]."""
    return [[step.code, dict(step.facts)] for step in trace]


def trace_from_plain(plain: Sequence[Any]) -> tuple[TraceStep, ...]:
    """The inverse of trace_to_plain."""
    return tuple(TraceStep(code, facts) for code, facts in plain)


def foreign_to_plain(sale: ForeignSale) -> Plain:
    """Another till's sale for the event of its return; keys that the sale's own event has are the same here."""
    return {
        "receipt_no": sale.receipt_no,
        "device": sale.device.hex(),
        "digest": sale.digest.hex(),
        "back": [list(line) for line in sale.back.lines],
        "sale": sale_to_plain(sale.document),
    }


def units_back_from_plain(plain: Plain) -> UnitsBack:
    """What had come back of another till's sale before the return that holds it."""
    return UnitsBack(tuple(ReturnedLine(*line) for line in plain["back"]))


def return_to_plain(document: ReturnDocument) -> Plain:
    """A return document for its event."""
    return {
        "on": int(document.business_date),
        "lines": [list(line) for line in document.lines],
        "refunds": [list(refund) for refund in document.refunds],
        "charged_minor": document.charged_minor,
        "points_restored": document.points_restored,
        "points_taken_back": document.points_taken_back,
        "points_written_off": document.points_written_off,
        "points_charged": document.points_charged,
        "points_unexpired": document.points_unexpired,
        "debt_before": document.debt_before,
        "tax": [list(total) for total in document.tax_totals],
        "trace": trace_to_plain(document.trace),
    }


def return_from_plain(plain: Plain) -> ReturnDocument:
    """The inverse of return_to_plain."""
    return ReturnDocument(
        business_date=BusinessDate(plain["on"]),
        lines=tuple(ReturnedLine(*line) for line in plain["lines"]),
        refunds=tuple((kind, amount) for kind, amount in plain["refunds"]),
        charged_minor=plain["charged_minor"],
        points_restored=plain["points_restored"],
        points_taken_back=plain["points_taken_back"],
        points_written_off=plain["points_written_off"],
        points_charged=plain["points_charged"],
        points_unexpired=plain["points_unexpired"],
        debt_before=plain["debt_before"],
        tax_totals=tuple(TaxTotal(*total) for total in plain["tax"]),
        trace=trace_from_plain(plain["trace"]),
    )
