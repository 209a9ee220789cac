"""Rows of the truth and its projections in plain SQL on the DB-API connection: the counter's hot path.

Frozen records in, frozen records out; nothing here knows what a row means or who is above. Every statement
names its columns and its order. `Connection` is sqlcipher3's; a caller holds it inside a transaction of
`db.engine`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from sqlcipher3.dbapi2 import Connection

Key: TypeAlias = bytes
"""A 16-byte id."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One journal event; `body` is the exact chained bytes."""

    seq: int
    epoch: int
    id: bytes
    command_id: bytes
    kind: str
    body: bytes
    hash: bytes


class LedgerRow(NamedTuple):
    """One entry; dates are days since 1970-01-01, None where the entry has none."""

    seq: int
    n: int
    event_id: bytes
    member_id: bytes
    asset: str
    kind: str
    amount: int
    business_date: int
    available_from: int | None
    expires: int | None
    minimum_expiry: int | None
    ref_event: bytes | None
    ref_n: int | None


class DocumentRow(NamedTuple):
    """One counter document, for look-up by receipt, member and shift."""

    seq: int
    event_id: bytes
    kind: str
    receipt_no: str | None
    member_id: bytes | None
    shift_id: bytes
    staff_id: bytes
    business_date: int
    at_us: int
    total_minor: int
    points_earned: int
    points_spent: int
    refers_to: bytes | None
    reason: str | None


LAST: Final = (1 << 63) - 1
"""Above every sequence number."""

_EVENT = "seq, epoch, id, command_id, kind, body, hash"
_LEDGER = (
    "seq, n, event_id, member_id, asset, kind, amount, business_date, available_from, expires,"
    " minimum_expiry, ref_event, ref_n"
)
_DOCUMENT = (
    "seq, event_id, kind, receipt_no, member_id, shift_id, staff_id, business_date, at_us,"
    " total_minor, points_earned, points_spent, refers_to, reason"
)
_INSERT_EVENT = f"INSERT INTO event ({_EVENT}) VALUES (?,?,?,?,?,?,?)"
_INSERT_LEDGER = f"INSERT INTO ledger ({_LEDGER}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
_INSERT_DOCUMENT = f"INSERT INTO document ({_DOCUMENT}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"


# Journal ----------------------------------------------------------------------------------------


def insert_event(conn: Connection, row: EventRow) -> None:
    """Append one event; the primary key refuses a sequence number twice."""
    conn.execute(
        _INSERT_EVENT,
        (row.seq, row.epoch, row.id, row.command_id, row.kind, row.body, row.hash),
    )


def head(conn: Connection) -> tuple[int, bytes] | None:
    """(sequence, hash) of the last event, None in an empty journal."""
    found: tuple[int, bytes] | None = conn.execute(
        "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return found


def event_by_command(conn: Connection, command_id: bytes) -> EventRow | None:
    """The event that a command made, None when it made none."""
    return _one_event(conn, "command_id = ?", command_id)


def event_by_id(conn: Connection, event_id: bytes) -> EventRow | None:
    """The event of an id."""
    return _one_event(conn, "id = ?", event_id)


def event_by_seq(conn: Connection, seq: int) -> EventRow | None:
    """The event of a sequence number."""
    return _one_event(conn, "seq = ?", seq)


def events_after(
    conn: Connection, seq: int, limit: int = -1, *, upto: int = LAST
) -> Iterator[EventRow]:
    """Events with a greater sequence number, up to one of `upto`, in order."""
    rows = conn.execute(
        f"SELECT {_EVENT} FROM event WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
        (seq, upto, limit),
    )
    return (EventRow(*row) for row in rows)


def bodies_after(conn: Connection, seq: int) -> Iterator[tuple[int, str, bytes]]:
    """(number, kind, bytes) of the events with a greater sequence number, in order."""
    return iter(
        conn.execute("SELECT seq, kind, body FROM event WHERE seq > ? ORDER BY seq", (seq,))
    )


def bodies_of_kind(conn: Connection, kind: str, *, after: int) -> Iterator[bytes]:
    """The bytes of one kind's events above a number, in order. `kind` stands before the bytes in a row, so
    those of other kinds aren't read."""
    found = conn.execute(
        "SELECT body FROM event WHERE seq > ? AND kind = ? ORDER BY seq", (after, kind)
    )
    return (row[0] for row in found)


def events_of_kind(conn: Connection, kind: str, *, before: int) -> Iterator[EventRow]:
    """Events of one kind below a number, in order; for kinds that are few."""
    rows = conn.execute(
        f"SELECT {_EVENT} FROM event WHERE kind = ? AND seq < ? ORDER BY seq", (kind, before)
    )
    return (EventRow(*row) for row in rows)


def event_count(conn: Connection) -> int:
    """How many events there are; equal to the last sequence number in a sound journal."""
    return _int(conn, "SELECT count(*) FROM event")


def _one_event(conn: Connection, where: str, value: object) -> EventRow | None:
    row = conn.execute(f"SELECT {_EVENT} FROM event WHERE {where}", (value,)).fetchone()
    return EventRow(*row) if row else None


# Ledger -----------------------------------------------------------------------------------------


def insert_ledger(conn: Connection, rows: Iterable[LedgerRow]) -> None:
    """Append the entries of one event."""
    conn.executemany(_INSERT_LEDGER, rows)


def ledger_of_event(conn: Connection, seq: int) -> list[LedgerRow]:
    """The entries of one event, by number."""
    rows = conn.execute(f"SELECT {_LEDGER} FROM ledger WHERE seq = ? ORDER BY n", (seq,))
    return [LedgerRow(*row) for row in rows]


def ledger_of_member(conn: Connection, member_id: bytes, after_seq: int = 0) -> list[LedgerRow]:
    """A member's entries after an event, in the ledger's order."""
    rows = conn.execute(
        f"SELECT {_LEDGER} FROM ledger WHERE member_id = ? AND seq > ? ORDER BY seq, n",
        (member_id, after_seq),
    )
    return [LedgerRow(*row) for row in rows]


def ledger_of_asset(conn: Connection, member_id: bytes, asset: str) -> list[LedgerRow]:
    """A member's entries of one asset, in the ledger's order."""
    rows = conn.execute(
        f"SELECT {_LEDGER} FROM ledger WHERE member_id = ? AND asset = ? ORDER BY seq, n",
        (member_id, asset),
    )
    return [LedgerRow(*row) for row in rows]


def ledger_of_members(conn: Connection, members: Sequence[bytes]) -> dict[bytes, list[LedgerRow]]:
    """The entries of so many members by one question, each member's in the ledger's order."""
    found: dict[bytes, list[LedgerRow]] = {each: [] for each in members}
    rows = conn.execute(
        f"SELECT {_LEDGER} FROM ledger WHERE member_id IN ({','.join('?' * len(members))})"
        " ORDER BY member_id",
        members,
    )
    for row in rows:
        found[row[3]].append(LedgerRow._make(row))
    for entries in found.values():
        entries.sort()  # by event and number, of which there is one each
    return found


def members_moved_last(conn: Connection, limit: int) -> list[bytes]:
    """Members of the newest entries, `limit` of these at most."""
    rows = conn.execute(
        "SELECT DISTINCT member_id FROM"
        " (SELECT member_id FROM ledger ORDER BY seq DESC, n DESC LIMIT ?)",
        (limit,),
    )
    return [bytes(row[0]) for row in rows]


def members_moved_since(conn: Connection, seq: int, *, upto: int = LAST) -> Iterator[bytes]:
    """Every member with an entry after an event, up to that of `upto`, each once, in the order of their ids."""
    rows = conn.execute(
        "SELECT DISTINCT member_id FROM ledger NOT INDEXED WHERE seq > ? AND seq <= ?"
        " ORDER BY member_id",
        (seq, upto),
    )
    return (bytes(row[0]) for row in rows)


def last_day_close(conn: Connection) -> EventRow | None:
    """The newest DAY_CLOSE."""
    return _last(conn, "event_day_close", "kind = 'day_close'")


def day_closes_after(conn: Connection, seq: int) -> list[EventRow]:
    """Every DAY_CLOSE after a sequence number, oldest first."""
    found = conn.execute(
        f"SELECT {_EVENT} FROM event INDEXED BY event_day_close"
        " WHERE kind = 'day_close' AND seq > ? ORDER BY seq",
        (seq,),
    )
    return [EventRow(*row) for row in found]


def last_checkpoint(conn: Connection) -> EventRow | None:
    """The newest CHECKPOINT."""
    return _last(conn, "event_checkpoint", "kind = 'checkpoint'")


def checkpoints(conn: Connection) -> list[EventRow]:
    """Every CHECKPOINT, oldest first."""
    rows = conn.execute(
        f"SELECT {_EVENT} FROM event INDEXED BY event_checkpoint WHERE kind = 'checkpoint'"
        " ORDER BY seq"
    )
    return [EventRow(*row) for row in rows]


def last_backup(conn: Connection) -> EventRow | None:
    """The newest BACKUP."""
    return _last(conn, "event_backup", "kind = 'backup'")


def last_sign_in(conn: Connection) -> int:
    """The sequence number of the newest SIGN_IN, 0 without one. It is looked for from the end: as a rule it is
    of the same day."""
    row = conn.execute(
        "SELECT seq FROM event WHERE kind = 'sign_in' ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return int(row[0]) if row else 0


def _last(conn: Connection, index: str, where: str) -> EventRow | None:
    # The kind is written out: only then does SQLite see that the partial index answers.
    row = conn.execute(
        f"SELECT {_EVENT} FROM event INDEXED BY {index} WHERE {where} ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return EventRow(*row) if row else None


def all_ledger(conn: Connection, after: int = 0, upto: int = LAST) -> Iterator[LedgerRow]:
    """Every entry in the journal's order, of the events above `after` up to `upto`."""
    found = conn.execute(
        f"SELECT {_LEDGER} FROM ledger WHERE seq > ? AND seq <= ? ORDER BY seq, n", (after, upto)
    )
    return map(LedgerRow._make, found)


def all_documents(conn: Connection, after: int = 0, upto: int = LAST) -> Iterator[DocumentRow]:
    """Every document in the journal's order, of the events above `after` up to `upto`."""
    found = conn.execute(
        f"SELECT {_DOCUMENT} FROM document WHERE seq > ? AND seq <= ? ORDER BY seq", (after, upto)
    )
    return map(DocumentRow._make, found)


def ledger_sums(conn: Connection, member_id: bytes, after: int = 0) -> dict[str, int]:
    """Σ entries by asset of the events after one, answered from the covering index."""
    rows = conn.execute(
        "SELECT asset, sum(amount) FROM ledger INDEXED BY ledger_member"
        " WHERE member_id = ? AND seq > ? GROUP BY asset ORDER BY asset",
        (member_id, after),
    )
    return dict(rows.fetchall())


def ledger_sum(conn: Connection, member_id: bytes, asset: str) -> int:
    """Σ entries of one asset, answered from the covering index."""
    row = conn.execute(
        "SELECT coalesce(sum(amount), 0) FROM ledger INDEXED BY ledger_member"
        " WHERE member_id = ? AND asset = ?",
        (member_id, asset),
    ).fetchone()
    return int(row[0])


def ledger_sum_before(conn: Connection, member_id: bytes, asset: str, seq: int) -> int:
    """Σ entries of one asset below an event, answered from the covering index."""
    row = conn.execute(
        "SELECT coalesce(sum(amount), 0) FROM ledger INDEXED BY ledger_member"
        " WHERE member_id = ? AND asset = ? AND seq < ?",
        (member_id, asset, seq),
    ).fetchone()
    return int(row[0])


class PointsLine(NamedTuple):
    """An entry with its event's bytes and the document it belongs to, if any, for the ledger on screen."""

    event_id: bytes
    n: int
    seq: int
    kind: str
    amount: int
    business_date: int
    source: str
    body: bytes
    staff_id: bytes | None
    total_minor: int | None
    receipt_no: str | None


def points_of_member(
    conn: Connection, member_id: bytes, asset: str, limit: int, *, below: tuple[int, int]
) -> list[PointsLine]:
    """A member's entries of one asset, newest first: those before an entry's (event, number)."""
    rows = conn.execute(
        "SELECT l.event_id, l.n, l.seq, l.kind, l.amount, l.business_date, e.kind,"
        " e.body, d.staff_id, d.total_minor, d.receipt_no"
        " FROM (SELECT seq, n FROM ledger INDEXED BY ledger_member"
        "       WHERE member_id = ? AND asset = ? AND (seq, n) < (?, ?)"
        "       ORDER BY seq DESC, n DESC LIMIT ?) f"
        " JOIN ledger l ON l.seq = f.seq AND l.n = f.n"
        " JOIN event e ON e.seq = f.seq LEFT JOIN document d ON d.seq = f.seq"
        " ORDER BY l.seq DESC, l.n DESC",
        (member_id, asset, *below, limit),
    )
    return [PointsLine(*row) for row in rows]


# Documents --------------------------------------------------------------------------------------


def insert_document(conn: Connection, row: DocumentRow) -> None:
    """Add one counter document."""
    conn.execute(_INSERT_DOCUMENT, row)


def document_by_receipt(conn: Connection, receipt_no: str) -> DocumentRow | None:
    """The document of a whole receipt number."""
    return _one_document(conn, "receipt_no = ?", receipt_no)


def document_by_event(conn: Connection, event_id: bytes) -> DocumentRow | None:
    """The document of an event id."""
    return _one_document(conn, "event_id = ?", event_id)


def sales_of_member(conn: Connection, member_id: bytes, since: int) -> list[DocumentRow]:
    """A member's sales from a business date on, newest first."""
    where = "member_id = ? AND kind = 'sale' AND business_date >= ? ORDER BY seq DESC"
    return _documents(conn, where, (member_id, since))


def documents_that_earned(
    conn: Connection, member_id: bytes, asset: str, limit: int, *, after: int
) -> list[DocumentRow]:
    """A member's newest documents after an event that earned of an asset or took earnings back, newest first.
    Found by the index of entries, which whoever shows or serves a member reads anyway."""
    where = (
        "seq IN (SELECT seq FROM ledger INDEXED BY ledger_member WHERE member_id = ? AND asset = ?"
        " AND seq > ? AND kind IN ('earn', 'reverse') ORDER BY seq DESC LIMIT ?) ORDER BY seq DESC"
    )
    return _documents(conn, where, (member_id, asset, after, limit))


def documents_of_shift(conn: Connection, shift_id: bytes, limit: int) -> list[DocumentRow]:
    """A shift's newest documents first, those that have a slip."""
    where = "shift_id = ? AND receipt_no IS NOT NULL ORDER BY seq DESC LIMIT ?"
    return _documents(conn, where, (shift_id, limit))


def voidable_of_shift(
    conn: Connection, shift_id: bytes, *, below: int, limit: int
) -> list[DocumentRow]:
    """A shift's sales and returns below a sequence number, newest first, that are not voided and have no
    return after them that stands (last in, first out)."""
    where = (
        "shift_id = ? AND seq < ? AND kind IN ('sale', 'return') AND NOT EXISTS"
        " (SELECT 1 FROM document AS void WHERE void.refers_to = document.event_id AND void.kind = 'void')"
        " AND NOT EXISTS (SELECT 1 FROM document AS back WHERE back.kind = 'return'"
        " AND back.refers_to = iif(document.kind = 'sale', document.event_id, document.refers_to)"
        " AND back.seq > document.seq AND NOT EXISTS (SELECT 1 FROM document AS void"
        " WHERE void.refers_to = back.event_id AND void.kind = 'void'))"
        " ORDER BY seq DESC LIMIT ?"
    )
    return _documents(conn, where, (shift_id, below, limit))


def documents_numbered(conn: Connection, till: str, running: int) -> list[DocumentRow]:
    """The documents of a till's running number: one, or two after a store was brought back."""
    start = f"{till}-{running:06d}"
    where = "receipt_no >= ? AND receipt_no < ? ORDER BY seq DESC"
    return _documents(conn, where, (f"{start}-", f"{start}."))


def adjustments_on(conn: Connection, on: int) -> list[EventRow]:
    """The adjustments of a business date, oldest first."""
    columns = ", ".join(f"event.{name.strip()}" for name in _EVENT.split(","))
    found = conn.execute(
        f"SELECT {columns} FROM document JOIN event ON event.seq = document.seq"
        " WHERE document.kind = 'adjust' AND document.business_date = ? ORDER BY document.seq",
        (on,),
    )
    return [EventRow(*row) for row in found]


def documents_referring(conn: Connection, event_id: bytes) -> list[DocumentRow]:
    """Documents that return, void or correct the one of `event_id`, oldest first."""
    return _documents(conn, "refers_to = ? ORDER BY seq", (event_id,))


def last_receipt(conn: Connection) -> str | None:
    """The newest receipt number of the till."""
    row = conn.execute(
        "SELECT receipt_no FROM document WHERE receipt_no IS NOT NULL ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return str(row[0]) if row else None


def _one_document(conn: Connection, where: str, value: object) -> DocumentRow | None:
    row = conn.execute(f"SELECT {_DOCUMENT} FROM document WHERE {where}", (value,)).fetchone()
    return DocumentRow(*row) if row else None


def _documents(conn: Connection, where: str, values: tuple[object, ...]) -> list[DocumentRow]:
    rows = conn.execute(f"SELECT {_DOCUMENT} FROM document WHERE {where}", values)
    return [DocumentRow(*row) for row in rows]


# Meta -------------------------------------------------------------------------------------------


def meta(conn: Connection, key: str) -> str | None:
    """A fact about this store, None when it was never set."""
    row = conn.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else None


def set_meta(conn: Connection, key: str, value: str) -> None:
    """Set a fact about this store."""
    conn.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def drop_meta(conn: Connection, key: str) -> None:
    """Forget a fact about the store."""
    conn.execute("DELETE FROM meta WHERE key = ?", (key,))


def add_incident(conn: Connection, *, at_us: int, code: str, facts: str) -> None:
    """Keep what went wrong and was mended, for the person who asks later."""
    conn.execute("INSERT INTO incident (at_us, code, facts) VALUES (?, ?, ?)", (at_us, code, facts))


def incidents(conn: Connection) -> list[tuple[int, str, str]]:
    """(instant in µs, code, facts as JSON), oldest first."""
    return list(conn.execute("SELECT at_us, code, facts FROM incident ORDER BY id"))


def _int(conn: Connection, sql: str) -> int:
    return int(conn.execute(sql).fetchone()[0])
