"""The entries by which lots, debts and parts of debits go over from one member to another, as a merge and its
undoing write them (domain.md section 2, "Merge").
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.business_day import BusinessDate
from app.domain.entries import (
    CARRIED_BACK,
    CARRIED_LOT,
    CARRIED_PART,
    CARRIED_ROOT,
    Entry,
    EntryId,
    Kind,
)
from app.domain.state import Debt, Lot, MemberState, Split


def transfers(
    state: MemberState,
    lots: Sequence[Lot],
    debts: Sequence[Debt],
    splits: Sequence[Split],
    out: bytes,
    into: bytes,
    on: BusinessDate,
) -> tuple[list[Entry], list[Entry]]:
    """What leaves a member of this state and what arrives, with the dates they had.

    Each arriving lot and debt names the entry that it comes from, so that its way can be followed back, and has
    its own entry's id as its name. Parts follow lots and debts, so that none of these pays with what it is not.
    """
    going = _Going(state, out, into, on)
    for lot in _named(lots, splits):
        going.lot(lot)
    for debt in debts:
        going.debt(debt)
    for split in splits:
        going.part(split)
    for name, asset, amount in going.gone:
        going.leave(CARRIED_PART + asset, "measure", -amount, name)
    return going.leaving, going.arriving


def _named(lots: Sequence[Lot], splits: Sequence[Split]) -> list[Lot]:
    """The lots, and those that parts took and that have nothing left, in the owner's order: so what comes
    back to one of these has its place among the others again."""
    found = {(lot.origin, lot.expires): lot for lot in lots}
    for part in splits:
        empty = Lot(part.asset, part.origin, part.expires, part.available_from, 0, part.lot_order)
        found.setdefault((part.origin, part.expires), empty)
    return sorted(found.values(), key=lambda lot: lot.order)


class _Going:
    """The two lists while they are written."""

    def __init__(self, state: MemberState, out: bytes, into: bytes, on: BusinessDate) -> None:
        self.leaving: list[Entry] = []
        self.arriving: list[Entry] = []
        self._first = dict(state.arrived)
        self._out, self._into, self._on = out, into, on
        self._lots: dict[tuple[EntryId, BusinessDate], EntryId] = {}
        self._gone: dict[EntryId, tuple[str, int]] = {}

    @property
    def gone(self) -> list[tuple[EntryId, str, int]]:
        """Debits whose parts are to leave, those included that leaving itself makes."""
        return [(name, *each) for name, each in self._gone.items()]

    def lot(self, lot: Lot) -> None:
        """A lot goes over, or its name alone; the part that its leaving takes of it is of no document."""
        if lot.remaining:
            name = self.leave(lot.asset, "reverse", -lot.remaining, lot.origin)
            self._gone[name] = lot.asset, lot.remaining
        self._lots[lot.origin, lot.expires] = self._arrive(
            lot.asset, "adjust", lot.remaining, lot.origin, lot.available_from, lot.expires
        )
        self._root(lot.origin)

    def debt(self, debt: Debt) -> None:
        """A debt goes over."""
        self.leave(debt.asset, "adjust", debt.amount, debt.debit)
        self._going_part(debt.debit, debt.asset, debt.amount)
        self._arrive(debt.asset, "adjust", -debt.amount, debt.debit)
        self._root(debt.debit)

    def part(self, split: Split) -> None:
        """A part of a debit goes over, behind the lot that it took."""
        lot = self._lots[split.origin, split.expires]
        self._arrive(CARRIED_LOT, "measure", 0, lot, split.available_from, split.expires)
        if split.restored_by is not None:
            self._arrive(CARRIED_BACK, "measure", 0, split.restored_by, None, split.back_to)
        self._arrive(CARRIED_PART + split.asset, split.kind, split.amount, split.debit)
        self._root(split.debit)
        self._going_part(split.debit, split.asset, split.amount)

    def leave(self, asset: str, kind: Kind, amount: int, named: EntryId) -> EntryId:
        """Write an entry of the one whom it leaves."""
        name = EntryId(self._out, len(self.leaving))
        self.leaving.append(Entry(name, asset, kind, amount, self._on, refers_to=named))
        return name

    def _going_part(self, debit: EntryId, asset: str, amount: int) -> None:
        self._gone[debit] = asset, amount + self._gone.get(debit, (asset, 0))[1]

    def _root(self, name: EntryId) -> None:
        self._arrive(CARRIED_ROOT, "measure", 0, self._first.get(name, name))

    def _arrive(
        self,
        asset: str,
        kind: Kind,
        amount: int,
        named: EntryId,
        available_from: BusinessDate | None = None,
        expires: BusinessDate | None = None,
    ) -> EntryId:
        name = EntryId(self._into, len(self.arriving))
        self.arriving.append(
            Entry(
                name, asset, kind, amount, self._on, available_from, expires, refers_to=named
            )
        )  # fmt: skip
        return name
