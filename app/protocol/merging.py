"""The merge of two members at head office: lots, debts and qualifying figures go over, the ledger rows stay.

What comes later for the member that is gone is forwarded by owner.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.domain.business_day import BusinessDate
from app.domain.entries import EARNED, SALES, SPEND, TIER, USE, Entry, EntryId, owner_event_id
from app.domain.state import MemberState
from app.protocol.facts import Facts, Posting, write
from app.protocol.open_members import OpenMember, survivor
from app.protocol.store import Store, StoredEvent


def merge(store: Store, loser: bytes, winner: bytes, on: BusinessDate) -> bool:
    """Carry everything of a member over to another. False while either has anything reserved.

    One credit and one debit per lot and per debt; the loser's row says who goes on for it. Ids follow from the
    pair of members, so asking twice changes nothing.
    """
    winner = survivor(store, winner)
    losing, winning = store.member(loser), store.member(winner)
    if losing is None or winning is None or losing.alias is not None or loser == winner:
        return False
    if losing.reserved or winning.reserved or losing.erased or winning.erased:
        return False
    out = owner_event_id(loser, f"merge:{winner.hex()}")
    into = owner_event_id(winner, f"merge:{loser.hex()}")
    leaving, arriving = _transfers(losing.state, out, into, on)
    figures = _measures(losing.state, winning.state, out, into, len(leaving), on)
    leaving, arriving = leaving + figures[0], arriving + figures[1]
    merged = replace(losing, alias=winner)
    _move(OpenMember(store, merged), OpenMember(store, winning), out, into, leaving, arriving)
    return True


def _transfers(
    state: MemberState, out: bytes, into: bytes, on: BusinessDate
) -> tuple[list[Entry], list[Entry]]:
    """What leaves and what arrives, lot by lot and debt by debt, with the dates they had."""
    leaving, arriving = list[Entry](), list[Entry]()
    for lot in state.lots:
        n = len(leaving)
        leaving.append(
            Entry(EntryId(out, n), lot.asset, "reverse", -lot.remaining, on, refers_to=lot.origin)
        )
        arriving.append(
            Entry(
                EntryId(into, n), lot.asset, "adjust", lot.remaining, on, lot.available_from,
                lot.expires,
            )
        )  # fmt: skip
    for debt in state.debts:
        n = len(leaving)
        leaving.append(
            Entry(EntryId(out, n), debt.asset, "adjust", debt.amount, on, refers_to=debt.debit)
        )
        arriving.append(Entry(EntryId(into, n), debt.asset, "adjust", -debt.amount, on))
    return leaving, arriving


def _measures(
    losing: MemberState, winning: MemberState, out: bytes, into: bytes, first: int, on: BusinessDate
) -> tuple[list[Entry], list[Entry]]:
    """Days, benefits used and the tier: qualifying figures move day by day, the higher tier stands."""
    leaving, arriving = list[Entry](), list[Entry]()

    def move(asset: str, amount: int, day: BusinessDate, start: BusinessDate | None) -> None:
        if amount:
            n = first + len(leaving)
            until = day if asset.startswith(USE) else None
            entry = Entry(EntryId(into, n), asset, "measure", amount, day, start, until)
            arriving.append(entry)
            leaving.append(entry._replace(id=EntryId(out, n), amount=-amount))

    for day in losing.days:
        move(EARNED, day.earned, day.on, None)
        move(SPEND, day.spend, day.on, day.counts_from)
        move(SALES, day.sales, day.on, day.counts_from)
    for use in losing.uses:
        move(USE + use.benefit, use.times, BusinessDate.on(use.year, 12, 31), None)
    tier, held = losing.standing, winning.standing
    if tier is not None and (held is None or tier.rank > held.rank):
        name = EntryId(into, first + len(arriving))
        arriving.append(Entry(name, TIER, "upgrade", tier.rank, on, tier.since, tier.until))
    return leaving, arriving


def _move(
    losing: OpenMember,
    winning: OpenMember,
    out: bytes,
    into: bytes,
    leaving: Sequence[Entry],
    arriving: Sequence[Entry],
) -> None:
    """Post both halves. Accounts are joined whole: a spend debt that is merged stays one, so D counts it once
    and no budget is won by a merge."""
    store = losing.store
    for opened, event, entries in ((losing, out, leaving), (winning, into, arriving)):
        facts = Facts(
            event, "merge", opened.member.id, BusinessDate(0), tuple(map(Posting, entries))
        )
        store.put_event(StoredEvent(event, write(facts), "posted"))
        opened.fold(entries)
    for asset, account in losing.member.accounts.items():
        winning.change(asset, winning.account(asset).joined(account))
        losing.change(asset, account._replace(owned=0, receivable=0))
    losing.save()
    winning.save()
