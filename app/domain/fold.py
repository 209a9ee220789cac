"""The fold: entries -> member state (domain.md section 2). Pure, integer, deterministic and total.

No stored entry makes it fail, and it needs no programme: entries carry their own dates. The working
copy is mutable and never leaves `fold`.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.business_day import NEVER, BusinessDate
from app.domain.entries import EARNED, POINTS, SALES, SPEND, TIER, USE, Entry, EntryId, Kind
from app.domain.state import Day, Debt, Lot, MemberState, Split, TierChange, Use

_GIVING_BACK = frozenset(("reverse", "unexpire"))
_TAKING_BACK = frozenset(("reverse", "expire"))


def fold(base: MemberState, entries: Iterable[Entry]) -> MemberState:
    """The state after `entries`, in the owner's order, on top of `base` (whole or partial).

    Asserts the identity of domain.md section 2 for every asset that moved: Σ entries = Σ lots -
    Σ debts, and never both.
    """
    working = _Working(base)
    for entry in entries:
        working.post(entry)
    return working.finish()


@dataclass(slots=True, eq=False)
class _Lot:
    """A lot while folding, or points on their way to debts and a lot of this kind."""

    expires: BusinessDate
    order: int
    origin: EntryId
    available_from: BusinessDate
    remaining: int


@dataclass(slots=True, eq=False)
class _Debt:
    """A debt while folding."""

    amount: int
    order: int
    kind: Kind


def _taken_by(row: Split) -> _Lot:
    """The lot that a part was taken from, as it was."""
    return _Lot(row.expires, row.lot_order, row.origin, row.available_from, 0)


def _split_order(split: Split) -> int:
    return split.order


def _spending_order(lot: _Lot) -> tuple[int, int]:
    return (lot.expires, lot.order)


class _Account:
    """One asset of the member: its lots in spending order, its debts oldest first."""

    __slots__ = ("by_key", "debts", "lots")

    def __init__(self) -> None:
        self.lots: list[_Lot] = []
        self.by_key: dict[tuple[EntryId, int], _Lot] = {}
        self.debts: dict[EntryId, _Debt] = {}

    def open(self, lot: _Lot) -> None:
        """Add a lot, or fill the one of the same origin and expiry."""
        known = self.by_key.get((lot.origin, lot.expires))
        if known is not None:
            known.remaining += lot.remaining
            return
        self.by_key[lot.origin, lot.expires] = lot
        lots = self.lots
        if lots and _spending_order(lots[-1]) > _spending_order(lot):
            insort(lots, lot, key=_spending_order)
        else:
            lots.append(lot)

    def drop_empty(self, lot: _Lot) -> None:
        """Forget a lot that has nothing left."""
        if lot.remaining:
            return
        del self.by_key[lot.origin, lot.expires]
        self.lots.remove(lot)


class _Working:
    """The mutable working copy of one fold."""

    __slots__ = (
        "accounts",
        "by_debit",
        "by_restore",
        "days",
        "sequence",
        "splits",
        "sums",
        "tiers",
        "uses",
    )

    def __init__(self, base: MemberState) -> None:
        self.sequence = base.sequence
        self.sums = dict(base.sums)
        self.accounts: dict[str, _Account] = {}
        for lot in base.lots:
            self._account(lot.asset).open(
                _Lot(lot.expires, lot.order, lot.origin, lot.available_from, lot.remaining)
            )
        for debt in base.debts:
            debts = self._account(debt.asset).debts
            debts[debt.debit] = _Debt(debt.amount, debt.order, debt.kind)
        self.splits = {split.order: split for split in sorted(base.splits, key=_split_order)}
        self.by_debit: dict[EntryId, list[int]] = {}
        self.by_restore: dict[EntryId, list[int]] = {}
        for split in self.splits.values():
            self._index(split)
        self.days = {day.on: day for day in base.days}
        self.tiers = list(base.tiers)
        self.uses = {(use.benefit, use.year): use.times for use in base.uses}

    def post(self, entry: Entry) -> None:
        """Apply one entry."""
        asset = entry.asset
        if asset == TIER:
            self._change_tier(entry)
            return
        self.sums[asset] = self.sums.get(asset, 0) + entry.amount
        if asset in (SPEND, SALES, EARNED):
            self._count(entry)
        elif asset.startswith(USE):
            year = (entry.business_date if entry.expires is None else entry.expires).year
            key = (asset[len(USE) :], year)
            self.uses[key] = self.uses.get(key, 0) + entry.amount
        elif entry.amount > 0:
            if entry.kind == "earn" and asset == POINTS:
                self._add_to_day(entry.business_date, entry.business_date, earned=entry.amount)
            if entry.kind in _GIVING_BACK and entry.refers_to is not None:
                self._restore(entry, entry.refers_to)
            else:
                self._credit(entry)
        elif entry.amount < 0:
            if entry.kind in _TAKING_BACK and entry.refers_to is not None:
                self._take_back(entry, entry.refers_to)
            else:
                self._consume(entry, entry.id, entry.kind, -entry.amount)

    def finish(self) -> MemberState:
        """The frozen state, every tuple in its order."""
        lots: list[Lot] = []
        debts: list[Debt] = []
        for asset in sorted(self.accounts):
            account, held, owed = self.accounts[asset], 0, 0
            for lot in account.lots:
                held += lot.remaining
                lots.append(
                    Lot(
                        asset, lot.origin, lot.expires, lot.available_from, lot.remaining, lot.order
                    )
                )
            for debit, debt in sorted(account.debts.items(), key=lambda each: each[1].order):
                owed += debt.amount
                debts.append(Debt(asset, debit, debt.amount, debt.order, debt.kind))
            assert held - owed == self.sums.get(asset, 0), "Σ entries = Σ lots - Σ debts"
            assert not (held and owed), "a member has lots or debts, never both"
        return MemberState(
            sequence=self.sequence,
            sums=tuple(sorted(self.sums.items())),
            lots=tuple(lots),
            debts=tuple(debts),
            splits=tuple([self.splits[order] for order in sorted(self.splits)]),
            days=tuple(sorted(self.days.values())),
            tiers=tuple(self.tiers),
            uses=tuple(Use(*key, times) for key, times in sorted(self.uses.items())),
        )

    # Points and every other asset that has lots

    def _account(self, asset: str) -> _Account:
        account = self.accounts.get(asset)
        if account is None:
            account = self.accounts[asset] = _Account()
        return account

    def _next(self) -> int:
        number = self.sequence
        self.sequence = number + 1
        return number

    def _credit(self, entry: Entry) -> None:
        """Pay debts first, the one that it names before the oldest; the rest opens the lot."""
        date = entry.business_date
        points = _Lot(
            NEVER if entry.expires is None else entry.expires,
            self._next(),
            entry.id,
            date if entry.available_from is None else entry.available_from,
            entry.amount,
        )
        self._place(entry.asset, points, entry.refers_to)

    def _place(self, asset: str, points: _Lot, named: EntryId | None = None) -> None:
        """Give points to debts, pending or not, the rest to their lot.

        A debt paid later joins the split of its debit.
        """
        account = self._account(asset)
        debts = account.debts
        while points.remaining and debts:
            debit = named if named in debts else min(debts, key=lambda key: debts[key].order)
            assert debit is not None
            debt = debts[debit]
            paid = min(points.remaining, debt.amount)
            self._record(asset, debit, debt.kind, points, paid)
            points.remaining -= paid
            debt.amount -= paid
            if not debt.amount:
                del debts[debit]
        if points.remaining:
            account.open(points)

    def _consume(self, entry: Entry, debit: EntryId, kind: Kind, amount: int) -> None:
        """Spend: valid lots by earliest expiry, then pending, then lapsed ones; the rest is debt."""
        account = self._account(entry.asset)
        date = entry.business_date
        emptied: list[_Lot] = []
        valid = (lot for lot in account.lots if lot.available_from <= date <= lot.expires)
        amount = self._draw(entry.asset, valid, debit, kind, amount, emptied)
        if amount:
            pending = [lot for lot in account.lots if lot.available_from > date]
            pending.sort(key=lambda lot: (lot.available_from, lot.expires, lot.order))
            amount = self._draw(entry.asset, pending, debit, kind, amount, emptied)
        if amount:
            lapsed = [lot for lot in account.lots if lot.remaining]
            amount = self._draw(entry.asset, lapsed, debit, kind, amount, emptied)
        for lot in emptied:
            account.drop_empty(lot)
        if amount:
            debt = account.debts.get(debit)
            if debt is None:
                account.debts[debit] = _Debt(amount, self._next(), kind)
            else:
                debt.amount += amount

    def _draw(
        self,
        asset: str,
        lots: Iterable[_Lot],
        debit: EntryId,
        kind: Kind,
        amount: int,
        emptied: list[_Lot],
    ) -> int:
        """Take from lots in turn until `amount` is had; returns what is still wanting."""
        if amount:
            for lot in lots:
                taken = self._take(asset, lot, debit, kind, amount)
                amount -= taken
                if not lot.remaining:
                    emptied.append(lot)
                if not amount:
                    break
        return amount

    def _take(self, asset: str, lot: _Lot, debit: EntryId, kind: Kind, amount: int) -> int:
        taken = min(amount, lot.remaining)
        if taken:
            lot.remaining -= taken
            self._record(asset, debit, kind, lot, taken)
        return taken

    def _take_back(self, entry: Entry, credit: EntryId) -> None:
        """Take back a credit: lots of its origin first, the rest like a spend on that date.

        An `expire` names one lot of the credit, which comes before its others. Where the credit is
        itself a restore (a return that is voided), the parts that it gave back go to their debit
        again, so that the debit's split is as it was.
        """
        amount = -entry.amount
        account = self._account(entry.asset)
        own = [lot for lot in account.lots if lot.origin == credit]
        if entry.kind == "expire" and entry.expires is not None:
            own.sort(key=lambda lot: lot.expires != entry.expires)
        emptied: list[_Lot] = []
        amount = self._draw(entry.asset, own, entry.id, entry.kind, amount, emptied)
        for lot in emptied:
            account.drop_empty(lot)
        if amount and credit in self.by_restore:
            amount = self._undo_restore(entry, credit, amount)
        if amount:
            self._consume(entry, entry.id, entry.kind, amount)

    def _undo_restore(self, entry: Entry, restore: EntryId, amount: int) -> int:
        """Give the parts of a restore back to its debit, the last one restored first.

        What is no longer in the lot that a part went to is spent again on this date by the debit.
        Returns what exceeds the restore.
        """
        account = self._account(entry.asset)
        gone = 0
        debit, kind = restore, entry.kind
        for order in reversed(self.by_restore[restore]):
            row = self.splits.get(order)
            if row is None or not amount:
                continue
            debit, kind = row.debit, row.kind
            part = min(amount, row.amount)
            amount -= part
            self._shrink(row, part)
            lot = None
            if row.back_to is not None and row.origin != row.debit:
                lot = account.by_key.get((row.origin, row.back_to))
            taken = 0
            if lot is not None:
                taken = min(part, lot.remaining)
                lot.remaining -= taken
                self._record(entry.asset, debit, kind, _taken_by(row), taken)
                account.drop_empty(lot)
            gone += part - taken
        if gone:
            self._consume(entry, debit, kind, gone)
        return amount

    def _restore(self, entry: Entry, debit: EntryId) -> None:
        """Restore a debit: its open debt first, then its split from the end.

        A part that would lapse before the entry's minimum expiry comes back with that expiry; what
        exceeds the split opens a lot of its own.
        """
        amount = entry.amount
        account = self._account(entry.asset)
        minimum = entry.minimum_expiry
        debt = account.debts.get(debit)
        if debt is not None:
            paid = min(amount, debt.amount)
            amount -= paid
            debt.amount -= paid
            if not debt.amount:
                del account.debts[debit]
            date = entry.business_date
            owed = _Lot(date, debt.order, debit, date, 0)
            self._record(entry.asset, debit, debt.kind, owed, paid, entry.id, date)
        for order in reversed(self.by_debit.get(debit, ())):
            if not amount:
                return
            row = self.splits.get(order)
            if row is None:
                continue
            part = min(amount, row.amount)
            amount -= part
            self._shrink(row, part)
            back_to = row.expires if minimum is None else max(row.expires, minimum)
            self._record(entry.asset, debit, row.kind, _taken_by(row), part, entry.id, back_to)
            back = _Lot(back_to, row.lot_order, row.origin, row.available_from, part)
            self._place(entry.asset, back)
        if amount:
            date = entry.business_date
            expires = entry.expires
            if expires is None:
                expires = date if minimum is None else minimum
            self._place(entry.asset, _Lot(expires, self._next(), entry.id, date, amount))

    # Splits

    def _index(self, split: Split) -> None:
        if split.restored_by is None:
            self.by_debit.setdefault(split.debit, []).append(split.order)
        else:
            self.by_restore.setdefault(split.restored_by, []).append(split.order)

    def _record(
        self,
        asset: str,
        debit: EntryId,
        kind: Kind,
        lot: _Lot,
        amount: int,
        restored_by: EntryId | None = None,
        back_to: BusinessDate | None = None,
    ) -> None:
        """Add a part to a debit's split or, with `restored_by`, to what a restore gave back."""
        split = Split(
            self._next(),
            asset,
            debit,
            kind,
            lot.origin,
            lot.expires,
            lot.available_from,
            amount,
            lot.order,
            restored_by,
            back_to,
        )
        self.splits[split.order] = split
        self._index(split)

    def _shrink(self, row: Split, part: int) -> None:
        if part == row.amount:
            del self.splits[row.order]
        else:
            self.splits[row.order] = row._replace(amount=row.amount - part)

    # Counters and tier

    def _count(self, entry: Entry) -> None:
        on = entry.business_date
        counts_from = on if entry.available_from is None else entry.available_from
        if entry.asset == SPEND:
            self._add_to_day(on, counts_from, spend=entry.amount)
        elif entry.asset == SALES:
            self._add_to_day(on, counts_from, sales=entry.amount)
        else:
            self._add_to_day(on, on, earned=entry.amount)

    def _add_to_day(
        self,
        on: BusinessDate,
        counts_from: BusinessDate,
        *,
        earned: int = 0,
        spend: int = 0,
        sales: int = 0,
    ) -> None:
        day = self.days.get(on)
        if day is None:
            self.days[on] = Day(on, counts_from, earned, spend, sales)
        else:
            self.days[on] = Day(
                on,
                max(day.counts_from, counts_from),
                day.earned + earned,
                day.spend + spend,
                day.sales + sales,
            )

    def _change_tier(self, entry: Entry) -> None:
        """A review or manual change replaces what was; upgrades add to it, save under a lock.

        All upgrades since are kept, so the higher of two tills' stands in whatever order they come
        and a voided one leaves the other.
        """
        if entry.kind == "reverse":
            self.tiers = [tier for tier in self.tiers if tier.entry != entry.refers_to]
            return
        since = entry.business_date if entry.available_from is None else entry.available_from
        until = NEVER if entry.expires is None else entry.expires
        change = TierChange(entry.id, entry.kind, entry.amount, since, until)
        if entry.kind != "upgrade":
            self.tiers = [change]
        elif not (self.tiers and self.tiers[0].locked and since <= self.tiers[0].until):
            self.tiers.append(change)
