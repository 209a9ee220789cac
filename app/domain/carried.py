"""What a merge carries over beside lots and debts: parts of old debits, and what all was called at first.

A ledger's entries name what they change by the entry that made it. A lot, debt or debit that came by a
merge has a name of its own here, so an entry that names the old one has to find it: a return of a sale
from before the merge goes to the very lots that the sale took (domain.md section 2, "Merge").
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from app.domain.business_day import BusinessDate
from app.domain.entries import CARRIED_BACK, CARRIED_LOT, CARRIED_ROOT, Entry, EntryId


class Part(NamedTuple):
    """A part of a debit that arrives: whose lot it took, and where it went back to if it was restored."""

    lot: EntryId
    expires: BusinessDate
    available_from: BusinessDate
    restored_by: EntryId | None
    back_to: BusinessDate | None


class Names:
    """Names by which a member has what came by merges, and what is being read of parts that arrive."""

    __slots__ = ("_back", "_lot", "first", "order")

    def __init__(self, arrived: Iterable[tuple[EntryId, EntryId]]) -> None:
        self.first = dict(arrived)
        self.order: dict[EntryId, int] = {}
        """The place of each name that has come now: a lot with nothing left keeps it for what comes back."""
        self._lot: Entry | None = None
        self._back: Entry | None = None

    def of(self, entry: EntryId) -> tuple[EntryId, ...]:
        """The entry, and the names by which what it made came here."""
        if not self.first:
            return (entry,)
        return (entry, *(name for name, first in self.first.items() if first == entry))

    def same(self, one: EntryId, other: EntryId) -> bool:
        """Whether two names are of what was the same at first."""
        return self.first.get(one, one) == self.first.get(other, other)

    def read(self, entry: Entry) -> Part | None:
        """Read one entry of CARRIED; the part, where one arrives with it. What lacks one is passed over."""
        if entry.refers_to is None:
            return None
        if entry.asset == CARRIED_LOT:
            self._lot = entry
        elif entry.asset == CARRIED_BACK:
            self._back = entry
        elif entry.asset == CARRIED_ROOT:
            self.first[EntryId(entry.id.event, entry.id.n - 1)] = entry.refers_to
        elif (lot := self._lot) is not None and lot.refers_to is not None:
            back, self._back = self._back, None
            on = entry.business_date
            return Part(
                lot.refers_to,
                on if lot.expires is None else lot.expires,
                on if lot.available_from is None else lot.available_from,
                None if back is None else back.refers_to,
                None if back is None else back.expires,
            )
        return None

    def kept(self, used: Iterable[EntryId]) -> tuple[tuple[EntryId, EntryId], ...]:
        """The names that something still has."""
        if not self.first:
            return ()
        names = set(used)
        return tuple(sorted(pair for pair in self.first.items() if pair[0] in names))
