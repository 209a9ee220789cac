"""An exchange: a return and a sale as one document, with one net figure and no tier flicker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.domain.business_day import BusinessDate
from app.domain.documents import (
    ReturnDocument,
    ReturnedLine,
    SaleDocument,
    SaleRequest,
    Tender,
)
from app.domain.entries import Entry
from app.domain.fold import fold
from app.domain.programme import Programme, SpentPolicy
from app.domain.returns import ReturnQuote, quote_return, return_entries
from app.domain.sale import MemberContext, SaleQuote, quote_sale, sale_document, sale_entries
from app.domain.settlement import less

EXCHANGE: Final = "exchange"
"""The tender kind by which the returned part pays for the new one."""


@dataclass(frozen=True, slots=True)
class ExchangeQuote:
    """Both halves. net_minor above zero is for the customer to pay, below zero to be given back."""

    returned: ReturnQuote
    sold: SaleQuote
    credit_minor: int
    """The part of the refund that pays for the new goods."""
    net_minor: int


def quote_exchange(
    document: SaleDocument,
    previous: Sequence[ReturnDocument],
    lines: Sequence[ReturnedLine],
    request: SaleRequest,
    member: MemberContext | None,
    programme: Programme,
    *,
    on: BusinessDate,
    minute: int,
    policy: SpentPolicy | None = None,
    manager: bool = False,
    owner: bool = True,
) -> ExchangeQuote:
    """Quote a return and, on the state that it leaves, a sale. The tier is looked at once, after."""
    returned = quote_return(
        document, previous, lines, member, programme,
        on=on, policy=policy, manager=manager, owner=owner,
    )  # fmt: skip
    between = None
    if member is not None:
        between = replace(member, state=fold(member.state, returned.entries))
    sold = quote_sale(request, between, programme, on=on, minute=minute)
    to_pay = sold.draft.to_pay_minor
    return ExchangeQuote(
        returned=returned,
        sold=sold,
        credit_minor=min(returned.refund_minor, to_pay),
        net_minor=to_pay - returned.refund_minor,
    )


def exchange_entries(quote: ExchangeQuote, event_id: bytes) -> tuple[Entry, ...]:
    """Restores, take-backs and adjustments of the return, then spends and earnings of the sale."""
    back = return_entries(quote.returned, event_id)
    return (*back, *sale_entries(quote.sold, event_id, first=len(back)))


def exchange_documents(
    quote: ExchangeQuote, entries: Sequence[Entry], tenders: Sequence[Tender]
) -> tuple[ReturnDocument, SaleDocument]:
    """Both documents of an exchange; `tenders` pay the net, the returned part pays the rest.

    The return's refunds name what was given in money, and then what went into the new sale.
    """
    credit = quote.credit_minor
    draft = quote.returned.draft
    refunds = less(draft.refunds, credit)
    paid = [Tender(EXCHANGE, credit, credit)] if credit else []
    back = len(quote.returned.entries)
    return (
        replace(draft, refunds=(*refunds, (EXCHANGE, credit)) if credit else refunds),
        sale_document(quote.sold, entries[back:], (*paid, *tenders)),
    )
