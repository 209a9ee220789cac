"""Members whom a till hears of for the first time: their rows, made beforehand and written many at once.

What is written is what app/dealings.py writes of one member at a time (tests/app/test_arrivals.py compares
them), but the search index: new members enter it at once, in the order in which they came.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from sqlcipher3.dbapi2 import Connection

from app import bases, cached_fold
from app.cells import pass_cards
from app.profile_fields import CARD, consents_of, joined_of, profile_of
from app.protocol.wire import MemberRow, rows_of
from db import bulk, head_office, people
from db.search_terms import IndexRow, index_row

KEY_BYTES: Final = 32


class Arrival(NamedTuple):
    """A member as head office has them, and what the counter reads of that: no row of a store is needed for it.

    body     of the member as head office has them: `db.head_office.BaseRow.body`
    rank     of the tier that stands, None where none was ever reached
    profile  None: known by the ledger alone so far
    """

    member: bytes
    body: bytes
    joined: int
    rank: int | None
    last_visit: int | None
    folded: cached_fold.FirstRows
    profile: bulk.ProfileValues | None
    words: IndexRow | None
    card: str | None
    consents: tuple[head_office.ConsentBaseRow, ...]


class Readied(msgspec.Struct, frozen=True):
    """A frame of a snapshot, made ready. `others`: bodies of rows that no member arrives by, in their order."""

    arrivals: list[Arrival]
    others: list[bytes]


def arrival_of(row: MemberRow) -> Arrival:
    """Make a member's rows."""
    values = {cell.field: cell.value for cell in row.cells if cell.value is not None}
    profile = profile_of(row.member, values, 1)
    visits = [int(day.on) for day in row.state.days if day.sales]
    standing = row.state.standing
    words = None
    if profile is not None:
        words = index_row(
            name=profile.name, phone=profile.phone, email=profile.email,
            name_py=profile.name_py, name_ini=profile.name_ini,
        )  # fmt: skip
    return Arrival(
        row.member,
        bases.ROW.pack(row),
        joined_of(values) or min(visits, default=0),
        None if standing is None else standing.rank,
        max(visits, default=None),
        cached_fold.first_rows(row.member, row.state),
        None if profile is None else bulk.profile_values(profile),
        words,
        None if profile is None else values.get(CARD) or None,
        () if profile is None else tuple(consents_of(values)),
    )


def arrivals_of(
    conn: Connection, rows: Sequence[MemberRow]
) -> dict[bytes, tuple[MemberRow, Arrival]]:
    """Those of these rows that are the first of a member, by member. Any snapshot of the store will do: whoever
    writes them looks again."""
    known = {row.member_id for row in head_office.bases_of(conn, [row.member for row in rows])}
    return {
        row.member: (row, arrival_of(row))
        for row in rows
        if row.member not in known and _is_there(row)
    }


def readied(frame: bytes) -> bytes:
    """Make a frame of a snapshot ready, without any store: a `Readied`, packed. Raises NotAMessage."""
    arrivals, others = dict[bytes, Arrival](), list[bytes]()
    for row in rows_of(frame):
        if _is_there(row) and row.member not in arrivals:
            arrivals[row.member] = arrival_of(row)
        else:
            others.append(bases.ROW.pack(row))
    return _pack(Readied(list(arrivals.values()), others))


def unpacked(body: bytes) -> Readied:
    """What `readied` made."""
    return _unpack(body)


def _is_there(row: MemberRow) -> bool:
    return row.alias is None and not row.erased


_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(Readied).decode


def known_here(conn: Connection, members: Sequence[bytes]) -> set[bytes]:
    """Those of these members of whom the till has something of its own: an account, entries, unsent fields."""
    return bulk.members_among(conn, members)


def parted(conn: Connection, ready: Readied) -> tuple[list[Arrival], list[MemberRow]]:
    """Those of a frame of whom nothing is here, and the rows of the others."""
    members = [each.member for each in ready.arrivals]
    known = bulk.members_between(conn, min(members), max(members)) if members else set()
    if known.isdisjoint(members):
        return ready.arrivals, [bases.ROW.unpack(body) for body in ready.others]
    here = [each.body for each in ready.arrivals if each.member in known]
    return (
        [each for each in ready.arrivals if each.member not in known],
        [bases.ROW.unpack(body) for body in (*here, *ready.others)],
    )


def put_bases(conn: Connection, found: Sequence[Arrival], included: int, generation: int) -> None:
    """Keep what head office says of them (`app.protocol.till_store.Base`)."""
    head_office.put_bases(
        conn,
        [head_office.BaseRow(each.member, included, generation, None, each.body) for each in found],
    )


def put_arrivals(
    conn: Connection, found: Sequence[Arrival], tiers: Mapping[int, str], *, seq: int
) -> list[tuple[bytes, IndexRow]]:
    """Write members of whom nothing is here. `seq`: the last own event, `tiers`: the tier's code by rank.
    Returns the words to find them by, for `search.add_words`: of many at once, and last."""
    lowest = tiers[min(tiers)]
    bulk.add_accounts(
        conn,
        [
            people.MemberRow(
                each.member,
                each.joined,
                lowest if each.rank is None else tiers.get(each.rank, lowest),
                each.last_visit,
            )
            for each in found
        ],
    )
    cached_fold.save_first(conn, [each.folded for each in found], seq=seq)
    persons = [each.profile for each in found if each.profile is not None]
    bulk.add_profiles(conn, persons)
    keys = os.urandom(KEY_BYTES * len(persons))
    bulk.add_keys(
        conn,
        [
            (person.member_id, keys[at * KEY_BYTES : (at + 1) * KEY_BYTES])
            for at, person in enumerate(persons)
        ],
    )
    # A card that somebody has here stays theirs, also where it came with the same rows.
    cards = [(each.card, each.member) for each in found if each.card is not None]
    bulk.add_free_cards(conn, CARD, cards)
    pass_cards(conn, [number for number, _ in cards])
    answers = [(each.member, *answer) for each in found for answer in each.consents]
    head_office.add_consents(conn, answers)
    return [(each.member, each.words) for each in found if each.words is not None]
