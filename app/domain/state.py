"""The member's state as flat rows, and what is read from it on a date.

The rows change only in fold.py; state_rows.py says how a store loads and saves them. Every row type
here is one table row of the store's projection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, EntryId, Kind


class Lot(NamedTuple):
    """What is left of a credit. Key (origin, expires); spent by (expires, order)."""

    asset: str
    origin: EntryId
    expires: BusinessDate
    available_from: BusinessDate
    remaining: int
    order: int
    """The origin's place in the owner's order; lots that come back keep it."""


class Debt(NamedTuple):
    """The part of a debit that no lot paid yet. Key (debit); paid oldest (lowest order) first."""

    asset: str
    debit: EntryId
    amount: int
    order: int
    kind: Kind


class Split(NamedTuple):
    """A part of a debit: which lot it took or, once `restored_by` is set, where it went back to.

    Key (order), unique per member and rising. A part that was still debt when it was restored has
    the debit itself as its origin.
    """

    order: int
    asset: str
    debit: EntryId
    kind: Kind
    """The debit's kind: an `expire` part can be given back by an unexpire."""
    origin: EntryId
    expires: BusinessDate
    """The lot's expiry when it was taken."""
    available_from: BusinessDate
    amount: int
    lot_order: int
    restored_by: EntryId | None = None
    back_to: BusinessDate | None = None
    """The expiry of the lot that the restored part went back to."""


class Day(NamedTuple):
    """The counters of one business date. Key (on)."""

    on: BusinessDate
    counts_from: BusinessDate
    """From when this day's spend and sales count for the tier (pending points: on + hold)."""
    earned: int
    spend: int
    sales: int


class TierChange(NamedTuple):
    """One change of tier that still matters. Key (entry). The highest is the standing."""

    entry: EntryId
    kind: Kind
    rank: int
    since: BusinessDate
    until: BusinessDate

    @property
    def locked(self) -> bool:
        """A manual tier is locked until its end date (domain.md section 3, "Tier")."""
        return self.kind == "manual"


class Use(NamedTuple):
    """How often a once-a-year benefit was used for a year. Key (benefit, year)."""

    benefit: str
    year: int
    times: int


@dataclass(frozen=True, slots=True)
class MemberState:
    """fold(base, entries), domain.md section 2. Tuples are sorted: equal states compare equal.

    `sequence` is the number that the next lot, debt or split gets. `sums` are (asset, Σ amounts)
    of every asset but TIER.
    """

    sequence: int = 0
    sums: tuple[tuple[str, int], ...] = ()
    lots: tuple[Lot, ...] = ()
    debts: tuple[Debt, ...] = ()
    splits: tuple[Split, ...] = ()
    days: tuple[Day, ...] = ()
    tiers: tuple[TierChange, ...] = ()
    uses: tuple[Use, ...] = ()
    arrived: tuple[tuple[EntryId, EntryId], ...] = ()
    """What came by a merge: the name that a lot, debt or debit has here, and the entry that it was at first.
    Only the owner has it."""

    def names(self, entry: EntryId) -> frozenset[EntryId]:
        """All names that an entry's lots, debt and parts have here; most often its own alone."""
        return frozenset((entry, *(name for name, first in self.arrived if first == entry)))

    @property
    def standing(self) -> TierChange | None:
        """The tier as it stands; None is the lowest one, never changed."""
        return max(self.tiers, key=lambda tier: tier.rank) if self.tiers else None

    def balance(self, asset: str = POINTS) -> int:
        """Σ entries = Σ lots - Σ debts; below zero while in debt."""
        for name, total in self.sums:
            if name == asset:
                return total
        return 0

    def day(self, on: BusinessDate) -> Day:
        """The counters of a date, zero where nothing happened."""
        for day in self.days:
            if day.on == on:
                return day
        return Day(on, on, 0, 0, 0)

    def times_used(self, benefit: str, year: int) -> int:
        """How often a benefit was used for that year."""
        return sum(use.times for use in self.uses if use.benefit == benefit and use.year == year)


EMPTY: Final = MemberState()


class Expiring(NamedTuple):
    """Points that are good until a date and not after it."""

    on: BusinessDate
    amount: int


@dataclass(frozen=True, slots=True)
class StateView:
    """An asset of a member on a date. balance = available + reserved + pending + lapsed - debt.

    available  may be spent now: lots valid on the date, less what others have reserved (>= 0)
    pending    lots not available yet          lapsed    lots past their expiry, not booked yet
    debt       what is owed (>= 0)             expiring  valid and pending lots by expiry, soonest
    first
    """

    balance: int
    available: int
    pending: int
    lapsed: int
    debt: int
    expiring: tuple[Expiring, ...]

    @property
    def negative(self) -> bool:
        """Whether the member owes."""
        return self.debt > 0


def view(
    state: MemberState, on: BusinessDate, *, asset: str = POINTS, reserved: int = 0
) -> StateView:
    """Read one asset of a state on a business date (domain.md section 2)."""
    valid = pending = lapsed = 0
    by_expiry: dict[BusinessDate, int] = {}
    for lot in state.lots:
        if lot.asset != asset:
            continue
        if lot.available_from > on:
            pending += lot.remaining
        elif lot.expires < on:
            lapsed += lot.remaining
            continue
        else:
            valid += lot.remaining
        by_expiry[lot.expires] = by_expiry.get(lot.expires, 0) + lot.remaining
    return StateView(
        balance=state.balance(asset),
        available=max(valid - reserved, 0),
        pending=pending,
        lapsed=lapsed,
        debt=sum(debt.amount for debt in state.debts if debt.asset == asset),
        expiring=tuple(Expiring(day, amount) for day, amount in sorted(by_expiry.items())),
    )


def available_points(state: MemberState, on: BusinessDate, reserved: int = 0) -> int:
    """The points that may be spent on a date: `view(...).available` without the rest."""
    valid = 0
    for lot in state.lots:
        if lot.available_from <= on <= lot.expires and lot.asset == POINTS:
            valid += lot.remaining
    return max(valid - reserved, 0)


def owed_points(state: MemberState) -> int:
    """The points that the member owes: `view(...).debt` without the rest."""
    return sum(debt.amount for debt in state.debts if debt.asset == POINTS)
