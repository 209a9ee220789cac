"""Members whom a till does not hold yet: its bootstrap is not through, or their rows are late.

Only who asks for a whole phone or card number hears anything, but of every member of the chain: who is of
another bucket than the till's is remembered as visited, so that what comes later reaches it (visiting.py).
Who asks by four digits hears of a few, masked, and takes one; how often is the caller's to bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from app.domain.member import mask_name
from app.protocol.few_digits import MANY, OFFERED_MOST, Candidate, Ending, taken_of
from app.protocol.store import Member, Store
from app.protocol.wire import LOOKED_UP, LookRequest

FOUND_MOST: Final = 8
"""So many members share one phone at most, as far as a till hears."""
ENDINGS_MOST: Final = 300
"""Where more members than this ever had such a number, a letter of the name would not tell them apart."""


def look_up(store: Store, request: LookRequest, found: Sequence[bytes]) -> tuple[bytes, ...]:
    """Those of `found` whose value stands today."""
    stands = list[bytes]()
    store.look_up(found)
    for member in found:
        known = store.member(member)
        # Who was merged has no fields any more: the survivor has them.
        cell = None if known is None else known.cells.get(request.field)
        if cell is not None and cell.value == request.value:
            stands.append(member)
    return tuple(stands[:FOUND_MOST])


def offer(
    store: Store, ending: Ending, found: Sequence[bytes], where: Callable[[str], str]
) -> tuple[tuple[Candidate, ...], str]:
    """Those of `found` who fit today, masked; or nobody, and why. `where`: the stores of a bucket."""
    if len(found) > ENDINGS_MOST:
        return (), MANY
    fit = list[Candidate]()
    store.look_up(found)
    for known in map(store.member, dict.fromkeys(found)):
        if known is not None and _fits(known, ending):
            fit.append(Candidate(known.id, _masked_name(known), where(known.bucket)))
        if len(fit) > OFFERED_MOST:
            return (), MANY
    return tuple(fit), ""


def take(store: Store, value: str) -> tuple[bytes, ...]:
    """The member whom a question takes, if what they were offered by stands today."""
    asked = taken_of(value)
    known = None if asked is None else store.member(asked[0])
    if asked is None or known is None or not _fits(known, asked[1]):
        return ()
    return (known.id,)


def _fits(known: Member, ending: Ending) -> bool:
    """Who was merged or erased has no fields."""
    numbers = [_value(known, field) for field in LOOKED_UP]
    names = [_value(known, field).casefold() for field in ("name", "name_py")]
    ends = any(each.endswith(ending.four) for each in numbers)
    return ends and any(each.startswith(ending.initial) for each in names)


def _masked_name(known: Member) -> str:
    name = _value(known, "name")
    masked = mask_name(name)
    return "*" if masked == name else masked  # One letter has no middle.


def _value(known: Member, field: str) -> str:
    cell = known.cells.get(field)
    return "" if cell is None else cell.value or ""
