"""What the ledger's owner books when points lapse, and gives back when a late spend arrives."""

from __future__ import annotations

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.domain.state import MemberState


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
    head office `grace_days` later, and only while nobody holds the member's points. Id cause:
    "expire:<date>" (entries.owner_event_id).
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


def unexpire_entries(
    state: MemberState, spend: Entry, booked_on: BusinessDate, event_id: bytes
) -> tuple[Entry, ...]:
    """What the owner gives back before a spend that is dated on or before a booked expiry.

    For each `expire` exactly the part that the spend would have taken on its date: valid lots and
    booked parts together, by earliest expiry. `state` needs every split of kind `expire` whose
    expiry is on or after the spend's date. Id cause: "unexpire:<spend's event hex>:<n>".
    """
    on = spend.business_date
    candidates: list[tuple[BusinessDate, int, int, EntryId | None]] = [
        (lot.expires, lot.order, lot.remaining, None)
        for lot in state.lots
        if lot.asset == spend.asset and lot.available_from <= on <= lot.expires
    ]
    candidates += [
        (split.expires, split.lot_order, split.amount, split.debit)
        for split in state.splits
        if split.asset == spend.asset
        and split.kind == "expire"
        and split.restored_by is None
        and split.available_from <= on <= split.expires
    ]
    candidates.sort(key=lambda candidate: candidate[:2])
    wanted = -spend.amount
    given: dict[EntryId, int] = {}
    for _, _, amount, booked_by in candidates:
        taken = min(wanted, amount)
        wanted -= taken
        if booked_by is not None and taken > 0:
            given[booked_by] = given.get(booked_by, 0) + taken
    return tuple(
        Entry(EntryId(event_id, n), spend.asset, "unexpire", amount, booked_on, refers_to=debit)
        for n, (debit, amount) in enumerate(given.items())
    )
