"""Whose points lapse when, in a history that is being written: booked as at the close of each date.

A member with visits to come is asked when the date is there. Of one who never comes again everything that
will lapse is known at once, so only those bookings are kept, and the folded state can be written for good.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from app import posting
from app.domain.business_day import BusinessDate
from app.domain.entries import Entry
from app.domain.expiry import expire_entries, expire_event_id
from app.domain.fold import fold
from app.domain.state import MemberState

_TO_ASK: Final = b""


class Lapses:
    """The members who may have points that lapse, by date; until `last`, where the history ends."""

    def __init__(self, last: BusinessDate) -> None:
        self._last = last
        self._due: defaultdict[int, dict[bytes, bytes]] = defaultdict(dict)

    def watch(self, member_id: bytes, entries: Sequence[Entry]) -> None:
        """Ask this member when the lots that these entries can open lapse."""
        for entry in entries:
            for date in (entry.expires, entry.minimum_expiry):
                if date is not None and date <= self._last:
                    self._due[date].setdefault(member_id, _TO_ASK)

    def settle(self, member_id: bytes, state: MemberState) -> MemberState:
        """Keep the bookings of a member who never comes again; their state after the last of them."""
        for date in sorted({lot.expires for lot in state.lots if lot.expires <= self._last}):
            entries = expire_entries(state, date, expire_event_id(member_id, date))
            self._due[date][member_id] = msgspec.json.encode(posting.plain_entries(entries))
            state = fold(state, entries)
        return state

    def of(self, date: BusinessDate) -> Iterator[tuple[bytes, list[list[Any]] | None]]:
        """(member, plain entries, or None to ask their state) at the close of a date, once."""
        for member_id, kept in self._due.pop(date, {}).items():
            yield member_id, None if kept == _TO_ASK else msgspec.json.decode(kept)
