"""What entries would do to a member's points, lot by lot, before anybody posts them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry
from app.domain.fold import fold
from app.domain.state import MemberState, owed_points


class LotMove(NamedTuple):
    """`points` more, or below zero less, in lots that are good through `expires`."""

    expires: BusinessDate
    points: int


class EntryMove(NamedTuple):
    """One entry of points: the lots that it changes, the next to expire first, and what the member
    then owes more (below zero: less)."""

    entry: Entry
    lots: tuple[LotMove, ...]
    owed: int


def moves_of(state: MemberState, entries: Sequence[Entry]) -> tuple[EntryMove, ...]:
    """The entries of points, each folded onto what the ones before it left."""
    moves = []
    for entry in entries:
        after = fold(state, (entry,))
        if entry.asset == POINTS:
            owed = owed_points(after) - owed_points(state)
            moves.append(EntryMove(entry, _lot_moves(state, after), owed))
        state = after
    return tuple(moves)


def _lot_moves(before: MemberState, after: MemberState) -> tuple[LotMove, ...]:
    changed: dict[BusinessDate, int] = {}
    for sign, state in ((-1, before), (1, after)):
        for lot in state.lots:
            if lot.asset == POINTS:
                changed[lot.expires] = changed.get(lot.expires, 0) + sign * lot.remaining
    return tuple(LotMove(day, points) for day, points in sorted(changed.items()) if points)
