"""The fold: entries -> member state (domain.md section 2). Pure, integer, deterministic and total.

No stored entry makes it fail, and it needs no programme: entries carry their own dates. The working
copy is mutable and never leaves `fold`.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

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
    """A lot while folding, or points on their way to debts and a lot of this kind. `was`: in the base."""

    expires: BusinessDate
    order: int
    origin: EntryId
    available_from: BusinessDate
    remaining: int
    was: Lot | None = None

    def done(self, asset: str) -> Lot:
        """As it stays; most lots of a base stay what they were."""
        was = self.was
        if was is not None and was.remaining == self.remaining:
            return was
        return Lot(
            asset, self.origin, self.expires, self.available_from, self.remaining, self.order
        )


@dataclass(slots=True, eq=False)
class _Debt:
    """A debt while folding."""

    amount: int
    order: int
    kind: Kind


def _taken_by(row: Split) -> _Lot:
    """The lot that a part was taken from, as it was."""
    return _Lot(row.expires, row.lot_order, row.origin, row.available_from, 0)


_date = attrgetter("on")
_number = attrgetter("order")


def _spending_order(lot: _Lot | Lot) -> tuple[int, int]:
    return (lot.expires, lot.order)


def _lots(base: MemberState, asset: str) -> list[Lot]:
    """In spending order; rows of a store may come in any."""
    return sorted([lot for lot in base.lots if lot.asset == asset], key=_spending_order)


class _Account:
    """One asset of the member: its lots in spending order, its debts oldest first."""

    __slots__ = ("_by_key", "debts", "lots")

    def __init__(self, base: MemberState, asset: str) -> None:
        self.lots = [
            _Lot(lot.expires, lot.order, lot.origin, lot.available_from, lot.remaining, lot)
            for lot in _lots(base, asset)
        ]
        self.debts: dict[EntryId, _Debt] = {
            debt.debit: _Debt(debt.amount, debt.order, debt.kind)
            for debt in base.debts
            if debt.asset == asset
        }
        self._by_key: dict[tuple[EntryId, int], _Lot] | None = None

    def by_key(self) -> dict[tuple[EntryId, int], _Lot]:
        """The lots by origin and expiry; made once something goes back to one."""
        if self._by_key is None:
            self._by_key = {(lot.origin, lot.expires): lot for lot in self.lots}
        return self._by_key

    def fill(self, lot: _Lot) -> None:
        """Fill the lot of the same origin and expiry, or add it."""
        known = self.by_key().get((lot.origin, lot.expires))
        if known is None:
            self.add(lot)
        else:
            known.remaining += lot.remaining

    def add(self, lot: _Lot) -> None:
        """Add a lot whose origin has none of this expiry."""
        if self._by_key is not None:
            self._by_key[lot.origin, lot.expires] = lot
        lots = self.lots
        if lots and _spending_order(lots[-1]) > _spending_order(lot):
            insort(lots, lot, key=_spending_order)
        else:
            lots.append(lot)

    def drop_empty(self, lot: _Lot) -> None:
        """Forget a lot that has nothing left."""
        if lot.remaining:
            return
        if self._by_key is not None:
            del self._by_key[lot.origin, lot.expires]
        self.lots.remove(lot)


class _Working:
    """The mutable working copy of one fold."""

    __slots__ = (
        "_splits",
        "accounts",
        "base",
        "by_debit",
        "by_restore",
        "days",
        "sequence",
        "sums",
        "tiers",
        "uses",
    )

    def __init__(self, base: MemberState) -> None:
        """What a sale of a member with years of entries doesn't touch is not looked at."""
        self.base = base
        self.sequence = base.sequence
        self.sums = dict(base.sums)
        self.accounts: dict[str, _Account] = {}
        self._splits: dict[int, Split] | None = None
        self.by_debit: dict[EntryId, list[int]] = {}
        self.by_restore: dict[EntryId, list[int]] = {}
        self.days = sorted(base.days, key=_date)
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
        lots, debts = self._lots_and_debts()
        splits = self.base.splits if self._splits is None else self._splits.values()
        return MemberState(
            sequence=self.sequence,
            sums=tuple(sorted(self.sums.items())),
            lots=lots,
            debts=debts,
            splits=tuple(sorted(splits, key=_number)),
            days=tuple(self.days),
            tiers=tuple(self.tiers),
            uses=tuple(Use(*key, times) for key, times in sorted(self.uses.items())),
        )

    def _lots_and_debts(self) -> tuple[tuple[Lot, ...], tuple[Debt, ...]]:
        base, lots, debts = self.base, list[Lot](), list[Debt]()
        of_base = {lot.asset for lot in base.lots} | {debt.asset for debt in base.debts}
        for asset in sorted(of_base.union(self.accounts)):
            account = self.accounts.get(asset)
            if account is None:
                lots += _lots(base, asset)
                debts += sorted([debt for debt in base.debts if debt.asset == asset], key=_number)
                continue
            held = sum([lot.remaining for lot in account.lots])
            owed = sum([debt.amount for debt in account.debts.values()])
            assert held - owed == self.sums.get(asset, 0), "Σ entries = Σ lots - Σ debts"
            assert not (held and owed), "a member has lots or debts, never both"
            lots += [lot.done(asset) for lot in account.lots]
            debts += [
                Debt(asset, debit, debt.amount, debt.order, debt.kind)
                for debit, debt in sorted(account.debts.items(), key=lambda each: each[1].order)
            ]
        return tuple(lots), tuple(debts)

    # Points and every other asset that has lots

    def _account(self, asset: str) -> _Account:
        account = self.accounts.get(asset)
        if account is None:
            account = self.accounts[asset] = _Account(self.base, asset)
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
        self._place(entry.asset, points, entry.refers_to, new=True)

    def _place(
        self, asset: str, points: _Lot, named: EntryId | None = None, *, new: bool = False
    ) -> None:
        """Give points to debts, pending or not, the rest to their lot.

        A debt paid later joins the split of its debit. `new`: of an origin that has no lot yet.
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
        if not points.remaining:
            return
        if new:
            account.add(points)
        else:
            account.fill(points)

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
        self._load_splits()
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
        account, splits = self._account(entry.asset), self._load_splits()
        gone = 0
        debit, kind = restore, entry.kind
        for order in reversed(self.by_restore[restore]):
            row = splits.get(order)
            if row is None or not amount:
                continue
            debit, kind = row.debit, row.kind
            part = min(amount, row.amount)
            amount -= part
            self._shrink(row, part)
            lot = None
            if row.back_to is not None and row.origin != row.debit:
                lot = account.by_key().get((row.origin, row.back_to))
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
        amount, splits = entry.amount, self._load_splits()
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
            row = splits.get(order)
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

    def _load_splits(self) -> dict[int, Split]:
        """All splits by their order, and their orders by debit and by restore."""
        if self._splits is None:
            rows = sorted(self.base.splits, key=_number)
            self._splits = {row.order: row for row in rows}
            for row in rows:
                self._index(row)
        return self._splits

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
        self._load_splits()[split.order] = split
        self._index(split)

    def _shrink(self, row: Split, part: int) -> None:
        splits = self._load_splits()
        if part == row.amount:
            del splits[row.order]
        else:
            splits[row.order] = row._replace(amount=row.amount - part)

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
        days = self.days
        # Most entries are of the newest date.
        at = len(days) if not days or days[-1].on < on else bisect_left(days, on, key=_date)
        if at == len(days) or days[at].on != on:
            days.insert(at, Day(on, counts_from, earned, spend, sales))
            return
        day = days[at]
        days[at] = Day(
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
