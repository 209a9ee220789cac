"""Those who work at a till: who they are, what they sign in by, and what they got wrong."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from sqlcipher3.dbapi2 import Connection


@dataclass(frozen=True, slots=True)
class StaffRow:
    """Somebody who works at the till. `pin_hash` is a verifier, never the PIN.

    `member_id` is their own account and `phone` their own E.164 number, where they are known. `wait_s`
    are the seconds that were still to wait when it was last written; `blocked` ends by a person only.
    `code` is the number of the last first code that they took here, 0 before one.
    """

    id: bytes
    initials: str
    name: str
    role: str
    badge: str | None
    pin_salt: bytes
    pin_hash: bytes
    active: int
    member_id: bytes | None = None
    phone: str | None = None
    code: int = 0
    failures: int = 0
    wait_s: int = 0
    blocked: int = 0


_STAFF_CELL = "id, initials, name, role, badge, pin_salt, pin_hash, active, member_id, phone, code"
_STAFF = f"{_STAFF_CELL}, failures, wait_s, blocked"


def put_staff(conn: Connection, row: StaffRow) -> None:
    """Add a person, or rewrite their row; wrong PINs and their wait are not what is rewritten."""
    columns = _STAFF_CELL.split(", ")
    conn.execute(
        f"INSERT INTO staff ({_STAFF_CELL}) VALUES (?,?,?,?,?,?,?,?,?,?,?)"
        f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in columns[1:])}",
        astuple(row)[: len(columns)],
    )


def staff_by_id(conn: Connection, staff_id: bytes) -> StaffRow | None:
    """The person of an id."""
    return _staff(conn, "id = ?", staff_id)


def staff_by_initials(conn: Connection, initials: str) -> StaffRow | None:
    """The active person of these initials (kept in lower case)."""
    return _staff(conn, "active = 1 AND initials = ?", initials.lower())


def staff_by_badge(conn: Connection, badge: str) -> StaffRow | None:
    """The active person of a badge number."""
    return _staff(conn, "active = 1 AND badge = ?", badge)


def all_staff(conn: Connection) -> list[StaffRow]:
    """Everybody who works or worked here, by initials."""
    rows = conn.execute(f"SELECT {_STAFF} FROM staff ORDER BY initials")
    return [StaffRow(*row) for row in rows]


def staff_using(conn: Connection, *, initials: str, badge: str | None) -> list[StaffRow]:
    """Whoever has, or had, these initials or this badge: neither is given out twice."""
    rows = conn.execute(
        f"SELECT {_STAFF} FROM staff WHERE initials = ? OR badge = ?", (initials, badge)
    )
    return [StaffRow(*row) for row in rows]


def set_staff_failures(
    conn: Connection, staff_id: bytes, *, failures: int, wait_s: int, blocked: int
) -> None:
    """Count wrong PINs where a restart can't forget them."""
    conn.execute(
        "UPDATE staff SET failures = ?, wait_s = ?, blocked = ? WHERE id = ?",
        (failures, wait_s, blocked, staff_id),
    )


def unblock_staff(conn: Connection) -> None:
    """A supervisor is here: everybody who was shut out may try again."""
    conn.execute(
        "UPDATE staff SET failures = 0, wait_s = 0, blocked = 0 WHERE wait_s > 0 OR blocked = 1"
    )


def put_staff_sign(conn: Connection, staff_id: bytes, *, seq: int, signed_in: int) -> None:
    """The newest sign-in or sign-out of a person."""
    conn.execute(
        "INSERT INTO staff_sign (staff_id, seq, signed_in) VALUES (?,?,?)"
        " ON CONFLICT (staff_id) DO UPDATE SET seq = excluded.seq, signed_in = excluded.signed_in",
        (staff_id, seq, signed_in),
    )


def staff_signs(conn: Connection) -> dict[bytes, tuple[int, int]]:
    """(sequence number of the event, signed in) by person."""
    rows = conn.execute("SELECT staff_id, seq, signed_in FROM staff_sign")
    return {bytes(staff_id): (int(seq), int(signed_in)) for staff_id, seq, signed_in in rows}


def _staff(conn: Connection, where: str, value: object) -> StaffRow | None:
    row = conn.execute(f"SELECT {_STAFF} FROM staff WHERE {where}", (value,)).fetchone()
    return StaffRow(*row) if row else None
