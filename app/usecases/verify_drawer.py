"""The drawer's part of `verify`: rows of its uses, counts and ends of shifts against the events, and every
count's expected cash worked out again from the events before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace

from sqlcipher3.dbapi2 import Connection

from app import posting
from app.domain.drawer import DrawerSums
from app.protocol.events import Event
from app.usecases.count import sums_after
from db import drawer, rows, till


class DrawerWalk:
    """Follows the journal, one event after another; each answer names what differs."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._sums: DrawerSums | None = DrawerSums()
        self._uses = drawer.all_uses(conn)
        self._next = next(self._uses, None)

    def lost(self, seq: int) -> None:
        """An event is missing: its row goes with it, and this shift's sums can't be told any more."""
        self._rows(seq)
        self._sums = None

    def rest(self) -> Iterator[tuple[int, str]]:
        """(event, what) of rows behind the last event."""
        while self._next is not None:
            yield self._next.seq, "use of the drawer of no event"
            self._next = next(self._uses, None)

    def take(self, event: Event) -> Iterator[str]:
        """What is wrong about the drawer, the shift and its cash at this event."""
        wanted = posting.drawer_use_row(event)
        if self._rows(event.seq) != ([] if wanted is None else [wanted]):
            yield "use of the drawer differs"
        if event.kind == posting.SHIFT_OPEN:
            self._sums = DrawerSums()
            yield from self._opened(event)
        elif event.kind == posting.COUNT:
            yield from self._counted(event)
        elif event.kind == posting.SHIFT_CLOSE:
            yield from self._closed(event)
        if self._sums is not None:
            self._sums = sums_after(self._conn, self._sums, event)

    def _rows(self, seq: int) -> list[drawer.DrawerUseRow]:
        """The rows up to an event; those of lower numbers belong to none, and so show up."""
        found = []
        while self._next is not None and self._next.seq <= seq:
            found.append(self._next)
            self._next = next(self._uses, None)
        return found

    def _opened(self, event: Event) -> Iterator[str]:
        wanted = posting.shift_row(event)
        found = till.shift(self._conn, wanted.id)
        if found is None or wanted != replace(found, closed_seq=None, counted_seq=None):
            yield "shift differs"
        if found is not None and not self._is_end(found.closed_seq, wanted.id):
            yield "shift ends with an event that ends it not"
        if found is not None and not self._is_count(found.counted_seq, wanted.id):
            yield "shift counted by an event that counts it not"
        before = event.doc.get("closes")
        if before is not None and not self._ends(before, event.seq):
            yield "end of the shift before differs"

    def _counted(self, event: Event) -> Iterator[str]:
        assert event.shift_id is not None, "a count belongs to a shift"
        shift = till.shift(self._conn, event.shift_id)
        if shift is None or shift.counted_seq != event.seq:
            yield "count of the shift differs"
        yield from self._cash(event)

    def _closed(self, event: Event) -> Iterator[str]:
        if not self._ends(event.doc["closes"], event.seq):
            yield "end of the shift differs"
        yield from self._cash(event)

    def _cash(self, event: Event) -> Iterator[str]:
        """A count moves no cash, so the end of a shift has the same sums."""
        if self._sums is not None and event.doc["sums"] != asdict(self._sums):
            yield "cash of the shift is not what its events say"
        elif DrawerSums(**event.doc["sums"]).expected_minor != event.doc["expected"]:
            yield "expected cash is not the sum of its parts"

    def _ends(self, shift: str, seq: int) -> bool:
        row = till.shift(self._conn, bytes.fromhex(shift))
        return row is not None and row.closed_seq == seq

    def _is_end(self, seq: int | None, shift_id: bytes) -> bool:
        event = self._event(seq)
        ends = (posting.SHIFT_CLOSE, posting.SHIFT_OPEN)
        return seq is None or (
            event is not None and event.kind in ends and event.doc.get("closes") == shift_id.hex()
        )

    def _is_count(self, seq: int | None, shift_id: bytes) -> bool:
        event = self._event(seq)
        return seq is None or (
            event is not None and event.kind == posting.COUNT and event.shift_id == shift_id
        )

    def _event(self, seq: int | None) -> Event | None:
        row = rows.event_by_seq(self._conn, seq) if seq is not None else None
        return posting.event_of(row) if row is not None else None
