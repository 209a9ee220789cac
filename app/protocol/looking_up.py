"""Members whom a till does not hold yet: its bootstrap is not through, or their rows are late.

Only who asks for a whole phone or card number hears anything, but of every member of the chain: who is of
another bucket than the till's is remembered as visited, so that what comes later reaches it (visiting.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.protocol.store import Store
from app.protocol.wire import LookRequest

FOUND_MOST: Final = 8
"""So many members share one phone at most, as far as a till hears."""


def look_up(store: Store, request: LookRequest, found: Sequence[bytes]) -> tuple[bytes, ...]:
    """Those of `found` whose value stands today."""
    stands = list[bytes]()
    for member in found:
        known = store.member(member)
        # Who was merged has no fields any more: the survivor has them.
        cell = None if known is None else known.cells.get(request.field)
        if cell is not None and cell.value == request.value:
            stands.append(member)
    return tuple(stands[:FOUND_MOST])
