"""A merge taken back: what is known to be each one's own goes home, what was spent meanwhile is shown.

A lot or a debt is the gone member's if it came with them, or from a document that was written for them since;
what only the survivor's documents made stays. So nobody is given what is another's.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from typing import NamedTuple

from app.domain.business_day import BusinessDate
from app.domain.entries import TIER, Entry, EntryId
from app.domain.fold import fold
from app.domain.state import EMPTY, MemberState
from app.protocol.accounts import has_account
from app.protocol.facts import MERGE, UNMERGE, Facts, read
from app.protocol.merging import measures, next_id, post, transfers, upgraded
from app.protocol.open_members import OpenMember, gone_into
from app.protocol.store import Member, Store


class Parted(NamedTuple):
    """Of one asset: what the member brought and got while merged, and what of it went back. The difference was
    spent, or paid what the survivor owed, or was paid by what the survivor had."""

    asset: str
    came: int
    back: int


def unmerge(store: Store, loser: bytes, on: BusinessDate) -> tuple[Parted, ...] | None:
    """Undo the merge of a member. None if there is none, while anything of the survivor is reserved, if they
    are erased, and if the survivor was itself merged since: that merge goes first."""
    losing = store.member(loser)
    if losing is None or losing.alias is None:
        return None
    winning = store.member(losing.alias)
    assert winning is not None, "a survivor is a member"
    if winning.alias is not None or winning.reserved or winning.erased:
        return None
    out = next_id(store, winning.id, f"unmerge:{loser.hex()}")
    back = next_id(store, loser, f"unmerge:{winning.id.hex()}")
    own = {loser, *gone_into(store, loser)}
    held = winning.state
    lots = [lot for lot in held.lots if came_with(store, own, lot.origin)]
    debts = [debt for debt in held.debts if came_with(store, own, debt.debit)]
    came = _came(store, winning, loser, own)
    leaving, arriving = transfers(lots, debts, out, back, on)
    figures = measures(came, out, back, len(leaving))
    leaving, arriving = leaving + figures[0], arriving + figures[1]
    _tiers(losing, held, came, leaving, arriving, out, back, on)
    stay = tuple(each for each in winning.merged if each != loser)
    from_ = OpenMember(store, replace(winning, merged=stay))
    to = OpenMember(store, replace(losing, alias=None))
    post(from_, out, UNMERGE, leaving, loser)
    post(to, back, UNMERGE, arriving, None)
    moved = dict.fromkeys((asset for asset, _ in came.sums if has_account(asset)), 0)
    for entry in arriving:
        if has_account(entry.asset):
            moved[entry.asset] = moved.get(entry.asset, 0) + entry.amount
    for asset, amount in moved.items():
        stays, goes = from_.account(asset).parted(amount)
        to.change(asset, to.account(asset).joined(goes))
        from_.change(asset, stays)
    to.save()
    from_.save()
    return tuple(
        Parted(asset, came.balance(asset), amount) for asset, amount in sorted(moved.items())
    )


def came_with(store: Store, own: Set[bytes], entry: EntryId) -> bool:
    """Whether what an entry gave or took came to its member with one of `own`.

    A merge that was undone is passed over, on the way back to the entry before it.
    """
    undone = list[bytes | None]()
    while True:
        facts = _facts(store, entry.event)
        if facts.kind == UNMERGE:
            undone.append(facts.member)
        elif undone and facts.kind == MERGE and facts.source == undone[-1]:
            undone.pop()
        else:
            return facts.source in own
        named = facts.postings[entry.n].entry.refers_to
        assert named is not None, "a transfer says where it comes from"
        entry = named


def _facts(store: Store, event: bytes) -> Facts:
    stored = store.event(event)
    assert stored is not None, "what is in a ledger was posted by an event"
    return read(stored.body)


def _came(store: Store, winning: Member, loser: bytes, own: Set[bytes]) -> MemberState:
    """What the survivor's ledger has of the gone member since the merge: sums, days, benefits and tiers."""
    brought, last = list[Entry](), b""
    facts: Facts | None = None
    for entry in store.ledger(winning.id):
        if facts is None or entry.id.event != last:
            last, facts = entry.id.event, _facts(store, entry.id.event)
            if facts.source == loser and facts.kind == MERGE:
                brought.clear()
        if facts.source in own:
            brought.append(entry)
    return fold(EMPTY, brought)


def _tiers(
    losing: Member,
    held: MemberState,
    came: MemberState,
    leaving: list[Entry],
    arriving: list[Entry],
    out: bytes,
    back: bytes,
    on: BusinessDate,
) -> None:
    """Tiers that the gone member's documents reached are the survivor's no more; the highest goes back."""
    of_theirs = {tier.entry for tier in came.tiers}
    for tier in held.tiers:
        if tier.entry in of_theirs:
            name = EntryId(out, len(leaving))
            leaving.append(Entry(name, TIER, "reverse", tier.rank, on, refers_to=tier.entry))
    reached, stood = came.standing, losing.state.standing
    if reached is not None and (stood is None or reached.rank > stood.rank):
        arriving.append(upgraded(EntryId(back, len(arriving)), reached, on))
