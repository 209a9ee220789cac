"""The fold: entries -> member state (domain.md section 2). Pure, integer, deterministic and total.

No stored entry makes it fail, and it needs no programme: entries carry their own dates. The working
copy is mutable and never leaves `fold`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.domain.business_day import NEVER, BusinessDate
from app.domain.carried import Names
from app.domain.entries import (
    CARRIED,
    CARRIED_PART,
    CARRIED_ROOT,
    EARNED,
    POINTS,
    SALES,
    SPEND,
    TIER,
    USE,
    Entry,
    EntryId,
    Kind,
)
from app.domain.folding import FoldingAccount, FoldingDebt, FoldingLot, taken_by
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


def _split_order(split: Split) -> int:
    return split.order


class _Working:
    """The mutable working copy of one fold."""

    __slots__ = (
        "accounts",
        "by_debit",
        "by_restore",
        "came_back",
        "days",
        "names",
        "sequence",
        "splits",
        "sums",
        "tiers",
        "uses",
    )

    def __init__(self, base: MemberState) -> None:
        self.sequence = base.sequence
        self.sums = dict(base.sums)
        self.accounts: dict[str, FoldingAccount] = {}
        for lot in base.lots:
            self._account(lot.asset).open(
                FoldingLot(lot.expires, lot.order, lot.origin, lot.available_from, lot.remaining)
            )
        for debt in base.debts:
            debts = self._account(debt.asset).debts
            debts[debt.debit] = FoldingDebt(debt.amount, debt.order, debt.kind)
        self.splits = {split.order: split for split in sorted(base.splits, key=_split_order)}
        self.by_debit: dict[EntryId, list[int]] = {}
        self.by_restore: dict[EntryId, list[int]] = {}
        self.came_back: dict[EntryId, list[int]] = {}
        for split in self.splits.values():
            self._index(split)
        self.days = {day.on: day for day in base.days}
        self.tiers = list(base.tiers)
        self.uses = {(use.benefit, use.year): use.times for use in base.uses}
        self.names = Names(base.arrived)

    def post(self, entry: Entry) -> None:
        """Apply one entry."""
        asset = entry.asset
        if asset == TIER:
            self._change_tier(entry)
            return
        if asset.startswith(CARRIED):
            self._carry(entry)
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
            arrived=self.names.kept(self._used(lots, debts)) if self.names.first else (),
        )

    def _used(self, lots: Iterable[Lot], debts: Iterable[Debt]) -> Iterator[EntryId]:
        yield from (lot.origin for lot in lots)
        yield from (debt.debit for debt in debts)
        for split in self.splits.values():
            yield split.origin
            yield split.debit

    # Points and every other asset that has lots

    def _account(self, asset: str) -> FoldingAccount:
        account = self.accounts.get(asset)
        if account is None:
            account = self.accounts[asset] = FoldingAccount()
        return account

    def _next(self) -> int:
        number = self.sequence
        self.sequence = number + 1
        return number

    def _credit(self, entry: Entry) -> None:
        """Pay debts first, the one that it names before the oldest; the rest opens the lot."""
        date = entry.business_date
        points = FoldingLot(
            NEVER if entry.expires is None else entry.expires,
            self._next(),
            entry.id,
            date if entry.available_from is None else entry.available_from,
            entry.amount,
        )
        self._place(entry.asset, points, entry.refers_to)

    def _place(self, asset: str, points: FoldingLot, named: EntryId | None = None) -> None:
        """Give points to debts, pending or not, the rest to their lot.

        A debt paid later joins the split of its debit.
        """
        account = self._account(asset)
        debts = account.debts
        called = () if named is None else self.names.of(named)
        while points.remaining and debts:
            debit = next((name for name in called if name in debts), None)
            if debit is None:
                debit = min(debts, key=lambda key: debts[key].order)
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
        emptied: list[FoldingLot] = []
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
            called = self.names.of(self.names.first.get(debit, debit))
            debt = next((account.debts[name] for name in called if name in account.debts), None)
            if debt is None:
                account.debts[debit] = FoldingDebt(amount, self._next(), kind)
            else:
                debt.amount += amount

    def _draw(
        self,
        asset: str,
        lots: Iterable[FoldingLot],
        debit: EntryId,
        kind: Kind,
        amount: int,
        emptied: list[FoldingLot],
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

    def _take(self, asset: str, lot: FoldingLot, debit: EntryId, kind: Kind, amount: int) -> int:
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
        called = self.names.of(credit)
        own = [lot for lot in account.lots if lot.origin in called]
        if entry.kind == "expire" and entry.expires is not None:
            own.sort(key=lambda lot: lot.expires != entry.expires)
        emptied: list[FoldingLot] = []
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
                lot = self._went_to(account, row.origin, row.back_to)
            taken = 0
            if lot is not None:
                taken = min(part, lot.remaining)
                lot.remaining -= taken
                self._record(entry.asset, debit, kind, taken_by(row), taken)
                account.drop_empty(lot)
            gone += part - taken
        if gone:
            self._consume(entry, debit, kind, gone)
        return amount

    def _went_to(
        self, account: FoldingAccount, origin: EntryId, expires: BusinessDate
    ) -> FoldingLot | None:
        """The lot that a restored part went to. After a merge lots of one origin have names of their own."""
        lot = account.by_key.get((origin, expires))
        if lot is None and self.names.first:
            found = (each for each in account.lots if each.expires == expires)
            lot = next((each for each in found if self.names.same(each.origin, origin)), None)
        return lot

    def _restore(self, entry: Entry, debit: EntryId) -> None:
        """Restore a debit: its open debt first, then its split from the end.

        A part that would lapse before the entry's minimum expiry comes back with that expiry; what
        exceeds the split opens a lot of its own.
        """
        amount = entry.amount
        account = self._account(entry.asset)
        minimum = entry.minimum_expiry
        called = self.names.of(debit)
        for name in called:
            debt = account.debts.get(name)
            if debt is not None and amount:
                paid = min(amount, debt.amount)
                amount -= paid
                debt.amount -= paid
                if not debt.amount:
                    del account.debts[name]
                date = entry.business_date
                owed = FoldingLot(date, debt.order, name, date, 0)
                self._record(entry.asset, name, debt.kind, owed, paid, entry.id, date)
        parts = sorted(order for name in called for order in self.by_debit.get(name, ()))
        for order in reversed(parts):
            if not amount:
                return
            row = self.splits.get(order)
            if row is None:
                continue
            part = min(amount, row.amount)
            amount -= part
            self._shrink(row, part)
            back_to = row.expires if minimum is None else max(row.expires, minimum)
            self._record(entry.asset, row.debit, row.kind, taken_by(row), part, entry.id, back_to)
            back = FoldingLot(back_to, row.lot_order, row.origin, row.available_from, part)
            self._place(entry.asset, back)
        if amount:
            date = entry.business_date
            expires = entry.expires
            if expires is None:
                expires = date if minimum is None else minimum
            self._place(entry.asset, FoldingLot(expires, self._next(), entry.id, date, amount))

    # What a merge carries over

    def _carry(self, entry: Entry) -> None:
        """Take up a name or a part that arrives, or let all parts of a debit go."""
        if entry.asset.startswith(CARRIED_PART) and entry.amount < 0:
            if entry.refers_to is not None:
                self._let_go(entry.refers_to)
            return
        if entry.asset == CARRIED_ROOT:
            self.names.order[EntryId(entry.id.event, entry.id.n - 1)] = self._next()
        part = self.names.read(entry)
        if part is None:
            return
        asset = entry.asset[len(CARRIED_PART) :]
        known = self._account(asset).by_key.get((part.lot, part.expires))
        order = self.names.order.get(part.lot, 0) if known is None else known.order
        lot = FoldingLot(part.expires, order, part.lot, part.available_from, 0)
        self._record(asset, entry.id, entry.kind, lot, entry.amount, part.restored_by, part.back_to)

    def _let_go(self, debit: EntryId) -> None:
        for order in (*self.by_debit.get(debit, ()), *self.came_back.get(debit, ())):
            self.splits.pop(order, None)

    # Splits

    def _index(self, split: Split) -> None:
        if split.restored_by is None:
            self.by_debit.setdefault(split.debit, []).append(split.order)
        else:
            self.by_restore.setdefault(split.restored_by, []).append(split.order)
            self.came_back.setdefault(split.debit, []).append(split.order)

    def _record(
        self,
        asset: str,
        debit: EntryId,
        kind: Kind,
        lot: FoldingLot,
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
