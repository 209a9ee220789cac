"""Members whom a till hears of for the first time: their rows, made beforehand and written many at once.

What is written is what app/dealings.py writes of one member at a time (tests/app/test_arrivals.py compares
them), but the search index: new members enter it at once, in the order in which they came.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec
from sqlcipher3.dbapi2 import Connection

from app import bases, cached_fold
from app.cells import pass_cards
from app.domain.entries import POINTS
from app.profile_fields import CARD, consents_of, joined_of, profile_of
from app.protocol.wire import MemberRow, rows_of
from db import bulk, filling, head_office, search, states
from db.search_terms import IndexRow, index_row

KEY_BYTES: Final = 32
FINDABLE_MOST: Final = 20_000
"""Members of whom cards and words may wait in memory: some 15 MB, and 40 MB of the index's own."""


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


class Sheaf(msgspec.Struct, frozen=True):
    """The rows of members who arrive together, table by table: what many statements take as it is.

    Every row is a plain tuple, for of a record's values the driver takes a third longer.

    bases     (member, body)                       accounts  by rank: (member, joined, last visit)
    states    without the last event               words     (member, and what an `IndexRow` has)
    cards     (number, member), in the order of the members
    lot_sums  (available from, expires, lots, points) of the lots of points
    Others are as their tables have them.
    """

    members: list[bytes]
    bases: list[tuple[Any, ...]]
    accounts: list[tuple[int | None, list[tuple[Any, ...]]]]
    states: list[tuple[Any, ...]]
    lots: list[tuple[Any, ...]]
    lot_sums: list[tuple[Any, ...]]
    debts: list[tuple[Any, ...]]
    splits: list[tuple[Any, ...]]
    days: list[tuple[Any, ...]]
    profiles: list[tuple[Any, ...]]
    words: list[tuple[Any, ...]]
    cards: list[tuple[Any, ...]]
    consents: list[tuple[Any, ...]]


class Readied(msgspec.Struct, frozen=True):
    """A frame of a snapshot, made ready. `others`: bodies of rows that no member arrives by, in their order."""

    new: Sheaf
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


def together(found: Sequence[Arrival]) -> Sheaf:
    """Bind the rows of these members."""
    folded = [each.folded for each in found]
    return Sheaf(
        members=[each.member for each in found],
        bases=[(each.member, each.body) for each in found],
        accounts=_by_rank(found),
        states=[rows.state.without_event() for rows in folded],
        lots=[tuple(row) for rows in folded for row in rows.lots],
        lot_sums=_summed([row for rows in folded for row in rows.lots]),
        debts=[tuple(row) for rows in folded for row in rows.debts],
        splits=[tuple(row) for rows in folded for row in rows.splits],
        days=[tuple(row) for rows in folded for row in rows.days],
        profiles=[tuple(each.profile) for each in found if each.profile is not None],
        words=[(each.member, *each.words) for each in found if each.words is not None],
        cards=[(each.card, each.member) for each in found if each.card is not None],
        consents=[(each.member, *answer) for each in found for answer in each.consents],
    )


def _by_rank(found: Sequence[Arrival]) -> list[tuple[int | None, list[tuple[Any, ...]]]]:
    accounts = defaultdict[int | None, list[tuple[Any, ...]]](list)
    for each in found:
        accounts[each.rank].append((each.member, each.joined, each.last_visit))
    return list(accounts.items())


def _summed(lots: Iterable[states.LotRow]) -> list[tuple[Any, ...]]:
    sums = defaultdict[tuple[int, int], list[int]](list)
    for lot in lots:
        if lot.asset == POINTS:
            sums[lot.available_from, lot.expires].append(lot.remaining)
    return [(*days, len(points), sum(points)) for days, points in sums.items()]


def readied(frame: bytes) -> bytes:
    """Make a frame of a snapshot ready, without any store: a `Readied`, packed. Raises NotAMessage."""
    found, others = _sorted_out(rows_of(frame), frozenset())
    return _pack(Readied(together(found), [bases.ROW.pack(row) for row in others]))


def unpacked(body: bytes) -> Readied:
    """What `readied` made."""
    return _unpack(body)


def parted(conn: Connection, frame: bytes, ready: Readied) -> tuple[Sheaf, list[MemberRow]]:
    """Those of a frame of whom nothing is here, and the rows of the others."""
    members = ready.new.members
    known = bulk.members_between(conn, min(members), max(members)) if members else set()
    if known.isdisjoint(members):
        return ready.new, [bases.ROW.unpack(body) for body in ready.others]
    found, others = _sorted_out(rows_of(frame), known)
    return together(found), others


def _sorted_out(
    rows: Iterable[MemberRow], known: Set[bytes]
) -> tuple[list[Arrival], list[MemberRow]]:
    """Who arrives by these rows, and the rows that bring nobody new."""
    found, others = dict[bytes, Arrival](), list[MemberRow]()
    for row in rows:
        if _is_there(row) and row.member not in known and row.member not in found:
            found[row.member] = arrival_of(row)
        else:
            others.append(row)
    return list(found.values()), others


def _is_there(row: MemberRow) -> bool:
    return row.alias is None and not row.erased


_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(Readied).decode


def known_here(conn: Connection, members: Sequence[bytes]) -> set[bytes]:
    """Those of these members of whom the till has something of its own: an account, entries, unsent fields."""
    return bulk.members_among(conn, members)


def put_bases(conn: Connection, new: Sheaf, included: int, generation: int) -> None:
    """Keep what head office says of them (`app.protocol.till_store.Base`)."""
    head_office.add_bases(conn, new.bases, included, generation)


def put_arrivals(
    conn: Connection, new: Sheaf, tiers: Mapping[int, str], *, seq: int, count: bool = False
) -> None:
    """Write members of whom nothing is here, but what they are found by. `seq`: the last own event, `tiers`:
    the tier's code by rank; `count`: nobody else counts them (`db.filling.sums_aside`)."""
    lowest = tiers[min(tiers)]
    for rank, rows in new.accounts:
        tier = lowest if rank is None else tiers.get(rank, lowest)
        bulk.add_accounts_of_tier(conn, tier, rows)
        if count:
            bulk.count_accounts(conn, tier, len(rows))
    states.add_states(conn, new.states, seq)
    states.put_lots(conn, new.lots)
    if count:
        bulk.count_lots(conn, new.lot_sums)
    states.put_debts(conn, new.debts)
    states.put_splits(conn, new.splits)
    states.put_days(conn, new.days)
    bulk.add_profiles(conn, new.profiles)
    keys = os.urandom(KEY_BYTES * len(new.profiles))
    bulk.add_keys(
        conn,
        [
            (row[0], keys[at * KEY_BYTES : (at + 1) * KEY_BYTES])
            for at, row in enumerate(new.profiles)
        ],
    )
    head_office.add_consents(conn, new.consents)


class Findable:
    """Cards and words of members whose other rows are written: to be written last, of many at once.

    Cards come in no order, and a page of theirs that is written once a transaction costs a fraction of one that
    is written with each frame; of words any statement in between has the index write what it has gathered.
    """

    def __init__(self) -> None:
        self._cards = list[tuple[Any, ...]]()
        self._words = list[tuple[Any, ...]]()

    def add(self, new: Sheaf) -> None:
        """Those of some more members."""
        self._cards += new.cards
        self._words += new.words

    @property
    def much(self) -> bool:
        """Whether it is as much as may lie in memory."""
        return len(self._words) >= FINDABLE_MOST

    def write(self, conn: Connection) -> None:
        """Write them. A card that somebody has here stays theirs; of two with one card the first has it."""
        if self._cards:
            if filling.is_begun(conn):
                bulk.add_arriving_cards(conn, self._cards)
            else:
                self._cards.sort(key=itemgetter(0))
                bulk.add_free_cards(conn, CARD, self._cards)
            pass_cards(conn, [number for number, _ in self._cards])
            self._cards.clear()
        if self._words:
            search.add_words(conn, self._words)
            self._words.clear()
