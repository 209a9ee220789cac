"""Bugs planted on purpose, the test of the test: each patches the code under test, and the swarm must find it.

No flag in the product knows of them. `seed` is the first one that found the bug; a run begins there, so that
it is short, and goes on with the seeds after it where the simulator has changed since.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from app.domain.entries import Entry, EntryId
from app.protocol import (
    authority,
    carrying,
    chains,
    grants,
    holds,
    late,
    merging,
    overlay,
    own_chain,
    owner,
    profiles,
    pull,
    replies,
    sales,
    unmerging,
    visiting,
)
from app.protocol.facts import Facts, Posting
from app.protocol.open_members import OpenMember
from app.protocol.server import Server
from app.protocol.till_store import TillStore
from app.protocol.wire import Cursor, Grant
from tests.sim import memory
from tests.sim.memory import MemoryStore
from tests.sim.settings import HOUR

Patch = pytest.MonkeyPatch


@dataclass(frozen=True, slots=True)
class Bug:
    """A planted bug and the run in which it was found."""

    name: str
    plant: Callable[[Patch], None]
    seed: int


def server_closes_grant(patch: Patch) -> None:
    """Head office closes a grant whose lease is over, instead of the till."""
    issue = grants.issue_grant

    def closing(store: Any, device: Any, limits: Any, now_ms: int, rng: Any) -> Any:
        row = store.open_grant(device.id)
        if row is not None and row.lease_until_ms <= now_ms:
            grants.close_grant(store, row.id, device.id)
        return issue(store, device, limits, now_ms, rng)

    def grant(self: Any, device: Any, request: Any, now_ms: int, rng: Any) -> Any:
        row = closing(self.store, device, self.limits, now_ms, rng)
        if row is None or row.epoch != device.place.epoch:
            return None
        return Grant(row.id, row.epoch, row.left, row.cap, row.lease_until_ms)

    patch.setattr(Server, "_grant", grant)


def hold_freed_by_time(patch: Patch) -> None:
    """A hold that is an hour old is freed by head office."""
    since: dict[bytes, int] = {}
    handle = Server.handle

    def handling(self: Server, request: Any, now_ms: int, rng: Any) -> Any:
        for device in self.store.devices():
            for hold in self.store.open_holds(device.id):
                if now_ms - since.setdefault(hold.id, now_ms) > HOUR // 12:
                    holds.end_hold(self.store, hold, "void")
        return handle(self, request, now_ms, rng)

    patch.setattr(Server, "handle", handling)


def acknowledged_without_storing(patch: Patch) -> None:
    """An event is acknowledged and linked, but not posted."""
    accept = owner.accept

    def losing(store: Any, device: Any, facts: Facts, body: bytes, today: Any) -> None:
        if facts.kind != "top_up":
            accept(store, device, facts, body, today)

    patch.setattr(owner, "accept", losing)


def local_credit_not_reserved(patch: Patch) -> None:
    """A credit that a till may spend by itself can be spent by others at once."""

    def credit(opened: OpenMember, entry: Any, device: bytes) -> None:
        opened.change(entry.asset, opened.account(entry.asset).credited(entry.amount))

    patch.setattr(authority, "_credit_local", credit)


def no_dedupe(patch: Patch) -> None:
    """An event that was chained anew is posted again."""
    event = MemoryStore.event
    asked: list[bytes] = []

    def forgetful(self: MemoryStore, key: bytes) -> Any:
        return None if asked else event(self, key)

    take = chains.take

    def taking(*args: Any) -> Any:
        asked.append(b"")
        try:
            return take(*args)
        finally:
            asked.pop()

    patch.setattr(MemoryStore, "event", forgetful)
    patch.setattr(
        MemoryStore, "put_event", lambda self, event: self._events.__setitem__(event.id, event)
    )
    patch.setattr(chains, "take", taking)


def no_fork_check(patch: Patch) -> None:
    """A restored till goes on in its old epoch; what doesn't fit is skipped by number."""
    patch.setattr(chains, "forked", lambda store, device, request: False)


def last_arrival_wins(patch: Patch) -> None:
    """A profile field is what came last."""
    patch.setattr(profiles, "winner", lambda one, other: other)


def no_tombstone(patch: Patch) -> None:
    """A void of a hold that head office doesn't know leaves nothing behind.

    Planted together with the next one: a till that looks at the list of open holds voids such a hold again, and
    so hides that its tombstone is missing. The tombstone alone has a test in test_authority.py.
    """
    void = holds.void_hold

    def voiding(store: Any, device: Any, hold_id: bytes) -> None:
        if store.hold(hold_id) is not None:
            void(store, device, hold_id)

    patch.setattr(authority, "void_hold", voiding)
    patch.setattr(replies, "_void_unknown_holds", lambda store, open_holds, on, rng: None)


def unknown_holds_ignored(patch: Patch) -> None:
    """The list of open holds in a reply is not looked at."""
    patch.setattr(replies, "_void_unknown_holds", lambda store, open_holds, on, rng: None)


def fence_too_early(patch: Patch) -> None:
    """The old epoch's rights are freed when the new one is asked for, before its events have come."""
    rebase = chains.rebase

    def freeing(store: Any, device: Any, request: Any, limits: Any, now_ms: int) -> Any:
        device = rebase(store, device, request, limits, now_ms)
        authority.fence(store, device, device.nonce)
        device = device._replace(fenced=False)
        store.put_device(device)
        return device

    patch.setattr(chains, "rebase", freeing)


def hold_across_epochs(patch: Patch) -> None:
    """A till keeps its holds through a rebase."""

    def give_up(store: TillStore, nonce: bytes) -> None:
        control = store.control()
        store.put_control(control._replace(nonce=nonce, grant=None, rights=()))

    patch.setattr(own_chain, "give_up", give_up)


def overlay_dropped_on_acknowledgement(patch: Patch) -> None:
    """An own event is shown no more once it is acknowledged, though no row has it yet."""
    later = overlay.later_entries

    def dropping(store: TillStore, member: bytes) -> Any:
        base = store.base(member)
        acked = store.control().acked
        if base is None or base.incl >= acked:
            return later(store, member)
        return [entry for number, entries in store.own_entries(member, acked) for entry in entries]

    patch.setattr(overlay, "later_entries", dropping)


def hold_on_pending_points(patch: Patch) -> None:
    """A hold looks at the balance alone, pending and lapsed points included."""
    patch.setattr(
        holds,
        "may_reserve",
        lambda opened, request: opened.account(request.asset).avail >= request.amount,
    )


def expiry_under_a_hold(patch: Patch) -> None:
    """An expiry is booked though somebody has something reserved."""
    book = owner.book_expiry

    def booking(store: Any, member: bytes, on: Any, grace_days: int) -> bool:
        known = store.member(member)
        if known is None or not known.reserved:
            return book(store, member, on, grace_days)
        reserved = known.reserved
        store.put_member(replace(known, reserved={}))
        booked = book(store, member, on, grace_days)
        store.put_member(replace(store.member(member), reserved=reserved))
        return booked

    patch.setattr(owner, "book_expiry", booking)


def void_raises_left(patch: Patch) -> None:
    """The void of a spend gives its room back to the till's grant."""
    record = own_chain.record

    def recording(store: TillStore, facts: Facts, body: bytes) -> int:
        number = record(store, facts, body)
        control = store.control()
        if facts.kind == "void" and control.grant is not None:
            back = sum(p.entry.amount for p in facts.postings if _is_restore(p))
            grant = control.grant._replace(left=control.grant.left + back)
            store.put_control(control._replace(grant=grant))
        return number

    patch.setattr(own_chain, "record", recording)


def void_raises_left_at_head_office(patch: Patch) -> None:
    """The void of a spend gives its room back to the grant at head office: room that was given out since."""
    post = authority.apply_posting

    def posting_back(opened: OpenMember, posting: Posting, device: bytes) -> None:
        post(opened, posting, device)
        grant = opened.store.open_grant(device)
        if _is_restore(posting) and grant is not None:
            amount, tenant = posting.entry.amount, opened.store.tenant()
            opened.store.put_grant(grant._replace(left=grant.left + amount))
            opened.store.put_tenant(tenant._replace(left=tenant.left + amount))

    patch.setattr(owner, "apply_posting", posting_back)


def _is_restore(posting: Posting) -> bool:
    return posting.entry.kind == "reverse" and posting.entry.amount > 0


def derived_ids_by_chance(patch: Patch) -> None:
    """What the owner books has an id of its own each time: asked twice, booked twice."""
    count = iter(range(1, 10_000_000))
    patch.setattr(owner, "expire_event_id", lambda member, on: next(count).to_bytes(16, "big"))
    patch.setattr(
        owner,
        "expire_entries",
        lambda state, on, event, grace_days: [
            entry
            for lot in state.lots[:1]
            if lot.expires + grace_days <= on and lot.asset == "points"
            for entry in [_part(lot, on, event)]
        ],
    )


def _part(lot: Any, on: Any, event: bytes) -> Any:
    return Entry(
        EntryId(event, 0), lot.asset, "expire", -1, on, expires=lot.expires, refers_to=lot.origin
    )


def late_events_not_forwarded(patch: Patch) -> None:
    """A late event of a merged member is posted to the member that is gone."""
    accept = owner.accept

    def accepting(*args: Any) -> None:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(owner, "survivor", lambda store, member: member)
            accept(*args)

    patch.setattr(owner, "accept", accepting)


def forwards_without_a_way(patch: Patch) -> None:
    """A forwarded event doesn't say by which merge it came: an un-merge leaves it to the survivor."""
    forwarded = owner._forwarded
    patch.setattr(owner, "_forwarded", lambda *args: forwarded(*args)._replace(passed=()))


def merge_without_parts(patch: Patch) -> None:
    """A merge leaves behind which lots old documents took: a return goes to lots of nobody's."""
    transfers = carrying.transfers

    def without(*args: Any) -> Any:
        state, lots, debts, _, *more = args
        return transfers(*args)[0], transfers(state, lots, debts, (), *more)[1]

    patch.setattr(merging, "transfers", without)


def unmerge_takes_all(patch: Patch) -> None:
    """An un-merge takes everything that the survivor has, whoever it came from."""
    patch.setattr(unmerging, "came_by", lambda store, merge, entry: True)


def unmerge_of_the_ledger_alone(patch: Patch) -> None:
    """An un-merge leaves both profiles as they were."""
    patch.setattr(profiles, "part_cells", lambda store, loser, winner: None)


def late_outbox_taken_again(patch: Patch) -> None:
    """A lost till's outbox that is brought twice is placed twice."""
    patch.setattr(late, "_is", lambda *_: False)


def late_credits_stay_reserved(patch: Patch) -> None:
    """What a lost till reserved for itself in its late outbox is nobody's for ever."""
    patch.setattr(late, "drop_local", lambda *_: 0)


def quarantine_dams(patch: Patch) -> None:
    """An event that nobody can read stops the chain behind it."""
    take = chains.take

    def refusing(store: Any, device: Any, body: bytes, read: Any, today: Any) -> Any:
        if body.startswith(b'{"v":99'):
            return device
        return take(store, device, body, read, today)

    patch.setattr(chains, "take", refusing)


def cursors_without_a_beginning(patch: Patch) -> None:
    """A page says how far it goes, not where the paging began: what was pruned meanwhile begins it anew."""
    page = pull.page

    def paging(store: Any, device: Any, cursors: Any, limits: Any) -> Any:
        found = page(store, device, cursors, limits)
        after = {bucket: Cursor(at.feed, at.feed) for bucket, at in found.cursors.items()}
        return found._replace(cursors=after)

    patch.setattr(pull, "page", paging)


def corrected_for_ever(patch: Patch) -> None:
    """What was corrected because of a return stays when that is voided."""
    patch.setattr(sales, "_undone", lambda *_: None)


def copies_of_the_first_day(patch: Patch) -> None:
    """A visited member's row goes to who saw them when they were seen, and later changes do not."""
    copies = visiting.copies

    def once(store: Any) -> Any:
        def made(member: Any) -> Any:
            rows = list(copies(member))
            return [row for row in rows if store.reference(row.key) is None]

        return made

    put = MemoryStore.put_member

    def putting(self: Any, member: Any, entries: Any = ()) -> None:
        patch.setattr(memory, "copies", once(self))
        put(self, member, entries)

    patch.setattr(MemoryStore, "put_member", putting)


def nobody_follows_a_merge(patch: Patch) -> None:
    """Who has the row of the one that is gone does not get that of who goes on for them."""
    patch.setattr(visiting, "follow", lambda *_: None)


def visitors_leave_in_silence(patch: Patch) -> None:
    """Who was not seen for long leaves without an empty copy."""
    copy = visiting._copy

    def copying(home: str, member: bytes, on: Any, body: Any) -> Any:
        row = copy(home, member, on, body)
        return row if body is not None else row._replace(bucket="nowhere")

    patch.setattr(visiting, "_copy", copying)


BUGS: Final = (
    Bug("head office closes a grant", server_closes_grant, 44),
    Bug("a hold is freed by time", hold_freed_by_time, 0),
    Bug("acknowledged without storing", acknowledged_without_storing, 0),
    Bug("a local credit is not reserved", local_credit_not_reserved, 0),
    Bug("no dedupe", no_dedupe, 0),
    Bug("no fork check", no_fork_check, 3),
    Bug("the last arrival wins", last_arrival_wins, 0),
    Bug("no tombstone of a void, unknown holds ignored", no_tombstone, 7),
    Bug("unknown holds are ignored", unknown_holds_ignored, 17),
    Bug("the fence is too early", fence_too_early, 0),
    Bug("a hold lives across epochs", hold_across_epochs, 201),
    Bug("overlay dropped on acknowledgement", overlay_dropped_on_acknowledgement, 0),
    Bug("a hold on pending points", hold_on_pending_points, 3),
    Bug("an expiry is booked under a hold", expiry_under_a_hold, 0),
    Bug("a void raises left at the till", void_raises_left, 4),
    Bug("a void raises left at head office", void_raises_left_at_head_office, 19),
    Bug("an expiry is booked again and again", derived_ids_by_chance, 0),
    Bug("a late event of a merged member is not forwarded", late_events_not_forwarded, 1),
    Bug("a forward forgets its way", forwards_without_a_way, 0),
    Bug("a merge leaves parts behind", merge_without_parts, 0),
    Bug("an un-merge takes all", unmerge_takes_all, 0),
    Bug("an un-merge parts no profiles", unmerge_of_the_ledger_alone, 0),
    Bug("a late outbox is taken again", late_outbox_taken_again, 2),
    Bug("a late outbox keeps its reservations", late_credits_stay_reserved, 40),
    Bug("an odd event dams the chain", quarantine_dams, 0),
    Bug("a cursor forgets where it began", cursors_without_a_beginning, 0),
    Bug("a correction outlives the voided return", corrected_for_ever, 42),
    Bug("later changes of a visited member do not come", copies_of_the_first_day, 0),
    Bug("nobody follows the merge of a visited member", nobody_follows_a_merge, 0),
    Bug("visited members leave in silence", visitors_leave_in_silence, 0),
)
