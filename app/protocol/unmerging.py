"""A merge taken back: what is known to be each one's own goes home, what was spent meanwhile is shown.

A lot or a debt is the gone member's if it came with this merge, or from a document that was written for them
since; all else stays. So nobody is given what is another's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from app.domain.business_day import BusinessDate
from app.domain.entries import TIER, Entry, EntryId
from app.domain.fold import fold
from app.domain.state import EMPTY, MemberState
from app.protocol.accounts import has_account
from app.protocol.carrying import transfers
from app.protocol.facts import MERGE, UNMERGE, Facts, read
from app.protocol.merging import current, measures, next_id, post, upgraded
from app.protocol.open_members import OpenMember
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
    merge = current(store, loser, winning.id)
    held = winning.state
    lots = [lot for lot in held.lots if came_by(store, merge, lot.origin)]
    debts = [debt for debt in held.debts if came_by(store, merge, debt.debit)]
    came = _came(store, winning, merge)
    splits = [split for split in held.splits if came_by(store, merge, split.debit)]
    leaving, arriving = transfers(held, lots, debts, splits, out, back, on)
    figures = measures(came, EntryId(out, len(leaving)), EntryId(back, len(arriving)))
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


def came_by(store: Store, merge: bytes, entry: EntryId) -> bool:
    """Whether what an entry gave or took came to its member by a merge, with it or forwarded since.

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
            return entry.event == merge or merge in facts.passed
        named = facts.postings[entry.n].entry.refers_to
        assert named is not None, "a transfer says where it comes from"
        entry = named


def _facts(store: Store, event: bytes) -> Facts:
    stored = store.event(event)
    assert stored is not None, "what is in a ledger was posted by an event"
    return read(stored.body)


def _came(store: Store, winning: Member, merge: bytes) -> MemberState:
    """What the survivor's ledger has by the merge and since: sums, days, benefits and tiers."""
    names = dict.fromkeys(entry.id.event for entry in store.ledger(winning.id))
    brought = {each for each in names if each == merge or merge in _facts(store, each).passed}
    return fold(EMPTY, [each for each in store.ledger(winning.id) if each.id.event in brought])


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
