"""What must hold, at every step of head office and of every till, and once all is healed (sync.md section 8).

The oracle computes by itself: sums from ledgers, D and reservations from members and holds, winners from the
cells that arrived. It asks the code under test for nothing that it could work out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from app.domain.entries import Entry
from app.domain.fold import fold
from app.domain.state import EMPTY, MemberState, view
from app.protocol import overlay
from app.protocol.accounts import Account, has_account
from app.protocol.events import chain, chain_start
from app.protocol.facts import Authority
from app.protocol.store import Member, Store
from app.protocol.till_store import Control
from app.protocol.wire import (
    START,
    Cell,
    HoldReply,
    HoldRequest,
    Reply,
    Request,
    SnapshotReply,
    SyncReply,
    SyncRequest,
)
from tests.sim.machine import Machine, facts_of

if TYPE_CHECKING:
    from tests.sim.world import World

BUCKETS: Final = ("north", "south")
WHOLE_FOLD_EVERY: Final = 40
"""Of so many member states one is compared with the full fold at once; all are in the end."""


class Broken(AssertionError):
    """An invariant does not hold."""


class Oracle:
    """Watches one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.steps = 0
        self._looked = 0
        self._lost = 0
        self._may_lose = 0
        self._forgotten = False
        self._arrived: dict[tuple[bytes, str], list[Cell]] = {}
        self._told: dict[bytes, dict[bytes, Sequence[Entry]]] = {}
        self._tainted: dict[bytes, bytes | None] = {}
        self._snapshots: dict[int, dict[bytes, Sequence[Entry]]] = {}
        self._forget()

    def fail(self, why: str) -> None:
        """Say what is wrong, and when."""
        raise Broken(f"seed {self._world.settings.seed}, {self._world.now_ms}: {why}")

    def require(self, holds: bool, why: str) -> None:
        if not holds:
            self.fail(why)

    def _forget(self) -> None:
        self._seen = dict.fromkeys(BUCKETS, 0)
        self._overdrawn: dict[bytes, int] = {}
        self._ledger: dict[bytes, int] = {}
        self._sums: dict[bytes, dict[str, int]] = {}
        self._entries: set[object] = set()
        self._again = True
        self._holds: set[bytes] = set()

    @property
    def store(self) -> Store:
        return self._world.server.store

    # Head office

    def office_restored(self) -> None:
        """All is looked at anew: the store is another one."""
        self._forget()
        self._lost = self.store.tenant().lost
        self._forgotten = True
        for at in self._world.machines:
            self._tainted.setdefault(at.device, None)
        self._arrived.clear()
        for member in self.store.members():
            for record in self.store.cells(member):
                key = (member, record.sent.field)
                self._arrived.setdefault(key, []).append(record.sent)

    def rolled_back(self, at: Machine) -> None:
        """A whole disk was put back: until the till's next fence its spends may lack their authority."""
        device = self.store.device(at.device)
        self._tainted[at.device] = None if device is None else device.nonce
        control = at.store.control()
        self._may_lose += sum(right.left for right in control.rights)
        self._may_lose += sum(hold.amount for hold in control.holds)
        self._may_lose += 0 if control.grant is None else control.grant.left

    def served(self, request: Request, reply: Reply) -> None:
        """After head office answered."""
        self._loss_is_explained(request.device)
        if isinstance(request, SyncRequest) and isinstance(reply, SyncReply):
            for cell in request.cells:
                self._arrived.setdefault((cell.member, cell.field), []).append(cell)
        if isinstance(reply, SyncReply):
            self.require(not reply.differs, "rows at a till differ from head office's")
            self._told[reply.rid] = {
                row.member: self.store.ledger(row.member) for row in reply.rows
            }
        elif isinstance(reply, SnapshotReply):
            self._told[reply.rid] = self._snapshots[reply.snapshot]
        self.server_step()
        if isinstance(request, HoldRequest) and isinstance(reply, HoldReply) and reply.granted:
            self._hold_is_good(request)

    def snapshot_taken(self, number: int) -> None:
        """What the rows of a snapshot are made of."""
        self._snapshots[number] = {
            member: self.store.ledger(member) for member in self.store.members()
        }

    def server_step(self) -> None:
        """I1, I2, I10, I13, and samples of I12."""
        self.steps += 1
        for bucket in BUCKETS:
            for row in self.store.rows(bucket, self._seen[bucket], 10_000):
                self._seen[bucket] = row.feed
                if isinstance(row, Member):
                    self._member(row)
        self._again = False
        tenant = self.store.tenant()
        overdrawn = sum(self._overdrawn.values())
        left = 0
        for device in self.store.devices():
            grant = self.store.open_grant(device.id)
            left += 0 if grant is None else grant.left
        self.require((tenant.overdrawn, tenant.left) == (overdrawn, left), "I2: figures drift")
        bound = tenant.budget + tenant.lost + tenant.written_off
        self.require(overdrawn + left <= bound, f"I2: {overdrawn} + {left} > {bound}")
        if not self._world.settings.seed % 2:
            self.require(tenant.lost == 0, "no authority is lost without a rollback: F = 0")
            if not tenant.budget:
                self.require(
                    overdrawn <= tenant.written_off, "I10: R = 0 and D > what was written off"
                )
        self._world.counts["overdrawn"] += overdrawn > 0
        self._world.counts["bound reached"] += overdrawn + left == bound and bound > 0

    def _loss_is_explained(self, device_id: bytes) -> None:
        """F grows by spends of a till that was rolled back, or that head office has forgotten, and only until
        that till has told all and begun anew."""
        lost = self.store.tenant().lost
        if lost != self._lost:
            self.require(device_id in self._tainted, "F grows though nothing was rolled back")
        self._lost = lost
        device = self.store.device(device_id)
        if device is None or device_id not in self._tainted:
            return
        forgotten, timeline = self._tainted[device_id] is None, self.store.tenant().timeline
        begun_anew = forgotten or device.nonce != self._tainted[device_id]
        if device.fenced and device.reported == timeline and begun_anew:
            del self._tainted[device_id]

    def _member(self, member: Member) -> None:
        ledger = self.store.ledger(member.id)
        sums = self._sums.setdefault(member.id, {})
        for entry in ledger[self._ledger.get(member.id, 0) :]:
            self.require(entry.id not in self._entries, "I1: an entry is in the ledger twice")
            self._entries.add(entry.id)
            sums[entry.asset] = sums.get(entry.asset, 0) + entry.amount
            if entry.kind == "expire" and not self._again:
                self.require(not member.reserved, "an expiry is booked under a hold")
        self._ledger[member.id] = len(ledger)
        self.require(dict(member.state.sums) == sums, "I1: balance is not the sum of the ledger")
        self._accounts(member)
        self._looked += 1
        if self._looked % WHOLE_FOLD_EVERY == 0:
            self.require(fold(EMPTY, ledger) == member.state, "I12: not the full fold")

    def _accounts(self, member: Member) -> None:
        reserved: dict[str, int] = {}
        for (asset, _), amount in member.reserved.items():
            self.require(amount > 0, "a reservation of nothing")
            reserved[asset] = reserved.get(asset, 0) + amount
        debt = 0
        for asset, account in member.accounts.items():
            owned = member.state.balance(asset)
            held = reserved.get(asset, 0)
            self.require(account == Account(owned, held, account.receivable), "an account drifts")
            self.require(account.receivable >= 0, "C < 0")
            self.require(not account.receivable or account.avail <= 0, "C > 0 and avail > 0")
            debt += max(held - owned - account.receivable, 0)
        for asset, _ in member.state.sums:
            if has_account(asset):
                self.require(
                    asset in member.accounts or not member.state.balance(asset), "no account"
                )
        lots = {lot.asset for lot in member.state.lots}
        self.require(not lots & {debt.asset for debt in member.state.debts}, "I13: lots and debts")
        self._overdrawn[member.id] = debt

    def _hold_is_good(self, request: HoldRequest) -> None:
        hold = self.store.hold(request.hold)
        if request.hold in self._holds:
            return
        self._holds.add(request.hold)
        if hold is None or hold.member is None or hold.standing != "open":
            return
        member = self.store.member(hold.member)
        assert member is not None
        good = view(member.state, request.on, asset=hold.asset).available
        reserved = sum(n for key, n in member.reserved.items() if key[0] == hold.asset)
        self.require(good >= reserved, "a hold reserves what is not available on its date")

    # Tills

    def received(self, at: Machine, reply: Reply, before: Control) -> None:
        """After a till applied a reply: I4."""
        after = at.store.control()
        self._world.counts["refetched"] += isinstance(reply, SyncReply) and bool(reply.refetch)
        if after.generation == before.generation:
            for bucket, cursor in before.cursors.items():
                self.require(
                    after.cursors.get(bucket, START).feed >= cursor.feed, "I4: a cursor went back"
                )
        if isinstance(reply, SyncReply | SnapshotReply):
            self._rows_include(at, reply)
            self._shown_is_right(at)

    def till_step(self, at: Machine) -> None:
        """After anything that a till did: its rights are what head office thinks, less what is under way."""
        if at.lost:
            return
        if not self._world.settings.seed % 2:
            self._grant_is_real(at)

    def _grant_is_real(self, at: Machine) -> None:
        """Realised and potential overspend in truth: the till's grant and its unsent spends are head office's
        `left`."""
        grant = at.store.control().grant
        row = None if grant is None else self.store.grant(grant.id)
        if grant is None or row is None or row.standing != "open":
            return
        unsent = 0
        for number in range(at.store.control().acked + 1, at.store.top() + 1):
            facts = facts_of(at.store.body(number))
            if self.store.event(facts.id) is None:
                for entry, authority in facts.postings:
                    if authority == Authority("risk", grant.id):
                        unsent -= entry.amount
        self.require(grant.left + unsent <= row.left, "a till may spend more than its grant")

    def _shown_is_right(self, at: Machine) -> None:
        """I11: shown sum = the row's sum + own events that the row doesn't include."""
        store = at.store
        bases = {base.row.member: base for base in store.bases() if base.row.alias is None}
        least = min((base.incl for base in bases.values()), default=0)
        later = {member: dict(base.row.state.sums) for member, base in bases.items()}
        for number in range(least + 1, store.top() + 1):
            facts = facts_of(store.body(number))
            if facts.member is None or not facts.postings:
                continue
            member = overlay.survivor(store, facts.member)
            if member in bases and number > bases[member].incl:
                sums = later[member]
                for entry, _ in facts.postings:
                    sums[entry.asset] = sums.get(entry.asset, 0) + entry.amount
        for member, sums in later.items():
            seen = overlay.shown(store, member)
            self.require(dict(seen.sums) == sums, "I11: an own event twice or missing")

    def _rows_include(self, at: Machine, reply: SyncReply | SnapshotReply) -> None:
        """I11: `incl` is true: what head office had in the row is what the till takes as included."""
        told = self._told.pop(reply.rid, {})
        for row in reply.rows:
            base = at.store.base(row.member)
            if base is None or base.row != row or row.member not in told or row.alias is not None:
                continue
            posted = {entry.id.event for entry in told[row.member]}
            for number, entries in at.store.own_entries(row.member, 0):
                event = entries[0].id.event
                if (event in posted) != (number <= base.incl):
                    known = self.store.event(event)
                    forwarded = known is not None and known.standing == "forwarded"
                    self.require(forwarded, "I11: a row includes another event than it says")

    # The end

    def final(self) -> None:
        """I3, I5, I6, I7, I8, I9, I12 once all is healed."""
        self.server_step()
        lost = self.store.tenant().lost
        self.require(
            self._forgotten or lost <= self._may_lose, "F is more than the rights in the old images"
        )
        self._no_reservation()
        self._winners()
        for member_id in self.store.members():
            member = self.store.member(member_id)
            assert member is not None
            whole = fold(EMPTY, self.store.ledger(member_id))
            self.require(whole == member.state, "I12: not the full fold")
        for at in self._world.live():
            self._drained(at)
            self._chains(at)
            self._equal(at)
        self._count()

    def _count(self) -> None:
        """What head office has in the end, for the batch's counts."""
        counts = self._world.counts
        for member_id in self.store.members():
            member = self.store.member(member_id)
            assert member is not None
            for entry in self.store.ledger(member_id):
                counts[f"entry {entry.kind}"] += 1
            for record in self.store.cells(member_id):
                counts["conflict kept"] += record.conflict is not None
            for account in member.accounts.values():
                counts["receivable"] += account.receivable > 0
            for event in {entry.id.event for entry in self.store.ledger(member_id)}:
                known = self.store.event(event)
                assert known is not None
                kind = facts_of(known.body).kind
                counts[f"owner {kind}"] += kind in ("unexpire", "correction", "merge", "expire")
        for at in self._world.live():
            for number in range(1, at.store.top() + 1):
                known = self.store.event(facts_of(at.store.body(number)).id)
                assert known is not None
                counts[f"kept {known.standing}"] += 1

    def _no_reservation(self) -> None:
        for member_id in self.store.members():
            member = self.store.member(member_id)
            assert member is not None
            self.require(not member.reserved, "I6: a reservation was never released")
            self.require(not member.local, "I6: a local right was never released")

    def _drained(self, at: Machine) -> None:
        control = at.store.control()
        self.require(control.acked == at.store.top(), "I9: the outbox is not drained")
        self.require(not at.store.dirty(), "I9: a cell is still dirty")
        for number in range(1, at.store.top() + 1):
            body = at.store.body(number)
            known = self.store.event(facts_of(body).id)
            self.require(known is not None and known.body == body, "I3: a durable event is missing")

    def _chains(self, at: Machine) -> None:
        """I7: every epoch of the device is one chain without a gap."""
        tenant = self.store.tenant().id
        device = self.store.device(at.device)
        assert device is not None
        for epoch in range(1, device.place.epoch + 1):
            head, seq = chain_start(tenant, at.device, epoch), 1
            while (row := self.store.link(at.device, epoch, seq)) is not None:
                event = self.store.event(row.event)
                assert event is not None
                head = chain(head, event.body)
                self.require(row.chain == head, "I7: a chain is broken")
                seq += 1
            self.require(
                self.store.link(at.device, epoch, seq + 1) is None, "I7: a chain has a gap"
            )

    def _winners(self) -> None:
        """I8: the standing cell is the highest of all that arrived, by the oracle's own order."""
        highest: dict[tuple[bytes, str], tuple[int, bytes, Cell]] = {}
        for (member_id, name), cells in self._arrived.items():
            member_id = self._survivor(member_id)
            for cell in cells:
                day = 86_400_000 << 16 if cell.value == "withdrawn" else 0
                key = (member_id, name)
                ranked = (cell.hlc + day, cell.device, cell)
                if key not in highest or ranked[:2] > highest[key][:2]:
                    highest[key] = ranked
        for (member_id, name), (_, _, cell) in highest.items():
            member = self.store.member(member_id)
            if member is None or member.erased:
                continue
            stands = member.cells.get(name)
            self.require(
                stands is not None and stands.value == cell.value and stands.hlc == cell.hlc,
                f"I8: {name} is not the last one written",
            )

    def _survivor(self, member: bytes) -> bytes:
        while (known := self.store.member(member)) is not None and known.alias is not None:
            member = known.alias
        return member

    def _equal(self, at: Machine) -> None:
        """I5: what the till shows is what head office has."""
        for member_id in self.store.members():
            member = self.store.member(member_id)
            base = at.store.base(member_id)
            assert member is not None
            if base is None:
                self.fail("I5: a member is missing at a till")
                continue
            self.require(
                _bare(overlay.shown(at.store, member_id)) == _bare(self._end(member)), "I5: state"
            )
            self.require(base.row.alias == member.alias, "I5: alias")
            self.require(base.row.erased == member.erased, "I5: erasure")
            cells = {cell.field: cell for cell in base.row.cells}
            self.require(cells == dict(member.cells), "I5: profile")
        known = set(self.store.members())
        self.require(all(b.row.member in known for b in at.store.bases()), "I5: a row too many")
        for key in self._world.published:
            mine, theirs = at.store.reference(key), self.store.reference(key)
            assert theirs is not None
            self.require((None if mine is None else mine.body) == theirs.body, "I5: reference data")

    def _end(self, member: Member) -> MemberState:
        while member.alias is not None:
            survivor = self.store.member(member.alias)
            assert survivor is not None
            member = survivor
        return member.state


def _bare(state: MemberState) -> MemberState:
    return replace(state, splits=())
