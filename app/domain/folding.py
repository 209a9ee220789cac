"""A member's lots and debts while they are folded: mutable, and never seen outside fold.py."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass

from app.domain.business_day import BusinessDate
from app.domain.entries import EntryId, Kind
from app.domain.state import Split


@dataclass(slots=True, eq=False)
class FoldingLot:
    """A lot while folding, or points on their way to debts and a lot of this kind."""

    expires: BusinessDate
    order: int
    origin: EntryId
    available_from: BusinessDate
    remaining: int


@dataclass(slots=True, eq=False)
class FoldingDebt:
    """A debt while folding."""

    amount: int
    order: int
    kind: Kind


def taken_by(row: Split) -> FoldingLot:
    """The lot that a part was taken from, as it was."""
    return FoldingLot(row.expires, row.lot_order, row.origin, row.available_from, 0)


def spending_order(lot: FoldingLot) -> tuple[int, int]:
    return (lot.expires, lot.order)


class FoldingAccount:
    """One asset of the member: its lots in spending order, its debts oldest first."""

    __slots__ = ("by_key", "debts", "lots")

    def __init__(self) -> None:
        self.lots: list[FoldingLot] = []
        self.by_key: dict[tuple[EntryId, int], FoldingLot] = {}
        self.debts: dict[EntryId, FoldingDebt] = {}

    def open(self, lot: FoldingLot) -> None:
        """Add a lot, or fill the one of the same origin and expiry."""
        known = self.by_key.get((lot.origin, lot.expires))
        if known is not None:
            known.remaining += lot.remaining
            return
        self.by_key[lot.origin, lot.expires] = lot
        lots = self.lots
        if lots and spending_order(lots[-1]) > spending_order(lot):
            insort(lots, lot, key=spending_order)
        else:
            lots.append(lot)

    def drop_empty(self, lot: FoldingLot) -> None:
        """Forget a lot that has nothing left."""
        if lot.remaining:
            return
        del self.by_key[lot.origin, lot.expires]
        self.lots.remove(lot)
