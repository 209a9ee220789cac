"""Chains, their stores, their tills with their keys, and the codes that let tills in: what the exchange's port
has no place for. Records in and out; who may do what is decided in letting_in.py.

What is said of one chain is read inside its store's `reading()` and `writing()`, on the same connection; what
is said of all of them outside, chain by chain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from app.protocol.limits import Limits
from app.protocol.packing import Packing
from headoffice.erasures import Erasures
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain
from headoffice.store.snapshots import Begun


class Chain(NamedTuple):
    """A tenant by its name, and what it sets. `offset_minutes`: its local time less UTC."""

    tenant: bytes
    name: str
    offset_minutes: int
    limits: Limits


class Shop(NamedTuple):
    """A store of a chain. `bucket`: whose members' rows its tills hold."""

    tenant: bytes
    id: bytes
    name: str
    bucket: str


class KnownTill(NamedTuple):
    """A till that was let in. standing: as app.protocol.store.Device.

    next_key    the one that it is changing to
    former_key  the one before: what a lost till had signed by it counts yet, if a person brings it (carried.py)
    key_ms      when it told its newest key, 0: not known
    """

    tenant: bytes
    device: bytes
    shop: bytes
    name: str
    public_key: bytes
    next_key: bytes | None
    heard_ms: int
    standing: str = "live"
    former_key: bytes | None = None
    key_ms: int = 0

    def by_next(self) -> KnownTill:
        """The till once the key that it changes to has signed: from then on the only one."""
        if self.next_key is None:
            return self
        return self._replace(public_key=self.next_key, next_key=None, former_key=self.public_key)


class EnrolCode(NamedTuple):
    """A code as it is kept: not the code. `device`, `public_key`: who used it; no key (b""): nobody yet, and it
    was made while this till stood there."""

    tenant: bytes
    half: str
    sha256: bytes
    shop: bytes
    name: str
    until_ms: int
    tries: int = 0
    device: bytes | None = None
    public_key: bytes | None = None


class UnderWay(NamedTuple):
    """How far a night's work has come (nights.py). night: days since 1970.

    member   the last one whose expiries were booked, `booked` for how many there was something to book; of the
             tidying, the last erased one who was looked at before a bucket is tidied up
    buckets  whose snapshots are still to be made, or which are still to be tidied up
    """

    night: int
    began_ms: int
    step: Literal["expiries", "snapshots", "tidying"] = "expiries"
    member: bytes = b""
    booked: int = 0
    buckets: tuple[str, ...] = ()
    begun: Begun | None = None


class Night(NamedTuple):
    """A chain's nights: the last one that is done, when that was, how long it took; and the one under way."""

    tenant: bytes
    done: int
    done_ms: int
    took_ms: int = 0
    under_way: UnderWay | None = None


_HOUR_MS: Final = 3_600_000
_UNDER_WAY: Final = Packing[UnderWay](UnderWay)
_CHAINS: Final = """
SELECT tenant_id, name, offset_minutes, grant_most, cap, lease_ms, grace_days, rebases_a_day
FROM chain WHERE tenant_id = ? AND dist_key = ?
"""
_PUT_CHAIN: Final = """
INSERT INTO chain (
    tenant_id, dist_key, name, offset_minutes, grant_most, cap, lease_ms, grace_days, rebases_a_day
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key) DO UPDATE SET name = excluded.name, offset_minutes = excluded.offset_minutes,
    grant_most = excluded.grant_most, cap = excluded.cap, lease_ms = excluded.lease_ms,
    grace_days = excluded.grace_days, rebases_a_day = excluded.rebases_a_day
"""
_SHOPS: Final = """
SELECT tenant_id, store_id, name, bucket FROM store WHERE tenant_id = ? AND dist_key = ? ORDER BY name
"""
_PUT_SHOP: Final = """
INSERT INTO store (tenant_id, dist_key, store_id, name, bucket) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, store_id) DO UPDATE SET name = excluded.name, bucket = excluded.bucket
"""
_TILLS: Final = """
SELECT till.tenant_id, till.device_id, till.store_id, till.name, till.public_key, till.next_key, till.heard_ms,
    device.standing, till.former_key, till.key_ms
FROM till JOIN device USING (tenant_id, dist_key, device_id)
WHERE till.tenant_id = ? AND till.dist_key = ? ORDER BY till.device_id
"""
_PUT_TILL: Final = """
INSERT INTO till (
    tenant_id, dist_key, device_id, store_id, name, public_key, next_key, heard_ms, former_key, key_ms
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, device_id) DO UPDATE SET store_id = excluded.store_id, name = excluded.name,
    public_key = excluded.public_key, next_key = excluded.next_key, heard_ms = excluded.heard_ms,
    former_key = excluded.former_key, key_ms = excluded.key_ms
"""
_HEARD: Final = """
UPDATE till SET heard_ms = ?, came_by = coalesce(nullif(?, ''), came_by)
WHERE tenant_id = ? AND dist_key = ? AND device_id = ? AND heard_ms NOT BETWEEN ? AND ?
"""
_CODES: Final = """
SELECT tenant_id, half, sha256, store_id, name, until_ms, tries, device_id, public_key
FROM enrol_code WHERE half = ? ORDER BY tenant_id
"""
_CODE: Final = """
SELECT tenant_id, half, sha256, store_id, name, until_ms, tries, device_id, public_key
FROM enrol_code WHERE tenant_id = ? AND dist_key = ? AND half = ?
"""
_PUT_CODE: Final = """
INSERT INTO enrol_code (
    tenant_id, dist_key, half, sha256, store_id, name, until_ms, tries, device_id, public_key
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, half) DO UPDATE SET tries = excluded.tries, device_id = excluded.device_id,
    public_key = excluded.public_key
"""
_DROP_CODES: Final = "DELETE FROM enrol_code WHERE tenant_id = ? AND dist_key = ? AND until_ms <= ?"
_QUARANTINED: Final = """
SELECT count(*) FROM event WHERE tenant_id = ? AND dist_key = ? AND standing = 'quarantined'
"""
_UNSEEN: Final = """
SELECT count(*) FROM event
WHERE tenant_id = ? AND dist_key = ? AND standing = 'quarantined' AND NOT EXISTS (
    SELECT 1 FROM console_seen WHERE console_seen.tenant_id = event.tenant_id
        AND console_seen.dist_key = event.dist_key AND console_seen.event_id = event.event_id
)
"""
_NIGHT: Final = """
SELECT tenant_id, done, done_ms, took_ms, under_way FROM night WHERE tenant_id = ? AND dist_key = ?
"""
_PUT_NIGHT: Final = """
INSERT INTO night (tenant_id, dist_key, done, done_ms, took_ms, under_way) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key) DO UPDATE SET done = excluded.done, done_ms = excluded.done_ms,
    took_ms = excluded.took_ms, under_way = excluded.under_way
"""
_PUT_HEAD: Final = """
INSERT INTO night_head (tenant_id, dist_key, bucket, night, head) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, bucket, night) DO UPDATE SET head = excluded.head
"""
_HEAD_AT: Final = """
SELECT head FROM night_head WHERE tenant_id = ? AND dist_key = ? AND bucket = ? AND night <= ?
ORDER BY night DESC LIMIT 1
"""
_DROP_HEADS: Final = """
DELETE FROM night_head WHERE tenant_id = ? AND dist_key = ? AND bucket = ? AND night < ?
"""


class Directory:
    """The directory of an open database (headoffice/store/plain.py)."""

    def __init__(self, plain: Plain) -> None:
        self._plain = plain

    def chains(self) -> Sequence[Chain]:
        """All chains, by name."""
        found = [_chain(row) for row in self._of_all(_CHAINS)]
        return sorted(found, key=lambda chain: (chain.name, chain.tenant))

    def chains_of(self, tenant: bytes) -> Sequence[Chain]:
        """A chain by its id, if it is there."""
        return [_chain(row) for row in self._of(tenant, _CHAINS)]

    def put_chain(self, chain: Chain) -> None:
        """Keep a chain whose tenant the store has."""
        limits = chain.limits
        self._plain.run(
            _PUT_CHAIN,
            (
                *_owned(chain.tenant), chain.name, chain.offset_minutes, limits.grant_most, limits.cap,
                limits.lease_ms, limits.grace_days, limits.rebases_a_day,
            ),
        )  # fmt: skip

    def shops(self) -> Sequence[Shop]:
        """All stores of all chains, a chain's by name."""
        return [Shop(*row) for row in self._of_all(_SHOPS)]

    def shops_of(self, tenant: bytes) -> Sequence[Shop]:
        """A chain's stores, by name."""
        return [Shop(*row) for row in self._of(tenant, _SHOPS)]

    def put_shop(self, shop: Shop) -> None:
        """Keep a store; its name is its chain's only one."""
        self._plain.run(_PUT_SHOP, (*_owned(shop.tenant), shop.id, shop.name, shop.bucket))

    def tills(self) -> Sequence[KnownTill]:
        """All tills of all chains."""
        return [KnownTill(*row) for row in self._of_all(_TILLS)]

    def tills_of(self, tenant: bytes) -> Sequence[KnownTill]:
        """A chain's tills, revoked ones too."""
        return [KnownTill(*row) for row in self._of(tenant, _TILLS)]

    def put_till(self, till: KnownTill) -> None:
        """Keep a till; its standing is the store's to keep."""
        self._plain.run(_PUT_TILL, (*_owned(till.tenant), *till[1:7], *till[8:]))

    def heard(self, tenant: bytes, device: bytes, at_ms: int, host: str) -> None:
        """A till has talked, and came by this of head office's addresses; "": it did not say.

        What another process heard later stands; not for ever, or a clock that was ahead would end it."""
        later = (at_ms + 1, at_ms + _HOUR_MS)
        self._plain.run(_HEARD, (at_ms, host, *_owned(tenant), device, *later))

    def codes(self, half: str) -> Sequence[EnrolCode]:
        """The codes with this first half, of any chain: hardly ever more than one."""
        with self._plain.of_half(half):
            return [EnrolCode(*row) for row in self._plain.rows(_CODES, (half,))]

    def code(self, tenant: bytes, half: str) -> EnrolCode | None:
        """A chain's code with this first half."""
        found = self._plain.rows(_CODE, (*_owned(tenant), half))
        return EnrolCode(*found[0]) if found else None

    def put_code(self, code: EnrolCode) -> None:
        """Keep a code, or what has become of it."""
        self._plain.run(_PUT_CODE, (*_owned(code.tenant), *code[1:]))

    def drop_codes(self, tenant: bytes, now_ms: int) -> None:
        """Forget the codes whose time is over."""
        self._plain.run(_DROP_CODES, (*_owned(tenant), now_ms))

    def nights(self) -> Mapping[bytes, Night]:
        """The nights of all chains, by chain."""
        return {row[0]: _night(row) for row in self._of_all(_NIGHT)}

    def night(self, tenant: bytes) -> Night:
        """A chain's nights."""
        (row,) = self._of(tenant, _NIGHT)
        return _night(row)

    def put_night(self, night: Night) -> None:
        """Keep how far a chain's nights have come."""
        at = night.under_way
        under_way = None if at is None else _UNDER_WAY.pack(at)
        self._plain.run(_PUT_NIGHT, (*_owned(night.tenant), *night[1:4], under_way))

    def erasures(self, tenant: bytes) -> Erasures:
        """Who of a chain was erased."""
        return Erasures(self._plain, tenant)

    def put_head(self, tenant: bytes, bucket: str, night: int, head: int) -> None:
        """Remember where a feed stood in a night."""
        self._plain.run(_PUT_HEAD, (*_owned(tenant), bucket, night, head))

    def head_at(self, tenant: bytes, bucket: str, night: int) -> int:
        """Where a feed stood in a night, or the last one before it that is known; 0: none is."""
        found = self._plain.rows(_HEAD_AT, (*_owned(tenant), bucket, night))
        return int(found[0][0]) if found else 0

    def drop_heads(self, tenant: bytes, bucket: str, night: int) -> None:
        """Forget where a feed stood before a night."""
        self._plain.run(_DROP_HEADS, (*_owned(tenant), bucket, night))

    def quarantined(self, tenant: bytes) -> int:
        """How many events wait in quarantine."""
        count: int = self._plain.rows(_QUARANTINED, _owned(tenant))[0][0]
        return count

    def unseen(self, tenant: bytes) -> int:
        """How many of them nobody has looked at."""
        count: int = self._plain.rows(_UNSEEN, _owned(tenant))[0][0]
        return count

    def _of_all(self, text: str) -> list[tuple[Any, ...]]:
        return [row for tenant in self._plain.tenants() for row in self._of(tenant, text)]

    def _of(self, tenant: bytes, text: str) -> list[tuple[Any, ...]]:
        with self._plain.of(tenant):
            return self._plain.rows(text, _owned(tenant))


def _chain(row: tuple[Any, ...]) -> Chain:
    tenant, name, offset, most, cap, lease, grace, rebases = row
    limits = Limits(
        grant_most=most, cap=cap, lease_ms=lease, grace_days=grace, rebases_a_day=rebases
    )
    return Chain(tenant, name, offset, limits)


def _night(row: tuple[Any, ...]) -> Night:
    tenant, done, done_ms, took_ms, packed = row
    under_way = None if packed is None else _UNDER_WAY.unpack(packed)
    return Night(tenant, done, done_ms, took_ms, under_way)


def _owned(tenant: bytes) -> tuple[bytes, int]:
    return tenant, dist_key(tenant)
