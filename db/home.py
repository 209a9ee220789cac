"""What the home page asks of the store beyond the reports: whose birthday it is, what expires soon,
and who is to be called back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from db.connection import Connection
from db.report_sums_standing import LOT_TOLD

_EXPIRING: Final = (
    f"l.asset = 'points' AND l.expires BETWEEN :first AND :last AND l.remaining > 0 AND {LOT_TOLD}"
)

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


def expiring_points(
    conn: Connection, first: int, last: int, hidden: bytes | None
) -> tuple[int, int]:
    """(members, points) of the lots whose last good date is from first to last, without those for the money of
    a shift that isn't told (`hidden`)."""
    row = conn.execute(
        "SELECT count(DISTINCT member_id), coalesce(sum(remaining), 0) FROM lot l"
        f" WHERE {_EXPIRING}",
        {"first": first, "last": last, "hidden": hidden},
    ).fetchone()
    return int(row[0]), int(row[1])


def expiring_lots(
    conn: Connection, first: int, last: int, hidden: bytes | None, limit: int
) -> list[tuple[int, int]]:
    """(event that opened it, points left) of those lots, newest first, lots of an event together."""
    found = conn.execute(
        "SELECT e.seq, sum(l.remaining) FROM lot l JOIN event e ON e.id = l.origin_event"
        f" WHERE {_EXPIRING} GROUP BY e.seq ORDER BY e.seq DESC LIMIT :most",
        {"first": first, "last": last, "hidden": hidden, "most": limit},
    )
    return [(seq, amount) for seq, amount in found]


def expiring_lot_events(conn: Connection, first: int, last: int, hidden: bytes | None) -> int:
    """How many events opened those lots."""
    row = conn.execute(
        f"SELECT count(DISTINCT origin_event) FROM lot l WHERE {_EXPIRING}",
        {"first": first, "last": last, "hidden": hidden},
    ).fetchone()
    return int(row[0])


class FollowUpRow(NamedTuple):
    """A member to be called back. `name` "" and `phone` None where they gave none or were erased."""

    member_id: bytes
    business_date: int
    name: str
    phone: str | None
    note: str


_WHO: Final = "coalesce(p.name, ''), p.phone, coalesce(p.note, '')"


def returned_for(
    conn: Connection, reason: str, first: int, last: int, limit: int
) -> list[FollowUpRow]:
    """Members who returned something for a reason and haven't bought since, newest first. A return that was
    voided counts no more."""
    found = conn.execute(
        f"SELECT f.member_id, max(f.business_date), {_WHO} FROM event_figures f"
        " JOIN member m ON m.id = f.member_id LEFT JOIN profile p ON p.member_id = m.id"
        " WHERE f.business_date BETWEEN ? AND ? AND f.kind = 'return' AND f.reason = ?"
        " AND coalesce(m.last_visit, 0) <= f.business_date AND NOT EXISTS"
        " (SELECT 1 FROM document d WHERE d.refers_to = f.event_id AND d.kind = 'void')"
        " GROUP BY f.member_id ORDER BY 2 DESC, f.member_id LIMIT ?",
        (first, last, reason, limit),
    )
    return [FollowUpRow(*row) for row in found]


def regulars_away(
    conn: Connection, first: int, last: int, *, least: int, within: int, limit: int
) -> list[FollowUpRow]:
    """Members whose last sale is of a date from first to last, with at least `least` sales in the `within`
    days up to it, who take offers by a call; longest away first."""
    found = conn.execute(
        f"SELECT DISTINCT f.member_id, f.business_date, {_WHO} FROM event_figures f"
        " JOIN member m ON m.id = f.member_id LEFT JOIN profile p ON p.member_id = m.id"
        " WHERE f.business_date BETWEEN :first AND :last AND f.kind = 'sale'"
        " AND m.last_visit = f.business_date"
        " AND (SELECT count(*) FROM document d WHERE d.member_id = f.member_id AND d.kind = 'sale'"
        "      AND d.business_date > f.business_date - :within) >= :least"
        " AND (SELECT c.granted FROM consent c WHERE c.member_id = f.member_id"
        "      AND c.purpose = 'marketing' AND c.channel IN ('any', 'phone')"
        "      ORDER BY c.seq DESC LIMIT 1) = 1"
        " ORDER BY f.business_date, f.member_id LIMIT :most",
        {"first": first, "last": last, "least": least, "within": within, "most": limit},
    )
    return [FollowUpRow(*row) for row in found]
