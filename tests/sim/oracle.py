"""What must hold, at every step of head office and of every till, and once all is healed (sync.md section 8).

The oracle computes by itself: sums from ledgers, D and reservations from members and holds, winners from the
cells that arrived. It asks the code under test for nothing that it could work out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from app.domain.entries import CARRIED, Entry
from app.domain.fold import fold
from app.domain.state import EMPTY, view
from app.protocol import overlay
from app.protocol.accounts import Account, has_account
from app.protocol.facts import Authority
from app.protocol.references import is_visited
from app.protocol.store import Member, Store
from app.protocol.till_store import Control
from app.protocol.wire import (
    START,
    Cell,
    HoldReply,
    HoldRequest,
    MemberRow,
    Reply,
    Request,
    SnapshotReply,
    SyncReply,
    SyncRequest,
    unpack_row,
)
from tests.sim.machine import Machine, facts_of
from tests.sim.parting import Parting

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
        self.world = world
        self.steps = 0
        self._looked = 0
        self._lost = 0
        self.may_lose = 0
        self.forgotten = False
        self.arrived: dict[tuple[bytes, str], list[Cell]] = {}
        self._told: dict[tuple[bytes, int], dict[bytes, Sequence[Entry]]] = {}
        self._tainted: dict[bytes, bytes | None] = {}
        self._forwarded: set[bytes] = set()
        self._snapshots: dict[int, dict[bytes, Sequence[Entry]]] = {}
        self.parting = Parting(self)
        self._forget()

    def fail(self, why: str) -> None:
        """Say what is wrong, and when."""
        raise Broken(f"seed {self.world.settings.seed}, {self.world.now_ms}: {why}")

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
        self.parting.forget()

    @property
    def store(self) -> Store:
        return self.world.server.store

    # Head office

    def office_restored(self) -> None:
        """All is looked at anew: the store is another one."""
        self._forget()
        self._lost = self.store.tenant().lost
        self.forgotten = True
        for at in self.world.machines:
            self._tainted.setdefault(at.device, None)
        self.arrived.clear()
        for member in self.store.members():
            for record in self.parting.own_cells(member):
                key = (member, record.sent.field)
                self.arrived.setdefault(key, []).append(record.sent)

    def rolled_back(self, at: Machine) -> None:
        """A whole disk was put back: until the till's next fence its spends may lack their authority."""
        device = self.store.device(at.device)
        self._tainted[at.device] = None if device is None else device.nonce
        control = at.store.control()
        self.may_lose += sum(right.left for right in control.rights)
        self.may_lose += sum(hold.amount for hold in control.holds)
        self.may_lose += 0 if control.grant is None else control.grant.left

    def served(self, request: Request, reply: Reply) -> None:
        """After head office answered."""
        self._loss_is_explained(request.device)
        if isinstance(request, SyncRequest):
            self.parting.heard(request.events)
            for body in request.events:
                known = self.store.event(facts_of(body).id)
                if known is not None and known.standing == "forwarded":
                    self._forwarded.add(known.id)
        if isinstance(request, SyncRequest) and isinstance(reply, SyncReply):
            for cell in request.cells:
                self.arrived.setdefault((cell.member, cell.field), []).append(cell)
        if isinstance(reply, SyncReply):
            self.require(not reply.differs, "rows at a till differ from head office's")
            self._told[_answer(reply)] = {
                row.member: self.store.ledger(row.member) for row in _rows(reply)
            }
        elif isinstance(reply, SnapshotReply):
            self._told[_answer(reply)] = self._snapshots[reply.snapshot]
        self.server_step()
        if isinstance(request, HoldRequest) and isinstance(reply, HoldReply) and reply.granted:
            self._hold_is_good(request)

    def told_late(self, at: Machine) -> None:
        """After a lost till's outbox came: all of it is here, W covers what it spent by rights that it had, and
        nothing is reserved for it."""
        self._loss_is_explained(at.device)
        for body in at.file:
            known = self.store.event(facts_of(body).id)
            self.require(known is not None and known.body == body, "I3: a late event is missing")
            if known is not None and known.standing == "forwarded":
                self._forwarded.add(known.id)
        kept = list(self.store.members_reserved_for(at.device))
        self.require(not kept, "I6: something is reserved for a lost till")
        self.server_step()

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
        if not self.world.settings.seed % 2:
            self.require(tenant.lost == 0, "no authority is lost without a rollback: F = 0")
            if not tenant.budget:
                self.require(
                    overdrawn <= tenant.written_off, "I10: R = 0 and D > what was written off"
                )
        self.world.counts["overdrawn"] += overdrawn > 0
        self.world.counts["bound reached"] += overdrawn + left == bound and bound > 0

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
            if not entry.asset.startswith(CARRIED):
                sums[entry.asset] = sums.get(entry.asset, 0) + entry.amount
            self.parting.posted(member.id, entry, again=self._again)
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
        self.world.counts["refetched"] += isinstance(reply, SyncReply) and bool(reply.refetch)
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
        if not self.world.settings.seed % 2:
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
        told = self._told.pop(_answer(reply), {})
        for row in _rows(reply):
            base = at.store.base(row.member)
            if base is None or base.row != row or row.member not in told or row.alias is not None:
                continue
            posted = {entry.id.event for entry in told[row.member]}
            for number, entries in at.store.own_entries(row.member, 0):
                event = entries[0].id.event
                if (event in posted) != (number <= base.incl):
                    # Head office may have been put back to before it since the answer left.
                    forwarded = event in self._forwarded
                    self.require(forwarded, "I11: a row includes another event than it says")


def _rows(reply: SyncReply | SnapshotReply) -> list[MemberRow]:
    """All rows of members in an answer, copies of visited ones too."""
    copies = [each.body for each in reply.references if is_visited(each.bucket) and each.body]
    return [unpack_row(row) for row in [*reply.rows, *copies]]


def _answer(reply: SyncReply | SnapshotReply) -> tuple[bytes, int]:
    """A request that came twice was answered twice, each time with what there was then."""
    return reply.rid, reply.now_ms if isinstance(reply, SyncReply) else reply.snapshot
