"""What the console reads of one chain: each question in one snapshot of the store, beside the writer.

Every statement names its tenant first; nothing of another chain can be asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from app.domain.business_day import BusinessDate
from app.domain.entries import Entry
from app.domain.programme import Programme
from app.protocol.references import (
    LOST_CARDS,
    OFFICE_ADDRESS,
    address_of,
    lost_cards_of,
    programme_key,
)
from app.protocol.store import CellRecord, Member, Tenant
from headoffice.api import rules
from headoffice.console.staff import Staff
from headoffice.directory import Directory
from headoffice.store import row_records
from headoffice.store import statements as sql
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain, Spelt, Text
from resources import programme_path

_CHAIN: Final = """
SELECT tenant_id, name, offset_minutes, lease_ms FROM chain WHERE tenant_id = ? AND dist_key = ?
"""
_TILLS: Final = """
SELECT till.device_id, till.name, store.name, device.standing, till.heard_ms, till.came_by, till.key_ms,
    device.epoch, device.seq, risk_grant.amount, risk_grant.lease_until_ms
FROM till
JOIN device USING (tenant_id, dist_key, device_id)
JOIN store USING (tenant_id, dist_key, store_id)
LEFT JOIN risk_grant ON risk_grant.tenant_id = till.tenant_id AND risk_grant.dist_key = till.dist_key
    AND risk_grant.device_id = till.device_id AND risk_grant.standing = 'open'
WHERE till.tenant_id = ? AND till.dist_key = ?
ORDER BY store.name, till.name, till.device_id
"""
_SHOPS: Final = """
SELECT store_id, name, bucket, (
    SELECT count(*) FROM till WHERE till.tenant_id = store.tenant_id AND till.dist_key = store.dist_key
        AND till.store_id = store.store_id
)
FROM store WHERE tenant_id = ? AND dist_key = ? ORDER BY name
"""
_QUARANTINED_BEHIND: Final = """
SELECT event_id, length(body) FROM {}
WHERE tenant_id = ? AND dist_key = ? AND standing = 'quarantined' AND event_id > ?
ORDER BY event_id LIMIT ?
"""
# SQLite would walk all events.
_QUARANTINE: Final = Spelt(
    sqlite=_QUARANTINED_BEHIND.format("event INDEXED BY event_quarantined"),
    postgresql=_QUARANTINED_BEHIND.format("event"),
)
_QUARANTINED: Final = """
SELECT body FROM event WHERE tenant_id = ? AND dist_key = ? AND event_id = ? AND standing = 'quarantined'
"""
_SUMS: Final = """
SELECT asset, CAST(sum(amount) AS bigint) FROM ledger
WHERE tenant_id = ? AND dist_key = ? AND member_id = ? AND number < ? GROUP BY asset
"""
_EVENT: Final = "SELECT body FROM event WHERE tenant_id = ? AND dist_key = ? AND event_id = ?"
BODIES: Final = """
SELECT (
    SELECT body FROM event WHERE event.tenant_id = link.tenant_id AND event.dist_key = link.dist_key
        AND event.event_id = link.event_id
)
FROM link WHERE tenant_id = ? AND dist_key = ? AND device_id = ? AND epoch = ? AND seq > ? AND seq <= ?
ORDER BY seq
"""
_REFERENCE: Final = (
    "SELECT body FROM reference_set WHERE tenant_id = ? AND dist_key = ? AND key = ?"
)
_OWN_PROGRAMME: Final = """
SELECT body FROM own_programme WHERE tenant_id = ? AND dist_key = ? AND device_id = ? AND version = ?
"""
_OWN_PROGRAMMES: Final = """
SELECT body FROM own_programme WHERE tenant_id = ? AND dist_key = ? ORDER BY version DESC, device_id LIMIT 1
"""
_MEMBERS_SINCE: Final = """
SELECT DISTINCT member_id FROM ledger WHERE tenant_id = ? AND dist_key = ? AND business_date >= ?
ORDER BY member_id LIMIT ?
"""
_SEEN: Final = """
SELECT console_seen.event_id, console_staff.initials, console_seen.at_ms
FROM console_seen JOIN console_staff USING (tenant_id, dist_key, staff_id)
WHERE console_seen.tenant_id = ? AND console_seen.dist_key = ?
"""
_MERGED: Final = """
SELECT member_id FROM member WHERE tenant_id = ? AND dist_key = ? AND alias = ? ORDER BY member_id LIMIT ?
"""
# SQLite's hints keep it from ever walking a whole chain by its primary key, whatever it takes for faster.
BY_VALUE: Final = Spelt(
    sqlite="""
SELECT member_id FROM cell INDEXED BY cell_value
WHERE tenant_id = ? AND dist_key = ? AND field = ? AND value COLLATE NOCASE >= ? AND value COLLATE NOCASE < ?
ORDER BY value COLLATE NOCASE, member_id LIMIT ?
""",
    postgresql="""
SELECT member_id FROM cell
WHERE tenant_id = ? AND dist_key = ? AND field = ? AND sought >= lower(? COLLATE "C")
    AND sought < lower(? COLLATE "C")
ORDER BY sought, member_id LIMIT ?
""",
)
BY_WHOLE_VALUE: Final = Spelt(
    sqlite="""
SELECT DISTINCT member_id FROM cell INDEXED BY cell_value
WHERE tenant_id = ? AND dist_key = ? AND field = ? AND value COLLATE NOCASE = ? ORDER BY member_id
""",
    postgresql="""
SELECT DISTINCT member_id FROM cell
WHERE tenant_id = ? AND dist_key = ? AND field = ? AND sought = lower(? COLLATE "C")
ORDER BY member_id
""",
)
BY_LAST_FOUR: Final = Spelt(
    sqlite="""
SELECT member_id FROM cell INDEXED BY cell_last_four
WHERE tenant_id = ? AND dist_key = ? AND field IN ('phone', 'card') AND substr(value, -4) = ?
ORDER BY member_id LIMIT ?
""",
    postgresql="""
SELECT member_id FROM cell
WHERE tenant_id = ? AND dist_key = ? AND field IN ('phone', 'card') AND last_four = ?
ORDER BY member_id LIMIT ?
""",
)
_AUDIT: Final = """
SELECT number, at_ms, initials, act, member_id, detail
FROM console_audit LEFT JOIN console_staff USING (tenant_id, dist_key, staff_id)
WHERE tenant_id = ? AND dist_key = ? AND number < ? AND at_ms >= ? AND at_ms < ? AND (? = '' OR act = ?)
    AND (? = '' OR initials = ?)
ORDER BY number DESC LIMIT ?
"""
_LAST: Final = "\U0010ffff"
"""Behind every text that begins with what stands before it."""


class ChainRow(NamedTuple):
    """A chain by its name. `offset_minutes`: its local time less UTC."""

    tenant: bytes
    name: str
    offset_minutes: int
    lease_ms: int


class TillRow(NamedTuple):
    """A till. grant, lease_until_ms: of its open grant. seq: how much head office has of `epoch`. came_by: the
    last of head office's addresses by which it came, "": not known. key_ms: when it told its newest key, 0: not
    known."""

    device: bytes
    name: str
    shop: str
    standing: str
    heard_ms: int
    came_by: str
    key_ms: int
    epoch: int
    seq: int
    grant: int | None
    lease_until_ms: int | None


class ShopRow(NamedTuple):
    """A store, and how many tills were let in there."""

    id: bytes
    name: str
    bucket: str
    tills: int


class AuditRow(NamedTuple):
    """One line of the audit. initials: None where nobody was known."""

    number: int
    at_ms: int
    initials: str | None
    act: str
    member: bytes | None
    detail: str


class AuditWanted(NamedTuple):
    """Which lines are meant: from an instant until before another one, of one act, by one person; "": all."""

    first_ms: int
    end_ms: int
    act: str = ""
    initials: str = ""


class Numbered(NamedTuple):
    """An entry by its place in the owner's order."""

    number: int
    entry: Entry


class OfMember(NamedTuple):
    """An entry of an event, and whose it is."""

    member: bytes
    numbered: Numbered


class Snapshot:
    """One chain in one snapshot."""

    def __init__(self, plain: Plain, tenant: bytes) -> None:
        self._plain = self.plain = plain
        self._own = (tenant, dist_key(tenant))
        self._rows = plain.many(tenant)

    def _all(self, text: Text, *values: object) -> list[Any]:
        return self._plain.rows(text, (*self._own, *values))

    def staff(self) -> Staff:
        """The chain's people, for reading alone."""
        return Staff(self._plain, self._own[0])

    def chain(self) -> ChainRow:
        return ChainRow(*self._all(_CHAIN)[0])

    def tenant(self) -> Tenant:
        """The figures of the risk budget."""
        return Tenant(*self._rows.find(sql.THE_TENANT, [self._own[:1]])[0])

    def tills(self) -> list[TillRow]:
        """All tills, by store and name."""
        return [TillRow(*row) for row in self._all(_TILLS)]

    def told_address(self) -> str:
        """Where tills are told that head office is; empty: nowhere else."""
        rows = self._all(_REFERENCE, OFFICE_ADDRESS)
        return address_of(rows[0][0] if rows else None)

    def lost_cards(self) -> frozenset[str]:
        """Numbers of cards that were reported lost."""
        rows = self._all(_REFERENCE, LOST_CARDS)
        return lost_cards_of(rows[0][0] if rows else None)

    def shops(self) -> list[ShopRow]:
        """All stores, by name."""
        return [ShopRow(*row) for row in self._all(_SHOPS)]

    def unseen(self) -> int:
        """How many events in quarantine nobody has looked at."""
        return Directory(self._plain).unseen(self._own[0])

    def quarantine(self, portion: int) -> Iterator[tuple[bytes, int]]:
        """All of them by id, each with its size in bytes."""
        last, more = b"", True
        while more:
            found = self._all(_QUARANTINE, last, portion)
            yield from found
            last, more = found[-1][0] if found else last, len(found) == portion

    def quarantined_event(self, event: bytes) -> bytes | None:
        """The bytes of an event in quarantine."""
        rows = self._all(_QUARANTINED, event)
        return rows[0][0] if rows else None

    def seen(self) -> dict[bytes, tuple[str, int]]:
        """Who looked at events of the quarantine and said so, and when."""
        return {event: (initials, at_ms) for event, initials, at_ms in self._all(_SEEN)}

    def all_conflicts(self, before: int, portion: int) -> Iterator[CellRecord]:
        """Conflicts of all members whose deciding stamp is before one, the last first."""
        most, more = portion, True
        while more:
            rows = self._rows.ask(sql.ALL_CONFLICTS, before, most)
            found, more = [row_records.cell_of(row) for row in rows], len(rows) == most
            # Of one stamp there may be more than were read: those wait for the next portion.
            whole = [each for each in found if not more or each.decides != found[-1].decides]
            most = portion if whole else 2 * most
            before = whole[-1].decides if whole else before
            yield from whole

    def audit(self, wanted: AuditWanted, portion: int) -> Iterator[AuditRow]:
        """What was done, the last first."""
        before, more = 1 << 62, True
        first, last, act, initials = wanted
        while more:
            values = (before, first, last, act, act, initials, initials, portion)
            found = [AuditRow(*row) for row in self._all(_AUDIT, *values)]
            yield from found
            before, more = found[-1].number if found else before, len(found) == portion

    # Members

    def member(self, member: bytes) -> Member | None:
        rows = self._rows.find(sql.MEMBERS, [(member,)])
        if not rows:
            return None
        return row_records.member_of(rows[0], self._rows.find(sql.RESERVATIONS, [(member,)]))

    def merged_into(self, member: bytes, most: int) -> list[bytes]:
        """Members that this one took over."""
        return [row[0] for row in self._all(_MERGED, member, most)]

    def ledger(self, member: bytes, before: int, most: int) -> list[Numbered]:
        """Entries before a number, the last first; not what merges say of names and parts."""
        rows = self._rows.ask(sql.MOVEMENTS_BEFORE, member, before, most)
        return [Numbered(row[1], row_records.entry_of(row)) for row in rows]

    def whole_ledger(self, member: bytes) -> list[Entry]:
        """Everything that a fold needs, in the owner's order."""
        rows = self._rows.ask(sql.ENTRIES_BEFORE, member, 1 << 62, 1 << 30)
        return [row_records.entry_of(row) for row in reversed(rows)]

    def sums_before(self, member: bytes, number: int) -> dict[str, int]:
        """What the entries before a number sum up to, by asset."""
        return {asset: int(amount) for asset, amount in self._all(_SUMS, member, number)}

    def entries_of(self, event: bytes) -> list[OfMember]:
        """The entries of an event."""
        rows = self._rows.ask(sql.MOVEMENTS_OF, event)
        return [OfMember(row[0], Numbered(row[1], row_records.entry_of(row))) for row in rows]

    def event_body(self, event: bytes) -> bytes | None:
        """The bytes of an event as it came."""
        rows = self._all(_EVENT, event)
        return bytes(rows[0][0]) if rows else None

    def event_bodies(self, events: Sequence[bytes]) -> dict[bytes, bytes]:
        """The bytes of those of these events that are here."""
        rows = self._rows.find(sql.EVENTS, [(event,) for event in events])
        return {row[0]: row[1] for row in rows}

    def bodies(self, device: bytes, epoch: int, after: int, to: int) -> Sequence[bytes]:
        """A till's events of an epoch behind one sequence up to another, in order."""
        return [bytes(row[0]) for row in self._all(BODIES, device, epoch, after, to)]

    def programme_body(self, version: int, device: bytes) -> bytes | None:
        """A version of the programme: the chain's, or one of a till's own from before it joined."""
        rows = self._all(_REFERENCE, programme_key(version)) or self._all(
            _OWN_PROGRAMME, device, version
        )
        return bytes(rows[0][0]) if rows and rows[0][0] is not None else None

    def first_programme(self) -> bytes:
        """What a chain without a programme begins with: a till's newest own one, or the one that we bring."""
        rows = self._all(_OWN_PROGRAMMES)
        return bytes(rows[0][0]) if rows else programme_path("starter.json").read_bytes()

    def members_since(self, start: BusinessDate, most: int) -> list[bytes]:
        """Members with an entry of a business date or a later one, by id."""
        return [row[0] for row in self._all(_MEMBERS_SINCE, int(start), most)]

    def newest_programme(self) -> Programme | None:
        """The chain's last version, in force or not yet; None where none was published."""
        return rules.newest(self._plain, self._own[0])

    def conflicts(self, member: bytes, most: int) -> list[CellRecord]:
        """Cells whose writer had not seen the value that stood, the last first."""
        rows = self._rows.ask(sql.CONFLICTS, member, most)
        return [row_records.cell_of(row) for row in rows]

    def having(self, field: str, value: str) -> Sequence[bytes]:
        """All members of whom this whole value of a field ever came, by id."""
        return [row[0] for row in self._all(BY_WHOLE_VALUE, field, value)]

    def begins(self, field: str, text: str, most: int) -> Sequence[bytes]:
        """Members of whom a value of a field ever came that begins so, by that value."""
        return [row[0] for row in self._all(BY_VALUE, field, text, text + _LAST, most)]

    def ends(self, four: str, most: int) -> Sequence[bytes]:
        """Members of whom a phone or card ever came that ends so, by id."""
        return [row[0] for row in self._all(BY_LAST_FOUR, four, most)]
