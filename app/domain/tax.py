"""Tax per line and its totals per rate. Rounded once per rate (half up), split by largest remainder."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.documents import LineRequest, TaxTotal
from app.domain.money import BASIS, round_ratio, split_by_weight


def tax_of(
    requests: Sequence[LineRequest], prices_minor: Sequence[int]
) -> tuple[tuple[int, ...], tuple[TaxTotal, ...]]:
    """The tax of each line and the totals per rate, in order of first appearance.

    Where the price includes the tax it is price x rate / (1 + rate), otherwise price x rate.
    """
    groups: dict[tuple[int, bool], list[int]] = {}
    for number, request in enumerate(requests):
        groups.setdefault((request.tax_rate_bp, request.tax_included), []).append(number)
    taxes = [0] * len(requests)
    totals = []
    for (rate_bp, included), numbers in groups.items():
        prices = [prices_minor[number] for number in numbers]
        price = sum(prices)
        whole = BASIS + rate_bp if included else BASIS
        tax = round_ratio(price * rate_bp, whole, "half_up")
        if tax:
            for number, part in zip(numbers, split_by_weight(tax, prices), strict=True):
                taxes[number] = part
        totals.append(TaxTotal(rate_bp, included, price - tax if included else price, tax))
    return tuple(taxes), tuple(totals)
