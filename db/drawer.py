"""Rows of the drawer: its uses beside sales, the count of a shift, and the events that move its cash."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlcipher3.dbapi2 import Connection

from db.rows import EventRow
from db.till import ShiftRow


class DrawerUseRow(NamedTuple):
    """Cash in (`amount_minor` above zero), out (below) or the drawer opened without a sale (0)."""

    seq: int
    shift_id: bytes
    staff_id: bytes
    at_us: int
    kind: str
    amount_minor: int
    reason: str
    approved_by: bytes | None


_USE = "seq, shift_id, staff_id, at_us, kind, amount_minor, reason, approved_by"
_SHIFT = "id, opened_seq, staff_id, business_date, opened_us, float_minor, closed_seq, counted_seq"


def insert_use(conn: Connection, row: DrawerUseRow) -> None:
    """Add one use of the drawer."""
    conn.execute(f"INSERT INTO drawer_use ({_USE}) VALUES (?,?,?,?,?,?,?,?)", row)


def use(conn: Connection, seq: int) -> DrawerUseRow | None:
    """The use that an event stands for."""
    row = conn.execute(f"SELECT {_USE} FROM drawer_use WHERE seq = ?", (seq,)).fetchone()
    return DrawerUseRow(*row) if row else None


def uses_of_shift(conn: Connection, shift_id: bytes) -> list[DrawerUseRow]:
    """A shift's uses of the drawer, oldest first."""
    rows = conn.execute(
        f"SELECT {_USE} FROM drawer_use WHERE shift_id = ? ORDER BY seq", (shift_id,)
    )
    return [DrawerUseRow(*row) for row in rows]


def all_uses(conn: Connection) -> Iterator[DrawerUseRow]:
    """Every use in the journal's order."""
    rows = conn.execute(f"SELECT {_USE} FROM drawer_use ORDER BY seq")
    return (DrawerUseRow(*row) for row in rows)


def set_counted(conn: Connection, shift_id: bytes, seq: int) -> None:
    """Note the count of a shift; the trigger refuses a second one."""
    conn.execute("UPDATE shift SET counted_seq = ? WHERE id = ?", (seq, shift_id))


def shifts_on(conn: Connection, business_date: int) -> list[ShiftRow]:
    """The shifts of a business date, oldest first."""
    rows = conn.execute(
        f"SELECT {_SHIFT} FROM shift WHERE business_date = ? ORDER BY opened_seq", (business_date,)
    )
    return [ShiftRow(*row) for row in rows]


def cash_events(conn: Connection, shift_id: bytes) -> Iterator[EventRow]:
    """The events of a shift that can move cash, in order."""
    rows = conn.execute(
        "SELECT e.seq, e.epoch, e.id, e.command_id, e.kind, e.body, e.hash FROM event e"
        " WHERE e.seq IN ("
        " SELECT opened_seq FROM shift WHERE id = ?1"
        " UNION ALL SELECT seq FROM document WHERE shift_id = ?1"
        " UNION ALL SELECT seq FROM drawer_use WHERE shift_id = ?1) ORDER BY e.seq",
        (shift_id,),
    )
    return (EventRow(*row) for row in rows)


def documents_by_kind(conn: Connection, shift_id: bytes) -> dict[str, int]:
    """How many documents of each kind a shift has."""
    rows = conn.execute(
        "SELECT kind, count(*) FROM document WHERE shift_id = ? GROUP BY kind ORDER BY kind",
        (shift_id,),
    )
    return dict(rows.fetchall())
