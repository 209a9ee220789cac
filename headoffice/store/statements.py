"""What the stores ask and write, said once for SQLite and PostgreSQL: tables, reads by many keys, and single
questions. How each database says it is sqlite.py's and postgresql.py's.

Every read is bound to (tenant_id, dist_key) first. Columns stand in the order of the records (row_records.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from app.domain.entries import CARRIED

OWN: Final = ("tenant_id", "dist_key")


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table: its columns with their types in PostgreSQL, of which the first `keys` are the primary key after
    `own`. `once`: its rows are written once and never replaced. `heads`: in PostgreSQL the table that has
    the last number of each of its first column, where its own rows lie in many partitions. `stays`: columns
    that a row which is there keeps."""

    name: str
    columns: tuple[tuple[str, str], ...]
    keys: int = 1
    once: bool = False
    own: tuple[str, ...] = OWN
    heads: str = ""
    stays: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(name for name, _ in self.columns)

    @property
    def replaced(self) -> tuple[str, ...]:
        """The columns that a row takes from the one that comes under its key."""
        return tuple(name for name in self.names[self.keys :] if name not in self.stays)


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """The rows of a table that have one of many keys, `by` their columns; `where` a fixed condition.

    hint  SQLite's index: without statistics it rather walks all rows of the tenant than a handful of open ones
    """

    table: Table
    by: tuple[str, ...]
    where: str = ""
    order: str = ""
    hint: str = ""


class Ask(NamedTuple):
    """A single question; its values follow the tenant's id and dist_key, each at a question mark."""

    text: str


def _table(name: str, columns: str, keys: int = 1, *, once: bool = False, heads: str = "") -> Table:
    return Table(name, _typed(columns), keys, once, heads=heads)


def _typed(columns: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, kind) for name, kind in (each.split() for each in columns.split(",")))


# The tenant's own row is found by its id alone.
TENANT: Final = Table(
    "tenant",
    _typed(
        "tenant_id bytea, timeline bigint, budget bigint, clock_ms bigint, as_of_ms bigint, "
        "granted bigint, overdrawn bigint, lost bigint, written_off bigint"
    ),
    own=(),
)
DEVICE: Final = _table(
    "device",
    "device_id bytea, home text, buckets bytea, epoch bigint, seq bigint, chain bytea, "
    "reported bigint, standing text, fenced boolean, nonce bytea, common bigint, rebased_ms bytea, "
    "seen bytea",
)
LINK: Final = _table(
    "link",
    "device_id bytea, epoch bigint, seq bigint, event_id bytea, chain bytea",
    3,
    once=True,
)
EVENT: Final = _table("event", "event_id bytea, body bytea, standing text", once=True)
MEMBER: Final = _table(
    "member",
    "member_id bytea, bucket text, feed bigint, alias bytea, erased_at bigint, rest bytea, wire bytea",
)
MEMBER_IN_PLACE: Final = replace(MEMBER, stays=("bucket", "alias"))
"""Members whose bucket and alias are as they were. Where these are named, even with the value that they have,
SQLite writes each index of the table anew: two pages more a member."""
RESERVATION: Final = _table(
    "reservation",
    "member_id bytea, asset text, device_id bytea, amount bigint, local bigint",
    3,
)
LEDGER: Final = _table(
    "ledger",
    "member_id bytea, number bigint, event_id bytea, n bigint, asset text, kind text, "
    "amount bigint, business_date bigint, available_from bigint, expires bigint, "
    "minimum_expiry bigint, ref_event bytea, ref_n bigint",
    2,
    once=True,
    heads="ledger_head",
)
HOLD: Final = _table(
    "hold",
    "hold_id bytea, device_id bytea, epoch bigint, standing text, member_id bytea, asset text, "
    "amount bigint, business_date bigint, sale bytea, lines bytea",
)
GRANT: Final = _table(
    "risk_grant",
    "grant_id bytea, device_id bytea, epoch bigint, amount bigint, cap bigint, "
    "lease_until_ms bigint, standing text",
)
RETURN: Final = _table(
    "sale_return",
    "sale bytea, number bigint, event_id bytea, member_id bytea, business_date bigint, parts bytea",
    2,
    once=True,
)
CELL: Final = _table(
    "cell",
    "member_id bytea, number bigint, field text, value text, hlc bigint, device_id bytea, "
    "over bigint, decides bigint, conflict bytea",
    2,
    once=True,
)
REFERENCE: Final = _table(
    "reference_set", "key text, bucket text, feed bigint, version bigint, body bytea"
)
FEED: Final = _table("feed_head", "bucket text, head bigint, floor bigint")
SNAPSHOT: Final = _table(
    "snapshot",
    "bucket text, snapshot_id bigint, timeline bigint, feed bigint, have bytea, frames bigint, "
    "reference_sets bytea, whole boolean",
    2,
)
FRAME: Final = _table(
    "snapshot_frame", "bucket text, snapshot_id bigint, frame bigint, rows bytea", 3
)

THE_TENANT: Final = Query(TENANT, ("tenant_id",))
DEVICES: Final = Query(DEVICE, ("device_id",))
LINKS: Final = Query(LINK, ("device_id", "epoch", "seq"))
EVENTS: Final = Query(EVENT, ("event_id",))
MEMBERS: Final = Query(MEMBER, ("member_id",))
RESERVATIONS: Final = Query(RESERVATION, ("member_id",))
ENTRIES: Final = Query(LEDGER, ("member_id",), order="number")
HOLDS: Final = Query(HOLD, ("hold_id",))
OPEN_HOLDS: Final = Query(HOLD, ("device_id",), "standing = 'open'", hint="hold_open")
OPEN_LINE_HOLDS: Final = Query(HOLD, ("sale",), "standing = 'open'", hint="hold_lines")
GRANTS: Final = Query(GRANT, ("grant_id",))
OPEN_GRANTS: Final = Query(GRANT, ("device_id",), "standing = 'open'", hint="risk_grant_open")
RETURNS: Final = Query(RETURN, ("sale",), order="number")
CELLS: Final = Query(CELL, ("member_id",), order="number")
SENT_CELLS: Final = Query(
    CELL, ("member_id", "field", "device_id", "hlc"), order="number", hint="cell_sent"
)
REFERENCES: Final = Query(REFERENCE, ("key",))
FEEDS: Final = Query(FEED, ("bucket",))
SNAPSHOTS: Final = Query(SNAPSHOT, ("bucket", "snapshot_id"), "whole = true")
ANY_SNAPSHOT: Final = Query(SNAPSHOT, ("bucket", "snapshot_id"))
FRAMES: Final = Query(FRAME, ("bucket", "snapshot_id"))
FRAMES_AT: Final = Query(FRAME, ("bucket", "snapshot_id", "frame"))

_OWN: Final = "tenant_id = ? AND dist_key = ?"


def _columns(table: Table) -> str:
    return ", ".join(table.names)


ALL_DEVICES: Final = Ask(f"SELECT {_columns(DEVICE)} FROM device WHERE {_OWN} ORDER BY device_id")
UNREPORTED: Final = Ask(
    f"SELECT device_id FROM device WHERE {_OWN} AND reported < ? AND (standing = 'live')"
)
MEMBERS_AFTER: Final = Ask(
    f"SELECT {_columns(MEMBER)} FROM member WHERE {_OWN} AND member_id > ? "
    "ORDER BY member_id LIMIT ?"
)
RESERVED_FOR: Final = Ask(
    f"SELECT DISTINCT member_id FROM reservation WHERE {_OWN} AND device_id = ? ORDER BY member_id"
)
ENTRIES_BEFORE: Final = Ask(
    f"SELECT {_columns(LEDGER)} FROM ledger WHERE {_OWN} AND member_id = ? AND number < ? "
    "ORDER BY number DESC LIMIT ?"
)
_MOVES: Final = (
    f"substr(asset, 1, {len(CARRIED)}) <> '{CARRIED}' AND (amount <> 0 OR kind <> 'adjust')"
)
"""Without what a merge says of names and parts (app/domain/entries.py), which nobody owns."""
MOVEMENTS_BEFORE: Final = Ask(
    f"SELECT {_columns(LEDGER)} FROM ledger WHERE {_OWN} AND member_id = ? AND number < ? "
    f"AND {_MOVES} ORDER BY number DESC LIMIT ?"
)
MOVEMENTS_OF: Final = Ask(
    f"SELECT {_columns(LEDGER)} FROM ledger WHERE {_OWN} AND event_id = ? AND {_MOVES} ORDER BY n"
)
CONFLICTS: Final = Ask(
    f"SELECT {_columns(CELL)} FROM cell WHERE {_OWN} AND member_id = ? AND conflict IS NOT NULL "
    "ORDER BY number DESC LIMIT ?"
)
ALL_CONFLICTS: Final = Ask(
    f"SELECT {_columns(CELL)} FROM cell WHERE {_OWN} AND conflict IS NOT NULL AND decides < ? "
    "ORDER BY decides DESC, member_id, number LIMIT ?"
)
MEMBER_ROWS: Final = Ask(
    f"SELECT feed, member_id, wire FROM member WHERE {_OWN} AND bucket = ? AND feed > ? "
    "ORDER BY feed LIMIT ?"
)
MEMBERS_BY_ID: Final = Ask(
    f"SELECT feed, member_id, wire FROM member WHERE {_OWN} AND bucket = ? AND member_id > ? "
    "ORDER BY member_id LIMIT ?"
)
REFERENCE_ROWS: Final = Ask(
    f"SELECT {_columns(REFERENCE)} FROM reference_set WHERE {_OWN} AND bucket = ? AND feed > ? "
    "AND (body IS NOT NULL OR feed > ?) ORDER BY feed LIMIT ?"
)
NEWEST_SNAPSHOT: Final = Ask(
    f"SELECT {_columns(SNAPSHOT)} FROM snapshot WHERE {_OWN} AND bucket = ? "
    "AND (whole = true) ORDER BY snapshot_id DESC LIMIT 1"
)
SNAPSHOT_NUMBERS: Final = Ask(
    f"SELECT snapshot_id, whole FROM snapshot WHERE {_OWN} AND bucket = ? ORDER BY snapshot_id DESC"
)
FRAME_NUMBERS: Final = Ask(
    f"SELECT frame FROM snapshot_frame WHERE {_OWN} AND bucket = ? AND snapshot_id = ? "
    "ORDER BY frame LIMIT ?"
)
SOME_FRAMES: Final = Ask(
    f"SELECT rows FROM snapshot_frame WHERE {_OWN} AND bucket = ? AND snapshot_id = ? AND frame >= ? "
    "AND frame < ? ORDER BY frame"
)
