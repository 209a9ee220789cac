"""What an event adds to the shop's figures: sums of one document, and its money by tender, goods, tax.

One place decides it for the counter, a replay, `verify` and the reports. Amounts carry the shop's sign: what a
return or a void takes back is below zero. Here: numbers out of documents. Not here: rows, periods, words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from app.domain.documents import ReturnDocument, SaleDocument
from app.domain.entries import POINTS, TIER
from app.domain.money import kept_share
from app.domain.returns import Earlier, kept_units

TENDER: Final = "tender"
CATEGORY: Final = "category"
TAX: Final = "tax"
TIER_CHANGE: Final = "tier"


class Share(NamedTuple):
    """A part of a document.

    tender    key cash, qr, card …; `amount` the money
    category  key of the goods, "" without one; `amount` payable (points' share in it), `extra` units
    tax       key "<basis points>:in" or ":out"; `amount` the tax, `extra` the net amount
    tier      key is the entry's kind; `amount` the rank
    """

    part: str
    key: str
    amount: int
    extra: int = 0


@dataclass(frozen=True, slots=True)
class Money:
    """A document's sums in minor units; paid = gross - discount + tax on top - points' value, and the goods'
    amounts add up to paid + points' value. Money kept for points already spent is beside that: paid is higher
    by it."""

    tier_rank: int | None = None
    gross: int = 0
    discount: int = 0
    points_value: int = 0
    paid: int = 0
    shares: tuple[Share, ...] = ()


class PointsMoved(NamedTuple):
    """Points of an event: issued - redeemed - expired is what it adds to the balances."""

    issued: int
    redeemed: int
    expired: int


def money_of_sale(sale: Mapping[str, Any]) -> Money:
    """A sale's sums, from the document as its event holds it (documents_plain): every sale and every
    event of a verify passes here, and building the document would cost ten times as much."""
    goods: dict[str, list[int]] = {}
    for line in sale["lines"]:
        of_goods = goods.setdefault(line["category"] or "", [0, 0])
        of_goods[0] += line["payable_minor"]
        of_goods[1] += _pieces(line["quantity"], line["per_quantity"])
    return Money(
        sale["tier_rank"],
        sale["gross_minor"],
        sale["discount_minor"],
        sale["points_value_minor"],
        sale["to_pay_minor"],
        _joined(
            [
                *(Share(TENDER, kind, amount) for kind, amount, _ in sale["tenders"]),
                *(Share(CATEGORY, key, *amounts) for key, amounts in goods.items()),
                *(
                    Share(TAX, _tax_key(rate, included), tax, net)
                    for rate, included, net, tax in sale["tax"]
                ),
            ]
        ),
    )


def money_of_return(
    sale: SaleDocument, earlier: Sequence[Earlier], returned: ReturnDocument
) -> Money:
    """What a return takes out of the figures, below zero; `earlier` are the returns that stood before.

    Amounts are the lines' stored ones by the units still kept, so partial returns add up to the sale. Each
    share that was given back is rounded by itself; goods and gross are their sums, so that the columns of a
    return add up too (docs/decisions/the-shops-day.md, "Figures").
    """
    before = kept_units(sale, earlier)
    after = kept_units(sale, (*earlier, returned))

    def gone(line: int, stored: int) -> int:
        sold = sale.lines[line].request.quantity
        return kept_share(stored, after[line], sold) - kept_share(stored, before[line], sold)

    def total(amount: Callable[[int], int]) -> int:
        return sum(gone(n, amount(n)) for n in range(len(sale.lines)))

    def payable(line: int) -> int:
        money = sum(gone(line, shares[line]) for shares in sale.tender_shares)
        return money + gone(line, sale.lines[line].points_share_minor)

    discount = total(lambda n: sale.lines[n].tier_discount_minor)
    on_top = -sum(tax for _, included, _, tax in returned.tax_totals if not included)
    goods: dict[str, list[int]] = {}
    for n, line in enumerate(sale.lines):
        if before[n] != after[n]:
            of_goods = goods.setdefault(line.request.category or "", [0, 0])
            of_goods[0] += payable(n)
            per = line.request.per_quantity
            of_goods[1] += _pieces(after[n], per) - _pieces(before[n], per)
    return Money(
        sale.tier_rank,
        sum(map(payable, range(len(sale.lines)))) + discount - on_top,
        discount,
        total(lambda n: sale.lines[n].points_share_minor),
        -sum(minor for _, minor in returned.refunds),
        _joined(
            [
                *(Share(TENDER, kind, -minor) for kind, minor in returned.refunds),
                *(Share(CATEGORY, key, *amounts) for key, amounts in goods.items()),
                *(
                    Share(TAX, _tax_key(rate, included), -tax, -net)
                    for rate, included, net, tax in returned.tax_totals
                ),
            ]
        ),
    )


def money_of_void(undone: Money, refunds: Iterable[tuple[str, int]] | None) -> Money:
    """The mirror of what is undone. `refunds` is the money handed back for a sale, which the return policy
    may have lessened; None where a return is undone and its refund comes back whole."""
    mirrored = [
        Share(share.part, share.key, -share.amount, -share.extra)
        for share in undone.shares
        if share.part != TENDER or refunds is None
    ]
    paid = -undone.paid
    if refunds is not None:
        given = list(refunds)
        mirrored += [Share(TENDER, kind, -minor) for kind, minor in given]
        paid = -sum(minor for _, minor in given)
    return replace(
        undone,
        gross=-undone.gross,
        discount=-undone.discount,
        points_value=-undone.points_value,
        paid=paid,
        shares=_joined(mirrored),
    )


def money_of_event(kind: str, doc: Mapping[str, Any]) -> Money:
    """What an event adds to the shop's money, as its document says."""
    if kind == "sale":
        return money_of_sale(doc["sale"])
    plain = doc.get("money")
    return Money() if plain is None else money_from_plain(plain)


def money_to_plain(money: Money) -> dict[str, Any]:
    """For the event of a return or a void, which can't be worked out from itself alone."""
    return {
        "tier_rank": money.tier_rank,
        "gross": money.gross,
        "discount": money.discount,
        "points_value": money.points_value,
        "paid": money.paid,
        "shares": [list(share) for share in money.shares],
    }


def money_from_plain(plain: Mapping[str, Any]) -> Money:
    """The inverse of money_to_plain."""
    return Money(
        plain["tier_rank"],
        plain["gross"],
        plain["discount"],
        plain["points_value"],
        plain["paid"],
        tuple(Share(*share) for share in plain["shares"]),
    )


def points_moved(entries: Iterable[Sequence[Any]]) -> PointsMoved:
    """Of the entries of an event, in their plain form [n, asset, kind, amount, …]."""
    issued = redeemed = expired = 0
    for _, asset, kind, amount, *_ in entries:
        if asset != POINTS:
            continue
        if kind in ("expire", "unexpire"):
            expired -= amount
        elif kind == "redeem" or (kind == "reverse" and amount > 0):
            redeemed -= amount
        else:
            issued += amount
    return PointsMoved(issued, redeemed, expired)


def tier_shares(entries: Iterable[Sequence[Any]]) -> tuple[Share, ...]:
    """The changes of tier among an event's entries."""
    return tuple(
        Share(TIER_CHANGE, kind, amount) for _, asset, kind, amount, *_ in entries if asset == TIER
    )


def _pieces(quantity: int, per_quantity: int) -> int:
    """Pieces as sold; goods by weight are one piece while any of them is kept."""
    return quantity if per_quantity == 1 else int(quantity > 0)


def _tax_key(rate_bp: int, included: bool) -> str:
    return f"{rate_bp}:{'in' if included else 'out'}"


def _joined(shares: Iterable[Share]) -> tuple[Share, ...]:
    """One share per part and key, in order of first appearance; those of nothing are left out."""
    sums: dict[tuple[str, str], list[int]] = {}
    for part, key, amount, extra in shares:
        found = sums.setdefault((part, key), [0, 0])
        found[0] += amount
        found[1] += extra
    return tuple(Share(*name, *amounts) for name, amounts in sums.items() if any(amounts))
