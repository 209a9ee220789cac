"""Head office owns the order: it posts what tills send, and what follows from it by derived ids (domain.md 2).

Every entry of a member gets the next place of its ledger here, and nowhere else. What the owner adds (unexpire,
corrections, forwards, expiries) has an id that follows from its cause, so asking twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId, owner_event_id
from app.domain.expiry import expire_entries, expire_event_id, unexpire_entries
from app.domain.fold import fold
from app.domain.state import MemberState
from app.protocol.accounts import has_account
from app.protocol.authority import apply_posting
from app.protocol.facts import Facts, Posting, write
from app.protocol.ids import forward_id
from app.protocol.merging import current, next_id
from app.protocol.open_members import OpenMember, open_member, survivor, way_to_survivor
from app.protocol.sales import corrections
from app.protocol.store import Device, Member, SaleReturn, Store, StoredEvent


def accept(store: Store, device: Device, facts: Facts, body: bytes, today: BusinessDate) -> None:
    """Post an event of a till that is new to head office."""
    if facts.member is None:
        store.put_event(StoredEvent(facts.id, body, "posted"))
        _count_units(store, facts, None)
        return
    member = survivor(store, facts.member)
    forwarded = member != facts.member
    store.put_event(StoredEvent(facts.id, body, "forwarded" if forwarded else "posted"))
    if forwarded:
        facts = _forwarded(store, facts, member)
        store.put_event(StoredEvent(facts.id, write(facts), "posted"))
    else:
        facts = facts._replace(postings=_as_known_here(store, facts, facts.id))
    opened = open_member(store, member, device.home)
    _give_back(opened, facts, today)
    _post(opened, facts.postings, device.id)
    opened.save()
    _count_units(store, facts, member)


def _count_units(store: Store, facts: Facts, member: bytes | None) -> None:
    """Units of a sale that came back, also of one without a member: they come back once."""
    if facts.sale is not None:
        store.add_return(facts.sale, SaleReturn(facts.id, member, facts.on, facts.returned))
        _correct(store, facts.sale)
    elif facts.sold:
        # A forward stands for the sale under another id; returns name the sale.
        _correct(store, facts.source or facts.id)


def _forwarded(store: Store, facts: Facts, member: bytes) -> Facts:
    """The event for the survivor: same entries under a derived id; references go to what stands there. It says
    which event it stands for, and through which merges it came, for the day when one is undone."""
    assert facts.member is not None, "an event of nobody is nobody else's"
    event = forward_id(facts.id)
    postings = _as_known_here(store, facts, event)
    passed = tuple([current(store, *each) for each in way_to_survivor(store, facts.member)])
    return facts._replace(
        id=event, member=member, postings=postings, passed=passed, source=facts.id
    )


def _as_known_here(store: Store, facts: Facts, event: bytes) -> tuple[Posting, ...]:
    """The entries of an event as the ledger has them: what was itself forwarded is known to the survivor under
    its forward's id, also to a till that names it in an event for the survivor."""

    def known(posting: Posting) -> Posting:
        entry, named = posting.entry, posting.entry.refers_to
        if named is None and event == facts.id:
            return posting
        if named is not None and (named.event == facts.id or _is_forwarded(store, named.event)):
            there = event if named.event == facts.id else forward_id(named.event)
            named = EntryId(there, named.n)
        return Posting(
            entry._replace(id=EntryId(event, entry.id.n), refers_to=named), posting.authority
        )

    return tuple([known(posting) for posting in facts.postings])


def _is_forwarded(store: Store, event: bytes) -> bool:
    known = store.event(event)
    return known is not None and known.standing == "forwarded"


def _post(opened: OpenMember, postings: Iterable[Posting], device: bytes) -> None:
    entries = []
    for posting in postings:
        if has_account(posting.entry.asset):
            apply_posting(opened, posting, device)
        entries.append(posting.entry)
    opened.fold(entries)


def _post_owners(opened: OpenMember, event: bytes, kind: str, entries: Sequence[Entry]) -> None:
    """Post entries of the owner's own, as an event with a derived id."""
    postings = tuple([Posting(entry) for entry in entries])
    facts = Facts(event, kind, opened.member.id, entries[0].business_date, postings)
    opened.store.put_event(StoredEvent(event, write(facts), "posted"))
    _post(opened, postings, b"")


# Expiry -----------------------------------------------------------------------------------------


def book_expiry(store: Store, member: bytes, on: BusinessDate, grace_days: int) -> bool:
    """Book what lapsed `grace_days` ago or earlier, unless somebody has something reserved. True: booked."""
    known = store.member(member)
    if known is None or known.alias is not None or known.reserved:
        return False
    event = expire_event_id(member, on)
    entries = expire_entries(known.state, on, event, grace_days=grace_days)
    if not entries or store.event(event) is not None:
        return False
    opened = OpenMember(store, known)
    _post_owners(opened, event, "expire", entries)
    opened.save()
    return True


def _give_back(opened: OpenMember, facts: Facts, today: BusinessDate) -> None:
    """Before a document that comes late: the part of booked expiries that it would have taken."""
    entries = [posting.entry for posting in facts.postings if posting.entry.asset == POINTS]
    if not any(entry.amount < 0 for entry in entries):
        return
    event = owner_event_id(opened.member.id, f"unexpire:{facts.id.hex()}:0")
    given = list(unexpire_entries(opened.state, entries, today, event, on=facts.on))
    state = fold(opened.state, given) if given else opened.state
    for entry in entries:
        if entry.kind == "reverse" and entry.amount < 0 and entry.refers_to is not None:
            given += _for_take_back(state, entry, entry.refers_to, today, event, len(given))
    if given:
        _post_owners(opened, event, "unexpire", given)


def _for_take_back(
    state: MemberState, entry: Entry, credit: EntryId, today: BusinessDate, event: bytes, first: int
) -> list[Entry]:
    """Points of the credit that are booked as expired, as far as the take-back lacks them: nobody loses them
    twice."""
    names = state.names(credit)
    missing = -entry.amount - sum(lot.remaining for lot in state.lots if lot.origin in names)
    booked: dict[EntryId, int] = {}
    for split in state.splits:
        if split.origin in names and split.kind == "expire" and split.restored_by is None:
            booked[split.debit] = booked.get(split.debit, 0) + split.amount
    given: list[Entry] = []
    for debit, amount in booked.items():
        part = min(amount, missing)
        if part > 0:
            missing -= part
            name = EntryId(event, first + len(given))
            given.append(Entry(name, POINTS, "unexpire", part, today, refers_to=debit))
    return given


# Before an erasure ------------------------------------------------------------------------------


def live_value(known: Member, on: BusinessDate) -> Mapping[str, int]:
    """What a member still has by asset, pending or not: all that has not lapsed on a date."""
    left = dict[str, int]()
    for lot in known.state.lots:
        if lot.expires >= on:
            left[lot.asset] = left.get(lot.asset, 0) + lot.remaining
    return left


def forfeit(store: Store, member: bytes, on: BusinessDate) -> Mapping[str, int]:
    """Take off what a member still has, as an entry of the owner's own; returns it by asset. Nothing of theirs
    may be reserved."""
    known = store.member(survivor(store, member))
    left = {} if known is None else live_value(known, on)
    if known is None or not left:
        return {}
    assert not known.reserved, "somebody may still spend it"
    event = next_id(store, known.id, "forfeit")
    entries = [
        Entry(EntryId(event, n), asset, "adjust", -amount, on)
        for n, (asset, amount) in enumerate(sorted(left.items()))
    ]
    opened = OpenMember(store, known)
    _post_owners(opened, event, "forfeit", entries)
    opened.save()
    return left


# Points by hand -----------------------------------------------------------------------------------


def adjust(store: Store, member: bytes, event: bytes, entries: Sequence[Entry]) -> None:
    """Post an adjustment that head office decided, as its own event; the same event again changes nothing. What
    is taken is free: nobody has it reserved."""
    if store.event(event) is None:
        opened = open_member(store, survivor(store, member), "")
        _post_owners(opened, event, "adjust", entries)
        opened.save()


# Returns that exceed what was sold ---------------------------------------------------------------


def _correct(store: Store, sale: bytes) -> None:
    for correction in corrections(store, sale):
        if store.event(correction.event) is None:
            opened = open_member(store, survivor(store, correction.member), "")
            _post_owners(opened, correction.event, "correction", correction.entries)
            opened.save()
