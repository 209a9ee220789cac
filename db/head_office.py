"""Rows of a till's dealings with head office: what it knows of them, links, members as head office has them.

Bodies are bytes whose meaning is app/bases.py's. A till without a head office has none of these rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlcipher3.dbapi2 import Connection


class HeadOfficeRow(NamedTuple):
    """Whom the till deals with: address, the till's own signing seed, head office's public key; `control` is
    what it knows of the dealings, `heard_us` when the last answer came."""

    address: str
    seed: bytes
    their_key: bytes
    control: bytes
    heard_us: int | None


class OwnKeyRow(NamedTuple):
    """Keys of the till beside the one that it signs with, as seeds. since_ms, epoch: of the one in use, 0: not
    known. next: is being offered to head office, made in `next_epoch`. former: the one before."""

    since_ms: int = 0
    epoch: int = 0
    next: bytes | None = None
    next_epoch: int = 0
    former: bytes | None = None


class LinkRow(NamedTuple):
    """An own event's place in an epoch."""

    epoch: int
    seq: int
    event_id: bytes
    chain: bytes


class BaseRow(NamedTuple):
    """A member as head office has it, including the till's own events up to `incl`."""

    member_id: bytes
    incl: int
    generation: int
    alias: bytes | None
    body: bytes


class ConsentBaseRow(NamedTuple):
    """A standing answer to a notice as head office has it."""

    purpose: str
    channel: str
    notice_version: str
    granted: int


_BASE = "member_id, incl, generation, alias, body"


def head_office(conn: Connection) -> HeadOfficeRow | None:
    """Whom this till deals with, None for a till of its own."""
    row = conn.execute(
        "SELECT address, seed, their_key, control, heard_us FROM head_office"
    ).fetchone()
    return None if row is None else HeadOfficeRow(*row)


def control(conn: Connection) -> bytes | None:
    """What the till knows of its dealings, None for a till of its own."""
    row = conn.execute("SELECT control FROM head_office").fetchone()
    return None if row is None else bytes(row[0])


def put_head_office(conn: Connection, row: HeadOfficeRow) -> None:
    """From now on the till deals with this one."""
    conn.execute(
        "INSERT OR REPLACE INTO head_office (one, address, seed, their_key, control, heard_us)"
        " VALUES (1, ?, ?, ?, ?, ?)",
        row,
    )


def put_address(conn: Connection, was: HeadOfficeRow, address: str) -> bool:
    """The one that the till deals with is at another address now. False: the till deals with somebody else, or
    is elsewhere already."""
    return bool(
        conn.execute(
            "UPDATE head_office SET address = ? WHERE address = ? AND their_key = ?",
            (address, was.address, was.their_key),
        ).rowcount
    )


def own_key(conn: Connection) -> OwnKeyRow:
    """The till's other keys."""
    row = conn.execute("SELECT since_ms, epoch, next, next_epoch, former FROM own_key").fetchone()
    return OwnKeyRow() if row is None else OwnKeyRow(*row)


def put_own_key(conn: Connection, seed: bytes, row: OwnKeyRow) -> None:
    """The till signs with `seed` from now on, and has these keys beside."""
    conn.execute("UPDATE head_office SET seed = ?", (seed,))
    conn.execute(
        "INSERT OR REPLACE INTO own_key (one, since_ms, epoch, next, next_epoch, former)"
        " VALUES (1, ?, ?, ?, ?, ?)",
        row,
    )


def put_control(conn: Connection, body: bytes) -> None:
    """Replace what the till knows."""
    conn.execute("UPDATE head_office SET control = ?", (body,))


def put_heard(conn: Connection, at_us: int) -> None:
    """An answer has come."""
    conn.execute("UPDATE head_office SET heard_us = ?", (at_us,))


def link(conn: Connection, epoch: int, seq: int) -> LinkRow | None:
    """The link at a place."""
    row = conn.execute(
        "SELECT epoch, seq, event_id, chain FROM link WHERE epoch = ? AND seq = ?", (epoch, seq)
    ).fetchone()
    return None if row is None else LinkRow(*row)


def last_link(conn: Connection, epoch: int) -> int:
    """The last place of an epoch, 0 where it has none."""
    row = conn.execute("SELECT max(seq) FROM link WHERE epoch = ?", (epoch,)).fetchone()
    return int(row[0] or 0)


def put_link(conn: Connection, row: LinkRow) -> None:
    """Links are insert-only."""
    conn.execute("INSERT INTO link (epoch, seq, event_id, chain) VALUES (?, ?, ?, ?)", row)


def base(conn: Connection, member_id: bytes) -> BaseRow | None:
    """A member as head office has it, None while it hasn't been heard of there."""
    row = conn.execute(
        f"SELECT {_BASE} FROM member_base WHERE member_id = ?", (member_id,)
    ).fetchone()
    return None if row is None else BaseRow(*row)


def bases_of(conn: Connection, members: Sequence[bytes]) -> list[BaseRow]:
    """Those of these members that there are."""
    marks = ",".join("?" * len(members))
    found = conn.execute(
        f"SELECT {_BASE} FROM member_base WHERE member_id IN ({marks}) ORDER BY member_id",
        tuple(members),
    )
    return [BaseRow(*row) for row in found]


def all_bases(conn: Connection) -> Iterator[BaseRow]:
    """Every member that head office has told of, by id."""
    found = conn.execute(f"SELECT {_BASE} FROM member_base ORDER BY member_id")
    return map(BaseRow._make, found)


def put_bases(conn: Connection, rows: Iterable[BaseRow]) -> None:
    """Replace those of these members."""
    conn.executemany(f"INSERT OR REPLACE INTO member_base ({_BASE}) VALUES (?,?,?,?,?)", rows)


def add_bases(
    conn: Connection, rows: Iterable[tuple[object, ...]], included: int, generation: int
) -> None:
    """Keep members (id, body) that head office tells of for the first time, and who were not merged."""
    conn.executemany(
        f"INSERT INTO member_base ({_BASE}) VALUES (?, {included:d}, {generation:d}, NULL, ?)", rows
    )


def drop_base(conn: Connection, member_id: bytes) -> None:
    """Forget a member as head office has them."""
    conn.execute("DELETE FROM member_base WHERE member_id = ?", (member_id,))


def drop_some_bases(conn: Connection, most: int) -> list[bytes]:
    """Forget some members as head office has them; which."""
    found = conn.execute(
        "DELETE FROM member_base WHERE member_id IN (SELECT member_id FROM member_base LIMIT ?)"
        " RETURNING member_id",
        (most,),
    ).fetchall()
    return [row[0] for row in found]


def drop_bases_below(conn: Connection, generation: int) -> list[bytes]:
    """Forget older generations; the members that were forgotten."""
    gone = conn.execute(
        "DELETE FROM member_base WHERE generation < ? RETURNING member_id", (generation,)
    )
    return [member for (member,) in gone.fetchall()]


def survivor(conn: Connection, member_id: bytes) -> bytes:
    """The member that a merged one goes on as; itself where it was not merged. Of a circle, as long as the row
    that ends it has not come, the smallest id."""
    passed = list[bytes]()
    while (row := base(conn, member_id)) is not None and row.alias is not None:
        passed.append(member_id)
        member_id = row.alias
        if member_id in passed:
            return min(passed[passed.index(member_id) :])
    return member_id


def merged_into(conn: Connection, member_id: bytes) -> list[bytes]:
    """The members whose survivor this one is."""
    found = conn.execute(
        "SELECT member_id FROM member_base WHERE alias = ? ORDER BY member_id", (member_id,)
    )
    return [member for (member,) in found]


def dirty_cells(conn: Connection, most: int | None = None) -> list[bytes]:
    """Fields that head office has not answered, so many at most."""
    limit = -1 if most is None else most
    found = conn.execute("SELECT body FROM dirty_cell ORDER BY member_id, field LIMIT ?", (limit,))
    return [body for (body,) in found]


def dirty_cells_of(conn: Connection, member_id: bytes) -> list[bytes]:
    """Those of a member."""
    found = conn.execute(
        "SELECT body FROM dirty_cell WHERE member_id = ? ORDER BY field", (member_id,)
    )
    return [body for (body,) in found]


def dirty_cell(conn: Connection, member_id: bytes, field: str) -> bytes | None:
    """One such field."""
    row = conn.execute(
        "SELECT body FROM dirty_cell WHERE member_id = ? AND field = ?", (member_id, field)
    ).fetchone()
    return None if row is None else bytes(row[0])


def put_dirty_cell(conn: Connection, member_id: bytes, field: str, body: bytes) -> None:
    """A field was written here."""
    conn.execute(
        "INSERT OR REPLACE INTO dirty_cell (member_id, field, body) VALUES (?, ?, ?)",
        (member_id, field, body),
    )


def drop_dirty_cells(conn: Connection, member_id: bytes, field: str | None) -> None:
    """One field of a member was answered, or all of them are of no use any more."""
    conn.execute(
        "DELETE FROM dirty_cell WHERE member_id = ?1 AND (?2 IS NULL OR field = ?2)",
        (member_id, field),
    )


def put_consents(conn: Connection, member_id: bytes, answers: Sequence[ConsentBaseRow]) -> None:
    """Replace the standing answers of a member."""
    conn.execute("DELETE FROM consent_base WHERE member_id = ?", (member_id,))
    add_consents(conn, [(member_id, *answer) for answer in answers])


def add_consents(conn: Connection, rows: Iterable[tuple[object, ...]]) -> None:
    """Standing answers of members who have none here: (member, purpose, channel, notice version, granted)."""
    conn.executemany(
        "INSERT INTO consent_base (member_id, purpose, channel, notice_version, granted)"
        " VALUES (?, ?, ?, ?, ?)",
        rows,
    )


def reference_set(conn: Connection, key: str) -> bytes | None:
    """A set of reference data."""
    row = conn.execute("SELECT body FROM reference_set WHERE key = ?", (key,)).fetchone()
    return None if row is None else bytes(row[0])


def put_reference_set(conn: Connection, key: str, generation: int, body: bytes) -> None:
    """Replace a set."""
    conn.execute(
        "INSERT OR REPLACE INTO reference_set (key, generation, body) VALUES (?, ?, ?)",
        (key, generation, body),
    )


def drop_references_below(conn: Connection, generation: int) -> None:
    """Forget sets of older generations."""
    conn.execute("DELETE FROM reference_set WHERE generation < ?", (generation,))


def dirty_count(conn: Connection) -> int:
    """How many fields head office has not answered."""
    return int(conn.execute("SELECT count(*) FROM dirty_cell").fetchone()[0])
