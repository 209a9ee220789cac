"""Many rows at once: of a store that is filled in one go, and of members whom head office brings.

The counter never comes here: it writes one command's rows by db/rows.py and its neighbours. The
columns are those modules' own, and the same triggers and CHECKs hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final

from db.connection import Connection
from db.figures import FiguresRow, ShareRow
from db.people import ConsentRow, CredentialRow, MemberRow, ProfileRow
from db.rows import DocumentRow, EventRow, LedgerRow

# While filling, indexes by member are written all over: a larger cache keeps them in memory.
CACHE_KIB: Final = 131072


def enlarge_cache(conn: Connection) -> None:
    """Use 128 MB for the pages of this connection, until it is closed."""
    conn.execute(f"PRAGMA cache_size=-{CACHE_KIB}").fetchall()


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


def add_accounts(conn: Connection, rows: Iterable[MemberRow]) -> None:
    """Add accounts."""
    _add(conn, "member", _MEMBER, map(_member, rows))


def add_people(conn: Connection, people: Iterable[tuple[ProfileRow, bytes]]) -> None:
    """Add profiles, each with the key of its digests (32 bytes)."""
    found = list(people)
    _add(conn, "profile", _PROFILE, (_profile(each[0]) for each in found))
    _add(conn, "member_key", ("member_id", "key"), ((p.member_id, key) for p, key in found))


def add_cards(conn: Connection, rows: Iterable[CredentialRow]) -> None:
    """Add cards that nobody has yet."""
    _add(conn, "credential", _CREDENTIAL, map(_credential, rows))


def members_among(conn: Connection, members: Sequence[bytes]) -> set[bytes]:
    """Those of these members that have an account, entries, or fields that head office has not answered."""
    marks = ",".join("?" * len(members))
    found = [
        conn.execute(f"SELECT {column} FROM {table} WHERE {column} IN ({marks})", members)
        for table, column in (
            ("member", "id"),
            ("ledger", "member_id"),
            ("dirty_cell", "member_id"),
        )
    ]
    return {bytes(member) for each in found for (member,) in each}


def cards_among(conn: Connection, kind: str, values: Sequence[str]) -> list[str]:
    """Those of these numbers that somebody has."""
    marks = ",".join("?" * len(values))
    found = conn.execute(
        f"SELECT value FROM credential WHERE kind = ? AND value IN ({marks}) ORDER BY value",
        (kind, *values),
    )
    return [value for (value,) in found]


def add_consents(conn: Connection, rows: Iterable[ConsentRow]) -> None:
    """Keep answers to notices."""
    _add(conn, "consent", _CONSENT, (_consent(row) for row in rows))


def set_last_events(conn: Connection, booked: Iterable[tuple[int, bytes]]) -> None:
    """(event, member): what came after a member's folded state was written, and is folded in already."""
    conn.executemany("UPDATE member_state SET seq = ? WHERE member_id = ?", booked)


_MEMBER: Final = ("id", "joined", "tier", "last_visit")
_CREDENTIAL: Final = ("kind", "value", "member_id", "state")
_PROFILE: Final = (
    "member_id", "name", "phone", "email", "name_py", "name_ini", "birth_calendar", "birth_year",
    "birth_month", "birth_day", "note", "alert", "version",
)  # fmt: skip
_CONSENT: Final = ("member_id", "seq", "purpose", "channel", "notice_version", "granted")
# Columns are named as the records' fields. (dataclasses.astuple copies every value deeply.)
_member: Final = attrgetter(*_MEMBER)
_profile: Final = attrgetter(*_PROFILE)
_credential: Final = attrgetter(*_CREDENTIAL)
_consent: Final = attrgetter(*_CONSENT)


def _add(
    conn: Connection, table: str, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]
) -> None:
    marks = ",".join("?" * len(columns))
    conn.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
