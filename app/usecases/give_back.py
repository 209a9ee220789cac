"""What the ledger's owner gives back before a document of a date whose expiries are booked already.

A close that was broken off leaves such a date, when a shift opens again on it (domain.md section 2: a lot is
good through its expiry date). Tier reviews stand: they come after the date until which a tier was promised.
"""

from __future__ import annotations

from collections.abc import Sequence

from app import posting
from app.context import Tx
from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, owner_event_id
from app.domain.expiry import unexpire_entries
from app.domain.programme import Programme
from app.domain.state import MemberState
from app.usecases.owner_postings import record


def state_before(
    tx: Tx,
    member_id: bytes,
    stored: MemberState,
    entries: Sequence[Entry],
    programme: Programme,
    on: BusinessDate,
) -> MemberState:
    """The state to post a document's `entries` on; gives back first, in an event of the owner's, what
    they would have taken from points that are booked as expired and good on the date.

    `stored` is the state as stored, with every split that `expiry.as_good` needs.
    """
    if not tx.context.owns_ledger(tx.conn, writing=True):
        return stored  # Head office is the owner, and gives back when the document comes there.
    debit = next((e.id for e in entries if e.asset == POINTS and e.amount < 0), None)
    if debit is None:
        return stored
    event_id = owner_event_id(member_id, f"unexpire:{debit.event.hex()}:{debit.n}")
    given = unexpire_entries(stored, entries, on, event_id, on=on)
    if not given:
        return stored
    facts = {"refers_to": debit.event.hex()}
    return record(tx, posting.UNEXPIRE, event_id, member_id, programme, on, given, facts, stored)
