"""Every statement of the SQLite store, bound to (tenant_id, dist_key) first; columns in the records' order."""

from __future__ import annotations

from typing import Final

_OWN: Final = "tenant_id = ?1 AND dist_key = ?2"


def _insert(table: str, columns: str) -> str:
    names = f"tenant_id, dist_key, {columns}".split(", ")
    marks = ", ".join(f"?{at}" for at in range(1, len(names) + 1))
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"


def _upsert(table: str, key: str, columns: str) -> str:
    """The key is (tenant_id, dist_key, key); its columns come first in what is bound, the others follow."""
    changed = ", ".join(f"{name} = excluded.{name}" for name in columns.split(", "))
    conflict = f"ON CONFLICT (tenant_id, dist_key, {key}) DO UPDATE SET {changed}"
    return f"{_insert(table, f'{key}, {columns}')} {conflict}"


# The tenant's own row is bound to its id alone.
_TENANT: Final = "timeline, budget, clock_ms, as_of_ms, granted, overdrawn, lost, written_off"
TENANT: Final = f"SELECT tenant_id, {_TENANT} FROM tenant WHERE tenant_id = ?"
PUT_TENANT: Final = (
    f"INSERT INTO tenant (tenant_id, {_TENANT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (tenant_id) DO UPDATE SET timeline = excluded.timeline, budget = excluded.budget, "
    "clock_ms = excluded.clock_ms, as_of_ms = excluded.as_of_ms, granted = excluded.granted, "
    "overdrawn = excluded.overdrawn, lost = excluded.lost, written_off = excluded.written_off"
)

_DEVICE: Final = (
    "home, buckets, epoch, seq, chain, reported, standing, fenced, nonce, common, rebased_ms, seen"
)
DEVICE: Final = f"SELECT device_id, {_DEVICE} FROM device WHERE {_OWN} AND device_id = ?3"
DEVICES: Final = f"SELECT device_id, {_DEVICE} FROM device WHERE {_OWN} ORDER BY device_id"
PUT_DEVICE: Final = _upsert("device", "device_id", _DEVICE)

LINK: Final = (
    "SELECT epoch, seq, event_id, chain FROM link "
    f"WHERE {_OWN} AND device_id = ?3 AND epoch = ?4 AND seq = ?5"
)
PUT_LINK: Final = _insert("link", "device_id, epoch, seq, event_id, chain")

EVENT: Final = f"SELECT event_id, body, standing FROM event WHERE {_OWN} AND event_id = ?3"
PUT_EVENT: Final = _insert("event", "event_id, body, standing")

_MEMBER: Final = "member_id, bucket, feed, alias, erased_at, rest"
MEMBER: Final = f"SELECT {_MEMBER} FROM member WHERE {_OWN} AND member_id = ?3"
MEMBERS: Final = f"SELECT member_id FROM member WHERE {_OWN} ORDER BY member_id"
MEMBER_ROWS: Final = (
    f"SELECT {_MEMBER} FROM member WHERE {_OWN} AND bucket = ?3 AND feed > ?4 "
    "ORDER BY feed LIMIT ?5"
)
PUT_MEMBER: Final = (
    f"{_insert('member', _MEMBER)} ON CONFLICT (tenant_id, dist_key, member_id) DO UPDATE SET "
    "bucket = excluded.bucket, alias = excluded.alias, erased_at = excluded.erased_at, "
    "rest = excluded.rest"
)
NUMBER_MEMBER: Final = f"UPDATE member SET feed = ?3 WHERE {_OWN} AND member_id = ?4"

RESERVATIONS: Final = (
    f"SELECT asset, device_id, amount, local FROM reservation WHERE {_OWN} AND member_id = ?3"
)
RESERVED_FOR: Final = (
    f"SELECT DISTINCT member_id FROM reservation WHERE {_OWN} AND device_id = ?3 ORDER BY member_id"
)
DROP_RESERVATIONS: Final = f"DELETE FROM reservation WHERE {_OWN} AND member_id = ?3"
ADD_RESERVATION: Final = _insert("reservation", "member_id, asset, device_id, amount, local")

_ENTRY: Final = (
    "event_id, n, asset, kind, amount, business_date, available_from, expires, minimum_expiry, "
    "ref_event, ref_n"
)
LEDGER: Final = f"SELECT {_ENTRY} FROM ledger WHERE {_OWN} AND member_id = ?3 ORDER BY number"
LAST_ENTRY: Final = f"SELECT coalesce(max(number), 0) FROM ledger WHERE {_OWN} AND member_id = ?3"
ADD_ENTRY: Final = _insert("ledger", f"member_id, number, {_ENTRY}")

_HOLD: Final = "device_id, epoch, standing, member_id, asset, amount, business_date, sale, lines"
HOLD: Final = f"SELECT hold_id, {_HOLD} FROM hold WHERE {_OWN} AND hold_id = ?3"
# INDEXED BY: without statistics SQLite rather walks all rows of the tenant, which lie in the order asked for.
OPEN_HOLDS: Final = (
    f"SELECT hold_id, {_HOLD} FROM hold INDEXED BY hold_open "
    f"WHERE {_OWN} AND standing = 'open' AND device_id = ?3 ORDER BY hold_id"
)
OPEN_LINE_HOLDS: Final = (
    f"SELECT hold_id, {_HOLD} FROM hold INDEXED BY hold_lines "
    f"WHERE {_OWN} AND standing = 'open' AND sale = ?3 ORDER BY hold_id"
)
PUT_HOLD: Final = _upsert("hold", "hold_id", _HOLD)

_GRANT: Final = "device_id, epoch, amount, cap, lease_until_ms, standing"
GRANT: Final = f"SELECT grant_id, {_GRANT} FROM risk_grant WHERE {_OWN} AND grant_id = ?3"
OPEN_GRANT: Final = (
    f"SELECT grant_id, {_GRANT} FROM risk_grant "
    f"WHERE {_OWN} AND standing = 'open' AND device_id = ?3"
)
PUT_GRANT: Final = _upsert("risk_grant", "grant_id", _GRANT)

_RETURN: Final = "event_id, member_id, business_date, parts"
RETURNS: Final = f"SELECT {_RETURN} FROM sale_return WHERE {_OWN} AND sale = ?3 ORDER BY number"
LAST_RETURN: Final = f"SELECT coalesce(max(number), 0) FROM sale_return WHERE {_OWN} AND sale = ?3"
ADD_RETURN: Final = _insert("sale_return", f"sale, number, {_RETURN}")

_CELL: Final = "field, value, hlc, device_id, over, decides, conflict"
CELL: Final = (
    f"SELECT member_id, {_CELL} FROM cell INDEXED BY cell_sent "
    f"WHERE {_OWN} AND member_id = ?3 AND field = ?4 AND device_id = ?5 AND hlc = ?6 "
    "ORDER BY number LIMIT 1"
)
CELLS: Final = (
    f"SELECT member_id, {_CELL} FROM cell WHERE {_OWN} AND member_id = ?3 ORDER BY number"
)
LAST_CELL: Final = f"SELECT coalesce(max(number), 0) FROM cell WHERE {_OWN} AND member_id = ?3"
ADD_CELL: Final = _insert("cell", f"member_id, number, {_CELL}")
DROP_CELLS: Final = f"DELETE FROM cell WHERE {_OWN} AND member_id = ?3"

_REFERENCE: Final = "key, bucket, feed, version, body"
REFERENCE: Final = f"SELECT {_REFERENCE} FROM reference_set WHERE {_OWN} AND key = ?3"
REFERENCE_ROWS: Final = (
    f"SELECT {_REFERENCE} FROM reference_set WHERE {_OWN} AND bucket = ?3 AND feed > ?4 "
    "AND (body IS NOT NULL OR feed > ?5) ORDER BY feed LIMIT ?6"
)
PUT_REFERENCE: Final = (
    f"{_insert('reference_set', _REFERENCE)} ON CONFLICT (tenant_id, dist_key, key) DO UPDATE SET "
    "bucket = excluded.bucket, version = excluded.version, body = excluded.body"
)
NUMBER_REFERENCE: Final = f"UPDATE reference_set SET feed = ?3 WHERE {_OWN} AND key = ?4"

FEED: Final = f"SELECT head, floor FROM feed_head WHERE {_OWN} AND bucket = ?3"
RAISE_HEAD: Final = (
    "INSERT INTO feed_head (tenant_id, dist_key, bucket, head, floor) VALUES (?1, ?2, ?3, ?4, 0) "
    "ON CONFLICT (tenant_id, dist_key, bucket) DO UPDATE SET head = head + excluded.head RETURNING head"
)
RAISE_FLOOR: Final = f"UPDATE feed_head SET floor = max(floor, ?4) WHERE {_OWN} AND bucket = ?3"

_SNAPSHOT: Final = "snapshot_id, timeline, feed, have, frames, reference_sets"
SNAPSHOT: Final = (
    f"SELECT {_SNAPSHOT} FROM snapshot WHERE {_OWN} AND bucket = ?3 AND snapshot_id = ?4"
)
NEWEST_SNAPSHOT: Final = (
    f"SELECT {_SNAPSHOT} FROM snapshot WHERE {_OWN} AND bucket = ?3 "
    "ORDER BY snapshot_id DESC LIMIT 1"
)
PUT_SNAPSHOT: Final = _upsert(
    "snapshot", "bucket, snapshot_id", "timeline, feed, have, frames, reference_sets"
)
_OF_SNAPSHOT: Final = f"{_OWN} AND bucket = ?3 AND snapshot_id = ?4"
FRAME: Final = f"SELECT rows FROM snapshot_frame WHERE {_OF_SNAPSHOT} AND frame = ?5"
DROP_FRAMES: Final = f"DELETE FROM snapshot_frame WHERE {_OF_SNAPSHOT}"
ADD_FRAME: Final = _insert("snapshot_frame", "bucket, snapshot_id, frame, rows")
