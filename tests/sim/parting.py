"""What the oracle knows of merges and un-merges: whose each lot is, by its own book, and that nothing is won or
lost when two records become one or two again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

from app.domain.entries import Entry, EntryId, owner_event_id
from app.protocol.accounts import has_account
from app.protocol.ids import forward_id
from app.protocol.server import Server
from app.protocol.store import CellRecord, Member, Store
from tests.sim.machine import facts_of
from tests.sim.memory import MemoryStore

if TYPE_CHECKING:
    from tests.sim.oracle import Oracle


class Parting:
    """The oracle's own book of whose document each entry comes from."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle
        self._ways: dict[EntryId, set[bytes]] = {}
        self._moved: dict[EntryId, tuple[str, bytes, EntryId]] = {}
        self._forwards: dict[bytes, bytes] = {}

    def forget(self) -> None:
        """The store is another one: its transfers may have the same ids and other entries."""
        self._ways.clear()
        self._moved.clear()

    def heard(self, bodies: Iterable[bytes]) -> None:
        """Events have come: one that is forwarded will have this id."""
        for body in bodies:
            facts = facts_of(body)
            if facts.member is not None:
                self._forwards[forward_id(facts.id)] = facts.member

    def _merges_from(self, member: bytes) -> tuple[bytes, ...]:
        found = list[bytes]()
        while (alias := _known(self._oracle.store, member).alias) is not None:
            found.append(self._merge(member, alias))
            member = alias
        return tuple(found)

    def posted(self, member: bytes, entry: Entry, *, again: bool) -> None:
        """An entry is new in a ledger, or read again after a restore."""
        event = self._oracle.store.event(entry.id.event)
        assert event is not None
        facts = facts_of(event.body)
        if facts.kind in ("merge", "unmerge") and entry.refers_to is not None:
            whom = facts.source or member
            self._moved[entry.id] = (facts.kind, whom, entry.refers_to)
        else:
            self._ways[entry.id] = set(facts.passed)
            first = self._forwards.get(entry.id.event)
            if first is not None and not again:
                way = self._merges_from(first)
                self._oracle.require(facts.passed == way, "a forward forgets its way")

    def _way(self, entry: EntryId) -> list[tuple[bytes, set[bytes]]]:
        """With whom and by which merges something came, less those that it went back from."""
        if entry in self._ways:
            return [(b"", self._ways[entry])]
        kind, whom, before = self._moved[entry]
        way = self._way(before)
        if kind == "merge":
            return [*way, (whom, {entry.event})]
        return way[:-1] if way[-1][0] == whom else way

    def own_cells(self, member: bytes) -> list[CellRecord]:
        """Cells that came for the member, without those of who was merged into it."""
        store = self._oracle.store
        theirs = {
            (cell.field, cell.device, cell.hlc)
            for each in _all_of(store, member)
            for cell, _, _ in store.cells(each)
        }
        found = store.cells(member)
        return [r for r in found if (r.sent.field, r.sent.device, r.sent.hlc) not in theirs]

    def together(self, one: bytes, other: bytes) -> Counter[Any]:
        """What two members have, as one."""
        sums: Counter[Any] = Counter({"D": self._oracle.store.tenant().overdrawn})
        for each in (one, other):
            state = _known(self._oracle.store, each).state
            sums.update({asset: n for asset, n in state.sums if has_account(asset)})
            for day in state.days:
                sums.update({(day.on, name): getattr(day, name) for name in ("earned", "spend")})
            sums.update({use[:2]: use.times for use in state.uses})
        return sums

    def part(self, loser: bytes, winner: bytes, unmerge: Callable[[], bool]) -> bool:
        """Un-merge: nothing is won, nothing lost, and each has what came with them."""
        oracle = self._oracle
        oracle.server_step()
        before, wanted = self.together(loser, winner), self._came_with(loser, winner)
        if not unmerge():
            return False
        oracle.server_step()
        oracle.require(
            self.together(loser, winner) == before, "an un-merge wins or loses something"
        )
        oracle.require(not self._came_with(loser, winner), "the survivor has what is another's")
        has = {a: n for a, n in _known(oracle.store, loser).state.sums if has_account(a) and n}
        oracle.require(has == {a: n for a, n in wanted.items() if n}, "not all came back")
        return True

    def _came_with(self, loser: bytes, winner: bytes) -> Counter[str]:
        """What the survivor has of the other, by asset."""
        merge = self._merge(loser, winner)
        state, found = _known(self._oracle.store, winner).state, Counter[str]()
        for lot in state.lots:
            if merge in self._way(lot.origin)[-1][1]:
                found[lot.asset] += lot.remaining
        for debt in state.debts:
            if merge in self._way(debt.debit)[-1][1]:
                found[debt.asset] -= debt.amount
        return found

    def _merge(self, loser: bytes, winner: bytes) -> bytes:
        """The newest merge of the two, by the name that it must have."""
        names = (owner_event_id(winner, f"merge:{loser.hex()}:{n}") for n in count())
        found = list(takewhile(lambda name: self._oracle.store.event(name) is not None, names))
        return found[-1]

    def at_once(
        self, server: Server, loser: bytes, winner: bytes, now_ms: int, copy: Callable[[], Store]
    ) -> bool:
        """On a copy: a merge that is taken back before anything happens changes nothing. False: not tried, as
        one of the two would pay what the other owes."""
        store = copy()
        tried = Server(store, server.limits)
        before = [_seen(store, each) for each in (loser, winner)]
        pays = any(
            _known(store, loser).state.balance(asset) * amount < 0
            for asset, amount in _known(store, winner).state.sums
        )
        if pays or _known(store, winner).alias is not None:
            return False
        if not tried.merge(loser, winner, now_ms):
            return False
        if tried.unmerge(loser, now_ms) is None:
            self._oracle.fail("a merge can't be taken back at once")
        after = [_seen(store, each) for each in (loser, winner)]
        self._oracle.require(before == after, "a merge taken back at once leaves a trace")
        return True


def _known(store: Store, member: bytes) -> Member:
    known = store.member(member)
    assert known is not None
    return known


def _all_of(store: Store, member: bytes) -> list[bytes]:
    merged = _known(store, member).merged
    return [found for each in merged for found in (each, *_all_of(store, each))]


def _seen(store: Store, member: bytes) -> tuple[Any, ...]:
    known = _known(store, member)
    state = known.state
    lots = Counter[tuple[Any, ...]]()
    for lot in state.lots:
        origin = dict(state.arrived).get(lot.origin, lot.origin)
        lots[lot.asset, origin, lot.available_from, lot.expires] += lot.remaining
    debts, parts = Counter[tuple[Any, ...]](), Counter[tuple[Any, ...]]()
    first = dict(state.arrived)
    for debt in state.debts:
        debts[debt.asset, first.get(debt.debit, debt.debit)] += debt.amount
    for part in state.splits:
        debit, origin = first.get(part.debit, part.debit), first.get(part.origin, part.origin)
        parts[debit, origin, part.expires, part.restored_by, part.back_to] += part.amount
    tier = state.standing
    return (
        lots,
        debts,
        parts,
        [(day.on, *day[2:]) for day in state.days if any(day[2:])],
        [use for use in state.uses if use.times],
        None if tier is None else (tier.rank, tier.since, tier.until),
        dict(known.cells),
        known.merged,
        known.alias,
    )


def memory_copy(store: Store) -> Callable[[], Store] | None:
    """How to copy a store in memory; None for one on disk."""
    return store.copy if isinstance(store, MemoryStore) else None
