"""Points by hand: adjustments with their limits, and opening balances of an import."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.domain.errors import Refusal, Refused
from app.domain.programme import Limits, Programme, Role
from app.domain.sale import MOST_MINOR, MemberContext, expiry_of
from app.domain.state import available_points


def check_adjust(
    limits: Limits, role: Role, points: int, *, own_account: bool, second_person: bool
) -> None:
    """Who may adjust: a role's limit counts either way, own accounts are forbidden to everybody.

    A limit of 0 means that the role never adjusts; above a limit a second person is needed.
    """
    if points == 0:
        raise Refused(Refusal.ADJUST_ZERO)
    if own_account:
        raise Refused(Refusal.ADJUST_OWN_ACCOUNT)
    limit = limits.adjust_points[role]
    if limit == 0:
        raise Refused(Refusal.ADJUST_NOT_ALLOWED, {"role": role})
    if limit is not None and abs(points) > limit and not second_person:
        raise Refused(Refusal.ADJUST_NEEDS_SECOND, {"points": points, "limit": limit})


def adjust_entries(
    points: int,
    member: MemberContext,
    programme: Programme,
    *,
    on: BusinessDate,
    event_id: bytes,
    second_person: bool = False,
) -> tuple[Entry, ...]:
    """Up opens a lot with the programme's expiry; down spends like a redemption.

    Down never goes below available without a second person: Refused(ADJUST_BELOW_AVAILABLE).
    """
    if points == 0:
        raise Refused(Refusal.ADJUST_ZERO)
    name = EntryId(event_id, 0)
    if points > 0:
        until = expiry_of(programme.validity, on)
        return (Entry(name, POINTS, "adjust", points, on, on, until),)
    available = available_points(member.state, on, member.reserved)
    if -points > available and not second_person:
        raise Refused(Refusal.ADJUST_BELOW_AVAILABLE, {"points": points, "available": available})
    return (Entry(name, POINTS, "adjust", points, on),)


class OpeningLot(NamedTuple):
    """Points of an earlier system; without an expiry they get the programme's."""

    points: int
    expires: BusinessDate | None = None


def opening_entries(
    lots: Sequence[OpeningLot], programme: Programme, *, on: BusinessDate, event_id: bytes
) -> tuple[Entry, ...]:
    """Dated opening lots; a negative one opens a debt. Refused(OPENING_INVALID) names the row."""
    entries = []
    for n, (points, expires) in enumerate(lots):
        until = expiry_of(programme.validity, on) if expires is None else expires
        if points == 0 or abs(points) > MOST_MINOR or until < on:
            raise Refused(Refusal.OPENING_INVALID, {"row": n})
        name = EntryId(event_id, n)
        if points > 0:
            entries.append(Entry(name, POINTS, "opening", points, on, on, until))
        else:
            entries.append(Entry(name, POINTS, "opening", points, on))
    return tuple(entries)
