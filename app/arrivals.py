"""Members whom a till hears of for the first time: their rows, made beforehand and written many at once.

What is written is what app/dealings.py writes of one member at a time (tests/app/test_arrivals.py compares
them), but the search index: new members enter it at once, in the order in which they came.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from sqlcipher3.dbapi2 import Connection

from app import cached_fold
from app.cells import pass_cards
from app.profile_fields import CARD, JOINED, consents_of, profile_of
from app.protocol.wire import MemberRow
from db import bulk, head_office, people, search
from db.search_terms import IndexRow, index_row

KEY_BYTES: Final = 32


class Arrival(NamedTuple):
    """A member as head office has them, and what the counter reads of that: no row of a store is needed for it.

    rank     of the tier that stands, None where none was ever reached
    profile  None: known by the ledger alone so far
    """

    row: MemberRow
    joined: int
    rank: int | None
    last_visit: int | None
    profile: people.ProfileRow | None
    words: IndexRow | None
    card: str | None
    consents: tuple[head_office.ConsentBaseRow, ...]


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
        row,
        int(values.get(JOINED) or 0) or min(visits, default=0),
        None if standing is None else standing.rank,
        max(visits, default=None),
        profile,
        words,
        None if profile is None else values.get(CARD) or None,
        () if profile is None else tuple(consents_of(values)),
    )


def arrivals_of(conn: Connection, rows: Sequence[MemberRow]) -> dict[bytes, Arrival]:
    """Those of these rows that are the first of a member, by member. Any snapshot of the store will do: whoever
    writes them looks again."""
    known = {row.member_id for row in head_office.bases_of(conn, [row.member for row in rows])}
    return {
        row.member: arrival_of(row)
        for row in rows
        if row.member not in known and row.alias is None and not row.erased
    }


def known_here(conn: Connection, members: Sequence[bytes]) -> set[bytes]:
    """Those of these members of whom the till has something of its own: an account, entries, unsent fields."""
    return bulk.members_among(conn, members)


def put_arrivals(
    conn: Connection, found: Sequence[Arrival], tiers: Mapping[int, str], *, seq: int
) -> None:
    """Write members of whom nothing is here. `seq`: the last own event, `tiers`: the tier's code by rank."""
    lowest = tiers[min(tiers)]
    bulk.add_accounts(
        conn,
        [
            people.MemberRow(
                each.row.member,
                each.joined,
                lowest if each.rank is None else tiers.get(each.rank, lowest),
                each.last_visit,
            )
            for each in found
        ],
    )
    states = cached_fold.first_rows(((each.row.member, each.row.state) for each in found), seq=seq)
    cached_fold.save_first(conn, states)
    persons = [each.profile for each in found if each.profile is not None]
    keys = os.urandom(KEY_BYTES * len(persons))
    bulk.add_people(
        conn,
        [
            (person, keys[at * KEY_BYTES : (at + 1) * KEY_BYTES])
            for at, person in enumerate(persons)
        ],
    )
    _put_cards(conn, [(each.card, each.row.member) for each in found if each.card is not None])
    answers = [(each.row.member, *answer) for each in found for answer in each.consents]
    head_office.add_consents(conn, answers)
    search.add_words(
        conn, [(each.row.member, each.words) for each in found if each.words is not None]
    )


def _put_cards(conn: Connection, cards: Iterable[tuple[str, bytes]]) -> None:
    """A card that somebody has here stays theirs, also where it came with the same rows."""
    wanted = dict[str, bytes]()
    for number, member in cards:
        wanted.setdefault(number, member)
    for number in bulk.cards_among(conn, CARD, list(wanted)):
        del wanted[number]
    bulk.add_cards(
        conn,
        [people.CredentialRow(CARD, number, member, "active") for number, member in wanted.items()],
    )
    pass_cards(conn, wanted)
