"""A member's lots, debts and splits while they are folded: changed in place, and never seen outside fold.py."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter, lt

from app.domain.business_day import BusinessDate
from app.domain.entries import EntryId, Kind
from app.domain.state import Lot, Split

_expiry = attrgetter("expires")


@dataclass(slots=True, eq=False)
class FoldingDebt:
    """A debt while folding."""

    amount: int
    order: int
    kind: Kind


def taken_by(row: Split, asset: str) -> Lot:
    """The lot that a part was taken from, as it was, with nothing in it; `asset`: what the entry moves, which
    may name a debit of another one."""
    return Lot(asset, row.origin, row.expires, row.available_from, 0, row.lot_order)


def spending_order(lot: Lot) -> tuple[int, int]:
    return (lot.expires, lot.order)


class FoldingAccount:
    """One asset of the member: its lots in spending order, its debts oldest first.

    Lots stay rows, and a row that changes is replaced: most of a member's are not touched by what is folded.
    """

    __slots__ = ("_emptied", "debts", "lots")

    def __init__(self) -> None:
        self.lots: list[Lot] = []
        self.debts: dict[EntryId, FoldingDebt] = {}
        self._emptied: list[int] = []

    def find(self, origin: EntryId, expires: BusinessDate) -> int | None:
        """Where among the lots the one of an origin and an expiry stands."""
        lots = self.lots
        for at in range(bisect_left(lots, expires, key=_expiry), len(lots)):
            lot = lots[at]
            if lot.expires != expires:
                break
            if lot.origin == origin:
                return at
        return None

    def open(self, lot: Lot) -> None:
        """Add a lot, or fill the one of the same origin and expiry: after a merge that may stand under another
        order."""
        lots = self.lots
        if not lots or lots[-1].expires < lot.expires:
            lots.append(lot)
            return
        known = self.find(lot.origin, lot.expires)
        if known is None:
            insort(lots, lot, key=spending_order)
        else:
            self.change(known, lot.remaining)

    def change(self, at: int, by: int) -> None:
        """Put into a lot, or take from it."""
        asset, origin, expires, start, remaining, order = self.lots[at]
        self.lots[at] = Lot(asset, origin, expires, start, remaining + by, order)
        if not remaining + by:
            self._emptied.append(at)

    def drop_empty(self) -> None:
        """Forget the lots that have nothing left."""
        if self._emptied:
            for at in sorted(self._emptied, reverse=True):
                del self.lots[at]
            self._emptied.clear()


def _rising(splits: tuple[Split, ...]) -> tuple[Split, ...]:
    """The splits in their order, each once: a store may have brought some by two ways."""
    orders = [split.order for split in splits]
    if all(map(lt, orders, orders[1:])):
        return splits
    found = {split.order: split for split in splits}
    return tuple([found[order] for order in sorted(found)])


class FoldingSplits:
    """The member's splits in their order. Which parts are of one debit or restore is looked up only once
    somebody asks: most of what is folded only adds parts behind the others."""

    __slots__ = ("_added", "_base", "_by_debit", "_by_restore", "_came_back", "_rows")

    def __init__(self, base: tuple[Split, ...]) -> None:
        self._base = _rising(base)
        self._added: list[Split] = []
        self._rows: dict[int, Split] | None = None
        self._by_debit: dict[EntryId, list[int]] = {}
        self._by_restore: dict[EntryId, list[int]] = {}
        self._came_back: dict[EntryId, list[int]] = {}

    def add(self, split: Split) -> None:
        """Add a part behind the others."""
        if self._rows is None:
            self._added.append(split)
        else:
            self._keep(self._rows, split)

    def of_debits(self, debits: Iterable[EntryId]) -> list[Split]:
        """The parts of debits that nothing has restored."""
        return self._found(self._by_debit, debits)

    def of_restore(self, restore: EntryId) -> list[Split]:
        """The parts that a restore gave back."""
        return self._found(self._by_restore, (restore,))

    def shrink(self, split: Split, by: int) -> None:
        """Take from a part; it is gone once nothing is left of it."""
        rows = self._indexed()
        if by == split.amount:
            del rows[split.order]
        else:
            rows[split.order] = split._replace(amount=split.amount - by)

    def let_go(self, debit: EntryId) -> None:
        """Forget all parts of a debit, restored or not."""
        found = [*self.of_debits((debit,)), *self._found(self._came_back, (debit,))]
        rows = self._indexed()
        for split in found:
            del rows[split.order]

    def all(self) -> tuple[Split, ...]:
        """All parts in their order."""
        if self._rows is None:
            return (*self._base, *self._added) if self._added else self._base
        return tuple([self._rows[order] for order in sorted(self._rows)])

    def _found(self, parts: dict[EntryId, list[int]], wanted: Iterable[EntryId]) -> list[Split]:
        rows = self._indexed()
        orders = sorted({order for each in wanted for order in parts.get(each, ())})
        return [rows[order] for order in orders if order in rows]

    def _indexed(self) -> dict[int, Split]:
        rows = self._rows
        if rows is None:
            rows = self._rows = {}
            for split in (*self._base, *self._added):
                self._keep(rows, split)
        return rows

    def _keep(self, rows: dict[int, Split], split: Split) -> None:
        rows[split.order] = split
        if split.restored_by is None:
            self._by_debit.setdefault(split.debit, []).append(split.order)
        else:
            self._by_restore.setdefault(split.restored_by, []).append(split.order)
            self._came_back.setdefault(split.debit, []).append(split.order)
