"""What should be in the drawer: the expected cash of a shift, from its events alone; and what a limit allows.

Expected cash = float + cash taken in sales, net of change − cash given back in returns and voids + paid in −
paid out (domain.md section 3, "Accounting"). Points and other tenders never enter it. Nothing here decides who
may see it: before the count nobody may (counter-flows.md flow 17).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from app.domain.errors import Refusal, Refused
from app.domain.programme import Role

CASH: Final = "cash"
PIECES_MOST: Final = 99_999
"""Of one face value: more than a drawer holds, so a typing error is refused."""

_SERIES: Final = (10000, 5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1)
_FACE_VALUES: Final[Mapping[str, tuple[int, ...]]] = {
    "CNY": (10000, 5000, 2000, 1000, 500, 100, 50, 10),
    "HKD": (100000, 50000, 10000, 5000, 2000, 1000, 500, 200, 100, 50, 20, 10),
    "USD": (10000, 5000, 2000, 1000, 500, 200, 100, 50, 25, 10, 5, 1),
    "EUR": (20000, 10000, 5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1),
    "GBP": (5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1),
    "JPY": (10000, 5000, 2000, 1000, 500, 100, 50, 10, 5, 1),
    "KWD": (20000, 10000, 5000, 1000, 500, 250, 100, 50, 20, 10, 5),
}
"""Notes and coins in minor units, largest first. A note and a coin of one value are counted together."""


def face_values(currency: str) -> tuple[int, ...]:
    """The notes and coins of a currency; one that isn't listed has the usual 1-2-5 series."""
    return _FACE_VALUES.get(currency, _SERIES)


@dataclass(frozen=True, slots=True)
class DrawerSums:
    """The cash of one shift by where it came from; minor units, all but `refunds` of a kind >= 0.

    refunds  given back in returns and voids, less what came in again when a return was voided
    """

    float_minor: int = 0
    sales_minor: int = 0
    refunds_minor: int = 0
    paid_in_minor: int = 0
    paid_out_minor: int = 0

    @property
    def expected_minor(self) -> int:
        """What the drawer should hold."""
        return (
            self.float_minor
            + self.sales_minor
            - self.refunds_minor
            + self.paid_in_minor
            - self.paid_out_minor
        )

    def after(
        self, kind: str, doc: Mapping[str, Any], voided: Mapping[str, Any] | None = None
    ) -> DrawerSums:
        """These sums with one more event of the shift.

        `voided` as in `money_of`. Events that move no cash change nothing.
        """
        match kind:
            case "shift_open":
                return replace(self, float_minor=self.float_minor + doc["float"])
            case "sale":
                return replace(self, sales_minor=self.sales_minor + _cash(money_of(kind, doc)))
            case "return" | "void":
                back = -_cash(money_of(kind, doc, voided))
                return replace(self, refunds_minor=self.refunds_minor + back)
            case "cash" if doc["direction"] == "in":
                return replace(self, paid_in_minor=self.paid_in_minor + doc["amount"])
            case "cash":
                return replace(self, paid_out_minor=self.paid_out_minor + doc["amount"])
            case _:
                return self


def money_of(
    kind: str, doc: Mapping[str, Any], voided: Mapping[str, Any] | None = None
) -> list[tuple[str, int]]:
    """(tender, minor units) that a sale, return or void brought in; below zero what it gave back.

    `voided` are the facts of the return that a void takes back: the customer hands over again what
    they had been given.
    """
    match kind:
        case "sale":
            return [(tender, amount) for tender, amount, _ in doc["sale"]["tenders"]]
        case "return":
            return [(tender, -amount) for tender, amount in doc["return"]["refunds"]]
        case "void" if voided is not None:
            return [(tender, amount) for tender, amount in voided["return"]["refunds"]]
        case "void":
            return [(tender, -amount) for tender, amount in doc["refunds"]]
        case _:
            return []


def voids_a_return(kind: str, doc: Mapping[str, Any]) -> bool:
    """Whether `money_of` needs the document that this event takes back."""
    return kind == "void" and doc["refers_to"] != doc["sale_event"]


def counted_total(counted: Iterable[tuple[int, int]], currency: str) -> int:
    """The sum of (face value, pieces), in minor units.

    Raises Refused(COUNT_INVALID) for a value that the currency hasn't, one that is there twice, or
    a number of pieces that no drawer holds.
    """
    lines = list(counted)
    values = [value for value, _ in lines]
    fits = all(0 <= pieces <= PIECES_MOST for _, pieces in lines)
    if not fits or len(set(values)) < len(values) or not set(values) <= set(face_values(currency)):
        raise Refused(Refusal.COUNT_INVALID)
    return sum(value * pieces for value, pieces in lines)


def above_limit(limits: Mapping[Role, int | None] | None, role: Role, minor: int) -> bool:
    """Whether an amount is more than a role may do alone. A programme without this limit allows
    nothing alone: whoever writes rules must say what they trust."""
    limit = 0 if limits is None else limits[role]
    return limit is not None and abs(minor) > limit


def _cash(money: Iterable[tuple[str, int]]) -> int:
    return sum(amount for tender, amount in money if tender == CASH)
