"""Head office's half of the protocol: a request in, a reply out, on a store. No clock, no socket, no chance.

One call is one transaction of the store; the caller commits before the reply leaves. Pushes go before pulls,
the ledger before profiles, and what the reply says was read after both (sync.md section 4).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from app.domain.business_day import BusinessDate
from app.domain.entries import Entry
from app.protocol import (
    authority,
    chains,
    facts,
    grants,
    holds,
    late,
    looking_up,
    merging,
    owner,
    profiles,
    pull,
    unmerging,
    visiting,
)
from app.protocol.card_leases import Block, CardsReply, CardsRequest
from app.protocol.few_digits import ENDING, TAKEN, ending_of
from app.protocol.hlc import AHEAD_MOST_MS, ms_of
from app.protocol.limits import Limits
from app.protocol.open_members import survivor
from app.protocol.references import visited_bucket
from app.protocol.sales import find_sale, held_elsewhere, returned_lines, rows_of, splits_of
from app.protocol.shop_staff import StaffReply, StaffRequest
from app.protocol.store import Device, Store
from app.protocol.wire import (
    LOOKED_UP,
    CellTaken,
    Fork,
    Grant,
    HoldReply,
    HoldRequest,
    LookReply,
    LookRequest,
    NewTimeline,
    RebaseReply,
    RebaseRequest,
    ReferenceRow,
    Refusal,
    Reply,
    Request,
    SaleReply,
    SaleRequest,
    SnapshotRequest,
    SyncReply,
    SyncRequest,
    agreed,
)

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Server:
    """Head office on a store. `offset_ms` is its local time less UTC and less the time of day at which business
    days begin, for its own business date; `receipts` finds the sales of a receipt number, `people` the members
    of whom a value of a field ever came, or one that ends so (ENDING), `where` names the stores of a bucket,
    `staff` keeps who works at a till, `cards` leases card numbers, `fields` hears what was told of members."""

    store: Store
    limits: Limits
    read: chains.Reader = facts.read
    offset_ms: int = 0
    people: Callable[[str, str], Sequence[bytes]] = lambda *_: ()
    where: Callable[[str], str] = lambda _: ""
    receipts: Callable[[str], Sequence[bytes]] = lambda _: ()
    staff: Callable[[StaffRequest], None] = lambda _: None
    cards: Callable[[CardsRequest, bool], tuple[Block, ...] | None] = lambda *_: None
    fields: Callable[[tuple[CellTaken, ...]], None] = lambda _: None

    def handle(self, request: Request, now_ms: int, rng: random.Random) -> Reply:
        """Answer one request of a till whose signature was checked."""
        tenant = self.store.tenant()
        self.store.put_tenant(tenant._replace(clock_ms=max(tenant.clock_ms, now_ms)))
        device = self.store.device(request.device)
        if device is None:
            return Refusal(request.rid, "unknown")
        if device.standing != "live":
            return Refusal(request.rid, "revoked" if device.standing == "lost" else "locked")
        if isinstance(request, SyncRequest):
            return self._sync(device, request, now_ms, rng)
        if isinstance(request, RebaseRequest):
            return self._rebase(device, request, now_ms)
        if isinstance(request, HoldRequest):
            return self._hold(device, request)
        if isinstance(request, SaleRequest):
            return self._sale(device, request, now_ms)
        if isinstance(request, LookRequest):
            return self._look(device, request, now_ms)
        if isinstance(request, StaffRequest):
            return self._staff(device, request)
        if isinstance(request, CardsRequest):
            return self._cards(device, request)
        return self._snapshot(device, request)

    def today(self, now_ms: int) -> BusinessDate:
        """Head office's business date."""
        return BusinessDate((now_ms + self.offset_ms) // DAY_MS)

    # What operators do

    def enrol(self, device: bytes, home: str, *buckets: str, forgotten: bool = False) -> None:
        """Let a till in. `forgotten`: it was in before, and the restored store doesn't know it: it has yet to
        tell what it had."""
        tenant = self.store.tenant()
        assert self.store.device(device) is None, "a till is let in once"
        timeline = 0 if forgotten else tenant.timeline
        self.store.put_device(chains.enrolled(tenant.id, device, home, timeline, *buckets))
        if self.store.head(visited_bucket(home)):
            visiting.subscribe(self.store, home)

    def unlock(self, device: bytes) -> None:
        """Let a till go on that rebased too often, once somebody has looked at it."""
        known = self.store.device(device)
        assert known is not None
        assert known.standing == "locked"
        self.store.put_device(known._replace(standing="live", rebased_ms=()))

    def write_off(self, device: bytes) -> int:
        """A till is lost; returns the amount that W grew by."""
        return authority.write_off(self.store, device)

    def take_late(
        self, device: bytes, bodies: Sequence[bytes], now_ms: int, *, last: bool = True
    ) -> late.Late:
        """A lost till's outbox was brought after all; `bodies` in their order, checked to be that till's.
        `last`: no further portion of it comes."""
        known = self.store.device(device)
        assert known is not None
        today = self.today(now_ms)
        return late.take_late(self.store, known, bodies, self.read, today, last=last)

    def forgive(self, member: bytes) -> int:
        """Write a member's spend debt off; returns the amount that W grew by."""
        return authority.forgive(self.store, member)

    def merge(self, loser: bytes, winner: bytes, now_ms: int) -> bool:
        """Merge two members; False while either has holds or till-local rights, or is erased."""
        if not merging.merge(self.store, loser, winner, self.today(now_ms)):
            return False
        profiles.merge_cells(self.store, loser, survivor(self.store, winner))
        visiting.follow(self.store, loser, self.today(now_ms))
        return True

    def unmerge(self, loser: bytes, now_ms: int) -> tuple[unmerging.Parted, ...] | None:
        """Undo a merge; what came and what went back, by asset. None while anything of the survivor is
        reserved, if it was merged itself since, is erased, or if there is nothing to undo."""
        known = self.store.member(loser)
        parted = unmerging.unmerge(self.store, loser, self.today(now_ms))
        if parted is not None and known is not None and known.alias is not None:
            profiles.part_cells(self.store, loser, known.alias)
        return parted

    def forfeit(self, member: bytes, now_ms: int) -> Mapping[str, int]:
        """Write off what a member still has, before they are erased; returns it by asset."""
        return owner.forfeit(self.store, member, self.today(now_ms))

    def adjust(self, member: bytes, event: bytes, entries: Sequence[Entry]) -> None:
        """Points by hand, decided at head office; the rules for it are the caller's."""
        owner.adjust(self.store, member, event, entries)

    def erase(self, member: bytes, home: str) -> None:
        """Forget a person of bucket `home`. Who asks makes sure first that nothing is left of theirs: a
        restored head office forgets them again, whatever it has."""
        profiles.erase(self.store, member, home)

    def erasure_done(self, member: bytes) -> bool:
        """Whether a person is forgotten everywhere, but at tills that are lost."""
        return profiles.erasure_done(self.store, member)

    def erasure_waits(self, member: bytes) -> Sequence[bytes]:
        """The tills that have yet to forget an erased person; none: it is done."""
        return profiles.erasure_waits(self.store, member)

    def book_expiries(self, now_ms: int) -> int:
        """Book what lapsed long enough ago, and let leave who was not seen for long; returns how many members
        something was booked for."""
        on, grace = self.today(now_ms), self.limits.grace_days
        for member in self.store.members():
            visiting.leave(self.store, member, on, self.limits.visited_days)
        return sum(
            owner.book_expiry(self.store, member, on, grace) for member in self.store.members()
        )

    def publish(self, row: ReferenceRow) -> None:
        """A set of reference data, whole."""
        self.store.put_reference(row)

    def restored(self, timeline: int) -> None:
        """The store was brought back from a backup. `timeline` must never have been used before, by a lost
        future of the backup neither: take the clock's milliseconds."""
        tenant = self.store.tenant()
        assert timeline > tenant.timeline
        self.store.put_tenant(tenant._replace(timeline=timeline, as_of_ms=tenant.clock_ms))

    # Requests

    def _sync(self, device: Device, request: SyncRequest, now_ms: int, rng: random.Random) -> Reply:
        tenant = self.store.tenant()
        if request.timeline != tenant.timeline:
            return NewTimeline(request.rid, tenant.timeline, device.place, tenant.as_of_ms)
        if chains.forked(self.store, device, request):
            return Fork(request.rid)
        differs = pull.differing(self.store, device, request) if device.fenced else ()
        device = chains.push(self.store, device, request, self.read, self.today(now_ms))
        device = self._seen(device, request)
        taken = profiles.take_cells(self.store, request.cells, device.home, now_ms)
        self.fields(taken)
        # Those too that nothing came of: the till kept the member only for what it had to tell.
        for member in dict.fromkeys(each.member for each in taken):
            device = visiting.visit(self.store, device, member, self.today(now_ms))
        upgrade = agreed(request.protos) is None
        # Before its fence a till's new epoch does not tell which of its events head office has.
        quiet = upgrade or not device.fenced
        page = pull.page(self.store, device, {} if quiet else request.cursors, self.limits)
        if quiet:
            page = pull.Page((), (), dict(request.cursors), (), False)
        return SyncReply(
            rid=request.rid,
            timeline=tenant.timeline,
            now_ms=now_ms,
            have=device.place,
            rows=page.rows,
            references=page.references,
            cursors=page.cursors,
            more=page.more,
            cells=taken,
            grant=None if upgrade else self._grant(device, request, now_ms, rng),
            open_holds=tuple(sorted(hold.id for hold in self.store.open_holds(device.id))),
            refetch=page.refetch,
            differs=differs,
            upgrade=upgrade,
            buckets=() if set(request.cursors) == set(device.buckets) else device.buckets,
            clock_skew=any(ms_of(cell.hlc) > now_ms + AHEAD_MOST_MS for cell in request.cells),
        )

    def _seen(self, device: Device, request: SyncRequest) -> Device:
        seen = tuple(
            (bucket, min(request.cursors[bucket].feed, self.store.head(bucket)))
            for bucket in device.buckets
            if bucket in request.cursors
        )
        device = device._replace(seen=seen)
        self.store.put_device(device)
        return device

    def _grant(
        self, device: Device, request: SyncRequest, now_ms: int, rng: random.Random
    ) -> Grant | None:
        row = self.store.open_grant(device.id)
        if row is None and request.wants_grant:
            row = grants.issue_grant(self.store, device, self.limits, now_ms, rng)
        if row is None or row.epoch != device.place.epoch:
            return None
        return Grant(row.id, row.epoch, row.left, row.cap, row.lease_until_ms)

    def _rebase(self, device: Device, request: RebaseRequest, now_ms: int) -> Reply:
        device = chains.rebase(self.store, device, request, self.limits, now_ms)
        if device.standing != "live":
            return Refusal(request.rid, "locked")
        tenant = self.store.tenant()
        return RebaseReply(
            request.rid, tenant.timeline, device.place.epoch, device.common, tenant.as_of_ms
        )

    def _look(self, device: Device, request: LookRequest, now_ms: int) -> LookReply:
        if not self._usable(device, request):
            return LookReply(request.rid)
        ending = ending_of(request.value) if request.field == ENDING else None
        if ending is not None:
            found = self.people(ENDING, ending.four)
            offered, why = looking_up.offer(self.store, ending, found, self.where)
            return LookReply(request.rid, (), device.place, offered, why)
        if request.field == TAKEN:
            found = looking_up.take(self.store, request.value)
        elif request.field in LOOKED_UP:
            people = self.people(request.field, request.value)
            found = looking_up.look_up(self.store, request, people)
        else:
            return LookReply(request.rid)
        for member in found:
            device = visiting.visit(self.store, device, member, self.today(now_ms))
        rows = tuple([row for member in found for row in rows_of(self.store, member)])
        return LookReply(request.rid, rows, device.place)

    def _staff(self, device: Device, request: StaffRequest) -> StaffReply:
        usable = self._usable(device, request)
        if usable:
            self.staff(request)
        return StaffReply(request.rid, usable)

    def _cards(self, device: Device, request: CardsRequest) -> CardsReply:
        """Of an epoch that has not yet told its events too: a till that has just joined needs its numbers."""
        timeline = self.store.tenant().timeline
        if (request.epoch, request.timeline) != (device.place.epoch, timeline):
            return CardsReply(request.rid)
        return CardsReply(request.rid, self.cards(request, grants.recovering(self.store)))

    def _usable(
        self, device: Device, request: HoldRequest | SaleRequest | LookRequest | StaffRequest
    ) -> bool:
        """A hold lives within one epoch and one timeline, so that no late request reserves for a till that has
        given up its rights since."""
        return (
            request.epoch == device.place.epoch
            and device.fenced
            and request.timeline == self.store.tenant().timeline
            and not grants.recovering(self.store)
        )

    def _sale(self, device: Device, request: SaleRequest, now_ms: int) -> SaleReply:
        if not self._usable(device, request):
            return SaleReply(request.rid, "not_now")
        found = find_sale(self.store, device, request.rid, self.receipts(request.receipt))
        if not found.rows:
            return found
        member = found.rows[0].member
        visiting.visit(self.store, device, member, self.today(now_ms))
        return msgspec.structs.replace(found, rows=rows_of(self.store, member))

    def _hold(self, device: Device, request: HoldRequest) -> HoldReply:
        usable = self._usable(device, request)
        granted = usable and holds.request_hold(self.store, device, request)
        if request.sale is None:
            return HoldReply(request.rid, request.hold, granted)
        event = self.store.event(request.sale)
        splits = splits_of(self.store, request.sale)
        returned = returned_lines(self.store, request.sale)
        return HoldReply(
            request.rid,
            request.hold,
            granted,
            None if event is None else event.body,
            splits,
            tuple(sorted(returned.items())),
            held_elsewhere(self.store, request.sale, device.id),
            device.place,
        )

    def _snapshot(self, device: Device, request: SnapshotRequest) -> Reply:
        tenant = self.store.tenant()
        if request.timeline != tenant.timeline:
            return NewTimeline(request.rid, tenant.timeline, device.place, tenant.as_of_ms)
        found = pull.frame(self.store, device, request)
        return found or Refusal(request.rid, "no_snapshot")
