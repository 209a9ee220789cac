"""The till's half of the protocol: what to ask head office next, and what a reply changes. No clock, no socket.

One request is in flight, and its reply alone is taken. A reply is applied in one transaction of the store.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

import msgspec

from app.domain.business_day import BusinessDate
from app.protocol import overlay, own_chain
from app.protocol.card_leases import Block, CardsReply, CardsRequest
from app.protocol.hlc import stamp
from app.protocol.ids import random_id
from app.protocol.replies import (
    adopt_timeline,
    apply_found,
    apply_frame,
    apply_hold,
    apply_sync,
    begin_anew,
    end_stale_rights,
    no_snapshot,
    own_bucket,
)
from app.protocol.shop_staff import StaffReply, StaffRequest, WorksHere
from app.protocol.till_store import Begun, OwnHold, TillStore
from app.protocol.wire import (
    CELLS_MOST,
    EVENT_BYTES_MOST,
    EVENTS_MOST,
    Cell,
    Fork,
    HoldReply,
    HoldRequest,
    LookReply,
    LookRequest,
    NewTimeline,
    RebaseAnchor,
    RebaseReply,
    RebaseRequest,
    Refusal,
    Reply,
    Request,
    SaleReply,
    SaleRequest,
    SnapshotReply,
    SnapshotRequest,
    SyncReply,
    SyncRequest,
    digest,
)


class Till:
    """A till on its store. What is kept here alone, the id of the question in hand, may be lost at any time."""

    def __init__(self, store: TillStore, in_flight: bytes = b"") -> None:
        self.store = store
        self.in_flight = in_flight

    def start(self, rng: random.Random, *, behind: bool) -> None:
        """After the process began. `behind`: the database is older than its side file or had to replay events
        of the journal file, so rights that came after it are unknown: give all up."""
        if behind:
            own_chain.give_up(self.store, random_id(rng))

    # What the counter does

    def set_cell(self, member: bytes, name: str, value: str | None, now_ms: int) -> Cell:
        """Write a profile field. It stays dirty until head office has answered it."""
        control = self.store.control()
        known = overlay.profile(self.store, member).get(name)
        hlc = stamp(control.hlc, now_ms)
        cell = Cell(member, name, value, hlc, control.device, 0 if known is None else known.hlc)
        self.store.put_control(control._replace(hlc=hlc))
        self.store.put_dirty(cell)
        return cell

    def ask_hold(
        self, member: bytes, asset: str, amount: int, on: BusinessDate, rng: random.Random
    ) -> HoldRequest | None:
        """Ask head office to reserve an amount for a spend. None while this till may hold no right."""
        return self._ask(random_id(rng), rng, on, member=member, asset=asset, amount=amount)

    def ask_return(
        self,
        sale: bytes,
        lines: tuple[tuple[int, int], ...],
        on: BusinessDate,
        rng: random.Random,
    ) -> HoldRequest | None:
        """Ask for a sale of another till, and to reserve lines of it for a return."""
        return self._ask(random_id(rng), rng, on, sale=sale, lines=lines)

    def ask_return_anew(
        self,
        sale: bytes,
        lines: tuple[tuple[int, int], ...],
        on: BusinessDate,
        rng: random.Random,
    ) -> HoldRequest | None:
        """The same for one return that is asked about until it is made or given up: the same lines are the same
        hold, answered or not; with other lines the hold before ends."""
        before = [
            hold
            for hold in self.store.control().holds
            if hold.sale == sale and hold.standing != "ended"
        ]
        same = next((hold for hold in before if hold.lines == lines), None)
        if same is not None:
            return self._request(same, rng, on)
        request = self.ask_return(sale, lines, on, rng)
        for hold in before:
            self.void_hold(hold.id, on, rng)
        if request is None or not before:
            return request
        return msgspec.structs.replace(request, instead=before[-1].id)

    def ask_sale(self, receipt: str, rng: random.Random) -> SaleRequest | None:
        """Ask for the sale of a receipt number. None while this till may hold no right."""
        control = self.store.control()
        if not control.settled or control.revoked:
            return None
        return SaleRequest(random_id(rng), control.device, control.epoch, control.timeline, receipt)

    def ask_member(self, name: str, value: str, rng: random.Random) -> LookRequest | None:
        """Ask who has a phone or a card. None while head office may not know where this till stands."""
        control = self.store.control()
        if not control.settled or control.revoked:
            return None
        at = (control.device, control.epoch, control.timeline)
        return LookRequest(random_id(rng), *at, name, value)

    def tell_staff(
        self, people: tuple[WorksHere, ...], at: int, rng: random.Random
    ) -> StaffRequest | None:
        """Tell who works here. None while head office may not know where this till stands."""
        control = self.store.control()
        if not control.settled or control.revoked:
            return None
        return StaffRequest(
            random_id(rng), control.device, control.epoch, control.timeline, at, people
        )

    def ask_cards(
        self, blocks: tuple[Block, ...], left: int, rng: random.Random
    ) -> CardsRequest | None:
        """Ask which card numbers may be given out here. None while the till's epoch is to be another one."""
        control = self.store.control()
        if control.nonce or control.revoked:
            return None
        return CardsRequest(
            random_id(rng), control.device, control.epoch, control.timeline, blocks, left
        )

    def found(self, request: SaleRequest | LookRequest, reply: SaleReply | LookReply) -> int | None:
        """Take the rows that were asked for; returns the last own event that head office had, None where this
        till has begun anew meanwhile and can't tell."""
        control = self.store.control()
        have = reply.have
        if have is None or request.timeline != control.timeline or have.epoch != control.epoch:
            return None
        return apply_found(self.store, reply.rows, have.seq)

    def void_hold(self, hold_id: bytes, on: BusinessDate, rng: random.Random) -> None:
        """Let a hold go that was not answered in time, or is not needed any more."""
        own_chain.void_hold(self.store, hold_id, random_id(rng), on)

    # Asking and hearing

    def request(
        self,
        rng: random.Random,
        *,
        written: int,
        digests: Mapping[str, int] | None = None,
        frames: int = 1,
    ) -> Request:
        """What to send now. `written`: the last own event that is in the journal file; later ones wait.
        `digests`: once a day, for head office to compare the rows that are here with its own. `frames`: so
        many of a snapshot can be taken in at once."""
        control = self.store.control()
        rid = self.in_flight = random_id(rng)
        if control.nonce:
            return self._rebase(rid)
        bare = [bucket for bucket in control.buckets if bucket not in control.cursors]
        if not bare or not control.settled or control.acked < written or self.store.dirty(1):
            return self._sync(rid, written, digests or {})  # pushes go before pulls
        begun = control.begun or Begun(bare[0], 0, 0)
        return SnapshotRequest(
            rid, control.device, control.timeline, begun.bucket, begun.snapshot, begun.frame, frames
        )

    def receive(self, reply: Reply, now_ms: int, on: BusinessDate, rng: random.Random) -> bool:
        """Apply a reply. False: it is not that of the request in flight, and changes nothing."""
        if isinstance(reply, HoldReply):
            return apply_hold(self.store, reply)
        if (
            isinstance(reply, SaleReply | LookReply | StaffReply | CardsReply)
            or reply.rid != self.in_flight
        ):
            return False
        self.in_flight = b""
        store = self.store
        if isinstance(reply, SyncReply):
            apply_sync(store, reply, now_ms, on, rng)
            end_stale_rights(store, now_ms, on, rng)
        elif isinstance(reply, SnapshotReply):
            if self._strays_from(reply):
                own_chain.give_up(store, random_id(rng))
            else:
                apply_frame(store, reply)
        elif isinstance(reply, Fork):
            own_chain.give_up(store, random_id(rng))
        elif isinstance(reply, NewTimeline):
            self._new_timeline(reply, on, rng)
        elif isinstance(reply, RebaseReply):
            adopt_timeline(store, reply.timeline, reply.as_of_ms)
            own_chain.rechain(store, reply.epoch, reply.common, random_id(rng), on)
            control = store.control()
            if not set(control.buckets) <= set(control.cursors):
                # It was put back amid a fetch. A member may have left since of whom it has no row, only a
                # field that was answered: nothing else would find them gone.
                store.put_control(begin_anew(control))
        else:
            self._refused(reply)
        return True

    # Inside

    def _ask(
        self,
        hold: bytes,
        rng: random.Random,
        on: BusinessDate,
        *,
        member: bytes | None = None,
        asset: str = "",
        amount: int = 0,
        sale: bytes | None = None,
        lines: tuple[tuple[int, int], ...] = (),
    ) -> HoldRequest | None:
        control = self.store.control()
        if not control.settled or control.revoked:
            return None
        asked = OwnHold(hold, "asked", member, asset, amount, sale=sale, lines=lines)
        self.store.put_control(control._replace(holds=(*control.holds, asked)))
        return self._request(asked, rng, on)

    def _request(self, hold: OwnHold, rng: random.Random, on: BusinessDate) -> HoldRequest:
        control = self.store.control()
        return HoldRequest(
            random_id(rng), control.device, control.epoch, control.timeline, hold.id, hold.member,
            hold.asset, hold.amount, on, hold.sale, hold.lines,
        )  # fmt: skip

    def _sync(self, rid: bytes, written: int, digests: Mapping[str, int]) -> SyncRequest:
        store = self.store
        control = store.control()
        bodies, size = list[bytes](), 0
        for number in range(control.acked + 1, written + 1):
            body = store.body(number)
            size += len(body)
            if len(bodies) == EVENTS_MOST or (bodies and size > EVENT_BYTES_MOST):
                break
            bodies.append(body)
        return SyncRequest(
            rid=rid,
            device=control.device,
            timeline=control.timeline,
            acked=own_chain.chain_at(store, control.acked - control.base),
            top=written - control.base,
            events=tuple(bodies),
            cells=tuple(store.dirty(CELLS_MOST)),
            cursors=dict(control.cursors),
            wants_grant=control.grant is None and control.settled,
            digests=dict(digests),
        )

    def ask_nothing(self, rng: random.Random, *, written: int) -> SyncRequest | None:
        """A poll that tells nothing and wants nothing, for who has yet to prove that they are head office
        (`has_all`). Its answer is never applied. None while this till has no place in a chain."""
        control = self.store.control()
        if control.nonce:
            return None
        return SyncRequest(
            rid=random_id(rng),
            device=control.device,
            timeline=control.timeline,
            acked=own_chain.chain_at(self.store, control.acked - control.base),
            top=written - control.base,
            events=(),
            cells=(),
            cursors=dict(control.cursors),
            wants_grant=False,
        )

    def digests(self) -> dict[str, int]:
        """The sums of the rows of each bucket that is here whole. Reads all of them."""
        control = self.store.control()
        if control.sweeping:
            return {}
        bases = list(self.store.bases())
        return {
            bucket: digest(base.row for base in bases if own_bucket(control, base.row) == bucket)
            for bucket in control.cursors
        }

    def _rebase(self, rid: bytes) -> RebaseRequest:
        """Anchors grow sparse backwards from the last event, so they are few however long the chain is."""
        store = self.store
        control = store.control()
        anchors, number, step = list[RebaseAnchor](), store.top(), 1
        while number > 0:
            for epoch, base in reversed(control.segments):
                row = store.link(epoch, number - base)
                if row is not None:
                    anchors.append(RebaseAnchor(number, row.epoch, row.seq, row.chain))
            number, step = number - step, step * 2
        return RebaseRequest(rid, control.device, control.epoch, control.nonce, tuple(anchors))

    def _strays_from(self, reply: SnapshotReply) -> bool:
        """Whether head office has events of this epoch that are not this till's own: an old disk is back, and
        what a row includes would count for events that were made since. A push would be answered by a Fork."""
        control, have = self.store.control(), reply.have
        if reply.timeline != control.timeline or have.epoch != control.epoch:
            return False  # The snapshot is begun anew.
        if have.seq > self.store.top() - control.base:
            return True
        return own_chain.chain_at(self.store, have.seq) != have

    def _new_timeline(self, reply: NewTimeline, on: BusinessDate, rng: random.Random) -> None:
        """Head office has forgotten: what it promised since is void, what it lacks is sent again."""
        store = self.store
        adopt_timeline(store, reply.timeline, reply.as_of_ms)
        control = store.control()
        if control.grant is not None:
            own_chain.close_grant(store, random_id(rng), on)
        for hold in control.holds:
            if hold.standing != "ended":
                own_chain.void_hold(store, hold.id, random_id(rng), on)
        have = reply.have
        known = have.epoch == control.epoch and have.seq <= store.top() - control.base
        # An epoch's genesis says nothing of where it begins: another future may have given the same number.
        known = known and (have.seq > 0 or not control.base)
        if known and own_chain.chain_at(store, have.seq) == have:
            store.put_control(store.control()._replace(acked=control.base + have.seq))
        else:
            own_chain.give_up(store, random_id(rng))

    def _refused(self, reply: Refusal) -> None:
        control = self.store.control()
        if reply.why == "revoked":
            # Members go in portions afterwards, which is the shell's to do (app/usecases/wipe.py).
            self.store.put_control(control._replace(revoked=True, grant=None, holds=(), rights=()))
        elif reply.why == "no_snapshot":
            no_snapshot(self.store)
