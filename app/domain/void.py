"""A void: the mirror of one document's entries, in the same open shift (domain.md section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.business_day import BusinessDate
from app.domain.entries import EARNED, POINTS, SALES, SPEND, TIER, USE, Entry, EntryId, Kind
from app.domain.errors import Refusal, Refused
from app.domain.fold import fold
from app.domain.programme import Programme, SpentPolicy
from app.domain.sale import MemberContext, expiry_of
from app.domain.settlement import Refund, Settlement, settle
from app.domain.state import available_points, owed_points

_MEASURES = (SPEND, SALES, EARNED)


@dataclass(frozen=True, slots=True)
class VoidQuote:
    """What a void would do: its entries, the money that goes back, and the points afterwards.

    refunds  minor units per tender; below zero what the customer hands over again
    """

    entries: tuple[Entry, ...]
    refunds: tuple[Refund, ...]
    settlement: Settlement
    balance_after: int
    available_after: int
    debt_after: int


def check_void(
    *, same_shift: bool, day_closed: bool, already_voided: bool, later_return_stands: bool
) -> None:
    """Whether a document may be voided at all: last in, first out, same till and shift, before Z."""
    if day_closed:
        raise Refused(Refusal.VOID_DAY_CLOSED)
    if not same_shift:
        raise Refused(Refusal.VOID_OTHER_SHIFT)
    if already_voided:
        raise Refused(Refusal.VOID_ALREADY)
    if later_return_stands:
        raise Refused(Refusal.VOID_LATER_RETURN)


def quote_void(
    original: Sequence[Entry],
    refunds: Sequence[Refund],
    debt_before: int,
    member: MemberContext | None,
    programme: Programme,
    *,
    event_id: bytes,
    on: BusinessDate,
    policy: SpentPolicy | None = None,
    manager: bool = False,
) -> VoidQuote:
    """Quote the void of a sale, return or exchange by its entries, under the void's event id.

    refunds      the sale's tenders, to give back in full; empty for a return
    debt_before  the document's: debt that its credits paid is simply owed again; only what the
                 member has spent since follows the return policy
    """
    if member is None or not original:
        if original:
            raise Refused(Refusal.MEMBER_NEEDED)
        nothing = Settlement(0, 0, 0, 0, 0, tuple(refunds))
        return VoidQuote((), tuple(refunds), nothing, 0, 0, 0)
    giving, taking, counters = _mirror(original, event_id, on)
    covered = fold(member.state, giving)
    reached = fold(covered, taking)
    debt = owed_points(reached)
    taken = -sum(entry.amount for entry in taking if entry.asset == POINTS)
    spent = max(debt - owed_points(covered) - min(taken, debt_before), 0)
    settlement = settle(spent, debt, refunds, programme, policy=policy, manager=manager)
    settled = settlement.charged + settlement.written_off
    closing: list[Entry] = []
    if settled:
        until = expiry_of(programme.validity, on)
        named = next(entry.id for entry in taking if entry.asset == POINTS)
        name = EntryId(event_id, len(giving) + len(taking))
        closing.append(Entry(name, POINTS, "adjust", settled, on, on, until, refers_to=named))
    first = len(giving) + len(taking) + len(closing)
    closing += [entry._replace(id=EntryId(event_id, first + n)) for n, entry in enumerate(counters)]
    final = fold(reached, closing)
    return VoidQuote(
        entries=(*giving, *taking, *closing),
        refunds=settlement.refunds,
        settlement=settlement,
        balance_after=final.balance(),
        available_after=available_points(final, on, member.reserved),
        debt_after=owed_points(final),
    )


def mirrored(original: Sequence[Entry], on: BusinessDate) -> tuple[Entry, ...]:
    """The mirror of a document's entries under a draft's id, without what settles points that were spent."""
    return tuple(entry for part in _mirror(original, bytes(16), on) for entry in part)


def _mirror(
    original: Sequence[Entry], event_id: bytes, on: BusinessDate
) -> tuple[list[Entry], list[Entry], list[Entry]]:
    """Restores, then take-backs, then counters and tier; each kind in reverse of the original.

    No minimum life: what was spent comes back to its lot as it was. An unexpire is mirrored by an
    expire. The counters' ids are given by the caller, who knows what stands between.
    """
    giving: list[Entry] = []
    taking: list[Entry] = []
    counters: list[Entry] = []
    for entry in reversed(original):
        if entry.asset == TIER:
            back = Entry(entry.id, TIER, "reverse", -entry.amount, on, refers_to=entry.id)
            counters.append(back)
        elif entry.asset in _MEASURES or entry.asset.startswith(USE):
            counters.append(entry._replace(amount=-entry.amount, refers_to=entry.id))
        elif entry.amount < 0:
            giving.append(
                Entry(entry.id, entry.asset, "reverse", -entry.amount, on, refers_to=entry.id)
            )
        else:
            kind: Kind = "expire" if entry.kind == "unexpire" else "reverse"
            taking.append(Entry(entry.id, entry.asset, kind, -entry.amount, on, refers_to=entry.id))
            if entry.kind == "earn":
                counters.append(
                    Entry(
                        entry.id, EARNED, "measure", -entry.amount, entry.business_date,
                        refers_to=entry.id,
                    )
                )  # fmt: skip
    giving = [entry._replace(id=EntryId(event_id, n)) for n, entry in enumerate(giving)]
    first = len(giving)
    taking = [entry._replace(id=EntryId(event_id, first + n)) for n, entry in enumerate(taking)]
    return giving, taking, counters
