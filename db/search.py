"""Member search over the whole store, as one types: exact before prefix, the newest visit first.

The search table's row number is a member's place in the order of visits (`member_seq`): a visit
gives a new, higher one, so FTS5 walks its lists from the newest and stops when the page is full,
and the cost does not depend on how many match (storage.md section 5). Moving a member costs more
than a sale may wait for, so a sale only notes the member in `search_dirty` and `refresh` moves
them later. What the words are is in db/search_terms.py; masking is the caller's (app/queries).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, Literal

from db.connection import Connection
from db.search_terms import (
    LAST_DIGITS,
    IndexRow,
    Term,
    ask,
    index_row,
    nearest_begun,
    sounds_like,
    spans_in_name,
    spans_in_phone,
)

Field = Literal["name", "pinyin", "initials", "phone", "email", "card"]
Span = tuple[int, int]

COUNT_MOST: Final = 100
_GATHERED, _MERGED = 1024 * 1024, 4
"""FTS5's own: bytes of words in memory, and of how many pieces it makes one."""
_GATHERED_MUCH, _MERGED_LATE = 32 * 1024 * 1024, 16

_FOUND: Final = "SELECT rowid FROM member_fx WHERE member_fx MATCH ? ORDER BY rowid DESC LIMIT ?"
_ROW: Final = """
    SELECT p.member_id, p.name, p.phone, p.name_py, p.name_ini, m.tier, m.last_visit
    FROM member_seq AS s
    JOIN profile AS p ON p.member_id = s.member_id
    JOIN member AS m ON m.id = s.member_id
    WHERE s.seq = ?
"""
_BY_CARD: Final = """
    SELECT s.seq, c.state FROM credential AS c JOIN member_seq AS s ON s.member_id = c.member_id
    WHERE c.kind = 'card' AND c.value = ?1
    UNION ALL
    SELECT s.seq, 'active' FROM arriving_card AS a JOIN member_seq AS s ON s.member_id = a.member_id
    WHERE a.number = ?1
    LIMIT 1
"""
_COUNT: Final = "SELECT count(*) FROM (SELECT 1 FROM member_fx WHERE member_fx MATCH ? LIMIT ?)"
_ADD: Final = "INSERT INTO member_fx (rowid, name, py, ini, phone, email) VALUES (?,?,?,?,?,?)"


@dataclass(frozen=True, slots=True)
class MemberHit:
    """One member found. `phone` is E.164 and unmasked; `last_visit` days since 1970-01-01.

    `name_spans` and `phone_spans` are (start, end) in `name` and `phone`, for highlighting.
    `card_state` is the state of the card that was typed or scanned, else None.
    """

    member_id: bytes
    seq: int
    name: str
    phone: str | None
    tier: str
    last_visit: int | None
    fields: tuple[Field, ...]
    name_spans: tuple[Span, ...]
    phone_spans: tuple[Span, ...]
    card_state: str | None = None


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """The first page. `total` counts every match and `exact` those that match as whole words (all
    members with these last four digits); both stop counting at COUNT_MOST."""

    hits: tuple[MemberHit, ...]
    total: int
    exact: int


@dataclass(frozen=True, slots=True)
class Searchable:
    """What the index needs of a member: see search_terms.index_row."""

    member_id: bytes
    name: str
    phone: str | None
    email: str | None
    name_py: str
    name_ini: str

    def words(self) -> IndexRow:
        return index_row(
            name=self.name,
            phone=self.phone,
            email=self.email,
            name_py=self.name_py,
            name_ini=self.name_ini,
        )


def search_members(conn: Connection, typed: str, limit: int = 20) -> SearchAnswer:
    """The members that a typed text asks for, at most `limit` of them. Empty for an empty text."""
    assert limit > 0
    question = ask(typed)
    card = conn.execute(_BY_CARD, (question.card,)).fetchone() if question.card else None
    hit = None if card is None else _hit(conn, card[0], ())
    if card is not None and hit is not None:
        return SearchAnswer((replace(hit, fields=("card",), card_state=card[1]),), 1, 1)
    found: dict[int, tuple[Term, ...]] = {}  # row number in the index → the reading that found it
    exact = 0
    for place, reading in enumerate(question.readings):
        for number, expression in enumerate(_stages(reading)):
            # One more than fits tells whether there is anything to count.
            for (seq,) in conn.execute(_FOUND, (expression, limit + 1 + len(found))):
                found.setdefault(seq, reading)
            if place == number == 0:
                exact = len(found) if len(found) <= limit else _count(conn, expression)
            if len(found) > limit:
                total = max(exact, len(found), _count(conn, _all(reading, prefix=True)))
                return SearchAnswer(_page(conn, found, limit), min(total, COUNT_MOST), exact)
    return SearchAnswer(_page(conn, found, limit), len(found), exact)


def suggest(conn: Connection, typed: str) -> str | None:
    """Another text to try when letters with a last four found nobody: the same digits with the
    initials or the pinyin of somebody who has them, one slip of the fingers away; the newest visitor
    first. None when there is nobody so near (counter-flows.md flow 2).
    """
    reading = next(iter(ask(typed).readings), ())
    kinds = {term.kind: term for term in reading}
    if len(reading) != 2 or set(kinds) != {"letters", "digits"}:
        return None
    letters, digits = kinds["letters"].text, kinds["digits"]
    if len(digits.text) != LAST_DIGITS or len(letters) < 2:
        return None  # from one letter every other is one slip away
    for seq in conn.execute(_FOUND, (digits.match(prefix=False), COUNT_MOST)).fetchall():
        row = conn.execute(_ROW, seq).fetchone()
        if row is None:
            continue  # forgotten, and the index not yet brought up to date
        _, _, _, name_py, name_ini, _, _ = row
        near = nearest_begun(letters, (name_ini, name_py.replace(" ", "")))
        if near is not None:
            turned = reading[0].kind == "digits"
            return f"{digits.text}{near}" if turned else f"{near}{digits.text}"
    return None


def refresh(conn: Connection, limit: int = 50) -> int:
    """Bring up to `limit` members of `search_dirty` up to date and to the front; how many it did.

    Call it in a small transaction of its own after the sale, until it answers less than `limit`.
    """
    rows = conn.execute("SELECT member_id FROM search_dirty ORDER BY member_id LIMIT ?", (limit,))
    members = [bytes(row[0]) for row in rows.fetchall()]
    move_to_front(conn, members)
    return len(members)


def move_to_front(conn: Connection, member_ids: Iterable[bytes]) -> None:
    """Index these members anew as the newest, the last one first; drop those without a profile."""
    for member_id in member_ids:
        conn.execute(
            "DELETE FROM member_fx WHERE rowid IN (SELECT seq FROM member_seq WHERE member_id = ?)",
            (member_id,),
        )
        conn.execute("DELETE FROM member_seq WHERE member_id = ?", (member_id,))
        conn.execute("DELETE FROM search_dirty WHERE member_id = ?", (member_id,))
        row = conn.execute(
            "SELECT member_id, name, phone, email, name_py, name_ini FROM profile WHERE member_id = ?",
            (member_id,),
        ).fetchone()
        if row is not None:
            add_all(conn, [Searchable(*row)])


def add_all(conn: Connection, members: Iterable[Searchable]) -> None:
    """Index members that are not in the index yet, in the order of their last visit, oldest first."""
    add_words(conn, [(member.member_id, *member.words()) for member in members])


def add_words(conn: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """The same, of words that were made before: (member, then what an `IndexRow` has)."""
    found = list(enumerate(rows, newest(conn) + 1))
    conn.executemany(
        "INSERT INTO member_seq (seq, member_id) VALUES (?, ?)",
        [(seq, row[0]) for seq, row in found],
    )
    conn.executemany(_ADD, [(seq, *row[1:]) for seq, row in found])


def newest(conn: Connection) -> int:
    """The place of the newest visitor; not less than there are members in the index."""
    return int(conn.execute("SELECT coalesce(max(seq), 0) FROM member_seq").fetchone()[0])


def gather(conn: Connection, *, much: bool) -> None:
    """Have the index write what it has gathered in few large pieces and leave them unmerged, or as usual."""
    gathered, merged = (_GATHERED_MUCH, _MERGED_LATE) if much else (_GATHERED, _MERGED)
    conn.execute("INSERT INTO member_fx (member_fx, rank) VALUES ('hashsize', ?)", (gathered,))
    conn.execute("INSERT INTO member_fx (member_fx, rank) VALUES ('automerge', ?)", (merged,))


def warm_up(conn: Connection) -> None:
    """Read what the first keystrokes need: one search for each letter and digit, about 0.1 s."""
    for letter in "0123456789abcdefghijklmnopqrstuvwxyz":
        search_members(conn, letter)


def optimize(conn: Connection) -> None:
    """Merge the index into one piece. Seconds on a large store, so after a bulk load only."""
    conn.execute("INSERT INTO member_fx (member_fx) VALUES ('optimize')")


def forget_words(conn: Connection) -> None:
    """Words of a profile were edited away: ask that `forget_step` be called until none is left."""
    state = _FORGET_AGAIN if _forgetting(conn) in (_FORGETTING, _FORGET_AGAIN) else _FORGET_ASKED
    _set_forgetting(conn, state)


def forget_step(conn: Connection) -> bool:
    """Merge a part of the index, about _FORGET_PAGES pages of it; False when nothing is left to do.

    A row that is deleted from a contentless index leaves its words in the pieces written before, and
    FTS5's own secure-delete can't help: it needs the words, which such an index doesn't keep. A merge
    of all pieces writes them anew without the deleted rows, and the store's secure_delete wipes the
    pages of the old ones. Call it when `refresh` has nothing left to move.
    """
    state = _forgetting(conn)
    if state is None:
        return False
    begin = state == _FORGET_ASKED
    # A negative number puts all pieces into one merge, a positive one goes on with it.
    pages = -_FORGET_PAGES if begin else _FORGET_PAGES
    before = _changes(conn)
    conn.execute("INSERT INTO member_fx (member_fx, rank) VALUES ('merge', ?)", (pages,))
    if _changes(conn) - before >= 2:  # the sign that FTS5 gives of work done
        if begin:
            _set_forgetting(conn, _FORGETTING)
        return True
    # What was edited while the merge ran may lie in pieces that it did not take in.
    _set_forgetting(conn, _FORGET_ASKED if state == _FORGET_AGAIN else None)
    return state == _FORGET_AGAIN


_FORGET_PAGES: Final = 100
_FORGET_KEY: Final = "search_forget"
_FORGET_ASKED, _FORGETTING, _FORGET_AGAIN = "asked", "merging", "merging, asked again"


def _forgetting(conn: Connection) -> str | None:
    row = conn.execute("SELECT value FROM meta WHERE key = ?", (_FORGET_KEY,)).fetchone()
    return str(row[0]) if row else None


def _set_forgetting(conn: Connection, state: str | None) -> None:
    conn.execute("DELETE FROM meta WHERE key = ?", (_FORGET_KEY,))
    if state is not None:
        conn.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (_FORGET_KEY, state))


def _changes(conn: Connection) -> int:
    return int(conn.execute("SELECT total_changes()").fetchone()[0])


def _stages(reading: tuple[Term, ...]) -> list[str]:
    """From the narrowest to the widest: whole words; whole last four digits with words begun (an
    initial and the last four, the pair that finds one person); words begun."""
    stages = [_all(reading, prefix=False)]
    last_four = [term.kind == "digits" and len(term.text) == LAST_DIGITS for term in reading]
    if any(last_four) and not all(last_four):
        stages.append(
            " AND ".join(
                term.match(prefix=not whole) for term, whole in zip(reading, last_four, strict=True)
            )
        )
    return [*stages, _all(reading, prefix=True)]


def _all(reading: tuple[Term, ...], *, prefix: bool) -> str:
    return " AND ".join(term.match(prefix=prefix) for term in reading)


def _count(conn: Connection, expression: str) -> int:
    return int(conn.execute(_COUNT, (expression, COUNT_MOST)).fetchone()[0])


def _page(
    conn: Connection, found: dict[int, tuple[Term, ...]], limit: int
) -> tuple[MemberHit, ...]:
    hits = (_hit(conn, seq, terms) for seq, terms in found.items())
    return tuple(islice((hit for hit in hits if hit is not None), limit))


def _hit(conn: Connection, seq: int, terms: tuple[Term, ...]) -> MemberHit | None:
    """A member who was found; None: they are forgotten, and the index will hear of it when the till is idle."""
    row = conn.execute(_ROW, (seq,)).fetchone()
    if row is None:
        return None
    member_id, name, phone, name_py, name_ini, tier, last_visit = row
    return MemberHit(
        member_id=member_id,
        seq=seq,
        name=name,
        phone=phone,
        tier=tier,
        last_visit=last_visit,
        fields=tuple(dict.fromkeys(_field(term, name_py, name_ini) for term in terms)),
        name_spans=tuple(spans_in_name(terms, name=name, name_py=name_py, name_ini=name_ini)),
        phone_spans=tuple(spans_in_phone(terms, phone)) if phone else (),
    )


def _field(term: Term, name_py: str, name_ini: str) -> Field:
    """Where a term matched, by the same rules as the index's words (search_terms.index_row)."""
    if term.kind == "digits":
        return "phone"
    if term.kind == "email":
        return "email"
    if term.kind == "name":
        return "name"
    if "ini" in term.columns and term.text in name_ini:
        return "initials"
    if sounds_like(term.text, name_py):
        return "pinyin"
    return "email"
