"""The till's port kept in lists and dictionaries, for the simulator. `copy()` is an image of this moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.domain.entries import Entry
from app.protocol.facts import Facts, write
from app.protocol.links import Link
from app.protocol.till_store import Base, Control
from app.protocol.wire import Cell, ReferenceRow


class MemoryTillStore:
    """Implements app.protocol.till_store.TillStore."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._events: list[tuple[bytes, bytes]] = []
        self._own: dict[bytes, tuple[tuple[int, tuple[Entry, ...]], ...]] = {}
        self._links: dict[tuple[int, int], Link] = {}
        self._bases: dict[bytes, Base] = {}
        self._dirty: dict[tuple[bytes, str], Cell] = {}
        self._references: dict[str, tuple[ReferenceRow, int]] = {}

    def copy(self) -> MemoryTillStore:
        """An image: records are values, so copying the containers is enough."""
        other = MemoryTillStore(self._control)
        other._events = list(self._events)
        other._own = dict(self._own)
        other._links = dict(self._links)
        other._bases = dict(self._bases)
        other._dirty = dict(self._dirty)
        other._references = dict(self._references)
        return other

    def control(self) -> Control:
        return self._control

    def put_control(self, control: Control) -> None:
        self._control = control

    def top(self) -> int:
        return len(self._events)

    def compose(self, facts: Facts) -> bytes:
        return write(facts)

    def append(self, facts: Facts, body: bytes) -> int:
        self._events.append((facts.id, body))
        if facts.member is not None and facts.postings:
            entries = tuple([posting.entry for posting in facts.postings])
            known = self._own.get(facts.member, ())
            self._own[facts.member] = (*known, (self.top(), entries))
        return self.top()

    def body(self, number: int) -> bytes:
        return self._events[number - 1][1]

    def event(self, number: int) -> bytes:
        return self._events[number - 1][0]

    def own_entries(self, member: bytes, after: int) -> Sequence[tuple[int, tuple[Entry, ...]]]:
        return [each for each in self._own.get(member, ()) if each[0] > after]

    def link(self, epoch: int, seq: int) -> Link | None:
        return self._links.get((epoch, seq))

    def put_link(self, link: Link) -> None:
        assert (link.epoch, link.seq) not in self._links, "a link is written once"
        self._links[link.epoch, link.seq] = link

    def look_up(self, members: Sequence[bytes]) -> None:
        """All of them are in memory."""

    def base(self, member: bytes) -> Base | None:
        return self._bases.get(member)

    def take_frames(self, frames: Sequence[bytes], included: int, generation: int) -> None:
        """Each row by itself."""

    def put_base(self, base: Base) -> None:
        self._bases[base.row.member] = base

    def drop_base(self, member: bytes) -> None:
        del self._bases[member]

    def drop_older(self, generation: int) -> None:
        self._bases = {
            member: base for member, base in self._bases.items() if base.generation >= generation
        }
        self._references = {
            key: each for key, each in self._references.items() if each[1] >= generation
        }

    def bases(self) -> Iterable[Base]:
        return list(self._bases.values())

    def merged_into(self, member: bytes) -> Sequence[bytes]:
        return [base.row.member for base in self._bases.values() if base.row.alias == member]

    def dirty(self, most: int | None = None) -> Sequence[Cell]:
        return list(self._dirty.values())[:most]

    def dirty_of(self, member: bytes) -> Sequence[Cell]:
        return [cell for cell in self._dirty.values() if cell.member == member]

    def dirty_cell(self, member: bytes, name: str) -> Cell | None:
        return self._dirty.get((member, name))

    def put_dirty(self, cell: Cell) -> None:
        self._dirty[cell.member, cell.field] = cell

    def drop_dirty(self, member: bytes, name: str | None = None) -> None:
        gone = [key for key in self._dirty if key[0] == member and name in (None, key[1])]
        for key in gone:
            del self._dirty[key]

    def reference(self, key: str) -> ReferenceRow | None:
        known = self._references.get(key)
        return None if known is None else known[0]

    def put_reference(self, row: ReferenceRow, generation: int) -> None:
        self._references[row.key] = (row, generation)
