"""Members, profiles, credentials, consent, staff: the rows about people.

Profile values are the only personal rows of a store, beside print jobs; a member's row and ledger hold none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import TypeAlias

from sqlcipher3.dbapi2 import Connection

from db.rows import LAST


@dataclass(frozen=True, slots=True)
class MemberRow:
    """The account: when it was opened, its tier and last visit as the fold has them."""

    id: bytes
    joined: int
    tier: str
    last_visit: int | None


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """The person. `name_py` is syllables with blanks between, `name_ini` their initials."""

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


Person: TypeAlias = tuple[ProfileRow | None, str | None]
"""Profile, None once erased, and active card of an account."""


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """A card or other token that leads to a member."""

    kind: str
    value: str
    member_id: bytes
    state: str


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """One answer to one notice; the newest of a purpose and channel counts."""

    member_id: bytes
    seq: int
    purpose: str
    channel: str
    notice_version: str
    granted: int


@dataclass(frozen=True, slots=True)
class NoteRow:
    """What somebody wrote about an event of a member; the event has its length and digest."""

    event_id: bytes
    member_id: bytes
    text: str


@dataclass(frozen=True, slots=True)
class CardBlock:
    """Card numbers that the till hands out: `next` is the first that nobody has, `last` the end."""

    prefix: str
    next: int
    last: int


_PROFILE = (
    "member_id, name, phone, email, name_py, name_ini, birth_calendar, birth_year, birth_month,"
    " birth_day, note, alert, version"
)
_OF_PERSON = (
    "profile", "member_key", "credential", "arriving_card", "consent_base", "event_note",
)  # fmt: skip
_ARRIVING = "SELECT 'card', number, member_id, 'active' FROM arriving_card"
"""Cards of members with whom the till begins (db/filling.py): theirs, unless somebody has them."""
_PERSON = (
    # The index is named because the planner would look through all cards by `kind` instead.
    "SELECT coalesce((SELECT value FROM credential c INDEXED BY credential_member"
    " WHERE c.member_id = m.id AND c.kind = 'card' AND c.state = 'active' LIMIT 1),"
    " (SELECT number FROM arriving_card a WHERE a.member_id = m.id)),"
    f" {', '.join('p.' + c for c in _PROFILE.split(', '))}"
    " FROM member m LEFT JOIN profile p ON p.member_id = m.id WHERE m.id = ?"
)


# Members ----------------------------------------------------------------------------------------


def insert_member(conn: Connection, row: MemberRow) -> None:
    """Add an account."""
    conn.execute(
        "INSERT INTO member (id, joined, tier, last_visit) VALUES (?,?,?,?)",
        (row.id, row.joined, row.tier, row.last_visit),
    )


def member(conn: Connection, member_id: bytes) -> MemberRow | None:
    """The account of an id."""
    row = conn.execute(
        "SELECT id, joined, tier, last_visit FROM member WHERE id = ?", (member_id,)
    ).fetchone()
    return MemberRow(*row) if row else None


def all_members(conn: Connection) -> Iterator[bytes]:
    """Every account's id, in key order."""
    return (bytes(row[0]) for row in conn.execute("SELECT id FROM member ORDER BY id"))


def members_between(conn: Connection, first: bytes, end: bytes | None) -> Iterator[bytes]:
    """The accounts from `first` up to and without `end` (None for all that follow), in key order."""
    last = "" if end is None else " AND id < :end"
    rows = conn.execute(
        f"SELECT id FROM member WHERE id >= :first{last} ORDER BY id",
        {"first": first} if end is None else {"first": first, "end": end},
    )
    return (bytes(row[0]) for row in rows)


def members_at(conn: Connection, parts: Iterable[int], *, of: int) -> list[bytes]:
    """The accounts that stand at so many parts `of` the whole number, in key order."""
    count = member_count(conn)
    at = "SELECT id FROM member ORDER BY id LIMIT 1 OFFSET ?"
    found = [conn.execute(at, (count * part // of,)).fetchone() for part in parts]
    return [bytes(row[0]) for row in found if row is not None]


def tiers_of(conn: Connection, members: Sequence[bytes]) -> dict[bytes, str]:
    """The tier of each of these accounts, without those that there are not."""
    marks = ",".join("?" * len(members))
    rows = conn.execute(f"SELECT id, tier FROM member WHERE id IN ({marks}) ORDER BY id", members)
    return dict(rows.fetchall())


def member_count(conn: Connection) -> int:
    """How many accounts there are."""
    return int(conn.execute("SELECT count(*) FROM member").fetchone()[0])


def members_without_profile(conn: Connection) -> int:
    """Accounts whose personal values are not in the store."""
    row = conn.execute(
        "SELECT count(*) FROM member m WHERE NOT EXISTS"
        " (SELECT 1 FROM profile p WHERE p.member_id = m.id)"
    ).fetchone()
    return int(row[0])


def person(conn: Connection, member_id: bytes) -> Person | None:
    """An account's person in one look; None when there is no such account."""
    row = conn.execute(_PERSON, (member_id,)).fetchone()
    if row is None:
        return None
    return (None if row[1] is None else ProfileRow(*row[1:])), row[0]


def visited(conn: Connection, member_id: bytes, on: int) -> None:
    """The member was here on a business date; the search index moves later, when the till is idle."""
    conn.execute("UPDATE member SET last_visit = ? WHERE id = ?", (on, member_id))
    mark_search_dirty(conn, member_id)


def set_tier(conn: Connection, member_id: bytes, tier: str) -> None:
    """The tier as the fold has it now."""
    conn.execute("UPDATE member SET tier = ? WHERE id = ?", (tier, member_id))


def update_member(conn: Connection, member_id: bytes, *, tier: str, last_visit: int | None) -> None:
    """Rewrite what the fold says of an account."""
    conn.execute(
        "UPDATE member SET tier = ?, last_visit = ? WHERE id = ?", (tier, last_visit, member_id)
    )


def mark_search_dirty(conn: Connection, member_id: bytes) -> None:
    """Note that the search index must move or rewrite this member when the till is idle."""
    conn.execute(
        "INSERT INTO search_dirty (member_id) VALUES (?) ON CONFLICT DO NOTHING", (member_id,)
    )


def set_member_key(conn: Connection, member_id: bytes, key: bytes) -> None:
    """Keep the key under which digests of this member's values are made (once per member)."""
    conn.execute(
        "INSERT INTO member_key (member_id, key) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (member_id, key),
    )


def member_key(conn: Connection, member_id: bytes) -> bytes | None:
    """The member's own key, None once it was destroyed."""
    row = conn.execute("SELECT key FROM member_key WHERE member_id = ?", (member_id,)).fetchone()
    return bytes(row[0]) if row else None


def put_profile(conn: Connection, row: ProfileRow) -> None:
    """Write a profile; a newer version replaces an older one, never the other way round."""
    conn.execute(
        f"INSERT INTO profile ({_PROFILE}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT (member_id) DO UPDATE SET name = excluded.name, phone = excluded.phone,"
        " email = excluded.email, name_py = excluded.name_py, name_ini = excluded.name_ini,"
        " birth_calendar = excluded.birth_calendar, birth_year = excluded.birth_year,"
        " birth_month = excluded.birth_month, birth_day = excluded.birth_day,"
        " note = excluded.note, alert = excluded.alert, version = excluded.version"
        " WHERE excluded.version > profile.version",
        astuple(row),
    )


def profile(conn: Connection, member_id: bytes) -> ProfileRow | None:
    """The person behind an account, None once erased."""
    row = conn.execute(
        f"SELECT {_PROFILE} FROM profile WHERE member_id = ?", (member_id,)
    ).fetchone()
    return ProfileRow(*row) if row else None


def members_of_phone(conn: Connection, phone: str) -> list[bytes]:
    """Everybody with this E.164 number: families share one."""
    rows = conn.execute(
        "SELECT member_id FROM profile WHERE phone = ? ORDER BY member_id", (phone,)
    )
    return [bytes(row[0]) for row in rows]


# Credentials and consent ----------------------------------------------------------------------------


def put_credential(conn: Connection, row: CredentialRow) -> None:
    """Bind a token to a member, or change its state. A token of somebody else is never taken over."""
    _take_cards_in(conn, "member_id = ?1 OR number = ?2", (row.member_id, row.value))
    conn.execute(
        "INSERT INTO credential (kind, value, member_id, state) VALUES (?,?,?,?)"
        " ON CONFLICT (kind, value) DO UPDATE SET state = excluded.state"
        " WHERE credential.member_id = excluded.member_id",
        (row.kind, row.value, row.member_id, row.state),
    )


def _take_cards_in(conn: Connection, which: str, values: tuple[object, ...]) -> None:
    """Cards that lie aside are written where cards are, before theirs change (db/filling.py)."""
    if conn.execute("SELECT 1 FROM arriving_card LIMIT 1").fetchone():
        take_cards_in(conn, which, values)


def take_cards_in(conn: Connection, which: str = "true", values: tuple[object, ...] = ()) -> None:
    """Write those cards of `arriving_card` where cards are, but numbers that somebody has there; of two with
    one number the first member has it."""
    conn.execute(
        f"INSERT INTO credential (kind, value, member_id, state) {_ARRIVING} WHERE {which}"
        " ORDER BY number, member_id ON CONFLICT (kind, value) DO NOTHING",
        values,
    )
    conn.execute(f"DELETE FROM arriving_card WHERE {which}", values)


def credential(conn: Connection, kind: str, value: str) -> CredentialRow | None:
    """The token of a number."""
    row = conn.execute(
        "SELECT kind, value, member_id, state FROM credential WHERE kind = ?1 AND value = ?2"
        f" UNION ALL {_ARRIVING} WHERE ?1 = 'card' AND number = ?2 LIMIT 1",
        (kind, value),
    ).fetchone()
    return CredentialRow(*row) if row else None


def credentials_of(conn: Connection, member_id: bytes, kind: str) -> list[CredentialRow]:
    """A member's tokens of a kind."""
    rows = conn.execute(
        "SELECT kind, value, member_id, state FROM credential INDEXED BY credential_member"
        " WHERE member_id = ?1 AND kind = ?2"  # as in _PERSON
        f" UNION ALL {_ARRIVING} WHERE member_id = ?1 AND ?2 = 'card' ORDER BY value",
        (member_id, kind),
    )
    return [CredentialRow(*row) for row in rows]


def put_consent(conn: Connection, row: ConsentRow) -> None:
    """Keep one answer."""
    conn.execute(
        "INSERT INTO consent (member_id, seq, purpose, channel, notice_version, granted)"
        " VALUES (?,?,?,?,?,?)",
        (row.member_id, row.seq, row.purpose, row.channel, row.notice_version, row.granted),
    )


def newest_consent_seqs(
    conn: Connection, member_id: bytes, limit: int, *, after: int = 0
) -> list[int]:
    """The events after one that wrote a member's answers, newest first."""
    rows = conn.execute(
        "SELECT DISTINCT seq FROM consent WHERE member_id = ? AND seq > ?"
        " ORDER BY seq DESC LIMIT ?",
        (member_id, after, limit),
    )
    return [int(seq) for (seq,) in rows]


def sharing_phone_of(conn: Connection, member_id: bytes) -> int:
    """How many members have the phone of this one, who is among them; 0 without a phone."""
    row = conn.execute(
        "SELECT count(*) FROM profile WHERE phone > '' AND phone ="
        " (SELECT phone FROM profile WHERE member_id = ?)",
        (member_id,),
    ).fetchone()
    return int(row[0])


def consents_of(conn: Connection, member_id: bytes) -> list[ConsentRow]:
    """All answers of a member, oldest first; those that head office has stand above the till's own."""
    rows = conn.execute(
        "SELECT member_id, seq, purpose, channel, notice_version, granted FROM consent"
        " WHERE member_id = ?1 UNION ALL"
        " SELECT member_id, ?2, purpose, channel, notice_version, granted FROM consent_base"
        " WHERE member_id = ?1 ORDER BY seq, purpose, channel",
        (member_id, LAST),
    )
    return [ConsentRow(*row) for row in rows]


def put_note(conn: Connection, row: NoteRow) -> None:
    """Keep what was written about an event."""
    conn.execute(
        "INSERT OR REPLACE INTO event_note (event_id, member_id, text) VALUES (?,?,?)",
        (row.event_id, row.member_id, row.text),
    )


def note_of(conn: Connection, event_id: bytes) -> NoteRow | None:
    """What was written about an event; None for nothing, and once it is erased."""
    row = conn.execute(
        "SELECT event_id, member_id, text FROM event_note WHERE event_id = ?", (event_id,)
    ).fetchone()
    return NoteRow(*row) if row else None


def put_card_block(conn: Connection, block: CardBlock) -> None:
    """Give the till a block of card numbers to hand out, or write it anew."""
    conn.execute(
        "INSERT OR REPLACE INTO card_block (prefix, next, last) VALUES (?,?,?)", astuple(block)
    )


def drop_card_block(conn: Connection, prefix: str) -> None:
    """Take a block away (`verify --rebuild`)."""
    conn.execute("DELETE FROM card_block WHERE prefix = ?", (prefix,))


def card_blocks(conn: Connection) -> list[CardBlock]:
    """Every block, also those used up."""
    rows = conn.execute("SELECT prefix, next, last FROM card_block ORDER BY prefix")
    return [CardBlock(*row) for row in rows]


def cards_beginning(conn: Connection, prefix: str) -> Iterator[str]:
    """Every card number, of whatever state, that begins with a prefix of digits."""
    rows = conn.execute(
        "SELECT value FROM credential WHERE kind = 'card' AND value >= ?1 AND value < ?1 || ':'"
        " UNION SELECT number FROM arriving_card WHERE number >= ?1 AND number < ?1 || ':'",
        (prefix,),
    )
    return (str(row[0]) for row in rows)


def card_block(conn: Connection, preferred: str = "") -> tuple[str, int] | None:
    """(prefix, next number) of the first block that still has one, of those that begin as `preferred` if there
    is one; None when all are used up."""
    row = conn.execute(
        "SELECT prefix, next FROM card_block WHERE next <= last"
        " ORDER BY substr(prefix, 1, length(?1)) <> ?1, prefix LIMIT 1",
        (preferred,),
    ).fetchone()
    return (str(row[0]), int(row[1])) if row else None


def end_card_blocks(conn: Connection) -> None:
    """Hand out no number of any block any more; cards of them may still be typed or scanned."""
    conn.execute("UPDATE card_block SET next = last + 1")


def advance_card_block(conn: Connection, prefix: str, used: int) -> None:
    """Never hand out `used` or a lower number of this block again. A number beyond the block's end is
    not of the block: a longer card of somebody else's can begin alike."""
    conn.execute(
        "UPDATE card_block SET next = max(next, ?1 + 1) WHERE prefix = ?2 AND ?1 <= last",
        (used, prefix),
    )


def drop_person(conn: Connection, member_id: bytes) -> None:
    """Forget who an account belongs to: profile, key, cards. Nothing of it stays in free pages."""
    for table in _OF_PERSON:
        conn.execute(f"DELETE FROM {table} WHERE member_id = ?", (member_id,))
    mark_search_dirty(conn, member_id)


def move_cards(conn: Connection, member_id: bytes, to: bytes) -> None:
    """The cards of a merged member lead to the survivor."""
    _take_cards_in(conn, "member_id = ?", (member_id,))
    conn.execute("UPDATE credential SET member_id = ? WHERE member_id = ?", (to, member_id))


def move_card(conn: Connection, kind: str, value: str, to: bytes) -> None:
    """A card leads to another member, if it is known."""
    _take_cards_in(conn, "number = ?", (value,))
    conn.execute(
        "UPDATE credential SET member_id = ? WHERE kind = ? AND value = ?", (to, kind, value)
    )
