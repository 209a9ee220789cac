"""Members whom a till does not hold yet: its bootstrap is not through, or their rows are late.

Only who asks for a whole phone or card number hears anything, and only of members of the till's own buckets: it
would get these rows anyway, so nothing has to be remembered of who was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.protocol.pull import row_of
from app.protocol.store import Device, Store
from app.protocol.wire import LookRequest, MemberRow

FOUND_MOST: Final = 8
"""So many members share one phone at most, as far as a till hears."""


def look_up(
    store: Store, device: Device, request: LookRequest, found: Sequence[bytes]
) -> tuple[MemberRow, ...]:
    """The rows of those of `found` whose value stands today."""
    rows = list[MemberRow]()
    for member in found:
        known = store.member(member)
        # Who was merged has no fields any more: the survivor has them.
        cell = None if known is None else known.cells.get(request.field)
        if (
            known is not None
            and cell is not None
            and cell.value == request.value
            and known.bucket in device.buckets
        ):
            rows.append(row_of(known))
    return tuple(rows[:FOUND_MOST])
