"""Head office works its tills' sales, returns and voids out again by the same rules and flags what differs.

Nothing that a till sent is changed or refused for it: a flag is a question for somebody. It follows each till's
chain with a place of its own, a portion at a time in the writer's quiet moments, so a push never waits for it;
what was read by a head office that was killed is read again, and gives the same rows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import msgspec

from app.domain.business_day import BusinessDate
from app.domain.documents import SaleDocument
from app.domain.documents_plain import sale_from_plain
from app.domain.errors import Refused
from app.domain.programme import Programme
from app.domain.programme_plain import programme_from_plain
from app.domain.programme_versions import CHAIN_FROM, programme_on
from app.domain.recount import Difference, recount
from app.domain.state import MemberState
from app.protocol import facts
from app.protocol.events import Event, NotCanonical
from app.protocol.facts import Facts, NotReadable
from app.protocol.open_members import survivor
from app.protocol.references import REFERENCE_BUCKET
from app.protocol.sales import returned_lines, sale_facts
from app.protocol.store import Store
from headoffice import birthdays, closes, flags, late, portions, programmes, receipts, settlement
from headoffice.nights import Duty
from headoffice.portions import Portion, somebody
from headoffice.recounting_back import RETURN, VOID, doubts
from headoffice.store.distribution import dist_key
from headoffice.store.errors import StoreBusy
from headoffice.store.plain import Plain
from headoffice.store.records import Records
from headoffice.watching import Watch, bug, note

SALE: Final = "sale"
RECOUNTED: Final = frozenset((SALE, RETURN, VOID))
PROGRAMME: Final = "programme"
ASKED_MS: Final = 100
"""So long somebody who asks for a sale waits for what has not been looked at."""
EVENTS_MOST: Final = 50
RETRY_MS: Final = 60_000

_PLACE: Final = """
SELECT epoch, seq FROM recount_place WHERE tenant_id = ? AND dist_key = ? AND device_id = ?
"""
_PUT_PLACE: Final = """
INSERT INTO recount_place (tenant_id, dist_key, device_id, epoch, seq) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, device_id) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq
"""
# Each event is looked up by its whole key: of a join PostgreSQL, for want of statistics, would rather compare
# each link with all events of the chain. So do the console's and late.py's.
EVENTS: Final = """
SELECT seq, (
    SELECT body FROM event WHERE event.tenant_id = link.tenant_id AND event.dist_key = link.dist_key
        AND event.event_id = link.event_id
), (
    SELECT standing FROM event WHERE event.tenant_id = link.tenant_id AND event.dist_key = link.dist_key
        AND event.event_id = link.event_id
)
FROM link WHERE tenant_id = ? AND dist_key = ? AND device_id = ? AND epoch = ? AND seq > ? AND seq <= ?
ORDER BY seq
"""
_NEXT_EPOCH: Final = """
SELECT min(epoch) FROM link WHERE tenant_id = ? AND dist_key = ? AND device_id = ? AND epoch > ?
"""
_BEHIND: Final = """
SELECT device.device_id FROM device
LEFT JOIN recount_place AS place ON place.tenant_id = device.tenant_id AND place.dist_key = device.dist_key
    AND place.device_id = device.device_id
WHERE device.tenant_id = ? AND device.dist_key = ? AND (
        place.epoch IS NULL AND (device.epoch > 1 OR device.seq > 0)
        OR place.epoch < device.epoch OR place.epoch = device.epoch AND place.seq < device.seq
    )
"""
_OWN: Final = """
SELECT body FROM own_programme WHERE tenant_id = ? AND dist_key = ? AND device_id = ? AND version = ?
"""
_PUT_OWN: Final = """
INSERT INTO own_programme (tenant_id, dist_key, device_id, version, body) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, device_id, version) DO UPDATE SET body = excluded.body
"""
NOT_A_DOCUMENT: Final = (
    KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError, RecursionError, Refused,
)  # fmt: skip
"""What comes of a document that no till of ours wrote."""
_UNREADABLE: Final = (Difference("unreadable", 0, 0),)
_OTHER_DEVICE: Final = (Difference(flags.OTHER_DEVICE, 0, 0),)


class At(NamedTuple):
    """A document among a till's events."""

    device: bytes
    event: Event
    facts: Facts


class Recounting:
    """The recounting of all chains of one store. All of it is called in the writer's thread alone."""

    def __init__(self, plain: Plain, watch: Watch) -> None:
        self._plain = plain
        self._watch = watch
        self._due: dict[bytes, dict[bytes, None]] = {}
        self._own: dict[tuple[bytes, bytes, int], Programme | None] = {}
        self._published: dict[bytes, tuple[int, tuple[Programme, ...]]] = {}
        self._not_before_ms: dict[bytes, int] = {}

    def read(self, tills: Iterable[tuple[bytes, bytes]]) -> None:
        """Look at all tills, (tenant, device): at the start, or after another process has written."""
        self._published.clear()
        for tenant, device in tills:
            self.due(tenant, device)

    def due(self, tenant: bytes, device: bytes) -> None:
        """A till has sent something."""
        self._due.setdefault(tenant, {})[device] = None

    def turn(
        self, duties: Mapping[bytes, Duty], now_ms: int, waits: Callable[[], bool] = somebody
    ) -> bytes | None:
        """Do one portion of what is due; returns whose it was, None where nothing is. Never raises. `waits`:
        whether somebody does."""
        waiting = [tenant for tenant, devices in self._due.items() if devices]
        for tenant in waiting:
            duty = duties.get(tenant)
            if duty is None:
                del self._due[tenant]
                continue
            if now_ms < self._not_before_ms.get(tenant, 0):
                continue
            try:
                self._portion(duty.store, tenant, now_ms, Portion(waits))
                self._due[tenant] = self._due.pop(
                    tenant
                )  # Behind the chains that have waited longer.
                return tenant
            except StoreBusy as error:
                self._not_before_ms[tenant] = now_ms + portions.AGAIN_MS
                self._watch.store_failed(error)
            except Exception as error:  # whatever it is, tills are to be served on
                self._not_before_ms[tenant] = now_ms + RETRY_MS
                self._watch.recount_failed(tenant)
                note("recount_failed", level=logging.ERROR, chain=tenant, **bug(error))
        return None

    def _portion(self, store: Records, tenant: bytes, now_ms: int, portion: Portion) -> None:
        """Look at some tills' next events, in one transaction."""
        due, through = self._due[tenant], dict[bytes, bool]()
        with store.writing(wait_ms=portions.WAIT_MS):
            for device in due:
                done = self._walk(store, tenant, device, now_ms, portion)
                while not done and not portion.over:
                    done = self._walk(store, tenant, device, now_ms, portion)
                through[device] = done
                if portion.over:
                    break
        for device, done in through.items():
            del due[device]
            if not done:
                due[device] = None  # Behind those that have waited longer.

    def _walk(
        self, store: Store, tenant: bytes, device: bytes, now_ms: int, portion: Portion
    ) -> bool:
        """Look at a till's next events. True: there are no more."""
        known = store.device(device)
        if known is None:
            return True
        own = (tenant, dist_key(tenant))
        found = self._plain.rows(_PLACE, (*own, device))
        epoch, seq = found[0] if found else (1, 0)
        # A chain of an earlier epoch may go on in none: what is in the new one again gives the same rows.
        rows = self._plain.rows(EVENTS, (*own, device, epoch, seq, seq + EVENTS_MOST))
        last, looked = seq, 0
        for number, body, standing in rows:
            if standing != "quarantined":
                self._look(store, tenant, (device, epoch, number), bytes(body), now_ms)
            last, looked = number, looked + 1
            if portion.over:
                break
        through = looked == len(rows) < EVENTS_MOST
        if through and epoch < known.place.epoch:
            # A till may claim any epoch: those without an event are not walked through.
            (following,) = self._plain.rows(_NEXT_EPOCH, (*own, device, epoch))[0]
            epoch, last, through = following or known.place.epoch, 0, following is None
        if (epoch, last) != (found[0] if found else None):
            self._plain.run(_PUT_PLACE, (*own, device, epoch, last))
        return through

    def sales_of(self, store: Records, tenant: bytes, number: str, now_ms: int) -> Sequence[bytes]:
        """The sales of a receipt number, inside the chain's transaction. One that isn't there may have come a
        moment ago, to whichever process: what nobody has looked at yet is looked at first, ASKED_MS at most."""
        found = receipts.find(self._plain, tenant, number)
        if found or now_ms < self._not_before_ms.get(tenant, 0):
            return found
        portion = Portion(somebody, ASKED_MS)
        for (device,) in self._plain.rows(_BEHIND, (tenant, dist_key(tenant))):
            while not portion.over:
                if self._walk(store, tenant, bytes(device), now_ms, portion):
                    break
        return receipts.find(self._plain, tenant, number)

    # One event

    def _look(
        self, store: Store, tenant: bytes, at: tuple[bytes, int, int], body: bytes, now_ms: int
    ) -> None:
        """at: device, epoch and sequence."""
        device, epoch, seq = at
        try:
            read = facts.read(body)
        except NotReadable:
            return  # It is in quarantine.
        try:
            event = Event.from_bytes(body, epoch=epoch, seq=seq)
        except NotCanonical:
            if read.kind in RECOUNTED and read.member is not None:
                flags.put(self._plain, tenant, device, read, _UNREADABLE, now_ms)
            return
        doc: object = event.doc
        if not isinstance(doc, dict):
            event = replace(event, doc={})
        if event.kind == closes.DAY_CLOSE:
            closes.take(self._plain, tenant, device, event)
        elif event.kind == PROGRAMME:
            self._keep_own(tenant, device, event)
        elif event.kind in RECOUNTED and read.member is not None:
            found = self._doubts(store, tenant, At(device, event, read))
            flags.put(self._plain, tenant, device, read, found, now_ms)
        if event.kind == SALE:
            receipts.take(self._plain, tenant, event)
        late.take(self._plain, tenant, device, event)
        sold = sale_facts(store, read.sale) if read.sale is not None else read
        if sold is not None and sold.sold:
            flags.put(self._plain, tenant, device, sold, _returned_twice(store, sold), now_ms)
        if event.device != device and read.member is not None:
            flags.put(self._plain, tenant, device, read, _OTHER_DEVICE, now_ms)
        self._settle(store, tenant, event, read)

    def _settle(self, store: Store, tenant: bytes, event: Event, read: Facts) -> None:
        if settlement.spends(read):
            settlement.settle(store, self._plain, tenant, read, event)
        touched = {
            posting.entry.refers_to.event for posting in read.postings if posting.entry.refers_to
        }
        touched |= settlement.paid_by(store, read)
        sales = {*touched, *([read.sale] if read.sale else [])} - {event.id}
        settlement.settle_again(store, self._plain, tenant, sales)

    def _doubts(self, store: Store, tenant: bytes, at: At) -> Sequence[Difference]:
        """What is to be asked about a member's sale, return or void."""
        try:
            if at.event.kind != SALE:
                return doubts(
                    store, at.event, at.facts,
                    lambda version: self._programme(store, tenant, at.device, version),
                )  # fmt: skip
            document = sale_from_plain(at.event.doc["sale"])
            version = document.programme_version
            programme = self._programme(store, tenant, at.device, version)
            if programme is None:
                return (Difference("unknown_version", version, 0),)
            found = recounted(document, at, programme)
            member = store.member(survivor(store, at.facts.member or b""))
            state = MemberState() if member is None else member.state
            published = self._chains(store, tenant)
            return [
                *found,
                *_of_version(document, published),
                *_of_state(document, programme, state),
                *birthdays.doubts(document, programme, member, at.event.at_us // 1000),
            ]
        except NOT_A_DOCUMENT:
            return _UNREADABLE

    # Programmes

    def _keep_own(self, tenant: bytes, device: bytes, event: Event) -> None:
        """A version of a till's own, of before it joined."""
        version, plain = event.doc.get("version"), event.doc.get("programme")
        if type(version) is not int or not 0 < version < CHAIN_FROM:
            return
        body = msgspec.json.encode(plain)
        self._plain.run(_PUT_OWN, (tenant, dist_key(tenant), device, version, body))
        self._own.pop((tenant, device, version), None)

    def _programme(
        self, store: Store, tenant: bytes, device: bytes, version: int
    ) -> Programme | None:
        if version >= CHAIN_FROM:
            chains = self._chains(store, tenant)
            return next((each for each in chains if each.version == version), None)
        key = (tenant, device, version)
        if key not in self._own:
            found = self._plain.rows(_OWN, (tenant, dist_key(tenant), device, version))
            self._own[key] = _parsed(bytes(found[0][0])) if found else None
        return self._own[key]

    def _chains(self, store: Store, tenant: bytes) -> tuple[Programme, ...]:
        head = store.head(REFERENCE_BUCKET)
        known = self._published.get(tenant)
        if known is None or known[0] != head:
            found = tuple(each.programme for each in programmes.published(store))
            known = self._published[tenant] = (head, found)
        return known[1]


def _returned_twice(store: Store, sale: Facts) -> Sequence[Difference]:
    """Whether more came back of a sale than was sold: two tills paid the same goods out. The points of it are
    corrected (app/protocol/sales.py); the money is for somebody to ask after."""
    returned = returned_lines(store, sale.id)
    over = [(returned[line], sold) for line, sold in sale.sold if returned.get(line, 0) > sold]
    if not over:
        return ()
    claimed, ours = (sum(each) for each in zip(*over, strict=True))
    return (Difference("returned_twice", claimed, ours),)


def _parsed(body: bytes) -> Programme | None:
    try:
        return programme_from_plain(msgspec.json.decode(body))
    except (msgspec.MsgspecError, Refused, ValueError):
        return None


def recounted(document: SaleDocument, at: At, programme: Programme) -> Sequence[Difference]:
    """A sale is quoted a moment before its event: at the full minute it may have been the minute before."""
    entries = [posting.entry for posting in at.facts.postings]
    minute = (at.event.at_us // 60_000_000 + at.event.offset_min) % 1440
    found = recount(document, entries, programme, minute)
    return found and recount(document, entries, programme, (minute - 1) % 1440) and found


def _of_version(document: SaleDocument, published: Sequence[Programme]) -> Sequence[Difference]:
    """Whether the till sold by rules that were over: it had not heard of the new ones."""
    due = programme_on(published, document.business_date)
    if due is None or document.programme_version == due.version:
        return ()
    return (Difference("older_version", document.programme_version, due.version),)


def _of_state(
    document: SaleDocument, programme: Programme, state: MemberState
) -> Sequence[Difference]:
    """What the member's own ledger says of the claims of a sale, as far as it can tell afterwards."""
    found = list[Difference]()
    on = document.business_date
    before = _rank(state, on, since_before=on)
    after = _rank(state, on, since_before=on.plus(1))
    claimed = document.tier_rank or 0
    if not min(before, after) <= claimed <= max(before, after):
        found.append(Difference("tier", claimed, before))
    cap, earned = programme.earning.cap_per_day, state.day(on).earned
    if cap is not None and document.points_earned and earned > cap:
        found.append(Difference("day_cap", earned, cap))
    for code, until in document.benefits_used:
        times = state.times_used(code, until.year)
        if times > 1:
            found.append(Difference("used_twice", times, 1))
    return found


def _rank(state: MemberState, on: BusinessDate, *, since_before: BusinessDate) -> int:
    """The highest tier that had begun before a date and was good on `on`."""
    return max(
        (tier.rank for tier in state.tiers if tier.since < since_before and tier.until >= on),
        default=0,
    )
