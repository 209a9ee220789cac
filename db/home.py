"""What the home page asks of the store beyond the reports: whose birthday it is, and what expires soon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from db.connection import Connection

BirthDay = tuple[str, int, int]
"""Calendar ("solar" or "lunar"), month and day, as a profile has them."""


class BirthdayRow(NamedTuple):
    """A member whose birthday it is; `name` "" and `phone` None where they gave none."""

    member_id: bytes
    name: str
    phone: str | None


def born_on(conn: Connection, days: Sequence[BirthDay], limit: int) -> list[BirthdayRow]:
    """Members with one of these birthdays, by name."""
    where, values = _on_days(days)
    found = conn.execute(
        f"SELECT member_id, name, phone FROM profile WHERE {where} ORDER BY name, member_id LIMIT ?",
        (*values, limit),
    )
    return [BirthdayRow(*row) for row in found]


def born_on_count(conn: Connection, days: Sequence[BirthDay]) -> int:
    """How many members have one of these birthdays."""
    where, values = _on_days(days)
    return int(conn.execute(f"SELECT count(*) FROM profile WHERE {where}", values).fetchone()[0])


def _on_days(days: Sequence[BirthDay]) -> tuple[str, list[int | str]]:
    one = "(birth_month = ? AND birth_day = ? AND birth_calendar = ?)"
    values: list[int | str] = []
    for calendar, month, day in days:
        values += [month, day, calendar]
    return " OR ".join([one] * len(days)) or "0", values


def expiring_points(conn: Connection, first: int, last: int) -> tuple[int, int]:
    """(members, points) of the lots whose last good date is from first to last."""
    row = conn.execute(
        "SELECT count(DISTINCT member_id), coalesce(sum(remaining), 0) FROM lot"
        " WHERE asset = 'points' AND expires BETWEEN ? AND ? AND remaining > 0",
        (first, last),
    ).fetchone()
    return int(row[0]), int(row[1])


def expiring_lots(conn: Connection, first: int, last: int, limit: int) -> list[tuple[int, int]]:
    """(event that opened it, points left) of those lots, newest first, lots of an event together."""
    found = conn.execute(
        "SELECT e.seq, sum(l.remaining) FROM lot l JOIN event e ON e.id = l.origin_event"
        " WHERE l.asset = 'points' AND l.expires BETWEEN ? AND ? AND l.remaining > 0"
        " GROUP BY e.seq ORDER BY e.seq DESC LIMIT ?",
        (first, last, limit),
    )
    return [(seq, amount) for seq, amount in found]


def expiring_lot_events(conn: Connection, first: int, last: int) -> int:
    """How many events opened those lots."""
    row = conn.execute(
        "SELECT count(DISTINCT origin_event) FROM lot"
        " WHERE asset = 'points' AND expires BETWEEN ? AND ? AND remaining > 0",
        (first, last),
    ).fetchone()
    return int(row[0])
