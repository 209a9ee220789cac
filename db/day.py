"""What a day close counts: the events of its window, and their sums from the rows that reports read.

A window is every event that no earlier close has counted: those of a later business date than the last close's,
and those that came after it (a late event of a closed date is counted by the next close). So the windows of
all closes part the journal, whatever order dates were closed in.
"""

from __future__ import annotations

from typing import NamedTuple

from db.connection import Connection
from db.till import ShiftRow


class Window(NamedTuple):
    """Events up to `seq` of dates up to `on`, less what the close of `closed_on` at `closed_seq` had."""

    on: int
    seq: int
    closed_on: int
    closed_seq: int


class KindSums(NamedTuple):
    """The documents of one kind; amounts are signed, in minor units or points."""

    kind: str
    documents: int
    gross: int
    discount: int
    points_value: int
    paid: int
    issued: int
    redeemed: int
    expired: int


def sums_by_kind(conn: Connection, window: Window) -> list[KindSums]:
    """What the window's events add, by kind."""
    rows = conn.execute(
        "SELECT f.kind, count(*), sum(f.gross_minor), sum(f.discount_minor),"
        " sum(f.points_value_minor), sum(f.paid_minor), sum(f.points_issued),"
        f" sum(f.points_redeemed), sum(f.points_expired) FROM ({_rows('*')}) f"
        " GROUP BY f.kind ORDER BY f.kind",
        window._asdict(),
    )
    return [KindSums(*row) for row in rows]


def shares(conn: Connection, window: Window, part: str) -> list[tuple[str, int, int]]:
    """(key, amount, extra) of a part (tender, tax), summed by key; those that come to nothing left out."""
    rows = conn.execute(
        "SELECT s.key, sum(s.amount), sum(s.extra)"
        f" FROM ({_rows('f.seq')}) f JOIN event_share s ON s.seq = f.seq WHERE s.part = :part"
        " GROUP BY s.key HAVING sum(s.amount) <> 0 OR sum(s.extra) <> 0 ORDER BY s.key",
        {**window._asdict(), "part": part},
    )
    return [(str(key), int(amount), int(extra)) for key, amount, extra in rows]


def _rows(columns: str) -> str:
    """The window in two halves, each from its own index: later dates, and what came late."""
    return (
        f"SELECT {columns} FROM event_figures f INDEXED BY event_figures_date"
        " WHERE f.business_date > :closed_on AND f.business_date <= :on AND f.seq <= :seq"
        f" UNION ALL SELECT {columns} FROM event_figures f NOT INDEXED"
        " WHERE f.seq > :closed_seq AND f.seq <= :seq AND f.business_date <= :closed_on"
    )


def ledger_since(conn: Connection, seq: int) -> tuple[int, int]:
    """(entries, sum of points) posted after an event."""
    row = conn.execute(
        "SELECT count(*), coalesce(sum(CASE WHEN asset = 'points' THEN amount END), 0)"
        " FROM ledger WHERE seq > ?",
        (seq,),
    ).fetchone()
    return int(row[0]), int(row[1])


def points_in(conn: Connection, window: Window) -> int:
    """The sum of points that the window's events moved."""
    row = conn.execute(
        f"SELECT coalesce(sum(l.amount), 0) FROM ({_rows('f.seq')}) f"
        " JOIN ledger l ON l.seq = f.seq AND l.asset = 'points'",
        window._asdict(),
    ).fetchone()
    return int(row[0])


def points_ahead(conn: Connection, closed_on: int, closed_seq: int) -> int:
    """The sum of points that came before a close but are of a later date than it closed."""
    row = conn.execute(
        "SELECT coalesce(sum(l.amount), 0) FROM event_figures f INDEXED BY event_figures_date"
        " JOIN ledger l ON l.seq = f.seq AND l.asset = 'points'"
        " WHERE f.business_date > ? AND f.seq <= ?",
        (closed_on, closed_seq),
    ).fetchone()
    return int(row[0])


def expired_on(conn: Connection, on: int, kind: str) -> tuple[int, int]:
    """(events, points) of a date's bookings of a `kind` that took points as expired."""
    row = conn.execute(
        "SELECT count(*), coalesce(sum(points_expired), 0)"
        " FROM event_figures INDEXED BY event_figures_date"
        " WHERE business_date = ? AND kind = ? AND points_expired <> 0",
        (on, kind),
    ).fetchone()
    return int(row[0]), int(row[1])


def booked_on(conn: Connection, on: int, kind: str) -> list[tuple[int, bytes]]:
    """(event, member) of a date's bookings of a `kind`, in the journal's order."""
    rows = conn.execute(
        "SELECT seq, member_id FROM event_figures INDEXED BY event_figures_date"
        " WHERE business_date = ? AND kind = ? ORDER BY seq",
        (on, kind),
    )
    return [(int(seq), bytes(member_id)) for seq, member_id in rows]


def cached_points(conn: Connection) -> int:
    """Σ balances of all members as the cache has them."""
    return int(conn.execute("SELECT coalesce(sum(points), 0) FROM member_state").fetchone()[0])


def first_date_after(conn: Connection, closed_on: int) -> int | None:
    """The earliest business date with a shift that is not closed yet, None when there is none."""
    row = conn.execute(
        "SELECT min(business_date) FROM shift WHERE business_date > ?", (closed_on,)
    ).fetchone()
    return None if row[0] is None else int(row[0])


def shifts_after(conn: Connection, closed_on: int, on: int) -> list[ShiftRow]:
    """The shifts of the dates after `closed_on` up to `on`, oldest first."""
    rows = conn.execute(
        "SELECT id, opened_seq, staff_id, business_date, opened_us, float_minor, closed_seq,"
        " counted_seq FROM shift WHERE business_date > ? AND business_date <= ? ORDER BY opened_seq",
        (closed_on, on),
    )
    return [ShiftRow(*row) for row in rows]


def till_seed(conn: Connection) -> bytes | None:
    """The till's signing key, None before it was made."""
    row = conn.execute("SELECT seed FROM till_key WHERE id = 1").fetchone()
    return bytes(row[0]) if row else None


def put_till_seed(conn: Connection, seed: bytes) -> None:
    """Keep the till's signing key; there is only ever one."""
    conn.execute("INSERT INTO till_key (id, seed) VALUES (1, ?)", (seed,))
