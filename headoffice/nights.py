"""What head office does of itself, once a night of each chain's own time: it books expiries, makes the
snapshots that new tills begin with, drops old ones, forgets tombstones that every till has had time to see, and
looks who of those that were erased is forgotten everywhere.

The writer's thread does it, a portion at a time, each in a transaction of its own with the place that it has
come to: so nobody waits long for it, and a head office that was killed amid it goes on at that place. A head
office that did not run at night makes up for it when it starts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.domain.business_day import BusinessDate
from app.protocol.limits import Limits
from app.protocol.owner import book_expiry
from app.protocol.profiles import erasure_done, slowest
from app.protocol.references import is_visited
from app.protocol.server import DAY_MS
from app.protocol.visiting import leave
from headoffice import portions
from headoffice.audit import Root
from headoffice.directory import Chain, Directory, Night, UnderWay
from headoffice.portions import Portion, somebody
from headoffice.store.errors import StoreBusy
from headoffice.store.records import Records
from headoffice.watching import Watch, bug, note

NIGHT_MS: Final = 3 * 3_600_000
"""So long after the chain's midnight its night's work begins: shops are shut, and days are over."""
MEMBERS_MOST: Final = 100
"""So many members are read together; fewer are looked at where their bookings take longer than a portion."""
ERASED_MOST: Final = 100
"""So many erased people are read together."""
_ALL: Final = b"\xff" * 16
"""The place behind everybody who was erased."""
FRAME_ROWS: Final = 250
"""Rows of a frame: fewer than a till could take, for the sake of who waits there."""
TOMBSTONE_NIGHTS: Final = 90
RETRY_MS: Final = 60_000


def night_of(chain: Chain, now_ms: int) -> int:
    """The chain's last night whose time has come, as days since 1970."""
    return (now_ms + chain.offset_minutes * 60_000 - NIGHT_MS) // DAY_MS


def first_night(chain: Chain, now_ms: int) -> Night:
    """Of a new chain, which has nothing to make up for."""
    return Night(chain.tenant, night_of(chain, now_ms), now_ms)


@dataclass(frozen=True, slots=True)
class Duty:
    """A chain that has nights. buckets: whose rows its tills hold, in order."""

    chain: Chain
    store: Records
    buckets: Sequence[str]


class Nights:
    """The nights of all chains of one store. All of it is called in the writer's thread alone."""

    def __init__(
        self, directory: Directory, watch: Watch, ends: Callable[[bytes, int, int], Root]
    ) -> None:
        """`ends` is called for a chain in the transaction that ends a night: tenant, night, now_ms."""
        self._directory = directory
        self._watch = watch
        self._ends = ends
        self._known: dict[bytes, Night] = {}
        self._not_before_ms: dict[bytes, int] = {}
        self._slowest: dict[bytes, tuple[int, Mapping[str, int]]] = {}
        """How far a chain's slowest tills had come, by a night: reading 10,000 tills takes 0.1 s."""
        self.failing: set[bytes] = set()
        """Chains whose last portion failed."""

    def read(self, chain: bytes | None = None) -> None:
        """Take what the store has, of one chain or all: at the start or after another process has written."""
        found = self._directory.nights() if chain is None else {chain: self._directory.night(chain)}
        before, self._known = self._known, {**self._known, **found}
        for tenant, night in found.items():
            self._watch.night(tenant, night.done_ms, night.took_ms)
            if night.under_way is not None and tenant not in before:
                note("night_resumed", **_place(tenant, night.under_way))

    def turn(
        self, duties: Mapping[bytes, Duty], now_ms: int, waits: Callable[[], bool] = somebody
    ) -> bytes | None:
        """Do one portion of what is due; returns whose it was, None where nothing is. Never raises: what fails
        is tried again after a while, and the other chains' nights go on. `waits`: whether somebody does."""
        for tenant, night in self._known.items():
            duty = duties.get(tenant)
            if duty is None or now_ms < self._not_before_ms.get(tenant, 0):
                continue
            try:
                if self._portion(duty, night, now_ms, waits):
                    return tenant
            except StoreBusy as error:
                self._not_before_ms[tenant] = now_ms + portions.AGAIN_MS
                self._watch.store_failed(error)
            except Exception as error:  # whatever it is, tills are to be served on
                self._not_before_ms[tenant] = now_ms + RETRY_MS
                self.failing.add(tenant)
                self._watch.night_failed(tenant)
                note("night_failed", level=logging.ERROR, chain=tenant, **bug(error))
        return None

    def _portion(self, duty: Duty, night: Night, now_ms: int, waits: Callable[[], bool]) -> bool:
        """One transaction of a chain's night; False where there is nothing to do."""
        tenant, tonight = duty.chain.tenant, night_of(duty.chain, now_ms)
        under_way = night.under_way
        if under_way is None:
            if tonight <= night.done:
                return False
            under_way = UnderWay(tonight, now_ms)
        root: Root | None = None
        with duty.store.writing(wait_ms=portions.WAIT_MS):
            kept = self._directory.night(tenant)
            if kept != night:
                # Another process has done this portion; its commit will be noticed, and this is known already.
                self._known[tenant] = kept
                self._watch.night(tenant, kept.done_ms, kept.took_ms)
                return True
            portion, at = Portion(waits), under_way
            after = self._advance(duty, at, portion, now_ms)
            while after is not None and not portion.over:
                at, after = after, self._advance(duty, after, portion, now_ms)
            booked = (after or at).booked - under_way.booked
            if after is None:
                took_ms = max(now_ms - under_way.began_ms, 0)
                night = Night(tenant, under_way.night, now_ms, took_ms)
                root = self._ends(tenant, under_way.night, now_ms)
            else:
                night = night._replace(under_way=after)
            self._directory.put_night(night)
        self.failing.discard(tenant)
        if self._known[tenant].under_way is None:
            note("night_begun", **_place(tenant, under_way))
        self._known[tenant] = night
        if after is None:
            self._watch.night(tenant, night.done_ms, night.took_ms)
            note("night_done", ms=night.took_ms, **_place(tenant, at))
        if root is not None:
            note("audit_root", chain=tenant, **root.plain())
        if booked:
            self._watch.expiries(tenant, booked)
        return True

    def _advance(self, duty: Duty, at: UnderWay, portion: Portion, now_ms: int) -> UnderWay | None:
        """Do the next step of a portion, inside a transaction; returns the place after it, None where the
        night is done."""
        if at.step == "expiries":
            return _book(duty, at, portion)
        if at.step == "snapshots":
            return _snapshot(duty, at)
        if at.member != _ALL:
            return self._forget(duty, at, portion, now_ms)
        return _tidy(duty, self._directory, at)

    def _forget(self, duty: Duty, at: UnderWay, portion: Portion, now_ms: int) -> UnderWay:
        """Look whether every till has forgotten the next ones who were erased."""
        erasures = self._directory.erasures(duty.chain.tenant)
        if not at.member:
            erasures.take_up()
        members = erasures.open_after(at.member, ERASED_MOST)
        if not members:
            self._slowest.pop(duty.chain.tenant, None)
            return at._replace(member=_ALL)
        seen = self._seen(duty, at.night)
        duty.store.look_at_feeds(filter(is_visited, seen))
        for member in members:
            if erasure_done(duty.store, member, seen):
                erasures.say_done(member, now_ms)
            at = at._replace(member=member)
            if portion.over:
                break
        return at

    def _seen(self, duty: Duty, night: int) -> Mapping[str, int]:
        read = self._slowest.get(duty.chain.tenant)
        if read is None or read[0] != night:
            read = night, slowest(duty.store.devices())
            self._slowest[duty.chain.tenant] = read
        return read[1]


def _book(duty: Duty, at: UnderWay, portion: Portion) -> UnderWay:
    """Book what lapsed long enough ago, of the members that follow."""
    limits: Limits = duty.chain.limits
    members, looked_at = duty.store.members_after(at.member, MEMBERS_MOST), 0
    for member in members:
        looked_at += 1
        leave(duty.store, member, BusinessDate(at.night), limits.visited_days)
        booked = book_expiry(duty.store, member, BusinessDate(at.night), limits.grace_days)
        at = at._replace(member=member, booked=at.booked + booked)
        if portion.over:
            break
    if looked_at < len(members) or len(members) == MEMBERS_MOST:
        return at
    # Copies of visited members are few: they are paged.
    buckets = tuple(bucket for bucket in duty.buckets if not is_visited(bucket))
    return at._replace(step="snapshots", buckets=buckets)


def _snapshot(duty: Duty, at: UnderWay) -> UnderWay:
    """Begin a bucket's snapshot, or write its next frame."""
    store, bucket, timeline = duty.store, at.buckets[0], duty.store.tenant().timeline
    if at.begun is None or at.begun.timeline != timeline:
        devices = list(store.devices())
        return at._replace(begun=store.snapshots.begin(bucket, timeline, devices))
    begun, whole = store.snapshots.add(bucket, at.begun, FRAME_ROWS)
    if not whole:
        return at._replace(begun=begun)
    others = at.buckets[1:]
    if others:
        return at._replace(begun=None, buckets=others)
    return at._replace(begun=None, step="tidying", buckets=tuple(duty.buckets), member=b"")


def _tidy(duty: Duty, directory: Directory, at: UnderWay) -> UnderWay | None:
    """Drop a portion of a bucket's old snapshots, and then its old tombstones. Last of all: an older program
    that goes on with the night does this alone."""
    if not at.buckets:
        return None
    store, tenant, bucket = duty.store, duty.chain.tenant, at.buckets[0]
    if store.snapshots.drop_old(bucket):
        return at
    directory.put_head(tenant, bucket, at.night, store.head(bucket))
    long_ago = at.night - TOMBSTONE_NIGHTS
    store.prune(bucket, directory.head_at(tenant, bucket, long_ago))
    directory.drop_heads(tenant, bucket, long_ago)
    others = at.buckets[1:]
    return at._replace(buckets=others) if others else None


def _place(tenant: bytes, at: UnderWay) -> dict[str, Any]:
    return {"chain": tenant, "night": at.night, "step": at.step, "booked": at.booked}
