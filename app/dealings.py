"""A till's dealings with head office on its own store: the port of app/protocol on the rows of a transaction.

What head office says of a member becomes what the counter reads: state, tier, profile, cards, the search index.
Nothing here asks or sends (app/sync does).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NoReturn

from sqlcipher3.dbapi2 import Connection

from app import bases, cached_fold
from app.arrivals import (
    KEY_BYTES,
    Arrival,
    Findable,
    arrival_of,
    known_here,
    parted,
    put_arrivals,
    put_bases,
    together,
    unpacked,
)
from app.cells import put_cell
from app.domain.entries import Entry
from app.domain.state import MemberState
from app.profile_fields import CARD, consents_of, joined_of, profile_of
from app.protocol import overlay, own_chain
from app.protocol.facts import Facts, read
from app.protocol.links import Link, link, place
from app.protocol.till_store import Base, Control
from app.protocol.wire import Cell, MemberRow, ReferenceRow
from db import filling, head_office, people, rows, search, till


class Dealings:
    """Implements app.protocol.till_store.TillStore on an open transaction.

    compose, append  write the protocol's own events as this till writes its events (app/context.py)
    tiers            the tier's code by rank

    Attributes:
        references: sets of reference data that came.
        touched: members whose rows are others now. forgotten: those whose person is gone from them.
    """

    def __init__(
        self,
        conn: Connection,
        tiers: Callable[[], dict[int, str]],
        compose: Callable[[Facts], bytes],
        post: Callable[[bytes], None],
    ) -> None:
        self._conn = conn
        self._tiers = tiers
        self._compose = compose
        self._post = post
        self._bases: dict[bytes, Base | None] = {}
        self._before: dict[bytes, Base | None] = {}
        """Members whose base was put, as they were before this transaction: not yet shown."""
        self._unwritten: dict[bytes, Base] = {}
        self._expected: Mapping[bytes, tuple[MemberRow, Arrival]] = {}
        self._ready: Mapping[bytes, bytes] = {}
        self._findable = Findable()
        self.references: list[ReferenceRow] = []
        self.touched: set[bytes] = set()
        self.forgotten: set[bytes] = set()

    # Control and the own chain

    def control(self) -> Control:
        body = head_office.control(self._conn)
        assert body is not None, "a till of its own has no dealings"
        return bases.CONTROL.unpack(body)

    def put_control(self, control: Control) -> None:
        head_office.put_control(self._conn, bases.CONTROL.pack(control))

    def top(self) -> int:
        head = rows.head(self._conn)
        return 0 if head is None else head[0]

    def record(self, body: bytes) -> None:
        """The newest event of the journal takes its place in head office's chain, and its rights with it."""
        own_chain.record(self, read(body), body)

    def compose(self, facts: Facts) -> bytes:
        return self._compose(facts)

    def append(self, facts: Facts, body: bytes) -> int:
        """An event that a command recorded is in the journal already; the protocol's own goes there now."""
        if self.event(self.top()) != facts.id:
            self._post(body)
        return self.top()

    def body(self, number: int) -> bytes:
        return self._event(number).body

    def event(self, number: int) -> bytes:
        return self._event(number).id

    def _event(self, number: int) -> rows.EventRow:
        row = rows.event_by_seq(self._conn, number)
        assert row is not None, "the journal has no gap"
        return row

    def own_entries(self, member: bytes, after: int) -> Sequence[tuple[int, tuple[Entry, ...]]]:
        found = rows.ledger_of_member(self._conn, member, after)
        return [
            (seq, tuple([cached_fold.entry_of(row) for row in same]))
            for seq, same in groupby(found, key=lambda row: row.seq)
        ]

    def link(self, epoch: int, seq: int) -> Link | None:
        row = head_office.link(self._conn, epoch, seq)
        return None if row is None else Link(*row)

    def put_link(self, link: Link) -> None:
        head_office.put_link(self._conn, head_office.LinkRow(*link))

    # Members

    def base(self, member: bytes) -> Base | None:
        if member not in self._bases:
            row = head_office.base(self._conn, member)
            self._bases[member] = None if row is None else bases.base_of(row)
        return self._bases[member]

    def look_up(self, members: Sequence[bytes]) -> None:
        wanted = [member for member in members if member not in self._bases]
        self._bases.update(dict.fromkeys(wanted))
        for row in head_office.bases_of(self._conn, wanted):
            self._bases[row.member_id] = bases.base_of(row)

    def put_base(self, base: Base) -> None:
        member = base.row.member
        if member not in self._before:
            self._before[member] = self.base(member)
        self._bases[member] = self._unwritten[member] = base

    def _write_bases(self) -> None:
        """Bases are written together, before anything asks the store for them."""
        head_office.put_bases(self._conn, map(bases.row_of, self._unwritten.values()))
        self._unwritten.clear()

    def take_frames(
        self, frames: Sequence[bytes], included: int, generation: int
    ) -> Sequence[MemberRow] | None:
        if not all(frame in self._ready for frame in frames):
            return None
        # Whoever was put before in this transaction is known.
        self._write_bases()
        tiers, seq, left = self._tiers(), self.top(), list[MemberRow]()
        with filling.sums_aside(self._conn) as count:
            for frame in frames:
                new, others = parted(self._conn, frame, unpacked(self._ready[frame]))
                put_bases(self._conn, new, included, generation)
                put_arrivals(self._conn, new, tiers, seq=seq, count=count)
                self._findable.add(new)
                self.touched.update(new.members)
                left += others
        if left or self._findable.much:
            self._findable.write(self._conn)  # whoever is put after them comes after them
        self._bases.clear()
        return left

    def drop_base(self, member: bytes) -> None:
        self._write_bases()
        head_office.drop_base(self._conn, member)
        self._gone([member])

    def drop_older(self, generation: int) -> None:
        self._write_bases()
        head_office.drop_references_below(self._conn, generation)
        self._gone(head_office.drop_bases_below(self._conn, generation))

    def forget_some(self, most: int) -> bool:
        """Forget what head office said of some members, and who they are; False when none are left."""
        gone = head_office.drop_some_bases(self._conn, most)
        self._gone(gone)
        return bool(gone)

    def _gone(self, members: Sequence[bytes]) -> None:
        self._bases.clear()
        for member in members:
            self._forget(member)
            if people.member(self._conn, member) is not None:
                self._show_account(member, {}, cached_fold.folded(self._conn, member))

    def bases(self) -> Iterable[Base]:
        self._write_bases()
        return map(bases.base_of, head_office.all_bases(self._conn))

    def merged_into(self, member: bytes) -> Sequence[bytes]:
        self._write_bases()
        return head_office.merged_into(self._conn, member)

    # Profile fields

    def dirty(self, most: int | None = None) -> Sequence[Cell]:
        return [bases.CELL.unpack(body) for body in head_office.dirty_cells(self._conn, most)]

    def dirty_of(self, member: bytes) -> Sequence[Cell]:
        found = head_office.dirty_cells_of(self._conn, member)
        return [bases.CELL.unpack(body) for body in found]

    def dirty_cell(self, member: bytes, name: str) -> Cell | None:
        body = head_office.dirty_cell(self._conn, member, name)
        return None if body is None else bases.CELL.unpack(body)

    def put_dirty(self, cell: Cell) -> None:
        body = bases.CELL.pack(cell)
        head_office.put_dirty_cell(self._conn, cell.member, cell.field, body)

    def drop_dirty(self, member: bytes, name: str | None = None) -> None:
        head_office.drop_dirty_cells(self._conn, member, name)

    def reference(self, key: str) -> ReferenceRow | None:
        body = head_office.reference_set(self._conn, key)
        return None if body is None else bases.REFERENCE.unpack(body)

    def put_reference(self, row: ReferenceRow, generation: int) -> None:
        body = bases.REFERENCE.pack(row)
        head_office.put_reference_set(self._conn, row.key, generation, body)
        self.references.append(row)

    # What the counter reads

    def expect(self, rows: Mapping[bytes, tuple[MemberRow, Arrival]]) -> None:
        """What an answer brings, made before the transaction began so that the counter doesn't wait for it."""
        self._expected = rows

    def expect_frames(self, ready: Mapping[bytes, bytes]) -> None:
        """The next frames of a snapshot, each as another process has made it ready (app.arrivals.readied)."""
        self._ready = ready

    def show(self, *, more: bool = False) -> None:
        """Write what the counter reads of every member whose base was put, each once. Whoever applies an answer
        calls it before the transaction ends. `more`: another answer follows in it."""
        self._write_bases()
        members = list(self._before)
        known = known_here(self._conn, members)
        self.touched.update(members)
        arrived = list[Arrival]()
        for member, before in self._before.items():
            base = self.base(member)
            if base is None:
                continue
            row = base.row
            if before is None and member not in known and row.alias is None and not row.erased:
                expected, made = self._expected.get(member, (None, None))
                arrived.append(made if made and expected is row else arrival_of(row))
            else:
                # Each in its turn: of two with one card the first has it.
                self._show_arrived(arrived)
                self._show(base, before)
        self._show_arrived(arrived)
        self._before.clear()
        if not more:
            self._findable.write(self._conn)

    def _show_arrived(self, arrived: list[Arrival]) -> None:
        if arrived:
            new = together(arrived)
            put_arrivals(self._conn, new, self._tiers(), seq=self.top())
            self._findable.add(new)
            self._findable.write(self._conn)
            arrived.clear()

    def _show(self, base: Base, before: Base | None) -> None:
        """The counter's rows of a member, from what head office said last and the own events after it."""
        member = base.row.member
        fields = overlay.profile(self, member)
        values = {name: cell.value for name, cell in fields.items() if cell.value is not None}
        gone = base.row.alias is not None or base.row.erased
        if not gone or people.member(self._conn, member) is not None:
            # As every sale and `verify` fold them: by the member's own entries, a merged one's too.
            self._show_account(member, values, cached_fold.folded(self._conn, member))
        if gone:
            if base.row.alias is not None:
                people.move_cards(self._conn, member, base.row.alias)
            self._forget(member)
            return
        cells = () if before is None else before.row.cells
        if before is None or set(cells) != set(base.row.cells) or not values:
            parted = before is not None and before.row.alias is not None
            self._show_person(member, values, parted=parted)

    def _show_account(self, member: bytes, values: dict[str, str], state: MemberState) -> None:
        tiers = self._tiers()
        rank = state.standing.rank if state.standing else min(tiers)
        visits = [int(day.on) for day in state.days if day.sales]
        known = people.member(self._conn, member)
        tier = tiers.get(rank, tiers[min(tiers)])
        if known is None:
            joined = joined_of(values) or min(visits, default=0)
            account = people.MemberRow(member, joined, tier, max(visits, default=None))
            people.insert_member(self._conn, account)
        else:
            last = max([*visits, known.last_visit or 0]) or None
            people.update_member(self._conn, member, tier=tier, last_visit=last)
        cached_fold.replace_state(self._conn, member, seq=self.top(), state=state)

    def _show_person(self, member: bytes, values: dict[str, str], *, parted: bool) -> None:
        known = people.profile(self._conn, member)
        row = profile_of(member, values, 1 if known is None else known.version + 1)
        if row is None:
            return
        if known is None:
            people.set_member_key(self._conn, member, os.urandom(KEY_BYTES))
        if known is None or row != replace(known, version=row.version):
            if known is not None:
                search.forget_words(self._conn)
            people.put_profile(self._conn, row)
            people.mark_search_dirty(self._conn, member)
        self._show_card(member, values.get(CARD), parted=parted)
        head_office.put_consents(self._conn, member, list(consents_of(values)))

    def _show_card(self, member: bytes, number: str | None, *, parted: bool) -> None:
        """A card leads to its member here too; the till's block goes on behind it. One that somebody else has
        here stays theirs: two tills gave the number out, and who enrolled here holds it in their hand. But
        once a merge is undone the card goes back from the survivor to whom it was given."""
        if number and parted:
            people.move_card(self._conn, CARD, number, member)
        if number and people.credential(self._conn, CARD, number) is None:
            cell = {
                "t": "credential", "kind": CARD, "value": number, "member_id": member.hex(),
                "state": "active",
            }  # fmt: skip
            put_cell(self._conn, cell)

    def show_consents(self, member: bytes) -> None:
        """An answer was given or taken back here: it stands above what head office had."""
        fields = overlay.profile(self, member)
        values = {name: cell.value for name, cell in fields.items() if cell.value is not None}
        head_office.put_consents(self._conn, member, list(consents_of(values)))

    def _forget(self, member: bytes) -> None:
        self.forgotten.add(member)
        search.forget_words(self._conn)
        people.drop_person(self._conn, member)
        till.drop_jobs_of(self._conn, member)


def reading(conn: Connection) -> Dealings:
    """The same on a snapshot, for questions alone."""

    def refuse(*_: object) -> NoReturn:
        raise AssertionError("a snapshot is read")

    return Dealings(conn, refuse, refuse, refuse)


def place_missing(conn: Connection, dealings: Dealings) -> Iterator[rows.EventRow]:
    """Write the links of own events that have none yet in this epoch, and give each such event: those of before
    the joining, and those that came back from the journal file, which knows of no links."""
    control = dealings.control()
    last = head_office.last_link(conn, control.epoch)
    at = own_chain.chain_at(dealings, last)
    for row in rows.events_after(conn, control.base + last):
        placed = link(at, row.id, row.body)
        dealings.put_link(placed)
        at = place(placed)
        yield row
