"""The merge of two members at head office: lots, debts and qualifying figures go over, the ledger rows stay.

What comes later for the member that is gone is forwarded by owner.py; unmerging.py takes a merge back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.domain.business_day import BusinessDate
from app.domain.entries import EARNED, SALES, SPEND, TIER, USE, Entry, EntryId, owner_event_id
from app.domain.state import MemberState, TierChange
from app.protocol.carrying import transfers
from app.protocol.facts import MERGE, Facts, Posting, write
from app.protocol.open_members import OpenMember, survivor
from app.protocol.store import Store, StoredEvent


def merge(store: Store, loser: bytes, winner: bytes, on: BusinessDate) -> bool:
    """Carry everything of a member over to another. False while either has anything reserved.

    One credit and one debit per lot and per debt, and what old documents took of which lot goes along; the
    loser's row says who goes on for it. Ids follow from the
    pair of members and how often it was merged before; asking twice changes nothing.
    """
    winner = survivor(store, winner)
    losing, winning = store.member(loser), store.member(winner)
    if losing is None or winning is None or losing.alias is not None or loser == winner:
        return False
    if losing.reserved or winning.reserved or losing.erased or winning.erased:
        return False
    out = next_id(store, loser, f"merge:{winner.hex()}")
    into = next_id(store, winner, f"merge:{loser.hex()}")
    held = losing.state
    leaving, arriving = transfers(held, held.lots, held.debts, held.splits, out, into, on)
    figures = measures(held, EntryId(out, len(leaving)), EntryId(into, len(arriving)))
    tier, stands = held.standing, winning.state.standing
    leaving, arriving = leaving + figures[0], arriving + figures[1]
    if tier is not None and (stands is None or tier.rank > stands.rank):
        arriving.append(upgraded(EntryId(into, len(arriving)), tier, on))
    from_, to = (
        OpenMember(store, replace(losing, alias=winner)),
        OpenMember(store, replace(winning, merged=(*winning.merged, loser))),
    )
    post(from_, out, MERGE, leaving, None)
    post(to, into, MERGE, arriving, loser)
    # Accounts are joined whole: a spend debt that is merged stays one, D counts it once, no budget is won.
    for asset, account in losing.accounts.items():
        to.change(asset, to.account(asset).joined(account))
        from_.change(asset, account._replace(owned=0, receivable=0))
    from_.save()
    to.save()
    return True


def current(store: Store, loser: bytes, winner: bytes) -> bytes:
    """The survivor's half of the merge by which a member goes on as another."""
    event, times = b"", 0
    while store.event(found := _merge_id(loser, winner, times)) is not None:
        event, times = found, times + 1
    assert event, "an alias comes from a merge"
    return event


def _merge_id(loser: bytes, winner: bytes, times: int) -> bytes:
    return owner_event_id(winner, f"merge:{loser.hex()}:{times}")


def next_id(store: Store, member: bytes, cause: str) -> bytes:
    """The id of an owner's event whose cause may come again, once the last one was undone."""
    times = 0
    while store.event(event := owner_event_id(member, f"{cause}:{times}")) is not None:
        times += 1
    return event


def measures(state: MemberState, out: EntryId, into: EntryId) -> tuple[list[Entry], list[Entry]]:
    """Qualifying figures move day by day, benefits used year by year. `out`, `into`: the first entries' ids."""
    leaving, arriving = list[Entry](), list[Entry]()

    def move(asset: str, amount: int, day: BusinessDate, start: BusinessDate | None) -> None:
        if amount:
            n = len(leaving)
            until = day if asset.startswith(USE) else None
            name = EntryId(into.event, into.n + n)
            entry = Entry(name, asset, "measure", amount, day, start, until)
            arriving.append(entry)
            leaving.append(entry._replace(id=EntryId(out.event, out.n + n), amount=-amount))

    for day in state.days:
        move(EARNED, day.earned, day.on, None)
        move(SPEND, day.spend, day.on, day.counts_from)
        move(SALES, day.sales, day.on, day.counts_from)
    for use in state.uses:
        move(USE + use.benefit, use.times, BusinessDate.on(use.year, 12, 31), None)
    return leaving, arriving


def upgraded(name: EntryId, tier: TierChange, on: BusinessDate) -> Entry:
    """The entry by which a tier stands at another member too."""
    return Entry(name, TIER, "upgrade", tier.rank, on, tier.since, tier.until)


def post(
    opened: OpenMember, event: bytes, kind: str, entries: Sequence[Entry], source: bytes | None
) -> None:
    """Post one half of a transfer; its accounts are changed by the caller."""
    member, none = opened.member.id, BusinessDate(0)
    facts = Facts(event, kind, member, none, tuple(map(Posting, entries)), source=source)
    opened.store.put_event(StoredEvent(event, write(facts), "posted"))
    opened.fold(entries)
