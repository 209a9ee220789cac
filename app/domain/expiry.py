"""What the ledger's owner books when points lapse, and gives back when a late spend arrives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId, owner_event_id
from app.domain.fold import fold
from app.domain.state import Lot, MemberState, Split

_DRAFT_EVENT = bytes(16)


def expire_event_id(member_id: bytes, on: BusinessDate) -> bytes:
    """The event that books a member's lapsed points at the close of a date."""
    return owner_event_id(member_id, f"expire:{on.iso()}")


def expire_entries(
    state: MemberState,
    on: BusinessDate,
    event_id: bytes,
    *,
    grace_days: int = 0,
    asset: str = POINTS,
) -> tuple[Entry, ...]:
    """The bookings due at the close of a business date: one entry per lapsed lot, its whole rest.

    A lot is good through its expiry date; a till without head office books it at that date's close,
    head office `grace_days` later, and only while nobody holds the member's points. Id:
    `expire_event_id`.
    """
    due = [lot for lot in state.lots if lot.asset == asset and lot.expires + grace_days <= on]
    return tuple(
        Entry(
            EntryId(event_id, n),
            asset,
            "expire",
            -lot.remaining,
            on,
            expires=lot.expires,
            refers_to=lot.origin,
        )
        for n, lot in enumerate(due)
    )


def as_good(state: MemberState, on: BusinessDate) -> MemberState:
    """The state on a date with all that was booked as expired and is good through that date.

    A close that was broken off has booked the lots of its own date, and the date may sell again
    (domain.md section 2: a lot is good through its expiry date). What a screen shows and a quote
    counts on is this; what is stored follows by `unexpire_entries`. `state` needs every split of
    kind `expire` that is good on the date.
    """
    booked = _booked_and_good(state, on)
    return fold(state, _given_back(booked, on, _DRAFT_EVENT)) if booked else state


def unexpire_entries(
    state: MemberState,
    entries: Sequence[Entry],
    booked_on: BusinessDate,
    event_id: bytes,
    *,
    on: BusinessDate,
) -> tuple[Entry, ...]:
    """What the owner gives back before a document dated on or before a booked expiry.

    For each `expire` exactly the part that the document's `entries` would have taken on its date
    `on`, had nothing been booked. `state` as for `as_good`, with what `needs(entries)` names. Id
    cause: "unexpire:<document's event hex>:<n>".
    """
    booked = _booked_and_good(state, on)
    if not booked:
        return ()
    after = fold(_unbooked(state, booked), entries)
    left = {(lot.origin, lot.expires): lot.remaining for lot in after.lots if lot.asset == POINTS}
    taken: list[Split] = []
    for split in booked:
        key = (split.origin, split.expires)
        stays = min(split.amount, left.get(key, 0))
        left[key] = left.get(key, 0) - stays
        if stays < split.amount:
            taken.append(split._replace(amount=split.amount - stays))
    return _given_back(taken, booked_on, event_id)


def _booked_and_good(state: MemberState, on: BusinessDate) -> list[Split]:
    return [
        split
        for split in state.splits
        if split.kind == "expire"
        and split.asset == POINTS
        and split.restored_by is None
        and split.available_from <= on <= split.expires
    ]


def _unbooked(state: MemberState, booked: Sequence[Split]) -> MemberState:
    """The lots as they were, and no debts: what comes back is measured by what a document takes of the
    lots, whatever the member has come to owe since."""
    came = [
        Lot(POINTS, s.origin, s.expires, s.available_from, s.amount, s.lot_order) for s in booked
    ]
    rows: dict[tuple[str, EntryId, int], Lot] = {}
    for lot in (*state.lots, *came):
        key = (lot.asset, lot.origin, lot.expires)
        known = rows.get(key)
        rows[key] = (
            lot if known is None else known._replace(remaining=known.remaining + lot.remaining)
        )
    lots = sorted(rows.values(), key=lambda lot: (lot.asset, lot.expires, lot.order))
    total = sum(lot.remaining for lot in lots if lot.asset == POINTS)
    sums = [pair for pair in state.sums if pair[0] != POINTS]
    debts = tuple(debt for debt in state.debts if debt.asset != POINTS)
    return replace(
        state, lots=tuple(lots), debts=debts, sums=tuple(sorted([*sums, (POINTS, total)]))
    )


def _given_back(
    splits: Iterable[Split], booked_on: BusinessDate, event_id: bytes
) -> tuple[Entry, ...]:
    """One entry for each debit that these parts are of."""
    given: dict[EntryId, int] = {}
    for split in splits:
        given[split.debit] = given.get(split.debit, 0) + split.amount
    return tuple(
        Entry(EntryId(event_id, n), POINTS, "unexpire", amount, booked_on, refers_to=debit)
        for n, (debit, amount) in enumerate(given.items())
    )
