"""The fold: entries -> member state (domain.md section 2). Pure, integer, deterministic and total.

No stored entry makes it fail, and it needs no programme: entries carry their own dates. The working
copy is mutable and never leaves `fold`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

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
from app.domain.folding import FoldingAccount, FoldingDebt, FoldingSplits, spending_order, taken_by
from app.domain.state import Day, Debt, Lot, MemberState, Split, TierChange, Use

_GIVING_BACK = frozenset(("reverse", "unexpire"))
_TAKING_BACK = frozenset(("reverse", "expire"))
_asset = attrgetter("asset")


def fold(base: MemberState, entries: Iterable[Entry]) -> MemberState:
    """The state after `entries`, in the owner's order, on top of `base` (whole or partial).

    Asserts the identity of domain.md section 2 for every asset that moved: Σ entries = Σ lots -
    Σ debts, and never both.
    """
    working = _Working(base)
    for entry in entries:
        working.post(entry)
    return working.finish()


def _used(lots: Iterable[Lot], debts: Iterable[Debt], splits: Iterable[Split]) -> Iterator[EntryId]:
    """What has a name."""
    yield from (lot.origin for lot in lots)
    yield from (debt.debit for debt in debts)
    for split in splits:
        yield split.origin
        yield split.debit


class _Working:
    """The mutable working copy of one fold."""

    __slots__ = (
        "accounts",
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
        for asset, lots in groupby(base.lots, key=_asset):
            self._account(asset).lots += lots
        for debt in base.debts:
            debts = self._account(debt.asset).debts
            debts[debt.debit] = FoldingDebt(debt.amount, debt.order, debt.kind)
        self.splits = FoldingSplits(base.splits)
        self.days = {day.on: day for day in base.days}
        self.tiers = list(base.tiers)
        self.uses = {(use.benefit, use.year): use.times for use in base.uses}
        self.names = Names(base.arrived)

    def post(self, entry: Entry) -> None:
        """Apply one entry."""
        asset = entry.asset
        if asset == POINTS:
            self.sums[POINTS] = self.sums.get(POINTS, 0) + entry.amount
            if entry.kind == "earn" and entry.amount > 0:
                self._add_to_day(entry.business_date, entry.business_date, earned=entry.amount)
            self._move(entry)
        elif asset == TIER:
            self._change_tier(entry)
        elif asset.startswith(CARRIED):
            self._carry(entry)
        else:
            self.sums[asset] = self.sums.get(asset, 0) + entry.amount
            if asset in (SPEND, SALES, EARNED):
                self._count(entry)
            elif asset.startswith(USE):
                year = (entry.business_date if entry.expires is None else entry.expires).year
                key = (asset[len(USE) :], year)
                self.uses[key] = self.uses.get(key, 0) + entry.amount
            else:
                self._move(entry)

    def _move(self, entry: Entry) -> None:
        """Apply an entry of an asset that has lots."""
        if entry.amount > 0:
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
            lots += account.lots
            for debit, debt in sorted(account.debts.items(), key=lambda each: each[1].order):
                owed += debt.amount
                debts.append(Debt(asset, debit, debt.amount, debt.order, debt.kind))
            assert held - owed == self.sums.get(asset, 0), "Σ entries = Σ lots - Σ debts"
            assert not (held and owed), "a member has lots or debts, never both"
        splits = self.splits.all()
        return MemberState(
            sequence=self.sequence,
            sums=tuple(sorted(self.sums.items())),
            lots=tuple(lots),
            debts=tuple(debts),
            splits=splits,
            days=tuple(sorted(self.days.values())),
            tiers=tuple(self.tiers),
            uses=tuple(Use(*key, times) for key, times in sorted(self.uses.items())),
            arrived=self.names.kept(_used(lots, debts, splits)) if self.names.first else (),
        )

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
        points = Lot(
            entry.asset,
            entry.id,
            NEVER if entry.expires is None else entry.expires,
            date if entry.available_from is None else entry.available_from,
            entry.amount,
            self._next(),
        )
        self._place(points, entry.refers_to)

    def _place(self, points: Lot, named: EntryId | None = None) -> None:
        """Give points to debts, pending or not, the rest to their lot.

        A debt paid later joins the split of its debit.
        """
        account, left = self._account(points.asset), points.remaining
        debts = account.debts
        called = () if named is None else self.names.of(named)
        while left and debts:
            debit = next((name for name in called if name in debts), None)
            if debit is None:
                debit = min(debts, key=lambda key: debts[key].order)
            debt = debts[debit]
            paid = min(left, debt.amount)
            self._record(debit, debt.kind, points, paid)
            left -= paid
            debt.amount -= paid
            if not debt.amount:
                del debts[debit]
        if left:
            account.open(points if left == points.remaining else points._replace(remaining=left))

    def _consume(self, entry: Entry, debit: EntryId, kind: Kind, amount: int) -> None:
        """Spend: valid lots by earliest expiry, then pending, then lapsed ones; the rest is debt.

        What an expiry takes of other lots than its own has not expired, and nobody gives that back as such.
        """
        if kind == "expire":
            kind = "reverse"
        account = self._account(entry.asset)
        lots, date = account.lots, entry.business_date
        valid = (at for at, lot in enumerate(lots) if lot.available_from <= date <= lot.expires)
        amount = self._draw(account, valid, debit, kind, amount)
        if amount:
            pending = [at for at, lot in enumerate(lots) if lot.available_from > date]
            pending.sort(key=lambda at: (lots[at].available_from, *spending_order(lots[at])))
            amount = self._draw(account, pending, debit, kind, amount)
        if amount:
            lapsed = [at for at, lot in enumerate(lots) if lot.remaining]
            amount = self._draw(account, lapsed, debit, kind, amount)
        account.drop_empty()
        if amount:
            called = self.names.of(self.names.first.get(debit, debit))
            debt = next((account.debts[name] for name in called if name in account.debts), None)
            if debt is None:
                account.debts[debit] = FoldingDebt(amount, self._next(), kind)
            else:
                debt.amount += amount

    def _draw(
        self,
        account: FoldingAccount,
        places: Iterable[int],
        debit: EntryId,
        kind: Kind,
        amount: int,
    ) -> int:
        """Take from lots in turn until `amount` is had; returns what is still wanting."""
        if amount:
            for at in places:
                lot = account.lots[at]
                taken = min(amount, lot.remaining)
                if taken:
                    account.change(at, -taken)
                    self._record(debit, kind, lot, taken)
                    amount -= taken
                if not amount:
                    break
        return amount

    def _take_back(self, entry: Entry, credit: EntryId) -> None:
        """Take back a credit: lots of its origin first, the rest like a spend on that date.

        An `expire` names one lot of the credit, which comes before its others. Where the credit is
        itself a restore (a return that is voided), the parts that it gave back go to their debit
        again, so that the debit's split is as it was.
        """
        amount = -entry.amount
        account = self._account(entry.asset)
        called = self.names.of(credit)
        own = [at for at, lot in enumerate(account.lots) if lot.origin in called]
        if entry.kind == "expire" and entry.expires is not None:
            own.sort(key=lambda at: account.lots[at].expires != entry.expires)
        amount = self._draw(account, own, entry.id, entry.kind, amount)
        account.drop_empty()
        if amount:
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
        for row in reversed(self.splits.of_restore(restore)):
            if not amount:
                break
            debit, kind = row.debit, row.kind
            part = min(amount, row.amount)
            amount -= part
            self.splits.shrink(row, part)
            at = None
            if row.back_to is not None and row.origin != row.debit:
                at = self._went_to(account, row.origin, row.back_to)
            taken = 0
            if at is not None:
                taken = min(part, account.lots[at].remaining)
                account.change(at, -taken)
                self._record(debit, kind, taken_by(row, entry.asset), taken)
                account.drop_empty()
            gone += part - taken
        if gone:
            self._consume(entry, debit, kind, gone)
        return amount

    def _went_to(
        self, account: FoldingAccount, origin: EntryId, expires: BusinessDate
    ) -> int | None:
        """The lot that a restored part went to. After a merge lots of one origin have names of their own."""
        at = account.find(origin, expires)
        if at is None and self.names.first:
            found = (n for n, lot in enumerate(account.lots) if lot.expires == expires)
            at = next((n for n in found if self.names.same(account.lots[n].origin, origin)), None)
        return at

    def _restore(self, entry: Entry, debit: EntryId) -> None:
        """Restore a debit: its open debt first, then its split from the end; of an expiry what expired before
        what it took of other lots.

        A part that would lapse before the entry's minimum expiry comes back with that expiry; what
        exceeds the split opens a lot of its own.
        """
        amount, asset, date = entry.amount, entry.asset, entry.business_date
        account = self._account(asset)
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
                owed = Lot(asset, name, date, date, 0, debt.order)
                self._record(name, debt.kind, owed, paid, entry.id, date)
        rows = list(reversed(self.splits.of_debits(called)))
        if entry.kind == "unexpire":
            rows.sort(key=lambda row: row.kind != "expire")
        for row in rows:
            if not amount:
                return
            part = min(amount, row.amount)
            amount -= part
            self.splits.shrink(row, part)
            back_to = row.expires if minimum is None else max(row.expires, minimum)
            was = taken_by(row, asset)
            self._record(row.debit, row.kind, was, part, entry.id, back_to)
            self._place(was._replace(expires=back_to, remaining=part))
        if amount:
            expires = entry.expires
            if expires is None:
                expires = date if minimum is None else minimum
            self._place(Lot(asset, entry.id, expires, date, amount, self._next()))

    # What a merge carries over

    def _carry(self, entry: Entry) -> None:
        """Take up a name or a part that arrives, or let all parts of a debit go."""
        if entry.asset.startswith(CARRIED_PART) and entry.amount < 0:
            if entry.refers_to is not None:
                self.splits.let_go(entry.refers_to)
            return
        if entry.asset == CARRIED_ROOT:
            self.names.order[EntryId(entry.id.event, entry.id.n - 1)] = self._next()
        part = self.names.read(entry)
        if part is None:
            return
        asset = entry.asset[len(CARRIED_PART) :]
        account = self._account(asset)
        known = account.find(part.lot, part.expires)
        order = self.names.order.get(part.lot, 0) if known is None else account.lots[known].order
        lot = Lot(asset, part.lot, part.expires, part.available_from, 0, order)
        self._record(entry.id, entry.kind, lot, entry.amount, part.restored_by, part.back_to)

    def _record(
        self,
        debit: EntryId,
        kind: Kind,
        lot: Lot,
        amount: int,
        restored_by: EntryId | None = None,
        back_to: BusinessDate | None = None,
    ) -> None:
        """Add a part to a debit's split or, with `restored_by`, to what a restore gave back."""
        split = Split(
            self._next(),
            lot.asset,
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
        self.splits.add(split)

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
