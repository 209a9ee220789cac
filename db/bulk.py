"""Many rows at once: of a store that is filled in one go, and of members whom head office brings.

The counter never comes here: it writes one command's rows by db/rows.py and its neighbours. The
columns are those modules' own, and the same triggers and CHECKs hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from db.connection import WRITER_CACHE_KIB, Connection
from db.figures import FiguresRow, ShareRow
from db.people import ConsentRow, CredentialRow, MemberRow, ProfileRow
from db.rows import DocumentRow, EventRow, LedgerRow

# While filling, indexes by member are written all over: a larger cache keeps them in memory.
CACHE_KIB: Final = 131072


def enlarge_cache(conn: Connection) -> None:
    """Use 128 MB for the pages of this connection, until it is closed or has its usual cache again."""
    conn.execute(f"PRAGMA cache_size=-{CACHE_KIB}").fetchall()


def usual_cache(conn: Connection) -> None:
    """Give the memory back."""
    conn.execute(f"PRAGMA cache_size=-{WRITER_CACHE_KIB}").fetchall()
    conn.execute("PRAGMA shrink_memory").fetchall()


def add_events(conn: Connection, rows: Iterable[EventRow]) -> None:
    """Append events; the primary key refuses a sequence number twice."""
    conn.executemany(
        "INSERT INTO event (seq, epoch, id, command_id, kind, body, hash) VALUES (?,?,?,?,?,?,?)",
        ((r.seq, r.epoch, r.id, r.command_id, r.kind, r.body, r.hash) for r in rows),
    )


def add_ledger(conn: Connection, rows: Iterable[LedgerRow]) -> None:
    """Append entries."""
    _add(conn, "ledger", LedgerRow._fields, rows)


def add_documents(conn: Connection, rows: Iterable[DocumentRow]) -> None:
    """Append documents."""
    _add(conn, "document", DocumentRow._fields, rows)


def add_figures(conn: Connection, rows: Iterable[FiguresRow], shares: Iterable[ShareRow]) -> None:
    """Append what events add to the shop's figures."""
    _add(conn, "event_figures", FiguresRow._fields, rows)
    _add(conn, "event_share", ShareRow._fields, shares)


def add_accounts(conn: Connection, rows: Iterable[tuple[object, ...]]) -> None:
    """Add accounts: values in the order of a `MemberRow`'s."""
    _add(conn, "member", _MEMBER, rows)


def add_accounts_of_tier(conn: Connection, tier: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Add accounts (member, joined, last visit) of one tier."""
    (quoted,) = conn.execute("SELECT quote(?)", (tier,)).fetchone()
    conn.executemany(
        f"INSERT INTO member (id, joined, tier, last_visit) VALUES (?, ?, {quoted}, ?)", rows
    )


def count_accounts(conn: Connection, tier: str, members: int) -> None:
    """Count so many more members whose tier has no end yet, as the trigger does one by one."""
    conn.execute(
        "INSERT INTO tier_sum (tier, until, members) VALUES (?, 0, ?)"
        " ON CONFLICT (tier, until) DO UPDATE SET members = members + excluded.members",
        (tier, members),
    )


def count_lots(conn: Connection, rows: Iterable[tuple[object, ...]]) -> None:
    """Count more lots of points (available from, expires, lots, points), as the trigger does one by one."""
    conn.executemany(
        "INSERT INTO lot_sum (available_from, expires, lots, points) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (available_from, expires) DO UPDATE SET"
        " lots = lots + excluded.lots, points = points + excluded.points",
        rows,
    )


def member_values(row: MemberRow) -> tuple[object, ...]:
    """The values of an account."""
    values: tuple[object, ...] = _member(row)
    return values


def add_people(conn: Connection, people: Iterable[tuple[ProfileRow, bytes]]) -> None:
    """Add profiles, each with the key of its digests (32 bytes)."""
    found = [(profile_values(row), key) for row, key in people]
    add_profiles(conn, [values for values, _ in found])
    add_keys(conn, [(values[0], key) for values, key in found])


class ProfileValues(NamedTuple):
    """A `ProfileRow` as a row of the table: what crosses from another process, in the order of its columns."""

    member_id: bytes
    name: str
    phone: str | None
    email: str | None
    name_py: str
    name_ini: str
    birth_calendar: str
    birth_year: int | None
    birth_month: int | None
    birth_day: int | None
    note: str
    alert: str
    version: int


def profile_values(row: ProfileRow) -> ProfileValues:
    """The values of a record."""
    return ProfileValues(*_profile(row))


def add_profiles(conn: Connection, rows: Iterable[tuple[object, ...]]) -> None:
    """Add profiles: values in the order of `ProfileValues`."""
    _add(conn, "profile", ProfileValues._fields, rows)


def add_keys(conn: Connection, keys: Iterable[tuple[bytes, bytes]]) -> None:
    """Add the keys of members' digests: (member, 32 bytes)."""
    _add(conn, "member_key", ("member_id", "key"), keys)


def add_cards(conn: Connection, rows: Iterable[CredentialRow]) -> None:
    """Add cards that nobody has yet."""
    _add(conn, "credential", _CREDENTIAL, map(_credential, rows))


def add_free_cards(conn: Connection, kind: str, cards: Iterable[tuple[object, ...]]) -> None:
    """Add active cards (number, member), but those that somebody has; of two the first has it."""
    conn.executemany(
        f"INSERT INTO credential (kind, value, member_id, state) VALUES ('{kind}', ?, ?, 'active')"
        " ON CONFLICT (kind, value) DO NOTHING",
        cards,
    )


def add_arriving_cards(conn: Connection, cards: Iterable[tuple[object, ...]]) -> None:
    """Lay cards (number, member) aside, until `db.filling.end`."""
    conn.executemany("INSERT INTO arriving_card (number, member_id) VALUES (?, ?)", cards)


def members_among(conn: Connection, members: Sequence[bytes]) -> set[bytes]:
    """Those of these members that have an account, entries, or fields that head office has not answered."""
    marks = ",".join("?" * len(members))
    found = [
        conn.execute(f"SELECT {column} FROM {table} WHERE {column} IN ({marks})", members)
        for table, column in _OWN
    ]
    return {bytes(member) for each in found for (member,) in each}


def members_between(conn: Connection, first: bytes, last: bytes) -> set[bytes]:
    """Those from one to another that have an account, entries, unanswered fields or a row of head office's."""
    found = [
        conn.execute(
            f"SELECT DISTINCT {column} FROM {table} WHERE {column} BETWEEN ? AND ?", (first, last)
        )
        for table, column in (*_OWN, ("member_base", "member_id"))
    ]
    return {bytes(member) for each in found for (member,) in each}


def add_consents(conn: Connection, rows: Iterable[ConsentRow]) -> None:
    """Keep answers to notices."""
    _add(conn, "consent", _CONSENT, (_consent(row) for row in rows))


def set_last_events(conn: Connection, booked: Iterable[tuple[int, bytes]]) -> None:
    """(event, member): what came after a member's folded state was written, and is folded in already."""
    conn.executemany("UPDATE member_state SET seq = ? WHERE member_id = ?", booked)


_OWN: Final = (("member", "id"), ("ledger", "member_id"), ("dirty_cell", "member_id"))
_MEMBER: Final = ("id", "joined", "tier", "last_visit")
_CREDENTIAL: Final = ("kind", "value", "member_id", "state")
_CONSENT: Final = ("member_id", "seq", "purpose", "channel", "notice_version", "granted")
# Columns are named as the records' fields. (dataclasses.astuple copies every value deeply.)
_member: Final = attrgetter(*_MEMBER)
_profile: Final = attrgetter(*ProfileValues._fields)
_credential: Final = attrgetter(*_CREDENTIAL)
_consent: Final = attrgetter(*_CONSENT)


def _add(
    conn: Connection, table: str, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]
) -> None:
    marks = ",".join("?" * len(columns))
    conn.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
